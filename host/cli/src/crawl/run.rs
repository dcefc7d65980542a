//! Keeps requests under way until the input ends, something closes the crawl, or a person interrupts it.

use std::future::Future;
use std::io;
use std::sync::Arc;

use carousel_core::exchange::Request;
use carousel_core::repeated::Repeated;
use carousel_core::turns::TurnsOptions;
use carousel_engine::{Bursts, Done, Engine, Failure, FailureKind, Fetcher, Sites, Transport};
use tokio::sync::mpsc;
use tokio::task::JoinError;

use super::ending::Ending;
use super::entry::{Entry, Reading};
use super::input::Entries;
use super::leftovers::Leftovers;
use super::output::Output;
use super::rendering::{self, Annotation};
use super::tally::Tally;

/// Who gets requests their answers, and may want to end the crawl: the engine, or a stand-in for it.
pub(crate) trait Fetch: Fetcher {
    /// Resolves with the reason once something asks to end the crawl.
    fn closed(&self) -> impl Future<Output = Arc<str>> + Send;

    /// Asks to end the crawl: what waits fails, what is under way is finished.
    fn close(&self, reason: &str);
}

impl<T: Transport, S: Sites> Fetch for Engine<T, S> {
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
    /// How many requests are under way at once, how far is read ahead, and in which order they start.
    pub(crate) turns: TurnsOptions,
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
    fn line_done(&self, tally: &Tally, bytes_done: u64);
}

/// A crawl under way. It runs on the main thread, so that a slow reader of the output holds back the crawl and nothing else.
pub(crate) struct Run<'r, F: Fetch, W: Watch> {
    fetcher: F,
    options: RunOptions,
    output: Output,
    watch: &'r W,
    bursts: Bursts<F, Key>,
    tally: Tally,
    ending: Option<Ending>,
    bytes_done: u64,
    leftovers: Option<Leftovers>,
    /// What was said of plugins that failed.
    told: Repeated,
}

/// What is kept of a line: a waiting request takes many times the memory of its text.
struct Key {
    line: u64,
    bytes: u64,
    text: Arc<str>,
    reading: Reading,
}

impl Key {
    fn request(&self) -> Option<Request> {
        self.reading.request(&self.text).ok()
    }
}

impl<'r, F: Fetch, W: Watch> Run<'r, F, W> {
    /// Prepares a run.
    pub(crate) fn new(fetcher: F, options: RunOptions, output: Output, watch: &'r W) -> Self {
        let bursts = Bursts::new(fetcher.clone(), options.turns).recalling(Key::request);
        Self {
            fetcher,
            options,
            output,
            watch,
            bursts,
            tally: Tally::default(),
            ending: None,
            bytes_done: 0,
            leftovers: None,
            told: Repeated::default(),
        }
    }

    /// Lines that the crawl leaves without a result go there.
    pub(crate) fn with_leftovers(self, leftovers: Option<Leftovers>) -> Self {
        Self { leftovers, ..self }
    }

    /// Runs to the end. The first interrupt ends the input and finishes what is under way; the second ends that, too.
    pub(crate) async fn run(mut self, entries: Entries, interrupts: &mut mpsc::Receiver<()>) -> (Ending, Tally) {
        let mut entries = Some(entries);
        let fetcher = self.fetcher.clone();
        let mut closed = std::pin::pin!(fetcher.closed());
        while self.ending.is_none() && (entries.is_some() || self.bursts.is_busy()) {
            let wants_more = self.bursts.wants_more();
            tokio::select! {
                biased;
                Some(()) = interrupts.recv() => self.interrupt(),
                reason = &mut closed => self.end(Ending::Closed(reason.to_string())),
                Some(done) = self.bursts.next() => self.finish(done),
                entry = next(&mut entries), if wants_more => match entry {
                    Some(entry) => self.take(entry),
                    None => {
                        entries = None;
                        self.bursts.end_of_input();
                    }
                },
            }
        }
        self.finish_running(interrupts).await;
        self.leftovers.iter_mut().for_each(Leftovers::flush_pending);
        let held_back = self.bursts.take_waiting().len() as u64;
        let unread = match entries {
            Some(entries) => tokio::select! {
                rest = leave(entries, &mut self.leftovers) => rest,
                Some(()) = interrupts.recv() => None,
            },
            None => Some(0),
        };
        if let Some(leftovers) = &mut self.leftovers
            && let Err(error) = leftovers.finish()
        {
            tracing::error!("the leftovers are not complete: {error}");
        }
        self.tally.not_started = unread.map(|unread| unread + held_back);
        (self.ending.unwrap_or(Ending::Finished), self.tally)
    }

    fn interrupt(&mut self) {
        tracing::warn!("interrupted: {} requests under way are finished first; once more to stop at once", self.bursts.running());
        self.fetcher.close(Ending::Interrupted.reason());
        self.end(Ending::Interrupted);
    }

    /// The first reason counts.
    fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }

    /// Waits for what is under way; an interrupt ends the wait.
    async fn finish_running(&mut self, interrupts: &mut mpsc::Receiver<()>) {
        while self.bursts.running() > 0 && !self.is_output_lost() {
            tokio::select! {
                biased;
                Some(()) = interrupts.recv() => {
                    self.end(Ending::Interrupted);
                    break;
                }
                Some(done) = self.bursts.next_running() => self.finish(done),
            }
        }
        self.tally.aborted += self.bursts.running() as u64;
        self.bursts.shutdown().await;
    }

    fn is_output_lost(&self) -> bool {
        matches!(self.ending, Some(Ending::OutputGone | Ending::OutputBroken(_)))
    }

    fn take(&mut self, entry: io::Result<Entry>) {
        match entry {
            Ok(Entry { line, bytes, text, reading, request: Ok(request) }) => {
                let text = text.unwrap_or_default();
                self.leftovers.iter_mut().for_each(|leftovers| leftovers.add(line, Arc::clone(&text)));
                let key = Key { line, bytes, text, reading };
                self.bursts.add(key, request, usize::try_from(bytes).unwrap_or(usize::MAX));
            }
            Ok(Entry { line, bytes, request: Err(bad), .. }) => {
                self.bytes_done += bytes;
                self.refuse(line, &bad.message, bad.value);
            }
            Err(error) => {
                self.fetcher.close("input_error");
                self.end(Ending::InputBroken(error.to_string()));
            }
        }
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
        self.watch.line_done(&self.tally, self.bytes_done);
    }

    fn finish(&mut self, done: Result<Done<Key>, JoinError>) {
        match done {
            Ok(Done { key, result: Ok(fetched), .. }) => {
                self.bytes_done += key.bytes;
                let text = rendering::answer(fetched.answer.text(), key.line, &fetched.trace, self.options.annotation);
                self.write(&text);
                // An answer that nobody got is none.
                let is_lost = self.is_output_lost();
                *if is_lost { &mut self.tally.aborted } else { &mut self.tally.ok } += 1;
                self.settle(key.line, is_lost);
            }
            Ok(Done { key, request, result: Err(failure) }) => {
                self.bytes_done += key.bytes;
                self.fail(key.line, &request, &failure);
                self.settle(key.line, failure.is_left_over() || self.is_output_lost());
            }
            Err(error) => {
                self.tally.failed += 1;
                tracing::error!("a request was lost to a fault of this program: {error}");
            }
        }
        self.watch.line_done(&self.tally, self.bytes_done);
    }

    fn settle(&mut self, line: u64, is_left_over: bool) {
        self.leftovers.iter_mut().for_each(|leftovers| leftovers.settle(line, is_left_over));
    }

    fn fail(&mut self, line: u64, request: &Request, failure: &Failure) {
        if failure.kind == FailureKind::Duplicate {
            self.tally.duplicates += 1;
            tracing::debug!(url = request.url(), line, "dropped as a duplicate");
        } else {
            self.tally.failed += 1;
            self.tell_failed(line, request, failure);
        }
        if self.options.errors == StoreErrors::Yes {
            let text = rendering::failure(failure, request, line, self.options.annotation);
            self.write(&text);
        }
    }

    /// What a plugin fails of is the same for many lines, and is not said for each.
    fn tell_failed(&self, line: u64, request: &Request, failure: &Failure) {
        let (url, kind, why) = (request.url(), failure.kind, &failure.message);
        let is_same_for_many = kind == FailureKind::Plugin;
        let times = if is_same_for_many { self.told.count_without_numbers(why) } else { Some(1) };
        match times {
            Some(1) => tracing::error!(url, line, %kind, "no answer: {why}"),
            Some(times) => tracing::error!(url, line, %kind, times, "no answer once more: {why}"),
            None => tracing::debug!(url, line, %kind, "no answer once more: {why}"),
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

/// Reads no further, or only to write down what is left; tells how many lines that is, where it is known.
async fn leave(mut entries: Entries, leftovers: &mut Option<Leftovers>) -> Option<u64> {
    let Some(leftovers) = leftovers else { return entries.stop().await };
    tracing::info!("reading the rest of the input into the leftovers; an interrupt leaves it unread");
    let mut rest = 0;
    while let Some(Ok(entry)) = entries.next().await {
        rest += 1;
        match entry.text {
            Some(text) => leftovers.write(&text),
            None => tracing::error!(line = entry.line, "a line is missing from the leftovers: it is too long, or no text"),
        }
    }
    Some(rest)
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
