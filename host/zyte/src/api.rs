//! The transport: makes the HTTP client once, sends calls with it.

use std::time::Duration;

use carousel_core::exchange::{Answer, CallError, Object};
use carousel_engine::Transport;
use hyper::body::Bytes;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Client, Response, Url, redirect};

use crate::answer::Limits;
use crate::deadline::Deadline;
use crate::fault::{network_error, told};
use crate::memory::Room;
use crate::reuse::Answered;
use crate::{ApiKey, Destination, Owner, ZyteError, ZyteOptions, answer, body, problem};

/// How long a connection is kept without a call. Load balancers close theirs after 60 s or later; we want to be first.
const IDLE: Duration = Duration::from_secs(50);

/// Zyte API over HTTP, with a pool of kept-alive connections. One per process and key is enough for any number of calls.
///
/// Calls are made on a Tokio runtime with I/O and time enabled.
#[derive(Debug)]
pub struct ZyteApi {
    client: Client,
    endpoint: Url,
    headers: HeaderMap,
    key: ApiKey,
    timeout: Duration,
    limits: Limits,
    room: Room,
    answered: Answered,
}

impl ZyteApi {
    /// Makes the client; nothing is sent. An error where the base address, the key or the `User-Agent` cannot be used, where the key
    /// would travel unencrypted, or where an `https` address is to be called and the system has no root certificates.
    pub fn new(options: ZyteOptions) -> Result<Self, ZyteError> {
        let destination = options.destination()?;
        let endpoint = destination.endpoint().clone();
        let client = client(&options, &destination)?;
        let headers = headers(&options, &client, &endpoint)?;
        let limits = Limits { bytes: options.max_answer_bytes, connect_timeout: options.connect_timeout };
        let room = Room::new(options.memory.unwrap_or(u64::MAX));
        let (key, timeout) = (options.key, options.timeout);
        Ok(Self { client, endpoint, headers, key, timeout, limits, room, answered: Answered::default() })
    }

    /// The most bytes that answers ever took together, as `memory` of the options counts them.
    pub fn peak_memory(&self) -> u64 {
        self.room.peak()
    }

    /// One call; it is sent again only where a reused connection was closed before it answered.
    async fn call(&self, params: &Object) -> Result<Answer, CallError> {
        let body: Bytes =
            body::write(params).map_err(|error| CallError::BadAnswer(format!("the request is no JSON: {error}")))?.into();
        let mut deadline = Deadline::after(self.timeout);
        let response = deadline.of(self.respond(&body)).await?;
        let response = response.map_err(|error| CallError::Network(network_error(error, self.limits.connect_timeout)))?;
        if response.status().is_redirection() {
            return Err(CallError::Api(Box::new(problem::redirect(&response, &self.endpoint))));
        }
        answer::read(response, self.limits, &self.room, &mut deadline).await
    }

    async fn respond(&self, body: &Bytes) -> reqwest::Result<Response> {
        match self.attempt(body).await {
            Err(error) if self.answered.was_stale(&error) => {
                tracing::debug!("a kept connection was closed, sending the call again");
                self.attempt(body).await
            }
            first => first,
        }
    }

    async fn attempt(&self, body: &Bytes) -> reqwest::Result<Response> {
        let request = self.client.post(self.endpoint.clone()).headers(self.headers.clone());
        let response = request.body(body.clone()).send().await?;
        self.answered.note(&response);
        Ok(response)
    }
}

impl Transport for ZyteApi {
    /// Sends one call and reads its answer within the time limit, in which what it waits for memory does not count. Dropping the future closes the connection it was using; the
    /// API may still finish the work and bill it.
    async fn send(&self, params: &Object) -> Result<Answer, CallError> {
        self.call(params).await.map_err(|error| self.key.hide_in(error))
    }
}

fn client(options: &ZyteOptions, destination: &Destination) -> Result<Client, ZyteError> {
    // Somebody may have chosen a provider for the whole process before us, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = Client::builder()
        .http1_only()
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(options.max_idle_connections)
        // The API has no redirects: whoever sends one is somebody else, or sends the key to somebody else.
        .redirect(redirect::Policy::none());
    // A proxy is another machine, and what is meant for this one may be unencrypted.
    if !options.trust_env || destination.owner() == Owner::Loopback {
        client = client.no_proxy();
    }
    if destination.endpoint().scheme() == "http" {
        // No TLS, so none of the system's certificates has to be read, or to be there at all.
        client = client.tls_certs_only([]);
    }
    client.build().map_err(|error| ZyteError::Client(told(&error)))
}

/// The headers of every call. The one with the key is marked as sensitive, so that nothing prints it.
fn headers(options: &ZyteOptions, client: &Client, endpoint: &Url) -> Result<HeaderMap, ZyteError> {
    let agent = HeaderValue::try_from(options.user_agent()).map_err(|_| ZyteError::BadUserAgent)?;
    let request = client
        .post(endpoint.clone())
        .header(USER_AGENT, agent)
        .header(ACCEPT_ENCODING, "br, gzip")
        .header(CONTENT_TYPE, "application/json")
        .basic_auth(options.key.secret(), Some(""))
        .build();
    request.map(|request| request.headers().clone()).map_err(|error| ZyteError::Client(told(&error.without_url())))
}
