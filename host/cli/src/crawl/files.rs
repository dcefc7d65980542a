//! The files that a crawl writes, opened together: none of them is emptied where another cannot be used.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::leftovers::Leftovers;
use super::output::Output;
use crate::args::Crawl;
use crate::logging::stdout;
use crate::stats_file::StatsFile;

/// What a crawl writes.
pub(crate) struct Files {
    pub(crate) output: Output,
    pub(crate) leftovers: Option<Leftovers>,
    pub(crate) stats: Option<StatsFile>,
}

impl Files {
    /// Opens them all, then empties those that begin anew. The input, and one file for two purposes, are refused.
    pub(crate) fn open(args: &Crawl, input: Option<&Path>) -> anyhow::Result<Self> {
        let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
        let named =
            [("output file", output), ("file for leftovers", args.leftovers.as_deref()), ("stats file", args.stats.as_deref())];
        let opened = named.map(|(what, path)| path.map(|path| Opened::new(what, path)).transpose());
        let [output, leftovers, stats] = opened;
        let (output, leftovers, stats) = (output?, leftovers?, stats?);
        distinct([&output, &leftovers, &stats].into_iter().flatten(), input)?;
        Ok(Self {
            output: match output {
                None => Output::to(stdout::sink()),
                Some(file) if args.append => Output::file(file.at_its_end()?)?,
                Some(file) => Output::file(file.emptied()?)?,
            },
            leftovers: leftovers.map(|file| anyhow::Ok(Leftovers::to(Box::new(file.emptied()?)))).transpose()?,
            stats: stats.map(|file| anyhow::Ok(StatsFile::new(file.path.clone(), file.emptied()?))).transpose()?,
        })
    }
}

/// A file that can be written and is as it was.
struct Opened {
    what: &'static str,
    path: PathBuf,
    file: File,
    /// Whether it has a content to lose, as devices and pipes have not.
    is_regular: bool,
}

impl Opened {
    fn new(what: &'static str, path: &Path) -> anyhow::Result<Self> {
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let metadata = opened.and_then(|file| Ok((file.metadata()?.is_file(), file)));
        let (is_regular, file) = metadata.with_context(|| format!("cannot write the {what} {}", path.display()))?;
        Ok(Self { what, path: path.to_path_buf(), file, is_regular })
    }

    /// Where it is, for those that have a content to lose.
    fn place(&self) -> Option<PathBuf> {
        if self.is_regular { self.path.canonicalize().ok() } else { None }
    }

    fn emptied(self) -> anyhow::Result<File> {
        if self.is_regular {
            self.file.set_len(0).with_context(|| format!("cannot write the {} {}", self.what, self.path.display()))?;
        }
        Ok(self.file)
    }

    /// What was cut off in the middle of a line spoils no other.
    fn at_its_end(mut self) -> anyhow::Result<File> {
        let cannot = || format!("cannot add to the {} {}", self.what, self.path.display());
        if self.is_regular && self.file.seek(SeekFrom::End(0)).with_context(cannot)? > 0 {
            let mut last = [0];
            let mut reader = File::open(&self.path).with_context(cannot)?;
            reader.seek(SeekFrom::End(-1)).and_then(|_| reader.read_exact(&mut last)).with_context(cannot)?;
            if last != *b"\n" {
                self.file.write_all(b"\n").with_context(cannot)?;
            }
        }
        Ok(self.file)
    }
}

fn distinct<'f>(files: impl Iterator<Item = &'f Opened>, input: Option<&Path>) -> anyhow::Result<()> {
    let mut taken: Vec<(&str, PathBuf)> = Vec::new();
    taken.extend(input.and_then(|input| Some(("input file", input.canonicalize().ok()?))));
    for file in files {
        let Some(place) = file.place() else { continue };
        if let Some((other, _)) = taken.iter().find(|(_, path)| *path == place) {
            bail!("the {} {} is the {other}, too, which would be lost: name another file", file.what, file.path.display());
        }
        taken.push((file.what, place));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three files with a line in each, and what a crawl of one of them with these others would say.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            for name in ["in.txt", "out", "left", "stats"] {
                std::fs::write(dir.path().join(name), "old\n").unwrap();
            }
            Self(dir)
        }

        fn open(&self, output: &str, leftovers: &str, stats: &str, append: bool) -> anyhow::Result<Files> {
            let path = |name: &str| Some(self.0.path().join(name));
            let (output, leftovers, stats) = (path(output), path(leftovers), path(stats));
            let args = Crawl { output, leftovers, stats, append, ..Crawl::default() };
            Files::open(&args, path("in.txt").as_deref())
        }

        fn texts(&self) -> [String; 4] {
            ["in.txt", "out", "left", "stats"].map(|name| std::fs::read_to_string(self.0.path().join(name)).unwrap())
        }
    }

    #[test]
    fn where_one_file_cannot_be_used_none_is_touched() {
        for (output, leftovers, stats, says) in [
            ("in.txt", "left", "stats", "is the input file"),
            ("./in.txt", "left", "stats", "is the input file"),
            ("out", "in.txt", "stats", "the file for leftovers"),
            ("out", "left", "in.txt", "the stats file"),
            ("out", "out", "stats", "is the output file"),
            ("out", "left", "left", "is the file for leftovers"),
            ("out", "left", "no/such/dir", "cannot write the stats file"),
            ("out", ".", "stats", "cannot write the file for leftovers"),
        ] {
            let folder = Folder::new();
            let said = format!("{:#}", folder.open(output, leftovers, stats, false).err().unwrap());
            assert!(said.contains(says), "{said}");
            assert_eq!(folder.texts(), ["old\n"; 4], "{said}");
        }
    }

    #[test]
    fn files_are_overwritten() {
        let folder = Folder::new();
        let mut files = folder.open("out", "left", "stats", false).unwrap();
        files.output.write_line("new").unwrap();
        assert_eq!(folder.texts(), ["old\n", "new\n", "", ""]);
    }

    #[test]
    fn an_output_that_is_added_to_keeps_what_it_has_line_by_line() {
        for (before, after) in [("old\n", "old\nnew\n"), ("old\n{\"cut", "old\n{\"cut\nnew\n"), ("", "new\n")] {
            let folder = Folder::new();
            std::fs::write(folder.0.path().join("out"), before).unwrap();
            let mut files = folder.open("out", "left", "stats", true).unwrap();
            files.output.write_line("new").unwrap();
            assert_eq!(folder.texts()[1], after);
        }
    }

    #[cfg(unix)]
    #[test]
    fn one_device_takes_any_number_of_files() {
        let folder = Folder::new();
        assert!(folder.open("/dev/null", "/dev/null", "/dev/null", true).is_ok());
    }
}
