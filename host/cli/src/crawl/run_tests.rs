//! The run against a stand-in for the engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use carousel_core::exchange::Answer;
use carousel_core::id::PoolId;
use carousel_core::pool::Outlook;
use carousel_core::turns::{Order as Start, PoolKey};
use carousel_engine::{Fetched, Preparing, Trace};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use super::*;
use crate::args::Intype;
use crate::crawl::entry::{EchoData, Reading};
use crate::crawl::input::{Input, Order, Wanted};

/// Answers by the last word of the URL: `…/closing` closes the crawl first, `…/bad` fails, `…/twice` is a duplicate,
/// `…/held` waits to be let go.
#[derive(Clone)]
struct Fake(Arc<State>);

struct State {
    close: watch::Sender<Option<Arc<str>>>,
    gate: Semaphore,
    log: Mutex<Vec<String>>,
}

impl Fake {
    fn new() -> Self {
        Self(Arc::new(State { close: watch::Sender::new(None), gate: Semaphore::new(0), log: Mutex::default() }))
    }

    fn log(&self, event: &str, url: &str) {
        self.0.log.lock().unwrap().push(format!("{event} {url}"));
    }
}

impl Fetcher for Fake {
    type Prepared = Arc<Request>;
    type Enqueued = Arc<Request>;
    type Resting = ();

    fn prepare(&self, request: Request) -> Preparing<Arc<Request>> {
        Preparing::Done(Arc::new(request))
    }

    fn lane(&self, _request: &Request) -> Option<Arc<str>> {
        None
    }

    fn rest(_prepared: Arc<Request>) {}

    fn wake(&self, request: Request, (): ()) -> Arc<Request> {
        Arc::new(request)
    }

    fn request(prepared: &Arc<Request>) -> Arc<Request> {
        Arc::clone(prepared)
    }

    fn pool(_prepared: &Arc<Request>) -> Option<PoolId> {
        None
    }

    fn outlook(&self, _pool: &PoolKey, _backlog: usize) -> Outlook {
        Outlook::OPEN
    }

    fn changes(&self) -> mpsc::UnboundedReceiver<PoolKey> {
        mpsc::unbounded_channel().1
    }

    fn enqueue(&self, request: Arc<Request>) -> Arc<Request> {
        request
    }

    async fn fetch(&self, request: Arc<Request>) -> Result<Fetched, Failure> {
        let url = request.url().to_owned();
        self.log("start", &url);
        let failure = |kind| Failure { kind, error: None, message: "no".to_owned(), trace: Trace::default() };
        if url.ends_with("held") {
            self.0.gate.acquire().await.unwrap().forget();
        }
        tokio::task::yield_now().await;
        self.log("end", &url);
        match url.rsplit('/').next() {
            Some("closing") => {
                self.close("a_reason");
                Err(failure(FailureKind::Closed))
            }
            Some("bad") => Err(failure(FailureKind::Network)),
            Some("twice") => Err(failure(FailureKind::Duplicate)),
            _ => {
                let text = serde_json::json!({"url": url}).to_string();
                Ok(Fetched { answer: Answer::parse(text, None).unwrap(), trace: Trace::default() })
            }
        }
    }
}

impl Fetch for Fake {
    async fn closed(&self) -> Arc<str> {
        self.0.close.subscribe().wait_for(Option::is_some).await.unwrap().clone().unwrap()
    }

    fn close(&self, reason: &str) {
        self.0.close.send_modify(|known| {
            known.get_or_insert_with(|| reason.into());
        });
    }

    fn wind_down(&self, reason: &str) {
        Fetch::close(self, reason);
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>, Option<io::ErrorKind>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(kind) = self.1 {
            return Err(kind.into());
        }
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Quiet;

impl Watch for Quiet {
    fn line_done(&self, _tally: &Tally, _bytes_done: u64) {}
}

/// Lets held requests go once this many lines have their result.
struct LetGo(Fake, u64, mpsc::Sender<()>);

impl Watch for LetGo {
    fn line_done(&self, tally: &Tally, _bytes_done: u64) {
        if tally.started() == self.1 {
            self.2.try_send(()).unwrap();
            self.0.0.gate.add_permits(100);
        }
    }
}

fn entries(lines: &str) -> Entries {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines).unwrap();
    let wanted = Wanted { intype: Some(Intype::Jl), limit: 0, order: Order::Input, echo: EchoData::Absent };
    Input::open(file.path()).unwrap().start(wanted)
}

fn input(words: &[&str]) -> String {
    words.iter().map(|word| format!("{{\"url\": \"https://a.example/{word}\"}}\n")).collect()
}

fn options(concurrency: usize, errors: StoreErrors) -> RunOptions {
    let turns = TurnsOptions { places: concurrency, window: 1_000, window_bytes: 1 << 20, order: Start::Bursts };
    RunOptions { turns, errors, annotation: Annotation::Off, input: "requests.jl".to_owned() }
}

fn kinds(sink: &Sink) -> HashMap<String, u64> {
    let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    let mut kinds = HashMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        *kinds.entry(line["error"]["kind"].as_str().unwrap_or("ok").to_owned()).or_default() += 1;
    }
    kinds
}

async fn run(lines: &str, options: RunOptions, sink: &Sink) -> (Ending, Tally, Fake) {
    let fake = Fake::new();
    let (_keep, mut interrupts) = mpsc::channel(1);
    let run = Run::new(fake.clone(), options, Output::to(Box::new(sink.clone())), &Quiet);
    let Ended { ending, tally, .. } = run.run(entries(lines), &mut interrupts).await;
    (ending, tally, fake)
}

#[tokio::test]
async fn with_concurrency_one_a_request_starts_after_the_result_of_the_one_before() {
    let (ending, _, fake) = run(&input(&["a", "b", "bad", "c"]), options(1, StoreErrors::No), &Sink::default()).await;
    assert_eq!(ending, Ending::Finished);
    let log = fake.0.log.lock().unwrap().clone();
    let expected: Vec<String> = ["a", "b", "bad", "c"]
        .iter()
        .flat_map(|word| [format!("start https://a.example/{word}"), format!("end https://a.example/{word}")])
        .collect();
    assert_eq!(log, expected);
}

#[tokio::test]
async fn every_line_has_one_result() {
    let lines = input(&["a", "bad", "b", "twice"]) + "{oops\n{\"no\": \"url\"}\n";
    let sink = Sink::default();
    let (ending, tally, _) = run(&lines, options(3, StoreErrors::Yes), &sink).await;
    assert_eq!(ending, Ending::Finished);
    let expected = Tally { ok: 2, failed: 3, duplicates: 1, bad_lines: 2, aborted: 0, not_started: Some(0) };
    assert_eq!(tally, expected);
    let expected = [("ok", 2), ("network", 1), ("duplicate", 1), ("bad-request", 2)];
    assert_eq!(kinds(&sink), expected.map(|(kind, count)| (kind.to_owned(), count)).into());
}

#[tokio::test]
async fn errors_are_written_only_on_request() {
    let sink = Sink::default();
    let (_, tally, _) = run(&input(&["a", "bad"]), options(1, StoreErrors::No), &sink).await;
    assert_eq!((tally.ok, tally.failed), (1, 1));
    assert_eq!(kinds(&sink), [("ok".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_closed_crawl_starts_nothing_more_and_tells_what_was_left() {
    let lines = input(&["a", "closing"]) + &input(&["x"; 500]);
    let (ending, tally, fake) = run(&lines, options(1, StoreErrors::No), &Sink::default()).await;
    assert_eq!(ending, Ending::Closed("a_reason".to_owned()));
    assert_eq!((tally.ok, tally.failed, tally.not_started), (1, 1, Some(500)));
    assert_eq!(fake.0.log.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn an_interrupt_finishes_what_is_under_way_and_accounts_for_the_rest() {
    let lines = input(&["held", "held", "a"]) + &input(&["held"; 100]);
    let fake = Fake::new();
    let (sender, mut interrupts) = mpsc::channel(1);
    let watch = LetGo(fake.clone(), 1, sender);
    let run = Run::new(fake.clone(), options(3, StoreErrors::No), Output::to(Box::new(Sink::default())), &watch);
    let Ended { ending, tally, .. } = run.run(entries(&lines), &mut interrupts).await;
    assert_eq!(ending, Ending::Interrupted);
    assert_eq!((tally.ok, tally.aborted, tally.started() + tally.not_started.unwrap()), (tally.started(), 0, 103));
    assert!((3..=4).contains(&tally.ok), "{tally:?}");
}

#[tokio::test]
async fn a_second_interrupt_stops_at_once() {
    let fake = Fake::new();
    let (sender, mut interrupts) = mpsc::channel(2);
    sender.try_send(()).unwrap();
    let started = fake.clone();
    // The first interrupt is waiting already; the second follows when the crawl was closed because of it.
    tokio::spawn(async move {
        started.closed().await;
        sender.send(()).await.unwrap();
    });
    let mut run = Run::new(fake, options(2, StoreErrors::No), Output::to(Box::new(Sink::default())), &Quiet);
    let reading = Reading { intype: Intype::Jl, echo: EchoData::Absent };
    let key = Key { line: 1, bytes: 1, text: r#"{"url": "https://a.example/held"}"#.into(), reading };
    let held = key.request().unwrap();
    run.bursts.add(key, held, 1);
    let Ended { ending, tally, .. } = run.run(entries(&input(&["held"; 3])), &mut interrupts).await;
    assert_eq!(ending, Ending::Interrupted);
    assert_eq!((tally.ok, tally.aborted), (0, 1));
}

#[tokio::test]
async fn an_output_that_is_gone_stops_the_crawl() {
    for (kind, expected) in [
        (io::ErrorKind::BrokenPipe, Ending::OutputGone),
        (io::ErrorKind::StorageFull, Ending::OutputBroken(io::Error::from(io::ErrorKind::StorageFull).to_string())),
    ] {
        let sink = Sink(Arc::default(), Some(kind));
        let (ending, tally, _) = run(&input(&["a", "b", "held", "c"]), options(1, StoreErrors::No), &sink).await;
        assert_eq!(ending, expected);
        assert_eq!(tally.started() + tally.not_started.unwrap(), 4);
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_left_over() {
    let (broken, left) = (Sink(Arc::default(), Some(io::ErrorKind::StorageFull)), Sink::default());
    let (_keep, mut interrupts) = mpsc::channel(1);
    let run = Run::new(Fake::new(), options(1, StoreErrors::No), Output::to(Box::new(broken)), &Quiet);
    let run = run.with_leftovers(Some(Leftovers::to(Box::new(left.clone()))));
    let lines = input(&["a", "b", "c"]);
    let Ended { tally, .. } = run.run(entries(&lines), &mut interrupts).await;
    assert_eq!((tally.ok, tally.aborted, tally.not_started), (0, 1, Some(2)));
    assert_eq!(String::from_utf8(left.0.lock().unwrap().clone()).unwrap(), lines);
}

#[tokio::test]
async fn what_a_closed_crawl_leaves_without_a_result_stands_in_the_leftovers_as_in_the_input() {
    let lines = input(&["a", "closing"]) + "{ \"url\" : \"https://a.example/x\" }\n" + &input(&["y"; 500]);
    let (fake, left) = (Fake::new(), Sink::default());
    let (_keep, mut interrupts) = mpsc::channel(1);
    let run = Run::new(fake, options(1, StoreErrors::No), Output::to(Box::new(Sink::default())), &Quiet);
    let run = run.with_leftovers(Some(Leftovers::to(Box::new(left.clone()))));
    let Ended { tally, .. } = run.run(entries(&lines), &mut interrupts).await;
    assert_eq!((tally.ok, tally.failed, tally.not_started), (1, 1, Some(501)));
    let text = String::from_utf8(left.0.lock().unwrap().clone()).unwrap();
    let (mut expected, mut found): (Vec<&str>, Vec<&str>) = (lines.lines().skip(1).collect(), text.lines().collect());
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn what_was_under_way_when_a_crawl_is_stopped_at_once_is_left_over_too() {
    let (fake, left) = (Fake::new(), Sink::default());
    let (sender, mut interrupts) = mpsc::channel(2);
    let started = fake.clone();
    tokio::spawn(async move {
        while started.0.log.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        sender.send(()).await.unwrap();
        sender.send(()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let run = Run::new(fake, options(1, StoreErrors::No), Output::to(Box::new(Sink::default())), &Quiet);
    let run = run.with_leftovers(Some(Leftovers::to(Box::new(left.clone()))));
    let lines = input(&["held", "b", "c"]);
    run.run(entries(&lines), &mut interrupts).await;
    assert!(String::from_utf8(left.0.lock().unwrap().clone()).unwrap().starts_with(&input(&["held"])));
}
