//! Finds the API key: the flag, the environment, the nearest `.env` file.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use carousel_zyte::ApiKey;

use crate::args::{Common, Secret};
use crate::text_file;

/// The variable that holds the key, in the environment and in `.env` files.
pub(crate) const VARIABLE: &str = "ZYTE_API_KEY";

/// A key, and the file that it was found in where nobody named one.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    /// The key.
    pub(crate) key: ApiKey,
    /// The `.env` file.
    pub(crate) file: Option<PathBuf>,
}

/// The key of the flag, else of the environment, else of the nearest `.env` file upwards.
pub(crate) fn find(common: &Common) -> anyhow::Result<Found> {
    let dir = std::env::current_dir().context("cannot tell the current directory")?;
    find_from(common.api_key.as_ref().map(Secret::reveal), std::env::var(VARIABLE).ok(), &dir)
}

/// All keys that could be meant, so that none of them is shown. What cannot be read is found out when it is needed.
pub(crate) fn known(common: &Common) -> Vec<Secret> {
    let file = std::env::current_dir().ok().and_then(|dir| in_dotenv(&dir).ok().flatten()).map(|(_, key)| key);
    let elsewhere = [std::env::var(VARIABLE).ok(), file].into_iter().flatten().map(|key| Secret::from(key.as_str()));
    common.api_key.iter().cloned().chain(elsewhere).filter(|key| !key.reveal().is_empty()).collect()
}

fn find_from(flag: Option<&str>, environment: Option<String>, dir: &Path) -> anyhow::Result<Found> {
    if let Some(key) = flag.map(str::to_owned).or(environment).filter(|key| !key.is_empty()) {
        return Ok(Found { key: ApiKey::new(&key)?, file: None });
    }
    match in_dotenv(dir)? {
        Some((file, key)) => Ok(Found { key: ApiKey::new(&key).with_context(|| file.display().to_string())?, file: Some(file) }),
        None => bail!(
            "no API key: give --api-key KEY, set the variable {VARIABLE}, or write {VARIABLE}=KEY into a .env file here or in a \
             directory above; without a key, --simulate crawls a simulated API"
        ),
    }
}

fn in_dotenv(dir: &Path) -> anyhow::Result<Option<(PathBuf, String)>> {
    let Some(file) = dir.ancestors().map(|dir| dir.join(".env")).find(|file| file.is_file()) else { return Ok(None) };
    let text = text_file::read(&file, "")?;
    // Each line for itself: other programs read the file too, and a quote that only they understand hides no line behind it.
    let Some((line, key)) = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, value(line)?))).last() else {
        return Ok(None);
    };
    let key = key.with_context(|| {
        format!("{}: line {line}: the value of {VARIABLE} cannot be read: write {VARIABLE}=KEY without quotes", file.display())
    })?;
    Ok(Some((file, key)).filter(|(_, key)| !key.is_empty()))
}

/// The value that a line gives the key; none where it is about something else.
fn value(line: &str) -> Option<anyhow::Result<String>> {
    let (name, _) = line.split_once('=')?;
    let name = name.trim();
    let name = name.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace)).map_or(name, str::trim_start);
    if name != VARIABLE {
        return None;
    }
    let entry = dotenvy::from_read_iter(line.as_bytes()).next()?;
    // The error repeats the line.
    Some(entry.map(|(_, value)| value).map_err(|_| anyhow::anyhow!("its quotes do not match")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_then_environment_then_the_nearest_dotenv() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(dir.path().join(".env"), "OTHER=1\nexport ZYTE_API_KEY='from-file' # mine\n").unwrap();
        for (flag, environment, expected) in [
            (Some("from-flag"), Some("from-env"), "from-flag"),
            (None, Some("from-env"), "from-env"),
            (None, Some(""), "from-file"),
            (None, None, "from-file"),
        ] {
            let found = find_from(flag, environment.map(str::to_owned), &below).unwrap();
            let file = (expected == "from-file").then(|| dir.path().join(".env"));
            assert_eq!(found, Found { key: ApiKey::new(expected).unwrap(), file });
        }
    }

    #[test]
    fn the_nearest_dotenv_ends_the_search() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("a");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(dir.path().join(".env"), "ZYTE_API_KEY=far\n").unwrap();
        std::fs::write(below.join(".env"), "OTHER=1\n").unwrap();
        let message = find_from(None, None, &below).unwrap_err().to_string();
        for place in ["--api-key", "ZYTE_API_KEY", ".env", "--simulate"] {
            assert!(message.contains(place), "{message}");
        }
    }

    fn written(content: &[u8]) -> anyhow::Result<Option<String>> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".env"), content).unwrap();
        Ok(in_dotenv(dir.path())?.map(|(_, key)| key))
    }

    #[test]
    fn a_dotenv_may_be_written_in_any_way_that_others_read() {
        let utf16: Vec<u8> = "\u{feff}ZYTE_API_KEY=k\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for content in [
            &b"\xef\xbb\xbfZYTE_API_KEY=k\n"[..],
            b"GREETING='it is\nZYTE_API_KEY=k\n",
            b"NOTE=don't \"\nZYTE_API_KEY=\"k\"\r\nREST='\n",
            b"ZYTE_API_KEY=old\nOTHER=1\nZYTE_API_KEY=k\n",
            b"ZYTE_API_KEY='old\n ZYTE_API_KEY = k # mine\n",
            b"#ZYTE_API_KEY=old\nexport\tZYTE_API_KEY=k\nMY_ZYTE_API_KEY=x\nZYTE_API_KEYS=x\n",
            &utf16,
        ] {
            assert_eq!(written(content).unwrap().as_deref(), Some("k"), "{}", String::from_utf8_lossy(content));
        }
        assert_eq!(written(b"ZYTE_API_KEY=k\nZYTE_API_KEY=\n").unwrap(), None, "the last one counts");
    }

    #[test]
    fn a_key_that_cannot_be_read_is_told_by_its_line_and_not_repeated() {
        for (content, line) in [("\nZYTE_API_KEY='hush\n", "line 2"), ("ZYTE_API_KEY=\"hush'\n", "line 1")] {
            let said = format!("{:#}", written(content.as_bytes()).unwrap_err());
            assert!(said.contains(line) && said.contains(".env") && !said.contains("hush"), "{said}");
        }
    }
}
