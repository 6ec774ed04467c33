//! `wasm-opt`, where it is installed: a few per cent smaller and faster. The page works without it, so
//! a missing one is said and skipped, never fetched.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use crate::project::{root, run, which};

/// What to optimise for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Goal {
    /// `-Os`.
    Size,
    /// `-O3`.
    Speed,
}

/// What rustc's modules may use: its default features for the target plus `simd128` of
/// `.cargo/config.toml` and the relaxed SIMD of the CPU's kernels. Named one by one: with `--all-features`, wasm-opt emits what no browser reads.
const FEATURES: [&str; 9] = [
    "--enable-simd",
    "--enable-relaxed-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-threads",
];

/// `RETUNE_WASM_OPT`, else the one on `PATH`, else the one npm put beside the project.
pub fn find() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("RETUNE_WASM_OPT") {
        return Some(path.into());
    }
    which("wasm-opt").or_else(|| {
        let local = root().join("node_modules/.bin/wasm-opt");
        local.is_file().then_some(local)
    })
}

/// Rewrites a module in place.
///
/// # Errors
/// If wasm-opt refuses it.
pub fn optimize(tool: &Path, wasm: &Path, goal: Goal) -> Result<()> {
    let level = match goal {
        Goal::Size => "-Os",
        Goal::Speed => "-O3",
    };
    run(Command::new(tool)
        .args(FEATURES)
        .arg(level)
        .arg(wasm)
        .arg("-o")
        .arg(wasm))
}
