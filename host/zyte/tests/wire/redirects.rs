//! Redirects, which the API has none of: whoever sends one would lead the key elsewhere.

use carousel_core::exchange::Problem;
use carousel_engine::Transport as _;

use crate::server::{Server, Step};
use crate::{api, json_reply, params, reply};

fn to(status: u16, place: &str) -> Step {
    Step::Reply(reply(&format!("{status} X\r\nContent-Type: application/json\r\nLocation: {place}"), "{}"))
}

/// The error of a call that is answered by this redirect, after which nothing more may be asked of that server.
async fn redirected(status: u16, place: &str) -> Problem {
    let server = Server::start(vec![vec![to(status, place), Step::Reply(json_reply("{}"))]]).await;
    let error = api(&server).send(&params()).await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "{status} to {place}");
    let told = error.to_string();
    for part in ["redirect", "api.url", &server.url()] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
    error.problem().unwrap().clone()
}

#[tokio::test]
async fn no_redirect_is_followed_whatever_its_status_and_whoever_is_there() {
    for status in [300, 301, 302, 303, 304, 305, 307, 308, 399] {
        let other = Server::start(vec![vec![to(307, "/v1/extract"), Step::Reply(json_reply("{}"))]]).await;
        let places =
            [format!("{}extract", other.url()), format!("//{}/v1/extract", other.host()), "/again".into(), "extract".into()];
        for place in places {
            let problem = redirected(status, &place).await;
            assert_eq!((problem.status, problem.kind.as_str()), (status, "about:blank"));
            assert!(problem.detail.contains(&place), "{problem:?}");
        }
        assert!(other.requests().is_empty(), "{status} led to another host");
    }
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_told_too() {
    let server = Server::start(vec![vec![Step::Reply(reply("302 X", "<html>"))]]).await;
    let error = api(&server).send(&params()).await.unwrap_err();
    assert!(error.to_string().contains("redirects; the API has no redirects"), "{error}");
}

#[tokio::test]
async fn where_it_leads_is_told_without_its_password_and_not_at_any_length() {
    let problem = redirected(307, "https://user:hunter22@other.example/").await;
    assert!(problem.detail.contains("https://other.example/") && !problem.detail.contains("hunter22"), "{problem:?}");
    let problem = redirected(307, &format!("/{}", "x".repeat(5_000))).await;
    assert!(problem.detail.len() < 1_000, "{problem:?}");
}
