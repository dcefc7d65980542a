//! The simulator as an engine's transport: no sockets, and with tokio's paused clock no real time either, so that a whole crawl
//! replays from a seed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carousel_core::exchange::{Answer, CallError, NetworkError, Object, Problem};
use carousel_engine::{SimulatedSleep, Transport};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::simulator::{Reply, Simulator, WireFault};

/// A simulator behind the port of the engine. Clones share it. Its time is tokio's, from its making on.
#[derive(Clone, Debug)]
pub struct InProcess {
    simulator: Arc<Mutex<Simulator>>,
    started: Instant,
    key: Option<Arc<str>>,
    sleep: SimulatedSleep,
}

impl InProcess {
    /// Takes a simulator; its time zero is now.
    pub fn new(simulator: Simulator) -> Self {
        Self { simulator: Arc::new(Mutex::new(simulator)), started: Instant::now(), key: None, sleep: SimulatedSleep::default() }
    }

    /// Sends an API key with each request, which the simulator may refuse. Without it no key is asked for.
    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Its time goes on while the machine of the engine sleeps.
    #[must_use]
    pub fn with_sleep(self, sleep: SimulatedSleep) -> Self {
        Self { sleep, ..self }
    }

    /// What happened so far, as [`Simulator::report`] tells it.
    pub fn report(&self) -> Value {
        self.lock().report()
    }

    /// Answers that were charged so far, as in the report.
    pub fn billed(&self) -> u64 {
        self.lock().billed()
    }

    fn lock(&self) -> MutexGuard<'_, Simulator> {
        self.simulator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for InProcess {
    async fn send(&self, params: &Object) -> Result<Answer, CallError> {
        let reply = self.lock().extract_with_key(self.started.elapsed() + self.sleep.slept(), self.key.as_deref(), params);
        tokio::time::sleep(reply.latency).await;
        received(reply)
    }
}

fn received(reply: Reply<Map<String, Value>>) -> Result<Answer, CallError> {
    match reply.fault {
        Some(WireFault::Drop | WireFault::Truncate) => {
            return Err(CallError::Network(NetworkError::Broken("the simulator cut it".to_owned())));
        }
        Some(WireFault::WrongContentType) => return Err(CallError::Network(NetworkError::NotJson("text/html".to_owned()))),
        None => {}
    }
    let header = |name: &str| reply.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let request_id = header("request-id");
    let body = Value::Object(reply.body);
    if reply.status == 200 {
        return Answer::parse(body.to_string(), request_id.as_deref()).map_err(|error| CallError::BadAnswer(error.to_string()));
    }
    let text = |member: &str| body.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    Err(CallError::Api(Box::new(Problem {
        status: reply.status,
        kind: text("type"),
        title: text("title"),
        detail: text("detail"),
        request_id,
        retry_after: header("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs),
        body: body.to_string(),
    })))
}
