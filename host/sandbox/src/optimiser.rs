//! Makes optimised code for plugins that work on baseline code, one after the other, on one thread that lets others go first.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Weak};
use std::thread;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache::{Cache, Key};
use crate::code::Code;
use crate::host::Host;
use crate::plugin::Plugin;
use crate::workshop;

/// A plugin that could have better code.
pub(crate) struct Job {
    /// Its file is read again, which costs less than keeping the contents of a thousand.
    pub(crate) file: PathBuf,
    pub(crate) key: Key,
    /// Gone if the plugin was replaced meanwhile.
    pub(crate) plugin: Weak<Plugin>,
}

enum Message {
    Job(Job),
    /// Whoever waits until the jobs before this are done.
    Flag(Sender<()>),
}

/// The thread. When this is dropped, it ends after the plugin that it is at.
pub(crate) struct Optimiser {
    queue: Sender<Message>,
    is_over: Arc<AtomicBool>,
}

struct Worker {
    host: Arc<Host>,
    cache: Arc<Cache>,
    is_over: Arc<AtomicBool>,
}

impl Optimiser {
    /// Starts the thread. Without one, plugins stay on baseline code.
    pub(crate) fn start(host: &Arc<Host>, cache: &Arc<Cache>) -> Self {
        let (queue, jobs) = mpsc::channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let worker = Worker { host: host.clone(), cache: cache.clone(), is_over: is_over.clone() };
        let started = thread::Builder::new().name("plugin-compiler".to_owned()).spawn(move || worker.run(&jobs));
        if let Err(error) = started {
            tracing::warn!("plugins that are new run on code that is not optimised: {error}");
        }
        Self { queue, is_over }
    }

    pub(crate) fn push(&self, job: Job) {
        // Without the thread nobody listens.
        let _ = self.queue.send(Message::Job(job));
    }

    /// Waits until all jobs so far are done.
    pub(crate) fn finish(&self) {
        let (flag, done) = mpsc::channel();
        let _ = self.queue.send(Message::Flag(flag));
        // An error means that nobody will ever do them.
        let _ = done.recv();
    }
}

impl Drop for Optimiser {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
    }
}

impl Worker {
    fn run(&self, messages: &Receiver<Message>) {
        give_way();
        self.cache.sweep(&self.host.runtime.engine);
        let mut compiler = None;
        while let Ok(message) = messages.recv() {
            match message {
                _ if self.is_over.load(Relaxed) => return,
                Message::Job(job) => self.optimise(&job, compiler.get_or_insert_with(|| self.host.runtime.compiler())),
                Message::Flag(flag) => drop(flag),
            }
        }
    }

    fn optimise(&self, job: &Job, compiler: &Engine) {
        let Some(plugin) = job.plugin.upgrade() else { return };
        let Ok(wasm) = workshop::read(&job.file) else { return };
        if Key::of(&wasm) != job.key {
            // Another version is there, which gets a job of its own.
            return;
        }
        let improved = compiler.precompile_component(&wasm).and_then(|code| self.component(&job.key, &code, &plugin));
        let code = improved
            .map_err(|error| format!("{error:#}"))
            .and_then(|component| Code::link(&self.host.runtime, &component).map_err(|problem| problem.to_string()));
        match code {
            Ok(code) => {
                plugin.improve(code);
                tracing::debug!(plugin = &*plugin.file, "the plugin runs on optimised code");
            }
            Err(error) => tracing::warn!(plugin = &*plugin.file, "the plugin stays on code that is not optimised: {error}"),
        }
    }

    /// Keeps code and takes it from where it is kept, because a mapped file costs less memory than a copy.
    fn component(&self, key: &Key, code: &[u8], plugin: &Plugin) -> wasmtime::Result<Component> {
        let engine = &self.host.runtime.engine;
        if self.cache.keep(engine, key, code, &plugin.description)
            && let Some(kept) = self.cache.find(engine, key)
        {
            return Ok(kept.component);
        }
        load(engine, code)
    }
}

/// Takes code that was made for an engine like this one a moment ago.
#[expect(unsafe_code, reason = "wasmtime cannot verify native code; see the comment on safety")]
pub(crate) fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: wasmtime made this code a moment ago, and nobody else has had it in hand.
    unsafe { Component::deserialize(engine, code) }
}

/// Tells the system that this thread may wait while others work.
#[cfg(target_os = "linux")]
fn give_way() {
    /// As low as `nice` goes.
    const LOWEST: i32 = 19;
    // On Linux a priority belongs to a thread; this link names the one that reads it.
    let thread = std::fs::read_link("/proc/thread-self").ok();
    let id = thread.and_then(|path| path.file_name()?.to_str()?.parse().ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(id) = id {
        // Without it the thread is one like all others.
        let _ = rustix::process::setpriority_process(Some(id), LOWEST);
    }
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}
