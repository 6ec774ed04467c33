//! Training convolutions in the page: the last stage on the demo set, then what becomes of the model.

use anyhow::{Context, Result, ensure};

use super::{Scene, course::unfold};
use crate::page::Page;

/// Two epochs of the last stage; the tuned model classifies, is kept over a reload, and is whole in its file.
pub async fn tune(scene: &Scene<'_>) -> Result<()> {
    scene
        .on_cpu("", async |page| {
            page.click("demo-data").await?;
            page.appears("dataset-summary", 60).await?;
            page.choose("scope-select", "last-stage").await?;
            page.fill("epochs-input", "2").await?;
            let chart = page.first("gradients").await?;
            ensure!(chart.is_none(), "gradients are shown before any training");
            unfold(page).await?;
            page.click("gradient-norms-input").await?;
            page.click("train-start").await?;
            page.until("the second epoch", 400, async || {
                let rows = page.all("epoch").await?;
                Ok(rows.into_iter().find(|row| row.get("data-epoch") == "2"))
            })
            .await?;
            page.state("ready", 60).await?;
            for row in page.all("epoch").await? {
                for name in ["data-train-loss", "data-val-loss"] {
                    let loss = row.number(name)?;
                    ensure!(loss.is_finite() && loss >= 0.0, "{name} is {loss}");
                }
                let accuracy = row.number("data-val-accuracy")?;
                ensure!(
                    accuracy > 0.9,
                    "validation accuracy is {accuracy}, not above 0.9"
                );
            }
            gradients(page).await?;
            scene.shoot(page, "tune").await?;
            let label = labelled(page).await?;
            page.reload().await?;
            page.state("ready", 60).await?;
            let again = labelled(page).await?;
            ensure!(
                label == again,
                "the same picture has {label} before a reload and {again} after it"
            );
            // A head alone would not say what was trained: the whole model comes out.
            let file = page.download("export-head").await?;
            let bytes = file.metadata()?.len();
            ensure!(bytes > 10_000_000, "{bytes} bytes are no tuned ResNet-18");
            Ok(())
        })
        .await
}

/// The chart of the gradients' norms has a line for the trained stage and one for the head, and a table.
async fn gradients(page: &Page) -> Result<()> {
    let chart = page.appears("gradients", 5).await?;
    ensure!(
        chart.number("data-stages")? == 2.0,
        "not a line each for the last stage and the head"
    );
    let stages = page.all("gradient-stage").await?;
    let names: Vec<_> = stages.iter().map(|s| s.get("data-stage")).collect();
    ensure!(names == ["layer4", "head"], "the stages are {names:?}");
    for stage in &stages {
        let norm = stage.number("data-norm")?;
        ensure!(norm.is_finite() && norm > 0.0, "a norm is {norm}");
    }
    page.appears("gradient-numbers", 5).await?;
    Ok(())
}

/// Label and probabilities of the page's own sample picture.
async fn labelled(page: &Page) -> Result<String> {
    page.appears("sample", 20).await?;
    page.click("sample").await?;
    let seen = page.appears("prediction", 60).await?;
    let label = seen.get("data-label").to_owned();
    let probabilities = seen.get("data-probabilities");
    let first = probabilities
        .split(' ')
        .next()
        .context("no probabilities")?;
    let first: f64 = first.parse()?;
    // Six digits: a kept model gives the same bits, but the text of them may be shortened.
    Ok(format!("{label} {first:.6}"))
}
