//! The misdeeds.

use std::hint::black_box;

use carousel_guest::prelude::*;

/// Bytes of a result that is far too large.
const HUGE: usize = 300 << 20;

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
            _ => Err(Error::new(format!("unknown deed {name}"))),
        }
    }

    /// Does it; a deed that comes to an end returns the text that the hook returns.
    pub(crate) fn carry_out(self) -> Result<String> {
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
        }
    }
}

fn compute_forever() -> ! {
    let mut number = 1_u64;
    loop {
        number = black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
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
