//! onnxruntime-web, for a test of what is exported: npm's package, in the version that the bench of the peers has.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha512};
use xtask::project::{root, run, step, target_dir};

const PACKAGE: &str = "onnxruntime-web";

/// What lists it, with the digest of its archive.
const LOCK: &str = "benches/peers/package-lock.json";

/// The folder of its scripts, fetched from npm's registry where it is not there yet.
///
/// # Errors
/// If it cannot be fetched, or is not what the lock file says.
pub fn onnxruntime_web() -> Result<PathBuf> {
    let lock: Value = serde_json::from_slice(&std::fs::read(root().join(LOCK))?)?;
    let entry = &lock["packages"][format!("node_modules/{PACKAGE}")];
    let text = |name: &str| {
        let value = entry[name].as_str();
        value.with_context(|| format!("{LOCK} does not say the {name} of {PACKAGE}"))
    };
    let version = text("version")?;
    let folder = target_dir().join(format!("{PACKAGE}-{version}"));
    let scripts = folder.join("package/dist");
    if scripts.is_dir() {
        return Ok(scripts);
    }
    let digest = text("integrity")?.strip_prefix("sha512-");
    let digest = digest.with_context(|| format!("{LOCK} has no SHA-512 of {PACKAGE}"))?;
    step(&format!("fetch {PACKAGE} {version}"), || {
        let url = format!("https://registry.npmjs.org/{PACKAGE}/-/{PACKAGE}-{version}.tgz");
        let scratch = tempfile::tempdir_in(target_dir())?;
        let archive = scratch.path().join("package.tgz");
        let options = [
            "--fail",
            "--silent",
            "--show-error",
            "--location",
            "--retry",
            "3",
        ];
        run(Command::new("curl")
            .args(options)
            .arg("--output")
            .arg(&archive)
            .arg(&url))?;
        let found = BASE64_STANDARD.encode(Sha512::digest(std::fs::read(&archive)?));
        ensure!(found == digest, "{url} has SHA-512 {found}, not {digest}");
        let unpacked = scratch.path().join("unpacked");
        std::fs::create_dir(&unpacked)?;
        run(Command::new("tar")
            .arg("-xzf")
            .arg(&archive)
            .arg("-C")
            .arg(&unpacked))?;
        // Whole or not at all: a folder that is there is taken for complete.
        std::fs::rename(&unpacked, &folder)?;
        Ok(())
    })?;
    if !scripts.is_dir() {
        bail!("{PACKAGE} {version} has no package/dist");
    }
    Ok(scripts)
}
