//! A plugin: what it says of itself, and its code, which may get better while it is used.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use carousel_core::hooks::Hook;
use carousel_core::repeated::Repeated;
use carousel_core::settings::Instances;
use serde_json::Value;

use crate::bindings::carousel::session::types;
use crate::call::Call;
use crate::code::Code;
use crate::description::Description;
use crate::errors::Problem;
use crate::gate::{Gate, Scope};
use crate::guest::Guest;
use crate::host::Host;
use crate::proof::Proof;
use crate::reach::Reach;
use crate::site::SiteFacts;
use crate::stopped::explain;
use crate::words::plain;

/// One version of a plugin, shared by the sites that it serves.
pub(crate) struct Plugin {
    /// The file name without `.wasm`.
    pub(crate) file: Arc<str>,
    pub(crate) description: Description,
    hooks: HookSet,
    code: ArcSwap<Code>,
    /// For all of its sites.
    pub(crate) gate: Gate,
    pub(crate) proof: Arc<Proof>,
    /// What was told of it.
    pub(crate) told: Repeated,
}

/// A set of hooks, and what a plugin says of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HookSet(u16);

impl Plugin {
    pub(crate) fn new(host: &Host, file: &str, description: Description, code: Code) -> Self {
        let hooks = HookSet::of(file, &description.hooks);
        Self {
            file: file.into(),
            description,
            hooks,
            code: ArcSwap::from_pointee(code),
            gate: Gate::new(host.gate, Scope::AllSites),
            proof: Proof::new(!host.gate.raised_is_fault()),
            told: Repeated::default(),
        }
    }

    /// The hooks that the plugin has.
    pub(crate) fn hooks(&self) -> HookSet {
        self.hooks
    }

    /// Shows the plugin the config of a site: the hooks that it needs there, or why it cannot work with that config.
    pub(crate) fn hooks_for(&self, host: &Host, site: Arc<SiteFacts>) -> Result<HookSet, Problem> {
        let description = ask(host, site, &self.code())?.map_err(|failure| Problem::Config(plain(&failure.message)))?;
        let description = Description::read(description).map_err(Problem::Describe)?;
        Ok(HookSet::of(&self.file, &description.hooks))
    }

    /// The best code there is now, for a call that holds its thread: threads that take it do not disturb each other.
    pub(crate) fn code(&self) -> Guard<Arc<Code>> {
        self.code.load()
    }

    /// The best code there is now, for a call that may go on in another thread.
    pub(crate) fn code_to_keep(&self) -> Arc<Code> {
        self.code.load_full()
    }

    /// Puts better code in the place of the one there is. Calls that are under way end on the old one.
    pub(crate) fn improve(&self, code: Code) {
        self.code.store(Arc::new(code));
    }
}

/// Asks a plugin what it is.
pub(crate) fn describe(host: &Host, file: &str, code: &Code) -> Result<Description, Problem> {
    let facts = SiteFacts {
        name: file.into(),
        plugin: file.into(),
        config: Value::Null.to_string(),
        reach: Reach::default(),
        instances: Instances::Fresh,
        init: None,
        shared: Arc::default(),
    };
    let told = ask(host, Arc::new(facts), code)?;
    let told = told.map_err(|failure| Problem::Describe(format!("failed: {}", plain(&failure.message))))?;
    Description::read(told).map_err(Problem::Describe)
}

/// What a plugin says of itself at a site; the inner error is the plugin's own.
fn ask(host: &Host, site: Arc<SiteFacts>, code: &Code) -> Result<Result<types::Description, types::Failure>, Problem> {
    let call = Call::new(site, None, &host.allowance);
    let _place = host.places.take().map_err(|_| Problem::Describe("it was asked from within a hook".to_owned()))?;
    let words = |error: &wasmtime::Error, call: &Call| Problem::Describe(explain(error, call, host.allowance.max_result));
    let mut guest = Guest::start(&code.sync, call, &host.allowance).map_err(|dead| words(&dead.error, &dead.call))?;
    let described = guest.call(code.describe(), ());
    guest.state_mut().flush_output();
    described.map_err(|error| words(&error, guest.state()))
}

impl HookSet {
    /// Names that this host does not know are hooks of a later version, which it never asks.
    fn of(plugin: &str, names: &[String]) -> Self {
        let mut set = Self::default();
        for name in names {
            match Hook::named(name) {
                Some(hook) => set.0 |= bit(hook),
                None if name == PAGES_ONLY => set.0 |= PAGES_ONLY_BIT,
                None => {
                    tracing::warn!(plugin, hook = name, "the plugin overrides a hook that is not known here: it is not asked")
                }
            }
        }
        set
    }

    pub(crate) fn has(self, hook: Hook) -> bool {
        self.0 & bit(hook) != 0
    }

    /// Does its check never look at initialisations?
    pub(crate) fn checks_pages_only(self) -> bool {
        self.0 & PAGES_ONLY_BIT != 0
    }
}

/// The word of a plugin whose check never looks at initialisations.
const PAGES_ONLY: &str = "check-pages-only";

const PAGES_ONLY_BIT: u16 = 1 << 15;

fn bit(hook: Hook) -> u16 {
    1 << Hook::ALL.iter().position(|known| *known == hook).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_can_say_that_its_check_never_looks_at_initialisations() {
        let set = |names: &[&str]| HookSet::of("x", &names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        for (names, pages_only) in [(&["check", PAGES_ONLY][..], true), (&["check"], false), (&["check", "later-hook"], false)] {
            let hooks = set(names);
            assert_eq!(hooks.checks_pages_only(), pages_only, "{names:?}");
            assert!(hooks.has(Hook::Check) && Hook::ALL.iter().filter(|hook| hooks.has(**hook)).count() == 1);
        }
    }
}
