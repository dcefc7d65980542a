//! A pool under a script: what happens goes in by short words, what it does comes out as text.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::*;

pub(super) struct Script {
    pub(super) pool: Pool<u64>,
    chance: Chance,
    now: Instant,
    names: BTreeMap<SessionId, String>,
    leases: Vec<(String, Lease)>,
}

impl Script {
    pub(super) fn new(options: PoolOptions) -> Self {
        Self {
            pool: Pool::new(options),
            chance: Chance::from_seed(1),
            now: Instant::START,
            names: BTreeMap::new(),
            leases: Vec::new(),
        }
    }

    /// Opens sessions a, b… one after the other, each used once.
    pub(super) fn with_live_sessions(mut self, count: usize) -> Self {
        let growth = std::mem::replace(&mut self.pool.options.growth, Growth::OnDemand);
        for n in 0..count as u64 {
            self.ask(1000 + n);
        }
        self.actions();
        let opening: Vec<SessionId> = self.pool.opening.iter().map(|opening| opening.session).collect();
        for id in opening {
            self.pool.handle_opened(id, Opened::Ready, self.now, &mut self.chance);
            self.actions();
        }
        for name in self.names.clone().into_values().collect::<std::collections::BTreeSet<_>>() {
            self.used(&name, Used::Neutral);
        }
        self.pool.options.growth = growth;
        self
    }

    pub(super) fn ask(&mut self, n: u64) -> &mut Self {
        self.pool.handle_request(Ticket::new(n), n, Start::ByInit, self.now, &mut self.chance);
        self
    }

    /// A request that can create a session itself.
    pub(super) fn ask_to_begin(&mut self, n: u64) -> &mut Self {
        self.pool.handle_request(Ticket::new(n), n, Start::ByUse, self.now, &mut self.chance);
        self
    }

    pub(super) fn cancel(&mut self, n: u64) -> &mut Self {
        self.pool.handle_cancel(Ticket::new(n));
        self
    }

    /// The initialisation sends a call, its first one or another.
    pub(super) fn called(&mut self, name: &str, is_first: bool) -> &mut Self {
        let id = *self.names.iter().find(|(_, known)| *known == name).expect("a known session").0;
        self.pool.handle_called(id, is_first, self.now);
        self
    }

    pub(super) fn call_over(&mut self, name: &str) -> &mut Self {
        let id = *self.names.iter().find(|(_, known)| *known == name).expect("a known session").0;
        self.pool.handle_call_over(id, self.now);
        self
    }

    pub(super) fn opened(&mut self, name: &str, outcome: Opened) -> &mut Self {
        let id = *self.names.iter().find(|(_, known)| *known == name).expect("a known session").0;
        self.pool.handle_opened(id, outcome, self.now, &mut self.chance);
        self
    }

    pub(super) fn used(&mut self, name: &str, outcome: Used) -> &mut Self {
        let at = self.leases.iter().position(|(known, _)| known == name).expect("a session in use");
        let (_, lease) = self.leases.remove(at);
        self.pool.handle_used(lease, outcome, 0, self.now, &mut self.chance);
        self
    }

    /// Nothing came of a grant.
    pub(super) fn unused(&mut self, name: &str) -> &mut Self {
        let at = self.leases.iter().position(|(known, _)| known == name).expect("a session in use");
        let (_, lease) = self.leases.remove(at);
        self.give_up(lease)
    }

    /// The lease of the n-th use under way, from 0, to be given back out of turn.
    pub(super) fn take_lease(&mut self, n: usize) -> Lease {
        self.leases.remove(n).1
    }

    pub(super) fn give_back(&mut self, lease: Lease, outcome: Used) -> &mut Self {
        self.pool.handle_used(lease, outcome, 0, self.now, &mut self.chance);
        self
    }

    pub(super) fn give_up(&mut self, lease: Lease) -> &mut Self {
        self.pool.handle_unused(lease, self.now, &mut self.chance);
        self
    }

    pub(super) fn outlook(&mut self, backlog: usize) -> Outlook {
        self.pool.outlook(backlog, self.now)
    }

    pub(super) fn takes_call(&self, lease: Lease) -> bool {
        self.pool.outlives(lease.session, self.now)
    }

    pub(super) fn close(&mut self, reason: &str) -> &mut Self {
        self.pool.handle_close(Refusal::Closed(reason.into()));
        self
    }

    pub(super) fn wind_down(&mut self) -> &mut Self {
        self.pool.handle_wind_down(Refusal::Closed("end".into()));
        self
    }

    pub(super) fn after(&mut self, seconds: u64) -> &mut Self {
        self.now = self.now + Duration::from_secs(seconds);
        self
    }

    /// The pool asks to be woken after exactly this long, and then does this.
    pub(super) fn wakes_after(&mut self, seconds: u64, actions: &str) -> &mut Self {
        self.wake_after(seconds).does(actions)
    }

    /// The pool asks to be woken after exactly this long.
    pub(super) fn wake_after(&mut self, seconds: u64) -> &mut Self {
        self.after(seconds);
        let (at, _) = self.pool.poll_timeout().expect("a timeout");
        assert_eq!(at, self.now);
        self.pool.handle_timeout(self.now, &mut self.chance);
        assert!(self.pool.poll_timeout().is_none_or(|(at, _)| at > self.now), "the timeout did not move");
        self
    }

    pub(super) fn does(&mut self, expected: &str) -> &mut Self {
        assert_eq!(self.actions().join(", "), expected);
        self
    }

    fn actions(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(action) = self.pool.poll_action() {
            told.push(self.tell(action));
        }
        told
    }

    fn tell(&mut self, action: Action<u64>) -> String {
        let plain = |ticket: Ticket| ticket.to_string().trim_start_matches('#').to_owned();
        match action {
            Action::Open { session, trigger } => {
                let name = char::from(b'a' + self.names.len() as u8).to_string();
                self.names.insert(session, name.clone());
                format!("open {name} for {trigger}")
            }
            Action::Begin { session, trigger } => {
                let name = char::from(b'a' + self.names.len() as u8).to_string();
                self.names.insert(session, name.clone());
                format!("begin {name} for {trigger}")
            }
            Action::Grant { ticket, lease } => {
                let name = self.names[&lease.session].clone();
                self.leases.push((name.clone(), lease));
                format!("grant {name} to {}", plain(ticket))
            }
            Action::Refuse { ticket, why } => format!("refuse {} ({})", plain(ticket), short(&why)),
            Action::Retire { session, reason } => format!("retire {} ({reason})", self.names[&session]),
            Action::Cancel { session } => format!("cancel {}", self.names[&session]),
            Action::Forget => "forget".to_owned(),
            Action::CloseCrawl => "close crawl".to_owned(),
        }
    }
}

fn short(why: &Refusal) -> String {
    match why {
        Refusal::NoSession => "no-session".to_owned(),
        Refusal::RestsTooLong => "rests too long".to_owned(),
        Refusal::BadInits { retry_after: None } => "bad-inits".to_owned(),
        Refusal::BadInits { retry_after: Some(after) } => format!("bad-inits, {}", after.as_secs()),
        Refusal::LeftAlone => "left alone".to_owned(),
        Refusal::BadInit => "bad-init".to_owned(),
        Refusal::Banned { retry_after } => format!("banned, {}", retry_after.unwrap_or_default().as_secs()),
        Refusal::Unavailable { retry_after } => format!("unavailable, {}", retry_after.unwrap_or_default().as_secs()),
        Refusal::Closed(reason) => format!("closed: {reason}"),
        Refusal::PoolClosed(reason) => format!("pool closed: {reason}"),
        Refusal::Budget => "budget".to_owned(),
        Refusal::Domain(reason) => format!("domain: {reason}"),
    }
}
