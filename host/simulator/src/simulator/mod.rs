//! The simulator as callers see it: a call goes in, a reply comes out.

mod course;

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ask::Mode;
use crate::auth;
use crate::chance::Chance;
use crate::faults::{Faults, Strike};
use crate::managed::Managed;
use crate::meters::Meters;
use crate::options::SimulatorOptions;
use crate::problem::Problem;
use crate::schema;
use crate::sessions::Sessions;

/// A call of the API as it comes over HTTP.
#[derive(Clone, Copy, Debug)]
pub struct ApiCall<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The body, uncompressed; more than 5 MiB of it are refused.
    pub body: &'a [u8],
}

/// An answer, with how it travels.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply<B = Vec<u8>> {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body: bytes, or the JSON object itself for callers in the same process.
    pub body: B,
    /// How long the answer takes, in virtual time.
    pub latency: Duration,
    /// How its transport misbehaves, if it does. The content type in `headers` is wrong already where it should be.
    pub fault: Option<WireFault>,
}

/// How the transport of an answer misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WireFault {
    /// The connection closes without an answer.
    Drop,
    /// Half of the body comes, then the connection closes.
    Truncate,
    /// The answer is whole but says `text/html`.
    WrongContentType,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Extract,
    Search,
}

impl Operation {
    fn at(path: &str) -> Result<Self, Problem> {
        match path {
            "/v1/extract" => Ok(Self::Extract),
            "/v1/search" => Ok(Self::Search),
            _ => Err(Problem::of_status(404, "there is only /v1/extract and /v1/search")),
        }
    }
}

/// A Zyte API without a network: see the crate's page for what it does.
///
/// Times are durations since the simulator's start and must not go backwards; a call with an earlier time counts as one at
/// the latest time seen.
#[derive(Debug)]
pub struct Simulator {
    options: SimulatorOptions,
    now: Duration,
    chance: Chance,
    sessions: Sessions,
    managed: Managed,
    faults: Faults,
    meters: Meters,
    /// The current minute and the requests in it.
    minute: (u64, u32),
}

impl Simulator {
    /// Starts a simulator at time zero.
    pub fn new(options: SimulatorOptions) -> Self {
        Self {
            now: Duration::ZERO,
            chance: Chance::new(options.seed),
            sessions: Sessions::new(options.sessions.clone()),
            managed: Managed::new(options.managed.clone()),
            faults: Faults::new(options.faults.clone()),
            meters: Meters::default(),
            minute: (0, 0),
            options,
        }
    }

    /// Starts anew: no sessions, meters at zero, the seed from the beginning. The clock goes on.
    pub fn reset(&mut self) {
        let now = self.now;
        *self = Self::new(self.options.clone());
        self.now = now;
    }

    /// Gives the options that the simulator was made with.
    pub const fn options(&self) -> &SimulatorOptions {
        &self.options
    }

    /// Answers a call at a time.
    pub fn handle(&mut self, now: Duration, call: ApiCall<'_>) -> Reply {
        match self.admit(call) {
            Ok((Operation::Extract, request)) => self.extract(now, &request).into_bytes(),
            Ok((Operation::Search, request)) => self.search(now, &request).into_bytes(),
            Err(problem) => self.turn_away(now, problem),
        }
    }

    /// Answers a call that did not get as far as a request.
    pub(crate) fn turn_away(&mut self, now: Duration, problem: Problem) -> Reply {
        self.pass_time(now);
        self.refuse(problem, Strike::default(), Mode::Http).into_bytes()
    }

    /// Answers an extract request of a trusted caller in the same process: no route, no key, no JSON text.
    pub fn extract(&mut self, now: Duration, request: &Map<String, Value>) -> Reply<Map<String, Value>> {
        self.pass_time(now);
        let mut strike = Strike::default();
        let outcome = self.attempt(request, &mut strike);
        self.settle(outcome, strike, Mode::of(request))
    }

    /// Answers an extract request of a caller in the same process who has a key, which is looked at, or none, which is trusted.
    pub(crate) fn extract_with_key(
        &mut self,
        now: Duration,
        key: Option<&str>,
        request: &Map<String, Value>,
    ) -> Reply<Map<String, Value>> {
        match key.map_or(Ok(()), |key| auth::check_key(key, &self.options)) {
            Ok(()) => self.extract(now, request),
            Err(problem) => {
                self.pass_time(now);
                self.refuse(problem, Strike::default(), Mode::of(request))
            }
        }
    }

    /// Answers a search of a trusted caller in the same process.
    pub fn search(&mut self, now: Duration, request: &Map<String, Value>) -> Reply<Map<String, Value>> {
        self.pass_time(now);
        let mut strike = Strike::default();
        let outcome = self.attempt_search(request, &mut strike);
        self.settle(outcome, strike, Mode::Search)
    }

    fn settle(
        &mut self,
        outcome: Result<(Map<String, Value>, Duration), Problem>,
        strike: Strike,
        mode: Mode,
    ) -> Reply<Map<String, Value>> {
        match outcome {
            Ok((answer, latency)) => {
                self.meters.answered(200, None);
                let headers = self.headers("application/json");
                deliver(200, headers, answer, latency, strike)
            }
            Err(problem) => self.refuse(problem, strike, mode),
        }
    }

    /// Tells what happened so far, as a JSON object: `requests` (statuses, problem types), `billed` (by mode, by part in the
    /// session, by host; `weight` counts a search with many results as several), `sessions` and `managed_sessions`, `pages` and `families` (see [`crate::sites`]), `actions`, `faults`.
    pub fn report(&self) -> Value {
        let mut report = Map::new();
        report.insert("seed".into(), self.options.seed.into());
        report.insert("seconds".into(), json!(self.now.as_secs_f64()));
        report.extend(self.meters.report());
        let sessions = self.sessions.counts.report(self.sessions.active());
        report.insert("sessions".into(), sessions);
        report.insert("managed_sessions".into(), self.managed.report());
        Value::Object(report)
    }

    /// Answers that were charged so far, as in the report.
    pub const fn billed(&self) -> u64 {
        self.meters.billed_total()
    }

    /// Checks everything that needs only the call itself.
    fn admit(&self, call: ApiCall<'_>) -> Result<(Operation, Map<String, Value>), Problem> {
        let operation = Operation::at(call.path)?;
        if call.method != "POST" {
            return Err(Problem::method_not_allowed("POST"));
        }
        auth::authenticate(call.authorization, &self.options)?;
        Ok((operation, schema::parse_body(call.body)?))
    }

    fn pass_time(&mut self, now: Duration) {
        self.now = self.now.max(now);
        self.sessions.advance(self.now, &mut self.chance);
    }

    fn refuse(&mut self, problem: Problem, strike: Strike, mode: Mode) -> Reply<Map<String, Value>> {
        let status = problem.status;
        self.meters.answered(status, Some(&problem.kind));
        let mut headers = self.headers("application/problem+json");
        if status == 401 {
            let (name, value) = auth::CHALLENGE;
            headers.push((name.into(), value.into()));
        }
        if let Some(method) = problem.allow {
            headers.push(("allow".into(), method.into()));
        }
        if let Some(seconds) = problem.retry_after_seconds {
            headers.push(("retry-after".into(), seconds.to_string()));
        }
        let latency = self.latency_of_refusal(status, mode);
        deliver(status, headers, problem.document(), latency, strike)
    }

    fn headers(&mut self, content_type: &str) -> Vec<(String, String)> {
        vec![("content-type".into(), content_type.into()), ("request-id".into(), self.chance.hex128())]
    }
}

/// Puts a reply together and applies what a fault does to it.
fn deliver(
    status: u16,
    mut headers: Vec<(String, String)>,
    body: Map<String, Value>,
    latency: Duration,
    strike: Strike,
) -> Reply<Map<String, Value>> {
    if strike.wire == Some(WireFault::WrongContentType) {
        for (name, value) in &mut headers {
            if name == "content-type" {
                "text/html".clone_into(value);
            }
        }
    }
    Reply { status, headers, body, latency: latency.saturating_add(strike.latency), fault: strike.wire }
}

impl Reply<Map<String, Value>> {
    /// Writes the body as JSON text.
    pub fn into_bytes(self) -> Reply {
        Reply {
            status: self.status,
            headers: self.headers,
            // A JSON object always has a text.
            body: serde_json::to_vec(&self.body).unwrap_or_default(),
            latency: self.latency,
            fault: self.fault,
        }
    }
}
