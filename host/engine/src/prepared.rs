//! A request of which site and pool are known before it is fetched: the hooks are asked once, whenever its turn comes.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use carousel_core::defaults::{self, Unmanaged};
use carousel_core::exchange::{Request, without_credentials};
use carousel_core::hooks::{Defaults as _, Hook, HookCall, HookError, Naming, Plan, PoolChoice};
use carousel_core::id::{PoolId, PoolOwner};
use carousel_core::place::Place;

use crate::engine::Shared;
use crate::hooks::{Asked, Begun, HookStep};
use crate::ports::{Site, Sites, Transport};

/// A request whose site and pool are known. Nothing has been done for it yet, and an error of a hook counts when it is fetched.
pub struct Prepared<S: Sites> {
    pub(crate) request: Arc<Request>,
    /// None: its site is asked when it is fetched.
    pub(crate) planned: Option<Planned<S>>,
}

/// A request whose site is being asked for its plan, on a thread for hooks.
pub(crate) struct PlanAway<S: Sites> {
    pub(crate) asked: Asked,
    pub(crate) plan: Pin<Box<dyn Future<Output = Planned<S>> + Send>>,
}

/// What is known of a request before it is sent.
pub(crate) struct Planned<S: Sites> {
    pub(crate) site: Option<Arc<S::Site>>,
    pub(crate) course: Course,
}

/// The way that a request takes.
pub(crate) enum Course {
    /// None: it makes no sense, for this reason.
    Nonsense(String),
    /// None: a hook failed.
    Failed(HookError),
    /// None: this program has a fault, which is told.
    Lost(String),
    /// As it is, without a session of ours.
    Unmanaged(Unmanaged),
    /// As it is: sessions are off for it.
    Disabled,
    /// On a session.
    Managed(Box<Managed>),
}

/// What is known of a request that is to have a session.
#[derive(Clone)]
pub(crate) struct Managed {
    pub(crate) plan: Plan,
    /// The pool that the plan's choice means; none where there is no choice.
    pub(crate) pool: Option<PoolId>,
    /// Where on earth its sessions are.
    pub(crate) place: Place,
}

impl<S: Sites> Prepared<S> {
    /// The request as its owner wrote it.
    pub fn request(&self) -> &Arc<Request> {
        &self.request
    }

    /// Drops all but what a plugin has said.
    pub(crate) fn rest(self) -> Resting<S> {
        Resting(self.planned.filter(|planned| planned.site.as_ref().is_some_and(plans)).map(Box::new))
    }

    /// The pool whose sessions it needs; none where it needs no session, or will fail before.
    pub fn pool(&self) -> Option<PoolId> {
        self.planned.as_ref().and_then(|planned| planned.course.pool())
    }
}

impl Course {
    /// The pool whose sessions are needed; none where none is, or the request will fail before.
    pub(crate) fn pool(&self) -> Option<PoolId> {
        match self {
            Self::Managed(managed) => managed.pool.clone(),
            Self::Nonsense(_) | Self::Failed(_) | Self::Lost(_) | Self::Unmanaged(_) | Self::Disabled => None,
        }
    }
}

/// What is kept of a request that waits and can be had again: what a plugin has said of it, which is asked once.
pub struct Resting<S: Sites>(pub(crate) Option<Box<Planned<S>>>);

/// Is the plugin asked before a request is sent?
fn plans<S: Site>(site: &Arc<S>) -> bool {
    [Hook::Enabled, Hook::CookieMode, Hook::Location, Hook::Pool].into_iter().any(|hook| site.overrides(hook))
}

impl<T: Transport, S: Sites> Shared<T, S> {
    /// Finds site and pool of a request, whoever has to be asked.
    pub(crate) async fn plan(self: &Arc<Self>, request: &Arc<Request>) -> Planned<S> {
        match self.begin_plan(request) {
            Ok(planned) => planned,
            Err(PlanAway { plan, .. }) => plan.await,
        }
    }

    /// The same, on this thread however long it takes.
    pub(crate) fn plan_here(&self, request: &Arc<Request>) -> Planned<S> {
        let (site, asked) = self.who_plans(request);
        let course =
            asked.unwrap_or_else(|site| self.course(request, Some(&site), site.plan(self.hook_call(Arc::clone(request)))));
        Planned { site, course }
    }

    /// The same, where no hook has a say.
    pub(crate) fn plan_without_hooks(&self, request: &Arc<Request>) -> Option<Planned<S>> {
        let (site, asked) = self.who_plans(request);
        asked.ok().map(|course| Planned { site, course })
    }

    /// The same; the error is a plan that is being made on a thread for hooks.
    pub(crate) fn begin_plan(self: &Arc<Self>, request: &Arc<Request>) -> Result<Planned<S>, PlanAway<S>> {
        let (site, asked) = self.who_plans(request);
        let planner = match asked {
            Ok(course) => return Ok(Planned { site, course }),
            Err(planner) => planner,
        };
        let asked = Asked { site: planner.name().into(), step: HookStep::Plan };
        let call = self.hook_call(Arc::clone(request));
        let begun = self.hooks.begin(&asked, false, move || planner.plan(call));
        let (shared, request) = (Arc::clone(self), Arc::clone(request));
        let planned = move |plan: Result<Result<Plan, HookError>, HookError>| {
            let course = shared.course(&request, site.as_ref(), plan.and_then(|plan| plan));
            Planned { site, course }
        };
        match begun {
            Begun::Done(plan) => Ok(planned(plan)),
            begun @ (Begun::Away(_) | Begun::Later(..)) => {
                Err(PlanAway { asked, plan: Box::pin(async move { planned(begun.finish().await) }) })
            }
        }
    }

    /// The site of whose plan hooks the course of a request depends, if there is one.
    pub(crate) fn planner(&self, request: &Request) -> Option<Arc<S::Site>> {
        let asks = Unmanaged::of(self.profile(), request).is_none();
        self.site(request.url()).filter(|site| asks && plans(site))
    }

    /// The site of a request, and its course; the error is the site that has to be asked for it.
    #[expect(clippy::type_complexity, reason = "a pair of what is in the sentence above")]
    fn who_plans(&self, request: &Arc<Request>) -> (Option<Arc<S::Site>>, Result<Course, Arc<S::Site>>) {
        let (closed, site) = (self.closed_site(request.url()), self.site(request.url()));
        let course = match Unmanaged::of(self.profile(), request) {
            _ if let Some(why) = self.mistake(request) => Ok(Course::Nonsense(why)),
            _ if let Some(why) = closed => Ok(Course::Failed(HookError::Raised(why))),
            Some(Unmanaged::OwnSession) if !self.defaults.enabled(request) => Ok(Course::Disabled),
            Some(unmanaged) => Ok(Course::Unmanaged(unmanaged)),
            None => match site.as_ref().filter(|site| plans(site)) {
                Some(site) => Err(Arc::clone(site)),
                None => Ok(self.course(request, site.as_ref(), Ok(self.defaults.plan(request)))),
            },
        };
        (site, course)
    }

    /// The site that serves a URL. User name and password in it do not tell whose page it is; for the peer they are part of the host.
    fn site(&self, url: &str) -> Option<Arc<S::Site>> {
        self.sites.site(&self.of_page(url))
    }

    /// The peer takes whatever it is given, by Python's truth.
    fn mistake(&self, request: &Request) -> Option<String> {
        if self.profile().is_peer() { None } else { defaults::meta_mistake(request) }
    }

    fn closed_site(&self, url: &str) -> Option<String> {
        self.sites.closed(&self.of_page(url))
    }

    fn of_page<'u>(&self, url: &'u str) -> Cow<'u, str> {
        if self.profile().is_peer() { Cow::Borrowed(url) } else { without_credentials(url) }
    }

    fn course(&self, request: &Request, site: Option<&Arc<S::Site>>, plan: Result<Plan, HookError>) -> Course {
        match plan {
            Err(error) => Course::Failed(error),
            Ok(Plan { enabled: false, .. }) => Course::Disabled,
            Ok(plan) => self.managed(request, site, plan),
        }
    }

    /// The peer has nothing but the names of pools; what is wrong with a request comes out later, at the expense of a pool.
    fn managed(&self, request: &Request, site: Option<&Arc<S::Site>>, plan: Plan) -> Course {
        if self.profile().is_peer() {
            let pool = plan.pool.as_ref().ok().map(|choice| PoolId::new(choice.id.as_str()));
            return Course::Managed(Box::new(Managed { plan, pool, place: Place::default() }));
        }
        if let Err(error) = &plan.location {
            // The pool cannot be told without it.
            return Course::Failed(error.clone());
        }
        match self.place(request) {
            Err(why) => Course::Nonsense(why),
            Ok(place) => {
                let pool = plan.pool.as_ref().ok();
                let pool = pool.map(|choice| self.pool_id(request, site, choice, &place, plan.cookie_mode));
                Course::Managed(Box::new(Managed { plan, pool, place }))
            }
        }
    }

    /// Where on earth the request's sessions are. The error says what is wrong with the parameters of their initialisation.
    fn place(&self, request: &Request) -> Result<Place, String> {
        let settings = &self.settings.session;
        match defaults::bad_init_url(settings, request) {
            Some(why) => Err(why),
            None => defaults::place(settings, request),
        }
    }

    /// The pool that a choice means. Its name says what it is told from others by, where that is not as usual.
    fn pool_id(
        &self,
        request: &Request,
        site: Option<&Arc<S::Site>>,
        choice: &PoolChoice,
        place: &Place,
        cookie_mode: bool,
    ) -> PoolId {
        let (owner, of_site) = match choice.naming {
            Naming::Explicit => (PoolOwner::Named, None),
            Naming::Automatic => self.owner(request, site),
        };
        let usual = defaults::usual_place(&self.settings.session, request, choice.naming);
        // A cookie session and one of the API never stand in for each other.
        let is_usual = cookie_mode == self.settings.session.cookie_mode;
        let kind = (!is_usual).then(|| if cookie_mode { "cookies" } else { "session" }.to_owned());
        let qualifiers: Vec<String> = of_site.into_iter().chain(place.unlike(&usual)).chain(kind).collect();
        PoolId::owned(&choice.id, &qualifiers, owner)
    }

    /// Who owns the pool that a request has by its host. The name of the host alone stands for the pool of whoever serves its front
    /// page; the name of another's pool says whose it is.
    fn owner(&self, request: &Request, site: Option<&Arc<S::Site>>) -> (PoolOwner, Option<String>) {
        let of = |site: &Arc<S::Site>| site.id();
        let (site, front) = (site.map(of), self.sites.site(&format!("https://{}/", request.host())).as_ref().map(of));
        let qualifier = (site != front).then(|| site.as_ref().map_or("defaults".to_owned(), |id| format!("site={}", id.name())));
        (site.map_or(PoolOwner::Defaults, PoolOwner::Site), qualifier)
    }

    pub(crate) fn hook_call(&self, request: Arc<Request>) -> HookCall {
        HookCall {
            request,
            init: false,
            location: Arc::default(),
            location_error: None,
            session: None,
            defaults: Arc::clone(&self.defaults) as _,
        }
    }
}
