//! Browser actions, one after the other, and what is told about each.

mod script;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::browser::Tab;
use crate::markup::{self, Found};

/// The time that a browser works at most.
const BUDGET: Duration = Duration::from_secs(60);

/// The result list and the time that the actions took.
pub(crate) struct Performed {
    pub(crate) results: Vec<Value>,
    pub(crate) elapsed: Duration,
}

/// An action that did not work, and the time that it took to find out.
struct Failure {
    error: String,
    elapsed: Duration,
}

/// Performs all actions on a tab.
pub(crate) fn perform(actions: &[Value], tab: &mut Tab<'_, '_>) -> Performed {
    let mut performed = Performed { results: Vec::with_capacity(actions.len()), elapsed: Duration::ZERO };
    let mut is_stopped = false;
    for action in actions {
        let name = text(action, "action");
        if is_stopped {
            performed.note(name, Duration::ZERO, "notExecuted", None);
            continue;
        }
        let outcome = within_budget(perform_one(action, name, tab), performed.elapsed);
        match outcome {
            Ok(elapsed) => performed.note(name, elapsed, "success", None),
            Err(failure) => {
                is_stopped = text(action, "onError") != "continue" || performed.elapsed + failure.elapsed >= BUDGET;
                let status = if is_stopped { "returned" } else { "continued" };
                performed.note(name, failure.elapsed, status, Some(failure.error));
            }
        }
    }
    performed
}

impl Performed {
    fn note(&mut self, action: &str, elapsed: Duration, status: &str, error: Option<String>) {
        self.elapsed += elapsed;
        let mut result = Map::with_capacity(4);
        result.insert("action".into(), action.into());
        result.insert("elapsedTime".into(), json!(elapsed.as_secs_f64()));
        result.insert("status".into(), status.into());
        if let Some(error) = error {
            result.insert("error".into(), error.into());
        }
        self.results.push(Value::Object(result));
    }
}

/// Interrupts an action that would use more time than there is.
fn within_budget(outcome: Result<Duration, Failure>, before: Duration) -> Result<Duration, Failure> {
    let left = BUDGET.saturating_sub(before);
    let took = match &outcome {
        Ok(elapsed) => *elapsed,
        Err(failure) => failure.elapsed,
    };
    if took <= left {
        return outcome;
    }
    Err(Failure { error: "the browser reached its time limit".into(), elapsed: left })
}

fn perform_one(action: &Value, name: &str, tab: &mut Tab<'_, '_>) -> Result<Duration, Failure> {
    match name {
        "click" | "doubleClick" => {
            let element = element(action, tab)?;
            tab.click(element);
            Ok(millis(50) + seconds(action, "delay", 0.0))
        }
        "type" => {
            let typed = text(action, "text");
            let element = element(action, tab)?;
            tab.type_into(element, typed).map_err(at_once)?;
            let per_key = seconds(action, "delay", 0.0);
            Ok(millis(20) + per_key * u32::try_from(typed.chars().count()).unwrap_or(u32::MAX))
        }
        "select" => {
            let element = element(action, tab)?;
            let chosen = action.get("values").and_then(|it| it.get(0)?.as_str());
            tab.set_value(element, chosen.unwrap_or("")).map_err(at_once)?;
            Ok(millis(20))
        }
        "hover" => element(action, tab).map(|_| millis(20)),
        "hide" => element(action, tab).map(|_| millis(10)),
        "scrollTo" if action.get("selector").is_some() => element(action, tab).map(|_| millis(50)),
        "keyPress" => {
            if text(action, "key") == "Enter" {
                tab.press_enter();
            }
            Ok(millis(20))
        }
        "goto" => go_to(action, tab),
        "reload" => {
            tab.reload();
            Ok(millis(500))
        }
        "evaluate" => script::run(text(action, "source"), tab).map(|()| millis(30)).map_err(at_once),
        "setLocation" => set_location(action, tab),
        "waitForSelector" => wait_for_selector(action, tab),
        "waitForTimeout" => Ok(seconds(action, "timeout", 5.0)),
        "waitForRequest" | "waitForResponse" => wait_for_url(action, tab),
        "interaction" | "searchKeyword" => Err(at_once(format!("Action {name} not supported on {}", host(tab)))),
        // Scrolling and waiting for a navigation that is over already change nothing here.
        _ => Ok(millis(100)),
    }
}

fn text<'v>(action: &'v Value, name: &str) -> &'v str {
    action.get(name).and_then(Value::as_str).unwrap_or("")
}

fn host(tab: &Tab<'_, '_>) -> String {
    tab.page.url.host_str().unwrap_or("").to_owned()
}

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn seconds(action: &Value, name: &str, default: f64) -> Duration {
    let given = action.get(name).and_then(Value::as_f64);
    Duration::try_from_secs_f64(given.unwrap_or(default)).unwrap_or_default()
}

const fn at_once(error: String) -> Failure {
    Failure { error, elapsed: millis(10) }
}

fn element(action: &Value, tab: &Tab<'_, '_>) -> Result<Found, Failure> {
    let wanted = action.get("selector").unwrap_or(&Value::Null);
    let selector = markup::selector(wanted).map_err(at_once)?;
    tab.find_all(&selector)
        .into_iter()
        .find(|found| found.is_visible)
        .ok_or_else(|| at_once(format!("no element matches {}", text(wanted, "value"))))
}

fn go_to(action: &Value, tab: &mut Tab<'_, '_>) -> Result<Duration, Failure> {
    let target = tab.page.url.join(text(action, "url"));
    let target = target.map_err(|error| at_once(format!("cannot go there: {error}")))?;
    tab.go_to(target);
    Ok(millis(500))
}

fn set_location(action: &Value, tab: &mut Tab<'_, '_>) -> Result<Duration, Failure> {
    let postal_code = action.get("address").and_then(|it| it.get("postalCode")?.as_str());
    let chosen = tab.page.family.set_location(&host(tab), postal_code).map_err(at_once)?;
    if let Some((name, value)) = chosen {
        tab.keep_cookie(name, &value);
    }
    tab.reload();
    Ok(millis(1_500))
}

fn wait_for_selector(action: &Value, tab: &Tab<'_, '_>) -> Result<Duration, Failure> {
    let wanted = action.get("selector").unwrap_or(&Value::Null);
    let selector = markup::selector(wanted).map_err(at_once)?;
    let found = tab.find_all(&selector);
    let is_met = match text(wanted, "state") {
        "attached" => !found.is_empty(),
        "hidden" => found.iter().all(|it| !it.is_visible),
        _ => found.iter().any(|it| it.is_visible),
    };
    if is_met {
        return Ok(millis(10));
    }
    Err(Failure { error: format!("waited in vain for {}", text(wanted, "value")), elapsed: seconds(action, "timeout", 5.0) })
}

/// The page itself is the only request that a fictional page makes.
fn wait_for_url(action: &Value, tab: &Tab<'_, '_>) -> Result<Duration, Failure> {
    let (pattern, url) = (text(action, "urlPattern"), tab.page.url.as_str());
    let is_met = match text(action, "urlMatchingOptions") {
        "exact" => url == pattern,
        "startsWith" => url.starts_with(pattern),
        "endsWith" => url.ends_with(pattern),
        _ => url.contains(pattern),
    };
    if is_met {
        return Ok(millis(10));
    }
    Err(Failure { error: format!("waited in vain for {pattern}"), elapsed: seconds(action, "timeout", 5.0) })
}
