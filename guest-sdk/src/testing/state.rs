//! The state of the fake host: one per thread.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::{DownloadError, Params, Response, Verdict};

/// Answers the downloads of a test.
pub(crate) type Downloads = Box<dyn FnMut(&Params) -> Result<Response, DownloadError>>;

/// Keys and their values as JSON text.
pub(crate) type Store = RefCell<BTreeMap<String, String>>;

/// A session and its data, shared by all that name it.
#[derive(Clone)]
pub(crate) struct SessionState {
    pub(crate) id: Rc<str>,
    pub(crate) pool: Rc<str>,
    pub(crate) data: Rc<Store>,
}

impl SessionState {
    pub(crate) fn new(id: &str, pool: &str) -> Self {
        Self { id: id.into(), pool: pool.into(), data: Rc::default() }
    }
}

/// What the fake host knows and remembers.
pub(crate) struct State {
    pub(crate) site_name: String,
    pub(crate) config: Value,
    pub(crate) settings: Value,
    pub(crate) enabled: bool,
    pub(crate) cookie_mode: bool,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) downloads: RefCell<Option<Downloads>>,
    pub(crate) requested: RefCell<Vec<Params>>,
    pub(crate) shared: Store,
    pub(crate) log: RefCell<Vec<(String, String)>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            site_name: "test".to_owned(),
            config: Value::Null,
            settings: json!({}),
            enabled: true,
            cookie_mode: false,
            verdict: None,
            downloads: RefCell::default(),
            requested: RefCell::default(),
            shared: Store::default(),
            log: RefCell::default(),
        }
    }
}

impl State {
    /// Answers a download by the test's function, which is out of reach while it runs: it cannot call itself.
    pub(crate) fn download(&self, params: &str) -> Result<Response, DownloadError> {
        let value: Value = serde_json::from_str(params).unwrap_or_default();
        let params = Params::from(value);
        self.requested.borrow_mut().push(params.clone());
        let Some(mut answer) = self.downloads.borrow_mut().take() else {
            return Err(unexpected(&params));
        };
        let result = answer(&params);
        *self.downloads.borrow_mut() = Some(answer);
        result
    }
}

fn unexpected(params: &Params) -> DownloadError {
    DownloadError {
        token: 0,
        kind: "refused".to_owned(),
        status: 0,
        problem_type: String::new(),
        message: format!("the test expects no download, got {}", params.as_value()),
    }
}

thread_local! {
    static CURRENT: RefCell<Rc<State>> = RefCell::default();
}

/// The host of this thread.
pub(crate) fn current() -> Rc<State> {
    CURRENT.with_borrow(Rc::clone)
}

/// Makes this the host of the thread and returns the one before.
pub(crate) fn replace(state: Rc<State>) -> Rc<State> {
    CURRENT.replace(state)
}

/// Stores a value; none removes it.
pub(crate) fn put(store: &Store, key: &str, value: Option<&str>) {
    let mut store = store.borrow_mut();
    match value {
        Some(value) => store.insert(key.to_owned(), value.to_owned()),
        None => store.remove(key),
    };
}
