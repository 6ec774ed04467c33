//! `cargo xtask`: build the page, serve it, test everything, measure it. The project's only build
//! script, so that whoever clones it needs rustup and nothing else.

mod build;
mod compress;
mod optimize;
mod project;
mod serve;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

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
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::Build(options) => build::build(&options, compress::BEST).map(|_: PathBuf| ()),
        Task::Serve(options) => serve::serve(&options),
    }
}
