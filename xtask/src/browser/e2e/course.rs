//! The course work in the page: augmentation to look at, several seeds side by side, and a training that goes on
//! after its tab, or its GPU, was killed, to the same numbers as one that was left alone.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::Scene;
use crate::page::{Page, Seen};

/// Augmentation shown, time estimated, two seeds trained on four views of each image, runs compared.
pub async fn course(scene: &Scene<'_>) -> Result<()> {
    scene
        .on_cpu("", async |page| {
            small_input(page).await?;
            half_of_demo(page).await?;
            page.choose("augment-select", "course-work-x4").await?;
            page.click("augment-preview").await?;
            let shown = page.until("previews", 60, async || {
                let shown = page.all("preview-picture").await?;
                Ok((shown.len() > 3).then_some(shown))
            });
            let words: Vec<String> = (shown.await?.iter())
                .map(|picture| picture.get("data-words").to_owned())
                .collect();
            let all = words.join("; ");
            ensure!(
                all.contains("mirrored") && all.contains("rotated") && all.contains("noise"),
                "the four-fold preset shows {all}"
            );
            scene.shoot(page, "augment").await?;
            page.click("train-estimate").await?;
            let estimate = page.appears("estimate", 120).await?;
            let views = estimate.number("data-views")?;
            ensure!(views == 4.0, "the estimate counts {views} views, not 4");
            let guessed = estimate.number("data-milliseconds")?;

            page.fill("seeds-input", "2").await?;
            page.fill("epochs-input", "2").await?;
            page.click("train-start").await?;
            page.appears("views", 300).await?;
            page.until("two runs", 600, async || {
                let rows = page.all("run-row").await?;
                Ok((rows.len() == 2).then_some(()))
            })
            .await?;
            page.state("ready", 60).await?;
            let group = page.appears("run-group", 10).await?;
            let mean = group.number("data-val-mean")?;
            ensure!(mean > 0.8, "the mean accuracy of two seeds is {mean}");
            println!("    estimated {guessed:.0} ms for ten epochs; two seeds: mean {mean:.3}");
            page.click("run-show").await?;
            scene.shoot(page, "runs").await
        })
        .await
}

/// A training whose tab is reloaded after its second epoch ends as one that was left alone.
pub async fn resume(scene: &Scene<'_>) -> Result<()> {
    scene
        .on_cpu("", async |page| {
            small_input(page).await?;
            half_of_demo(page).await?;
            settings(page, "4").await?;
            page.click("train-start").await?;
            let whole = finished(page, 4, 400).await?;
            page.click("use-scenes").await?;
            page.becomes("model-summary", "data-source", "scenes", 60)
                .await?;
            small_input(page).await?;
            page.click("train-start").await?;
            page.until("the second epoch", 300, async || {
                let epochs = page.all("epoch").await?;
                Ok((epochs.len() >= 2 && epochs.len() < 4).then_some(()))
            })
            .await?;
            page.reload().await?;
            page.state("ready", 60).await?;
            page.appears("interrupted", 20).await?;
            scene.shoot(page, "interrupted").await?;
            page.click("continue").await?;
            let resumed = finished(page, 4, 400).await?;
            ensure!(
                whole == resumed,
                "left alone: {whole:?}; killed and gone on with: {resumed:?}"
            );
            let left = page.first("interrupted").await?;
            ensure!(left.is_none(), "a finished training is still offered");
            Ok(())
        })
        .await
}

/// The same with the GPU's process killed, on WebGPU in software.
pub async fn lost(scene: &Scene<'_>) -> Result<()> {
    scene
        .on("?backend=webgpu", async |page| {
            page.state("ready", 120).await?;
            page.becomes("backend", "data-backend", "webgpu", 5).await?;
            small_input(page).await?;
            demo(page).await?;
            page.fill("epochs-input", "30").await?;
            page.click("train-start").await?;
            let whole = finished(page, 30, 600).await?;
            page.click("train-start").await?;
            page.until("the third epoch", 600, async || {
                let epochs = page.all("epoch").await?;
                Ok((epochs.len() >= 3 && epochs.len() < 25).then_some(()))
            })
            .await?;
            kill_gpu()?;
            let resumed = finished(page, 30, 600).await?;
            ensure!(
                whole == resumed,
                "left alone: {whole:?}; after the GPU was lost: {resumed:?}"
            );
            let text = page.text().await?;
            ensure!(
                text.contains("GPU was lost"),
                "the page does not say that the GPU was lost"
            );
            Ok(())
        })
        .await
}

/// Makes the edge of the model's input 64 pixels: what is tested does not depend on it, and all goes five times as fast.
pub(super) async fn small_input(page: &Page) -> Result<()> {
    unfold(page).await?;
    page.fill("model-input-size", "64").await?;
    page.click("set-input").await?;
    page.until("the small input", 120, async || {
        let model = page.first("model-summary").await?;
        Ok(model.filter(|model| model.get("text").contains("64 × 64")))
    })
    .await?;
    page.state("ready", 60).await
}

async fn demo(page: &Page) -> Result<()> {
    page.click("demo-data").await?;
    page.appears("dataset-summary", 60).await?;
    Ok(())
}

/// The same with half of its images to train on, where what is tested does not depend on how many there are.
pub(super) async fn half_of_demo(page: &Page) -> Result<()> {
    demo(page).await?;
    unfold(page).await?;
    page.fill("images-per-class-input", "20").await
}

/// A training with everything that has a state of its own: momentum, an average, augmentation, mixing.
async fn settings(page: &Page, epochs: &str) -> Result<()> {
    unfold(page).await?;
    page.choose("head-select", "mlp-3").await?;
    page.choose("augment-select", "light").await?;
    page.fill("views-input", "1").await?;
    page.fill("mixup-input", "0.3").await?;
    page.choose("optimizer-select", "adamw").await?;
    page.choose("schedule-select", "cosine").await?;
    page.fill("ema-input", "0.9").await?;
    page.fill("epochs-input", epochs).await
}

/// Opens what is folded.
pub(super) async fn unfold(page: &Page) -> Result<()> {
    let script = "for (const fold of document.querySelectorAll('details')) fold.open = true;";
    page.client().execute(script, Vec::new()).await?;
    Ok(())
}

/// Losses and accuracies of a training once it is over, as the page has them.
async fn finished(page: &Page, epochs: usize, seconds: u64) -> Result<Vec<String>> {
    page.until("the last epoch", seconds, async || {
        let rows = page.all("epoch").await?;
        Ok((rows.len() == epochs).then_some(()))
    })
    .await?;
    page.state("ready", 120).await?;
    let mut rows = page.all("epoch").await?;
    rows.sort_by_key(|row| row.get("data-epoch").parse().unwrap_or(0_u32));
    let numbers = |row: &Seen| {
        [
            "data-train-loss",
            "data-train-accuracy",
            "data-val-loss",
            "data-val-accuracy",
        ]
        .map(|name| row.get(name).to_owned())
        .join(" ")
    };
    Ok(rows.iter().map(numbers).collect())
}

/// Kills the process that has the GPU: of the headless Chromium, nobody else's.
fn kill_gpu() -> Result<()> {
    let mut killed = 0;
    for entry in fs::read_dir("/proc").context("no /proc to find the GPU's process in")? {
        let path = entry?.path();
        let Ok(line) = fs::read(path.join("cmdline")) else {
            continue;
        };
        let line = String::from_utf8_lossy(&line);
        if line.contains("--type=gpu-process") && line.contains("swiftshader") {
            let id = path.file_name().context("a process without a number")?;
            let status = std::process::Command::new("kill")
                .arg("-9")
                .arg(id)
                .status()?;
            ensure!(status.success(), "the GPU's process could not be killed");
            killed += 1;
        }
    }
    ensure!(killed > 0, "no GPU process was found");
    Ok(())
}
