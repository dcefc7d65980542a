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
use super::leftovers::{Left, Leftovers};
use super::output::Output;
use super::rendering::{self, Annotation};
use super::tally::Tally;

/// Who gets requests their answers, and may want to end the crawl: the engine, or a stand-in for it.
pub(crate) trait Fetch: Fetcher {
    /// Resolves with the reason once something asks to end the crawl.
    fn closed(&self) -> impl Future<Output = Arc<str>> + Send;

    /// Asks to end the crawl: what waits fails, what is under way is finished.
    fn close(&self, reason: &str);

    /// The same, but what is paid is finished, too.
    fn wind_down(&self, reason: &str);
}

impl<T: Transport, S: Sites> Fetch for Engine<T, S> {
    fn closed(&self) -> impl Future<Output = Arc<str>> + Send {
        Self::closed(self)
    }

    fn close(&self, reason: &str) {
        Self::close(self, reason);
    }

    fn wind_down(&self, reason: &str) {
        Self::wind_down(self, reason);
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
    /// None at its end, or where nobody wants more of it.
    entries: Option<Entries>,
    interrupts: u32,
    /// Requests that were read ahead and not started.
    held_back: u64,
    /// Lines of the input that were read for the leftovers only; none if the input was not read to its end.
    rest: Option<u64>,
    /// What the line is about that is being written.
    writing: Option<Writing>,
    /// Nobody takes what is written.
    is_output_lost: bool,
}

/// What a run ends with.
pub(crate) struct Ended {
    pub(crate) ending: Ending,
    pub(crate) tally: Tally,
    /// What became of the leftovers, where they were kept.
    pub(crate) left: Option<Left>,
}

/// A line of the output that is being written, by the line of the input that it is about.
#[derive(Clone, Copy)]
enum Writing {
    Answer(u64),
    Failure(u64),
    BadLine,
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
            entries: None,
            interrupts: 0,
            held_back: 0,
            rest: Some(0),
            writing: None,
            is_output_lost: false,
        }
    }

    /// Lines that the crawl leaves without a result go there.
    pub(crate) fn with_leftovers(self, leftovers: Option<Leftovers>) -> Self {
        Self { leftovers, ..self }
    }

    /// Runs to the end. The first interrupt ends the input and finishes what is under way; the second ends that, too.
    pub(crate) async fn run(mut self, entries: Entries, interrupts: &mut mpsc::Receiver<()>) -> Ended {
        self.entries = Some(entries);
        let fetcher = self.fetcher.clone();
        let mut closed = std::pin::pin!(fetcher.closed());
        while !self.is_over() {
            let (is_ending, is_free) = (self.ending.is_some(), !self.output.is_busy());
            let wants_line = if is_ending { self.leftovers.is_some() } else { is_free && self.bursts.wants_more() };
            tokio::select! {
                biased;
                Some(()) = interrupts.recv() => self.interrupt().await,
                reason = &mut closed, if !is_ending => self.end(Ending::Closed(reason.to_string())),
                result = self.output.written(), if !is_free => self.written(result),
                Some(done) = next_result(&mut self.bursts, is_ending), if is_free => self.finish(done),
                entry = next(&mut self.entries), if wants_line => self.read(entry),
                else => break,
            }
        }
        self.stop_running().await;
        let unread = match self.entries.take() {
            Some(entries) => tokio::select! {
                rest = entries.stop() => rest,
                Some(()) = interrupts.recv() => None,
            },
            None => self.rest,
        };
        self.tally.not_started = unread.map(|unread| unread + self.held_back);
        let left = self.leftovers.map(|leftovers| leftovers.finish(unread.is_none()));
        Ended { ending: self.ending.unwrap_or(Ending::Finished), tally: self.tally, left }
    }

    /// Is there nothing more to wait for? Where nothing can be written, no answer is worth waiting for.
    fn is_over(&self) -> bool {
        let is_input_done = self.entries.is_none() || self.ending.is_some() && self.leftovers.is_none();
        let is_work_done = match self.ending {
            Some(_) => self.is_output_lost || self.bursts.running() == 0,
            None => !self.bursts.is_busy(),
        };
        is_input_done && is_work_done && !self.output.is_busy()
    }

    /// The first one finishes what is under way, the second one does not wait for that. An input that may have no end is left unread by
    /// the second one, too, any other by the third.
    async fn interrupt(&mut self) {
        self.interrupts += 1;
        if self.ending.is_none() {
            let running = self.bursts.running();
            tracing::warn!("interrupted: {running} requests under way are finished first; once more to stop at once");
            self.fetcher.wind_down(Ending::Interrupted.reason());
            return self.end(Ending::Interrupted);
        }
        let has_work = self.bursts.running() > 0 || self.output.is_busy();
        if !has_work || self.entries.as_ref().is_some_and(|entries| !entries.is_countable()) {
            self.leave_unread();
        }
        self.stop_running().await;
        if self.output.is_busy() {
            tracing::error!("the reader of the output has stalled: the line that it was given may be cut");
            self.is_output_lost = true;
            self.output.give_up();
            self.settle_written();
        }
    }

    async fn stop_running(&mut self) {
        self.tally.aborted += self.bursts.running() as u64;
        self.bursts.shutdown().await;
    }

    fn leave_unread(&mut self) {
        if self.entries.take().is_some() {
            self.rest = None;
        }
    }

    /// The first reason counts. What has no result yet is written down at once: whoever ends the crawl may not wait for its end.
    fn end(&mut self, ending: Ending) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        self.held_back = self.bursts.take_waiting().len() as u64;
        let Some(leftovers) = &mut self.leftovers else { return };
        leftovers.begin();
        if let Some(entries) = &self.entries {
            tracing::info!("reading the rest of the input into the leftovers; an interrupt leaves it unread");
            leftovers.begin_rest(entries.is_countable());
        }
    }

    fn read(&mut self, entry: Option<io::Result<Entry>>) {
        match entry {
            Some(Ok(entry)) if self.ending.is_none() => self.take(entry),
            Some(Ok(entry)) => self.leave(&entry),
            Some(Err(error)) => {
                self.leave_unread();
                self.fetcher.close("input_error");
                self.end(Ending::InputBroken(error.to_string()));
            }
            None => {
                self.entries = None;
                self.bursts.end_of_input();
                if let Some(leftovers) = self.leftovers.as_mut().filter(|_| self.ending.is_some()) {
                    leftovers.end_rest();
                    tracing::info!("what has no result yet is in the leftovers");
                }
            }
        }
    }

    /// A line that is not started any more.
    fn leave(&mut self, entry: &Entry) {
        self.rest = self.rest.map(|rest| rest + 1);
        let Some(leftovers) = &mut self.leftovers else { return };
        match &entry.text {
            Some(text) => leftovers.write(text),
            None => {
                tracing::error!(line = entry.line, "a line is missing from the leftovers: it is too long, or no text");
                leftovers.cannot_write();
            }
        }
    }

    fn take(&mut self, entry: Entry) {
        let Entry { line, bytes, text, reading, request } = entry;
        match request {
            Ok(request) => {
                let text = text.unwrap_or_default();
                self.leftovers.iter_mut().for_each(|leftovers| leftovers.add(line, Arc::clone(&text)));
                let key = Key { line, bytes, text, reading };
                self.bursts.add(key, request, usize::try_from(bytes).unwrap_or(usize::MAX));
            }
            Err(bad) => {
                self.bytes_done += bytes;
                self.refuse(line, &bad.message, bad.value);
            }
        }
    }

    fn refuse(&mut self, line: u64, message: &str, value: Option<serde_json::Value>) {
        let message = format!("line {line} of {}: {message}", self.options.input);
        tracing::error!("{message}");
        self.tally.failed += 1;
        self.tally.bad_lines += 1;
        match self.options.errors {
            StoreErrors::Yes => {
                let text = rendering::bad_line(&message, value, line, self.options.annotation);
                self.write(&text, Writing::BadLine);
            }
            StoreErrors::No => self.watch.line_done(&self.tally, self.bytes_done),
        }
    }

    fn finish(&mut self, done: Result<Done<Key>, JoinError>) {
        match done {
            Ok(Done { key, result: Ok(fetched), .. }) => {
                self.bytes_done += key.bytes;
                let text = rendering::answer(fetched.answer.text(), key.line, &fetched.trace, self.options.annotation);
                self.write(&text, Writing::Answer(key.line));
            }
            Ok(Done { key, request, result: Err(failure) }) => {
                self.bytes_done += key.bytes;
                self.fail(key.line, &request, &failure);
            }
            Err(error) => {
                self.tally.failed += 1;
                tracing::error!("a request was lost to a fault of this program: {error}");
                self.watch.line_done(&self.tally, self.bytes_done);
            }
        }
    }

    fn fail(&mut self, line: u64, request: &Request, failure: &Failure) {
        // One line has one result: what is crawled again is not told as an error, too.
        let is_left_over = failure.is_left_over() && self.leftovers.is_some();
        if failure.kind == FailureKind::Duplicate {
            self.tally.duplicates += 1;
            tracing::debug!(url = request.url(), line, "dropped as a duplicate");
        } else {
            self.tally.failed += 1;
            self.tell_failed(line, request, failure);
        }
        if self.options.errors == StoreErrors::Yes && !is_left_over {
            let text = rendering::failure(failure, request, line, self.options.annotation);
            self.write(&text, Writing::Failure(line));
        } else {
            self.settle(line, is_left_over || self.is_output_lost);
            self.watch.line_done(&self.tally, self.bytes_done);
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

    fn settle(&mut self, line: u64, is_left_over: bool) {
        self.leftovers.iter_mut().for_each(|leftovers| leftovers.settle(line, is_left_over));
    }

    /// Begins to write a line; [`Self::written`] hears what became of it.
    fn write(&mut self, line: &str, about: Writing) {
        self.writing = Some(about);
        match self.is_output_lost {
            true => self.settle_written(),
            false => self.output.begin(line),
        }
    }

    fn written(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            let is_gone = error.kind() == io::ErrorKind::BrokenPipe;
            let ending = if is_gone { Ending::OutputGone } else { Ending::OutputBroken(error.to_string()) };
            self.is_output_lost = true;
            self.fetcher.close(ending.reason());
            self.end(ending.clone());
            // Where nothing can be written nothing is worth waiting for, whatever else ended the crawl before.
            self.ending = Some(ending);
        }
        self.settle_written();
    }

    /// The line that was being written is written, or never will be. An answer that nobody got is none.
    fn settle_written(&mut self) {
        let is_lost = self.is_output_lost;
        match self.writing.take() {
            Some(Writing::Answer(line)) => {
                *if is_lost { &mut self.tally.aborted } else { &mut self.tally.ok } += 1;
                self.settle(line, is_lost);
            }
            Some(Writing::Failure(line)) => self.settle(line, is_lost),
            Some(Writing::BadLine) | None => {}
        }
        self.watch.line_done(&self.tally, self.bytes_done);
    }
}

/// The next result; where the crawl ends, of what is under way.
async fn next_result<F: Fetch>(bursts: &mut Bursts<F, Key>, is_ending: bool) -> Option<Result<Done<Key>, JoinError>> {
    if is_ending { bursts.next_running().await } else { bursts.next().await }
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
