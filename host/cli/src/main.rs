//! The `carousel` command: assembles the rooms and talks to people.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a failing test may panic"
    )
)]

mod api;
mod api_key;
mod args;
mod checkout;
mod crawl;
mod demo;
mod logging;
mod machine;
mod plugin;
mod progress;
mod recording;
mod settings_file;
mod simulate;
mod sites;
mod stats_file;
mod summary;
mod text_file;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::args::{Command, CommandLine, Common, Plugin, Secret};
use crate::logging::{News, Screen};
use crate::plugin::report;

/// The exit code of bad usage, bad settings and whatever else keeps a command from starting.
const BAD_USAGE: u8 = 2;

/// How many pipes, of two open files each, take as many files as a runtime opens for its timers, wakes and signals.
const PIPES_OF_A_RUNTIME: usize = 3;

fn main() -> ExitCode {
    let screen = Screen::default();
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return refuse(&error, &screen),
    };
    let news = if matches!(line.command, Command::Plugin(_)) { News::OfPlugins } else { News::All };
    logging::hide_keys(&api_key::known(&line.common));
    logging::start(line.common.loglevel, news, &screen);
    logging::tell_panics(&screen);
    let code = run(&line, &screen).unwrap_or_else(|error| {
        if report::is_read_no_further(&error) {
            return ExitCode::SUCCESS;
        }
        screen.say(&error.context("carousel"));
        ExitCode::from(BAD_USAGE)
    });
    screen.finish();
    code
}

/// Tells what is wrong with a command line, which repeats parts of it; help and the version are no errors.
fn refuse(error: &clap::Error, screen: &Screen) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let flag =
        arguments.iter().zip(arguments.iter().skip(1)).find_map(|(flag, key)| (flag == "--api-key").then_some(key.as_str()));
    let flag = flag.or(arguments.iter().find_map(|argument| argument.strip_prefix("--api-key=")));
    logging::hide_keys(&api_key::known(&Common { api_key: flag.map(Secret::from), ..Common::default() }));
    screen.say(error.render().to_string().trim_end().lines().map(str::to_owned).collect::<Vec<_>>());
    ExitCode::from(BAD_USAGE)
}

fn run(line: &CommandLine, screen: &Screen) -> anyhow::Result<ExitCode> {
    match &line.command {
        Command::Crawl(_) | Command::Simulate(_) | Command::Demo(_) => {
            let runtime = runtime(tokio::runtime::Builder::new_multi_thread())?;
            let result = runtime.block_on(run_async(line, screen));
            // What is still under way was given up by its owner; nothing is worth waiting for.
            runtime.shutdown_background();
            result
        }
        Command::Plugin(Plugin::New(args)) => plugin::new::new(args, screen),
        Command::Plugin(Plugin::Build(args)) => plugin::build::build(args, &line.common, screen),
        Command::Plugin(Plugin::Check(args)) => plugin::check::check(args, &line.common, screen),
        Command::Plugin(Plugin::List(args)) => plugin::list::list(args, &line.common, screen),
        Command::Plugin(Plugin::Explain(args)) => plugin::explain::explain(args, &line.common, screen),
        Command::Plugin(Plugin::Run(args)) => plugin::run::run(args, &line.common, screen),
        Command::Plugin(Plugin::Test(args)) => plugin::test::test(args, &line.common, screen),
        Command::Plugin(Plugin::Bench(args)) => plugin::bench::bench(args, &line.common, screen),
    }
}

/// Makes a runtime, which opens files of its own and panics, rather than fails, where it may not open enough of them.
pub(crate) fn runtime(mut builder: tokio::runtime::Builder) -> anyhow::Result<tokio::runtime::Runtime> {
    let probe: std::io::Result<Vec<_>> = (0..PIPES_OF_A_RUNTIME).map(|_| std::io::pipe()).collect();
    drop(probe.context("cannot start: too few files may be open; raise the limit (ulimit -n)")?);
    builder.enable_all().build().context("cannot start threads")
}

async fn run_async(line: &CommandLine, screen: &Screen) -> anyhow::Result<ExitCode> {
    match &line.command {
        Command::Crawl(args) => Ok(crawl::crawl(args, &line.common, screen).await?.exit_code()),
        Command::Simulate(args) => simulate::simulate(args, &line.common, screen).await,
        Command::Demo(args) => demo::demo(args, &line.common, screen).await,
        Command::Plugin(_) => Ok(ExitCode::SUCCESS),
    }
}
