//! What a sandbox needs around it in a test: a directory of plugins, requests, answers, defaults that say little.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use carousel_core::exchange::{Answer, CallError, NetworkError, Object, Request};
use carousel_core::hooks::{Defaults, HookCall, HookError, PoolChoice, SessionHandle};
use carousel_core::id::{PoolId, SessionId};
use carousel_core::settings::{Instances, PluginSettings, SiteTable};
use carousel_core::verdict::Verdict;
use carousel_engine::{Downloader, Site, Sites};
use carousel_sandbox::{Loaded, PluginSite, Sandbox};
use serde_json::{Value, json};

use crate::guests;

/// A directory of its own for each test; removed at the end.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("plugins-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A directory with these guests.
    pub(crate) fn with(names: &[&str]) -> Self {
        let directory = Self::new();
        for name in names {
            std::fs::copy(guests::component(name), directory.0.join(format!("{name}.wasm"))).unwrap();
        }
        directory
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), bytes).unwrap();
    }

    /// Settings for this directory; compiled code is shared by all tests.
    pub(crate) fn settings(&self) -> PluginSettings {
        let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
        PluginSettings { dir: Some(self.0.clone()), cache: Some(cache), ..PluginSettings::default() }
    }

    pub(crate) fn load(&self, tables: &[SiteTable]) -> Loaded {
        load(&self.settings(), tables)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn load(settings: &PluginSettings, tables: &[SiteTable]) -> Loaded {
    Sandbox::new(settings).unwrap().load(tables)
}

/// The one site of a guest with a config.
pub(crate) fn site_with(guest: &str, config: Value, settings: PluginSettings) -> Arc<PluginSite> {
    let directory = Directory::with(&[guest]);
    let settings = PluginSettings { dir: Some(directory.0.clone()), ..settings };
    let loaded = load(&settings, &[table("site", guest, config)]);
    assert!(loaded.errors.is_empty(), "{}", loaded.errors[0]);
    loaded.sites.named("site").unwrap()
}

/// The one site of a guest with a config and the usual limits.
pub(crate) fn site(guest: &str, config: Value) -> Arc<PluginSite> {
    let directory = Directory::new();
    site_with(guest, config, directory.settings())
}

pub(crate) fn table(name: &str, plugin: &str, config: Value) -> SiteTable {
    SiteTable {
        name: name.to_owned(),
        plugin: plugin.to_owned(),
        include: None,
        exclude: None,
        priority: None,
        instead_of: None,
        download_hosts: None,
        instances: Instances::default(),
        init: None,
        config: Some(config),
    }
}

pub(crate) fn object(value: Value) -> Object {
    value.as_object().unwrap().clone()
}

/// A call about a URL, with a session.
pub(crate) fn call(url: &str) -> HookCall {
    let session = SessionHandle::new(SessionId::from_random(7), PoolId::new("pool"));
    HookCall {
        request: Arc::new(Request::from_json(json!({"url": url, "browserHtml": true, "meta": {"place": "x"}})).unwrap()),
        init: false,
        location: Arc::default(),
        location_error: None,
        session: Some(Arc::new(session)),
        defaults: Arc::new(Plain),
    }
}

pub(crate) fn page(html: &str) -> Answer {
    Answer::parse(json!({"url": "https://a.example/", "statusCode": 200, "browserHtml": html}).to_string(), None).unwrap()
}

/// Defaults that can be told from what a plugin says.
pub(crate) struct Plain;

impl Defaults for Plain {
    fn enabled(&self, request: &Request) -> bool {
        !request.url().contains("disabled")
    }

    fn cookie_mode(&self, _request: &Request) -> bool {
        true
    }

    fn pool(&self, request: &Request, location: &Object) -> Result<PoolChoice, HookError> {
        Ok(PoolChoice::automatic(format!("default {} {}", request.host(), location.len())))
    }

    fn location(&self, request: &Request) -> Object {
        if request.url().contains("set-place") { object(json!({"postalCode": "1"})) } else { Object::new() }
    }

    fn params(&self, location: &Object) -> Object {
        object(json!({"default": location.len()}))
    }

    fn check(&self, call: &HookCall, _answer: &Answer) -> Result<Verdict, HookError> {
        match call.request.url().contains("close") {
            true => Err(HookError::CloseCrawl("the default".to_owned())),
            false => Ok(Verdict::Reject("the default".to_owned())),
        }
    }

    fn settings(&self) -> Arc<Object> {
        Arc::new(object(json!({"pool_size": 3})))
    }
}

/// Defaults with a crawl-wide checker, which gets these defaults itself where it asks for them.
pub(crate) struct Checker(pub(crate) Arc<PluginSite>);

impl Defaults for Checker {
    fn enabled(&self, request: &Request) -> bool {
        Plain.enabled(request)
    }

    fn cookie_mode(&self, request: &Request) -> bool {
        Plain.cookie_mode(request)
    }

    fn pool(&self, request: &Request, location: &Object) -> Result<PoolChoice, HookError> {
        Plain.pool(request, location)
    }

    fn location(&self, request: &Request) -> Object {
        Plain.location(request)
    }

    fn params(&self, location: &Object) -> Object {
        Plain.params(location)
    }

    fn check(&self, call: &HookCall, answer: &Answer) -> Result<Verdict, HookError> {
        self.0.check(call.clone(), answer.clone())
    }

    fn settings(&self) -> Arc<Object> {
        Plain.settings()
    }
}

type Answering<'a> = std::pin::Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + 'a>>;

/// Answers every download with a page that says how many there were.
#[derive(Default)]
pub(crate) struct Counting(pub(crate) AtomicU32);

impl Downloader for Counting {
    fn download(&self, params: Object) -> Answering<'_> {
        let count = self.0.fetch_add(1, Relaxed) + 1;
        Box::pin(async move {
            let answer = json!({"url": params.get("url"), "statusCode": 200, "browserHtml": format!("<p class=ok>{count}</p>")});
            Ok(Answer::parse(answer.to_string(), None).unwrap())
        })
    }
}

/// Answers no download.
pub(crate) struct Broken;

impl Downloader for Broken {
    fn download(&self, _params: Object) -> Answering<'_> {
        Box::pin(async { Err(CallError::Network(NetworkError::Broken("unplugged".to_owned()))) })
    }
}
