//! Whether a plugin is asked, at one site or at all of its sites: not while it is left alone after too many faults.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carousel_core::hooks::HookError;
use carousel_core::quarantine::{Quarantine, QuarantineOptions, Question, Turn};
use carousel_core::settings::{OnFault, PluginSettings};
use carousel_core::time::Instant;

/// How faults of plugins are met, and since when time is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GateOptions {
    quarantine: QuarantineOptions,
    on_fault: OnFault,
    raised_is_fault: bool,
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

/// The gate in front of a version of a plugin, at one site or at all of its sites. Another version has another gate.
#[derive(Debug)]
pub(crate) struct Gate {
    options: GateOptions,
    scope: Scope,
    state: Mutex<State>,
    /// No trap since the last good end of every hook: nothing to look up.
    is_calm: AtomicBool,
}

/// Where the faults happen that a gate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Site,
    AllSites,
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
            of_several_sites: false,
            pause: settings.fault_pause.duration(),
            max_pause: settings.max_fault_pause.duration(),
        };
        let raised_is_fault = settings.raised_is_fault.unwrap_or(true);
        Self { quarantine, on_fault: settings.on_fault, raised_is_fault, started: tokio::time::Instant::now() }
    }

    /// Do errors that a plugin raises count, and must it show that it works?
    pub(crate) fn raised_is_fault(&self) -> bool {
        self.raised_is_fault
    }

    fn now(&self) -> Instant {
        Instant::after_start(self.started.elapsed())
    }
}

impl Gate {
    pub(crate) fn new(options: GateOptions, scope: Scope) -> Self {
        let of_several_sites = scope == Scope::AllSites;
        let quarantine = Quarantine::new(QuarantineOptions { of_several_sites, ..options.quarantine });
        let state = State { quarantine, last_fault: String::new() };
        Self { options, scope, state: Mutex::new(state), is_calm: AtomicBool::new(true) }
    }

    /// Do errors that a plugin raises count?
    pub(crate) fn raised_is_fault(&self) -> bool {
        self.options.raised_is_fault
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

    /// A hook ended by itself.
    pub(crate) fn ended(&self, site: &str, at: Question) {
        if self.is_calm.load(Relaxed) {
            return;
        }
        let mut state = self.state();
        if state.quarantine.handle_ended(at, self.options.now()) == Turn::Recovered {
            tracing::info!(site, hook = at.hook.name(), "the plugin works again");
        }
        self.is_calm.store(state.quarantine.is_calm(), Relaxed);
    }

    /// A hook was stopped, or failed in a way that counts, at the site of this number.
    pub(crate) fn faulted(&self, site: &str, number: u64, at: Question, why: &str) {
        let mut state = self.state();
        let turn = state.quarantine.handle_fault(at, number, self.options.now());
        self.is_calm.store(false, Relaxed);
        why.clone_into(&mut state.last_fault);
        if let Turn::Pause(pause) = turn {
            let seconds = pause.as_secs_f64();
            let instead = match (self.options.on_fault, self.scope) {
                (OnFault::Closed, Scope::Site) => "requests of the site fail",
                (OnFault::Closed, Scope::AllSites) => "requests of all its sites fail",
                (OnFault::DefaultConfig, Scope::Site) => "the default config serves the site",
                (OnFault::DefaultConfig, Scope::AllSites) => "the default config serves all its sites",
            };
            tracing::warn!(
                site,
                hook = at.hook.name(),
                "the plugin had too many faults in a row, the last: {why}: for {seconds} s {instead}"
            );
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
