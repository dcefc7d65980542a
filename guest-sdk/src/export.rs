//! What the attribute generates code for: a plugin's description, and its hooks as component exports.

use crate::SessionConfig;

/// A site plugin: its hooks and what it says of itself. Implemented by [`session_config`](crate::session_config).
pub trait Plugin: SessionConfig {
    /// What the plugin says of itself.
    const DESCRIPTION: Description;
}

/// What a plugin says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The plugin's name.
    pub name: &'static str,
    /// The plugin's version.
    pub version: &'static str,
    /// URL patterns that the plugin applies to; none if only `[[site]]` tables name it.
    pub include: &'static [&'static str],
    /// URL patterns that it does not apply to.
    pub exclude: &'static [&'static str],
    /// The highest wins.
    pub priority: i32,
    /// The site config that this one replaces.
    pub instead_of: Option<&'static str>,
    /// The hooks that it overrides, by their names in the interface.
    pub hooks: &'static [&'static str],
}

impl Description {
    /// Tells whether the plugin overrides this hook. Known when the plugin is compiled, so that the code around the other
    /// hooks is left out of the component.
    pub const fn overrides(&self, hook: &str) -> bool {
        let mut hooks = self.hooks;
        while let [first, rest @ ..] = hooks {
            if is_same(first.as_bytes(), hook.as_bytes()) {
                return true;
            }
            hooks = rest;
        }
        false
    }
}

const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([byte, rest @ ..], [other_byte, other_rest @ ..]) = (one, other) {
        if *byte != *other_byte {
            return false;
        }
        (one, other) = (rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}

#[cfg(target_arch = "wasm32")]
pub use component::Component;

#[cfg(target_arch = "wasm32")]
mod component {
    //! The exports of a component, each a thin conversion around the hook.

    use std::marker::PhantomData;
    use std::sync::Once;

    use super::{Description, Plugin};
    use crate::bindings::carousel::session::types;
    use crate::bindings::exports::carousel::session::hooks::Guest;
    use crate::{Error, Request, Response, Result, Session, wire};

    /// The component that a plugin becomes.
    pub struct Component<P>(PhantomData<P>);

    /// Runs a hook, or defers where the plugin does not override it; the host would not have asked then.
    macro_rules! ask {
        ($plugin:ident, $hook:literal, $request:ident, $run:expr) => {
            if const { $plugin::DESCRIPTION.overrides($hook) } { asked($request, $run) } else { Err(failure(Error::defer())) }
        };
    }

    impl<P: Plugin> Guest for Component<P> {
        fn describe() -> Result<types::Description, types::Failure> {
            let mut description: types::Description = P::DESCRIPTION.into();
            if wire::config() != "null" {
                tell_host_of_panics();
                let needed = printing(P::configure).map_err(failure)?;
                description.hooks.retain(|hook| needed.contains(hook));
            }
            Ok(description)
        }

        fn enabled(request: &types::Request) -> Result<bool, types::Failure> {
            ask!(P, "enabled", request, P::enabled)
        }

        fn cookie_mode(request: &types::Request) -> Result<bool, types::Failure> {
            ask!(P, "cookie-mode", request, P::cookie_mode)
        }

        fn pool(request: &types::Request) -> Result<String, types::Failure> {
            ask!(P, "pool", request, |request| Ok(P::pool(request)?.as_value().to_string()))
        }

        fn location(request: &types::Request) -> Result<String, types::Failure> {
            ask!(P, "location", request, |request| {
                let location = P::location(request)?.unwrap_or_default();
                Ok(location.to_value().to_string())
            })
        }

        fn params(request: &types::Request) -> Result<String, types::Failure> {
            ask!(P, "params", request, |request| Ok(P::params(request)?.to_json()))
        }

        fn check(response: &types::Response, request: &types::Request) -> Result<types::Verdict, types::Failure> {
            ask!(P, "check", request, |request| {
                let verdict = P::check(&Response::new(wire::Response::lent(response)), request)?;
                let (kind, reason, delay) = verdict.into_parts();
                Ok(types::Verdict { kind, reason, delay })
            })
        }

        fn process_request(request: &types::Request) -> Result<types::Edit, types::Failure> {
            ask!(P, "process-request", request, |request| {
                let edit = P::process_request(request)?.resolve(request)?;
                let set = serde_json::Value::Object(edit.set).to_string();
                Ok(types::Edit { url: edit.url, set, remove: edit.remove })
            })
        }

        fn init_session(session: &types::Session, request: &types::Request) -> Result<bool, types::Failure> {
            ask!(P, "init-session", request, |request| { P::init_session(&Session::new(wire::Session::lent(session)), request) })
        }
    }

    /// Runs a hook with everything around it: panics go to the host's log, errors become failures.
    fn asked<T>(request: &types::Request, hook: impl FnOnce(&Request) -> Result<T>) -> Result<T, types::Failure> {
        tell_host_of_panics();
        printing(|| hook(&Request::new(wire::Request::lent(request)))).map_err(failure)
    }

    /// Runs something that may print.
    fn printing<T>(work: impl FnOnce() -> T) -> T {
        let result = work();
        wire::flush_output();
        result
    }

    fn failure(error: Error) -> types::Failure {
        let (kind, message, token) = error.into_parts();
        types::Failure { kind, message, token }
    }

    fn tell_host_of_panics() {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            std::panic::set_hook(Box::new(|panic| {
                wire::flush_output();
                wire::log("error", &panic.to_string());
            }));
        });
    }

    impl From<Description> for types::Description {
        fn from(description: Description) -> Self {
            let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
            let rule = types::Rule {
                include: texts(description.include),
                exclude: texts(description.exclude),
                priority: description.priority,
                instead_of: description.instead_of.map(str::to_owned),
            };
            Self {
                name: description.name.to_owned(),
                version: description.version.to_owned(),
                rules: if description.include.is_empty() { Vec::new() } else { vec![rule] },
                hooks: texts(description.hooks),
            }
        }
    }
}
