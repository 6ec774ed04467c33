//! The models that come with the page: a photo among a thousand things, and classes of one's own that begin from the
//! general ResNet; from this page's own host and kept after a reload.

use anyhow::{Result, ensure};

use xtask::project::root;

use super::Scene;
use crate::fixtures;
use crate::page::Page;

/// Pictures made by a script, and what timm says of them.
const THINGS: [(&str, &str); 2] = [
    ("wall_clock.png", "wall clock"),
    ("traffic_light.png", "traffic light"),
];

pub async fn bundled(scene: &Scene<'_>) -> Result<()> {
    scene
        .on_cpu("", async |page| {
            things(page).await?;
            scene.shoot(page, "things").await?;
            own_classes(scene, page).await?;
            scene.shoot(page, "own-classes").await?;
            page.reload().await?;
            in_use(page, "data-arch", "resnet_2223").await?;
            page.state("ready", 60).await?;
            page.click("use-scenes").await?;
            in_use(page, "data-source", "scenes").await
        })
        .await
}

async fn in_use(page: &Page, fact: &str, value: &str) -> Result<()> {
    page.becomes("model-summary", fact, value, 120).await?;
    Ok(())
}

async fn things(page: &Page) -> Result<()> {
    page.click("use-things").await?;
    in_use(page, "data-source", "things").await?;
    page.state("ready", 60).await?;
    let folder = root().join("tests/fixtures/things");
    let photos = THINGS.map(|(file, _)| folder.join(file));
    page.put("image-input", &photos).await?;
    for (file, label) in THINGS {
        page.until(&format!("{label} for {file}"), 60, async || {
            let answers = page.all("prediction").await?;
            Ok(answers
                .into_iter()
                .find(|a| a.get("data-file") == file && a.get("data-label") == label))
        })
        .await?;
    }
    Ok(())
}

async fn own_classes(scene: &Scene<'_>, page: &Page) -> Result<()> {
    page.click("use-scenes").await?;
    in_use(page, "data-source", "scenes").await?;
    let dir = fixtures::folder(&scene.files.path().join("own"), 3, 12)?;
    page.put("folder-input", &[dir]).await?;
    page.becomes("dataset-summary", "data-classes", "3", 60)
        .await?;
    page.until("the general ResNet to be announced", 10, async || {
        let said = page.first("begins-from").await?;
        Ok(said.filter(|said| said.get("text").contains("General ResNet")))
    })
    .await?;
    page.fill("epochs-input", "5").await?;
    page.click("train-start").await?;
    in_use(page, "data-arch", "resnet_2223").await?;
    let last = page
        .until("the fifth epoch", 300, async || {
            let epochs = page.all("epoch").await?;
            Ok(epochs.into_iter().find(|e| e.get("data-epoch") == "5"))
        })
        .await?;
    let accuracy = last.number("data-val-accuracy")?;
    // Three tints.
    ensure!(accuracy > 0.8, "only {accuracy} of the held-out images");
    in_use(page, "data-source", "trained here").await?;
    page.state("ready", 60).await
}
