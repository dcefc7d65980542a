//! Whether a site's plugin is asked: not while it is left alone after too many faults.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carousel_core::hooks::{Hook, HookError};
use carousel_core::quarantine::{Quarantine, QuarantineOptions, Turn};
use carousel_core::settings::{OnFault, PluginSettings};
use carousel_core::time::Instant;

/// How faults of plugins are met, and since when time is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GateOptions {
    quarantine: QuarantineOptions,
    on_fault: OnFault,
    started: tokio::time::Instant,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The plugin, where it overrides the hook.
    Plugin,
    /// The default behaviours.
    Defaults,
}

/// The gate in front of one site's plugin.
#[derive(Debug)]
pub(crate) struct Gate {
    options: GateOptions,
    state: Mutex<State>,
    /// No trap since the last good end of every hook: nothing to look up.
    is_calm: AtomicBool,
}

#[derive(Debug)]
struct State {
    quarantine: Quarantine,
    last_fault: String,
}

impl GateOptions {
    pub(crate) fn new(settings: &PluginSettings) -> Self {
        let quarantine = QuarantineOptions {
            limit: settings.fault_limit,
            pause: settings.fault_pause.duration(),
            max_pause: settings.max_fault_pause.duration(),
        };
        Self { quarantine, on_fault: settings.on_fault, started: tokio::time::Instant::now() }
    }

    fn now(&self) -> Instant {
        Instant::after_start(self.started.elapsed())
    }
}

impl Gate {
    pub(crate) fn new(options: GateOptions) -> Self {
        let state = State { quarantine: Quarantine::new(options.quarantine), last_fault: String::new() };
        Self { options, state: Mutex::new(state), is_calm: AtomicBool::new(true) }
    }

    /// Whether requests must come by here before anything else, because some are turned away.
    pub(crate) fn turns_away(&self) -> bool {
        !self.is_calm.load(Relaxed) && self.options.on_fault == OnFault::Closed && !self.state().quarantine.is_at_work()
    }

    /// Whether the default behaviours serve, because the plugin is left alone.
    pub(crate) fn is_left_to_defaults(&self) -> bool {
        let is_paused = || self.state().quarantine.paused_until(self.options.now()).is_some();
        !self.is_calm.load(Relaxed) && self.options.on_fault == OnFault::DefaultConfig && is_paused()
    }

    /// Lets a new request in.
    pub(crate) fn request(&self) -> Result<Who, HookError> {
        if self.is_calm.load(Relaxed) {
            return Ok(Who::Plugin);
        }
        let mut state = self.state();
        match state.quarantine.handle_request(self.options.now()) {
            Ok(()) => Ok(Who::Plugin),
            Err(wait) => self.refuse(&state, wait),
        }
    }

    /// Lets a hook of a request be asked that is in already.
    pub(crate) fn hook(&self) -> Result<Who, HookError> {
        if self.is_calm.load(Relaxed) {
            return Ok(Who::Plugin);
        }
        let (state, now) = (self.state(), self.options.now());
        match state.quarantine.paused_until(now) {
            None => Ok(Who::Plugin),
            Some(until) => self.refuse(&state, until.since(now)),
        }
    }

    fn refuse(&self, state: &State, wait: Duration) -> Result<Who, HookError> {
        match self.options.on_fault {
            OnFault::DefaultConfig => Ok(Who::Defaults),
            OnFault::Closed => {
                let (wait, why) = (wait.as_secs_f64().ceil(), &state.last_fault);
                Err(HookError::Trapped(format!("its plugin is left alone for {wait} s after too many faults, the last: {why}")))
            }
        }
    }

    /// A hook ended by itself. What is no more `at_work` says nothing of what is.
    pub(crate) fn ended(&self, site: &str, hook: Hook, at_work: impl FnOnce() -> bool) {
        if self.is_calm.load(Relaxed) {
            return;
        }
        let mut state = self.state();
        if !at_work() {
            return;
        }
        if state.quarantine.handle_ended(hook, self.options.now()) == Turn::Recovered {
            tracing::info!(site, hook = hook.name(), "the plugin works again");
        }
        self.is_calm.store(state.quarantine.is_calm(), Relaxed);
    }

    /// A hook was stopped. What is no more `at_work` says nothing of what is.
    pub(crate) fn trapped(&self, site: &str, hook: Hook, why: &str, at_work: impl FnOnce() -> bool) {
        let mut state = self.state();
        if !at_work() {
            return;
        }
        let turn = state.quarantine.handle_trap(hook, self.options.now());
        self.is_calm.store(false, Relaxed);
        why.clone_into(&mut state.last_fault);
        if let Turn::Pause(pause) = turn {
            let seconds = pause.as_secs_f64();
            let instead = match self.options.on_fault {
                OnFault::Closed => "requests of the site fail",
                OnFault::DefaultConfig => "the default config serves the site",
            };
            tracing::warn!(site, hook = hook.name(), "the plugin had too many faults in a row: for {seconds} s {instead}");
        }
    }

    /// Puts another version of the plugin to work and forgets what the old one did, as one: what ends meanwhile counts for the version
    /// that it belongs to.
    pub(crate) fn replace<R>(&self, swap: impl FnOnce() -> R) -> R {
        let mut state = self.state();
        let old = swap();
        state.quarantine.handle_new_version();
        self.is_calm.store(true, Relaxed);
        old
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
