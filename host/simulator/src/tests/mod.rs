//! The simulator as its callers see it, in virtual time.

mod course;
mod faults;
mod fuzz;
mod sessions;
mod sites;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::{ApiCall, FaultRule, Reply, Simulator, SimulatorOptions};

/// The id of a session, by a small number.
fn session_id(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

/// A client that knows how to ask and how to read.
struct Client {
    simulator: Simulator,
    now: Duration,
}

impl Client {
    fn new(options: SimulatorOptions) -> Self {
        Self { simulator: Simulator::new(options), now: Duration::ZERO }
    }

    fn wait(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
    }

    fn send(&mut self, request: &Value) -> Reply<Map<String, Value>> {
        self.simulator.extract(self.now, request.as_object().unwrap())
    }

    /// Sends a request that must be answered with 200.
    fn ok(&mut self, request: &Value) -> Map<String, Value> {
        let reply = self.send(request);
        assert_eq!(reply.status, 200, "{request} {:?}", reply.body);
        reply.body
    }

    /// Sends a request and gives status and problem type in one line.
    fn outcome(&mut self, request: &Value) -> String {
        let reply = self.send(request);
        match reply.body.get("type").and_then(Value::as_str) {
            Some(kind) => format!("{} {kind}", reply.status),
            None => reply.status.to_string(),
        }
    }

    fn call(&mut self, method: &str, path: &str, key: Option<&str>, body: &str) -> Reply {
        let header = key.map(|key| format!("Basic {}", STANDARD.encode(format!("{key}:"))));
        self.simulator.handle(self.now, ApiCall { method, path, authorization: header.as_deref(), body: body.as_bytes() })
    }
}

/// A client of a simulator with faults.
fn client(faults: &str) -> Client {
    Client::new(SimulatorOptions { faults: FaultRule::read_list(faults).unwrap(), ..SimulatorOptions::default() })
}

/// A header of a reply.
fn header<'a, B>(reply: &'a Reply<B>, name: &str) -> Option<&'a str> {
    let found = reply.headers.iter().find(|(known, _)| known == name)?;
    Some(&found.1)
}

/// The page of an answer.
fn page(answer: &Map<String, Value>) -> String {
    if let Some(html) = answer.get("browserHtml") {
        return html.as_str().unwrap().to_owned();
    }
    let body = answer["httpResponseBody"].as_str().unwrap();
    String::from_utf8(STANDARD.decode(body).unwrap()).unwrap()
}
