//! Many large answers at once take no more memory than they may, and all of them arrive.

use std::sync::Arc;

use carousel_core::memory::TIMES;
use tokio::task::JoinSet;

use super::*;

const ANSWERS: usize = 24;
const BYTES: usize = 1 << 20;

fn large() -> String {
    format!("{{\"url\":\"https://a.example/\",\"browserHtml\":\"{}\"}}", "x".repeat(BYTES))
}

/// What one answer is counted as.
fn counted() -> u64 {
    TIMES * large().len() as u64
}

/// To a server that gives so many large answers.
async fn api_with(answers: usize, memory: Option<u64>) -> Arc<ZyteApi> {
    let server = Server::start((0..answers).map(|_| vec![Step::Reply(json_reply(large()))]).collect()).await;
    Arc::new(ZyteApi::new(ZyteOptions { memory, ..options(&server) }).unwrap())
}

/// Sends all calls at once; whoever has an answer works with it for a while.
async fn all_at_once(api: &Arc<ZyteApi>) {
    let mut calls = JoinSet::new();
    for _ in 0..ANSWERS {
        let api = Arc::clone(api);
        calls.spawn(async move {
            let answer = api.send(&params()).await.unwrap();
            tokio::task::yield_now().await;
            assert_eq!(answer.text().len(), large().len());
        });
    }
    assert_eq!(calls.join_all().await.len(), ANSWERS);
}

#[tokio::test]
async fn many_answers_at_once_take_no_more_than_they_may() {
    let api = api_with(ANSWERS, Some(3 * counted())).await;
    all_at_once(&api).await;
    // Where all of it is taken by answers half read, one of them goes through.
    assert!((counted()..=4 * counted()).contains(&api.peak_memory()), "{} of {}", api.peak_memory(), counted());
}

#[tokio::test]
async fn answers_larger_than_all_of_it_are_read_one_by_one() {
    let api = api_with(ANSWERS, Some(1000)).await;
    all_at_once(&api).await;
    assert_eq!(api.peak_memory(), counted());
}

#[tokio::test]
async fn without_a_limit_nobody_waits() {
    let api = api_with(3, None).await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(api.send(&params()).await.unwrap());
    }
    assert_eq!(api.peak_memory(), 3 * counted());
}

/// As a plugin does that keeps what it has downloaded while it downloads more.
#[tokio::test]
async fn whoever_keeps_an_answer_gets_the_next_one() {
    let api = api_with(3, Some(counted())).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let answer = api.send(&params()).await.unwrap();
        answer.keep();
        kept.push(answer);
    }
    assert_eq!(api.peak_memory(), 3 * counted());
}
