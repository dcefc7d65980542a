//! What goes over the wire and what comes of what comes back, against a server on this machine that is scripted byte by byte.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test may panic")]

mod answers;
mod connections;
mod errors;
mod memory;
mod proxy;
mod redirects;
mod request;
mod server;

use carousel_core::exchange::{Answer, CallError, Object};
use carousel_engine::Transport as _;
use carousel_zyte::{ApiKey, ZyteApi, ZyteOptions};
use serde_json::json;
use server::{Server, Step};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn options(server: &Server) -> ZyteOptions {
    ZyteOptions { url: server.url(), ..ZyteOptions::new(ApiKey::new(KEY).unwrap()) }
}

fn api(server: &Server) -> ZyteApi {
    ZyteApi::new(options(server)).unwrap()
}

fn params() -> Object {
    json!({"url": "https://a.example/", "browserHtml": true}).as_object().cloned().unwrap()
}

/// One call to a server whose only connection gives this reply.
async fn call(reply: impl Into<Vec<u8>>) -> Result<Answer, CallError> {
    let server = Server::start(vec![vec![Step::Reply(reply.into())]]).await;
    api(&server).send(&params()).await
}

/// A reply of HTTP/1.1: status line and headers, then the body with its length.
fn reply(head: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut reply = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    reply.extend_from_slice(body);
    reply
}

fn json_reply(body: impl AsRef<[u8]>) -> Vec<u8> {
    reply("200 OK\r\nContent-Type: application/json", body)
}
