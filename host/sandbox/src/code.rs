//! The compiled code of a plugin, linked with what it imports: ready to make instances.

use std::sync::OnceLock;

use carousel_core::hooks::Hook;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};

use crate::call::Call;
use crate::errors::Problem;
use crate::host::Host;
use crate::interface::HOOKS;
use crate::runtime::Runtime;
use crate::wasi;

/// Code for one plugin. Another tier's code for the same plugin may replace it at any time, so whoever makes an instance of it
/// keeps it until the instance is gone.
pub(crate) struct Code {
    /// For hooks that hold their thread.
    pub(crate) sync: InstancePre<Call>,
    /// For hooks that download; linked when the first one is asked, for most plugins have none.
    blocking: OnceLock<InstancePre<Call>>,
    exports: Exports,
}

/// Where the exports are in the component.
struct Exports {
    describe: ComponentExportIndex,
    hooks: [ComponentExportIndex; Hook::ALL.len()],
}

impl Code {
    /// Links a component that was compiled for this runtime.
    pub(crate) fn link(runtime: &Runtime, component: &Component) -> Result<Self, Problem> {
        let mismatch = |error: wasmtime::Error| Problem::Mismatch(format!("{error:#}"));
        let sync = link(&runtime.sync, component).map_err(mismatch)?;
        Ok(Self { sync, blocking: OnceLock::new(), exports: Exports::find(component)? })
    }

    /// The code for hooks that download. Both linkers offer the same imports, so what was linked once does not fail here.
    pub(crate) fn blocking(&self, host: &Host) -> wasmtime::Result<&InstancePre<Call>> {
        if let Some(linked) = self.blocking.get() {
            return Ok(linked);
        }
        let linked = link(&host.runtime_of(self.sync.engine()).blocking, self.sync.component())?;
        Ok(self.blocking.get_or_init(|| linked))
    }

    pub(crate) fn describe(&self) -> &ComponentExportIndex {
        &self.exports.describe
    }

    pub(crate) fn hook(&self, hook: Hook) -> &ComponentExportIndex {
        let [first, ..] = &self.exports.hooks;
        let hooks = Hook::ALL.iter().zip(&self.exports.hooks);
        hooks.into_iter().find(|(known, _)| **known == hook).map_or(first, |(_, index)| index)
    }
}

fn link(linker: &Linker<Call>, component: &Component) -> wasmtime::Result<InstancePre<Call>> {
    let own = wasi::linker_for(component, linker)?;
    own.as_ref().unwrap_or(linker).instantiate_pre(component)
}

impl Exports {
    fn find(component: &Component) -> Result<Self, Problem> {
        let hooks = component.get_export_index(None, HOOKS).ok_or(Problem::NoHooks)?;
        let find = |name: &str| {
            component.get_export_index(Some(&hooks), name).ok_or_else(|| Problem::Mismatch(format!("{HOOKS} has no \"{name}\"")))
        };
        let [a, b, c, d, e, f, g, h] = Hook::ALL.map(|hook| find(hook.name()));
        Ok(Self { describe: find("describe")?, hooks: [a?, b?, c?, d?, e?, f?, g?, h?] })
    }
}
