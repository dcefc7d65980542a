//! Proxies of the environment, which count only where they are asked for. An environment belongs to a process, so the call is
//! made in one of its own.

use std::process::{Command, Output};

use carousel_engine::Transport as _;
use carousel_zyte::{ApiKey, ZyteApi, ZyteOptions};

use crate::server::{Server, Step};
use crate::{KEY, json_reply, params};

/// Nobody listens here, on an address that is not this machine's by its name.
const API: &str = "http://0.0.0.0:1/v1/";

/// Nobody listens here either.
const LOOPBACK: &str = "http://127.0.0.1:1/v1/";

/// Runs one of the ignored tests below with this server as the environment's proxy.
async fn run(test: &'static str, proxy: &Server) -> Output {
    let proxy = format!("http://{}", proxy.host());
    let child = move || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored"])
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .env_remove("REQUEST_METHOD")
            .env("HTTP_PROXY", &proxy)
            .env("http_proxy", &proxy)
            .output()
            .unwrap()
    };
    tokio::task::spawn_blocking(child).await.unwrap()
}

fn api(url: &str, trust_env: bool) -> ZyteApi {
    let options = ZyteOptions::new(ApiKey::new(KEY).unwrap());
    ZyteApi::new(ZyteOptions { url: url.to_owned(), trust_env, allow_unencrypted: true, ..options }).unwrap()
}

#[tokio::test]
async fn the_proxy_of_the_environment_is_used_where_it_is_trusted_and_never_for_this_machine() {
    for (test, calls) in [("proxy::call_with_trust", 1), ("proxy::call_without_trust", 0), ("proxy::call_to_loopback", 0)] {
        let proxy = Server::start(vec![vec![Step::Reply(json_reply("{}"))]]).await;
        let output = run(test, &proxy).await;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
        let requests = proxy.requests();
        assert_eq!(requests.len(), calls, "{test}");
        assert!(requests.iter().all(|(_, request)| request.starts_with("POST http://0.0.0.0:1/v1/extract HTTP/1.1\r\n")));
    }
}

#[tokio::test]
#[ignore = "run by the test above in a process of its own"]
async fn call_with_trust() {
    api(API, true).send(&params()).await.unwrap();
}

#[tokio::test]
#[ignore = "run by the test above in a process of its own"]
async fn call_without_trust() {
    api(API, false).send(&params()).await.unwrap_err();
}

#[tokio::test]
#[ignore = "run by the test above in a process of its own"]
async fn call_to_loopback() {
    api(LOOPBACK, true).send(&params()).await.unwrap_err();
}
