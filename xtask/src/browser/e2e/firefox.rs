//! The way of a first visitor in the other browser: a photo, the demo set trained, the model kept.

use anyhow::{Context, Result, ensure};

use super::Scene;
use crate::driver::Driver;
use crate::fixtures;
use crate::page::Page;

pub async fn firefox(scene: &Scene<'_>) -> Result<()> {
    let driver = Driver::firefox().await?;
    let browser = driver.open_firefox(&scene.host.proxy, true).await?;
    scene
        .in_browser(browser, &scene.host.url, "?backend=cpu", async |page| {
            page.state("ready", 120).await?;
            photo(scene, page).await?;
            println!("  a photo is classified");
            trained(page).await?;
            println!("  the demo set is trained");
            page.reload().await?;
            page.state("ready", 120).await?;
            in_use(page).await?;
            photo(scene, page).await
        })
        .await
}

async fn photo(scene: &Scene<'_>, page: &Page) -> Result<()> {
    let photos = fixtures::good_images(scene.files.path())?;
    let photo = photos.first().context("no photo was made")?;
    page.put("image-input", std::slice::from_ref(photo)).await?;
    let seen = page.appears("prediction", 60).await?;
    let p = seen.number("data-probability")?;
    ensure!(
        (1.0 / 6.0..=1.0).contains(&p),
        "the best of six classes has probability {p}"
    );
    Ok(())
}

async fn trained(page: &Page) -> Result<()> {
    page.click("demo-data").await?;
    page.appears("dataset-summary", 60).await?;
    page.fill("epochs-input", "12").await?;
    page.click("train-start").await?;
    let last = page
        .until("epoch 12", 300, async || {
            let epochs = page.all("epoch").await?;
            Ok(epochs.into_iter().find(|e| e.get("data-epoch") == "12"))
        })
        .await?;
    let accuracy = last.number("data-val-accuracy")?;
    ensure!(
        accuracy > 0.95,
        "validation accuracy ends at {accuracy}, not above 0.95"
    );
    page.state("ready", 60).await?;
    in_use(page).await
}

async fn in_use(page: &Page) -> Result<()> {
    page.becomes("model-summary", "data-source", "trained here", 20)
        .await?;
    Ok(())
}
