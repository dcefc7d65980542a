//! The course of one request: rate limit, session, domain policy, fetch.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Simulator;
use crate::actions::{self, Performed};
use crate::answer::{self, Fetched};
use crate::ask::{Ask, Mode};
use crate::browser::Tab;
use crate::cookies::Jar;
use crate::faults::Strike;
use crate::fetch::{Errand, JarUse, Landing, Redirects, Visit};
use crate::managed::{Managed, ManagedSession};
use crate::meters::SessionPart;
use crate::options::host_matches;
use crate::problem::{Problem, Stage};
use crate::sessions::Entry;
use crate::sites::Standing;

/// Where the jar of a request comes from and goes back to.
enum Home {
    /// The request has no session: the jar is thrown away.
    Nowhere,
    /// A user-managed session.
    Session(u128),
    /// A Zyte-managed session.
    Managed(String, Box<ManagedSession>),
}

impl Simulator {
    /// Gives the answer and the time it takes, or the error.
    pub(super) fn attempt(
        &mut self,
        request: &Map<String, Value>,
        strike: &mut Strike,
    ) -> Result<(Map<String, Value>, Duration), Problem> {
        let ask = Ask::read(request, &self.options)?;
        if request.contains_key("experimental") {
            self.meters.tolerated.add("experimental");
        }
        self.check_rate()?;
        let session_use = ask.session.map_or(1, |id| self.sessions.next_use(id));
        if let Some(struck) = self.faults.strike(&ask, session_use, self.now, &mut self.chance) {
            *strike = struck;
            self.meters.faulted(&ask.host);
        }
        let scripted = strike.problem.take();
        if ask.mode == Mode::OwnHtml {
            let fetched = Fetched::own_html(&ask);
            return scripted.map_or_else(|| Ok(self.bill(&ask, SessionPart::None, fetched)), Err);
        }
        let part = self.enter_session(&ask, scripted.as_ref())?;
        if strike.loses_cookies
            && let Some(session) = ask.session.and_then(|id| self.sessions.session_mut(id))
        {
            session.jar = Jar::default();
        }
        self.check_bans(&ask, scripted)?;
        let fetched = self.fetch(&ask);
        Ok(self.bill(&ask, part, fetched))
    }

    fn check_rate(&mut self) -> Result<(), Problem> {
        let Some(limit) = self.options.requests_per_minute else {
            return Ok(());
        };
        let minute = self.now.as_secs() / 60;
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        if self.minute.1 >= limit {
            let wait = 60 - self.now.as_secs() % 60;
            return Err(Problem::of_status(429, "too many requests in this minute").retry_after(Some(wait)));
        }
        self.minute.1 += 1;
        Ok(())
    }

    fn enter_session(&mut self, ask: &Ask<'_>, scripted: Option<&Problem>) -> Result<SessionPart, Problem> {
        let scripted = scripted.map(|problem| (problem.stage(), problem));
        if let Some((Stage::Gate, problem)) = scripted {
            return Err(problem.clone());
        }
        let Some(id) = ask.session else {
            return match scripted {
                Some((Stage::Session, problem)) => Err(problem.clone()),
                Some(_) | None => Ok(SessionPart::None),
            };
        };
        if let Some((Stage::Session, problem)) = scripted {
            match problem.kind.as_ref() {
                "/problem/session-expired" => {
                    self.sessions.expire(id, self.now, &mut self.chance);
                }
                "/problem/over-session-limit" => self.sessions.counts.over_limit += 1,
                _ => self.sessions.counts.creation_errors += 1,
            }
            return Err(problem.clone());
        }
        let geolocation = ask.text("geolocation");
        let (now, chance) = (self.now, &mut self.chance);
        let entry = self.sessions.enter(id, ask.mode, geolocation, now, chance)?;
        Ok(match entry {
            Entry::First => SessionPart::First,
            Entry::Later => SessionPart::Later,
        })
    }

    /// Ends in an error where a script or a ban rule keeps the page away; bans are counted against the session.
    fn check_bans(&mut self, ask: &Ask<'_>, scripted: Option<Problem>) -> Result<(), Problem> {
        let is_banned = self.is_banned(ask);
        let problem = match scripted {
            Some(problem) => problem,
            None if is_banned => Problem::ban("the site bans this session"),
            None => return Ok(()),
        };
        if let (520, Some(id)) = (problem.status, ask.session) {
            self.sessions.banned(id, self.now, &mut self.chance);
        }
        if let (520, context @ [_, ..]) = (problem.status, ask.list("sessionContext")) {
            let key = Managed::key(context);
            if let Some(session) = self.managed.take(&key, self.now) {
                self.managed.put(key, session, true);
            }
        }
        Err(problem)
    }

    fn is_banned(&mut self, ask: &Ask<'_>) -> bool {
        let Some(session) = ask.session.and_then(|id| self.sessions.session_mut(id)) else {
            return false;
        };
        let (count, pause) = session.visit(&ask.host, self.now);
        self.options.bans.iter().filter(|rule| host_matches(&rule.host, &ask.host)).any(|rule| {
            rule.after_uses.is_some_and(|max| count > max) || rule.min_interval.zip(pause).is_some_and(|(min, pause)| pause < min)
        })
    }

    fn fetch(&mut self, ask: &Ask<'_>) -> Fetched {
        let (mut jar, address, home) = self.leave_home(ask);
        let extra = ask.cookies();
        let is_discarding = ask.text("cookieManagement") == Some("discard");
        let mut visit = Visit {
            jar: &mut jar,
            extra: &extra,
            jar_use: if is_discarding { JarUse::Keep } else { JarUse::Send },
            headers: &ask.headers(),
            address: &address,
            chance: &mut self.chance,
        };
        let (page, performed) = visit_page(ask, &mut visit);
        let cookies = if ask.wants_cookies() { jar.clone() } else { Jar::default() };
        self.come_home(home, jar);
        Fetched { page, performed, jar: cookies, extra }
    }

    /// Takes the jar and the address that the request travels with.
    fn leave_home(&mut self, ask: &Ask<'_>) -> (Jar, String, Home) {
        if let Some(id) = ask.session
            && let Some(session) = self.sessions.session_mut(id)
        {
            session.bans_in_a_row = 0;
            let jar = std::mem::take(&mut session.jar);
            return (jar, session.address.clone(), Home::Session(id));
        }
        let context = ask.list("sessionContext");
        if context.is_empty() {
            return (Jar::default(), self.chance.address(), Home::Nowhere);
        }
        let key = Managed::key(context);
        let mut session = match self.managed.take(&key, self.now) {
            Some(session) => session,
            None => self.open_managed(ask),
        };
        let jar = std::mem::take(&mut session.jar);
        let address = session.address.clone();
        (jar, address, Home::Managed(key, Box::new(session)))
    }

    fn come_home(&mut self, home: Home, jar: Jar) {
        match home {
            Home::Nowhere => {}
            Home::Session(id) => {
                if let Some(session) = self.sessions.session_mut(id) {
                    session.jar = jar;
                }
            }
            Home::Managed(key, mut session) => {
                session.jar = jar;
                self.managed.put(key, *session, false);
            }
        }
    }

    /// Opens a Zyte-managed session: its own actions run on the page of the first request.
    fn open_managed(&mut self, ask: &Ask<'_>) -> ManagedSession {
        let mut session = ManagedSession::new(self.now, &mut self.chance);
        let actions = ask.fields.get("sessionContextParameters").and_then(|it| it.get("actions")?.as_array());
        if let Some(actions) = actions {
            let mut visit = Visit {
                jar: &mut session.jar,
                extra: &[],
                jar_use: JarUse::Send,
                headers: &[],
                address: &session.address,
                chance: &mut self.chance,
            };
            actions::perform(actions, &mut Tab::open(&mut visit, ask.url.clone()));
        }
        session
    }

    fn bill(&mut self, ask: &Ask<'_>, part: SessionPart, fetched: Fetched) -> (Map<String, Value>, Duration) {
        self.meters.billed(ask.mode, part, &ask.host);
        if ask.mode != Mode::OwnHtml {
            self.note_page(ask, &fetched.page);
        }
        let mut latency = self.latency_of_fetch(ask.mode);
        if let Some(performed) = &fetched.performed {
            latency = latency.saturating_add(performed.elapsed);
            self.note_actions(performed);
        }
        let now_seconds = i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX);
        let date = self.options.epoch_seconds.saturating_add(now_seconds);
        (answer::document(ask, fetched, date), latency)
    }

    /// Counts what a site served.
    fn note_page(&mut self, ask: &Ask<'_>, page: &Landing) {
        let is_elsewhere = ask.intended_place().is_some_and(|meant| page.place.as_deref() != Some(meant));
        let standing = if page.standing == Standing::Good && page.place.is_some() && is_elsewhere {
            Standing::WrongPlace
        } else {
            page.standing
        };
        self.meters.served(page.family.name(), standing, page.status);
    }

    fn note_actions(&mut self, performed: &Performed) {
        for result in &performed.results {
            let text = |name: &str| result.get(name).and_then(Value::as_str).unwrap_or("");
            self.meters.actions.add(&format!("{} {}", text("action"), text("status")));
        }
    }

    fn latency_of_fetch(&mut self, mode: Mode) -> Duration {
        let latency = match mode {
            Mode::Browser => self.options.latency.browser,
            Mode::Http => self.options.latency.http,
            Mode::OwnHtml => self.options.latency.refusal,
        };
        self.spread(latency)
    }

    /// Gives the latency of an error: those of the site take as long as a page.
    pub(super) fn latency_of_refusal(&mut self, status: u16, mode: Mode) -> Duration {
        match status {
            500 | 520 | 521 => self.latency_of_fetch(mode),
            _ => self.spread(self.options.latency.refusal),
        }
    }

    fn spread(&mut self, latency: Duration) -> Duration {
        let spread = self.options.latency.spread.clamp(0.0, 1.0);
        if latency.is_zero() || spread == 0.0 {
            return latency;
        }
        let factor = 1.0 + spread * (2.0 * self.chance.fraction() - 1.0);
        Duration::try_from_secs_f64(latency.as_secs_f64() * factor).unwrap_or(latency)
    }
}

fn visit_page(ask: &Ask<'_>, visit: &mut Visit<'_>) -> (Landing, Option<Performed>) {
    if ask.mode == Mode::Browser {
        let requested = ask.fields.get("actions").and_then(Value::as_array);
        let mut tab = Tab::open(visit, ask.url.clone());
        let performed = requested.map(|actions| actions::perform(actions, &mut tab));
        return (tab.page, performed);
    }
    let does_follow = ask.fields.get("followRedirect").and_then(Value::as_bool) != Some(false);
    let page = visit.go(Errand {
        method: ask.text("httpRequestMethod").unwrap_or("GET"),
        url: ask.url.clone(),
        body: &ask.body(),
        redirects: if does_follow { Redirects::Follow } else { Redirects::Stay },
    });
    (page, None)
}
