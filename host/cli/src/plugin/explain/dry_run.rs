//! An API that takes calls and never answers, so that the engine can be watched on its way to the first one.

use carousel_core::exchange::{Answer, CallError, Object, Request};
use carousel_engine::{Engine, Sites, Transport};
use tokio::sync::mpsc;

/// The API's side.
pub(super) struct DryRun(mpsc::Sender<Object>);

impl DryRun {
    /// The API, and where its calls can be seen.
    pub(super) fn new() -> (Self, mpsc::Receiver<Object>) {
        let (sender, calls) = mpsc::channel(1);
        (Self(sender), calls)
    }
}

impl Transport for DryRun {
    async fn send(&self, params: &Object) -> Result<Answer, CallError> {
        // Only the first call is looked at; a later one finds nobody and waits, too.
        let _ = self.0.try_send(params.clone());
        std::future::pending().await
    }
}

/// Begins to fetch a request: the parameters of the first call that it leads to, or why there is none.
pub(super) async fn first_call<S: Sites>(
    engine: &Engine<DryRun, S>,
    request: Request,
    mut calls: mpsc::Receiver<Object>,
) -> Result<Object, String> {
    tokio::select! {
        biased;
        Some(params) = calls.recv() => Ok(params),
        result = engine.fetch(request) => Err(result.err().map(|failure| failure.to_string()).unwrap_or_default()),
    }
}
