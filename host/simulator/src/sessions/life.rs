//! One session alive: what it keeps and when it ends.

use std::time::Duration;

use crate::ask::Mode;
use crate::cookies::Jar;
use crate::options::SessionRules;

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It reached its greatest age.
    Age,
    /// It was not used for too long.
    Idle,
    /// Too many bans in a row.
    Bans,
    /// A scripted fault.
    Script,
}

/// A session alive.
#[derive(Debug)]
pub(crate) struct Session {
    created: Duration,
    last_use: Duration,
    born: Mode,
    /// The address that sites see.
    pub(crate) address: String,
    /// The geolocation of the first request.
    pub(crate) geolocation: Option<String>,
    /// Bans since the last page that was served.
    pub(crate) bans_in_a_row: u32,
    /// Requests so far, this one included.
    pub(crate) uses: u32,
    /// The cookies, shared by browser and HTTP requests.
    pub(crate) jar: Jar,
    /// What hosts have seen of it.
    pub(crate) visits: Visits,
}

/// What hosts have seen of a session: one entry for each host that it was used on.
#[derive(Debug, Default)]
pub(crate) struct Visits(Vec<Seen>);

/// What one host has seen of a session.
#[derive(Debug)]
struct Seen {
    host: String,
    count: u32,
    last: Duration,
}

impl Visits {
    /// Notes a visit of a host; gives the count of visits, this one included, and the time since the one before.
    pub(crate) fn visit(&mut self, host: &str, now: Duration) -> (u32, Option<Duration>) {
        if let Some(known) = self.0.iter_mut().find(|it| it.host == host) {
            let pause = now.saturating_sub(known.last);
            known.count += 1;
            known.last = now;
            return (known.count, Some(pause));
        }
        self.0.push(Seen { host: host.to_owned(), count: 1, last: now });
        (1, None)
    }
}

impl Session {
    /// Starts a session with its first use.
    pub(crate) fn new(born: Mode, geolocation: Option<&str>, address: String, now: Duration) -> Self {
        Self {
            created: now,
            last_use: now,
            born,
            address,
            geolocation: geolocation.map(str::to_owned),
            bans_in_a_row: 0,
            uses: 1,
            jar: Jar::default(),
            visits: Visits::default(),
        }
    }

    /// Tells whether its first request was an HTTP request.
    pub(crate) fn is_http_born(&self) -> bool {
        self.born == Mode::Http
    }

    /// Notes a use.
    pub(crate) fn touch(&mut self, now: Duration) {
        self.last_use = now;
        self.uses += 1;
    }

    /// Says when it ends if nobody uses it again, and why.
    pub(crate) fn deadline(&self, rules: &SessionRules) -> (Duration, End) {
        let by_age = self.created.saturating_add(rules.max_age);
        let by_idle = self.last_use.saturating_add(rules.max_idle);
        if by_age <= by_idle { (by_age, End::Age) } else { (by_idle, End::Idle) }
    }
}
