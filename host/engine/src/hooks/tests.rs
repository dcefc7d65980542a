//! Hooks on real threads, which wait for each other and for no time.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::sync::Notify;

use super::*;

fn asked(site: &str, step: HookStep) -> Asked {
    Asked { site: site.into(), step }
}

fn on_threads() -> Hooks {
    Hooks::new(HookPlaces::Threads)
}

fn thread_name() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

/// Begins more steps of this site than there are threads, none of which ends before it is told to.
fn crowd(hooks: &Hooks, step: HookStep) -> (Vec<Begun<()>>, Vec<Sender<()>>, Receiver<()>) {
    let (started, starts) = channel();
    let (begun, ends) = (0..200)
        .map(|_| {
            let (end, ended) = channel::<()>();
            let started = started.clone();
            let work = move || {
                started.send(()).unwrap();
                let _ = ended.recv();
            };
            (hooks.begin(&asked("slow", step), false, work), end)
        })
        .unzip();
    (begun, ends, starts)
}

#[tokio::test]
async fn whatever_is_slow_at_one_site_the_others_find_a_thread() {
    for step in [HookStep::Plan, HookStep::ProcessRequest, HookStep::Check] {
        let hooks = on_threads();
        let (begun, ends, starts) = crowd(&hooks, step);
        starts.recv().unwrap();
        for other in ["a", "b"] {
            let name = hooks.begin(&asked(other, step), false, thread_name).finish().await;
            assert_eq!(name.unwrap(), "carousel-hook");
        }
        let chain = hooks.drive(asked("c", HookStep::Init), || (), async { thread_name() }).await;
        assert_eq!(chain.unwrap(), "carousel-hook");
        drop(ends);
        for begun in begun {
            begun.finish().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_step_that_nobody_waits_for_any_more_is_not_begun() {
    let hooks = on_threads();
    let (mut begun, ends, _) = crowd(&hooks, HookStep::Check);
    let ran = Arc::new(AtomicUsize::new(0));
    let count = |ran: &Arc<AtomicUsize>| {
        let ran = Arc::clone(ran);
        move || ran.fetch_add(1, SeqCst)
    };
    drop(hooks.begin(&asked("slow", HookStep::Check), false, count(&ran)));
    let last = hooks.begin(&asked("slow", HookStep::Check), false, count(&ran));
    begun.clear();
    drop(ends);
    assert_eq!(last.finish().await.unwrap(), 0);
}

#[tokio::test]
async fn a_step_that_panics_is_an_error_and_the_threads_go_on() {
    let hooks = on_threads();
    for _ in 0..200 {
        let error = hooks.begin(&asked("a", HookStep::Check), false, || panic!("on purpose")).finish().await;
        assert!(matches!(error, Err::<(), _>(HookError::Trapped(_))), "{error:?}");
        let error = hooks.drive(asked("a", HookStep::Init), || (), async { panic!("on purpose") }).await;
        assert!(matches!(error, Err::<(), _>(HookError::Trapped(_))), "{error:?}");
    }
    assert_eq!(hooks.begin(&asked("a", HookStep::Check), false, || 1).finish().await, Ok(1));
}

#[tokio::test]
async fn a_quick_hook_needs_no_thread_and_a_large_page_always_does() {
    let (hooks, check) = (on_threads(), asked("a", HookStep::Check));
    let mut names = Vec::new();
    while names.len() < 100_000 && names.last() != Some(&thread_name()) {
        names.push(hooks.begin(&check, false, thread_name).finish().await.unwrap());
    }
    assert_eq!(names.last(), Some(&thread_name()));
    assert_eq!(names[0], "carousel-hook", "nothing was known of it");
    assert_eq!(hooks.begin(&check, true, thread_name).finish().await.unwrap(), "carousel-hook");
    let other = asked("a", HookStep::Plan);
    assert_eq!(hooks.begin(&other, false, thread_name).finish().await.unwrap(), "carousel-hook", "each step for itself");
}

#[tokio::test]
async fn a_hook_that_downloads_holds_no_thread_while_it_waits() {
    let hooks = Arc::new(on_threads());
    let (go, arrived) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let chains: Vec<_> = (0..100)
        .map(|_| {
            let (hooks, go, arrived) = (Arc::clone(&hooks), Arc::clone(&go), Arc::clone(&arrived));
            tokio::spawn(async move {
                let chain = async move {
                    let let_go = go.notified();
                    arrived.notify_one();
                    let before = thread_name();
                    let_go.await;
                    [before, thread_name()]
                };
                hooks.drive(asked("a", HookStep::Init), || (), chain).await
            })
        })
        .collect();
    let check = hooks.begin(&asked("a", HookStep::Check), false, || ());
    arrived.notified().await;
    check.finish().await.unwrap();
    while chains.iter().any(|chain| !chain.is_finished()) {
        go.notify_waiters();
        tokio::task::yield_now().await;
    }
    for chain in chains {
        assert_eq!(chain.await.unwrap().unwrap(), ["carousel-hook", "carousel-hook"]);
    }
}
