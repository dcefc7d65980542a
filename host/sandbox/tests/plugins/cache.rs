//! Compiled plugins on disk: used where they are beyond doubt, made again where they are not.

#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use carousel_core::settings::PluginSettings;
use carousel_core::verdict::Verdict;
use carousel_engine::{Site, Sites};
use carousel_sandbox::Sandbox;

use crate::record::logged;
use crate::stage::{Directory, call, page};

/// A plugin directory with one plugin and a cache of its own.
struct Stage {
    plugins: Directory,
    cache: Directory,
}

impl Stage {
    fn new() -> Self {
        Self { plugins: Directory::with(&["good"]), cache: Directory::new() }
    }

    fn folder(&self) -> PathBuf {
        self.cache.0.join("compiled")
    }

    /// Loads the plugin, sees that it works, and returns what was logged.
    fn load(&self) -> Vec<String> {
        let settings = PluginSettings { cache: Some(self.folder()), ..self.plugins.settings() };
        let (_, lines) = logged(|| {
            let sandbox = Sandbox::new(&settings).unwrap();
            let loaded = sandbox.load(&[]);
            assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
            let works = || {
                let site = loaded.sites.site("https://good.example/").unwrap();
                assert_eq!(site.check(call("https://good.example/"), page("<p class=ok>")), Ok(Verdict::Keep));
            };
            works();
            sandbox.finish_optimising();
            works();
        });
        lines
    }

    /// The one file in the cache with this ending.
    fn file(&self, extension: &str) -> PathBuf {
        let entries = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        let mut files = entries.filter(|path| path.extension().is_some_and(|found| found == extension));
        let file = files.next().unwrap_or_else(|| panic!("there is no .{extension}"));
        assert_eq!(files.next(), None);
        file
    }
}

fn was_refused(lines: &[String], why: &str) -> bool {
    lines.iter().any(|line| line.starts_with("WARN") && line.contains("is not used but made again") && line.contains(why))
}

#[test]
fn a_plugin_is_compiled_once_and_described_once() {
    let stage = Stage::new();
    stage.load();
    // What is kept is what is used: another name in the note is the name of the site.
    let note = stage.file("json");
    let text = fs::read_to_string(&note).unwrap();
    fs::write(&note, text.replace("\"name\":\"guest-good\"", "\"name\":\"from-the-note\"")).unwrap();
    let lines = stage.load();
    assert!(lines.iter().any(|line| line.contains("plugin loaded") && line.contains("site=from-the-note")), "{lines:?}");
    assert!(!was_refused(&lines, ""), "{lines:?}");
}

/// Does something to the code and the note that are kept; why they must not be used then.
type Doubt = (fn(&Path, &Path), &'static str);

#[test]
fn what_is_doubtful_is_made_again() {
    let doubts: [Doubt; 9] = [
        (|code, _| truncate(code, 100), "damaged"),
        (|code, _| truncate(code, 0), "damaged"),
        (|code, _| flip(code), "damaged"),
        (|_, note| truncate(note, 20), "EOF"),
        (|code, _| fs::set_permissions(code, Permissions::from_mode(0o622)).unwrap(), "others may write to it"),
        (|_, note| fs::set_permissions(note, Permissions::from_mode(0o620)).unwrap(), "others may write to it"),
        (|code, _| link(code), "a link"),
        (|_, note| link(note), "a link"),
        (|code, note| fake(code, note), "no longer be parsed"),
    ];
    for (number, (spoil, why)) in doubts.into_iter().enumerate() {
        let stage = Stage::new();
        stage.load();
        let whole = fs::read(stage.file("cwasm")).unwrap();
        spoil(&stage.file("cwasm"), &stage.file("json"));
        let lines = stage.load();
        let is_last = why == "no longer be parsed";
        assert!(was_refused(&lines, if is_last { "" } else { why }), "doubt {number}, {why}: {lines:?}");
        assert_eq!(fs::read(stage.file("cwasm")).unwrap().len(), whole.len(), "doubt {number}, {why}");
        assert!(!was_refused(&stage.load(), ""), "doubt {number}, {why}: it is whole again");
    }
}

fn truncate(path: &Path, bytes: usize) {
    let whole = fs::read(path).unwrap();
    replace(path, &whole[..bytes]);
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    replace(path, &bytes);
}

/// Code that is what the note says but that wasmtime did not make.
fn fake(code: &Path, note: &Path) {
    let fake = b"\x7fELF and so on";
    let text = fs::read_to_string(note).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["length"] = fake.len().into();
    value["crc32"] = crc32fast::hash(fake).into();
    replace(code, fake);
    replace(note, value.to_string().as_bytes());
}

/// Nothing is ever written into a file that may be mapped.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

fn link(path: &Path) {
    let elsewhere = path.with_extension("elsewhere");
    fs::rename(path, &elsewhere).unwrap();
    symlink(&elsewhere, path).unwrap();
}

#[test]
fn a_folder_that_others_may_open_is_not_used() {
    let stage = Stage::new();
    fs::create_dir(stage.folder()).unwrap();
    for mode in [0o755, 0o770, 0o707, 0o722] {
        fs::set_permissions(stage.folder(), Permissions::from_mode(mode)).unwrap();
        let lines = stage.load();
        assert!(lines.iter().any(|line| line.contains("are not kept") && line.contains("set its mode to 700")), "{lines:?}");
        assert_eq!(fs::read_dir(stage.folder()).unwrap().count(), 0, "{mode:o}");
    }
}

#[test]
fn a_link_in_the_place_of_the_folder_is_not_followed() {
    let stage = Stage::new();
    let elsewhere = stage.cache.0.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::set_permissions(&elsewhere, Permissions::from_mode(0o700)).unwrap();
    symlink(&elsewhere, stage.folder()).unwrap();
    let lines = stage.load();
    assert!(lines.iter().any(|line| line.contains("it is not a directory")), "{lines:?}");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn files_and_folder_are_for_this_user_alone() {
    let stage = Stage::new();
    stage.load();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&stage.folder()), mode(&stage.file("cwasm")), mode(&stage.file("json"))), (0o700, 0o600, 0o600));
}

#[test]
fn compiled_code_in_the_plugin_directory_is_never_loaded() {
    let stage = Stage::new();
    stage.load();
    let code = fs::read(stage.file("cwasm")).unwrap();
    stage.plugins.write("native.cwasm", &code);
    stage.plugins.write("native.wasm", &code);
    let loaded = stage.plugins.load(&[]);
    let [error] = &loaded.errors[..] else { panic!("{:?}", loaded.errors) };
    assert!(error.to_string().contains("native.wasm") && error.to_string().contains("it is not WebAssembly"), "{error}");
}

#[test]
fn code_of_other_owners_is_not_trusted() {
    let stage = Stage::new();
    stage.load();
    // Only the superuser can give files away, as in containers and on some build machines.
    let owned = stage.file("cwasm");
    if std::os::unix::fs::chown(&owned, Some(65_534), None).is_err() {
        return;
    }
    assert!(was_refused(&stage.load(), "it belongs to another user"));
}

#[test]
fn a_plugin_that_is_used_is_not_forgotten() {
    let stage = Stage::new();
    stage.load();
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(50 * 24 * 3600);
    let files = || fs::read_dir(stage.folder()).unwrap().map(|entry| entry.unwrap().path());
    for file in files() {
        fs::File::options().write(true).open(file).unwrap().set_modified(then).unwrap();
    }
    stage.load();
    for file in files() {
        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        assert!(modified > then + std::time::Duration::from_secs(1), "{}", file.display());
    }
}
