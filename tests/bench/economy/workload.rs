//! What is crawled: lines with the time at which they come, the API that answers, and the settings that both profiles share.

use std::time::Duration;

use carousel_simulator::{FaultRule, Latency, SimulatorOptions};
use serde_json::{Value, json};

/// A workload, to be crawled by each profile.
pub(crate) struct Workload {
    /// Its row in the table.
    pub(crate) name: String,
    /// How many lines there are.
    pub(crate) count: usize,
    /// The n-th line.
    pub(crate) line: Box<dyn Fn(usize) -> Line>,
    /// Beyond the defaults.
    pub(crate) settings: Value,
    /// The API that answers.
    pub(crate) api: SimulatorOptions,
    /// The rules of its faults as JSON, for an API in another process.
    pub(crate) faults: Value,
    /// Does a plugin look whether a page is for the right place?
    pub(crate) checks_place: bool,
}

/// A line of the input.
pub(crate) struct Line {
    /// When it comes.
    pub(crate) at: Duration,
    /// The request, as in an input file.
    pub(crate) request: Value,
}

impl Workload {
    /// Lines that are all there at the start; initialisations take 8 s, pages 1.5 s.
    pub(crate) fn new(name: impl Into<String>, lines: Vec<Value>) -> Self {
        let count = lines.len();
        Self::timed(name, count, move |n| Line { at: Duration::ZERO, request: lines.get(n).cloned().unwrap_or_default() })
    }

    /// Lines made one by one.
    pub(crate) fn timed(name: impl Into<String>, count: usize, line: impl Fn(usize) -> Line + 'static) -> Self {
        Self {
            name: name.into(),
            count,
            line: Box::new(line),
            settings: json!({}),
            api: SimulatorOptions { latency: Latency { spread: 0.0, ..Latency::realistic() }, ..SimulatorOptions::default() },
            faults: json!([]),
            checks_place: false,
        }
    }

    /// With these settings.
    pub(crate) fn with(mut self, settings: Value) -> Self {
        self.settings = settings;
        self
    }

    /// With these faults of the API.
    pub(crate) fn failing(mut self, faults: Value) -> Result<Self, carousel_simulator::FaultRuleError> {
        self.api.faults = FaultRule::read_list(&faults.to_string())?;
        self.faults = faults;
        Ok(self)
    }

    /// With a plugin that looks at the place of each page.
    pub(crate) fn checked(mut self) -> Self {
        self.checks_place = true;
        self
    }
}

/// A page of a site that needs nothing but a session.
pub(crate) fn plain(site: usize, page: usize) -> Value {
    json!({"url": format!("https://s{site:05}.plain.example/p/{page}"), "httpResponseBody": true})
}

/// The same in a browser.
pub(crate) fn in_browser(site: usize, page: usize) -> Value {
    json!({"url": format!("https://s{site:05}.plain.example/p/{page}"), "browserHtml": true})
}

/// A page of a shop that shows its prices for a place.
pub(crate) fn shop(site: usize, page: usize) -> Value {
    let place = ["10001", "60601", "94105", "33101"].get(site % 4).copied().unwrap_or("10001");
    placed(&format!("https://s{site:05}.grocer.example/p/{page}"), place, &json!({"postalCode": place}))
}

/// A page of a shop, for a place that an address means. The tag tells the simulator and us which; the shop does not see it.
pub(crate) fn placed(url: &str, place: &str, address: &Value) -> Value {
    json!({
        "url": url, "httpResponseBody": true, "tags": {"place": place},
        "meta": {"zyte_api_session_location": address},
    })
}

/// Lines per site, the first site having most: as often as Zipf says, each at least once.
pub(crate) fn zipf(sites: usize, lines: usize) -> Vec<usize> {
    let harmonic: f64 = (1..=sites).map(|rank| 1.0 / rank as f64).sum();
    let share = |rank: usize| ((lines as f64 / (rank as f64 * harmonic)) as usize).max(1);
    let mut counts: Vec<usize> = (1..=sites).map(share).collect();
    let sum: usize = counts.iter().sum();
    if let Some(first) = counts.first_mut() {
        *first += lines.saturating_sub(sum);
    }
    counts
}
