//! What people really drop: a folder with a link to nowhere, folders that can be read in two ways, labels in a
//! table, loose photos, a model of PyTorch's under one of its other names, an image that only the browser opens.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::Scene;
use crate::fixtures;
use crate::page::{Page, Seen};

pub async fn inputs(scene: &Scene<'_>) -> Result<()> {
    let dir = scene.files.path();
    scene
        .on_cpu("", async |page| {
            broken_link(page, &dir.join("linked")).await?;
            question(scene, page, &dir.join("two-sets")).await?;
            table(scene, page, &dir.join("table")).await?;
            loose(page, &dir.join("holiday")).await?;
            browser_only(page, dir).await?;
            browser_only_training(page, &dir.join("avif")).await?;
            model(scene, page, dir).await?;
            untrained(scene, page, dir).await
        })
        .await
}

/// The data set that the page shows, once it has this name.
async fn opened(page: &Page, name: &str) -> Result<Seen> {
    let set = page
        .until(&format!("the data set {name}"), 60, async || {
            let set = page.first("dataset-summary").await?;
            Ok(set.filter(|s| s.get("data-name") == name))
        })
        .await?;
    page.state("ready", 30).await?;
    Ok(set)
}

/// Chromium leaves a link to nowhere out of what it lists; a file that it lists and cannot give, as one that is still
/// in the cloud, is made here by its own error.
const CLOUD: &str = "const get = DataTransferItem.prototype.webkitGetAsEntry;
    DataTransferItem.prototype.webkitGetAsEntry = function () {
        const entry = get.call(this);
        const folder = Object.getPrototypeOf(entry);
        const open = folder.createReader;
        folder.createReader = function () {
            const reader = open.call(this);
            const list = reader.readEntries.bind(reader);
            reader.readEntries = (done, failed) => list(entries => {
                for (const file of entries.filter(e => e.name === 'cloud.jpg'))
                    file.file = (_, failed) => failed(new DOMException('It is in the cloud.', 'NotReadableError'));
                done(entries);
            }, failed);
            return reader;
        };
        return entry;
    };";

async fn broken_link(page: &Page, dir: &Path) -> Result<()> {
    fixtures::folder(dir, 2, 3)?;
    std::os::unix::fs::symlink("nowhere.jpg", dir.join("brick/gone.jpg"))?;
    std::fs::copy(dir.join("brick/0.jpg"), dir.join("brick/cloud.jpg"))?;
    page.client().execute(CLOUD, vec![]).await?;
    page.drop(&[dir.to_owned()]).await?;
    let set = opened(page, "linked").await?;
    ensure!(
        set.number("data-train")? == 6.0,
        "the rest is not used: {set:?}"
    );
    let rows = page.all("skipped-row").await?;
    let named = rows
        .iter()
        .find(|r| r.get("data-file") == "linked/brick/cloud.jpg");
    let said = named.is_some_and(|r| r.get("text").contains("in the cloud"));
    ensure!(said, "the file in the cloud is not listed: {rows:?}");
    Ok(())
}

/// The same class names below two folders that are no parts: the page asks, and reads them as it is told.
async fn question(scene: &Scene<'_>, page: &Page, dir: &Path) -> Result<()> {
    for set in ["garden", "harbour"] {
        fixtures::folder(&dir.join(set), 2, 3)?;
    }
    page.put("folder-input", &[dir.to_owned()]).await?;
    opened(page, "two-sets").await?;
    let readings = page.appears("readings", 10).await?;
    ensure!(
        readings.get("data-asks") == "true",
        "the page does not ask: {readings:?}"
    );
    let start = page
        .first("train-start")
        .await?
        .context("there is no train-start")?;
    ensure!(
        start.has("disabled"),
        "training is possible before the question is answered"
    );
    let evaluate = page
        .first("evaluate")
        .await?
        .context("there is no evaluate")?;
    ensure!(
        evaluate.has("disabled"),
        "an evaluation is possible before the question is answered"
    );
    scene.shoot(page, "question").await?;
    page.click("reading").await?;
    page.until("the question to be answered", 30, async || {
        let readings = page.first("readings").await?;
        Ok(readings.filter(|r| r.get("data-asks") == "false"))
    })
    .await?;
    page.state("ready", 30).await?;
    let set = opened(page, "two-sets").await?;
    ensure!(
        set.number("data-train")? > 0.0,
        "the chosen reading gives no images: {set:?}"
    );
    let start = page
        .first("train-start")
        .await?
        .context("there is no train-start")?;
    ensure!(
        !start.has("disabled"),
        "training is not possible after the question is answered"
    );
    Ok(())
}

async fn table(scene: &Scene<'_>, page: &Page, dir: &Path) -> Result<()> {
    fixtures::folder_with_table(dir, 8)?;
    page.put("folder-input", &[dir.to_owned()]).await?;
    let set = opened(page, "table").await?;
    ensure!(
        set.number("data-classes")? == 2.0,
        "the labels are not read: {set:?}"
    );
    ensure!(
        set.number("data-train")? == 8.0,
        "not every row is read: {set:?}"
    );
    let table = page.appears("label-table", 10).await?;
    ensure!(
        table.number("data-matched")? == 8.0,
        "rows are not matched: {table:?}"
    );
    scene.shoot(page, "table").await?;
    // Another column is another question to the same images.
    page.choose("label-column", "weather").await?;
    page.until("the other column's classes", 30, async || {
        let set = page.first("dataset-summary").await?;
        Ok(set.filter(|s| s.get("data-classes") == "4"))
    })
    .await?;
    page.state("ready", 30).await
}

/// A folder without classes is offered to be classified.
async fn loose(page: &Page, dir: &Path) -> Result<()> {
    let photos = fixtures::good_images(dir)?;
    page.drop(&[dir.to_owned()]).await?;
    opened(page, "holiday").await?;
    page.click("classify-folder").await?;
    page.until("all photos to be classified", 60, async || {
        let rows = page.all("prediction").await?;
        Ok((rows.len() == photos.len()).then_some(()))
    })
    .await?;
    page.state("ready", 10).await
}

/// The page opens an AVIF with the browser's decoder, and gets what Pillow makes of it.
async fn browser_only(page: &Page, dir: &Path) -> Result<()> {
    let files = fixtures::avif_and_png(dir)?;
    page.put("image-input", &files).await?;
    let mut answers = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let seen = page
            .until(&format!("an answer for {name}"), 30, async || {
                let rows = page.all("prediction").await?;
                Ok(rows.into_iter().find(|r| r.get("data-file") == name))
            })
            .await?;
        answers.push(probabilities(&seen)?);
    }
    let pairs = answers[0].iter().zip(&answers[1]);
    let off = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    ensure!(off < 0.01, "AVIF and PNG are off by {off}: {answers:?}");
    println!("  AVIF by the browser, PNG by the engine: probabilities at most {off:.1e} apart");
    Ok(())
}

/// Images that only the browser opens are trained on too.
async fn browser_only_training(page: &Page, dir: &Path) -> Result<()> {
    fixtures::avif_folder(dir)?;
    page.put("folder-input", &[dir.to_owned()]).await?;
    let set = opened(page, "avif").await?;
    ensure!(
        set.number("data-train")? == 8.0,
        "the AVIF images are not used: {set:?}"
    );
    page.fill("epochs-input", "1").await?;
    page.click("train-start").await?;
    let epoch = page
        .until("the epoch on AVIF images", 120, async || {
            let rows = page.all("epoch").await?;
            Ok(rows.into_iter().find(|row| row.get("data-epoch") == "1"))
        })
        .await?;
    let loss = epoch.number("data-train-loss")?;
    ensure!(loss.is_finite() && loss > 0.0, "the loss is {loss}");
    page.state("ready", 60).await?;
    let skipped = page.all("skipped-row").await?;
    let avif = skipped
        .iter()
        .find(|r| r.get("data-file").ends_with(".avif"));
    ensure!(avif.is_none(), "an AVIF was left out: {avif:?}");
    Ok(())
}

fn probabilities(seen: &Seen) -> Result<Vec<f64>> {
    let list = seen
        .get("data-probabilities")
        .split([',', ' '])
        .filter(|p| !p.is_empty());
    let parsed = list.map(|p| p.parse().with_context(|| format!("{p} is no number")));
    parsed.collect()
}

/// A `.pt` without names for its outputs: they have numbers until the user names them.
async fn model(scene: &Scene<'_>, page: &Page, dir: &Path) -> Result<()> {
    let file = fixtures::torch_resnet18(dir, 3)?;
    page.drop(&[file]).await?;
    let summary = page
        .until("the dropped model", 60, async || {
            let model = page.first("model-summary").await?;
            Ok(model.filter(|m| m.get("data-source") == "model.pt"))
        })
        .await?;
    ensure!(
        summary.get("data-classes") == "class 0,class 1,class 2",
        "names are borrowed: {summary:?}"
    );
    page.state("ready", 30).await?;
    scene.shoot(page, "unnamed").await?;
    page.fill("output-names-input", "heron\nkite\nowl").await?;
    page.click("name-outputs").await?;
    page.until("the names", 30, async || {
        let model = page.first("model-summary").await?;
        Ok(model.filter(|m| m.get("data-classes") == "heron,kite,owl"))
    })
    .await?;
    page.state("ready", 30).await?;
    page.click("sample").await?;
    let seen = page.appears("prediction", 30).await?;
    let label = seen.get("data-label");
    ensure!(
        ["heron", "kite", "owl"].contains(&label),
        "the label is {label}"
    );
    Ok(())
}

/// A backbone without its last layer does not answer, and says why; how its images are prepared can be said.
async fn untrained(scene: &Scene<'_>, page: &Page, dir: &Path) -> Result<()> {
    page.drop(&[fixtures::torch_backbone(dir)?]).await?;
    let model = |what: &'static str, is: fn(&Seen) -> bool| async move {
        let found = async || Ok(page.first("model-summary").await?.filter(is));
        page.until(what, 60, found).await
    };
    model("the backbone", |m| m.get("data-untrained") == "true").await?;
    page.state("ready", 30).await?;
    page.until("the input size to be free", 10, async || {
        let input = page.first("model-input-size").await?;
        Ok(input.filter(|input| !input.has("disabled")))
    })
    .await?;
    page.client()
        .execute(
            "document.querySelector('[data-testid=input-settings]').open = true",
            vec![],
        )
        .await?;
    page.fill("model-input-size", "96").await?;
    page.choose("model-normalization", "none").await?;
    page.click("set-input").await?;
    model("the input of 96 pixels", |m| {
        let text = m.get("text");
        text.contains("96") && text.contains("no normalisation")
    })
    .await?;
    page.state("ready", 30).await?;
    scene.shoot(page, "untrained").await?;
    page.click("sample").await?;
    page.until("the reason why it does not answer", 30, async || {
        Ok(page
            .text()
            .await?
            .contains("train it before you classify")
            .then_some(()))
    })
    .await?;
    let answers = page.all("prediction").await?;
    ensure!(
        answers.iter().all(|a| a.get("data-label").is_empty()),
        "an untrained head answers: {answers:?}"
    );
    page.state("ready", 30).await?;
    page.click("use-scenes").await?;
    model("the bundled model", |m| m.get("data-untrained") == "false").await?;
    Ok(())
}
