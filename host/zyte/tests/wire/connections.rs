//! Kept connections that are closed on us: the one case where a call is sent again without being asked.

use carousel_core::exchange::{CallError, NetworkError};
use carousel_engine::Transport as _;

use crate::server::{Server, Step};
use crate::{api, json_reply, params};

fn ok() -> Vec<u8> {
    json_reply("{}")
}

fn is_broken(error: &CallError) -> bool {
    matches!(error, CallError::Network(NetworkError::Broken(_)))
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_costs_nothing() {
    let server = Server::start(vec![vec![Step::ReplyAndClose(ok())], vec![Step::Reply(ok())]]).await;
    let api = api(&server);
    api.send(&params()).await.unwrap();
    server.closed().await;
    api.send(&params()).await.unwrap();
    assert_eq!(server.connections(), [0, 1]);
}

#[tokio::test]
async fn a_kept_connection_closed_before_the_answer_is_replaced_at_once() {
    for close in [Step::Close, Step::Reset] {
        let server = Server::start(vec![vec![Step::Reply(ok()), close], vec![Step::Reply(ok())]]).await;
        let api = api(&server);
        for _ in 0..2 {
            api.send(&params()).await.unwrap();
        }
        assert_eq!(server.connections(), [0, 0, 1]);
        let requests = server.requests();
        assert_eq!(requests[1].1, requests[2].1, "the same call is sent again");
    }
}

#[tokio::test]
async fn a_new_connection_closed_before_the_answer_is_an_error() {
    for close in [Step::Close, Step::Reset] {
        let server = Server::start(vec![vec![close], vec![Step::Reply(ok())]]).await;
        let error = api(&server).send(&params()).await.unwrap_err();
        assert!(is_broken(&error), "{error:?}");
        assert_eq!(server.connections(), [0]);
    }
}

#[tokio::test]
async fn a_call_is_sent_again_once_and_not_twice() {
    let scripts = vec![vec![Step::Reply(ok()), Step::Close], vec![Step::Close], vec![Step::Reply(ok())]];
    let server = Server::start(scripts).await;
    let api = api(&server);
    api.send(&params()).await.unwrap();
    let error = api.send(&params()).await.unwrap_err();
    assert!(is_broken(&error), "{error:?}");
    assert_eq!(server.connections(), [0, 0, 1]);
}

#[tokio::test]
async fn a_call_whose_answer_had_begun_is_never_sent_again() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    for begun in [head.to_owned(), format!("{head}{{")] {
        let begun = Step::ReplyAndClose(begun.into_bytes());
        let server = Server::start(vec![vec![Step::Reply(ok()), begun], vec![Step::Reply(ok())]]).await;
        let api = api(&server);
        api.send(&params()).await.unwrap();
        let error = api.send(&params()).await.unwrap_err();
        assert!(is_broken(&error), "{error:?}");
        assert_eq!(server.connections(), [0, 0]);
    }
}
