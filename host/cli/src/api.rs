//! Whom a crawl talks to: the real API, or a simulator inside this process.

use std::path::Path;

use anyhow::Context;
use carousel_core::settings::Settings;
use carousel_simulator::{Simulator, SimulatorOptions};
use carousel_zyte::{ApiKey, ZyteApi, ZyteOptions};

use crate::api_key;
use crate::args::{Common, Crawl};
use crate::simulate::Served;

/// A connection to an API, and the simulator behind it where there is one.
pub(crate) struct Api {
    /// Who sends calls.
    pub(crate) transport: ZyteApi,
    /// The simulator; it stops when it is dropped.
    pub(crate) simulator: Option<Served>,
}

impl Api {
    /// Connects to the API of the settings with the key that can be found, or starts a simulator.
    pub(crate) async fn connect(args: &Crawl, common: &Common, settings: &Settings) -> anyhow::Result<Self> {
        if args.simulate {
            return Self::simulated(args.seed, settings).await;
        }
        let dir = std::env::current_dir().context("cannot tell the current directory")?;
        let key = key(common, &dir)?;
        let transport = ZyteApi::new(ZyteOptions::from_settings(&settings.api, key))?;
        Ok(Self { transport, simulator: None })
    }

    async fn simulated(seed: Option<u64>, settings: &Settings) -> anyhow::Result<Self> {
        let defaults = SimulatorOptions::default();
        let options = SimulatorOptions { seed: seed.unwrap_or(defaults.seed), ..defaults };
        let served = Served::start(Simulator::new(options), 0).await?;
        let mut zyte = ZyteOptions::from_settings(&settings.api, ApiKey::new("simulated")?);
        zyte.url = served.url();
        Ok(Self { transport: ZyteApi::new(zyte)?, simulator: Some(served) })
    }
}

fn key(common: &Common, dir: &Path) -> anyhow::Result<ApiKey> {
    api_key::find(common.api_key.as_deref(), std::env::var(api_key::VARIABLE).ok(), dir)
}
