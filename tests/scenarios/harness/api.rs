//! A Zyte API that answers as a scenario says, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::reply::Reply;

/// What a call is for. A call without `echoData` initialises a session; crawled requests have theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Init,
    Use,
}

/// One call of the API.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    /// Counted from 1 among the calls of its kind.
    pub(crate) nth: usize,
    pub(crate) body: Value,
    pub(crate) authorization: String,
}

impl Call {
    pub(crate) fn url(&self) -> &str {
        self.body["url"].as_str().unwrap_or_default()
    }

    pub(crate) fn session(&self) -> &str {
        self.body["session"]["id"].as_str().unwrap_or_default()
    }
}

type Rules = dyn Fn(&Call) -> Reply + Send + Sync;

/// The server. Its threads end with the test process, or when their connections do.
pub(crate) struct Api {
    /// The base address, with the final slash.
    pub(crate) url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Api {
    /// Answers by rules. They run in the thread of the connection, so they may wait at a gate.
    pub(crate) fn start(rules: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let calls = Arc::default();
        let (log, rules): (Arc<Mutex<Vec<Call>>>, Arc<Rules>) = (Arc::clone(&calls), Arc::new(rules));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, rules) = (Arc::clone(&log), Arc::clone(&rules));
                std::thread::spawn(move || serve(stream, &log, &*rules));
            }
        });
        Self { url, calls }
    }

    /// All calls so far, in the order of their arrival.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// The calls of one kind.
    pub(crate) fn calls_of(&self, kind: Kind) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.kind == kind).collect()
    }
}

/// Answers the requests of one connection until the client closes it.
fn serve(stream: TcpStream, log: &Mutex<Vec<Call>>, rules: &Rules) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some((authorization, body)) = read_request(&mut reader) {
        let call = enter(log, authorization, body);
        let (status, content_type, text) = rules(&call).render(&call);
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nrequest-id: r{}\r\n\r\n",
            text.len(),
            call.nth
        );
        if writer.write_all((head + &text).as_bytes()).is_err() {
            return;
        }
    }
}

fn enter(log: &Mutex<Vec<Call>>, authorization: String, body: Value) -> Call {
    let mut log = log.lock().unwrap();
    let kind = if body.get("echoData").is_some() { Kind::Use } else { Kind::Init };
    let nth = 1 + log.iter().filter(|call| call.kind == kind).count();
    let call = Call { kind, nth, body, authorization };
    log.push(call.clone());
    call
}

/// The `Authorization` header and the JSON body of the next request; nothing when the connection ends.
fn read_request(reader: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let (mut length, mut authorization) = (0, String::new());
    let mut lines = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        lines += 1;
        if line.trim().is_empty() && lines > 1 {
            break;
        }
        match line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim())) {
            Some((name, value)) if name == "content-length" => length = value.parse().unwrap(),
            Some((name, value)) if name == "authorization" => value.clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((authorization, serde_json::from_slice(&body).expect("a call has a JSON body")))
}
