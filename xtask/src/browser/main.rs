//! What drives Chromium: the end-to-end tests and the bench. A program of its own, so that the way from
//! a clone to the page does not compile a WebDriver client.

mod bench;
mod driver;
mod e2e;
mod fixtures;
mod host;
mod page;
mod peer;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use xtask::project::root;

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// The page in a real Chromium.
    E2e(e2e::Options),
    /// Times and sizes, measured in Chromium on the CPU path.
    Bench(bench::Options),
}

#[tokio::main]
async fn main() -> Result<()> {
    let work = async {
        match Cli::parse().task {
            Task::E2e(options) => e2e::run(&options).await,
            Task::Bench(options) => bench::run(&options).await,
        }
    };
    // Leaving `work` unfinished drops what it holds: browsers, chromedriver, temporary folders.
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    }
}

/// dist/ in the root, where nothing else is said.
fn default_dist() -> PathBuf {
    root().join("dist")
}
