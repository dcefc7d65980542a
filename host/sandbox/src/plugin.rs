//! A plugin that is compiled and linked: what it says of itself, and its hooks ready to be called.

use std::sync::Arc;

use carousel_core::hooks::Hook;
use serde_json::Value;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use crate::bindings::carousel::session::types::{Description, Failure};
use crate::call::Call;
use crate::errors::Problem;
use crate::guest::Guest;
use crate::host::Host;
use crate::interface::HOOKS;
use crate::reach::Reach;
use crate::shared::Shared;
use crate::site::SiteFacts;
use crate::stopped::explain;

/// A plugin, shared by the sites that it serves.
pub(crate) struct Plugin {
    /// The file name without `.wasm`.
    pub(crate) file: Arc<str>,
    /// For hooks that hold their thread.
    pub(crate) sync: InstancePre<Call>,
    /// For hooks that download.
    pub(crate) blocking: InstancePre<Call>,
    pub(crate) description: Description,
    exports: Exports,
    overridden: HookSet,
}

/// Where the exports are in the component.
struct Exports {
    describe: ComponentExportIndex,
    hooks: [ComponentExportIndex; Hook::ALL.len()],
}

/// A set of hooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HookSet(u16);

impl Plugin {
    /// Links a component and asks it once what it is.
    pub(crate) fn new(host: &Host, file: &str, component: &Component) -> Result<Self, Problem> {
        let mismatch = |error: wasmtime::Error| Problem::Mismatch(format!("{error:#}"));
        let sync = host.runtime.sync.instantiate_pre(component).map_err(mismatch)?;
        let blocking = host.runtime.blocking.instantiate_pre(component).map_err(mismatch)?;
        let exports = Exports::find(component)?;
        let file: Arc<str> = file.into();
        let facts = SiteFacts {
            name: file.clone(),
            plugin: file.clone(),
            config: Value::Null.to_string(),
            reach: Reach::default(),
            shared: Shared::default(),
        };
        let description = describe(host, Arc::new(facts), &sync, &exports)?
            .map_err(|failure| Problem::Describe(format!("failed: {}", failure.message)))?;
        let overridden = HookSet::of(&file, &description.hooks);
        Ok(Self { file, sync, blocking, description, exports, overridden })
    }

    /// The hooks that the plugin has.
    pub(crate) fn hooks(&self) -> HookSet {
        self.overridden
    }

    /// Shows the plugin the config of a site: the hooks that it needs there, or why it cannot work with that config.
    pub(crate) fn hooks_for(&self, host: &Host, site: Arc<SiteFacts>) -> Result<HookSet, Problem> {
        let description = describe(host, site, &self.sync, &self.exports)?.map_err(|failure| Problem::Config(failure.message))?;
        Ok(HookSet::of(&self.file, &description.hooks))
    }

    pub(crate) fn export(&self, hook: Hook) -> &ComponentExportIndex {
        let [first, ..] = &self.exports.hooks;
        self.exports.hooks.get(position(hook)).unwrap_or(first)
    }
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

impl HookSet {
    /// Names that this host does not know are hooks of a later version, which it never asks.
    fn of(plugin: &str, names: &[String]) -> Self {
        let mut set = Self::default();
        for name in names {
            match Hook::named(name) {
                Some(hook) => set.0 |= 1 << position(hook),
                None => {
                    tracing::warn!(plugin, hook = name, "the plugin overrides a hook that is not known here: it is not asked")
                }
            }
        }
        set
    }

    pub(crate) fn has(self, hook: Hook) -> bool {
        self.0 & (1 << position(hook)) != 0
    }
}

fn position(hook: Hook) -> usize {
    Hook::ALL.iter().position(|known| *known == hook).unwrap_or_default()
}

/// What a plugin says of itself at a site; the inner error is the plugin's own.
fn describe(
    host: &Host,
    site: Arc<SiteFacts>,
    pre: &InstancePre<Call>,
    exports: &Exports,
) -> Result<Result<Description, Failure>, Problem> {
    let call = Call::new(site, None, &host.allowance);
    let _place = host.places.take().map_err(|_| Problem::Describe("it was asked from within a hook".to_owned()))?;
    let words = |error: &wasmtime::Error, call: &Call| Problem::Describe(explain(error, call, host.allowance.max_result));
    let mut guest = Guest::start(pre, call, &host.allowance).map_err(|dead| words(&dead.error, &dead.call))?;
    let described = guest.call::<(), Result<Description, Failure>>(&exports.describe, ());
    guest.state_mut().flush_output();
    described.map_err(|error| words(&error, guest.state()))
}
