//! Runs hooks where nobody waits for them: on threads of their own, of which one site has a share, and in place where they have
//! shown to be quick.

mod drive;
mod parked;
mod threads;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carousel_core::hook_queue::Tempo;
use carousel_core::hooks::HookError;
use tokio::sync::oneshot;

pub(crate) use parked::{InHook, InHooks};
use threads::Threads;

/// Hooks whose tempo is remembered. Beyond, the one that comes first by name is forgotten and counts as slow until it has shown
/// otherwise.
const TEMPOS: usize = 10_000;

/// Where hooks run.
#[derive(Clone, Copy, Debug, Default)]
pub enum HookPlaces {
    /// On threads of their own, and in place while they are quick.
    #[default]
    Threads,
    /// Where they are asked, so that a test is the same each time. They take no time.
    InPlace,
    /// The same, after the time that this function says for a site: the tokio clock tells it, so that a test may pause it.
    InPlaceAfter(fn(&str) -> Duration),
}

/// Hooks that are asked together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HookStep {
    /// `enabled`, `cookie-mode`, `location` and `pool`.
    Plan,
    ProcessRequest,
    Check,
    /// `params` and `init-session`, from one download to the next.
    Init,
}

/// A site's step, as the threads know it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) site: Arc<str>,
    pub(crate) step: HookStep,
}

/// A step that was begun.
pub(crate) enum Begun<R> {
    Done(Result<R, HookError>),
    /// On a thread of its own.
    Away(oneshot::Receiver<R>),
    /// To be run after this time.
    Later(Duration, Box<dyn FnOnce() -> R + Send>),
}

/// Runs the hooks of an engine.
pub(crate) struct Hooks {
    places: HookPlaces,
    threads: Threads,
    tempos: Arc<Tempos>,
}

#[derive(Default)]
struct Tempos(Mutex<BTreeMap<Asked, Tempo>>);

impl Hooks {
    pub(crate) fn new(places: HookPlaces) -> Self {
        Self { places, threads: Threads::new(), tempos: Arc::default() }
    }

    /// Begins a step: runs it here if it is quick. `is_large` says that it is not, whatever it was before.
    pub(crate) fn begin<R: Send + 'static>(
        &self,
        asked: &Asked,
        is_large: bool,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Begun<R> {
        match self.places {
            HookPlaces::InPlace => Begun::Done(Ok(work())),
            HookPlaces::InPlaceAfter(time) => match time(&asked.site) {
                Duration::ZERO => Begun::Done(Ok(work())),
                time => Begun::Later(time, Box::new(work)),
            },
            HookPlaces::Threads if !is_large && self.tempos.is_quick(asked) => Begun::Done(self.tempos.measure(asked, work)),
            HookPlaces::Threads => Begun::Away(self.send_away(asked, work)),
        }
    }

    fn send_away<R: Send + 'static>(&self, asked: &Asked, work: impl FnOnce() -> R + Send + 'static) -> oneshot::Receiver<R> {
        let (sender, result) = oneshot::channel();
        let (tempos, named, span) = (Arc::clone(&self.tempos), asked.clone(), tracing::Span::current());
        let job = move || {
            // Nobody wants it any more.
            if sender.is_closed() {
                return;
            }
            if let Ok(result) = span.in_scope(|| tempos.measure(&named, work)) {
                let _ = sender.send(result);
            }
        };
        self.threads.add(&asked.site, Box::new(job));
        result
    }
}

impl<R> Begun<R> {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// Waits for its result. Dropping the future abandons a step that has not begun to run; one that runs ends unheard.
    pub(crate) async fn finish(self) -> Result<R, HookError> {
        match self {
            Self::Done(result) => result,
            Self::Away(result) => result.await.map_err(|_| panicked()),
            Self::Later(time, work) => {
                tokio::time::sleep(time).await;
                Ok(work())
            }
        }
    }
}

impl Tempos {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Asked, Tempo>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_quick(&self, asked: &Asked) -> bool {
        self.all().get(asked).is_some_and(Tempo::is_quick)
    }

    /// Runs a step and remembers how long it took. One that panics is an error of the plugin's host, and no more.
    fn measure<R>(&self, asked: &Asked, work: impl FnOnce() -> R) -> Result<R, HookError> {
        let began = std::time::Instant::now();
        let result = catch_unwind(AssertUnwindSafe(work));
        self.ran(asked, began.elapsed());
        result.map_err(|_| panicked())
    }

    fn ran(&self, asked: &Asked, took: Duration) {
        let mut all = self.all();
        if let Some(tempo) = all.get_mut(asked) {
            return tempo.handle_ran(took);
        }
        if all.len() >= TEMPOS {
            all.pop_first();
        }
        let mut tempo = Tempo::default();
        tempo.handle_ran(took);
        all.insert(asked.clone(), tempo);
    }
}

fn panicked() -> HookError {
    HookError::Trapped("the program that runs the plugin panicked".to_owned())
}

#[cfg(test)]
mod tests;
