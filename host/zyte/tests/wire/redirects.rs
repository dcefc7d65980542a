//! Redirects, which the API has none of, but a gateway may.

use carousel_engine::Transport as _;

use crate::server::{Server, Step};
use crate::{api, call, json_reply, params, reply};

fn to(status: u16, place: &str) -> Step {
    Step::Reply(reply(&format!("{status} X\r\nLocation: {place}"), ""))
}

fn has_key(request: &str) -> bool {
    request.contains("authorization: Basic ")
}

#[tokio::test]
async fn a_redirect_on_the_same_host_keeps_call_and_key() {
    for status in [307, 308] {
        let server = Server::start(vec![vec![to(status, "/v2/extract"), Step::Reply(json_reply("{}"))]]).await;
        api(&server).send(&params()).await.unwrap();
        let requests = server.requests();
        let (_, second) = &requests[1];
        assert!(second.starts_with("POST /v2/extract HTTP/1.1\r\n") && has_key(second), "{second}");
        assert!(second.ends_with(r#"{"url":"https://a.example/","browserHtml":true}"#), "{second}");
    }
}

#[tokio::test]
async fn the_key_does_not_follow_a_redirect_to_another_host() {
    let other = Server::start(vec![vec![Step::Reply(json_reply("{}"))]]).await;
    let server = Server::start(vec![vec![to(307, &format!("{}extract", other.url()))]]).await;
    api(&server).send(&params()).await.unwrap();
    assert!(has_key(&server.requests()[0].1));
    assert!(!has_key(&other.requests()[0].1));
}

#[tokio::test]
async fn the_sixth_redirect_is_not_followed() {
    let server = Server::start(vec![(0..7).map(|_| to(307, "/again")).collect()]).await;
    let error = api(&server).send(&params()).await.unwrap_err();
    assert_eq!(error.problem().map(|problem| problem.status), Some(307));
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_an_error_with_its_status() {
    let error = call(reply("302 X", "")).await.unwrap_err();
    assert_eq!(error.problem().map(|problem| problem.status), Some(302));
}
