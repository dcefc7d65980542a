//! The words of the command line.

mod simulation;
mod tools;

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing::level_filters::LevelFilter;

pub(crate) use simulation::{Ban, LatencyName, Simulation};
pub(crate) use tools::{BenchPlugin, CheckPlugins, ExplainUrl, ListPlugins, RunHook, TestPlugins};

const EXAMPLES: &str = "\
Examples:
  printf 'https://shop.example/a\\n' | carousel crawl - --simulate
  carousel crawl urls.txt --output pages.jsonl --stats stats.json
  carousel crawl requests.jsonl --config carousel.toml --plugins plugins-built
  carousel demo";

/// Crawls through Zyte API with sessions that site plugins know how to make and to check.
#[derive(Debug, Parser)]
#[command(name = "carousel", version, after_help = EXAMPLES)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A text that is not shown by accident.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text, for whoever sends it or keeps others from showing it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Flags that every command understands.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Settings file (TOML); carousel.toml of this directory where it exists
    #[arg(long, global = true, value_name = "FILE", env = "CAROUSEL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Directory of site plugins (.wasm); wins over plugins.dir of the settings file
    #[arg(long, global = true, value_name = "DIR", env = "CAROUSEL_PLUGINS")]
    pub(crate) plugins: Option<PathBuf>,
    /// Address of Zyte API, without the final "extract"; wins over api.url of the settings file
    #[arg(long, global = true, value_name = "URL", env = "CAROUSEL_API_URL")]
    pub(crate) api_url: Option<String>,
    /// API key; else the variable ZYTE_API_KEY, else ZYTE_API_KEY in the nearest .env file upwards
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) api_key: Option<Secret>,
    /// How much is logged on standard error
    #[arg(short = 'L', long, global = true, value_enum, ignore_case = true, default_value = "INFO")]
    pub(crate) loglevel: LogLevel,
}

/// What is logged: this level and the graver ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum LogLevel {
    Trace,
    Debug,
    #[default]
    Info,
    #[value(alias = "WARN")]
    Warning,
    Error,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Trace => Self::TRACE,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Info => Self::INFO,
            LogLevel::Warning => Self::WARN,
            LogLevel::Error => Self::ERROR,
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send requests, get answers: the main job
    Crawl(Crawl),
    /// Serve a local Zyte API with sessions, fictional sites and faults
    Simulate(Simulate),
    /// Build the sample plugins, start the simulator, crawl sample requests, show the result
    Demo(Demo),
    /// Make, build, look into and try site plugins
    #[command(subcommand)]
    Plugin(Plugin),
}

const CRAWL_HELP: &str = "\
A text line is a URL and asks for its browserHtml. A JSON line is a Zyte API request object, optionally with a \"meta\" \
object: {\"url\": \"https://shop.example/a\", \"httpResponseBody\": true, \"meta\": {\"zyte_api_session_location\": {\"postalCode\": \"10001\"}}}

Examples:
  printf 'https://shop.example/a\\n' | carousel crawl - --simulate
  carousel crawl urls.txt --simulate --latency realistic --ban 'shop.example=5'
  carousel crawl urls.txt --limit 100 --shuffle --output pages.jsonl
  carousel crawl requests.jsonl --store-errors --annotate --stats stats.json
  carousel crawl urls.txt --output pages.jsonl --leftovers left.txt
  carousel crawl left.txt --output pages.jsonl --append     # goes on where that ended early
  carousel crawl urls.txt --limit 20 --plugins plugins-built --record fixtures

Exit status: 0 all answered, 1 some failed, 2 bad usage or settings, 3 closed early, 130 interrupted.";

/// `carousel crawl`.
#[derive(Debug, Default, Args)]
#[command(after_help = CRAWL_HELP)]
pub(crate) struct Crawl {
    /// File of requests, one per line; - for standard input
    pub(crate) input: PathBuf,
    /// What a line is: a URL (txt) or a JSON request (jl). Guessed from the file name, else from the first line
    #[arg(long, value_enum)]
    pub(crate) intype: Option<Intype>,
    /// Crawl at most N requests, after --shuffle; 0 for all
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) limit: usize,
    /// File for the answers, overwritten; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Add to the output file instead of overwriting it: to go on with what --leftovers kept
    #[arg(long, requires = "output")]
    pub(crate) append: bool,
    /// Requests under way at once; wins over crawl.concurrency of the settings file
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) n_conn: Option<u32>,
    /// Crawl in random order. Reads the whole input into memory first
    #[arg(long)]
    pub(crate) shuffle: bool,
    /// Start requests in the order of the input, not pool by pool; costs sessions where the input mixes many sites
    #[arg(long)]
    pub(crate) ordered: bool,
    /// Do not repeat failed calls, except when the API is busy (429, 503); sessions that expired are still replaced
    #[arg(long)]
    pub(crate) dont_retry_errors: bool,
    /// Send requests that the API would refuse, too: without an output, or with fields that exclude each other
    #[arg(long)]
    pub(crate) no_check: bool,
    /// Call the API through the proxies of the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY)
    #[arg(long)]
    pub(crate) trust_env: bool,
    /// Call an API whose address is plain http and not on this machine: whoever is on the way can read the key
    #[arg(long)]
    pub(crate) insecure_api: bool,
    /// Also write one line per failed request: {"error": {...}, "request": {...}, ...}
    #[arg(long)]
    pub(crate) store_errors: bool,
    /// File for the lines that a crawl which ends early leaves without a result, as they stand in the input; crawl it to go on
    #[arg(long, value_name = "FILE")]
    pub(crate) leftovers: Option<PathBuf>,
    /// File for the counters (JSON), written at the end, also of a crawl that ends early
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,
    /// Use a simulator inside this process instead of the real API; needs no key. It behaves as the flags of a simulator say
    #[arg(long, conflicts_with = "api_url")]
    pub(crate) simulate: bool,
    /// Add a "carousel" object to each line: input line, pool, session, attempts, fingerprint
    #[arg(long)]
    pub(crate) annotate: bool,
    /// Seed for everything random; without it every crawl differs
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Write what plugins were asked and answered into this new directory, for `plugin test`; keys, cookies, passwords and
    /// tokens are replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
    /// With --record: how many calls of each hook with each outcome are kept for a site
    #[arg(long, value_name = "N", default_value_t = 3, requires = "record")]
    pub(crate) record_limit: usize,
    #[command(flatten)]
    pub(crate) simulation: Simulation,
}

/// What an input line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Intype {
    /// A URL.
    Txt,
    /// A JSON object.
    #[value(alias = "jsonl")]
    Jl,
}

const SIMULATE_HELP: &str = "\
The first line on standard output is the base URL. Any API key is accepted, or only the one of --api-key. What can be asked is \
described in /simulator/openapi.yaml, what was asked and billed is counted in /simulator/report.

Examples:
  carousel simulate
  carousel simulate --port 0 --seed 7 --faults faults.json
  carousel simulate --max-active 50 --creation-faults 0.05 --ban '*.shop.example=40' --ban 'slow.example=2s'
  zyte-api urls.txt --api-url http://127.0.0.1:8765/v1/ --api-key any";

/// `carousel simulate`.
#[derive(Debug, Args)]
#[command(after_help = SIMULATE_HELP)]
pub(crate) struct Simulate {
    /// Port on the loopback address; 0 for any free one
    #[arg(long, default_value_t = 8765)]
    pub(crate) port: u16,
    /// Seed for everything random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Simulated seconds per real second: with 60 a session of 15 minutes lives 15 seconds
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(crate) time_scale: f64,
    #[command(flatten)]
    pub(crate) simulation: Simulation,
}

const DEMO_HELP: &str = "\
Examples:
  carousel demo
  carousel demo --requests 500 --out demo";

/// `carousel demo`.
#[derive(Debug, Args)]
#[command(after_help = DEMO_HELP)]
pub(crate) struct Demo {
    /// Requests to crawl
    #[arg(long, value_name = "N", default_value_t = 2560)]
    pub(crate) requests: usize,
    /// Seed of the simulator and the crawl
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Directory for what the demo writes: plugins, settings, requests, answers, stats
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

const PLUGIN_HELP: &str = "\
Examples:
  carousel plugin new my-shop
  carousel plugin build my-shop --out plugins-built
  carousel plugin check plugins-built/*.wasm
  carousel plugin explain https://my-shop.example/a --plugins plugins-built
  carousel crawl urls.txt --plugins plugins-built --simulate --record fixtures
  carousel plugin test fixtures --plugins plugins-built";

/// `carousel plugin`.
#[derive(Debug, Subcommand)]
#[command(after_help = PLUGIN_HELP)]
pub(crate) enum Plugin {
    /// Start a plugin: a small project that builds, with a test, in Rust, Python or JavaScript
    New(NewPlugin),
    /// Compile plugins to components and check that they load
    Build(BuildPlugins),
    /// Say of components whether they can be used, what they want, and where their rules overlap
    Check(CheckPlugins),
    /// Show the plugins of a directory
    List(ListPlugins),
    /// Say which plugin serves a URL and why, and what comes of it, hook by hook
    Explain(ExplainUrl),
    /// Call one hook on input from files
    Run(RunHook),
    /// Run recorded calls offline and compare
    Test(TestPlugins),
    /// Measure how fast the hooks are
    Bench(BenchPlugin),
}

const NEW_HELP: &str = "\
Examples:
  carousel plugin new my-shop
  carousel plugin new plugins/my-shop --lang python
  carousel plugin new my-shop --lang js";

/// The languages of new plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// The smallest and quickest plugins.
    Rust,
    /// Needs python3 with pip to build.
    Python,
    /// Needs node with npm to build.
    #[value(alias = "javascript")]
    Js,
}

/// `carousel plugin new`.
#[derive(Debug, Args)]
#[command(after_help = NEW_HELP)]
pub(crate) struct NewPlugin {
    /// Directory to make; its last part names the plugin (lower-case letters, digits and -)
    pub(crate) path: PathBuf,
    /// What it is written in
    #[arg(long, value_enum, default_value = "rust")]
    pub(crate) lang: Lang,
    /// For Rust: directory of the guest SDK (guest-sdk of a Carousel checkout). Default: the checkout around this directory, else
    /// the one this program was built from
    #[arg(long, value_name = "DIR")]
    pub(crate) sdk: Option<PathBuf>,
}

const BUILD_HELP: &str = "\
A directory with a Cargo.toml is built by cargo, one with a plugin.py by componentize-py, one with a plugin.js by componentize-js. \
Those two are installed once, each into a folder of its own in the user's cache, when they are needed first.

Examples:
  carousel plugin build
  carousel plugin build my-shop other-shop --out my-plugins
  carousel plugin build declarative --out my-plugins      # a plugin of the checkout by its name: sites without code";

/// `carousel plugin build`.
#[derive(Debug, Args)]
#[command(after_help = BUILD_HELP)]
pub(crate) struct BuildPlugins {
    /// Directories of plugin projects, or names of plugins of the checkout
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Where the .wasm files go. Default: --plugins, else plugins.dir of the settings file, else plugins-built
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }

    /// Parses the lines that call the program, as a shell would cut them; the answer is how many there are.
    fn parse_examples(text: &str) -> usize {
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with("carousel "));
        let examples: Vec<&str> = lines.map(|line| line.split(" #").next().unwrap().trim()).collect();
        for example in &examples {
            let mut words = Vec::new();
            for (at, part) in example.split('\'').enumerate() {
                match at % 2 {
                    0 => words.extend(part.split_whitespace()),
                    _ => words.push(part),
                }
            }
            let parsed = CommandLine::try_parse_from(words);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
        examples.len()
    }

    #[test]
    fn the_readme_shows_commands_that_can_be_parsed() {
        let readme = include_str!("../../../README.md");
        let blocks: String = readme.split("\n```sh").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
        let seen = parse_examples(&blocks);
        assert!(seen > 15, "{seen} commands");
    }

    #[test]
    fn the_help_of_every_command_has_examples_that_can_be_parsed() {
        fn walk(command: &clap::Command, path: &str, seen: &mut usize) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:"), "{path} has no examples");
            *seen += parse_examples(&help);
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                walk(sub, &format!("{path} {}", sub.get_name()), seen);
            }
        }
        let mut seen = 0;
        walk(&CommandLine::command(), "carousel", &mut seen);
        assert!(seen > 30, "{seen} examples");
    }

    #[test]
    fn flags_may_stand_before_and_after_the_command() {
        for line in ["carousel -L debug crawl - --simulate", "carousel crawl - --simulate -L DEBUG"] {
            let parsed = CommandLine::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(parsed.common.loglevel, LogLevel::Debug, "{line}");
            assert!(matches!(parsed.command, Command::Crawl(Crawl { simulate: true, .. })));
        }
    }

    #[test]
    fn a_key_is_not_shown_with_the_line_that_it_stands_in() {
        let parsed = CommandLine::try_parse_from(["carousel", "crawl", "-", "--api-key", "0123456789"]).unwrap();
        assert_eq!(parsed.common.api_key.as_ref().map(Secret::reveal), Some("0123456789"));
        assert!(!format!("{parsed:?} {parsed:#?}").contains("0123"));
    }

    #[test]
    fn contradictions_and_nonsense_are_refused() {
        for line in [
            "carousel",
            "carousel crawl",
            "carousel crawl - --n-conn 0",
            "carousel crawl - --intype csv",
            "carousel crawl - --simulate --api-url http://127.0.0.1/",
        ] {
            assert!(CommandLine::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
