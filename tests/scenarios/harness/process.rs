//! A process of the binary under test: where it runs, how it is interrupted, how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use super::gate::GIVE_UP;
use super::{carousel, kept};

/// A command of the binary that knows nothing of this machine's settings, keys and caches.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(carousel());
    command.current_dir(dir).env("XDG_CACHE_HOME", kept("cache"));
    for name in ["SHUB_JOBKEY", "ZYTE_API_KEY", "CAROUSEL_CONFIG", "CAROUSEL_PLUGINS", "CAROUSEL_API_URL"] {
        command.env_remove(name);
    }
    command
}

/// Such a command after others of a shell, which set limits for it.
#[cfg(unix)]
pub(crate) fn carousel_in_shell(dir: &Path, before: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(carousel()).current_dir(dir);
    let plain = command(dir);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// Runs a command whose standard error nobody reads, although it stays open; the answer is its exit code.
pub(crate) fn ends_unheard(mut command: Command) -> Option<i32> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let unread = child.stderr.take();
    let id = child.id();
    let (sender, ended) = channel();
    std::thread::spawn(move || sender.send(child.wait().unwrap().code()));
    let code = ended.recv_timeout(GIVE_UP).unwrap_or_else(|_| {
        let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        panic!("it waits for a reader of standard error");
    });
    drop(unread);
    code
}

/// A process that runs. It is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    said: Receiver<String>,
    /// What was read of standard error.
    heard: String,
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; none if a signal killed it.
    pub(crate) code: Option<i32>,
    /// The lines of standard output that were not read before.
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

impl Running {
    /// Starts a command and reads both of its outputs, so that it never waits for a reader.
    pub(crate) fn start(command: Command) -> Self {
        Self::start_with(command, lines_of)
    }

    /// Starts a command whose standard output nobody reads.
    pub(crate) fn start_without_reader(command: Command) -> Self {
        Self::start_with(command, |stdout| {
            drop(stdout);
            channel().1
        })
    }

    /// Starts a command whose standard output is open and not read. What is in the pipe in the end can be read there.
    pub(crate) fn start_with_stalled_reader(command: Command) -> (Self, ChildStdout) {
        let mut reader = None;
        let running = Self::start_with(command, |stdout| {
            reader = Some(stdout);
            channel().1
        });
        (running, reader.unwrap())
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn start_with(mut command: Command, read: impl FnOnce(ChildStdout) -> Receiver<String>) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdin, lines: read(stdout), said: lines_of(stderr), heard: String::new() }
    }

    /// Writes to its standard input, which stays open.
    pub(crate) fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        // Who does not read its input has said why on standard error.
        let _ = stdin.write_all(text.as_bytes());
    }

    /// The next line of standard output.
    pub(crate) fn next_line(&self) -> String {
        self.lines.recv_timeout(GIVE_UP).expect("a line on standard output")
    }

    /// Sends a signal; Ctrl-C sends `-INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "the process is gone");
    }

    /// Waits until a line of standard error has this part.
    pub(crate) fn wait_until_said(&mut self, part: &str) {
        loop {
            let line = self.said.recv_timeout(GIVE_UP).unwrap_or_else(|_| panic!("{part:?} is not said:\n{}", self.heard));
            self.heard += &format!("{line}\n");
            if line.contains(part) {
                return;
            }
        }
    }

    /// Closes standard input and waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        self.stdin = None;
        self.wait()
    }

    /// Waits for the end without closing standard input.
    pub(crate) fn end_with_open_input(mut self) -> Ended {
        self.wait()
    }

    fn wait(&mut self) -> Ended {
        let mut stdout = Vec::new();
        loop {
            match self.lines.recv_timeout(GIVE_UP) {
                Ok(line) => stdout.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.child.kill();
                    self.hear_all();
                    panic!("it neither writes nor ends; it said:\n{}", self.heard);
                }
            }
        }
        self.hear_all();
        let code = self.child.wait().unwrap().code();
        Ended { code, stdout, stderr: std::mem::take(&mut self.heard) }
    }

    fn hear_all(&mut self) {
        for line in &self.said {
            self.heard += &format!("{line}\n");
        }
    }
}

/// Lines, read in a thread of its own.
fn lines_of(source: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    lines
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Fails unless each part is said on standard error.
    pub(crate) fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not said:\n{}", self.stderr);
        }
    }
}
