//! dist/: page and worker as wasm with their JavaScript glue, and the static files. Every address in it
//! is relative, so that it works from any sub-path of any static host.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use wasm_bindgen_cli_support::Bindgen;

use crate::compress::{BEST, QUICK, Size, compress_all};
use crate::optimize::{self, Goal};
use crate::plain_simd;
use crate::precache;
use crate::project::{WASM, cargo, ensure_wasm_target, root, run, step, target_dir};
use crate::shared_memory;
use crate::style;

/// Cargo's profile for the wasm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// What a visitor downloads.
    Web,
    /// Quick to rebuild, larger and slower.
    WebDev,
}

impl Profile {
    const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::WebDev => "web-dev",
        }
    }

    /// How hard to compress what this profile makes, when it is not for this machine alone.
    pub const fn quality(self) -> i32 {
        match self {
            Self::Web => BEST,
            Self::WebDev => QUICK,
        }
    }
}

/// `cargo xtask build`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Cargo profile of the wasm.
    #[arg(long, value_enum, default_value = "web")]
    pub profile: Profile,
    /// Where to put the page.
    #[arg(long, default_value = "dist")]
    pub out: PathBuf,
    /// What wasm-opt makes of the worker, where wasm-opt is installed.
    #[arg(long, value_enum, default_value = "speed")]
    pub engine_goal: Goal,
}

/// The two programs: name of the cargo binary, its feature.
const PROGRAMS: [(&str, &str); 2] = [("page", "ui"), ("engine", "engine")];

/// What starts the page. Awaited, so that a module that cannot be loaded is the script's own error.
const BOOT: &str = "import init from \"./page.js\";\nawait init();\n";

/// What a worker runs that is a thread of the engine's pool: src/platform/web/threads.rs starts it and sends module and
/// memory.
const THREAD: &str = include_str!("thread.js");

/// What the engine's worker runs: it loads one module or the other.
const WORKER: &str = include_str!("worker.js");

/// What a build made.
#[derive(Debug)]
pub struct Built {
    /// The folder.
    pub dist: PathBuf,
    /// Its compressed files.
    pub sizes: Vec<Size>,
}

/// Builds dist/, compressed with this quality of brotli.
///
/// # Errors
/// If a tool is missing, something does not compile, or the folder cannot be written.
pub fn build(options: &Options, quality: i32) -> Result<Built> {
    // From where xtask was started, as any path on a command line; cargo keeps that folder for us.
    let out = std::env::current_dir()?.join(&options.out);
    check_bindgen_version(&fs::read_to_string(root().join("Cargo.lock"))?)?;
    ensure_wasm_target()?;
    shared_memory::ensure_source()?;
    for (bin, feature) in PROGRAMS {
        step(&format!("compile {bin}"), || {
            compile(bin, feature, options.profile)
        })?;
    }
    clear(&out)?;
    for (bin, _) in PROGRAMS {
        step(&format!("bind {bin}"), || bind(bin, options.profile, &out))?;
    }
    fs::write(out.join("boot.js"), BOOT)?;
    fs::write(out.join("thread.js"), THREAD)?;
    let engine = fs::read(out.join("engine_bg.wasm"))?;
    let constants = plain_simd::test() + &shared_memory::least_pages(&engine)?;
    fs::write(out.join("worker.js"), constants + WORKER)?;
    // Without LTO the module is a draft; optimising it would take longer than compiling it did.
    if options.profile == Profile::Web {
        match optimize::find() {
            None => println!("wasm-opt not found: skipped (a few per cent larger)"),
            Some(tool) => {
                for (bin, goal) in [("page", Goal::Size), ("engine", options.engine_goal)] {
                    step(&format!("wasm-opt {bin}"), || {
                        optimize::optimize(&tool, &out.join(format!("{bin}_bg.wasm")), goal)
                    })?;
                }
            }
        }
    }
    step("engine without relaxed SIMD", || plain_simd::write(&out))?;
    fs::copy(root().join("index.html"), out.join("index.html"))
        .context("cannot copy index.html")?;
    copy_tree(&root().join("www"), &out)?;
    // The page asks for one sheet, and its parts are of no use to it.
    let parts = out.join("style");
    fs::write(out.join("style.css"), style::sheet(&parts)?).context("cannot write style.css")?;
    fs::remove_dir_all(&parts).with_context(|| format!("cannot remove {}", parts.display()))?;
    precache::write(&out, &files(&out)?)?;
    let sizes = step("compress", || compress_all(&files(&out)?, quality))?;
    print_sizes(&sizes);
    Ok(Built { dist: out, sizes })
}

fn compile(bin: &str, feature: &str, profile: Profile) -> Result<()> {
    let mut build = cargo([
        "build",
        "--locked",
        "--package",
        "retune",
        "--target",
        WASM,
        "--profile",
        profile.name(),
        "--no-default-features",
        "--features",
        feature,
        "--bin",
        bin,
    ]);
    // The page has one thread, and nothing between profiles but LTO mends what `shared_memory` does to wgpu.
    if bin == "engine" && profile == Profile::Web {
        shared_memory::enable(&mut build)?;
    }
    run(&mut build)
}

fn bind(bin: &str, profile: Profile, out: &Path) -> Result<()> {
    let wasm = target_dir()
        .join(WASM)
        .join(profile.name())
        .join(format!("{bin}.wasm"));
    Bindgen::new()
        .input_path(wasm)
        .out_name(bin)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .remove_name_section(profile == Profile::Web)
        .remove_producers_section(true)
        .generate(out)
        .map_err(|e| anyhow!("wasm-bindgen: {e:#}"))
}

/// The library that writes the glue must be of the very version the wasm was compiled with.
fn check_bindgen_version(lock: &str) -> Result<()> {
    let of = |package: &str| {
        let (_, rest) = lock
            .split_once(&format!("name = \"{package}\"\n"))
            .with_context(|| format!("{package} is not in Cargo.lock"))?;
        let version = rest.lines().next().unwrap_or_default();
        Ok::<_, anyhow::Error>(
            version
                .trim_start_matches("version = ")
                .trim_matches('"')
                .to_owned(),
        )
    };
    let (crate_version, tool_version) = (of("wasm-bindgen")?, of("wasm-bindgen-cli-support")?);
    if crate_version != tool_version {
        bail!(
            "Cargo.lock has wasm-bindgen {crate_version}, but xtask/Cargo.toml asks for \
             wasm-bindgen-cli-support {tool_version}; make them equal"
        );
    }
    Ok(())
}

/// Empties the folder, but only one that this command made.
fn clear(out: &Path) -> Result<()> {
    if out.exists() {
        let empty = fs::read_dir(out)?.next().is_none();
        if !empty && !out.join("boot.js").exists() {
            bail!(
                "{} holds something else; empty it or choose another --out",
                out.display()
            );
        }
        fs::remove_dir_all(out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}

/// All files in a folder and below.
///
/// # Errors
/// If a folder cannot be read.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn print_sizes(sizes: &[Size]) {
    println!("{:<28}{:>12}{:>12}", "bytes", "raw", "brotli");
    for size in sizes {
        println!("{:<28}{:>12}{:>12}", size.name, size.raw, size.brotli);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(a: &str, b: &str) -> String {
        format!(
            "[[package]]\nname = \"wasm-bindgen\"\nversion = \"{a}\"\n\n\
             [[package]]\nname = \"wasm-bindgen-cli-support\"\nversion = \"{b}\"\n"
        )
    }

    #[test]
    fn bindgen_versions_must_be_equal() {
        check_bindgen_version(&lock("0.2.130", "0.2.130")).unwrap();
        let error = check_bindgen_version(&lock("0.2.131", "0.2.130"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("0.2.131") && error.contains("0.2.130"),
            "{error}"
        );
        assert!(check_bindgen_version("").is_err());
    }

    #[test]
    fn the_worker_uses_what_is_written_above_it() {
        for constant in [plain_simd::HAS_RELAXED_SIMD, shared_memory::LEAST_PAGES] {
            assert!(WORKER.contains(constant), "{constant}");
            assert!(
                !WORKER.contains(&format!("const {constant} ")),
                "{constant}"
            );
        }
    }

    #[test]
    fn a_folder_of_somebody_else_is_not_emptied() {
        let dir = std::env::temp_dir().join(format!("retune-clear-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("thesis.txt"), "years of work").unwrap();
        let refused = clear(&dir).is_err();
        let kept = dir.join("thesis.txt").exists();
        fs::write(dir.join("boot.js"), "").unwrap();
        let cleared = clear(&dir);
        let empty = fs::read_dir(&dir).unwrap().next().is_none();
        fs::remove_dir_all(&dir).unwrap();
        assert!(refused && kept);
        cleared.unwrap();
        assert!(empty);
    }
}
