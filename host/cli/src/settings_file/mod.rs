//! Reads the settings file: what is wrong in it is told with file, line, key and the nearest right key.

mod fault;
mod known_keys;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use carousel_core::settings::{Impossible, Settings, SiteTable};
use carousel_engine::BadSettings;
use carousel_zyte::Destination;
use serde_json::Value;

pub(crate) use known_keys::nearest_of;

use crate::logging::Screen;
use crate::text_file;

const DEFAULT_FILE: &str = "carousel.toml";

/// Reads the given file, else `carousel.toml` of the working directory if there is one, else the defaults.
///
/// A file that was found and not named may be somebody else's, who made the directory: its path is told, it cannot say where compiled
/// plugins, which are native code, are taken from, and it cannot give plugins a config from outside its directory.
pub(crate) fn load(given: Option<&Path>, screen: &Screen) -> anyhow::Result<Settings> {
    let Some(path) = file(given) else { return Ok(Settings::default()) };
    if given.is_some() {
        return read(path);
    }
    let told = absolute(path);
    screen.say(format!("settings: {told}, found here; --config FILE names another"));
    let mut settings = read(path)?;
    refuse_distant_configs(path)?;
    if settings.plugins.cache.take_if(|cache| !cache.as_os_str().is_empty()).is_some() {
        screen.say(format!(
            "plugins.cache of {told} is left out: compiled plugins are native code, so --config must name the file"
        ));
    }
    Ok(settings)
}

/// What a plugin knows of its config may go to any host that it may call, so somebody else's file gives it nothing of the user's.
fn refuse_distant_configs(path: &Path) -> anyhow::Result<()> {
    let settings: Settings = deserialize(&text_file::read(path, "the settings file ")?).map_err(|fault| anyhow!("{fault}"))?;
    let dir = std::path::absolute(path)?.parent().map(Path::to_path_buf).unwrap_or_default();
    let dir = dir.canonicalize().with_context(|| format!("cannot read {}", dir.display()))?;
    for site in &settings.site {
        let Some(Value::String(name)) = &site.config else { continue };
        let config = dir.join(name);
        if !config.canonicalize().is_ok_and(|config| config.starts_with(&dir)) {
            bail!(
                "config of site \"{}\": {} is not below {}, and {} was found, not named: name it with --config to allow that",
                site.name,
                config.display(),
                dir.display(),
                path.display()
            );
        }
    }
    Ok(())
}

/// Which file says what a setting is, for messages.
pub(crate) fn source(given: Option<&Path>) -> Option<String> {
    file(given).map(absolute)
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}

/// The given file, else `carousel.toml` of the working directory if there is one.
pub(crate) fn file(given: Option<&Path>) -> Option<&Path> {
    given.or_else(|| Some(Path::new(DEFAULT_FILE)).filter(|path| path.is_file()))
}

/// Says of settings that cannot be carried out where they stand, and which of the sites that exist may have been meant.
pub(crate) fn explain(error: &BadSettings, given: Option<&Path>, sites: &[String]) -> anyhow::Error {
    let BadSettings::UnknownChecker(name) = error;
    let nearest = known_keys::nearest_of(name, sites, 0.75).map_or_else(
        || "add a [[site]] of this name with a plugin that has a check hook".to_owned(),
        |site| format!("did you mean \"{site}\"?"),
    );
    let message = format!("there is no site \"{name}\"; {nearest}");
    let text = file(given).and_then(|path| Some((path, text_file::read(path, "").ok()?)));
    match text {
        Some((path, text)) => {
            anyhow!("{}: {}", path.display(), fault::Fault::values(&["session.checker".to_owned()], &message, &text))
        }
        None => anyhow!("session.checker: {message}"),
    }
}

fn read(path: &Path) -> anyhow::Result<Settings> {
    let text = text_file::read(path, "the settings file ")?;
    parse(&text, path)
}

/// Reads the text of a settings file; paths in it are relative to the directory of `path`.
pub(crate) fn parse(text: &str, path: &Path) -> anyhow::Result<Settings> {
    let in_file = |message: String| anyhow!("{}: {message}", path.display());
    let mut settings = deserialize(text).map_err(|fault| in_file(fault.to_string()))?;
    let dir = path.parent().unwrap_or(Path::new(""));
    settings.plugins.dir = settings.plugins.dir.map(|plugins| dir.join(plugins));
    settings.plugins.cache =
        settings.plugins.cache.map(|cache| if cache.as_os_str().is_empty() { cache } else { dir.join(cache) });
    for site in &mut settings.site {
        load_config(site, dir).map_err(|error| in_file(format!("{error:#}")))?;
    }
    refuse_namesakes(&settings).map_err(|error| in_file(format!("{error:#}")))?;
    if let Some(Impossible { keys, why }) = settings.impossible() {
        return Err(in_file(fault::Fault::values(&keys, &why, text).to_string()));
    }
    Ok(settings)
}

fn deserialize(text: &str) -> Result<Settings, fault::Fault> {
    let deserializer = toml::Deserializer::parse(text).map_err(|error| fault::Fault::syntax(&error, text))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| fault::Fault::new(&error, text))
}

/// Replaces the path of a config file by what stands in it.
fn load_config(site: &mut SiteTable, dir: &Path) -> anyhow::Result<()> {
    let Some(Value::String(name)) = &site.config else { return Ok(()) };
    let path = dir.join(name);
    let value = read_config(&path).with_context(|| format!("config of site \"{}\"", site.name))?;
    site.config = Some(value);
    Ok(())
}

fn read_config(path: &Path) -> anyhow::Result<Value> {
    let text = text_file::read_regular(path, "")?;
    if path.extension().is_some_and(|extension| extension == "toml") {
        toml::from_str(&text).map_err(|error| anyhow!("{}: {}", path.display(), fault::Fault::syntax(&error, &text)))
    } else {
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
    }
}

fn refuse_namesakes(settings: &Settings) -> anyhow::Result<()> {
    let mut names = BTreeSet::new();
    for site in &settings.site {
        if !names.insert(site.name.as_str()) {
            bail!("two [[site]] tables are named \"{}\": names must be unique", site.name);
        }
    }
    Ok(())
}

/// Makes the API's base address end in `/` and refuses what is no HTTP address.
pub(crate) fn api_url(url: &str) -> anyhow::Result<String> {
    // Who copies the address of the calls means the same.
    let base = url.strip_suffix("/extract").unwrap_or(url);
    let base = if base.ends_with('/') { base.to_owned() } else { format!("{base}/") };
    Destination::of(&base)?;
    Ok(base)
}

/// The plugin directory: the flag, else the setting. A directory that was named must exist.
pub(crate) fn plugin_dir(flag: Option<&Path>, settings: &Settings) -> anyhow::Result<Option<PathBuf>> {
    let Some(dir) = flag.map(Path::to_path_buf).or_else(|| settings.plugins.dir.clone()) else { return Ok(None) };
    if !dir.is_dir() {
        bail!("the plugin directory {} does not exist: build plugins into it with `carousel plugin build`", dir.display());
    }
    Ok(Some(dir))
}
