//! The HTTP face over loopback, seen by a client that reads every byte itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::io::Read as _;
use std::net::SocketAddr;
use std::time::Duration;

use carousel_simulator::{FaultRule, Latency, SharedSimulator, Simulator, SimulatorOptions, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A simulator that listens.
struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(options: SimulatorOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let simulator = SharedSimulator::new(Simulator::new(options));
        let task = tokio::spawn(serve(listener, simulator, async {
            let _ = stopped.await;
        }));
        Self { address, stop, task }
    }

    async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }
}

/// A connection.
struct Client(TcpStream);

/// An answer as it came over the wire.
#[derive(Debug)]
struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn status(&self) -> u16 {
        self.head[9..12].parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

const KEY: &str = "Authorization: Basic a2V5Og==\r\n";

impl Client {
    async fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len());
        self.0.write_all(request.as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.send(method, path, headers, body).await;
        self.read().await.expect("an answer")
    }

    async fn extract(&mut self, url: &str, headers: &str) -> Answer {
        let body = format!(r#"{{"url": "{url}", "browserHtml": true}}"#);
        let headers = format!("{KEY}{headers}");
        self.ask("POST", "/v1/extract", &headers, &body).await
    }

    /// Reads one answer; `None` if the connection closes before the answer is complete.
    async fn read(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let mut answer = Answer { head: String::from_utf8(head).unwrap(), body: Vec::new() };
        match answer.header("content-length") {
            Some(length) => {
                answer.body.resize(length.parse().unwrap(), 0);
                self.0.read_exact(&mut answer.body).await.ok()?;
            }
            None => answer.body = self.read_chunks().await?,
        }
        Some(answer)
    }

    async fn read_chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut size = Vec::new();
            while !size.ends_with(b"\r\n") {
                size.push(self.0.read_u8().await.ok()?);
            }
            let size = std::str::from_utf8(&size).unwrap().trim();
            let size = usize::from_str_radix(size, 16).unwrap();
            let mut chunk = vec![0; size + 2];
            self.0.read_exact(&mut chunk).await.ok()?;
            if size == 0 {
                return Some(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
}

#[tokio::test]
async fn route_and_method_are_checked_before_the_key() {
    let server = Server::start(SimulatorOptions::default()).await;
    let mut client = server.connect().await;
    for (method, path, headers, status) in [
        ("GET", "/v1/extract", "", 405),
        ("POST", "/extract", "", 404),
        ("POST", "/v1/extract", "", 401),
        ("POST", "/v1/extract", KEY, 400),
    ] {
        let answer = client.ask(method, path, headers, "").await;
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(answer.json()["status"], status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("request-id").is_some());
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = Server::start(SimulatorOptions::default()).await;
    let mut client = server.connect().await;
    for page in 0..50 {
        let url = format!("https://shop.example/p/{page}");
        let answer = client.extract(&url, "").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json()["url"], url);
    }
}

#[tokio::test]
async fn answers_are_compressed_when_the_client_accepts_it() {
    let server = Server::start(SimulatorOptions::default()).await;
    let mut client = server.connect().await;
    let plain = client.extract("https://shop.example/p/1", "").await;
    assert_eq!(plain.header("content-encoding"), None);

    let brotli = client.extract("https://shop.example/p/1", "Accept-Encoding: br\r\n").await;
    assert_eq!(brotli.header("content-encoding"), Some("br"));
    let mut unpacked = Vec::new();
    brotli::Decompressor::new(&brotli.body[..], 4_096).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);

    let gzip = client.extract("https://shop.example/p/1", "Accept-Encoding: gzip\r\n").await;
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert!(gzip.body.starts_with(&[0x1f, 0x8b]) && gzip.body.len() < plain.body.len());
}

#[tokio::test]
async fn broken_connections_are_broken_and_the_next_one_works() {
    let faults = r#"[{"nth": [1], "connection": "drop"}]"#;
    let server =
        Server::start(SimulatorOptions { faults: FaultRule::read_list(faults).unwrap(), ..SimulatorOptions::default() }).await;
    let body = r#"{"url": "https://shop.example/", "browserHtml": true}"#;

    let mut dropped = server.connect().await;
    dropped.send("POST", "/v1/extract", KEY, body).await;
    let mut bytes = Vec::new();
    dropped.0.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes, b"", "not one byte of an answer");

    let mut cut = server.connect().await;
    let headers = format!("{KEY}Accept-Encoding: br\r\n");
    let truncated = body.replace("shop.example", "truncated.example");
    cut.send("POST", "/v1/extract", &headers, &truncated).await;
    let mut bytes = Vec::new();
    let _ = cut.0.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    let (head, rest) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"));
    let length = head.split("content-length: ").nth(1).unwrap();
    let length: usize = length.lines().next().unwrap().parse().unwrap();
    assert_eq!(rest.len(), length / 2);
    assert!(rest.starts_with("{\"url\""));

    let mut client = server.connect().await;
    let answer = client.extract("https://wrong-type.example/", "").await;
    assert_eq!((answer.status(), answer.header("content-type")), (200, Some("text/html")));
    let answer = client.extract("https://shop.example/", "").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn the_meters_can_be_read_and_reset() {
    let server = Server::start(SimulatorOptions::default()).await;
    let mut client = server.connect().await;
    client.extract("https://shop.example/", "").await;
    let report = client.ask("GET", "/simulator/report", "", "").await;
    assert_eq!(report.json()["billed"]["hosts"]["shop.example"], 1);
    let reset = client.ask("POST", "/simulator/reset", "", "").await;
    assert_eq!(reset.status(), 200);
    let report = client.ask("GET", "/simulator/report", "", "").await;
    assert_eq!(report.json()["billed"]["total"], 0);
}

#[tokio::test]
async fn a_body_beyond_5_mib_is_refused_without_reading_it_all() {
    let server = Server::start(SimulatorOptions::default()).await;
    let mut client = server.connect().await;
    let head = format!("POST /v1/extract HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n{KEY}\r\n");
    client.0.write_all(head.as_bytes()).await.unwrap();
    client.0.write_all(&vec![b' '; 5 * 1024 * 1024 + 1]).await.unwrap();
    assert_eq!(client.read().await.unwrap().status(), 413);
}

#[tokio::test]
async fn latency_shrinks_with_the_time_scale() {
    // A day, were it real: the test would not end.
    let server = Server::start(SimulatorOptions {
        time_scale: 10_000_000.0,
        latency: Latency { browser: Duration::from_secs(86_400), ..Latency::default() },
        ..SimulatorOptions::default()
    })
    .await;
    let mut client = server.connect().await;
    let answer = client.extract("https://shop.example/", "").await;
    assert_eq!(answer.status(), 200);
    let report = client.ask("GET", "/simulator/report", "", "").await;
    assert_eq!(report.json()["billed"]["modes"]["browser"], 1);
}

#[tokio::test]
async fn a_shutdown_ends_idle_connections() {
    let server = Server::start(SimulatorOptions::default()).await;
    let mut client = server.connect().await;
    assert_eq!(client.extract("https://shop.example/", "").await.status(), 200);
    server.stop.send(()).unwrap();
    server.task.await.unwrap();
    assert!(client.read().await.is_none());
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_answered_with_408() {
    let options = SimulatorOptions { body_timeout: Duration::from_millis(50), ..SimulatorOptions::default() };
    let server = Server::start(options).await;
    for sent in ["", "{\"url\": "] {
        let mut client = server.connect().await;
        let head = format!("POST /v1/extract HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n{KEY}\r\n{sent}");
        client.0.write_all(head.as_bytes()).await.unwrap();
        let answer = client.read().await.expect("an answer");
        assert_eq!((answer.status(), answer.json()["title"].as_str()), (408, Some("HTTP 408 Request Timeout")), "{sent:?}");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(client.0.read(&mut [0]).await.unwrap(), 0, "the connection is closed");
    }
    let report = server.connect().await.ask("GET", "/simulator/report", "", "").await.json();
    assert_eq!(report["requests"]["statuses"], serde_json::json!({"408": 2}));
}

#[tokio::test]
async fn what_is_beside_the_api_has_one_method_each_and_a_document() {
    let server = Server::start(SimulatorOptions::default()).await;
    let mut client = server.connect().await;
    for (path, method, other) in
        [("/simulator/report", "GET", "POST"), ("/simulator/openapi.yaml", "GET", "PUT"), ("/simulator/reset", "POST", "GET")]
    {
        assert_eq!(client.ask(method, path, "", "").await.status(), 200, "{path}");
        let refused = client.ask(other, path, "", "").await;
        assert_eq!((refused.status(), refused.header("allow")), (405, Some(method)), "{path}");
    }
    let document = client.ask("GET", "/simulator/openapi.yaml", "", "").await;
    assert!(document.body.starts_with(b"openapi: 3.0.3"));
    assert_eq!(document.header("content-type"), Some("application/yaml"));
}
