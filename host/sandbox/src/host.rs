//! What all sites share: the runtime, what a call may use, and the places for calls.

use std::num::NonZero;
use std::sync::OnceLock;
use std::time::Duration;

use carousel_core::settings::PluginSettings;
use tokio::sync::Semaphore;
use wasmtime::Engine;

use crate::call::Allowance;
use crate::gate::GateOptions;
use crate::kept::Kept;
use crate::places::Places;
use crate::runtime::{Room, Runtime, Tier};

/// Shared by all sites of a process.
pub(crate) struct Host {
    /// For optimised code.
    pub(crate) runtime: Runtime,
    /// For baseline code; made when the first plugin needs it, and none where there is no baseline compiler.
    baseline: OnceLock<Option<Runtime>>,
    room: Room,
    pub(crate) allowance: Allowance,
    /// Hosts that the plugins of all sites may send calls to, as the settings name them.
    pub(crate) download_hosts: Vec<String>,
    pub(crate) gate: GateOptions,
    pub(crate) init_timeout: Duration,
    /// Instances that wait for another step.
    pub(crate) kept: Kept,
    /// For hooks that hold their thread.
    pub(crate) places: Places,
    /// For hooks that download, which may stay for minutes.
    pub(crate) waiting_places: Semaphore,
    /// How many of these one site may hold.
    pub(crate) waiting_places_of_a_site: usize,
}

impl Host {
    pub(crate) fn new(settings: &PluginSettings) -> wasmtime::Result<Self> {
        let concurrency = settings.concurrency.max(1);
        // Calls that hold their thread cannot be more than the threads that compute, but these are not ours to count; twice the
        // processors keep all of them busy.
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let outer = concurrency.max(u32::try_from(threads).unwrap_or(u32::MAX).saturating_mul(2));
        let inner = outer.div_ceil(4);
        let room = Room {
            instances: concurrency.saturating_add(outer).saturating_add(inner).saturating_add(settings.kept_instances),
            stacks: concurrency,
            memory: settings.memory,
        };
        Ok(Self {
            runtime: Runtime::new(room, Tier::Optimised)?,
            baseline: OnceLock::new(),
            room,
            allowance: Allowance {
                deadline: settings.deadline.duration(),
                memory: settings.memory,
                max_log_lines: settings.max_log_lines,
                max_downloads: settings.max_downloads,
                max_download_bytes: settings.max_download_bytes,
                max_result: settings.max_result,
            },
            download_hosts: settings.download_hosts.clone().unwrap_or_default(),
            gate: GateOptions::new(settings),
            init_timeout: settings.init_timeout.duration(),
            kept: Kept::new(settings.kept_instances, settings.kept_uses),
            places: Places::new(outer, inner),
            waiting_places: Semaphore::new(usize::try_from(concurrency).unwrap_or(1)),
            waiting_places_of_a_site: usize::try_from(concurrency - concurrency.div_ceil(8)).unwrap_or(1).max(1),
        })
    }

    /// The runtime of this engine.
    pub(crate) fn runtime_of(&self, engine: &Engine) -> &Runtime {
        let baseline = self.baseline.get().and_then(Option::as_ref);
        baseline.filter(|runtime| Engine::same(&runtime.engine, engine)).unwrap_or(&self.runtime)
    }

    /// Where baseline code runs; none on machines that the baseline compiler does not know.
    pub(crate) fn baseline(&self) -> Option<&Runtime> {
        let make = || match Runtime::new(self.room, Tier::Baseline) {
            Ok(runtime) => Some(runtime),
            Err(error) => {
                tracing::debug!("new plugins wait for optimised code: {error:#}");
                None
            }
        };
        self.baseline.get_or_init(make).as_ref()
    }
}
