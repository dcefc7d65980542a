//! Hooks that download: the guest blocks, the thread does not.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use carousel_core::exchange::{Answer, CallError, Hold, NetworkError, Object};
use carousel_core::hooks::HookError;
use carousel_core::settings::{PluginSettings, Seconds};
use carousel_engine::{Downloader, Site, Sites};
use serde_json::json;
use tokio::sync::Barrier;

use crate::stage::{Broken, Counting, Directory, call, load, object, page, site, site_with, table};

/// An initialisation of two downloads, of which the second must say "2".
fn chain() -> serde_json::Value {
    let step = |url: &str| json!({"url": url, "params": {"browserHtml": true}});
    json!({"hooks": {"init_session": {
        "chain": [step("https://a.example/1"), step("https://a.example/2")],
        "store": {"page": {"$response": "browserHtml"}},
        "return": true,
    }}})
}

#[tokio::test]
async fn a_session_is_initialised_by_a_chain_of_downloads_and_keeps_what_was_found() {
    let site = site("scripted", chain());
    let downloader = Arc::new(Counting::default());
    let call = call("https://a.example/");
    assert_eq!(site.init_session(call.clone(), downloader.clone()).await, Ok(Some(true)));
    assert_eq!(downloader.0.load(Relaxed), 2);
    assert_eq!(call.session.unwrap().get("page"), Some(json!("<p class=ok>2</p>")));
}

#[tokio::test]
async fn a_plugin_without_a_script_defers_and_params_come_from_the_defaults() {
    let site = site("scripted", json!({}));
    let downloader = Arc::new(Counting::default());
    assert_eq!(site.init_session(call("https://a.example/"), downloader.clone()).await, Ok(None));
    let params = site.params(call("https://a.example/"), downloader).await;
    assert_eq!(params, Ok(object(json!({"default": 0}))));
}

#[tokio::test]
async fn params_may_download() {
    let step = json!({"url": "https://a.example/token", "params": {"browserHtml": true}});
    let site =
        site("scripted", json!({"hooks": {"params": {"chain": [step], "return": {"page": {"$response": "browserHtml"}}}}}));
    let params = site.params(call("https://a.example/"), Arc::new(Counting::default())).await;
    assert_eq!(params, Ok(object(json!({"page": "<p class=ok>1</p>"}))));
}

#[tokio::test]
async fn a_failed_download_that_is_passed_on_is_the_same_failure() {
    let site = site("scripted", chain());
    let result = site.init_session(call("https://a.example/"), Arc::new(Broken)).await;
    let unplugged = CallError::Network(NetworkError::Broken("unplugged".into()));
    assert_eq!(result, Err(HookError::Download(unplugged)));
}

#[test]
fn a_download_is_refused_in_a_hook_that_holds_its_thread() {
    let step = json!({"url": "https://a.example/", "params": {"browserHtml": true}});
    let site = site("scripted", json!({"hooks": {"check": {"chain": [step], "return": true}}}));
    let result = site.check(call("https://a.example/"), page(""));
    let Err(HookError::Raised(message)) = result else { panic!("{result:?}") };
    assert!(message.contains("only params and init-session may download"), "{message}");
}

/// Answers when as many downloads as the barrier wants are under way at the same time.
struct Together(Barrier);

impl Downloader for Together {
    fn download(&self, params: Object) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + '_>> {
        Box::pin(async move {
            self.0.wait().await;
            Counting::default().download(params).await
        })
    }
}

#[tokio::test(flavor = "current_thread")]
async fn two_initialisations_wait_for_downloads_at_the_same_time_on_one_thread() {
    let site = site("scripted", chain());
    let downloader: Arc<dyn Downloader> = Arc::new(Together(Barrier::new(2)));
    let one = site.init_session(call("https://a.example/"), downloader.clone());
    let two = site.init_session(call("https://a.example/"), downloader);
    assert_eq!(tokio::join!(one, two), (Ok(Some(true)), Ok(Some(true))));
}

#[tokio::test]
async fn downloads_are_counted_and_the_ones_too_many_are_refused() {
    let settings = PluginSettings { max_downloads: 3, ..Directory::new().settings() };
    let site = site_with("misbehaving", json!({}), settings);
    let downloader = Arc::new(Counting::default());
    let result = site.init_session(call("https://misbehaving.example/init-session/downloads"), downloader.clone()).await;
    let Err(HookError::Trapped(message)) = result else { panic!("{result:?}") };
    assert!(message.contains("took longer than 0.1 s"), "{message}");
    assert_eq!(downloader.0.load(Relaxed), 3);
}

#[tokio::test]
async fn the_bytes_of_downloads_are_bounded() {
    let settings = PluginSettings { max_download_bytes: 100, ..Directory::new().settings() };
    let site = site_with("scripted", chain(), settings);
    let downloader = Arc::new(Counting::default());
    let result = site.init_session(call("https://a.example/"), downloader.clone()).await;
    let Err(HookError::Raised(message)) = result else { panic!("{result:?}") };
    assert!(message.contains("more bytes than [plugins] max_download_bytes allows"), "{message}");
    assert_eq!(downloader.0.load(Relaxed), 2);
}

#[tokio::test]
async fn a_download_from_another_host_is_refused_unless_the_settings_name_it() {
    for (hosts, allowed) in [(None, false), (Some(vec!["a.example".to_owned()]), true), (Some(vec!["*".to_owned()]), true)] {
        let settings = PluginSettings { download_hosts: hosts.clone(), ..Directory::new().settings() };
        let site = site_with("scripted", chain(), settings);
        let downloader = Arc::new(Counting::default());
        let result = site.init_session(call("https://elsewhere.example/"), downloader.clone()).await;
        assert_eq!(result.is_ok(), allowed, "{hosts:?}: {result:?}");
        assert_eq!(downloader.0.load(Relaxed), if allowed { 2 } else { 0 });
        if let Err(error) = result {
            let message = error.to_string();
            assert!(message.contains("\"a.example\"") && message.contains("download_hosts"), "{message}");
        }
    }
}

/// Counts the answers that are kept, and those that are gone.
#[derive(Default)]
struct Lent {
    kept: AtomicUsize,
    gone: AtomicUsize,
}

struct Held(Arc<Lent>);

impl Hold for Held {
    fn keep(&self) {
        self.0.kept.fetch_add(1, Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.gone.fetch_add(1, Relaxed);
    }
}

struct Lending(Arc<Lent>);

impl Downloader for Lending {
    fn download(&self, _params: Object) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + '_>> {
        let text = json!({"url": "https://a.example/", "browserHtml": "<p>2</p>"}).to_string();
        Box::pin(async move { Ok(Answer::parse_held(text, None, Held(Arc::clone(&self.0))).unwrap()) })
    }
}

#[tokio::test]
async fn an_answer_that_a_guest_has_is_kept_until_the_hook_is_over() {
    let site = site("scripted", chain());
    let lent = Arc::new(Lent::default());
    let result = site.init_session(call("https://a.example/"), Arc::new(Lending(Arc::clone(&lent)))).await;
    assert_eq!(result, Ok(Some(true)));
    assert_eq!((lent.kept.load(Relaxed), lent.gone.load(Relaxed)), (2, 2));
}

/// Never answers.
struct Silent;

impl Downloader for Silent {
    fn download(&self, _params: Object) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_that_waits_for_ever_ends_at_its_timeout_and_gives_its_place_back() {
    let settings = PluginSettings { init_timeout: Seconds::new(900), concurrency: 1, ..Directory::new().settings() };
    let site = site_with("scripted", chain(), settings);
    let result = site.init_session(call("https://a.example/"), Arc::new(Silent)).await;
    let Err(HookError::Trapped(message)) = result else { panic!("{result:?}") };
    assert!(message.contains("took longer than 900 s with its downloads"), "{message}");
    let result = site.init_session(call("https://a.example/"), Arc::new(Counting::default())).await;
    assert_eq!(result, Ok(Some(true)));
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_sleeps_in_an_initialisation_sleeps_without_a_thread() {
    let site = site("scripted", json!({"hooks": {"init_session": {"sleep": 600, "return": true}}}));
    let result = site.init_session(call("https://a.example/"), Arc::new(Counting::default())).await;
    assert_eq!(result, Ok(Some(true)));
}

#[tokio::test(start_paused = true)]
async fn a_site_whose_initialisations_hang_leaves_places_to_the_others() {
    let directory = Directory::with(&["scripted"]);
    let settings = PluginSettings { concurrency: 4, ..directory.settings() };
    let loaded = load(&settings, &[table("hangs", "scripted", chain()), table("works", "scripted", chain())]);
    let hangs = loaded.sites.named("hangs").unwrap();
    let works = loaded.sites.named("works").unwrap();
    let hanging: Vec<_> = (0..8)
        .map(|_| {
            let hangs = hangs.clone();
            tokio::spawn(async move { hangs.init_session(call("https://a.example/"), Arc::new(Silent)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let began = tokio::time::Instant::now();
    let result = works.init_session(call("https://a.example/"), Arc::new(Counting::default())).await;
    assert_eq!((result, began.elapsed().as_secs()), (Ok(Some(true)), 0));
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}
