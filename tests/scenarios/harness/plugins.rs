//! The plugins of `plugins/`, built once in each run of the tests: those in Rust in one go, each of the others when it is asked for.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use super::process::Running;
use super::skipped::skipped;
use super::{kept, process, root};

/// Those in Rust.
const CRATES: [&str; 5] = ["club", "declarative", "market", "storefront", "tickets"];

/// The component of a plugin in Rust.
pub(crate) fn built(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let paths = CRATES.map(|name| root().join("plugins").join(name));
    BUILT
        .get_or_init(|| build(&paths).unwrap_or_else(|why| panic!("the plugins cannot be built: {why}")))
        .join(format!("{name}.wasm"))
}

/// The component of a plugin in another language, by its folder in the checkout; none, after a line that says so, where its compiler
/// cannot be installed.
pub(crate) fn built_script(path: &str) -> Option<PathBuf> {
    static BUILT: Mutex<BTreeMap<String, Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap();
    let component = built.entry(path.to_owned()).or_insert_with(|| {
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        or_skip(build(&[root().join(path)])).map(|folder| folder.join(format!("{name}.wasm")))
    });
    component.clone()
}

/// What was built, or a line that says why the test is skipped: a compiler that cannot be installed is no fault of this project.
pub(crate) fn or_skip<T>(built: Result<T, String>) -> Option<T> {
    match built {
        Ok(built) => Some(built),
        Err(why) if why.contains("cannot be installed") => {
            skipped(why);
            None
        }
        Err(why) => panic!("{why}"),
    }
}

fn build(paths: &[PathBuf]) -> Result<PathBuf, String> {
    let folder = kept("plugins");
    // Another process of the same tests may be building, too.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let mut command = process::command(root());
    command.args(["plugin", "build"]).args(paths).arg("--out").arg(&folder);
    let built = Running::start(command).end();
    if built.code == Some(0) { Ok(folder) } else { Err(built.stderr) }
}
