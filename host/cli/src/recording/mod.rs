//! Fixtures from real traffic: what the hooks of plugins were asked in a crawl, what they answered, with every secret replaced.

mod fixture;
mod folder;
mod listening;
pub(crate) mod outcome;
mod recorder;
mod secrets;

pub(crate) use fixture::{Asked, Download, Fixture, FixtureSession, FixtureSite};
pub(crate) use folder::{SiteFolder, read_fixture, site_folders};
pub(crate) use listening::RecordedSites;
pub(crate) use recorder::{Recorder, RecorderOptions};
pub(crate) use secrets::is_placeholder;
