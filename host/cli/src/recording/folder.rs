//! Where fixtures lie: `DIR/SITE/site.json`, and beside it `requests` and `session-N` with one JSON file per call. Pages are files
//! of their own, so that people can read and edit them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fixture::{Fixture, FixtureSite};
use crate::text_file;

/// The file that makes a folder the folder of a site.
const SITE_FILE: &str = "site.json";

/// What the files are, for whoever finds them.
const README: &str = include_str!("../../templates/recording/README.md.txt");

/// A folder of a site, with the files of its calls in order.
#[derive(Debug)]
pub(crate) struct SiteFolder {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Whose it is.
    pub(crate) site: FixtureSite,
    /// The files of the calls.
    pub(crate) calls: Vec<PathBuf>,
}

/// Makes sure that a folder for a recording is there and empty.
pub(crate) fn prepare(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
    let mut entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    if entries.next().is_some() {
        bail!("{} is not empty: record into a new directory, so that old and new fixtures do not mix", dir.display());
    }
    Ok(())
}

/// Writes the explanation of the files.
pub(crate) fn write_readme(dir: &Path) -> anyhow::Result<()> {
    write(&dir.join("README.md"), README)
}

/// Writes a site's facts into its folder.
pub(crate) fn write_site(folder: &Path, site: &FixtureSite) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the directory {}", folder.display()))?;
    write_json(&folder.join(SITE_FILE), site)
}

/// Writes the calls of one group in order.
pub(crate) fn write_calls(folder: &Path, calls: &[Fixture]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the directory {}", folder.display()))?;
    for (at, fixture) in calls.iter().enumerate() {
        let name = format!("{:02}-{}", at + 1, fixture.hook.word());
        let mut fixture = fixture.clone();
        if let Some(response) = &mut fixture.response {
            move_pages_out(response, folder, &name)?;
        }
        for (number, download) in fixture.downloads.iter_mut().enumerate() {
            if let Some(answer) = &mut download.answer {
                move_pages_out(answer, folder, &format!("{name}.download-{}", number + 1))?;
            }
        }
        write_json(&folder.join(format!("{name}.json")), &fixture)?;
    }
    Ok(())
}

/// The folder's name for a site: what every file system can have.
pub(crate) fn folder_name(site: &str) -> String {
    let plain: String = site.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    if plain.trim_matches('.').is_empty() { format!("site-{plain}") } else { plain }
}

/// The folders of sites in a directory or around it: a whole recording, one site, or one session may be named.
pub(crate) fn site_folders(dir: &Path) -> anyhow::Result<Vec<SiteFolder>> {
    if !dir.is_dir() {
        bail!("{} is no directory; `carousel crawl --record DIR` makes one", dir.display());
    }
    let around = dir.ancestors().find(|dir| dir.join(SITE_FILE).is_file());
    let mut folders = Vec::new();
    match around {
        Some(site) => folders.push(site_folder(site, dir)?),
        None => find_sites(dir, &mut folders)?,
    }
    if folders.iter().all(|folder| folder.calls.is_empty()) {
        bail!("there are no fixtures in {}; `carousel crawl --record DIR` makes some", dir.display());
    }
    Ok(folders)
}

fn find_sites(dir: &Path, found: &mut Vec<SiteFolder>) -> anyhow::Result<()> {
    for path in entries(dir)?.into_iter().filter(|path| path.is_dir()) {
        match path.join(SITE_FILE).is_file() {
            true => found.push(site_folder(&path, &path)?),
            false => find_sites(&path, found)?,
        }
    }
    Ok(())
}

fn site_folder(folder: &Path, calls_in: &Path) -> anyhow::Result<SiteFolder> {
    let mut calls = Vec::new();
    find_calls(calls_in, &mut calls)?;
    Ok(SiteFolder { path: folder.to_path_buf(), site: read_json(&folder.join(SITE_FILE))?, calls })
}

fn find_calls(dir: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for path in entries(dir)? {
        if path.is_dir() {
            find_calls(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "json") && path.file_name().is_some_and(|name| name != SITE_FILE) {
            found.push(path);
        }
    }
    Ok(())
}

/// What stands in a directory, in the order that people expect: `session-2` before `session-10`.
fn entries(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = || fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>();
    let mut paths = read().with_context(|| format!("cannot read {}", dir.display()))?;
    paths.sort_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number: String = name.chars().rev().take_while(char::is_ascii_digit).collect();
        (name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(), number.len(), name)
    });
    Ok(paths)
}

/// Reads the file of a call, and the pages beside it.
pub(crate) fn read_fixture(path: &Path) -> anyhow::Result<Fixture> {
    let mut fixture: Fixture = read_json(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let answers = fixture.downloads.iter_mut().filter_map(|download| download.answer.as_mut());
    for answer in fixture.response.iter_mut().chain(answers) {
        move_pages_in(answer, folder).with_context(|| path.display().to_string())?;
    }
    Ok(fixture)
}

/// Puts the pages of an answer into files.
fn move_pages_out(answer: &mut Value, folder: &Path, name: &str) -> anyhow::Result<()> {
    if let Some(html) = answer.get_mut("browserHtml")
        && let Some(text) = html.as_str()
    {
        let file = format!("{name}.html");
        write(&folder.join(&file), text)?;
        *html = json!({"file": file});
    }
    if let Some(body) = answer.get_mut("httpResponseBody")
        && let Some(bytes) = body.as_str().and_then(|text| STANDARD.decode(text).ok())
    {
        let file = format!("{name}.body.{}", extension(&bytes));
        write(&folder.join(&file), &bytes)?;
        *body = json!({"file": file});
    }
    Ok(())
}

/// Puts them back.
fn move_pages_in(answer: &mut Value, folder: &Path) -> anyhow::Result<()> {
    for member in ["browserHtml", "httpResponseBody"] {
        let Some(value) = answer.get_mut(member) else { continue };
        let Some(file) = value.get("file").and_then(Value::as_str).map(|file| folder.join(file)) else { continue };
        let bytes = fs::read(&file).with_context(|| format!("cannot read the page {}", file.display()))?;
        *value = match member {
            "browserHtml" => String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", file.display()))?.into(),
            _ => STANDARD.encode(bytes).into(),
        };
    }
    Ok(())
}

fn extension(bytes: &[u8]) -> &'static str {
    match bytes.trim_ascii_start().first() {
        Some(b'<') => "html",
        Some(b'{' | b'[') => "json.txt",
        _ if std::str::from_utf8(bytes).is_ok() => "txt",
        _ => "bin",
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value).context("a fixture is no JSON")?;
    write(path, text + "\n")
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> anyhow::Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads a JSON file of a known form.
fn read_json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = text_file::read(path, "")?;
    let value = carousel_core::json::read(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    serde_json::from_value(value).map_err(|error| anyhow!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(response: &Value) -> Fixture {
        let text = json!({"hook": "check", "request": {"url": "u"}, "response": response, "expect": {"verdict": "keep"}});
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn calls_are_read_as_they_were_written_with_their_pages_beside_them() {
        let dir = tempfile::tempdir().unwrap();
        let calls = [
            fixture(&json!({"url": "u", "browserHtml": "<p>é</p>"})),
            fixture(&json!({"url": "u", "httpResponseBody": STANDARD.encode(b"<p>\xe9</p>")})),
            fixture(&json!({"url": "u", "httpResponseBody": STANDARD.encode("{}")})),
        ];
        let facts = FixtureSite { site: "my shop".into(), plugin: "p".into(), config: None, settings: Default::default() };
        let site = dir.path().join(folder_name(&facts.site));
        write_site(&site, &facts).unwrap();
        write_calls(&site.join("session-10"), &calls[1..]).unwrap();
        write_calls(&site.join("session-2"), &calls[..1]).unwrap();
        assert_eq!(fs::read_to_string(site.join("session-2/01-check.html")).unwrap(), "<p>é</p>");

        for named in [dir.path().to_path_buf(), site.clone()] {
            let folders = site_folders(&named).unwrap();
            assert_eq!((folders.len(), &folders[0].site), (1, &facts));
            let read: Vec<Fixture> = folders[0].calls.iter().map(|path| read_fixture(path).unwrap()).collect();
            assert_eq!(read, calls);
        }
        assert_eq!(site_folders(&site.join("session-10")).unwrap()[0].calls.len(), 2);
        assert!(prepare(dir.path()).unwrap_err().to_string().contains("not empty"));
    }

    #[test]
    fn a_directory_without_fixtures_says_how_to_make_some() {
        let dir = tempfile::tempdir().unwrap();
        for path in [dir.path().to_path_buf(), dir.path().join("none")] {
            assert!(site_folders(&path).unwrap_err().to_string().contains("crawl --record"));
        }
    }

    #[test]
    fn every_site_has_a_folder_name() {
        for (site, name) in [("shop.example", "shop.example"), ("a/b c", "a_b_c"), ("..", "site-.."), ("", "site-")] {
            assert_eq!(folder_name(site), name);
        }
    }
}
