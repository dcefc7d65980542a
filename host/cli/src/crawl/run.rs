//! Keeps requests under way until the input ends, something closes the crawl, or a person interrupts it.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use carousel_core::exchange::Request;
use carousel_engine::{Engine, Failure, FailureKind, Fetched, Sites, Transport};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use super::ending::Ending;
use super::entry::Entry;
use super::input::Entries;
use super::output::Output;
use super::rendering::{self, Annotation};
use super::tally::Tally;

/// Who gets a request its answer: the engine, or a stand-in for it.
pub(crate) trait Fetch: Clone + Send + Sync + 'static {
    /// Fetches a request.
    fn fetch(&self, request: Request) -> impl Future<Output = Result<Fetched, Failure>> + Send;

    /// Resolves with the reason once something asks to end the crawl.
    fn closed(&self) -> impl Future<Output = Arc<str>> + Send;

    /// Asks to end the crawl: what waits fails, what is under way is finished.
    fn close(&self, reason: &str);
}

impl<T: Transport, S: Sites> Fetch for Engine<T, S> {
    fn fetch(&self, request: Request) -> impl Future<Output = Result<Fetched, Failure>> + Send {
        Self::fetch(self, request)
    }

    fn closed(&self) -> impl Future<Output = Arc<str>> + Send {
        Self::closed(self)
    }

    fn close(&self, reason: &str) {
        Self::close(self, reason);
    }
}

/// What a run is told.
#[derive(Clone, Debug)]
pub(crate) struct RunOptions {
    /// Requests under way at once.
    pub(crate) concurrency: usize,
    /// Whether failed requests are written, too.
    pub(crate) errors: StoreErrors,
    /// Whether lines get a `carousel` object.
    pub(crate) annotation: Annotation,
    /// What people call the input.
    pub(crate) input: String,
}

/// Whether failed requests are written, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreErrors {
    /// Only answers are written.
    No,
    /// Each request has its line.
    Yes,
}

/// Watches a run.
pub(crate) trait Watch {
    /// One line more has its result.
    fn line_done(&self, tally: &Tally, bytes_read: u64);
}

/// A crawl under way. It runs on the main thread, so that a slow reader of the output holds back the crawl and nothing else.
pub(crate) struct Run<'r, F: Fetch, W: Watch> {
    fetcher: F,
    options: RunOptions,
    output: Output,
    watch: &'r W,
    running: JoinSet<Done>,
    tally: Tally,
    ending: Option<Ending>,
    bytes_read: u64,
}

/// A request that has its result.
struct Done {
    line: u64,
    request: Request,
    result: Result<Fetched, Failure>,
}

impl<'r, F: Fetch, W: Watch> Run<'r, F, W> {
    /// Prepares a run.
    pub(crate) fn new(fetcher: F, options: RunOptions, output: Output, watch: &'r W) -> Self {
        let (running, tally) = (JoinSet::new(), Tally::default());
        Self { fetcher, options, output, watch, running, tally, ending: None, bytes_read: 0 }
    }

    /// Runs to the end. The first interrupt ends the input and finishes what is under way; the second ends that, too.
    pub(crate) async fn run(mut self, entries: Entries, interrupts: &mut mpsc::Receiver<()>) -> (Ending, Tally) {
        let mut entries = Some(entries);
        let fetcher = self.fetcher.clone();
        let mut closed = std::pin::pin!(fetcher.closed());
        while self.ending.is_none() && (entries.is_some() || !self.running.is_empty()) {
            let has_room = self.running.len() < self.options.concurrency;
            tokio::select! {
                biased;
                Some(()) = interrupts.recv() => self.interrupt(),
                reason = &mut closed => self.end(Ending::Closed(reason.to_string())),
                Some(done) = self.running.join_next() => self.finish(done),
                entry = next(&mut entries), if has_room => match entry {
                    Some(entry) => self.take(entry),
                    None => entries = None,
                },
            }
        }
        self.finish_running(interrupts).await;
        if let Some(entries) = entries {
            self.tally.not_started = tokio::select! {
                rest = entries.stop() => rest,
                Some(()) = interrupts.recv() => None,
            };
        } else {
            self.tally.not_started = Some(0);
        }
        (self.ending.unwrap_or(Ending::Finished), self.tally)
    }

    fn interrupt(&mut self) {
        tracing::warn!("interrupted: {} requests under way are finished first; once more to stop at once", self.running.len());
        self.fetcher.close(Ending::Interrupted.reason());
        self.end(Ending::Interrupted);
    }

    /// The first reason counts.
    fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }

    /// Waits for what is under way; an interrupt ends the wait.
    async fn finish_running(&mut self, interrupts: &mut mpsc::Receiver<()>) {
        while !self.running.is_empty() && !self.is_output_lost() {
            tokio::select! {
                biased;
                Some(()) = interrupts.recv() => {
                    self.end(Ending::Interrupted);
                    break;
                }
                Some(done) = self.running.join_next() => self.finish(done),
            }
        }
        self.tally.aborted += self.running.len() as u64;
        self.running.shutdown().await;
    }

    fn is_output_lost(&self) -> bool {
        matches!(self.ending, Some(Ending::OutputGone | Ending::OutputBroken(_)))
    }

    fn take(&mut self, entry: io::Result<Entry>) {
        match entry {
            Ok(Entry { line, end, request }) => {
                self.bytes_read = end;
                match request {
                    Ok(request) => self.start(line, request),
                    Err(bad) => self.refuse(line, &bad.message, bad.value),
                }
            }
            Err(error) => {
                self.fetcher.close("input_error");
                self.end(Ending::InputBroken(error.to_string()));
            }
        }
    }

    /// Starts a request. Its first step, up to its place in a pool's queue, is done here, so that requests queue in the order of
    /// the input whichever thread goes on with them.
    fn start(&mut self, line: u64, request: Request) {
        let fetcher = self.fetcher.clone();
        let mut fetch = Box::pin(async move {
            let result = fetcher.fetch(request.clone()).await;
            Done { line, request, result }
        });
        match fetch.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => self.running.spawn(std::future::ready(done)),
            Poll::Pending => self.running.spawn(fetch),
        };
    }

    fn refuse(&mut self, line: u64, message: &str, value: Option<serde_json::Value>) {
        let message = format!("line {line} of {}: {message}", self.options.input);
        tracing::error!("{message}");
        self.tally.failed += 1;
        self.tally.bad_lines += 1;
        if self.options.errors == StoreErrors::Yes {
            let text = rendering::bad_line(&message, value, line, self.options.annotation);
            self.write(&text);
        }
        self.watch.line_done(&self.tally, self.bytes_read);
    }

    fn finish(&mut self, done: Result<Done, JoinError>) {
        match done {
            Ok(Done { line, result: Ok(fetched), .. }) => {
                self.tally.ok += 1;
                let text = rendering::answer(fetched.answer.text(), line, &fetched.trace, self.options.annotation);
                self.write(&text);
            }
            Ok(Done { line, request, result: Err(failure) }) => self.fail(line, &request, &failure),
            Err(error) => {
                self.tally.failed += 1;
                tracing::error!("a request was lost to a fault of this program: {error}");
            }
        }
        self.watch.line_done(&self.tally, self.bytes_read);
    }

    fn fail(&mut self, line: u64, request: &Request, failure: &Failure) {
        if failure.kind == FailureKind::Duplicate {
            self.tally.duplicates += 1;
            tracing::debug!(url = request.url(), line, "dropped as a duplicate");
        } else {
            self.tally.failed += 1;
            tracing::error!(url = request.url(), line, kind = %failure.kind, "no answer: {}", failure.message);
        }
        if self.options.errors == StoreErrors::Yes {
            let text = rendering::failure(failure, request, line, self.options.annotation);
            self.write(&text);
        }
    }

    fn write(&mut self, line: &str) {
        if self.is_output_lost() {
            return;
        }
        let Err(error) = self.output.write_line(line) else { return };
        let is_gone = error.kind() == io::ErrorKind::BrokenPipe;
        let ending = if is_gone { Ending::OutputGone } else { Ending::OutputBroken(error.to_string()) };
        self.fetcher.close(ending.reason());
        // Where nothing can be written nothing is worth waiting for, whatever else ended the crawl before.
        self.ending = Some(ending);
    }
}

async fn next(entries: &mut Option<Entries>) -> Option<io::Result<Entry>> {
    match entries {
        Some(entries) => entries.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
