//! Makes plugins of files: from code that was kept, else from code that is made quickly now, with better code to follow.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache::{Cache, Key};
use crate::code::Code;
use crate::errors::Problem;
use crate::host::Host;
use crate::inspect;
use crate::optimiser::{self, Job, Optimiser};
use crate::plugin::{Plugin, describe};
use crate::runtime::Runtime;
use crate::stamp;

/// Larger files are refused; a component with a whole language in it has some 20 MB.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Larger plugins are compiled on all processors together. Smaller ones come in numbers, and to share each of them out costs more
/// than it gains.
const LARGE_BYTES: usize = 1 << 20;

/// The compilers, the cache, and what all plugins share.
pub(crate) struct Workshop {
    pub(crate) host: Arc<Host>,
    cache: Arc<Cache>,
    optimiser: Optimiser,
    /// Makes baseline code on the thread that asks for it.
    quick: OnceLock<Engine>,
    /// Plugins that could have better code, until all that were found with them can work.
    improvable: Mutex<Vec<Job>>,
}

impl Workshop {
    pub(crate) fn new(host: Arc<Host>, cache: Cache) -> Self {
        let cache = Arc::new(cache);
        Self { optimiser: Optimiser::start(&host, &cache), host, cache, quick: OnceLock::new(), improvable: Mutex::default() }
    }

    /// Begins to improve the plugins that were made since the last time.
    pub(crate) fn optimise(&self) {
        for job in std::mem::take(&mut *self.improvable()) {
            self.optimiser.push(job);
        }
    }

    /// Waits until all plugins have the best code.
    pub(crate) fn finish_optimising(&self) {
        self.optimiser.finish();
    }

    /// Makes the plugin of a file's content.
    pub(crate) fn plugin(&self, file: &Path, wasm: &[u8], key: &Key) -> Result<Arc<Plugin>, Problem> {
        inspect::check_bytes(wasm)?;
        match self.known(file, key) {
            Some(plugin) => Ok(plugin),
            None => self.new_plugin(file, wasm, key),
        }
    }

    /// A plugin that was compiled before.
    fn known(&self, file: &Path, key: &Key) -> Option<Arc<Plugin>> {
        let kept = self.cache.find(&self.host.runtime.engine, key)?;
        let code = Code::link(&self.host.runtime, &kept.component).ok()?;
        Some(Arc::new(Plugin::new(&self.host, &stamp::stem(file), kept.description, code)))
    }

    fn new_plugin(&self, file: &Path, wasm: &[u8], key: &Key) -> Result<Arc<Plugin>, Problem> {
        let name = stamp::stem(file);
        if let Some((runtime, component)) = self.baseline(wasm) {
            inspect::check_interface(&runtime.engine, &component)?;
            let code = Code::link(runtime, &component)?;
            let plugin = Arc::new(Plugin::new(&self.host, &name, describe(&self.host, &name, &code)?, code));
            self.improvable().push(Job { file: file.to_owned(), key: key.clone(), plugin: Arc::downgrade(&plugin) });
            return Ok(plugin);
        }
        let engine = &self.host.runtime.engine;
        let damaged = |error: wasmtime::Error| Problem::Damaged(format!("{error:#}"));
        let component = Component::from_binary(engine, wasm).map_err(damaged)?;
        inspect::check_interface(engine, &component)?;
        let code = Code::link(&self.host.runtime, &component)?;
        let description = describe(&self.host, &name, &code)?;
        if let Ok(machine_code) = component.serialize() {
            self.cache.keep(engine, key, &machine_code, &description);
        }
        Ok(Arc::new(Plugin::new(&self.host, &name, description, code)))
    }

    fn improvable(&self) -> MutexGuard<'_, Vec<Job>> {
        self.improvable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Code from the baseline compiler; none for what it cannot compile, which may yet be a good plugin.
    fn baseline(&self, wasm: &[u8]) -> Option<(&Runtime, Component)> {
        let runtime = self.host.baseline()?;
        let component = match wasm.len() > LARGE_BYTES {
            true => Component::from_binary(&runtime.engine, wasm),
            false => {
                let code = self.quick.get_or_init(|| runtime.compiler()).precompile_component(wasm);
                code.and_then(|code| optimiser::load(&runtime.engine, &code))
            }
        };
        let component = component.inspect_err(|error| tracing::debug!("not for the baseline compiler: {error:#}"));
        component.ok().map(|component| (runtime, component))
    }
}

/// Reads a plugin's file, if it is one.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let found = std::fs::metadata(path).map_err(Problem::Unreadable)?;
    if !found.is_file() {
        return Err(Problem::NotAFile);
    }
    if found.len() > MAX_FILE_BYTES {
        return Err(Problem::TooLarge { bytes: found.len(), limit: MAX_FILE_BYTES });
    }
    let mut wasm = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default());
    let file = File::open(path).map_err(Problem::Unreadable)?;
    file.take(MAX_FILE_BYTES).read_to_end(&mut wasm).map_err(Problem::Unreadable)?;
    Ok(wasm)
}
