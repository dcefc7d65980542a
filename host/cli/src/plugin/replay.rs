//! Makes one call of a plugin through the engine's port, with downloads that were recorded, and tells its outcome.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use carousel_core::exchange::{Answer, CallError, NetworkError, Object};
use carousel_core::hooks::HookCall;
use carousel_engine::{Downloader, Site};
use serde_json::{Value, json};

use crate::recording::{Asked, Download, outcome};

/// Asks a site. A check needs an answer to judge.
pub(crate) async fn ask<S: Site>(
    site: &S,
    asked: Asked,
    call: HookCall,
    answer: Option<Answer>,
    downloader: Arc<dyn Downloader>,
) -> anyhow::Result<Object> {
    Ok(match asked {
        Asked::Plan => outcome::plan(&site.plan(call)),
        Asked::Params => outcome::params(&site.params(call, downloader).await),
        Asked::InitSession => outcome::init_session(&site.init_session(call, downloader).await),
        Asked::ProcessRequest => outcome::edit(&site.process_request(call)),
        Asked::Check => {
            let answer = answer.context("a check needs a response to judge: give --response FILE")?;
            outcome::verdict(&site.check(call, answer))
        }
    })
}

/// Answers downloads with what was recorded, in order, whatever is asked.
#[derive(Default)]
pub(crate) struct Recorded {
    left: Mutex<VecDeque<Download>>,
    asked: Mutex<Vec<Object>>,
}

impl Recorded {
    /// Answers with these.
    pub(crate) fn new(downloads: impl IntoIterator<Item = Download>) -> Arc<Self> {
        Arc::new(Self { left: Mutex::new(downloads.into_iter().collect()), asked: Mutex::default() })
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Object> {
        lock(&self.asked).clone()
    }
}

impl Downloader for Recorded {
    fn download(&self, params: Object) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + '_>> {
        lock(&self.asked).push(params);
        let missing = || CallError::Network(NetworkError::Broken("no recorded answer is left for this download".to_owned()));
        let result = lock(&self.left).pop_front().map_or_else(|| Err(missing()), |download| download.result());
        Box::pin(std::future::ready(result))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends downloads to an API for one session, as the engine does.
pub(crate) struct Live<T> {
    api: T,
    call: HookCall,
}

impl<T> Live<T> {
    /// For the session and the URL of this call.
    pub(crate) fn new(api: T, call: HookCall) -> Arc<Self> {
        Arc::new(Self { api, call })
    }
}

impl<T: carousel_engine::Transport> Downloader for Live<T> {
    fn download(&self, mut params: Object) -> Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send + '_>> {
        match params.get("session") {
            Some(Value::Null) => drop(params.shift_remove("session")),
            Some(_) => {}
            None => {
                let session = self.call.session.as_ref().map(|session| json!({"id": session.id().to_string()}));
                params.extend(session.map(|session| ("session".to_owned(), session)));
            }
        }
        params.entry("url").or_insert_with(|| Value::from(self.call.request.url()));
        Box::pin(async move { self.api.send(&params).await })
    }
}
