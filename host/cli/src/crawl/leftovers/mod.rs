//! The lines that a crawl left without a result because it ended early, as a file that `crawl` takes as input.
//!
//! The file is written as soon as the crawl begins to end, with what is under way, for whoever ends the crawl may not wait for that. A
//! line that has its result after all is taken out again. At any time the file holds whole lines, or is not there.

#[cfg(test)]
mod tests;
mod version;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use version::Version;

/// Where such lines go. Of the input it holds what has been read and has no result yet.
pub(crate) struct Leftovers {
    sink: Sink,
    pending: BTreeMap<u64, Arc<str>>,
    /// Lines that could not be written down.
    missing: u64,
    /// The first thing that went wrong.
    fault: Option<io::Error>,
}

enum Sink {
    File(LineFile),
    /// What cannot be replaced, a device or a pipe: gets a line when it is certain that it is left over.
    Stream(Box<dyn Write + Send>, u64),
}

/// A file in its place, and the next one that is to take it.
struct LineFile {
    path: PathBuf,
    current: Option<Version>,
    next: Option<Version>,
    /// Where the pending lines stand in both; none before the crawl begins to end.
    places: Option<BTreeMap<u64, Range<u64>>>,
}

/// What became of the leftovers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Lines that are there.
    pub(crate) lines: u64,
    /// Lines that should be there and are not, as far as they were read.
    pub(crate) missing: u64,
    /// Was the input not read to its end, so that more is missing?
    pub(crate) is_rest_unread: bool,
    /// What went wrong.
    pub(crate) fault: Option<String>,
}

impl Left {
    /// What to say of them; nothing where the crawl left nothing and came to its end.
    pub(crate) fn message(&self, path: &Path, is_finished: bool) -> Option<String> {
        let (name, lines) = (path.display(), self.lines);
        let lack = match (&self.fault, self.missing, self.is_rest_unread) {
            (Some(fault), missing, _) => format!("; {missing} more are missing there: {fault}"),
            (None, 0, true) => "; the rest of the input was not read and is missing there".to_owned(),
            (None, 0, false) => String::new(),
            (None, missing, _) => format!("; {missing} more are missing there, as told above"),
        };
        if lines > 0 {
            let advice = format!("crawl {name} to go on, with --append to the same output");
            return Some(format!("{} without a result in {name}{lack}: {advice}", counted(lines)));
        }
        match lack.is_empty() {
            true if is_finished => None,
            true => Some(format!("every line has its result: {name} is empty")),
            false => Some(format!("no line without a result could be written to {name}{lack}")),
        }
    }
}

fn counted(lines: u64) -> String {
    if lines == 1 { "1 line is".to_owned() } else { format!("{lines} lines are") }
}

impl Leftovers {
    /// Writes to a device or a pipe.
    pub(crate) fn to(sink: Box<dyn Write + Send>) -> Self {
        Self::new(Sink::Stream(sink, 0))
    }

    /// Writes a file. What is there of an earlier crawl goes; there is a file again when something is left.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        // What a link points to is replaced, not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if std::fs::remove_file(&path).is_err() && path.exists() {
            std::fs::File::create(&path)?;
        }
        Ok(Self::new(Sink::File(LineFile { path, current: None, next: None, places: None })))
    }

    /// Can a file be written there? Leaves what is there as it is.
    pub(crate) fn try_file(path: &Path) -> io::Result<()> {
        Version::beside(path).map(drop)
    }

    fn new(sink: Sink) -> Self {
        Self { sink, pending: BTreeMap::new(), missing: 0, fault: None }
    }

    /// A line was read.
    pub(crate) fn add(&mut self, line: u64, text: Arc<str>) {
        self.pending.insert(line, text);
    }

    /// A line has its result; if that is nothing but the early end of the crawl it is left over.
    pub(crate) fn settle(&mut self, line: u64, is_left_over: bool) {
        let Some(text) = self.pending.remove(&line) else { return };
        let place = match &mut self.sink {
            Sink::File(LineFile { places: Some(places), .. }) => places.remove(&line),
            Sink::File(_) | Sink::Stream(..) => None,
        };
        match (place, is_left_over) {
            (None, true) => self.write(&text),
            (Some(place), false) => self.take_out(&place),
            (None, false) | (Some(_), true) => {}
        }
    }

    /// The crawl begins to end: what was read and has no result is written down.
    pub(crate) fn begin(&mut self) {
        let Sink::File(file) = &mut self.sink else { return };
        if file.places.is_none() {
            let begun = file.begin(&self.pending);
            file.places.get_or_insert_default();
            self.note(begun);
        }
    }

    /// The rest of the input follows, line by line. Where it is known to end soon it is put into its place as a whole.
    pub(crate) fn begin_rest(&mut self, ends_soon: bool) {
        if let (Sink::File(file), true, None) = (&mut self.sink, ends_soon, &self.fault) {
            let copied = file.current.as_ref().map(|current| current.copied(&file.path)).transpose();
            let copied = copied.map(|next| file.next = next);
            self.note(copied);
        }
    }

    /// The whole rest is told.
    pub(crate) fn end_rest(&mut self) {
        if let Sink::File(file) = &mut self.sink {
            let put = file.put_next();
            self.note(put);
        }
    }

    /// Tells that nothing is missing, unless a fault has kept lines out.
    pub(crate) fn tell_complete(&self) {
        if self.fault.is_none() {
            tracing::info!("what has no result yet is in the leftovers");
        }
    }

    /// Writes a line that was never started, or one that will have no result.
    pub(crate) fn write(&mut self, text: &str) {
        if self.fault.is_some() {
            self.missing += 1;
            return;
        }
        let written = match &mut self.sink {
            Sink::File(file) => file.add(text),
            Sink::Stream(sink, lines) => {
                let written = sink.write_all(format!("{text}\n").as_bytes()).and_then(|()| sink.flush());
                *lines += u64::from(written.is_ok());
                written
            }
        };
        self.missing += u64::from(written.is_err());
        self.note(written);
    }

    /// A line that is no text, or too long, cannot be written.
    pub(crate) fn cannot_write(&mut self) {
        self.missing += 1;
    }

    /// All is told: whatever has no result by now is left over. The rest of the input may be unread.
    pub(crate) fn finish(mut self, is_rest_unread: bool) -> Left {
        for (line, text) in std::mem::take(&mut self.pending) {
            let is_there = matches!(&self.sink, Sink::File(LineFile { places: Some(places), .. }) if places.contains_key(&line));
            if !is_there {
                self.write(&text);
            }
        }
        if let Sink::File(file) = &mut self.sink {
            let finished = file.finish(self.fault.is_none());
            self.note(finished);
        }
        let lines = match &self.sink {
            Sink::File(file) => file.current.as_ref().map_or(0, |current| current.lines),
            Sink::Stream(_, lines) => *lines,
        };
        Left { lines, missing: self.missing, is_rest_unread, fault: self.fault.map(|error| error.to_string()) }
    }

    fn take_out(&mut self, place: &Range<u64>) {
        let Sink::File(file) = &mut self.sink else { return };
        let versions = [&mut file.current, &mut file.next].into_iter().flatten();
        let blanked = versions.map(|version| version.blank(place)).fold(Ok(()), Result::and);
        self.note(blanked);
    }

    fn note(&mut self, done: io::Result<()>) {
        let Err(error) = done else { return };
        self.fault.get_or_insert(error);
        if let Sink::File(file) = &mut self.sink {
            self.missing += file.give_up_next();
        }
    }
}

impl LineFile {
    fn begin(&mut self, pending: &BTreeMap<u64, Arc<str>>) -> io::Result<()> {
        let mut next = match &self.current {
            Some(current) => current.copied(&self.path)?,
            None => Version::beside(&self.path)?,
        };
        let mut places = BTreeMap::new();
        for (line, text) in pending {
            places.insert(*line, next.add(text)?);
        }
        next.put(&self.path)?;
        (self.current, self.places) = (Some(next), Some(places));
        Ok(())
    }

    fn add(&mut self, text: &str) -> io::Result<()> {
        if let Some(version) = self.next.as_mut().or(self.current.as_mut()) {
            return version.add(text).map(drop);
        }
        let mut first = Version::beside(&self.path)?;
        first.add(text)?;
        first.put(&self.path)?;
        self.current = Some(first);
        Ok(())
    }

    /// Keeps the file that is there; the answer is how many lines that one lacks.
    fn give_up_next(&mut self) -> u64 {
        let lines = |version: Option<&Version>| version.map_or(0, |version| version.lines);
        lines(self.next.take().as_ref()).saturating_sub(lines(self.current.as_ref()))
    }

    fn put_next(&mut self) -> io::Result<()> {
        if let Some(next) = &mut self.next {
            next.put(&self.path)?;
            self.current = self.next.take();
        }
        Ok(())
    }

    fn finish(&mut self, is_complete: bool) -> io::Result<()> {
        self.put_next()?;
        let Some(current) = &self.current else {
            if !is_complete {
                return Ok(());
            }
            // Nothing is left over: a file without lines says so.
            let mut empty = Version::beside(&self.path)?;
            empty.put(&self.path)?;
            self.current = Some(empty);
            return Ok(());
        };
        if current.has_blanks {
            // Where there is no room for it, blank lines do no harm.
            let compact = Version::without_blanks(&self.path).and_then(|mut version| version.put(&self.path).map(|()| version));
            self.current = compact.ok().or(self.current.take());
        }
        Ok(())
    }
}
