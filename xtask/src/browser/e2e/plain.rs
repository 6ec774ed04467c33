//! The engine without relaxed SIMD: loaded where the browser has none, nowhere else, and of the same opinion.
//!
//! Firefox can be told to have none, and then refuses the other engine. No such flag of Chromium was found (156), so it gets a
//! page that says so in its place, from a folder in which the other engine is not there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use xtask::setup;

use super::Scene;
use crate::driver::Driver;
use crate::fixtures;
use crate::page::Page;

/// The scripts that test for relaxed SIMD.
const SCRIPTS: [&str; 2] = ["worker.js", "service-worker.js"];
const RELAXED: &str = "/engine_bg.wasm";
const PLAIN: &str = "/engine_plain_bg.wasm";

/// Probabilities may be so far apart: the machine may round each product and not only the sum.
const TOLERANCE: f64 = 1e-5;

pub async fn plain(scene: &Scene<'_>) -> Result<()> {
    let (host, driver) = (scene.host, scene.driver);
    let browser = driver.open(&host.proxy).await?;
    let expected = classified(scene, browser, &host.url, RELAXED, PLAIN).await?;

    let folder = scene.files.path().join("plain");
    without_relaxed(scene.dist, &folder)?;
    let url = host.serve_page(&folder).await?;
    let browser = driver.open(&host.proxy).await?;
    let chromium = classified(scene, browser, &url, PLAIN, RELAXED).await?;

    let mut all = vec![("Chromium", chromium)];
    if setup::geckodriver().is_some() {
        let gecko = Driver::firefox().await?;
        let browser = gecko.open_firefox(&host.proxy, false).await?;
        let firefox = classified(scene, browser, &host.url, PLAIN, RELAXED).await?;
        all.push(("Firefox", firefox));
    }
    for (browser, found) in all {
        ensure!(found.len() == expected.len(), "{} values", found.len());
        let differences = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let largest = differences.fold(0.0, f64::max);
        println!("  {browser} without relaxed SIMD: at most {largest:.1e} apart");
        ensure!(
            found.iter().all(|p| p.is_finite()) && largest <= TOLERANCE,
            "{browser}: {found:?} without relaxed SIMD, {expected:?} with it"
        );
    }
    Ok(())
}

/// The probabilities of a photo, by a page that asked for one engine and not for the other.
async fn classified(
    scene: &Scene<'_>,
    browser: crate::driver::Browser,
    url: &str,
    loaded: &str,
    other: &str,
) -> Result<Vec<f64>> {
    let photos = fixtures::good_images(scene.files.path())?;
    let photo = photos.first().context("no photo was made")?;
    let mut values = Vec::new();
    scene.host.take_asked();
    scene
        .in_browser(browser, url, "?backend=cpu", async |page: &Page| {
            page.state("ready", 120).await?;
            page.put("image-input", std::slice::from_ref(photo)).await?;
            let seen = page.appears("prediction", 60).await?;
            let numbers = seen.get("data-probabilities").split(' ');
            values = numbers.map(str::parse).collect::<Result<_, _>>()?;
            Ok(())
        })
        .await?;
    let asked = scene.host.take_asked();
    let has = |name: &str| asked.iter().any(|path| path.ends_with(name));
    ensure!(has(loaded), "{loaded} was not asked for: {asked:?}");
    ensure!(!has(other), "{other} was asked for: {asked:?}");
    Ok(values)
}

/// The page's files but the engine with relaxed SIMD, and a worker that finds none.
fn without_relaxed(dist: &Path, folder: &Path) -> Result<()> {
    fs::create_dir(folder)?;
    for entry in fs::read_dir(dist)? {
        let (name, path) = entry.map(|e| (e.file_name(), e.path()))?;
        let text = name.to_string_lossy();
        if !text.starts_with(&RELAXED[1..])
            && !SCRIPTS.iter().any(|script| text.starts_with(script))
        {
            symlink(fs::canonicalize(path)?, folder.join(name))?;
        }
    }
    for name in SCRIPTS {
        let script = fs::read_to_string(dist.join(name))?;
        let none = "WebAssembly.validate = () => false;\n";
        // Imports come first wherever they stand, the rest in its order.
        fs::write(folder.join(name), format!("{none}{script}"))?;
    }
    Ok(())
}
