//! Finds the API key: the flag, the environment, the nearest `.env` file.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use carousel_zyte::ApiKey;

use crate::args::{Common, Secret};

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
    let entries = dotenvy::from_path_iter(&file).with_context(|| format!("cannot read {}", file.display()))?;
    for entry in entries {
        match entry {
            Ok((name, key)) if name == VARIABLE => return Ok(Some((file, key)).filter(|(_, key)| !key.is_empty())),
            // Other programs read the file too; a line that only they understand is no reason to stop.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(None)
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
}
