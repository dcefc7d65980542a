//! Puts a crawl together: settings, API, plugins, engine, input and output.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use carousel_core::settings::Settings;
use carousel_engine::{Engine, EngineOptions, Sites, Transport};
use carousel_simulator::InProcess;
use tokio::sync::mpsc;

use super::ending::Ending;
use super::entry::EchoData;
use super::files::{Files, Sources};
use super::input::{Input, Order, Wanted};
use super::interrupts;
use super::job;
use super::rendering::Annotation;
use super::run::{Ended, Run, RunOptions, StoreErrors};
use super::tally::Tally;
use crate::api::Api;
use crate::args::{Common, Crawl};
use crate::logging::{Screen, stdout};
use crate::progress::{Progress, Unit};
use crate::recording::{RecordedSites, Recorder, RecorderOptions};
use crate::simulate::meters;
use crate::sites::Plugins;
use crate::stats_file;
use crate::{api_key, settings_file, summary};

/// What a crawl leaves behind.
pub(crate) struct Outcome {
    /// How it ended.
    pub(crate) ending: Ending,
    /// What became of the input lines.
    pub(crate) tally: Tally,
}

impl Outcome {
    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        self.ending.exit_code(&self.tally)
    }
}

/// Crawls: 0 all answered, 1 some failed, 3 closed early, 130 interrupted. An error means that nothing was sent.
pub(crate) async fn crawl(args: &Crawl, common: &Common, screen: &Screen) -> anyhow::Result<Outcome> {
    let settings = Arc::new(settings(args, common, screen)?);
    let input = Input::open(&args.input)?;
    let plugins = Plugins::load(common.plugins.as_deref(), &settings)?;
    let api = Api::open(args, common, &settings, screen)?;
    let names = plugins.names();
    let explain = |error| settings_file::explain(&error, common.config.as_deref(), &names);
    let simulator = api.simulator();
    let crawl = Assembled { args, common, settings: Arc::clone(&settings), plugins, input, simulator, screen };
    let options = engine_options(args);
    let Some(dir) = &args.record else {
        let engine = Engine::new(settings, api, crawl.plugins.sites(), options).map_err(explain)?;
        return crawl.carry_out(engine).await;
    };
    let recorder = Recorder::open(RecorderOptions { dir, limit: args.record_limit, api_keys: &api_key::known(common) })?;
    let sites = Arc::new(RecordedSites::new(crawl.plugins.sites(), Arc::clone(&recorder)));
    let directory = crawl.plugins.sites();
    let engine = Engine::new(Arc::clone(&settings), api, sites, options).map_err(explain)?;
    let mut outcome = crawl.carry_out(engine).await?;
    match recorder.write(&settings, &directory.report()) {
        Ok(told) => screen.say(told),
        Err(error) => outcome.ending.lacks(&error.context("the recording is not complete")),
    }
    Ok(outcome)
}

/// What a crawl is put together of, but for its engine.
struct Assembled<'a> {
    args: &'a Crawl,
    common: &'a Common,
    settings: Arc<Settings>,
    plugins: Plugins,
    input: Input,
    simulator: Option<InProcess>,
    screen: &'a Screen,
}

impl Assembled<'_> {
    async fn carry_out<S: Sites>(self, engine: Engine<Api, S>) -> anyhow::Result<Outcome> {
        let Self { args, common, settings, plugins, input, simulator, screen } = self;
        let Files { output, leftovers, stats } = Files::open(args, sources(&input, args, common))?;
        // Until here an interrupt ends the process: nothing was sent.
        let interrupts = &mut interrupts::listen();
        let name = input.name().to_owned();
        let is_terminal_taken = args.output.is_none() && stdout::is_terminal();
        let progress = if is_terminal_taken { Progress::hidden() } else { Progress::new(screen, unit(args, &input)) };
        let run = Run::new(engine.clone(), run_options(args, &settings, &name), output, &progress).with_leftovers(leftovers);
        tracing::info!("crawling {name}, at most {} requests at once", settings.crawl.concurrency);
        let is_file = input.path().is_some();
        let Ended { ending, tally, left } = run.run(input.start(wanted(args, &settings)), interrupts).await;
        let mut ending = settled(&engine, ending, &tally, interrupts).await;
        engine.shutdown();
        progress.clear();

        let document = stats_file::document(engine.report(), &ending, &tally, plugins.report());
        if tally.is_empty() && ending == Ending::Finished {
            // A program that should have said something may have failed; a file without lines says that all is done.
            anyhow::ensure!(is_file, "no requests in {name}: is it empty?");
            screen.say(format!("nothing to do: no requests in {name}"));
        }
        screen.say(summary::lines(&document));
        if let Some(simulator) = simulator {
            screen.say(meters(&simulator.report()));
        }
        if let Some(message) = ending.message() {
            screen.say(message);
        }
        let told = args.leftovers.as_deref().zip(left.as_ref());
        if let Some(message) = told.and_then(|(path, left)| left.message(path, ending == Ending::Finished)) {
            screen.say(message);
        }
        if let Some(fault) = left.and_then(|left| left.fault) {
            ending.lacks(&anyhow::anyhow!("the leftovers are not complete: {fault}"));
        }
        if let Some(Err(error)) = stats.map(|stats| stats.write(&document)) {
            ending.lacks(&error);
        }
        Ok(Outcome { ending, tally })
    }
}

/// The files that the crawl reads.
fn sources(input: &Input, args: &Crawl, common: &Common) -> Sources {
    let mut sources = Sources::default();
    match input.path() {
        Some(path) => sources.add("input file", path),
        None => sources.add_stdin(),
    }
    if let Some(path) = settings_file::file(common.config.as_deref()) {
        sources.add("settings file", path);
    }
    if let Some(path) = &args.simulation.faults {
        sources.add("faults file", path);
    }
    sources
}

fn settings(args: &Crawl, common: &Common, screen: &Screen) -> anyhow::Result<Settings> {
    let mut settings = settings_file::load(common.config.as_deref(), screen)?;
    if let Some(url) = &common.api_url {
        settings.api.url.clone_from(url);
    }
    settings.api.url = settings_file::api_url(&settings.api.url)?;
    if let Some(number) = args.n_conn {
        settings.crawl.concurrency = usize::try_from(number).context("--n-conn is too large")?;
    }
    settings.api.trust_env |= args.trust_env;
    if args.ordered {
        settings.crawl.ordered = Some(true);
    }
    if args.dont_retry_errors {
        settings.crawl.retry_times = 0;
    }
    Ok(settings)
}

fn engine_options(args: &Crawl) -> EngineOptions {
    EngineOptions {
        seed: args.seed,
        fingerprints: args.annotate,
        retry_only_throttling: args.dont_retry_errors,
        send_unchecked: args.no_check,
        job_id: job::id(),
        ..EngineOptions::default()
    }
}

fn run_options(args: &Crawl, settings: &Settings, input: &str) -> RunOptions {
    RunOptions {
        turns: settings.crawl.turns(settings.profile),
        errors: if args.store_errors { StoreErrors::Yes } else { StoreErrors::No },
        annotation: if args.annotate { Annotation::On } else { Annotation::Off },
        input: input.to_owned(),
    }
}

fn wanted(args: &Crawl, settings: &Settings) -> Wanted {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    Wanted {
        intype: args.intype,
        limit: args.limit,
        order: if args.shuffle { Order::Shuffled(seed) } else { Order::Input },
        echo: if settings.profile.is_peer() { EchoData::Absent } else { EchoData::Url },
    }
}

fn unit(args: &Crawl, input: &Input) -> Unit {
    match (args.limit, input.size()) {
        (1.., _) => Unit::Requests(args.limit as u64),
        // In random order the end of a line says nothing about how much is done.
        (0, Some(bytes)) if !args.shuffle => Unit::Bytes(bytes),
        (0, _) => Unit::Unknown,
    }
}

/// Lets the engine finish the initialisations that it has begun, so that what they cost is counted; that may still close the
/// crawl. An interrupt ends the wait; there is none after a second one.
async fn settled<T: Transport, S: Sites>(
    engine: &Engine<T, S>,
    ending: Ending,
    tally: &Tally,
    interrupts: &mut mpsc::Receiver<()>,
) -> Ending {
    if tally.aborted == 0 {
        tokio::select! {
            () = engine.finish() => {}
            Some(()) = interrupts.recv() => return if ending == Ending::Finished { Ending::Interrupted } else { ending },
        }
    }
    match engine.close_reason() {
        Some(reason) if ending == Ending::Finished => Ending::Closed(reason.to_string()),
        _ => ending,
    }
}
