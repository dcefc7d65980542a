//! Steps that are under way, or wait for their turn, while another version of their plugin comes.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use carousel_core::exchange::{Answer, CallError, Object};
use carousel_core::hooks::HookError;
use carousel_core::settings::{OnFault, PluginSettings, Seconds};
use carousel_engine::{Downloader, Site, Sites};
use carousel_sandbox::{Loaded, PluginSite};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::guests;
use crate::stage::{Counting, Directory, call, load, table};

const URL: &str = "https://a.example/";

/// Answers as often as it is allowed to.
struct Held(Semaphore);

impl Held {
    fn new() -> Arc<Self> {
        Arc::new(Self(Semaphore::new(0)))
    }
}

impl Downloader for Held {
    fn download(&self, params: Object) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + '_>> {
        Box::pin(async move {
            self.0.acquire().await.unwrap().forget();
            Counting::default().download(params).await
        })
    }
}

/// A site whose sessions are initialised by one download, and whose plugin is paused after one fault.
fn loaded(directory: &Directory, concurrency: u32) -> (Loaded, Arc<PluginSite>) {
    let settings = PluginSettings {
        fault_limit: 1,
        fault_pause: Seconds::new(10),
        on_fault: OnFault::Closed,
        init_timeout: Seconds::new(900),
        concurrency,
        ..directory.settings()
    };
    let step = json!({"url": URL, "params": {"browserHtml": true}});
    let script = json!({"hooks": {"init_session": {"chain": [step], "return": true}}});
    let loaded = load(&settings, &[table("site", "scripted", script)]);
    let site = loaded.sites.named("site").unwrap();
    (loaded, site)
}

/// Puts another plugin, or another version of the same, in the place of the one at work.
fn swap(directory: &Directory, loaded: &mut Loaded, guest: &str) {
    let plugin = std::fs::read(guests::component(guest)).unwrap();
    directory.write("scripted.wasm", [plugin.as_slice(), &[0, 2, 1, 1]].concat());
    assert!(loaded.reloader.refresh().is_changed);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_old_version_is_not_held_against_the_new_one() {
    let directory = Directory::with(&["scripted"]);
    let (mut loaded, site) = loaded(&directory, 8);
    let mut old = pin!(site.init_session(call(URL), Held::new()));
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut old).await.is_err());
    swap(&directory, &mut loaded, "scripted");
    assert!(matches!(old.await, Err(HookError::Trapped(_))));
    assert!(site.plan(call(URL)).is_ok(), "the new version has done nothing");
    assert!(matches!(site.init_session(call(URL), Held::new()).await, Err(HookError::Trapped(_))));
    assert!(site.plan(call(URL)).is_err(), "its own fault counts");
}

#[tokio::test(start_paused = true)]
async fn a_good_end_of_the_old_version_does_not_free_the_new_one() {
    let directory = Directory::with(&["scripted"]);
    let (mut loaded, site) = loaded(&directory, 8);
    let held = Held::new();
    let mut old = pin!(site.init_session(call(URL), held.clone()));
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut old).await.is_err());
    swap(&directory, &mut loaded, "misbehaving");
    let fault = site.init_session(call("https://misbehaving.example/init-session/panic"), Held::new()).await;
    assert!(matches!(fault, Err(HookError::Trapped(_))), "{fault:?}");
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(site.plan(call(URL)).is_ok() && site.plan(call(URL)).is_err(), "it is on trial");
    held.0.add_permits(1);
    assert_eq!(old.await, Ok(Some(true)));
    assert!(site.plan(call(URL)).is_err(), "it still is");
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_waits_for_its_turn_is_asked_of_the_version_that_is_at_work_then() {
    let directory = Directory::with(&["scripted"]);
    let (mut loaded, site) = loaded(&directory, 1);
    let held = Held::new();
    let [first, second] = [0, 1].map(|_| {
        let (site, held) = (site.clone(), held.clone());
        tokio::spawn(async move { site.init_session(call(URL), held).await })
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    swap(&directory, &mut loaded, "good");
    held.0.add_permits(1);
    assert_eq!(first.await.unwrap(), Ok(Some(true)), "the old version ends what it has begun");
    assert_eq!(second.await.unwrap(), Ok(None), "the new one leaves initialisations to the host");
    assert!(site.plan(call(URL)).is_ok());
}
