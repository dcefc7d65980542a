//! What each site's plugin did: calls, faults, time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use carousel_core::hooks::Hook;

/// Counts the calls of one site; what is only read shall not share a line of the processor's cache with it.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counters {
    hooks: [HookCounters; Hook::ALL.len()],
    instances: AtomicU64,
}

#[derive(Debug, Default)]
struct HookCounters {
    calls: AtomicU64,
    failures: AtomicU64,
    traps: AtomicU64,
    nanoseconds: AtomicU64,
}

/// How a call of a hook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a result, or with the wish for the default behaviour.
    Well,
    /// With a failure that the plugin reported.
    Failed,
    /// The plugin was stopped.
    Trapped,
}

/// What one hook of a site did so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookReport {
    /// The hook.
    pub hook: Hook,
    /// Calls of the plugin, however they ended. Default behaviours are not counted.
    pub calls: u64,
    /// Calls that ended with a failure which the plugin reported.
    pub failures: u64,
    /// Calls that were stopped: a trap, the deadline, a limit.
    pub traps: u64,
    /// The time in these calls, waits for downloads included.
    pub time: Duration,
}

/// What one site's plugin did so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteReport {
    /// The site's name.
    pub site: String,
    /// The plugin's file name without `.wasm`.
    pub plugin: String,
    /// The plugin's version, as it says itself.
    pub version: String,
    /// Instances that were made; one for each step of a request that asked a hook.
    pub instances: u64,
    /// The hooks that were called, in the order of a request's road.
    pub hooks: Vec<HookReport>,
}

impl SiteReport {
    /// Calls of all hooks.
    pub fn calls(&self) -> u64 {
        self.hooks.iter().map(|hook| hook.calls).sum()
    }

    /// Traps of all hooks.
    pub fn traps(&self) -> u64 {
        self.hooks.iter().map(|hook| hook.traps).sum()
    }
}

impl Counters {
    pub(crate) fn instance(&self) {
        self.instances.fetch_add(1, Relaxed);
    }

    pub(crate) fn instances(&self) -> u64 {
        self.instances.load(Relaxed)
    }

    pub(crate) fn called(&self, hook: Hook, ended: Ended, time: Duration) {
        let Some(position) = Hook::ALL.iter().position(|known| *known == hook) else { return };
        let Some(counters) = self.hooks.get(position) else { return };
        counters.calls.fetch_add(1, Relaxed);
        match ended {
            Ended::Well => {}
            Ended::Failed => drop(counters.failures.fetch_add(1, Relaxed)),
            Ended::Trapped => drop(counters.traps.fetch_add(1, Relaxed)),
        }
        counters.nanoseconds.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(crate) fn report(&self) -> Vec<HookReport> {
        let report = |(hook, counters): (Hook, &HookCounters)| HookReport {
            hook,
            calls: counters.calls.load(Relaxed),
            failures: counters.failures.load(Relaxed),
            traps: counters.traps.load(Relaxed),
            time: Duration::from_nanos(counters.nanoseconds.load(Relaxed)),
        };
        Hook::ALL.into_iter().zip(&self.hooks).map(report).filter(|report| report.calls > 0).collect()
    }
}
