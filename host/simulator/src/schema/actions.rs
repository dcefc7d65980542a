//! The table of action kinds and their parameters.

use super::fields::{Field, Presence, may, must};
use super::kinds::Kind::{self, Choice, Country, Integer, List, Number, Object, Record, Text};

const SELECTOR: Kind = Record(&[
    must("type", Choice(&["css", "xpath"])),
    must("value", Text { min: 1, max: 500 }),
    may("state", Choice(&["visible", "hidden", "attached"])),
]);
const LOAD_STATES: Kind = Choice(&["load", "networkidle0", "domcontentloaded"]);
const NAVIGATION: Kind = Record(&[may("timeout", Integer { min: 0, max: i64::MAX }), may("waitUntil", LOAD_STATES)]);
const ADDRESS: Kind =
    Record(&[may("addressCountry", Country), may("addressRegion", LINE), may("postalCode", LINE), may("streetAddress", LINE)]);
const LINE: Kind = Text { min: 0, max: 8_192 };
const WAIT: Kind = seconds(0.0, 15.0);
const NETWORK_WAIT: &[Field] = &[
    must("urlPattern", LINE),
    may("urlMatchingOptions", Choice(&["contains", "exact", "startsWith", "endsWith"])),
    may("timeout", WAIT),
];
const COUNT: Kind = Integer { min: 0, max: i64::MAX };

const fn seconds(min: f64, max: f64) -> Kind {
    Number { min, max }
}

/// What every action takes besides its own parameters.
pub(super) const SHARED: &[Field] = &[must("action", LINE), may("onError", Choice(&["return", "continue"]))];

/// The parameters of one kind of action; `None` for an unknown kind.
pub(super) fn parameters(action: &str) -> Option<&'static [Field]> {
    let found = ACTIONS.iter().find(|(name, _)| *name == action)?;
    Some(found.1)
}

/// Looks a parameter up, among the shared ones too.
pub(super) fn parameter(own: &'static [Field], name: &str) -> Option<&'static Field> {
    own.iter().chain(SHARED).find(|field| field.name == name)
}

/// Names a required parameter that is missing.
pub(super) fn missing(own: &'static [Field], given: &serde_json::Map<String, serde_json::Value>) -> Option<&'static str> {
    own.iter()
        .chain(SHARED)
        .find(|field| field.presence == Presence::Required && !given.contains_key(field.name))
        .map(|field| field.name)
}

const ACTIONS: &[(&str, &[Field])] = &[
    (
        "click",
        &[
            must("selector", SELECTOR),
            may("button", Choice(&["left", "right", "middle"])),
            may("delay", seconds(0.0, 3.0)),
            may("waitForNavigationTimeout", seconds(0.0, 20.0)),
        ],
    ),
    ("doubleClick", &[must("selector", SELECTOR)]),
    ("evaluate", &[must("source", Text { min: 0, max: 6_000 })]),
    ("goto", &[must("url", LINE), may("options", NAVIGATION)]),
    ("hide", &[must("selector", SELECTOR)]),
    ("hover", &[must("selector", SELECTOR)]),
    ("interaction", &[must("id", LINE), may("args", Object { max: usize::MAX })]),
    ("keyPress", &[must("key", Text { min: 1, max: 14 })]),
    ("reload", &[may("options", NAVIGATION)]),
    (
        "scrollBottom",
        &[
            may("timeout", seconds(0.0, 30.0)),
            may("maxScrollDelay", seconds(0.5, 10.0)),
            may("maxPageHeight", COUNT),
            may("maxScrollCount", COUNT),
            may("scrollStep", COUNT),
        ],
    ),
    ("scrollTo", &[may("top", COUNT), may("left", COUNT), may("selector", SELECTOR)]),
    ("searchKeyword", &[must("keyword", LINE)]),
    ("select", &[must("selector", SELECTOR), must("values", List { max: usize::MAX, of: &LINE })]),
    ("setLocation", &[may("address", ADDRESS)]),
    ("type", &[must("selector", SELECTOR), must("text", LINE), may("delay", seconds(0.0, 60.0))]),
    ("waitForNavigation", &[must("timeout", seconds(31.0, 45.0)), may("waitUntil", LOAD_STATES)]),
    ("waitForRequest", NETWORK_WAIT),
    ("waitForResponse", NETWORK_WAIT),
    ("waitForSelector", &[must("selector", SELECTOR), may("timeout", WAIT)]),
    ("waitForTimeout", &[may("timeout", WAIT)]),
];
