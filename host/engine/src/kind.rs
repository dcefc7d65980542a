//! What the sessions of a request consist of, and how a session that Zyte keeps is named and set up.

use std::sync::Arc;

use carousel_core::defaults::{self, explicit_params};
use carousel_core::exchange::Request;
use carousel_core::hooks::{Hook, Plan};
use carousel_core::id::{PoolId, SessionId};
use carousel_core::settings::{InitRule, KindRule, SessionKind, context_parameters};
use serde_json::{Value, json};

use crate::engine::Shared;
use crate::ports::{Site, Sites, Transport};

/// The length to which the API has the value of a context cut.
const VALUE_CHARS: usize = 100;

/// What a session consists of, with all that opens one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A session of the API with an id of ours.
    User,
    /// A session that Zyte keeps, with what sets it up (`sessionContextParameters`), if anything does.
    Zyte(Option<Arc<Value>>),
    /// Cookies.
    Cookies,
}

impl Kind {
    pub(crate) fn is_cookies(&self) -> bool {
        *self == Self::Cookies
    }

    pub(crate) fn is_zyte(&self) -> bool {
        matches!(self, Self::Zyte(_))
    }

    /// Its word without what opens it.
    pub(crate) fn word(&self) -> SessionKind {
        match self {
            Self::User => SessionKind::User,
            Self::Zyte(_) => SessionKind::Zyte,
            Self::Cookies => SessionKind::Cookies,
        }
    }

    pub(crate) fn is_usual(&self, rule: KindRule) -> bool {
        self.word() == SessionKind::usual(rule)
    }

    pub(crate) fn qualifier(&self) -> &'static str {
        self.word().qualifier()
    }
}

/// The words for a session that Zyte keeps, the same in each request on it.
#[derive(Debug)]
pub(crate) struct Context {
    /// `sessionContext`.
    pub(crate) name: Value,
    parameters: Option<Arc<Value>>,
}

impl Context {
    /// Says in a request that it is for this session.
    pub(crate) fn put_into(&self, request: &mut Request) {
        request.set_param("sessionContext", self.name.clone());
        if let Some(parameters) = &self.parameters {
            request.set_param("sessionContextParameters", Value::clone(parameters));
        }
    }
}

/// Names the sessions that Zyte keeps for this crawl. One that is discarded is never named again: the next has another number.
#[derive(Debug, Default)]
pub(crate) struct Generations {
    /// What tells the crawl from others, which may have named sessions alike that they have discarded.
    crawl: Option<SessionId>,
    last: u64,
}

impl Generations {
    /// The context of a new session; none where Zyte does not keep it.
    pub(crate) fn context(&mut self, session: SessionId, pool: &PoolId, kind: &Kind) -> Option<Context> {
        let Kind::Zyte(parameters) = kind else { return None };
        let crawl = *self.crawl.get_or_insert(session);
        self.last += 1;
        let pool: String = pool.as_str().chars().take(VALUE_CHARS).collect();
        let pairs =
            [("carousel-crawl", crawl.to_string()), ("carousel-pool", pool), ("carousel-generation", self.last.to_string())];
        let said = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let name = said.map(|(name, value)| json!({"name": name, "value": value})).collect();
        Some(Context { name, parameters: parameters.clone() })
    }
}

impl<T: Transport, S: Sites> Shared<T, S> {
    /// What the sessions of a request consist of. The error says why Zyte cannot keep them although it is to.
    pub(crate) fn kind(
        &self,
        request: &Request,
        site: Option<&Arc<S::Site>>,
        plan: &Plan,
        pool: Option<&PoolId>,
    ) -> Result<Kind, String> {
        let settings = &self.settings.session;
        let is_usual = plan.cookie_mode == (SessionKind::usual(settings.kind()) == SessionKind::Cookies);
        let rule = match plan.cookie_mode {
            _ if is_usual => pool.map_or_else(|| settings.kind(), |pool| settings.kind_of(pool)),
            true => KindRule::Cookies,
            false => KindRule::User,
        };
        match rule {
            KindRule::User => Ok(Kind::User),
            KindRule::Cookies => Ok(Kind::Cookies),
            KindRule::Zyte => self.context_parameters(request, site, plan).map(Kind::Zyte),
            KindRule::Auto => Ok(self.auto_kind(request, site, plan, pool)),
        }
    }

    /// Zyte's, where nothing but actions or a location sets a session up and nobody looks whether that went well.
    fn auto_kind(&self, request: &Request, site: Option<&Arc<S::Site>>, plan: &Plan, pool: Option<&PoolId>) -> Kind {
        let is_checked = site.is_some_and(|site| site.overrides(Hook::Check)) || self.defaults.checker().is_some();
        let of_site = site.and_then(|site| site.init_rule());
        let is_initialised = pool.is_some_and(|pool| self.settings.init_rule(pool, of_site) == InitRule::Always);
        if is_checked || is_initialised {
            return Kind::User;
        }
        match self.context_parameters(request, site, plan) {
            Ok(Some(parameters)) => Kind::Zyte(Some(parameters)),
            Ok(None) | Err(_) => Kind::User,
        }
    }

    /// What sets up a session that Zyte keeps.
    fn context_parameters(
        &self,
        request: &Request,
        site: Option<&Arc<S::Site>>,
        plan: &Plan,
    ) -> Result<Option<Arc<Value>>, String> {
        let hooks = [(Hook::InitSession, "init_session"), (Hook::Params, "params")];
        let hook = site.and_then(|site| hooks.into_iter().find(|(hook, _)| site.overrides(*hook)).map(|(_, name)| (site, name)));
        if let Some((site, hook)) = hook {
            return Err(format!(
                "kind = \"zyte\": the {hook} of {} initialises sessions, and nobody but Zyte initialises those that it keeps: let \
                 session.pools say kind = \"user\" for the pools of this site",
                site.name()
            ));
        }
        let of_location = || defaults::params(&plan.location.clone().unwrap_or_default());
        let params = explicit_params(&self.settings.session, request).cloned().unwrap_or_else(of_location);
        context_parameters(&params).map(|parameters| parameters.map(Arc::new)).map_err(|key| {
            format!(
                "kind = \"zyte\": Zyte sets the sessions that it keeps up by actions alone, and the parameters of the initialisation say \
                 {key}, too: leave it out, or say kind = \"user\""
            )
        })
    }
}
