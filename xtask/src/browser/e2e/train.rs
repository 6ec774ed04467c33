//! The way of a training run: demo set, curves, stop, evaluate; and the trained head outlives a reload
//! and a round trip through a file.

use anyhow::{Context, Result, ensure};

use super::Scene;
use crate::page::{Page, Seen};

pub async fn train(scene: &Scene<'_>) -> Result<()> {
    scene
        .on_cpu("", async |page| {
            page.click("demo-data").await?;
            let set = page.appears("dataset-summary", 60).await?;
            ensure!(
                set.number("data-classes")? == 6.0,
                "the demo set has not six classes"
            );
            train_to_the_end(page).await?;
            scene.shoot(page, "train").await?;
            evaluate(page).await?;
            scene.shoot(page, "evaluate").await?;
            stop(page).await?;
            kept_after_reload(page).await?;
            round_trip(page).await
        })
        .await
}

async fn train_to_the_end(page: &Page) -> Result<()> {
    page.fill("epochs-input", "12").await?;
    page.click("train-start").await?;
    page.until("epoch 12", 300, async || {
        Ok(epochs(page)
            .await?
            .last()
            .filter(|e| e.get("data-epoch") == "12")
            .map(|_| ()))
    })
    .await?;
    page.state("ready", 30).await?;
    let epochs = epochs(page).await?;
    for epoch in &epochs {
        for name in ["data-train-loss", "data-val-loss"] {
            let loss = epoch.number(name)?;
            ensure!(loss.is_finite() && loss >= 0.0, "{name} is {loss}");
        }
    }
    let (first, last) = (
        epochs.first().context("no epoch")?,
        epochs.last().context("no epoch")?,
    );
    let accuracy = last.number("data-val-accuracy")?;
    ensure!(
        accuracy > 0.95,
        "validation accuracy ends at {accuracy}, not above 0.95"
    );
    ensure!(
        last.number("data-train-loss")? < first.number("data-train-loss")?,
        "the training loss did not fall"
    );
    let source = summary(page).await?;
    ensure!(
        source.get("data-source").contains("trained here"),
        "the trained head is not in use"
    );
    Ok(())
}

/// The rows in the order of the epochs, whichever way the page shows them.
async fn epochs(page: &Page) -> Result<Vec<Seen>> {
    let mut rows = page.all("epoch").await?;
    rows.sort_by_key(|row| row.get("data-epoch").parse().unwrap_or(0_u32));
    Ok(rows)
}

async fn summary(page: &Page) -> Result<Seen> {
    page.first("model-summary")
        .await?
        .context("there is no model-summary")
}

async fn evaluate(page: &Page) -> Result<()> {
    page.click("evaluate").await?;
    let accuracy = page
        .appears("test-accuracy", 120)
        .await?
        .number("data-value")?;
    ensure!(
        (0.9..=1.0).contains(&accuracy),
        "accuracy on the demo set is {accuracy}"
    );
    page.appears("confusion", 5).await?;
    page.state("ready", 10).await
}

/// A run of a thousand epochs ends soon when it is stopped, and keeps what it has.
async fn stop(page: &Page) -> Result<()> {
    page.choose("head-select", "mlp-3").await?;
    page.fill("epochs-input", "1000").await?;
    page.click("train-start").await?;
    page.until("the third epoch of the second run", 60, async || {
        let rows = epochs(page).await?;
        let going = page
            .first("status")
            .await?
            .is_some_and(|s| s.get("data-state") == "training");
        Ok((going && rows.len() >= 3).then_some(()))
    })
    .await?;
    page.click("train-pause").await?;
    page.state("paused", 20).await?;
    let held = epochs(page).await?.len();
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    ensure!(epochs(page).await?.len() == held, "a held run goes on");
    page.click("train-resume").await?;
    page.until("the run to go on", 20, async || {
        Ok((epochs(page).await?.len() > held).then_some(()))
    })
    .await?;
    page.click("train-stop").await?;
    page.state("ready", 20).await?;
    ensure!(epochs(page).await?.len() < 1000, "the run was not stopped");
    Ok(())
}

async fn kept_after_reload(page: &Page) -> Result<()> {
    page.reload().await?;
    page.state("ready", 60).await?;
    let model = summary(page).await?;
    ensure!(
        model.get("data-source").contains("trained here"),
        "after a reload the model in use is \"{}\"",
        model.get("data-source")
    );
    classifies(page).await
}

/// The click empties the list of the batch before, so any prediction is of this model.
async fn classifies(page: &Page) -> Result<()> {
    page.appears("sample", 20).await?;
    page.click("sample").await?;
    page.appears("prediction", 30).await?;
    Ok(())
}

/// What is exported can be imported, in place of another model.
async fn round_trip(page: &Page) -> Result<()> {
    let classes = summary(page).await?.get("data-classes").to_owned();
    for export in ["export-model", "export-head"] {
        let file = page.download(export).await?;
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        ensure!(name.ends_with(".safetensors"), "{export} saved {name}");
        page.click("use-scenes").await?;
        page.until("the bundled model", 60, async || {
            Ok(page
                .first("model-summary")
                .await?
                .filter(|m| m.get("data-source").contains("scenes")))
        })
        .await?;
        page.state("ready", 30).await?;
        page.put("weights-input", std::slice::from_ref(&file))
            .await?;
        let model = page
            .until(&format!("{name} to be in use"), 60, async || {
                Ok(page
                    .first("model-summary")
                    .await?
                    .filter(|m| m.get("data-source").contains(&name)))
            })
            .await?;
        ensure!(
            model.get("data-classes") == classes,
            "{name} came back with other classes"
        );
        page.state("ready", 30).await?;
        classifies(page).await?;
    }
    Ok(())
}
