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
use crate::meters::SessionPart;
use crate::options::host_matches;
use crate::problem::{Problem, Stage};
use crate::search;
use crate::sessions::Entry;
use crate::sites::Standing;

/// Where the jar of a request comes from and goes back to.
enum Home {
    /// The request has no session: the jar is thrown away.
    Nowhere,
    /// A user-managed session.
    Session(u128),
    /// A Zyte-managed session, by its context.
    Managed(String),
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
        let scripted = self.pass_gate(&ask, strike)?;
        if ask.mode == Mode::OwnHtml {
            let fetched = Fetched::own_html(&ask);
            return scripted.map_or_else(|| Ok(self.bill(&ask, SessionPart::None, fetched)), Err);
        }
        let part = self.enter_session(&ask, scripted.as_ref())?;
        if strike.loses_cookies {
            self.lose_cookies(&ask);
        }
        self.check_bans(&ask, scripted)?;
        let fetched = self.fetch(&ask);
        Ok(self.bill(&ask, part, fetched))
    }

    /// Gives the answer to a search and the time it takes, or the error.
    pub(super) fn attempt_search(
        &mut self,
        request: &Map<String, Value>,
        strike: &mut Strike,
    ) -> Result<(Map<String, Value>, Duration), Problem> {
        let ask = Ask::read_search(request)?;
        if let Some(problem) = self.pass_gate(&ask, strike)? {
            return Err(problem);
        }
        self.meters.billed(&ask, SessionPart::None);
        Ok((search::document(&ask, self.date()), self.latency_of_fetch(ask.mode)))
    }

    /// Counts a request against the rate limit and against the fault rules; gives the error that a rule has for it.
    fn pass_gate(&mut self, ask: &Ask<'_>, strike: &mut Strike) -> Result<Option<Problem>, Problem> {
        self.check_rate(ask.weight)?;
        let session_use = match (ask.session, &ask.context) {
            (Some(id), _) => self.sessions.next_use(id),
            (None, Some(context)) => self.managed.next_use(context, self.now),
            (None, None) => 1,
        };
        if let Some(struck) = self.faults.strike(ask, session_use, self.now, &mut self.chance) {
            *strike = struck;
            self.meters.faulted(&ask.host);
        }
        Ok(strike.problem.take())
    }

    fn lose_cookies(&mut self, ask: &Ask<'_>) {
        if let Some(session) = ask.session.and_then(|id| self.sessions.session_mut(id)) {
            session.jar = Jar::default();
        }
        if let Some(session) = ask.context.as_ref().and_then(|context| self.managed.session_mut(context)) {
            session.jar = Jar::default();
        }
    }

    fn check_rate(&mut self, weight: u32) -> Result<(), Problem> {
        let Some(limit) = self.options.requests_per_minute else {
            return Ok(());
        };
        let minute = self.now.as_secs() / 60;
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        // What counts as several requests may pass the limit, or it could never come through a small one.
        if self.minute.1 >= limit {
            let wait = 60 - self.now.as_secs() % 60;
            return Err(Problem::of_status(429, "too many requests in this minute").retry_after(Some(wait)));
        }
        self.minute.1 = self.minute.1.saturating_add(weight);
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
                Some(_) | None => Ok(self.enter_managed(ask)),
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

    /// Enters the session of a context, where there is one; a new one is set up by actions on the page of the request.
    fn enter_managed(&mut self, ask: &Ask<'_>) -> SessionPart {
        let Some(context) = &ask.context else {
            return SessionPart::None;
        };
        let is_new = self.managed.enter(context, self.now, &mut self.chance);
        let actions = ask.fields.get("sessionContextParameters").and_then(|it| it.get("actions")?.as_array());
        if let (true, Some(actions), Some(session)) = (is_new, actions, self.managed.session_mut(context)) {
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
        SessionPart::Managed
    }

    /// Ends in an error where a script or a ban rule keeps the page away; bans are counted against the session.
    fn check_bans(&mut self, ask: &Ask<'_>, scripted: Option<Problem>) -> Result<(), Problem> {
        let is_banned = self.is_banned(ask);
        let problem = match scripted {
            Some(problem) => problem,
            None if is_banned => Problem::ban("the site bans this session"),
            None => return Ok(()),
        };
        if problem.status == 520 {
            match (ask.session, &ask.context) {
                (Some(id), _) => self.sessions.banned(id, self.now, &mut self.chance),
                (None, Some(context)) => self.managed.banned(context),
                (None, None) => {}
            }
        }
        Err(problem)
    }

    fn is_banned(&mut self, ask: &Ask<'_>) -> bool {
        let visits = match (ask.session, &ask.context) {
            (Some(id), _) => self.sessions.session_mut(id).map(|session| &mut session.visits),
            (None, Some(context)) => self.managed.session_mut(context).map(|session| &mut session.visits),
            (None, None) => None,
        };
        let Some(visits) = visits else {
            return false;
        };
        let (count, pause) = visits.visit(&ask.host, self.now);
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
        if let Some(context) = &ask.context
            && let Some(session) = self.managed.session_mut(context)
        {
            return (std::mem::take(&mut session.jar), session.address.clone(), Home::Managed(context.clone()));
        }
        (Jar::default(), self.chance.address(), Home::Nowhere)
    }

    fn come_home(&mut self, home: Home, jar: Jar) {
        match home {
            Home::Nowhere => {}
            Home::Session(id) => {
                if let Some(session) = self.sessions.session_mut(id) {
                    session.jar = jar;
                }
            }
            Home::Managed(context) => {
                if let Some(session) = self.managed.session_mut(&context) {
                    session.jar = jar;
                }
            }
        }
    }

    fn bill(&mut self, ask: &Ask<'_>, part: SessionPart, fetched: Fetched) -> (Map<String, Value>, Duration) {
        self.meters.billed(ask, part);
        if ask.mode != Mode::OwnHtml {
            self.note_page(ask, &fetched.page);
        }
        let mut latency = self.latency_of_fetch(ask.mode);
        if let Some(performed) = &fetched.performed {
            if self.options.latency.actions {
                latency = latency.saturating_add(performed.elapsed);
            }
            self.note_actions(performed);
        }
        (answer::document(ask, fetched, self.date()), latency)
    }

    /// The simulated time, in seconds since 1970.
    fn date(&self) -> i64 {
        let now_seconds = i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX);
        self.options.epoch_seconds.saturating_add(now_seconds)
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
            Mode::Http | Mode::Search => self.options.latency.http,
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
