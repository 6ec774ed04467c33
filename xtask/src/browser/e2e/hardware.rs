//! What a GPU is given, run in Chromium: SwiftShader taken for hardware, so that tuning, self-test, kernels and gradients
//! are those of hardware, compiled by Chrome's own compiler.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::Scene;
use super::course::{small_input, unfold};
use crate::fixtures;
use crate::page::Page;

/// An epoch's training loss may be off by so much of itself: three steps, each of which rounds otherwise.
const LOSS: f64 = 1e-4;

/// A photo's probabilities are those of the CPU to 1e-5, three steps of training have its loss, and there is no warning.
pub async fn hardware(scene: &Scene<'_>) -> Result<()> {
    let photos = fixtures::good_images(scene.files.path())?;
    let set = fixtures::folder(&scene.files.path().join("garden"), 3, 5)?;
    let mut seen = Vec::new();
    for (query, backend) in [
        ("?backend=cpu", "cpu"),
        ("?backend=webgpu-as-hardware", "webgpu"),
    ] {
        scene
            .on(query, async |page| {
                let start = Instant::now();
                page.state("ready", 120).await?;
                let device = page.becomes("backend", "data-backend", backend, 5).await?;
                ensure!(
                    (backend == "webgpu") == device.get("text").contains("taken for hardware"),
                    "it runs on {}",
                    device.get("text")
                );
                let ready = start.elapsed().as_secs_f64();
                let probabilities = classified(page, &photos[0]).await?;
                let answered = start.elapsed().as_secs_f64();
                let loss = trained(page, &set).await?;
                println!(
                    "  {backend}: ready after {ready:.1} s, an answer after {answered:.1} s, three steps after {:.1} s",
                    start.elapsed().as_secs_f64()
                );
                for id in ["warning", "error-banner"] {
                    let said = page.first(id).await?;
                    ensure!(said.is_none(), "{backend}: {said:?}");
                }
                seen.push((probabilities, loss));
                Ok(())
            })
            .await?;
    }
    let [(cpu, cpu_loss), (gpu, gpu_loss)] = &seen[..] else {
        unreachable!("two devices")
    };
    ensure!(cpu.len() == gpu.len(), "{cpu:?} against {gpu:?}");
    let differences = cpu.iter().zip(gpu).map(|(a, b)| (a - b).abs());
    let largest = differences.fold(0.0, f64::max);
    let of_loss = ((gpu_loss - cpu_loss) / cpu_loss).abs();
    println!("  probabilities at most {largest:.1e} apart, losses {of_loss:.1e} of {cpu_loss:.4}");
    ensure!(largest <= 1e-5, "{cpu:?} on the CPU, {gpu:?} on hardware");
    ensure!(
        of_loss <= LOSS,
        "the loss is {cpu_loss} on the CPU, {gpu_loss} on hardware"
    );
    Ok(())
}

/// A photo's probabilities by the bundled model at the small input.
async fn classified(page: &Page, photo: &Path) -> Result<Vec<f64>> {
    // Kernels for hardware are slow in software.
    small_input(page).await?;
    page.put("image-input", &[photo.to_owned()]).await?;
    let seen = page.appears("prediction", 120).await?;
    let values = seen.get("data-probabilities").split(' ');
    Ok(values.map(str::parse).collect::<Result<_, _>>()?)
}

/// The loss of an epoch of three steps of the last stage.
async fn trained(page: &Page, set: &Path) -> Result<f64> {
    page.put("folder-input", &[set.to_owned()]).await?;
    page.appears("dataset-summary", 60).await?;
    unfold(page).await?;
    page.choose("scope-select", "last-stage").await?;
    page.choose("start-from", "in-use").await?;
    page.choose("optimizer-select", "sgd").await?;
    page.fill("epochs-input", "1").await?;
    page.fill("batch-input", "4").await?;
    page.click("train-start").await?;
    let epoch = page.appears("epoch", 300).await?;
    page.state("ready", 60).await?;
    epoch.number("data-train-loss")
}
