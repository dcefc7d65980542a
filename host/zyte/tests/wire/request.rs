//! What we send.

use carousel_engine::Transport as _;
use carousel_zyte::{ZyteApi, ZyteOptions};
use serde_json::json;

use crate::server::{Server, Step};
use crate::{KEY, json_reply, options, params};

#[tokio::test]
async fn a_call_looks_like_this_on_the_wire() {
    let server = Server::start(vec![vec![Step::Reply(json_reply("{}"))]]).await;
    let options = ZyteOptions { user_agent_suffix: Some("shop-crawl/2".to_owned()), ..options(&server) };
    let params = json!({"url": "https://example.com/ a?b=c d&e=ñ#frag x", "n": 1.0, "echoData": " ñ", "a": null});
    ZyteApi::new(options).unwrap().send(params.as_object().unwrap()).await.unwrap();

    let body = r#"{"url":"https://example.com/%20a?b=c%20d&e=%C3%B1#frag%20x","n":1.0,"echoData":" ñ","a":null}"#;
    let expected = format!(
        "POST /v1/extract HTTP/1.1\r\n\
         user-agent: carousel/{} shop-crawl/2\r\n\
         accept-encoding: br, gzip\r\n\
         content-type: application/json\r\n\
         authorization: Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6\r\n\
         accept: */*\r\n\
         host: {}\r\n\
         content-length: {}\r\n\
         \r\n{body}",
        env!("CARGO_PKG_VERSION"),
        server.host(),
        body.len(),
    );
    assert_eq!(server.requests(), [(0, expected)]);
}

#[tokio::test]
async fn calls_share_one_kept_connection() {
    let server = Server::start(vec![vec![Step::Reply(json_reply("{}")), Step::Reply(json_reply("{}"))]]).await;
    let api = crate::api(&server);
    for _ in 0..2 {
        api.send(&params()).await.unwrap();
    }
    assert_eq!(server.connections(), [0, 0]);
}

#[tokio::test]
async fn the_key_is_printed_nowhere() {
    let server = Server::start(vec![vec![Step::Close]]).await;
    let api = crate::api(&server);
    let error = api.send(&params()).await.unwrap_err();
    let printed = format!("{api:?} {api:#?} {error:?} {error}");
    for secret in [KEY, &KEY[..8], "MDEyMzQ1"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("Sensitive"), "{printed}");
}

#[tokio::test]
async fn what_cannot_stand_in_a_header_is_refused_before_anything_is_sent() {
    let server = Server::start(vec![]).await;
    let options = ZyteOptions { user_agent_suffix: Some("a\r\nb".to_owned()), ..options(&server) };
    assert_eq!(ZyteApi::new(options).unwrap_err(), carousel_zyte::ZyteError::BadUserAgent);
}
