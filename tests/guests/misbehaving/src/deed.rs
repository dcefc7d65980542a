//! The misdeeds.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use carousel_guest::prelude::*;

/// Bytes of a result that is far too large.
const HUGE: usize = 300 << 20;

/// Bytes that are lost at each call.
const LEAK: usize = 256 << 10;

/// A misdeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Computes for ever without asking the host anything.
    Loop,
    /// Logs for ever.
    LogFlood,
    /// Logs a few lines of 64 MiB in all.
    LongLines,
    /// Allocates 10 GB.
    Allocate,
    /// Calls itself for ever.
    Recurse,
    /// Panics with a message.
    Panic,
    /// Returns 300 MB.
    ReturnHuge,
    /// Downloads for ever; where that is refused, it insists.
    Downloads,
    /// Asks the host small things for ever.
    HostCalls,
    /// Asks the page costly things for ever.
    Queries,
    /// Searches the page for a costly regular expression for ever.
    Patterns,
    /// Stores in the session for ever; where that is refused, it insists.
    SessionData,
    /// Stores in the shared data for ever; where that is refused, it insists.
    SharedData,
    /// Sleeps for a century.
    Sleep,
    /// Remembers how often it was asked, and never gives back a bit of memory each time.
    Remember,
    /// Prints, which belongs into the log.
    Print,
    /// Logs at every level what would be a record of somebody else and a command to the terminal.
    Forge,
}

impl Deed {
    /// Finds what a hook is told to do, by the config or by the URL.
    pub(crate) fn of(hook: &str, request: &Request) -> Result<Option<Self>> {
        let config: Value = config()?;
        if let Some(name) = config.get(hook).and_then(Value::as_str) {
            return Self::named(name).map(Some);
        }
        let url = request.url();
        match url.split_once(&format!("/{hook}/")) {
            Some((_, rest)) => Self::named(rest.split(['/', '?', '#']).next().unwrap_or_default()).map(Some),
            None => Ok(None),
        }
    }

    fn named(name: &str) -> Result<Self> {
        match name {
            "loop" => Ok(Self::Loop),
            "log-flood" => Ok(Self::LogFlood),
            "long-lines" => Ok(Self::LongLines),
            "allocate" => Ok(Self::Allocate),
            "recurse" => Ok(Self::Recurse),
            "panic" => Ok(Self::Panic),
            "return-huge" => Ok(Self::ReturnHuge),
            "downloads" => Ok(Self::Downloads),
            "host-calls" => Ok(Self::HostCalls),
            "queries" => Ok(Self::Queries),
            "patterns" => Ok(Self::Patterns),
            "session-data" => Ok(Self::SessionData),
            "shared-data" => Ok(Self::SharedData),
            "sleep" => Ok(Self::Sleep),
            "remember" => Ok(Self::Remember),
            "print" => Ok(Self::Print),
            "forge" => Ok(Self::Forge),
            _ => Err(Error::new(format!("unknown deed {name}"))),
        }
    }

    /// Does it; a deed that comes to an end returns the text that the hook returns.
    pub(crate) fn carry_out(self, request: &Request, page: Option<&Response>) -> Result<String> {
        match self {
            Self::Loop => compute_forever(),
            Self::LogFlood => loop {
                log::info!("flood");
            },
            Self::LongLines => {
                let line = "long ".repeat((16 << 20) / 5);
                for _ in 0..4 {
                    log::info!("{line}");
                }
                Ok("logged long lines".to_owned())
            }
            Self::Allocate => Ok(format!("allocated {} MiB", allocate(10 << 10))),
            Self::Recurse => Ok(format!("came back from {}", recurse(black_box(0)))),
            Self::Panic => panic_with_message(),
            Self::ReturnHuge => Ok("x".repeat(HUGE)),
            Self::Downloads => loop {
                let _ = download(Params::http_response_body().url("https://misbehaving.example/again"));
            },
            Self::HostCalls => loop {
                black_box(request.url());
            },
            Self::Queries => ask_forever(page, "//*[count(.//*[count(.//*) > 1]) > 100000]"),
            Self::Patterns => ask_forever(page, "//*[re:test(., '(\\w+\\s*)+\\d{20}x')]"),
            Self::SessionData => store_forever(|key, text| match request.session() {
                Some(session) => session.set(key, text),
                None => Err(Error::new("there is no session")),
            }),
            Self::SharedData => store_forever(shared::set),
            Self::Sleep => {
                std::thread::sleep(Duration::from_secs(100 * 365 * 24 * 3600));
                Ok("slept for a century".to_owned())
            }
            Self::Remember => Ok(remember()),
            Self::Print => Ok(print()),
            Self::Forge => Err(Error::new(forge())),
        }
    }
}

/// Prints lines in pieces, one too long and one without an end.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is the deed")]
fn print() -> String {
    println!("{} line", black_box(1));
    eprint!("one ");
    eprintln!("and {}", black_box("two"));
    eprintln!("{}", "long ".repeat(2_000));
    eprint!("the end");
    format!("{:?}", std::env::var("HOME"))
}

/// Logs a forgery in every way and returns it.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is part of the deed")]
fn forge() -> String {
    let forgery = format!("{}\nERROR forged\r\u{1b}]0;title\u{7}\u{9b}2J\u{202e}", black_box("said"));
    log::error!("{forgery}");
    log::warn!("{forgery}");
    log::info!("{forgery}");
    log::debug!("{forgery}");
    println!("{forgery}");
    eprintln!("{forgery}");
    forgery
}

/// Counts the calls of this instance.
fn remember() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    std::mem::forget(black_box(vec![1_u8; LEAK]));
    (CALLS.fetch_add(1, Relaxed) + 1).to_string()
}

fn compute_forever() -> ! {
    let mut number = 1_u64;
    loop {
        number = black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}

fn ask_forever(page: Option<&Response>, expression: &str) -> Result<String> {
    let page = page.ok_or_else(|| Error::new("there is no page in this hook"))?;
    loop {
        let _ = black_box(page.xpath(expression).map(|found| found.exists()));
    }
}

fn store_forever(store: impl Fn(&str, &str) -> Result<()>) -> Result<String> {
    let text = "x".repeat(1000);
    for n in 0_u64.. {
        let _ = store(&n.to_string(), &text);
    }
    Ok("stored for ever".to_owned())
}

/// Allocates so many MiB, touches and keeps them.
fn allocate(mebibytes: usize) -> usize {
    let kept: Vec<Vec<u8>> = (0..mebibytes).map(|_| black_box(vec![1; 1 << 20])).collect();
    black_box(kept).len()
}

fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if depth == u64::MAX {
        return depth;
    }
    recurse(depth + 1).max(black_box(frame).len() as u64)
}

#[expect(clippy::panic, reason = "panicking is the deed")]
fn panic_with_message() -> ! {
    panic!("misbehaving on purpose")
}
