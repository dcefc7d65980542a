//! The real parsel and w3lib in a virtual environment of the tests' own, and pages to ask them and this library about.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, dead_code, reason = "tests")]

#[path = "../../../../tests/skipped.rs"]
mod skipped;

use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What answers are compared with, and an HTML5 parser to tell why they differ; all is fetched anew when this changes.
const PACKAGES: [&str; 6] =
    ["parsel==1.12.1", "lxml==6.1.3", "cssselect==1.6.0", "w3lib==2.5.0", "jmespath==1.1.0", "html5lib==1.1"];

/// Source packages that carry pages.
const SOURCES: [&str; 7] = [
    "formasaurus==0.10.0",
    "docutils==0.23",
    "html-text==0.7.1",
    "w3lib==2.5.0",
    "parsel==1.12.1",
    "scrapy==2.19.0",
    "feedparser==6.0.14",
];

/// An environment with the packages and, if they were asked for, the pages.
pub(crate) struct Peer {
    python: PathBuf,
    pages: PathBuf,
}

impl Peer {
    /// Makes the environment, or takes the one made before; nothing, after a line that says so, where pip cannot install.
    pub(crate) fn prepare() -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peer-parsel");
        fs::create_dir_all(&folder).unwrap();
        let lock = File::create(folder.join("lock")).unwrap();
        lock.lock().unwrap();
        let (venv, stamp, pages) = (folder.join("venv"), folder.join("installed"), folder.join("pages"));
        let peer = Self { python: venv.join("bin/python"), pages };
        let wanted = [&PACKAGES[..], &SOURCES[..]].concat().join(" ");
        if fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
            return Some(peer);
        }
        match peer.install(&venv) {
            Ok(()) => {
                fs::write(&stamp, wanted).unwrap();
                Some(peer)
            }
            Err(why) => {
                skipped::skipped(format_args!("{wanted} cannot be fetched: {}", why.trim()));
                None
            }
        }
    }

    fn install(&self, venv: &Path) -> Result<(), String> {
        fs::remove_dir_all(&self.pages).ok();
        done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
        done(self.pip(&["install"]).args(PACKAGES))?;
        done(self.pip(&["download", "--no-deps", "--no-binary", ":all:", "--dest"]).arg(&self.pages).args(SOURCES))
    }

    fn pip(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]).args(arguments);
        command
    }

    /// Sends `input` to a script of this folder and returns its answer. Both go through files: answers are long.
    pub(crate) fn ask(&self, script: &str, input: &Value) -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script);
        let question = tempfile(script, input);
        let output = Command::new(&self.python)
            .arg(&path)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(File::open(&question).unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        fs::remove_file(question).ok();
        assert!(output.status.success(), "{script} failed: {}", output.status);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The pages of the source packages, unpacked.
    pub(crate) fn pages(&self) -> Vec<Page> {
        let listed = self.ask("pages.py", &json!({"folder": self.pages}));
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
        let page = |entry: &Value| Page { path: text(entry, "path"), name: text(entry, "name"), kind: text(entry, "kind") };
        listed.as_array().unwrap().iter().map(page).collect()
    }
}

/// A page of the corpus.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) name: String,
    /// `html`, `xml` or `json`.
    pub(crate) kind: String,
}

impl Page {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.path).unwrap()).into_owned()
    }
}

fn tempfile(script: &str, input: &Value) -> PathBuf {
    let name = format!("{script}-{}-{:?}.json", std::process::id(), std::thread::current().id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, serde_json::to_vec(input).unwrap()).unwrap();
    path
}

fn done(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    }
}
