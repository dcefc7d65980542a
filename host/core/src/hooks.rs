//! What the engine and a site plugin say to each other, whatever runs the plugin.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::exchange::{Answer, CallError, Object, Request, Unreadable};
use crate::id::{PoolId, SessionId};
use crate::verdict::Verdict;

/// The questions a site plugin may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Are sessions used for this request?
    Enabled,
    /// Cookies of the initialisation instead of API sessions?
    CookieMode,
    /// Which pool?
    Pool,
    /// Which location, where neither the request nor the settings give one?
    Location,
    /// How is a session initialised?
    Params,
    /// Is the session that fetched this answer good?
    Check,
    /// What is changed in a request before it is sent?
    ProcessRequest,
    /// Initialises a session with as many calls as it takes.
    InitSession,
}

impl Hook {
    /// All hooks, in the order of a request's road.
    pub const ALL: [Self; 8] = [
        Self::Enabled,
        Self::CookieMode,
        Self::Pool,
        Self::Location,
        Self::Params,
        Self::InitSession,
        Self::ProcessRequest,
        Self::Check,
    ];

    /// The name used in the plugin interface and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::CookieMode => "cookie-mode",
            Self::Pool => "pool",
            Self::Location => "location",
            Self::Params => "params",
            Self::Check => "check",
            Self::ProcessRequest => "process-request",
            Self::InitSession => "init-session",
        }
    }

    /// The hook of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.name() == name)
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a hook gave no result.
#[derive(Clone, Debug, PartialEq)]
pub enum HookError {
    /// The plugin reported that something unexpected happened.
    Raised(String),
    /// The plugin was stopped: it trapped, ran out of time or asked for more than it may have.
    Trapped(String),
    /// The plugin asks to end the crawl.
    CloseCrawl(String),
    /// The plugin asks to end this pool.
    ClosePool(String),
    /// A download of the plugin failed and it passed the failure on.
    Download(CallError),
    /// The page cannot be read, which is the fault of neither the plugin nor the session.
    Unreadable(Unreadable),
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raised(message) => f.write_str(message),
            Self::Trapped(message) => write!(f, "stopped: {message}"),
            Self::CloseCrawl(reason) => write!(f, "asked to end the crawl: {reason}"),
            Self::ClosePool(reason) => write!(f, "asked to end its pool: {reason}"),
            Self::Download(error) => write!(f, "download failed: {error}"),
            Self::Unreadable(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for HookError {}

/// A pool by name, with options that count at the first sight of the name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolChoice {
    /// The pool's name.
    pub id: String,
    /// How it came to this name.
    pub naming: Naming,
    /// Sessions at most.
    pub size: Option<u32>,
    /// Seconds between two uses of a session.
    pub delay: Option<f64>,
    /// Whether the delay is multiplied by a random number from 0.5 to 1.5.
    pub randomize_delay: Option<bool>,
    /// Requests at once on one session.
    pub max_in_flight: Option<u32>,
}

/// How a pool came to its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// A request or a plugin named it: it is shared by all who name it.
    #[default]
    Explicit,
    /// The host named it after the request: it belongs to the site that serves the request.
    Automatic,
}

impl PoolChoice {
    /// A pool that a request or a plugin names, without options of its own.
    pub fn named(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// A pool that the host names after a request.
    pub fn automatic(id: impl Into<String>) -> Self {
        Self { naming: Naming::Automatic, ..Self::named(id) }
    }

    /// Reads a name, or an object with `id` and options; other members are ignored. The error says what is wrong.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        if let Some(id) = value.as_str() {
            return Ok(Self::named(id));
        }
        let object = value.as_object().ok_or_else(|| format!("a pool is a name or an object with \"id\", not {value}"))?;
        let id = object.get("id").and_then(Value::as_str).ok_or("a pool object needs an \"id\" that is text")?;
        let number = |name: &str| match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_f64()
                .filter(|n| *n >= 0.0)
                .map(Some)
                .ok_or(format!("\"{name}\" of pool \"{id}\" is not a number of 0 or more")),
        };
        let whole = |name: &str| number(name).map(|n| n.map(|n| n as u32));
        let randomize_delay = object.get("randomize_delay").filter(|value| !value.is_null()).map(crate::defaults::is_truthy);
        Ok(Self {
            id: id.to_owned(),
            naming: Naming::Explicit,
            size: whole("size")?,
            delay: number("delay")?,
            randomize_delay,
            max_in_flight: whole("max_in_flight")?,
        })
    }

    /// What [`from_json`](Self::from_json) reads: the name, or an object where there are options.
    pub fn to_json(&self) -> Value {
        let options = [
            ("size", self.size.map(Value::from)),
            ("delay", self.delay.map(Value::from)),
            ("randomize_delay", self.randomize_delay.map(Value::from)),
            ("max_in_flight", self.max_in_flight.map(Value::from)),
        ];
        let set = options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let mut object: Object = set.collect();
        if object.is_empty() {
            return Value::from(self.id.as_str());
        }
        object.insert("id".to_owned(), Value::from(self.id.as_str()));
        Value::Object(object)
    }
}

/// What is known of a request before it is sent: the answers of the first four hooks, asked in one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Are sessions used?
    pub enabled: bool,
    /// Are they cookie sessions?
    pub cookie_mode: bool,
    /// The pool; an error says why there is none.
    pub pool: Result<PoolChoice, HookError>,
    /// The location in force, empty for none. An error fails the request; in the peer's profile it counts when a session is initialised.
    pub location: Result<Object, HookError>,
}

impl Plan {
    /// No session is used.
    pub fn off() -> Self {
        Self { enabled: false, cookie_mode: false, pool: Ok(PoolChoice::default()), location: Ok(Object::new()) }
    }
}

/// What a plugin changes in the copy of a request that is about to be sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    /// Another URL.
    pub url: Option<String>,
    /// API parameters to set.
    pub set: Object,
    /// API parameters to leave out.
    pub remove: Vec<String>,
}

impl Edit {
    /// Applies the change: first what is left out, then what is set.
    pub fn apply(self, request: &mut Request) {
        for name in &self.remove {
            request.remove_param(name);
        }
        for (name, value) in self.set {
            request.set_param(&name, value);
        }
        if let Some(url) = self.url {
            request.set_param("url", Value::String(url));
        }
    }
}

/// What a hook gets: the request at hand and what belongs to it.
#[derive(Clone)]
pub struct HookCall {
    /// The request as its owner wrote it, or the initialisation request.
    pub request: Arc<Request>,
    /// Is the request one that initialises a session?
    pub init: bool,
    /// The location in force; empty for none, and before the location hook was asked.
    pub location: Arc<Object>,
    /// Why the location is not known: the hook for it failed.
    pub location_error: Option<HookError>,
    /// The session that the request uses or initialises.
    pub session: Option<Arc<SessionHandle>>,
    /// The default behaviours, for hooks that say "as usual, but".
    pub defaults: Arc<dyn Defaults>,
}

/// What the host does where a plugin does not override a hook.
pub trait Defaults: Send + Sync {
    /// The request's metadata, else the setting.
    fn enabled(&self, request: &Request) -> bool;
    /// The request's metadata, else the setting.
    fn cookie_mode(&self, request: &Request) -> bool;
    /// The pool that the metadata names, else the automatic one; `location` is what the location hook gave, empty for none.
    fn pool(&self, request: &Request, location: &Object) -> Result<PoolChoice, HookError>;
    /// The request's metadata, else the setting; empty for none.
    fn location(&self, request: &Request) -> Object;
    /// A browser request, with `setLocation` where there is a location.
    fn params(&self, location: &Object) -> Object;
    /// The crawl-wide checker where one is set, else a look at the browser actions.
    fn check(&self, call: &HookCall, answer: &Answer) -> Result<Verdict, HookError>;
    /// The session settings that plugins may read.
    fn settings(&self) -> Arc<Object>;
}

/// A session as hooks see it: its name and the data that hooks keep for it.
#[derive(Debug)]
pub struct SessionHandle {
    id: SessionId,
    pool: PoolId,
    data: Mutex<BTreeMap<String, Value>>,
}

/// The bytes of JSON text that the hooks may keep for one session, keys included.
pub const SESSION_DATA_BYTES: usize = 64 * 1024;

/// The store of a session is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataFull;

impl fmt::Display for DataFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the data of a session is limited to {SESSION_DATA_BYTES} bytes")
    }
}

impl std::error::Error for DataFull {}

impl SessionHandle {
    /// A session without data.
    pub fn new(id: SessionId, pool: PoolId) -> Self {
        Self { id, pool, data: Mutex::default() }
    }

    /// The session's id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The pool it belongs to.
    pub fn pool(&self) -> &PoolId {
        &self.pool
    }

    /// Reads a stored value.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.data().get(key).cloned()
    }

    /// Stores a value; none removes it.
    pub fn set(&self, key: &str, value: Option<Value>) -> Result<(), DataFull> {
        let mut data = self.data();
        let Some(value) = value else {
            data.remove(key);
            return Ok(());
        };
        let size = |key: &str, value: &Value| key.len() + value.to_string().len();
        let others: usize = data.iter().filter(|(k, _)| *k != key).map(|(k, v)| size(k, v)).sum();
        if others + size(key, &value) > SESSION_DATA_BYTES {
            return Err(DataFull);
        }
        data.insert(key.to_owned(), value);
        Ok(())
    }

    /// All that is stored.
    pub fn snapshot(&self) -> Object {
        self.data().clone().into_iter().collect()
    }

    fn data(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pool_is_a_name_or_an_object_with_an_id() {
        let choice =
            PoolChoice::from_json(&json!({"id": "a", "size": 2, "delay": 0.5, "randomize_delay": false, "x": 1})).unwrap();
        assert_eq!(
            (choice.id.as_str(), choice.size, choice.delay, choice.randomize_delay),
            ("a", Some(2), Some(0.5), Some(false))
        );
        assert_eq!(PoolChoice::from_json(&choice.to_json()), Ok(choice));
        assert_eq!(PoolChoice::from_json(&json!("b")), Ok(PoolChoice::named("b")));
        assert_eq!(PoolChoice::named("b").to_json(), json!("b"));
        for bad in [json!(3), json!({"size": 1}), json!(null), json!({"id": "a", "size": "x"})] {
            assert!(PoolChoice::from_json(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_edit_changes_url_and_params() {
        let mut request = Request::from_json(json!({"url": "https://a.example/", "a": 1, "b": 2})).unwrap();
        let set = json!({"c": 3}).as_object().unwrap().clone();
        Edit { url: Some("https://a.example/x".into()), set, remove: vec!["a".into()] }.apply(&mut request);
        assert_eq!(request.url(), "https://a.example/x");
        assert_eq!(Value::Object(request.params().clone()), json!({"url": "https://a.example/x", "b": 2, "c": 3}));
    }

    #[test]
    fn session_data_is_bounded_and_replaced_in_place() {
        let session = SessionHandle::new(SessionId::from_random(1), PoolId::new("p"));
        let large = Value::String("x".repeat(SESSION_DATA_BYTES - 100));
        session.set("a", Some(large.clone())).unwrap();
        session.set("a", Some(large.clone())).unwrap();
        assert_eq!(session.set("b", Some(large)), Err(DataFull));
        session.set("a", None).unwrap();
        assert_eq!(session.get("a"), None);
    }
}
