//! Objects of several kinds, told apart by one member: actions, filters of network capture, custom attributes.

use super::fields::{Field, may, must};
use super::kinds::Kind::{self, Any, Attribute, Choice, Flag, Number, Record, Text};
use super::kinds::{LINE, dictionary, integer, list};

/// The kinds that an object may have.
pub(super) struct Union {
    /// The member that tells the kind.
    pub(super) tag: &'static str,
    /// What each kind takes besides its own members.
    shared: &'static [Field],
    /// The kinds: the value of the tag, and their own members.
    variants: &'static [(&'static str, &'static [Field])],
}

impl Union {
    /// The members of one kind, the shared ones too; `None` for an unknown kind.
    pub(super) fn members(&self, kind: &str) -> Option<impl Iterator<Item = &'static Field> + Clone> {
        let (_, own) = self.variants.iter().find(|(name, _)| *name == kind)?;
        Some(own.iter().chain(self.shared))
    }

    /// The names of the kinds.
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        self.variants.iter().map(|(name, _)| *name).collect()
    }
}

const fn seconds(min: f64, max: f64) -> Kind {
    Number { min, max }
}

const MATCHES: Kind = Choice(&["contains", "exact", "startsWith", "endsWith"]);
const ANY_INTEGER: Kind = integer(f64::NEG_INFINITY, f64::INFINITY);

/// A filter of network capture.
pub(super) const CAPTURE: Union = Union {
    tag: "filterType",
    shared: &[must("filterType", Any), may("httpResponseBody", Flag)],
    variants: &[
        ("url", &[must("value", Text { min: 3, max: 8_192 }), must("matchType", MATCHES)]),
        ("resourceType", &[must("resourceType", Choice(&["document", "xhr"]))]),
    ],
};

/// A custom attribute.
pub(super) const ATTRIBUTE: Union = Union {
    tag: "type",
    shared: &[must("type", Any), may("description", Text { min: 0, max: 300 })],
    variants: &[
        ("boolean", &[]),
        (
            "string",
            &[
                may("enum", Kind::List { min: 2, max: 100, of: &Text { min: 1, max: 50 } }),
                may("format", Choice(&["html", "html-text", "uri", "xpath"])),
            ],
        ),
        ("number", &[may("enum", Kind::List { min: 2, max: 10, of: &Number { min: f64::NEG_INFINITY, max: f64::INFINITY } })]),
        ("integer", &[may("enum", Kind::List { min: 2, max: 10, of: &ANY_INTEGER })]),
        ("array", &[must("items", Attribute)]),
        ("object", &[must("properties", dictionary(usize::MAX, &Attribute))]),
    ],
};

const SELECTOR: Kind = Record(&[
    must("type", Choice(&["css", "xpath"])),
    must("value", Text { min: 1, max: 500 }),
    may("state", Choice(&["visible", "hidden", "attached"])),
]);
const LOAD_STATES: Kind = Choice(&["load", "networkidle0", "domcontentloaded"]);
const COUNT: Kind = integer(0.0, f64::INFINITY);
const NAVIGATION: Kind = Record(&[may("timeout", COUNT), may("waitUntil", LOAD_STATES)]);
/// The country is one of ISO 3166-1 in prose only; the schema takes any text.
const ADDRESS: Kind =
    Record(&[may("addressCountry", LINE), may("addressRegion", LINE), may("postalCode", LINE), may("streetAddress", LINE)]);
const WAIT: Kind = seconds(0.0, 15.0);
const NETWORK_WAIT: &[Field] = &[must("urlPattern", LINE), may("urlMatchingOptions", MATCHES), may("timeout", WAIT)];

/// An action of a browser.
pub(super) const ACTION: Union = Union {
    tag: "action",
    shared: &[must("action", Any), may("onError", Choice(&["return", "continue"]))],
    variants: &[
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
        ("interaction", &[must("id", LINE), may("args", dictionary(usize::MAX, &Any))]),
        ("keyPress", &[must("key", Text { min: 0, max: 14 })]),
        ("reload", &[may("options", NAVIGATION)]),
        (
            "scrollBottom",
            &[
                may("timeout", seconds(0.0, 30.0)),
                may("maxScrollDelay", seconds(0.5, 10.0)),
                may("maxPageHeight", ANY_INTEGER),
                may("maxScrollCount", ANY_INTEGER),
                may("scrollStep", COUNT),
            ],
        ),
        ("scrollTo", &[may("top", ANY_INTEGER), may("left", ANY_INTEGER), may("selector", SELECTOR)]),
        ("searchKeyword", &[must("keyword", LINE)]),
        ("select", &[must("selector", SELECTOR), must("values", list(usize::MAX, &LINE))]),
        ("setLocation", &[may("address", ADDRESS)]),
        ("type", &[must("selector", SELECTOR), must("text", LINE), may("delay", seconds(0.0, f64::INFINITY))]),
        ("waitForNavigation", &[must("timeout", seconds(31.0, 45.0)), may("waitUntil", LOAD_STATES)]),
        ("waitForRequest", NETWORK_WAIT),
        ("waitForResponse", NETWORK_WAIT),
        ("waitForSelector", &[must("selector", SELECTOR), may("timeout", WAIT)]),
        ("waitForTimeout", &[may("timeout", WAIT)]),
    ],
};
