//! Error answers, silence and closed doors.

use std::time::Duration;

use carousel_core::exchange::{CallError, NetworkError, Problem};
use carousel_engine::Transport as _;
use carousel_zyte::{ApiKey, ZyteApi, ZyteOptions};

use crate::server::{Server, Step};
use crate::{KEY, call, options, params, reply};

async fn problem(head: &str, body: impl AsRef<[u8]>) -> Problem {
    match call(reply(head, body)).await.unwrap_err() {
        CallError::Api(problem) => *problem,
        error @ (CallError::Network(_) | CallError::BadAnswer(_)) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_problem_document_is_told_whole() {
    let body = r#"{"type":"/problem/session-expired","title":"Session has expired","status":422,"detail":"d"}"#;
    let told = problem("422 X\r\nContent-Type: application/problem+json\r\nRequest-Id: r-2\r\nRetry-After: 60", body).await;
    assert_eq!(
        told,
        Problem {
            status: 422,
            kind: "/problem/session-expired".to_owned(),
            title: "Session has expired".to_owned(),
            detail: "d".to_owned(),
            request_id: Some("r-2".to_owned()),
            retry_after: Some(Duration::from_secs(60)),
            body: body.to_owned(),
        }
    );
}

#[tokio::test]
async fn an_error_without_a_problem_document_is_told_by_its_status() {
    for (head, body) in [
        ("520 X", ""),
        ("502 Bad Gateway\r\nContent-Type: text/html", "<html>"),
        ("402 X\r\nContent-Type: application/json", r#"{"x402Version":1,"error":"pay"}"#),
        ("500 X\r\nContent-Type: application/problem+json", r#"{"type":"#),
        ("500 X\r\nContent-Type: application/problem+json", "[1]"),
        ("500 X\r\nContent-Type: application/problem+json", r#"{"type":7,"title":null,"detail":{}}"#),
        ("201 Created\r\nContent-Type: application/json", "{}"),
        ("418 X\r\nContent-Encoding: gzip", ""),
    ] {
        let status = head[..3].parse().unwrap();
        let expected = Problem { status, kind: "about:blank".to_owned(), body: body.to_owned(), ..Problem::default() };
        assert_eq!(problem(head, body).await, expected, "{head}");
    }
}

#[tokio::test]
async fn the_type_counts_whatever_the_content_type_is() {
    let told = problem("429 X\r\nContent-Type: text/plain", r#"{"type":"/limits/over-user-limit"}"#).await;
    assert_eq!(told.kind, "/limits/over-user-limit");
}

#[tokio::test]
async fn retry_after_is_whole_seconds_or_nothing() {
    for (value, seconds) in [
        ("0", Some(0)),
        ("60", Some(60)),
        (" 7 ", Some(7)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-1", None),
        ("1.5", None),
        ("99999999999999999999", None),
        ("", None),
    ] {
        let told = problem(&format!("503 X\r\nRetry-After: {value}"), "").await;
        assert_eq!(told.retry_after, seconds.map(Duration::from_secs), "{value:?}");
    }
}

#[tokio::test]
async fn an_error_body_is_kept_up_to_64_kib() {
    assert_eq!(problem("500 X", "x".repeat(100_000)).await.body.len(), 65_536);
    let cut = call("HTTP/1.1 500 X\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap_err();
    assert_eq!(cut.problem().unwrap().body, "half");
}

#[tokio::test]
async fn silence_is_a_timeout_before_and_within_an_answer() {
    let timeout = Duration::from_millis(50);
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{".to_vec();
    for script in [vec![Step::Silence], vec![Step::Reply(head), Step::Silence]] {
        let server = Server::start(vec![script]).await;
        let api = ZyteApi::new(ZyteOptions { timeout, ..options(&server) }).unwrap();
        let error = api.send(&params()).await.unwrap_err();
        assert_eq!(error, CallError::Network(NetworkError::Timeout(timeout)));
        // The server sees that the call was given up.
        server.closed().await;
    }
}

#[tokio::test]
async fn a_closed_door_is_a_failed_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let api = ZyteApi::new(ZyteOptions { url, ..ZyteOptions::new(ApiKey::new(KEY).unwrap()) }).unwrap();
    let error = api.send(&params()).await.unwrap_err();
    assert!(matches!(error, CallError::Network(NetworkError::Connect(_))), "{error:?}");
    assert!(error.to_string().contains("refused") && !error.to_string().contains("sending request"), "{error}");
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_a_failed_connection() {
    // Takes connections and says nothing, so the TLS handshake never ends.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let key = ApiKey::new(KEY).unwrap();
    let options = ZyteOptions { url, connect_timeout: Duration::from_millis(50), ..ZyteOptions::new(key) };
    let error = ZyteApi::new(options).unwrap().send(&params()).await.unwrap_err();
    assert_eq!(error, CallError::Network(NetworkError::Connect("no connection within 0.05 s".to_owned())));
}

#[tokio::test]
async fn what_is_no_http_is_a_broken_connection() {
    for bytes in ["SSH-2.0-x\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"] {
        let error = call(bytes).await.unwrap_err();
        assert!(matches!(error, CallError::Network(NetworkError::Broken(_))), "{error:?}");
    }
}

#[tokio::test]
async fn the_key_is_hidden_in_whatever_the_api_says_of_it() {
    let basic = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6";
    let body = format!(r#"{{"type":"/auth/{KEY}","title":"no {basic}","detail":"{KEY} is no key, nor is Basic {basic}"}}"#);
    for reply in [
        reply("401 X\r\nRequest-Id: of-0123456789ABCDEF0123456789ABCDEF", body),
        reply("500 X", format!("<p>{KEY} {basic}")),
        reply(&format!("307 X\r\nLocation: /?key={KEY}"), ""),
        reply(&format!("200 OK\r\nContent-Type: text/{KEY}"), ""),
        reply("200 OK\r\nContent-Type: application/json", format!("{{\"{KEY}")),
    ] {
        let error = call(reply).await.unwrap_err();
        let told = format!("{error} {error:?}").to_lowercase();
        assert!(!told.contains(KEY) && !told.contains(&basic.to_lowercase()), "{told}");
    }
}
