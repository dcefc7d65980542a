//! The words of the commands that look into plugins.

use std::path::PathBuf;

use clap::Args;

const CHECK_HELP: &str = "\
Rules that overlap are looked for among the files, and in the directory of --plugins or of the settings file.

Examples:
  carousel plugin check my-shop.wasm
  carousel plugin check plugins-built/*.wasm --json
  carousel plugin check my-shop.wasm --plugins plugins-built

Exit status: 0 all can be used, 1 some cannot, 2 bad usage.";

/// `carousel plugin check`.
#[derive(Debug, Args)]
#[command(after_help = CHECK_HELP)]
pub(crate) struct CheckPlugins {
    /// Components (.wasm)
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// One JSON object per line and file instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

const LIST_HELP: &str = "\
Examples:
  carousel plugin list plugins-built
  carousel plugin list --config carousel.toml
  carousel plugin list plugins-built --json

Exit status: 0 all can be used, 1 some cannot, 2 bad usage.";

/// `carousel plugin list`.
#[derive(Debug, Args)]
#[command(after_help = LIST_HELP)]
pub(crate) struct ListPlugins {
    /// Directory of components. Default: --plugins, else plugins.dir of the settings file
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// One JSON object per line and file instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

const EXPLAIN_HELP: &str = "\
Asks the engine and the plugins as a crawl would; nothing is sent. The order of automatic pool names in the profile \
scrapy-zyte-api depends on earlier requests, which are not known here.

Examples:
  carousel plugin explain https://shop.example/a --plugins plugins-built
  carousel plugin explain https://shop.example/a --meta '{\"zyte_api_session_location\": {\"postalCode\": \"10001\"}}'
  carousel plugin explain https://shop.example/a --request request.json --json

Exit status: 0 explained, 1 such a request would fail before it is sent, 2 bad usage.";

/// `carousel plugin explain`.
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_HELP)]
pub(crate) struct ExplainUrl {
    /// The URL
    pub(crate) url: String,
    /// A request (JSON) with this URL in place of its own; a browser request if absent
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// Metadata of the request (a JSON object); wins over that of --request
    #[arg(long, value_name = "JSON")]
    pub(crate) meta: Option<String>,
    /// A JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

const RUN_HELP: &str = "\
HOOK is enabled, cookie_mode, location, pool, params, init_session, process_request or check. The answer is JSON on \
standard output; log lines, session data, time and memory are on standard error.

Examples:
  carousel plugin run my-shop.wasm pool --request request.json
  carousel plugin run my-shop.wasm check --request request.json --response answer.json --init
  carousel plugin run my-shop.wasm init_session --request request.json --answers answers.json
  carousel plugin run my-shop.wasm init_session --request request.json --simulate
  carousel plugin run my-shop.wasm check --recorded fixtures/my-shop/session-1/02-check.json

Exit status: 0 answered, 1 the plugin failed or cannot be used, 2 bad usage.";

/// `carousel plugin run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_HELP)]
pub(crate) struct RunHook {
    /// A component (.wasm)
    pub(crate) file: PathBuf,
    /// The hook to call
    pub(crate) hook: String,
    /// The request (JSON): API parameters, and optionally "meta"
    #[arg(long, value_name = "FILE", required_unless_present = "recorded")]
    pub(crate) request: Option<PathBuf>,
    /// The API's answer (JSON) that check judges
    #[arg(long, value_name = "FILE")]
    pub(crate) response: Option<PathBuf>,
    /// The request initialises a session
    #[arg(long)]
    pub(crate) init: bool,
    /// What hooks stored for the session before (a JSON object)
    #[arg(long, value_name = "JSON")]
    pub(crate) session_data: Option<String>,
    /// The site of the settings file whose config the plugin gets
    #[arg(long, value_name = "NAME", conflicts_with = "site_config")]
    pub(crate) site: Option<String>,
    /// The config that the plugin gets (JSON)
    #[arg(long, value_name = "JSON")]
    pub(crate) site_config: Option<String>,
    /// What downloads answer, in order: a JSON list of API answers, or of {"error": {"status", "type", "title", "detail"}}
    #[arg(long, value_name = "FILE", conflicts_with = "simulate")]
    pub(crate) answers: Option<PathBuf>,
    /// Downloads go to a simulator inside this process
    #[arg(long)]
    pub(crate) simulate: bool,
    /// One call that `crawl --record` wrote, in place of all of these
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "response", "init", "session_data", "answers"])]
    pub(crate) recorded: Option<PathBuf>,
}

const TEST_HELP: &str = "\
Runs the calls that `crawl --record` wrote, offline, and compares what the plugins answer now. Compared is what stands \
in \"expect\" of a file: change it, or leave out what may be anything.

Examples:
  carousel crawl urls.txt --record fixtures --plugins plugins-built
  carousel plugin test fixtures --plugins plugins-built
  carousel plugin test fixtures/my-shop/session-1 --plugins plugins-built

Exit status: 0 all as expected, 1 some not, 2 bad usage.";

/// `carousel plugin test`.
#[derive(Debug, Args)]
#[command(after_help = TEST_HELP)]
pub(crate) struct TestPlugins {
    /// Directory of fixtures: a whole recording, one site or one session
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

const BENCH_HELP: &str = "\
Each hook that the plugin overrides is called on the same input, over and over, on one thread. An empty call makes an \
instance and asks the plugin what it is.

Examples:
  carousel plugin bench my-shop.wasm
  carousel plugin bench my-shop.wasm --request request.json --response answer.json --seconds 5

Exit status: 0 measured, 1 the plugin cannot be used, 2 bad usage.";

/// `carousel plugin bench`.
#[derive(Debug, Args)]
#[command(after_help = BENCH_HELP)]
pub(crate) struct BenchPlugin {
    /// A component (.wasm)
    pub(crate) file: PathBuf,
    /// The request (JSON); one for a URL of the plugin's own rules if absent
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// The API's answer (JSON) that check judges and that downloads get; a small page if absent
    #[arg(long, value_name = "FILE")]
    pub(crate) response: Option<PathBuf>,
    /// The site of the settings file whose config the plugin gets
    #[arg(long, value_name = "NAME", conflicts_with = "site_config")]
    pub(crate) site: Option<String>,
    /// The config that the plugin gets (JSON)
    #[arg(long, value_name = "JSON")]
    pub(crate) site_config: Option<String>,
    /// Seconds for each hook
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    pub(crate) seconds: f64,
}
