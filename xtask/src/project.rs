//! Where things lie and how commands are run: every step goes through here, so that each one is
//! announced, started in the repository's root and fails with the line to repeat it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The target the page and the worker are compiled for.
pub const WASM: &str = "wasm32-unknown-unknown";

/// The repository's root, wherever xtask was started from.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the repository's root")
}

/// Cargo's target folder, `CARGO_TARGET_DIR` respected.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A `cargo` of the pinned toolchain, in the root.
pub fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(args);
    // What `cargo run` set for xtask itself would look like a change to build scripts that read it.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// Runs a command with its output visible.
///
/// # Errors
/// If it cannot be started or exits with anything but 0.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("failed ({status}): {}", line(command));
    }
    Ok(())
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|a| {
        let a = a.to_string_lossy();
        if a.contains(' ') {
            format!("'{a}'")
        } else {
            a.into_owned()
        }
    }));
    words.join(" ")
}

/// Announces a step, runs it and says how long it took.
///
/// # Errors
/// The step's own, with its name.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {name}");
    let start = Instant::now();
    let result = work().with_context(|| format!("step \"{name}\""))?;
    println!("==> {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(result)
}

/// The program's path, if it is on `PATH`.
pub fn which(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

/// Makes sure that Rust can compile for the browser.
///
/// # Errors
/// If the target is missing and there is no rustup to fetch it.
pub fn ensure_wasm_target() -> Result<()> {
    let place = format!("lib/rustlib/{WASM}/lib");
    ensure_installed(
        &format!("Rust's target {WASM}"),
        &place,
        ["target", "add", WASM],
    )
}

/// Makes sure that a part of the pinned toolchain is there: `what` lies in the folder `place` below its root, and
/// rustup with these arguments fetches it.
///
/// # Errors
/// If it is missing and there is no rustup.
pub fn ensure_installed(what: &str, place: &str, rustup: [&str; 3]) -> Result<()> {
    let sysroot = Command::new("rustc")
        .current_dir(root())
        .args(["--print", "sysroot"])
        .output()
        .context("cannot start rustc")?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    if sysroot.join(place).is_dir() {
        return Ok(());
    }
    if which("rustup").is_none() {
        bail!(
            "{what} is missing and rustup is not there to fetch it; install rustup (https://rustup.rs)"
        );
    }
    run(Command::new("rustup").current_dir(root()).args(rustup))
}

/// What cargo is told of everything that runs here, be it tested, linted or started: other features, or one package alone, would have
/// the packages they share compiled once more.
pub const NATIVE: [&str; 5] = [
    "--locked",
    "--release",
    "--workspace",
    "--features",
    "retune/ui,xtask/browser",
];

/// Runs the tests of the workspace that these words select: cargo's, then after `--` the harness's.
///
/// # Errors
/// If one does not compile or fails.
pub fn tests(words: &str) -> Result<()> {
    run(cargo(["test"]).args(NATIVE).args(words.split_whitespace()))
}

/// One of the workspace's programs, compiled first if it is not.
///
/// # Errors
/// If it does not compile.
pub fn program(name: &str) -> Result<PathBuf> {
    run(cargo(["build", "--bin", name]).args(NATIVE))?;
    Ok(target_dir().join("release").join(name))
}

/// Runs the program that drives Chromium; it is compiled when first needed.
///
/// # Errors
/// If it does not compile or fails.
pub fn browser<S: AsRef<OsStr>>(task: &str, args: &[S]) -> Result<()> {
    let mut command = Command::new(program("browser")?);
    run(command.current_dir(root()).arg(task).args(args))
}
