//! Which device runs the model, and that it does not matter for what comes out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use xtask::project::program;

use super::Scene;
use super::course::{half_of_demo, small_input};
use super::offline::copy;
use crate::fixtures;
use crate::page::Page;

/// SwiftShader is an adapter, but no GPU.
pub async fn auto(scene: &Scene<'_>) -> Result<()> {
    scene
        .on("?backend=auto", async |page| {
            page.state("ready", 60).await?;
            page.becomes("backend", "data-backend", "cpu", 5).await?;
            Ok(())
        })
        .await
}

/// One thread and two give the same bits: of a photo's probabilities, and of the losses of a training.
pub async fn threads(scene: &Scene<'_>) -> Result<()> {
    let photos = fixtures::good_images(scene.files.path())?;
    let photo = photos.first().context("no photo was made")?;
    let mut found = Vec::new();
    for (threads, name) in [(1, "CPU, 1 thread"), (2, "CPU, 2 threads")] {
        let query = format!("&threads={threads}");
        scene
            .on_cpu(&query, async |page| {
                let device = page.appears("backend", 5).await?;
                let device = device.get("text");
                ensure!(device.contains(name), "with {query} it runs on {device}");
                page.put("image-input", std::slice::from_ref(photo)).await?;
                let seen = page.appears("prediction", 60).await?;
                let mut bits = vec![seen.get("data-probabilities").to_owned()];
                small_input(page).await?;
                half_of_demo(page).await?;
                page.fill("epochs-input", "2").await?;
                page.click("train-start").await?;
                let last = async || {
                    let rows = page.all("epoch").await?;
                    Ok((rows.len() == 2).then_some(rows))
                };
                for epoch in page.until("epoch 2", 120, last).await? {
                    for loss in ["data-train-loss", "data-val-loss"] {
                        bits.push(epoch.get(loss).to_owned());
                    }
                }
                found.push(bits);
                Ok(())
            })
            .await?;
    }
    ensure!(found[0] == found[1], "one thread and two: {found:?}");
    small_memory(scene, photo, &found[0][0]).await
}

/// Where a browser refuses the engine more than 1 GiB, as on a phone, its threads share less memory.
async fn small_memory(scene: &Scene<'_>, photo: &PathBuf, probabilities: &str) -> Result<()> {
    const REFUSES: &str = "const Whole = WebAssembly.Memory; \
        WebAssembly.Memory = class extends Whole { constructor(limits) { \
        if (limits.maximum > 16384) throw new RangeError('could not allocate memory'); \
        super(limits); } };\n";
    let site = scene.files.path().join("phone");
    copy(scene.dist, &site)?;
    let worker = site.join("worker.js");
    let script = fs::read_to_string(&worker)?;
    fs::write(&worker, REFUSES.to_owned() + &script)?;
    let url = scene.host.serve_page(&site).await?;
    let steps = async |page: &Page| {
        page.state("ready", 60).await?;
        let device = page.appears("backend", 5).await?;
        let device = device.get("text");
        ensure!(device.contains("CPU, 2 threads"), "it runs on {device}");
        page.put("image-input", std::slice::from_ref(photo)).await?;
        let seen = page.appears("prediction", 60).await?;
        ensure!(seen.get("data-probabilities") == probabilities);
        Ok(())
    };
    scene.on_url(&url, "?backend=cpu&threads=2", steps).await
}

/// The same photo on the page's CPU path, on its WebGPU path, and by the command line: all six
/// probabilities within 1e-3. SwiftShader compiles and runs each shader on the CPU, hence the limits.
pub async fn parity(scene: &Scene<'_>) -> Result<()> {
    let photos = fixtures::good_images(scene.files.path())?;
    let photo = photos.first().context("no photo was made")?;
    let (label, native) = command_line(photo)?;
    for (query, backend) in [("?backend=cpu", "cpu"), ("?backend=webgpu", "webgpu")] {
        scene
            .on(query, async |page| {
                page.state("ready", 300).await?;
                page.becomes("backend", "data-backend", backend, 5).await?;
                page.put("image-input", std::slice::from_ref(photo)).await?;
                let seen = page.appears("prediction", 300).await?;
                ensure!(
                    seen.get("data-label") == label,
                    "the page on {backend} says {}, the command line {label}",
                    seen.get("data-label")
                );
                let values = seen.get("data-probabilities").split(' ');
                let values: Vec<f64> = values.map(str::parse).collect::<Result<_, _>>()?;
                ensure!(
                    values.len() == native.len(),
                    "{} probabilities",
                    values.len()
                );
                let differences = values.iter().zip(&native).map(|(a, b)| (a - b).abs());
                let largest = differences.fold(0.0, f64::max);
                println!("  {backend} against the command line: at most {largest:.1e} apart");
                ensure!(
                    largest <= 1e-3,
                    "{backend}: {values:?}, command line: {native:?}"
                );
                Ok(())
            })
            .await?;
    }
    Ok(())
}

/// Label and probabilities by `retune classify`, in the model's order (which is the alphabet's).
fn command_line(photo: &Path) -> Result<(String, Vec<f64>)> {
    let output = Command::new(program("retune")?)
        .args(["classify", "--device", "cpu", "--json"])
        .arg(photo)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "retune classify: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let line: Value = serde_json::from_str(&said)?;
    let probabilities = line["probabilities"].as_object();
    let probabilities = probabilities.with_context(|| format!("no probabilities: {said}"))?;
    let label = line["label"].as_str().unwrap_or_default().to_owned();
    Ok((
        label,
        probabilities.values().filter_map(Value::as_f64).collect(),
    ))
}
