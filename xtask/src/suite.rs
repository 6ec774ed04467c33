//! `cargo xtask test`: everything a change must pass, the quick steps first, one compilation of the
//! tensors a target and purpose: native checked, native built, wasm built.

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
use crate::project::{
    NATIVE, browser, cargo, ensure_wasm_target, root, run, step, target_dir, tests,
};
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

/// The page's logic and all up to the tensors, in the profile of the build that follows, so that both share their build scripts and
/// procedural macros. The engine's own files for the browser are three, and checking burn and wgpu once more for those would
/// take as long as everything else that is linted.
const WASM_CLIPPY: &str = "clippy --locked --profile web --target wasm32-unknown-unknown --package retune \
     --no-default-features --features ui,data --lib --bin page -- -D warnings";

/// Programs that show how the library is used; they must run.
const EXAMPLES: [&str; 3] = ["classify", "finetune", "custom_head"];

/// The ignored tests that a software Vulkan driver is enough for; that is installed with the browser. Each
/// opens a device of its own, so those of a file run at the same time.
const WEBGPU: [(&str, &str); 7] = [
    ("a network", "--test reference -- --ignored --exact webgpu"),
    ("convolutions", "--test kernels -- --ignored"),
    (
        "norms, pools and what stands between",
        "--test kernels_layers -- --ignored",
    ),
    ("the other kernels", "--test kernels_small -- --ignored"),
    ("as on hardware", "--test hardware -- --ignored --nocapture"),
    (
        "grouped convolutions",
        "--test kernels_grouped -- --ignored",
    ),
    ("the optimizer", "--test optimizer -- --ignored"),
];

/// What AMD's compiler makes of the kernels; Mesa's drivers, installed with the browser, have it.
const COMPILED: &str = "--test compiled -- --ignored --exact compiled --nocapture";

/// What writes networks of most families as ONNX, to `target/onnx-parity`, with what they compute here.
const PARITY: &str = "--test onnx_parity -- --ignored --exact smaller";

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
    step("format", || run(&mut cargo(["fmt", "--all", "--check"])))?;
    step("clippy, native", || {
        let mut clippy = cargo(["clippy", "--all-targets"]);
        run(clippy.args(NATIVE).args(["--", "-D", "warnings"]))
    })?;
    step("clippy, page", || {
        run(&mut cargo(WASM_CLIPPY.split_whitespace()))
    })?;
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

/// What runs natively: tests, examples, documentation, in which a link to nowhere is an error as every other warning.
fn native(options: &Options) -> Result<()> {
    step("tests", || tests(""))?;
    // The tests' build made them.
    let examples = target_dir().join("release/examples");
    for name in EXAMPLES {
        step(&format!("example, {name}"), || {
            run(Command::new(examples.join(name)).current_dir(root()))
        })?;
    }
    if !options.skip_onnxruntime {
        step("tests, onnxruntime", onnxruntime)?;
    }
    step("documentation", || {
        let mut doc = cargo(["doc", "--no-deps"]);
        run(doc.args(NATIVE).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    if !options.skip_browser {
        step("tests, kernels by AMD's compiler", || tests(COMPILED))?;
        for (name, words) in WEBGPU {
            step(&format!("tests, WebGPU natively: {name}"), || tests(words))?;
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
    tests(PARITY)?;
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
