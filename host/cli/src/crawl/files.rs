//! The files that a crawl writes, opened together: none of them is emptied where another cannot be used.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use same_file::Handle;

use super::leftovers::Leftovers;
use super::lock;
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

/// What a crawl reads and must not overwrite.
#[derive(Default)]
pub(crate) struct Sources(Vec<Known>);

/// A file whatever its names are.
struct Known {
    what: &'static str,
    handle: Handle,
}

impl Sources {
    /// Adds a file that is read, if it is one: a pipe or a device has no content to lose.
    pub(crate) fn add(&mut self, what: &'static str, path: &Path) {
        if path.is_file() {
            self.0.extend(Handle::from_path(path).ok().map(|handle| Known { what, handle }));
        }
    }

    /// Adds standard input, if it is a file.
    pub(crate) fn add_stdin(&mut self) {
        self.0.extend(Handle::stdin().ok().filter(is_file).map(|handle| Known { what: "input file", handle }));
    }

    /// Adds a file that is about to be written, unless it is there already for another purpose.
    fn add_new(&mut self, what: &'static str, name: &str, handle: Handle) -> anyhow::Result<()> {
        if !is_file(&handle) {
            return Ok(());
        }
        if let Some(other) = self.0.iter().find(|known| known.handle == handle) {
            bail!("the {what}{name} is the {}, too, which would be lost: name another file", other.what);
        }
        self.0.push(Known { what, handle });
        Ok(())
    }
}

fn is_file(handle: &Handle) -> bool {
    handle.as_file().metadata().is_ok_and(|metadata| metadata.is_file())
}

impl Files {
    /// Opens them all, then empties those that begin anew. A file that is read or written for another purpose is refused, whatever
    /// it is called, and one that another crawl writes.
    pub(crate) fn open(args: &Crawl, mut sources: Sources) -> anyhow::Result<Self> {
        let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
        let output = output.map(|path| Opened::new("output file", path)).transpose()?;
        let stats = args.stats.as_deref().map(|path| Opened::new("stats file", path)).transpose()?;
        // The log may go where the answers on standard output go: who asks for that knows it.
        let (stdout, stderr) = (Handle::stdout().ok().filter(|_| output.is_none()), Handle::stderr().ok());
        // The log may go where the answers go: who asks for that knows it.
        let log = stderr.filter(|stderr| stdout.as_ref() != Some(stderr));
        for (what, stream) in [("standard output", stdout), ("log on standard error", log)] {
            stream.map_or(Ok(()), |stream| sources.add_new(what, "", stream))?;
        }
        for file in [&output, &stats].into_iter().flatten() {
            sources.add_new(file.what, &format!(" {}", file.path.display()), Handle::from_file(file.file.try_clone()?)?)?;
        }
        let leftovers = args.leftovers.as_deref().map(Left::check).transpose()?;
        if let Some((path, handle)) = leftovers.as_ref().and_then(|left| Some((&left.path, Handle::from_path(&left.path).ok()?)))
        {
            sources.add_new(LEFTOVERS, &format!(" {}", path.display()), handle)?;
        }
        for file in [&output, &stats].into_iter().flatten() {
            lock::acquire(&file.file)
                .map_err(|holder| anyhow!("the {} {} is being written by {holder}", file.what, file.path.display()))?;
        }
        Ok(Self {
            output: match output {
                None => Output::to(stdout::sink()),
                Some(file) if args.append => Output::file(file.at_its_end()?)?,
                Some(file) => Output::file(file.emptied()?)?,
            },
            leftovers: leftovers.map(Left::open).transpose()?,
            stats: stats.map(|file| anyhow::Ok(StatsFile::new(file.path.clone(), file.emptied()?))).transpose()?,
        })
    }
}

/// What the file for leftovers is called in messages.
const LEFTOVERS: &str = "file for leftovers";

/// A place where leftovers can be written, as it was.
struct Left {
    path: PathBuf,
    /// A device or a pipe.
    stream: Option<File>,
}

impl Left {
    fn check(path: &Path) -> anyhow::Result<Self> {
        let stream = match path.metadata() {
            Ok(metadata) if !metadata.is_file() => Some(Opened::new(LEFTOVERS, path)?.file),
            _ => None,
        };
        if stream.is_none() {
            Leftovers::try_file(path).with_context(|| format!("cannot write the {LEFTOVERS} {}", path.display()))?;
        }
        Ok(Self { path: path.to_path_buf(), stream })
    }

    fn open(self) -> anyhow::Result<Leftovers> {
        match self.stream {
            Some(stream) => Ok(Leftovers::to(Box::new(stream))),
            None => Leftovers::file(&self.path).with_context(|| format!("cannot write the {LEFTOVERS} {}", self.path.display())),
        }
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
            let mut sources = Sources::default();
            sources.add("input file", &self.0.path().join("in.txt"));
            Files::open(&args, sources)
        }

        fn texts(&self) -> [String; 4] {
            let text = |name| std::fs::read_to_string(self.0.path().join(name)).unwrap_or_else(|_| "absent".to_owned());
            ["in.txt", "out", "left", "stats"].map(text)
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
            ("out", "left", "left", "is the stats file"),
            ("out", "left", "no/such/dir", "cannot write the stats file"),
            ("out", ".", "stats", "cannot write the file for leftovers"),
            ("out", "no/such/dir", "stats", "cannot write the file for leftovers"),
            ("linked", "left", "stats", "is the input file"),
            ("out", "linked", "stats", "is the input file"),
            ("out", "left", "linked", "is the input file"),
            ("out", "left", "symbolic", "is the stats file"),
        ] {
            let folder = Folder::new();
            std::fs::hard_link(folder.0.path().join("in.txt"), folder.0.path().join("linked")).unwrap();
            #[cfg(unix)]
            std::os::unix::fs::symlink("left", folder.0.path().join("symbolic")).unwrap();
            let said = format!("{:#}", folder.open(output, leftovers, stats, false).err().unwrap());
            assert!(said.contains(says), "{said}");
            assert_eq!(folder.texts(), ["old\n"; 4], "{said}");
        }
    }

    #[tokio::test]
    async fn files_are_overwritten_and_leftovers_of_yesterday_are_gone() {
        let folder = Folder::new();
        let mut files = folder.open("out", "left", "stats", false).unwrap();
        files.output.begin("new");
        files.output.written().await.unwrap();
        assert_eq!(folder.texts(), ["old\n", "new\n", "absent", ""]);
    }

    #[test]
    fn a_file_that_another_crawl_writes_is_left_to_it() {
        let folder = Folder::new();
        let first = folder.open("out", "left", "stats", true).unwrap();
        for (output, stats, append, says) in [
            ("out", "stats2", true, "the output file"),
            ("./out", "stats2", false, "the output file"),
            ("out2", "stats", true, "the stats file"),
        ] {
            let said = format!("{:#}", folder.open(output, "left2", stats, append).err().unwrap());
            assert!(said.contains(says) && said.contains("is being written by"), "{said}");
            if cfg!(target_os = "linux") {
                assert!(said.contains(&format!("(process {})", std::process::id())), "{said}");
            }
            assert_eq!(folder.texts()[1], "old\n");
        }
        drop(first);
        assert!(folder.open("out", "left", "stats", true).is_ok());
    }

    #[tokio::test]
    async fn an_output_that_is_added_to_keeps_what_it_has_line_by_line() {
        for (before, after) in [("old\n", "old\nnew\n"), ("old\n{\"cut", "old\n{\"cut\nnew\n"), ("", "new\n")] {
            let folder = Folder::new();
            std::fs::write(folder.0.path().join("out"), before).unwrap();
            let mut files = folder.open("out", "left", "stats", true).unwrap();
            files.output.begin("new");
            files.output.written().await.unwrap();
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
