//! Whom a crawl talks to: the real API, or a simulator inside this process.

use anyhow::bail;
use carousel_core::exchange::{Answer, CallError, Object};
use carousel_core::settings::Settings;
use carousel_engine::Transport;
use carousel_simulator::InProcess;
use carousel_zyte::{Destination, Owner, ZyteApi, ZyteError, ZyteOptions};

use crate::api_key::{self, Found};
use crate::args::{Common, Crawl};
use crate::logging::Screen;
use crate::{machine, settings_file, simulate};

/// The API of a crawl.
pub(crate) enum Api {
    /// Over HTTP.
    Zyte(Box<ZyteApi>),
    /// A simulator that is asked without sockets.
    Simulated(InProcess),
}

impl Api {
    /// The API of the settings with the key that can be found, or a simulator.
    pub(crate) fn open(args: &Crawl, common: &Common, settings: &Settings, screen: &Screen) -> anyhow::Result<Self> {
        if args.simulate {
            return simulate::in_process(&args.simulation, args.seed, common).map(Self::Simulated);
        }
        if let Some(flag) = args.simulation.given() {
            bail!("{flag} says how a simulator behaves: add --simulate");
        }
        let source = match &common.api_url {
            Some(_) => "--api-url".to_owned(),
            None => format!("api.url of {}", settings_file::source(common.config.as_deref()).unwrap_or_default()),
        };
        let Found { key, file } = api_key::find(common)?;
        let options = ZyteOptions::from_settings(&settings.api, key);
        let memory = settings.crawl.memory.map(|memory| memory.0).or_else(|| machine::memory().map(|all| all / 4));
        let api = ZyteApi::new(ZyteOptions { allow_unencrypted: args.insecure_api, memory, ..options });
        let api = match api {
            Err(error) if matches!(error, ZyteError::Unencrypted(_)) => return Err(anyhow::Error::new(error).context(source)),
            api => api?,
        };
        if let Some(file) = file {
            screen.say(format!("API key: {}, found; --api-key and ZYTE_API_KEY win", file.display()));
        }
        if let Some(warning) = warning(&Destination::of(&settings.api.url)?, &source) {
            screen.say(warning);
        }
        Ok(Self::Zyte(Box::new(api)))
    }
}

impl Api {
    /// The simulator that is asked, if it is one.
    pub(crate) fn simulator(&self) -> Option<InProcess> {
        match self {
            Self::Zyte(_) => None,
            Self::Simulated(simulator) => Some(simulator.clone()),
        }
    }
}

impl Transport for Api {
    async fn send(&self, params: &Object) -> Result<Answer, CallError> {
        match self {
            Self::Zyte(api) => api.send(params).await,
            Self::Simulated(simulator) => simulator.send(params).await,
        }
    }
}

/// What to know of where the key goes, unless that is Zyte or this machine.
fn warning(destination: &Destination, source: &str) -> Option<String> {
    let base = destination.base();
    let unencrypted = if destination.is_private() { "" } else { " unencrypted" };
    match (destination.owner(), destination.is_private()) {
        (Owner::Foreign, _) => Some(format!("the API key goes{unencrypted} to {base}, which is not Zyte's ({source})")),
        (Owner::Zyte | Owner::Loopback, false) => Some(format!("the API key goes{unencrypted} to {base} ({source})")),
        (Owner::Zyte | Owner::Loopback, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_key_goes_is_told_unless_it_is_zyte_or_this_machine() {
        for (base, told) in [
            ("https://api.zyte.com/v1/", None),
            ("http://127.0.0.1:8765/v1/", None),
            ("http://localhost/v1/", None),
            ("https://other.example/", Some("the API key goes to https://other.example/, which is not Zyte's (c.toml)")),
            ("http://10.0.0.7/", Some("the API key goes unencrypted to http://10.0.0.7/, which is not Zyte's (c.toml)")),
            ("http://api.zyte.com/v1/", Some("the API key goes unencrypted to http://api.zyte.com/v1/ (c.toml)")),
        ] {
            assert_eq!(warning(&Destination::of(base).unwrap(), "c.toml").as_deref(), told);
        }
    }
}
