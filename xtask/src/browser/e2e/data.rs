//! Data sets of one's own: the zip as Kaggle gives it, a folder, and one that cannot be trained on.

use anyhow::{Context, Result, ensure};

use super::Scene;
use crate::fixtures::{self, CLASSES, ZIP_BAD};
use crate::page::{Page, Seen};

pub async fn data(scene: &Scene<'_>) -> Result<()> {
    scene
        .on_cpu("", async |page| {
            zip(scene, page).await?;
            scene.shoot(page, "data").await?;
            folder(scene, page).await?;
            one_class(scene, page).await
        })
        .await
}

async fn zip(scene: &Scene<'_>, page: &Page) -> Result<()> {
    let zip = fixtures::kaggle_zip(scene.files.path(), 10, 4)?;
    page.put("zip-input", &[zip]).await?;
    let set = opened(page, "archive").await?;
    ensure!(
        set.number("data-classes")? == CLASSES.len() as f64,
        "other classes: {set:?}"
    );
    ensure!(
        set.number("data-test")? == 12.0,
        "seg_test is not the test set: {set:?}"
    );
    let [damaged, escape] = ZIP_BAD;
    // Nothing is unpacked to a disk, so the way out of the archive is taken off; then it lies in no class folder.
    let escape = escape.trim_start_matches("../");
    page.until(&format!("{escape} to be named"), 20, async || {
        let rows = page.all("skipped-row").await?;
        Ok(rows.into_iter().find(|r| r.get("data-file") == escape))
    })
    .await?;
    page.fill("epochs-input", "3").await?;
    page.click("train-start").await?;
    page.until("the third epoch", 120, async || {
        Ok(page
            .all("epoch")
            .await?
            .into_iter()
            .find(|e| e.get("data-epoch") == "3"))
    })
    .await?;
    page.state("ready", 30).await?;
    // The damaged image shows only when it is decoded, which training does.
    let named = page
        .all("error-row")
        .await?
        .into_iter()
        .any(|r| r.get("data-file") == damaged);
    ensure!(named, "{damaged} is not named");
    page.click("evaluate").await?;
    page.appears("test-accuracy", 60)
        .await?
        .number("data-value")?;
    page.state("ready", 30).await
}

async fn folder(scene: &Scene<'_>, page: &Page) -> Result<()> {
    let dir = fixtures::folder(&scene.files.path().join("garden"), 2, 6)?;
    page.put("folder-input", &[dir]).await?;
    let set = opened(page, "garden").await?;
    ensure!(set.number("data-classes")? == 2.0, "other classes: {set:?}");
    ensure!(set.number("data-train")? == 12.0, "not all images: {set:?}");
    Ok(())
}

async fn one_class(scene: &Scene<'_>, page: &Page) -> Result<()> {
    let dir = fixtures::folder(&scene.files.path().join("lonely"), 1, 5)?;
    page.put("folder-input", &[dir]).await?;
    opened(page, "lonely").await?;
    let start = page
        .first("train-start")
        .await?
        .context("there is no train-start")?;
    ensure!(
        start.has("disabled"),
        "training on one class is not disabled"
    );
    ensure!(
        page.text().await?.contains("class"),
        "the page does not say what is missing"
    );
    Ok(())
}

/// Waits until the data set whose name holds `name` is open.
async fn opened(page: &Page, name: &str) -> Result<Seen> {
    let set = page
        .until(&format!("data set {name}"), 60, async || {
            let set = page.first("dataset-summary").await?;
            Ok(set.filter(|s| s.get("data-name").contains(name)))
        })
        .await?;
    page.state("ready", 30).await?;
    Ok(set)
}
