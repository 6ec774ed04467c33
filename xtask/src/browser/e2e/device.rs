//! Which device runs the model, and that it does not matter for what comes out.

use anyhow::{Result, ensure};

use super::Scene;
use crate::page::{Page, Seen};

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

/// The same image on both paths. SwiftShader compiles and runs each shader on the CPU, hence the limits.
pub async fn webgpu(scene: &Scene<'_>) -> Result<()> {
    let mut seen = Vec::new();
    for (query, backend) in [("?backend=cpu", "cpu"), ("?backend=webgpu", "webgpu")] {
        scene
            .on(query, async |page| {
                page.state("ready", 300).await?;
                page.becomes("backend", "data-backend", backend, 5).await?;
                seen.push(first_sample(page).await?);
                Ok(())
            })
            .await?;
    }
    let (cpu, gpu) = (&seen[0], &seen[1]);
    ensure!(
        cpu.get("data-label") == gpu.get("data-label"),
        "other labels: {cpu:?}, {gpu:?}"
    );
    let difference = (cpu.number("data-probability")? - gpu.number("data-probability")?).abs();
    ensure!(
        difference <= 1e-3,
        "the probabilities differ by {difference}"
    );
    Ok(())
}

async fn first_sample(page: &Page) -> Result<Seen> {
    page.appears("sample", 60).await?;
    page.click("sample").await?;
    page.appears("prediction", 300).await
}
