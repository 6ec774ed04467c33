//! The programs that the tests need beside Rust: fetched where apt is there, named where it is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::project::{cargo, run, target_dir, which};

type Probe = fn() -> bool;

/// Debian's package, and whether what it brings is there already.
const NEEDED: [(&str, Probe); 5] = [
    ("curl", || which("curl").is_some()),
    ("chromium", || chromium().is_some()),
    ("chromium-driver", || which("chromedriver").is_some()),
    ("libvulkan1", || library("libvulkan.so.1")),
    ("mesa-vulkan-drivers", || {
        // AMD's, for what its compiler makes of the kernels; the software driver comes with it.
        let drivers = Path::new("/usr/share/vulkan/icd.d").read_dir();
        let mut drivers = drivers.into_iter().flatten().flatten();
        drivers.any(|driver| {
            driver
                .file_name()
                .to_string_lossy()
                .starts_with("radeon_icd")
        })
    }),
];

/// The browser's program: `CHROMIUM`, else the first of its usual names on `PATH`.
pub fn chromium() -> Option<PathBuf> {
    match std::env::var_os("CHROMIUM") {
        Some(path) => Some(path.into()),
        None => ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find_map(which),
    }
}

/// Firefox's program: `FIREFOX`, else the first of its usual names on `PATH`.
pub fn firefox() -> Option<PathBuf> {
    match std::env::var_os("FIREFOX") {
        Some(path) => Some(path.into()),
        None => ["firefox-esr", "firefox"].into_iter().find_map(which),
    }
}

/// The version of [`geckodriver`], which is not among Debian's packages, so it is compiled.
const GECKODRIVER: &str = "0.37.1";

/// Firefox's driver: the one on `PATH`, else the one that [`firefox_and_driver`] put below the target folder.
pub fn geckodriver() -> Option<PathBuf> {
    which("geckodriver").or_else(|| {
        let ours = target_dir().join("geckodriver/bin/geckodriver");
        ours.is_file().then_some(ours)
    })
}

fn library(name: &str) -> bool {
    [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
    ]
    .iter()
    .any(|dir| Path::new(dir).join(name).exists())
}

/// Makes sure that Chromium, its driver, a software Vulkan and what fetches packages are installed.
///
/// # Errors
/// If something is missing and cannot be installed; the text says what.
pub fn browser() -> Result<()> {
    let missing: Vec<_> = NEEDED
        .iter()
        .filter(|(_, is_there)| !is_there())
        .map(|(p, _)| *p)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt(
        &missing,
        "Chromium or Chrome, the chromedriver of the same version and Mesa's Vulkan drivers",
    )
}

/// Makes sure that Firefox and its driver are installed; to compile the driver takes some minutes.
///
/// # Errors
/// If one is missing and cannot be installed.
pub fn firefox_and_driver() -> Result<()> {
    if firefox().is_none() {
        apt(&["firefox-esr"], "Firefox")?;
    }
    if geckodriver().is_some() {
        return Ok(());
    }
    let folder = target_dir().join("geckodriver");
    let args = [
        "install",
        "geckodriver",
        "--locked",
        "--version",
        GECKODRIVER,
    ];
    run(cargo(args)
        .arg("--root")
        .arg(&folder)
        .arg("--target-dir")
        .arg(folder.join("target")))
}

/// Installs Debian's packages; `what` says to those who have no apt what they are to install.
fn apt(packages: &[&str], what: &str) -> Result<()> {
    let names = packages.join(", ");
    if which("apt-get").is_none() {
        bail!(
            "missing for these tests (Debian's names): {names}. Install {what}, or leave them out: \
             `cargo xtask test --help` says how"
        );
    }
    println!("installing {names}");
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|o| o.stdout.starts_with(b"0\n"));
    let apt = |args: &[&str]| {
        let mut command = if root {
            Command::new("apt-get")
        } else {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "apt-get"]); // never waits for a password
            sudo
        };
        run(command.env("DEBIAN_FRONTEND", "noninteractive").args(args))
    };
    apt(&["update", "-q"])?;
    let mut install = vec!["install", "-q", "-y", "--no-install-recommends"];
    install.extend(packages);
    apt(&install)
}

/// A Python with these requirements in an environment of its own below the target folder.
///
/// # Errors
/// If there is no Python, or the packages cannot be had.
pub fn python(requirements: &Path) -> Result<PathBuf> {
    let environment = target_dir().join("python");
    let python = environment.join("bin/python");
    let listed = environment.join("requirements.txt");
    let wanted = fs::read(requirements)?;
    // Copied last: without it the installation was cut off.
    if fs::read(&listed).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let venv = |program: &str| {
        let mut command = Command::new(program);
        command.args(["-m", "venv", "--clear"]).arg(&environment);
        command.output().is_ok_and(|o| o.status.success())
    };
    if !venv("python3") {
        apt(&["python3-venv"], "Python 3 with its module venv")?;
        if !venv("python3") {
            bail!("`python3 -m venv {}` fails", environment.display());
        }
    }
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ];
    run(Command::new(&python).args(install).arg(requirements))?;
    fs::write(listed, wanted)?;
    Ok(python)
}
