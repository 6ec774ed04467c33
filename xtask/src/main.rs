//! `cargo xtask`: build the page, serve it, test everything, measure it. The project's only build
//! script, so that whoever clones it needs rustup and nothing else.

use std::ffi::OsString;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::{build, gpu, project, serve, setup, shared_memory, suite};

#[derive(Parser)]
#[command(name = "cargo xtask", about, version)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build dist/, which any static host serves from any sub-path.
    Build(build::Options),
    /// Build, then serve on http://localhost.
    Serve(serve::Options),
    /// Format, clippy, tests, sizes, and the page in a real Chromium.
    Test(suite::Options),
    /// Only the page in a real Chromium, from a dist/ that is already built.
    #[command(disable_help_flag = true)]
    E2e(Passed),
    /// Times and sizes, measured in Chromium; with `gpu` as the first word, speed natively on a GPU, beside
    /// burn's own ops and PyTorch.
    #[command(disable_help_flag = true)]
    Bench(Passed),
}

/// What the program that drives the browser understands; see it with `--help`.
#[derive(clap::Args)]
struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

fn main() -> Result<()> {
    if shared_memory::is_wrapper() {
        return shared_memory::rustc();
    }
    match Cli::parse().task {
        Task::Build(options) => build::build(&options, options.profile.quality()).map(drop),
        Task::Serve(options) => serve::serve(&options),
        Task::Test(options) => suite::test(&options),
        Task::E2e(Passed { args }) => {
            setup::browser()?;
            project::browser("e2e", &args)
        }
        Task::Bench(Passed { args }) if args.first().is_some_and(|word| word == "gpu") => {
            gpu::bench(&gpu::Options::parse_from(args))
        }
        Task::Bench(Passed { args }) => {
            setup::browser()?;
            project::browser("bench", &args)
        }
    }
}
