//! Writes the lines of a crawl: to a file or to standard output, each one flushed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;

/// Where lines go.
pub(crate) struct Output {
    sink: BufWriter<Box<dyn Write + Send>>,
}

impl Output {
    /// Opens a file, which is emptied, or standard output. The input itself is refused.
    pub(crate) fn open(path: Option<&Path>, input: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::to(Box::new(io::stdout())));
        };
        if let Some(input) = input
            && let (Ok(input), Ok(output)) = (input.canonicalize(), path.canonicalize())
            && input == output
        {
            anyhow::bail!("the output file {} is the input file: it would be lost", path.display());
        }
        let file = File::create(path).with_context(|| format!("cannot write the output file {}", path.display()))?;
        Ok(Self::to(Box::new(file)))
    }

    /// Writes to anything.
    pub(crate) fn to(sink: Box<dyn Write + Send>) -> Self {
        Self { sink: BufWriter::new(sink) }
    }

    /// Writes a line and flushes it.
    pub(crate) fn write_line(&mut self, line: &str) -> io::Result<()> {
        self.sink.write_all(line.as_bytes())?;
        self.sink.write_all(b"\n")?;
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_is_not_overwritten_by_the_output() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("urls.txt");
        std::fs::write(&file, "https://a.example/\n").unwrap();
        let other = dir.path().join(".").join("urls.txt");
        assert!(Output::open(Some(&other), Some(&file)).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "https://a.example/\n");
    }

    #[test]
    fn an_output_file_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("out.jsonl");
        std::fs::write(&file, "old\nold\n").unwrap();
        Output::open(Some(&file), None).unwrap().write_line("new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new\n");
    }
}
