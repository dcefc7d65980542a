//! Finds the API key: the flag, the environment, the nearest `.env` file.

use std::path::Path;

use anyhow::{Context, bail};
use carousel_zyte::ApiKey;

/// The variable that holds the key, in the environment and in `.env` files.
pub(crate) const VARIABLE: &str = "ZYTE_API_KEY";

/// The key of the flag, else of the environment, else of the nearest `.env` file from `dir` upwards.
pub(crate) fn find(flag: Option<&str>, environment: Option<String>, dir: &Path) -> anyhow::Result<ApiKey> {
    match text(flag, environment, dir)? {
        Some(key) => Ok(ApiKey::new(&key)?),
        None => bail!(
            "no API key: give --api-key KEY, set the variable {VARIABLE}, or write {VARIABLE}=KEY into a .env file here or in a \
             directory above; without a key, --simulate crawls a simulated API"
        ),
    }
}

/// The key as it is written there, for those who must keep it out of what they write.
pub(crate) fn text(flag: Option<&str>, environment: Option<String>, dir: &Path) -> anyhow::Result<Option<String>> {
    match flag.map(str::to_owned).or(environment).filter(|key| !key.is_empty()) {
        Some(key) => Ok(Some(key)),
        None => in_dotenv(dir),
    }
}

fn in_dotenv(dir: &Path) -> anyhow::Result<Option<String>> {
    let Some(file) = dir.ancestors().map(|dir| dir.join(".env")).find(|file| file.is_file()) else { return Ok(None) };
    let entries = dotenvy::from_path_iter(&file).with_context(|| format!("cannot read {}", file.display()))?;
    for entry in entries {
        match entry {
            Ok((name, key)) if name == VARIABLE => return Ok(Some(key).filter(|key| !key.is_empty())),
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
            let key = find(flag, environment.map(str::to_owned), &below).unwrap();
            assert_eq!(key, ApiKey::new(expected).unwrap());
        }
    }

    #[test]
    fn the_nearest_dotenv_ends_the_search() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("a");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(dir.path().join(".env"), "ZYTE_API_KEY=far\n").unwrap();
        std::fs::write(below.join(".env"), "OTHER=1\n").unwrap();
        let message = find(None, None, &below).unwrap_err().to_string();
        for place in ["--api-key", "ZYTE_API_KEY", ".env", "--simulate"] {
            assert!(message.contains(place), "{message}");
        }
    }
}
