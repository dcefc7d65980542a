//! Whom a crawl talks to: the real API, or a simulator inside this process.

use anyhow::Context;
use carousel_core::exchange::{Answer, CallError, Object};
use carousel_core::settings::Settings;
use carousel_engine::Transport;
use carousel_simulator::{InProcess, Simulator, SimulatorOptions};
use carousel_zyte::{ApiKey, ZyteApi, ZyteOptions};

use crate::api_key;
use crate::args::{Common, Crawl};

/// The API of a crawl.
pub(crate) enum Api {
    /// Over HTTP.
    Zyte(Box<ZyteApi>),
    /// A simulator that is asked without sockets.
    Simulated(InProcess),
}

impl Api {
    /// The API of the settings with the key that can be found, or a simulator.
    pub(crate) fn open(args: &Crawl, common: &Common, settings: &Settings) -> anyhow::Result<Self> {
        if args.simulate {
            let defaults = SimulatorOptions::default();
            let options = SimulatorOptions { seed: args.seed.unwrap_or(defaults.seed), ..defaults };
            return Ok(Self::Simulated(InProcess::new(Simulator::new(options))));
        }
        let key = key(common)?;
        let options = ZyteOptions::from_settings(&settings.api, key);
        Ok(Self::Zyte(Box::new(ZyteApi::new(ZyteOptions { allow_unencrypted: args.insecure_api, ..options })?)))
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

fn key(common: &Common) -> anyhow::Result<ApiKey> {
    let dir = std::env::current_dir().context("cannot tell the current directory")?;
    api_key::find(common.api_key.as_deref(), std::env::var(api_key::VARIABLE).ok(), &dir)
}
