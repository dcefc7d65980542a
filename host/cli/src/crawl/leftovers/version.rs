//! A file of whole lines that takes the place of another in one step.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use tempfile::{Builder, TempPath};

/// Bytes of lines that are collected before they are written, while nobody can see the file yet.
const CHUNK: usize = 64 << 10;

/// Lines in a file: at first beside the place that they are for, then in it. Whoever looks there finds whole lines at any time.
pub(super) struct Version {
    file: File,
    /// Where it is until it is put into its place.
    beside: Option<TempPath>,
    /// Whole lines that are not in the file yet.
    buffer: Vec<u8>,
    /// Bytes of the file.
    written: u64,
    /// Lines that are there, those that were blanked out left out.
    pub(super) lines: u64,
    pub(super) has_blanks: bool,
}

impl Version {
    /// An empty one beside a path, or where temporary files are if that folder takes none but the file itself can be written.
    pub(super) fn beside(path: &Path) -> io::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = Builder::new();
        builder.prefix(".leftovers-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let made = builder.tempfile_in(folder).or_else(|error| match File::options().write(true).open(path) {
            Ok(_) => builder.tempfile(),
            Err(_) => Err(error),
        })?;
        let (file, beside) = made.into_parts();
        Ok(Self { file, beside: Some(beside), buffer: Vec::new(), written: 0, lines: 0, has_blanks: false })
    }

    /// Adds a line. The answer is where it stands.
    pub(super) fn add(&mut self, line: &str) -> io::Result<Range<u64>> {
        let start = self.written + self.buffer.len() as u64;
        self.buffer.extend_from_slice(line.as_bytes());
        self.buffer.push(b'\n');
        if self.beside.is_none() || self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        self.lines += 1;
        Ok(start..start + line.len() as u64)
    }

    /// Writes what was collected: all of it, or nothing where there is no room.
    fn flush(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.buffer);
        let length = self.buffer.len() as u64;
        self.buffer.clear();
        match written {
            Ok(()) => self.written += length,
            Err(_) => {
                self.file.set_len(self.written)?;
                self.file.seek(SeekFrom::Start(self.written))?;
            }
        }
        written
    }

    /// Makes a line of it a blank one: it needs no more room than before, so this works on a full disk.
    pub(super) fn blank(&mut self, place: &Range<u64>) -> io::Result<()> {
        self.flush()?;
        self.file.seek(SeekFrom::Start(place.start))?;
        let spaces = vec![b' '; usize::try_from(place.end - place.start).unwrap_or_default()];
        self.file.write_all(&spaces)?;
        self.file.seek(SeekFrom::Start(self.written))?;
        self.lines = self.lines.saturating_sub(1);
        self.has_blanks = true;
        Ok(())
    }

    /// Puts it into its place, where it can still be added to.
    pub(super) fn put(&mut self, path: &Path) -> io::Result<()> {
        self.flush()?;
        let Some(beside) = self.beside.take() else { return Ok(()) };
        let Err(error) = beside.persist(path) else { return Ok(()) };
        // A file that cannot be replaced, a mounted one say, may still be written.
        fs::copy(&error.path, path).map_err(|_| error.error)?;
        self.file = File::options().write(true).open(path)?;
        self.file.seek(SeekFrom::Start(self.written)).map(drop)
    }

    /// Another one beside it with all its lines, each where it stands here.
    pub(super) fn copied(&self, path: &Path) -> io::Result<Self> {
        let mut copy = Self::beside(path)?;
        copy.written = io::copy(&mut File::open(path)?, &mut copy.file)?;
        Ok(Self { lines: self.lines, has_blanks: self.has_blanks, ..copy })
    }

    /// Another one beside it without its blank lines.
    pub(super) fn without_blanks(path: &Path) -> io::Result<Self> {
        let mut copy = Self::beside(path)?;
        for line in BufReader::new(File::open(path)?).lines() {
            let line = line?;
            if !line.trim().is_empty() {
                copy.add(&line)?;
            }
        }
        Ok(copy)
    }
}
