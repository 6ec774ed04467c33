//! `cargo xtask test`: everything a change must pass, the quick steps first, one compilation of the
//! tensors a target and purpose: native checked, native built, wasm checked, wasm built.

use std::ffi::OsStr;
use std::panic::resume_unwind;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;

use crate::build::{self, Profile};
use crate::compress;
use crate::optimize::Goal;
use crate::project::{browser, cargo, ensure_wasm_target, root, run, step};
use crate::setup;

/// `cargo xtask test`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Leave out what needs Chromium.
    #[arg(long)]
    skip_browser: bool,
    /// Test the page in Firefox too; its driver is compiled for that, some minutes the first time.
    #[arg(long, conflicts_with = "skip_browser")]
    firefox: bool,
    /// Leave out what needs onnxruntime, which comes from PyPI and npm.
    #[arg(long)]
    skip_onnxruntime: bool,
}

/// Largest wasm a visitor may have to download, in bytes of brotli.
const BARS: [(&str, u64); 3] = [
    ("page_bg.wasm", 400_000),
    ("engine_bg.wasm", 3_500_000),
    ("engine_plain_bg.wasm", 3_500_000),
];

/// What is looked at before anything is compiled for good. Clippy runs in the profile of the build that follows it, so that
/// both share their build scripts and procedural macros. Every feature at once natively, as no other step lints the tests
/// of the page's logic.
const CHECKS: [(&str, &str); 4] = [
    ("format", "fmt --all --check"),
    (
        "clippy, native",
        "clippy --locked --release --workspace --all-targets --features retune/ui,xtask/browser -- -D warnings",
    ),
    (
        "clippy, page",
        "clippy --locked --profile web --target wasm32-unknown-unknown --package retune \
         --no-default-features --features ui --bin page -- -D warnings",
    ),
    (
        "clippy, engine",
        "clippy --locked --profile web --target wasm32-unknown-unknown --package retune \
         --no-default-features --features engine --bin engine -- -D warnings",
    ),
];

/// Cargo's command lines for what runs natively, in order.
const NATIVE: [(&str, &str); 6] = [
    (
        "tests, build script",
        "test --locked --release --package xtask --features browser",
    ),
    (
        "tests, page's logic",
        "test --locked --release --package retune --no-default-features --features ui --lib",
    ),
    (
        "tests, library and command line",
        "test --locked --release --package retune",
    ),
    (
        "example, classify",
        "run --locked --release --package retune --example classify",
    ),
    (
        "example, finetune",
        "run --locked --release --package retune --example finetune",
    ),
    (
        "example, custom head",
        "run --locked --release --package retune --example custom_head",
    ),
];

/// The documentation, in which a link to nowhere is an error as every other warning. With clippy's features, so that
/// what it checked of the dependencies is used again.
const DOCUMENTATION: &str =
    "doc --locked --release --no-deps --workspace --features retune/ui,xtask/browser";

/// The ignored tests that a software Vulkan driver is enough for; that is installed with the browser. Each
/// opens a device of its own, so those of a file run at the same time.
const WEBGPU: [(&str, &str); 7] = [
    (
        "tests, WebGPU natively: a network",
        "test --locked --release --package retune --test reference -- --ignored --exact webgpu",
    ),
    (
        "tests, WebGPU natively: convolutions",
        "test --locked --release --package retune --test kernels -- --ignored",
    ),
    (
        "tests, WebGPU natively: norms, pools and what stands between",
        "test --locked --release --package retune --test kernels_layers -- --ignored",
    ),
    (
        "tests, WebGPU natively: the other kernels",
        "test --locked --release --package retune --test kernels_small -- --ignored",
    ),
    (
        "tests, WebGPU natively: as on hardware",
        "test --locked --release --package retune --test hardware -- --ignored --nocapture",
    ),
    (
        "tests, WebGPU natively: grouped convolutions",
        "test --locked --release --package retune --test kernels_grouped -- --ignored",
    ),
    (
        "tests, WebGPU natively: the optimizer",
        "test --locked --release --package retune --test optimizer -- --ignored",
    ),
];

/// What AMD's compiler makes of the kernels; Mesa's drivers, installed with the browser, have it.
const COMPILED: (&str, &str) = (
    "tests, kernels by AMD's compiler",
    "test --locked --release --package retune --test compiled -- --ignored --exact compiled --nocapture",
);

/// What writes networks of every family as ONNX, to `target/onnx-parity`, with what they compute here.
const PARITY: &str = "test --locked --release --package retune --test onnx_parity -- --ignored";

/// Runs it all and stops at the first failure. The page is built and tested while the native tests run: both have long
/// stretches that keep one core busy.
///
/// # Errors
/// The failed step's.
pub fn test(options: &Options) -> Result<()> {
    let start = Instant::now();
    step("toolchain", ensure_wasm_target)?;
    if !options.skip_browser {
        step("browser", setup::browser)?;
    }
    if options.firefox {
        step("Firefox", setup::firefox_and_driver)?;
    }
    for (name, line) in CHECKS {
        step(name, || run(&mut cargo(line.split_whitespace())))?;
    }
    let build_options = build::Options {
        profile: Profile::Web,
        out: root().join("dist"),
        engine_goal: Goal::Speed,
    };
    let failed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let page = scope.spawn(|| page(options, &build_options, &failed));
        let tested = native(options);
        if tested.is_err() {
            failed.store(true, Ordering::Relaxed);
            println!("==> failed; what the page is at comes to its end first");
        }
        let page = page.join().unwrap_or_else(|panic| resume_unwind(panic));
        tested.and(page)
    })?;
    println!("==> all passed in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Builds the page, then tests it in Chromium unless something else has `failed`.
fn page(options: &Options, build: &build::Options, failed: &AtomicBool) -> Result<()> {
    let built = build::build(build, build.profile.quality())?;
    step("sizes", || check_sizes(&built.sizes))?;
    if options.skip_browser || failed.load(Ordering::Relaxed) {
        return Ok(());
    }
    step("end to end, in Chromium", || {
        let mut args = vec![OsStr::new("--dist"), built.dist.as_os_str()];
        if options.skip_onnxruntime {
            args.extend(["--except", "onnx"].map(OsStr::new));
        }
        browser("e2e", &args)
    })
}

/// What runs natively: tests, examples, documentation.
fn native(options: &Options) -> Result<()> {
    for (name, line) in NATIVE {
        step(name, || run(&mut cargo(line.split_whitespace())))?;
    }
    if !options.skip_onnxruntime {
        step("tests, onnxruntime", onnxruntime)?;
    }
    step("documentation", || {
        let mut doc = cargo(DOCUMENTATION.split_whitespace());
        run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    if !options.skip_browser {
        for (name, line) in [&[COMPILED], &WEBGPU[..]].concat() {
            step(name, || run(&mut cargo(line.split_whitespace())))?;
        }
    }
    Ok(())
}

/// Exported networks give the same probabilities in onnxruntime.
fn onnxruntime() -> Result<()> {
    let fixtures = root().join("tests/fixtures/onnx");
    let python = match setup::python(&fixtures.join("requirements.txt")) {
        Ok(python) => python,
        Err(error) => {
            // Without a network all else can still be tested.
            println!("==> NOT RUN, as onnxruntime is not to be had: {error:#}");
            return Ok(());
        }
    };
    run(&mut cargo(PARITY.split_whitespace()))?;
    let written = root().join("target/onnx-parity");
    run(Command::new(python)
        .arg(fixtures.join("check.py"))
        .arg("parity")
        .arg(&written))?;
    // They are large.
    std::fs::remove_dir_all(written)?;
    Ok(())
}

fn check_sizes(sizes: &[compress::Size]) -> Result<()> {
    for (name, bar) in BARS {
        match sizes.iter().find(|s| s.name == name) {
            None => bail!("{name} is not in dist/"),
            Some(size) if size.brotli > bar => {
                bail!(
                    "{name} is {} bytes compressed, more than {bar}",
                    size.brotli
                )
            }
            Some(size) => println!("{name}: {} of at most {bar} bytes", size.brotli),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_over_its_bar_fails() {
        let size = |name: &str, brotli| compress::Size {
            name: name.to_owned(),
            raw: 0,
            brotli,
        };
        let page = size("page_bg.wasm", 400_000);
        let plain = size("engine_plain_bg.wasm", 3_500_000);
        let of =
            |engine| check_sizes(&[page.clone(), plain.clone(), size("engine_bg.wasm", engine)]);
        of(3_500_000).unwrap();
        assert!(of(3_500_001).is_err());
        assert!(check_sizes(&[page, plain]).is_err());
    }
}
