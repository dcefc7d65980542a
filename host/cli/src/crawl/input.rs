//! Reads the input line by line, in a thread of its own, never more than a few lines ahead of the crawl.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::{mpsc, oneshot};

use super::entry::{BadLine, EchoData, Entry, Reading, guess_intype};
use super::unknown_keys::UnknownKeys;
use crate::args::Intype;
use crate::text_file::decoded;

/// Lines that are read ahead of the crawl.
const AHEAD: usize = 16;

/// The longest line in bytes: a request of the API has at most 5 MiB.
const LONGEST_LINE: u64 = 8 << 20;

/// Where requests come from.
pub(crate) struct Input {
    name: String,
    source: Box<dyn BufRead + Send>,
    /// How many bytes there are; known for files only.
    size: Option<u64>,
    path: Option<PathBuf>,
}

/// Which lines are wanted, and how they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// What a line is; guessed if absent.
    pub(crate) intype: Option<Intype>,
    /// At most so many; 0 for all.
    pub(crate) limit: usize,
    /// In which order.
    pub(crate) order: Order,
    /// What `echoData` is where a request has none.
    pub(crate) echo: EchoData,
}

/// The order of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As in the input.
    Input,
    /// Random, from this seed.
    Shuffled(u64),
}

/// The receiving end of a reader thread.
pub(crate) struct Entries {
    entries: mpsc::Receiver<io::Result<Entry>>,
    rest: oneshot::Receiver<Option<u64>>,
    is_countable: bool,
}

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            let source = Box::new(BufReader::new(decoded(io::stdin())));
            return Ok(Self { name: "standard input".to_owned(), source, size: None, path: None });
        }
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot read the input file {name}"))?;
        let metadata = file.metadata().with_context(|| format!("cannot read the input file {name}"))?;
        anyhow::ensure!(!metadata.is_dir(), "cannot read the input file {name}: it is a directory");
        let size = metadata.is_file().then_some(metadata.len());
        Ok(Self {
            name,
            source: Box::new(BufReader::with_capacity(64 << 10, decoded(file))),
            size,
            path: Some(path.to_path_buf()),
        })
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes there are; none where nobody knows.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size
    }

    /// The file, where it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Starts to read.
    pub(crate) fn start(self, wanted: Wanted) -> Entries {
        let (sender, entries) = mpsc::channel(AHEAD);
        let (rest_sender, rest) = oneshot::channel();
        let is_countable = self.size.is_some();
        // A thread that nobody joins: it may wait for a terminal that says nothing more.
        std::thread::spawn(move || {
            let rest = self.read(wanted, &sender);
            // The crawl that does not ask has read to the end.
            let _ = rest_sender.send(rest);
        });
        Entries { entries, rest, is_countable }
    }

    /// Sends entries until nobody wants more; then counts what was not wanted, for files.
    fn read(self, wanted: Wanted, sender: &mpsc::Sender<io::Result<Entry>>) -> Option<u64> {
        let is_file = self.size.is_some();
        let limit = if wanted.limit == 0 { usize::MAX } else { wanted.limit };
        let mut lines = Lines::new(self.source);
        let mut reader = EntryReader { name: self.name, wanted, intype: None, unknown: UnknownKeys::default() };
        if let Order::Shuffled(seed) = wanted.order {
            let mut all: Vec<Line> = Vec::new();
            for line in lines.by_ref() {
                match line {
                    Ok(line) => all.push(line),
                    Err(error) => return sender.blocking_send(Err(error)).ok().map(|()| 0),
                }
            }
            shuffle(&mut all, seed);
            return send(all.into_iter().map(Ok).take(limit), &mut reader, sender, Count::Rest);
        }
        send(lines.take(limit), &mut reader, sender, if is_file { Count::Rest } else { Count::Nothing })
    }
}

impl Entries {
    /// The next line; none at the end. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Entry>> {
        self.entries.recv().await
    }

    /// Is it a file, which ends by itself?
    pub(crate) fn is_countable(&self) -> bool {
        self.is_countable
    }

    /// Reads no further and tells how many lines were left; none where that is not known.
    pub(crate) async fn stop(mut self) -> Option<u64> {
        self.entries.close();
        let mut ahead = 0;
        while let Some(entry) = self.entries.recv().await {
            ahead += u64::from(entry.is_ok());
        }
        // A reader of a pipe may be waiting for a line that never comes.
        let rest = if self.is_countable { self.rest.await.ok()? } else { self.rest.try_recv().ok()? };
        Some(ahead + rest?)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Count {
    Rest,
    Nothing,
}

/// Sends what is wanted; the answer is how many lines were not, where they are counted.
fn send(
    mut lines: impl Iterator<Item = io::Result<Line>>,
    reader: &mut EntryReader,
    sender: &mpsc::Sender<io::Result<Entry>>,
    count: Count,
) -> Option<u64> {
    for line in lines.by_ref() {
        let is_line = line.is_ok();
        if sender.blocking_send(line.map(|line| reader.entry(line))).is_err() {
            return match count {
                Count::Rest => Some(u64::from(is_line) + lines.map_while(Result::ok).count() as u64),
                Count::Nothing => None,
            };
        }
        if !is_line {
            return None;
        }
    }
    Some(0)
}

/// Turns lines into entries; the first line decides what the others are.
struct EntryReader {
    name: String,
    wanted: Wanted,
    intype: Option<Intype>,
    unknown: UnknownKeys,
}

impl EntryReader {
    fn entry(&mut self, line: Line) -> Entry {
        let reading = self.reading(line.text.as_deref().unwrap_or_default());
        let request = match &line.text {
            Ok(text) => reading.request(text),
            Err(message) => Err(BadLine { message: message.clone(), value: None }),
        };
        if let Ok(request) = &request {
            self.unknown.warn(line.number, request);
        }
        Entry { line: line.number, bytes: line.bytes, text: line.text.ok().map(Arc::from), reading, request }
    }

    /// A first line that is no text tells nothing.
    fn reading(&mut self, text: &str) -> Reading {
        let echo = self.wanted.echo;
        let guess = || self.wanted.intype.unwrap_or_else(|| guess_intype(&self.name, text));
        let intype = self.intype.unwrap_or_else(guess);
        self.intype = self.intype.or((!text.is_empty()).then_some(intype));
        Reading { intype, echo }
    }
}

/// A line that is not blank, without white space around it.
struct Line {
    number: u64,
    bytes: u64,
    text: Result<String, String>,
}

/// Reads lines of bounded length.
struct Lines<R> {
    source: R,
    number: u64,
    /// Bytes since the end of the last line that was not blank.
    bytes: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn new(source: R) -> Self {
        Self { source, number: 0, bytes: 0, buffer: Vec::new() }
    }

    /// The next line, blank ones included; none at the end.
    fn read(&mut self) -> io::Result<Option<Line>> {
        self.buffer.clear();
        let mut read = (&mut self.source).take(LONGEST_LINE).read_until(b'\n', &mut self.buffer)? as u64;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let is_too_long = read == LONGEST_LINE && self.buffer.last() != Some(&b'\n');
        if is_too_long {
            self.buffer = Vec::new();
            read += skip_line(&mut self.source)?;
        }
        self.bytes += read;
        let text = if is_too_long { Err(format!("longer than {} MiB", LONGEST_LINE >> 20)) } else { self.text() };
        Ok(Some(Line { number: self.number, bytes: self.bytes, text }))
    }

    fn text(&self) -> Result<String, String> {
        let text = std::str::from_utf8(&self.buffer).map_err(|_| "not UTF-8 text".to_owned())?;
        // Some editors begin a file with a byte order mark, and files are put one behind the other.
        Ok(text.trim_start_matches('\u{feff}').trim().to_owned())
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read().transpose()? {
                Ok(line) if line.text.as_deref() == Ok("") => {}
                line => {
                    self.bytes = 0;
                    return Some(line);
                }
            }
        }
    }
}

/// Reads to the end of the line and forgets it.
fn skip_line(source: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let chunk = source.fill_buf()?;
        let (length, found) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (chunk.len(), chunk.is_empty()),
        };
        source.consume(length);
        skipped += length as u64;
        if found {
            return Ok(skipped);
        }
    }
}

/// Every order is equally likely, as far as the generator goes.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    random.shuffle(items);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str, bytes: impl Into<Vec<u8>>) -> Input {
        let bytes = bytes.into();
        let size = Some(bytes.len() as u64);
        Input { name: name.to_owned(), source: Box::new(io::Cursor::new(bytes)), size, path: None }
    }

    const ALL: Wanted = Wanted { intype: None, limit: 0, order: Order::Input, echo: EchoData::Absent };

    async fn all(mut entries: Entries) -> Vec<Entry> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next().await {
            all.push(entry.unwrap());
        }
        all
    }

    fn urls(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.request.as_ref().map_or("?", |request| request.url())).collect()
    }

    #[tokio::test]
    async fn blank_lines_are_skipped_but_counted_and_endings_do_not_matter() {
        let text = "\u{feff}\r\nhttps://a.example/\r\n\n  \nhttps://b.example/";
        let entries = all(input("x", text).start(ALL)).await;
        assert_eq!(urls(&entries), ["https://a.example/", "https://b.example/"]);
        assert_eq!(entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [2, 5]);
        assert_eq!(entries.iter().map(|entry| entry.bytes).sum::<u64>(), text.len() as u64);
    }

    #[tokio::test]
    async fn a_bad_line_spoils_no_other() {
        let mut bytes = b"{\"url\": \"http://a\"}\n{\n\xff\n".to_vec();
        bytes.extend(vec![b'x'; LONGEST_LINE as usize + 1]);
        bytes.extend(b"\n{\"url\": \"http://b\"}\n");
        let entries = all(input("x.jl", bytes).start(ALL)).await;
        assert_eq!(urls(&entries), ["http://a", "?", "?", "?", "http://b"]);
        let messages: Vec<_> =
            entries.iter().filter_map(|entry| entry.request.as_ref().err()).map(|bad| bad.message.as_str()).collect();
        assert_eq!(messages, ["not JSON: EOF while parsing an object at column 1", "not UTF-8 text", "longer than 8 MiB"]);
        assert_eq!(entries.last().unwrap().line, 5);
    }

    #[tokio::test]
    async fn a_limit_takes_the_first_and_after_a_shuffle_any() {
        let text = (0..100).map(|n| format!("http://u{n}\n")).collect::<String>();
        let entries = all(input("x", text.clone()).start(Wanted { limit: 3, ..ALL })).await;
        assert_eq!(urls(&entries), ["http://u0", "http://u1", "http://u2"]);
        let shuffled = Wanted { limit: 3, order: Order::Shuffled(7), ..ALL };
        let first = all(input("x", text.clone()).start(shuffled)).await;
        let again = all(input("x", text).start(shuffled)).await;
        assert_eq!(first, again);
        assert_ne!(urls(&first), ["http://u0", "http://u1", "http://u2"]);
    }

    #[tokio::test]
    async fn a_reader_that_is_stopped_tells_how_many_lines_were_left() {
        let text = (0..1000).map(|n| format!("http://u{n}\n\n")).collect::<String>();
        for (limit, left) in [(0, 998), (100, 98)] {
            let mut entries = input("x", text.clone()).start(Wanted { limit, ..ALL });
            entries.next().await.unwrap().unwrap();
            entries.next().await.unwrap().unwrap();
            assert_eq!(entries.stop().await, Some(left));
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        for (path, part) in [("no/such/file", "cannot read the input file no/such/file"), (".", "it is a directory")] {
            let message = format!("{:#}", Input::open(Path::new(path)).err().unwrap());
            assert!(message.contains(part), "{message}");
        }
    }
}
