//! Images in, labels out; and every file that is no image is named while the rest goes on.

use anyhow::{Result, ensure};

use super::Scene;
use crate::fixtures;
use crate::page::Page;

pub async fn classify(scene: &Scene<'_>) -> Result<()> {
    scene
        .on_cpu("", async |page| {
            samples(page).await?;
            files(scene, page).await?;
            scene.shoot(page, "classify").await
        })
        .await
}

/// A first visitor clicks a sample.
async fn samples(page: &Page) -> Result<()> {
    page.appears("sample", 20).await?;
    ensure!(
        page.all("sample").await?.len() >= 3,
        "fewer than three sample images"
    );
    page.click("sample").await?;
    let seen = page.appears("prediction", 30).await?;
    ensure!(
        !seen.get("data-label").is_empty(),
        "the prediction has no label"
    );
    let p = seen.number("data-probability")?;
    ensure!(
        (1.0 / 6.0..=1.0).contains(&p),
        "the best of six classes has probability {p}"
    );
    Ok(())
}

/// A person picks good and bad files in one go.
async fn files(scene: &Scene<'_>, page: &Page) -> Result<()> {
    let (good, bad) = (
        fixtures::good_images(scene.files.path())?,
        fixtures::bad_images(scene.files.path())?,
    );
    let mixed: Vec<_> = bad.iter().chain(&good).cloned().collect();
    page.put("image-input", &mixed).await?;
    for (files, id) in [(&good, "prediction"), (&bad, "error-row")] {
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let what = format!("{id} for {name}");
            let row = page
                .until(&what, 60, async || {
                    let rows = page.all(id).await?;
                    Ok(rows.into_iter().find(|row| row.get("data-file") == name))
                })
                .await?;
            let says_why = row.get("text").trim().len() > name.len();
            ensure!(
                id == "prediction" || says_why,
                "{name} is refused without a reason"
            );
            if name == "huge.png" {
                let text = row.get("text");
                ensure!(
                    text.contains("megapixel"),
                    "{name} is refused for another reason: {text}"
                );
            }
        }
    }
    page.state("ready", 10).await
}
