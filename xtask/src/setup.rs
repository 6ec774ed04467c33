//! The programs the browser tests need: fetched where apt is there, named where it is not.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::project::{run, which};

type Probe = fn() -> bool;

/// Debian's package, and whether what it brings is there already.
const NEEDED: [(&str, Probe); 4] = [
    ("chromium", || chromium().is_some()),
    ("chromium-driver", || which("chromedriver").is_some()),
    ("libvulkan1", || library("libvulkan.so.1")),
    ("mesa-vulkan-drivers", || {
        Path::new("/usr/share/vulkan/icd.d")
            .read_dir()
            .is_ok_and(|mut d| d.next().is_some())
    }),
];

/// The browser's program: `CHROMIUM`, else the first of its usual names on `PATH`.
pub fn chromium() -> Option<std::path::PathBuf> {
    match std::env::var_os("CHROMIUM") {
        Some(path) => Some(path.into()),
        None => ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find_map(which),
    }
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

/// Makes sure that Chromium, its driver and a software Vulkan are installed.
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
    let what = missing.join(", ");
    if which("apt-get").is_none() {
        bail!(
            "missing for the browser tests (Debian's names): {what}. Install Chromium or Chrome, the \
             chromedriver of the same version and Mesa's Vulkan drivers, or leave them out with --skip-browser"
        );
    }
    println!("installing {what}");
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
    install.extend(missing);
    apt(&install)
}
