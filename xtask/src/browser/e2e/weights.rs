//! Checkpoints: what is broken or hostile is refused by name and the model in use stays; what the hub
//! gives is taken only if it arrived whole.

use anyhow::{Context, Result, ensure};

use super::{Scene, expect_error};
use crate::fixtures;
use crate::page::Page;

pub async fn refuse(scene: &Scene<'_>) -> Result<()> {
    let dir = scene.files.path();
    for file in [
        fixtures::corrupt_safetensors(dir)?,
        fixtures::malicious_pth(dir)?,
    ] {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        scene
            .on_cpu("", async |page| {
                let before = source(page).await?;
                page.put("weights-input", &[file]).await?;
                let blamed = if name.ends_with(".pth") {
                    "system"
                } else {
                    "conv1.weight"
                };
                expect_error(page, &[&name, blamed]).await?;
                page.state("ready", 10).await?;
                let after = source(page).await?;
                ensure!(
                    before == after,
                    "the model in use changed from {before} to {after}"
                );
                Ok(())
            })
            .await?;
    }
    Ok(())
}

async fn source(page: &Page) -> Result<String> {
    let model = page
        .first("model-summary")
        .await?
        .context("there is no model-summary")?;
    Ok(model.get("data-source").to_owned())
}

pub async fn hub(scene: &Scene<'_>) -> Result<()> {
    scene
        .on_cpu("&hub=hub", async |page| {
            let before = source(page).await?;
            page.choose("arch-select", "resnet18").await?;
            page.click("download-weights").await?;
            page.until("the downloaded model", 60, async || {
                Ok((source(page).await? != before).then_some(()))
            })
            .await?;
            let model = page
                .first("model-summary")
                .await?
                .context("there is no model-summary")?;
            ensure!(
                model.get("data-arch") == "resnet18",
                "another backbone: {model:?}"
            );
            page.state("ready", 30).await
        })
        .await?;
    scene
        .on_cpu("&hub=damaged", async |page| {
            let before = source(page).await?;
            page.choose("arch-select", "resnet18").await?;
            page.click("download-weights").await?;
            expect_error(page, &["SHA-256"]).await?;
            page.state("ready", 30).await?;
            let after = source(page).await?;
            ensure!(
                before == after,
                "the model in use changed from {before} to {after}"
            );
            Ok(())
        })
        .await
}
