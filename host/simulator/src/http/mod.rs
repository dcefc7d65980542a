//! The HTTP face: the pure core behind a socket, with a clock.
//!
//! Besides what the API has there are `GET /simulator/report` (the meters), `GET /simulator/openapi.yaml` (what can be asked, as an
//! OpenAPI document) and `POST /simulator/reset`, all without a key.

mod body;

use std::future::Future;
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};

use body::{Body, half, whole};

use crate::problem::Problem;
use crate::schema::MAX_BODY_BYTES;
use crate::simulator::{ApiCall, Reply, Simulator, WireFault};

/// How long open connections may take to finish after the shutdown began.
const FAREWELL: Duration = Duration::from_secs(2);

/// Time scales that make sense; any other counts as 1.
pub const TIME_SCALES: RangeInclusive<f64> = 0.001..=1e9;

/// How long to wait when a connection cannot be accepted, for instance because too many are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers that are shorter than this are sent as they are.
const COMPRESS_FROM_BYTES: u64 = 256;

/// A simulator that several connections share, with the clock that gives it the time.
#[derive(Clone, Debug)]
pub struct SharedSimulator {
    simulator: Arc<Mutex<Simulator>>,
    started: Instant,
    time_scale: f64,
}

impl SharedSimulator {
    /// Shares a simulator; its time zero is now.
    pub fn new(simulator: Simulator) -> Self {
        let scale = simulator.options().time_scale;
        let is_usable = TIME_SCALES.contains(&scale);
        Self {
            time_scale: if is_usable { scale } else { 1.0 },
            simulator: Arc::new(Mutex::new(simulator)),
            started: Instant::now(),
        }
    }

    /// Lends the simulator for the length of a call.
    pub fn with<T>(&self, work: impl FnOnce(&mut Simulator, Duration) -> T) -> T {
        let now = self.started.elapsed().mul_f64(self.time_scale);
        // A panic elsewhere leaves the counters of one call half done: good enough to go on.
        let mut simulator = self.simulator.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut simulator, now)
    }

    fn in_real_time(&self, latency: Duration) -> Duration {
        latency.div_f64(self.time_scale)
    }
}

/// Serves the simulator until `shutdown` is ready, then lets open connections finish for two seconds. Dropping the future
/// closes the listener and all connections at once.
pub async fn serve(listener: TcpListener, simulator: SharedSimulator, shutdown: impl Future<Output = ()>) {
    let farewell = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(converse(stream, simulator.clone(), farewell.watcher()));
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(FAREWELL, farewell.shutdown()).await.is_err() {
        tracing::debug!("connections cut off at shutdown");
    }
}

async fn converse(stream: TcpStream, simulator: SharedSimulator, watcher: Watcher) {
    // Small answers must not wait for each other's acknowledgements; without it they are only slower.
    let _ = stream.set_nodelay(true);
    let service = ServiceBuilder::new()
        .layer(CompressionLayer::new().quality(tower_http::CompressionLevel::Fastest).compress_when(
            SizeAbove::new(COMPRESS_FROM_BYTES).and(
                |_: StatusCode, _: hyper::Version, _: &hyper::HeaderMap, extensions: &hyper::http::Extensions| {
                    extensions.get::<Uncompressed>().is_none()
                },
            ),
        ))
        .service(tower::service_fn(move |request| answer(request, simulator.clone())));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "connection ended");
    }
}

/// Marks answers whose bytes must reach the wire as they are.
#[derive(Clone, Copy)]
struct Uncompressed;

async fn answer(request: Request<Incoming>, simulator: SharedSimulator) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    if let Some(operation) = Own::at(head.uri.path()) {
        return if head.method == operation.method() {
            Ok(operation.carry_out(&simulator))
        } else {
            let allowed = operation.method();
            respond(simulator.with(|it, now| it.turn_away(now, Problem::method_not_allowed(allowed))))
        };
    }
    let patience = simulator.with(|it, _| it.options().body_timeout);
    let Ok(body) = tokio::time::timeout(patience, read(body)).await else {
        let problem = Problem::of_status(408, "the body of the request did not arrive in time");
        let mut reply = simulator.with(|it, now| it.turn_away(now, problem));
        reply.headers.push(("connection".to_owned(), "close".to_owned()));
        return respond(reply);
    };
    let body = body?;
    let authorization = head.headers.get(AUTHORIZATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let call =
        ApiCall { method: head.method.as_str(), path: head.uri.path(), authorization: authorization.as_deref(), body: &body };
    let reply = simulator.with(|it, now| it.handle(now, call));
    let pause = simulator.in_real_time(reply.latency);
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    respond(reply)
}

/// What the simulator offers beside the API.
#[derive(Clone, Copy)]
enum Own {
    Report,
    Reset,
    OpenApi,
}

impl Own {
    fn at(path: &str) -> Option<Self> {
        match path {
            "/simulator/report" => Some(Self::Report),
            "/simulator/reset" => Some(Self::Reset),
            "/simulator/openapi.yaml" => Some(Self::OpenApi),
            _ => None,
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Report | Self::OpenApi => "GET",
            Self::Reset => "POST",
        }
    }

    fn carry_out(self, simulator: &SharedSimulator) -> Response<Body> {
        match self {
            Self::Report => text("application/json", simulator.with(|it, _| it.report()).to_string()),
            Self::OpenApi => text("application/yaml", crate::OPENAPI.to_owned()),
            Self::Reset => {
                simulator.with(|it, _| it.reset());
                text("application/json", "{}".to_owned())
            }
        }
    }
}

/// Reads a body, but not much more than what is allowed.
async fn read(mut body: Incoming) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > MAX_BODY_BYTES {
            break;
        }
    }
    Ok(bytes)
}

fn respond(reply: Reply) -> Result<Response<Body>, io::Error> {
    if reply.fault == Some(WireFault::Drop) {
        // An error of the service makes hyper close the connection without a word.
        return Err(io::Error::other("dropped on purpose"));
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    if reply.fault == Some(WireFault::Truncate) {
        response = response.extension(Uncompressed).header("content-length", reply.body.len());
        return response.body(half(&reply.body)).map_err(io::Error::other);
    }
    response.body(whole(reply.body.into())).map_err(io::Error::other)
}

fn text(content_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(whole(text.into()));
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static(content_type));
    response
}
