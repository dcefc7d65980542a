//! The threads for hooks: made when they are needed, gone with their engine, and last in line for the processors.

use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use carousel_core::hook_queue::HookQueue;

/// Runs one step, whatever becomes of it.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// How much less than others they want the processors: where all are taken, a thread for hooks has about a tenth of what another has.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Threads for hooks; twice the processors, so that one site, which has half of them, can keep all processors busy that nobody else
/// wants, and leaves threads to the others.
pub(super) struct Threads(Arc<Inner>);

struct Inner {
    most: usize,
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    queue: HookQueue<Job>,
    threads: usize,
    idle: usize,
    has_ended: bool,
}

impl Threads {
    pub(super) fn new() -> Self {
        let share = thread::available_parallelism().map_or(1, NonZero::get);
        let state = State { queue: HookQueue::new(share), threads: 0, idle: 0, has_ended: false };
        Self(Arc::new(Inner { most: share * 2, state: Mutex::new(state), wake: Condvar::new() }))
    }

    /// Runs a job as soon as it is the site's turn.
    pub(super) fn add(&self, site: &Arc<str>, job: Job) {
        let wants_thread = {
            let mut state = self.0.state();
            state.queue.add(site, job);
            let wants_thread = state.idle == 0 && state.threads < self.0.most;
            state.threads += usize::from(wants_thread);
            wants_thread
        };
        self.0.wake.notify_one();
        if wants_thread {
            self.start();
        }
    }

    fn start(&self) {
        let inner = Arc::clone(&self.0);
        let work = move || {
            step_back();
            inner.work();
        };
        let Err(error) = thread::Builder::new().name("carousel-hook".to_owned()).spawn(work) else { return };
        let is_last = {
            let mut state = self.0.state();
            state.threads -= 1;
            state.threads == 0
        };
        tracing::warn!("no thread for a hook can be made: {error}");
        if is_last {
            self.0.run_next();
        }
    }
}

impl Drop for Threads {
    /// The threads end by themselves, after the step that they run.
    fn drop(&mut self) {
        self.0.state().has_ended = true;
        self.0.wake.notify_all();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some((site, job)) = self.wait() {
            job();
            self.done(&site);
        }
    }

    fn run_next(&self) {
        let next = self.state().queue.take_next();
        if let Some((site, job)) = next {
            job();
            self.done(&site);
        }
    }

    /// The next job; none when the engine is gone.
    fn wait(&self) -> Option<(Arc<str>, Job)> {
        let mut state = self.state();
        loop {
            if state.has_ended {
                return None;
            }
            if let Some(next) = state.queue.take_next() {
                return Some(next);
            }
            state.idle += 1;
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn done(&self, site: &Arc<str>) {
        self.state().queue.handle_done(site);
        // The site may have a thread for its next one, besides this thread's.
        self.wake.notify_one();
    }
}

/// Lets other threads go first. What cannot be had is no loss.
fn step_back() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}
