//! Answers, plain and compressed, and what is none.

use carousel_core::exchange::{CallError, NetworkError};
use carousel_engine::Transport as _;
use carousel_zyte::{ZyteApi, ZyteOptions};

use crate::server::{Server, Step};
use crate::{call, json_reply, options, params, reply};

const TEXT: &str = r#"{"url":"https://a.example/","statusCode":200,"note":"compressed compressed compressed"}"#;

const GZIP: &str = "1f8b0800000000000203ab562a2dca51b252ca28292928b6d2d74fd44bad48cc2dc849d557d2512a2e492c292d76ce4f4955b2323230d051cac\
                    b2f01329592f3730b8a528b8b535314b032956a017e1db15a57000000";

const BROTLI: &str = "1b5600e005c46da92f1f7f8cafa6246a530e8a49840d38010f781d039a6dd818c3b55d4134eae3ee39551d57ada9d728827d25fac0b399104e382dd6d7dac007";

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn encoded(encoding: &str, body: Vec<u8>) -> Vec<u8> {
    reply(&format!("200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {encoding}"), body)
}

#[tokio::test]
async fn an_answer_is_the_text_that_was_sent_and_its_request_id() {
    for head in ["request-id: r-1", "Request-ID: r-1", "REQUEST-ID:r-1"] {
        let answer = call(reply(&format!("200 OK\r\nContent-Type: application/json\r\n{head}"), TEXT)).await.unwrap();
        assert_eq!(answer.text(), TEXT);
        assert_eq!(answer.request_id(), Some("r-1"));
        assert_eq!(answer.status_code(), Ok(Some(200)));
    }
}

#[tokio::test]
async fn an_answer_may_come_compressed_or_in_chunks() {
    let chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
                    5\r\n{\"a\":\r\n4\r\n\"b\"}\r\n0\r\n\r\n";
    for (reply, text) in
        [(encoded("gzip", bytes(GZIP)), TEXT), (encoded("br", bytes(BROTLI)), TEXT), (chunked.to_vec(), r#"{"a":"b"}"#)]
    {
        assert_eq!(call(reply).await.unwrap().text(), text);
    }
}

#[tokio::test]
async fn json_is_what_is_declared_as_json() {
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json", "application/vnd.x+json ;q=1"]
    {
        assert!(call(reply(&format!("200 OK\r\nContent-Type: {kind}"), "{}")).await.is_ok(), "{kind}");
    }
    for kind in ["text/html", "text/json", "application/jsonp", "application/x-json", "json"] {
        let error = call(reply(&format!("200 OK\r\nContent-Type: {kind}"), "{}")).await.unwrap_err();
        assert_eq!(error, CallError::Network(NetworkError::NotJson(kind.to_owned())));
    }
    let error = call(reply("200 OK\r\nX: y", "{}")).await.unwrap_err();
    assert_eq!(error.to_string(), "expected JSON from the API, got an answer without a content type");
}

#[tokio::test]
async fn what_other_readers_of_json_take_is_an_answer() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    for (sent, text) in [
        (r#"{"browserHtml":"a\ud83d"}"#.as_bytes(), r#"{"browserHtml":"a\ud83d"}"#),
        (br#"{"a":NaN,"b":[-Infinity]}"#, r#"{"a":NaN,"b":[-Infinity]}"#),
        (b"\xef\xbb\xbf{}", "{}"),
        (b"{\"a\":\"\xed\xa0\xbd\"}", "{\"a\":\"\u{fffd}\"}"),
        (deep.as_bytes(), &deep),
    ] {
        assert_eq!(call(json_reply(sent)).await.unwrap().text(), text);
    }
}

#[tokio::test]
async fn what_is_declared_as_json_and_is_none_is_a_bad_answer() {
    let not_utf8 = reply("200 OK\r\nContent-Type: application/json", b"{\"a\":\"\xff\"}");
    for bad in [json_reply(""), json_reply("{"), json_reply("[]"), json_reply("<html>"), not_utf8] {
        let error = call(bad).await.unwrap_err();
        assert!(matches!(error, CallError::BadAnswer(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_may_be_as_large_as_the_limit_and_no_larger() {
    for (limit, fits) in [(TEXT.len(), true), (TEXT.len() - 1, false)] {
        for reply in [json_reply(TEXT), encoded("gzip", bytes(GZIP)), encoded("br", bytes(BROTLI))] {
            let server = Server::start(vec![vec![Step::Reply(reply)]]).await;
            let api = ZyteApi::new(ZyteOptions { max_answer_bytes: limit, ..options(&server) }).unwrap();
            match api.send(&params()).await {
                Ok(answer) => assert!(fits && answer.text() == TEXT),
                Err(error) => {
                    assert!(!fits);
                    let told = error.to_string();
                    assert!(told.contains(&format!("more than {limit} bytes unpacked")) && told.contains("max_answer"), "{told}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_unpacked_is_refused_before_it_has_come() {
    for (encoding, packed) in [("gzip", bytes(GZIP)), ("br", bytes(BROTLI))] {
        // More is announced than ever comes, so whoever reads to the end waits for ever.
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
            1 << 30
        );
        let reply = [head.as_bytes(), &packed[..packed.len() - 8]].concat();
        let server = Server::start(vec![vec![Step::Reply(reply), Step::Silence]]).await;
        let api = ZyteApi::new(ZyteOptions { max_answer_bytes: 20, ..options(&server) }).unwrap();
        let error = api.send(&params()).await.unwrap_err();
        assert!(matches!(error, CallError::BadAnswer(_)), "{encoding}: {error:?}");
        // The server sees that it need not go on.
        server.closed().await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_cannot_be_unpacked_is_a_broken_connection() {
    let short = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\":".to_vec();
    for bad in [short, encoded("gzip", b"no gzip".to_vec()), encoded("br", bytes(&BROTLI[..40]))] {
        let error = call(bad).await.unwrap_err();
        assert!(matches!(error, CallError::Network(NetworkError::Broken(_))), "{error:?}");
    }
}
