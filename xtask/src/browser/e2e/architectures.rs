//! Any architecture to look at: its numbers, its layers, its drawing by keyboard, what scaling makes of it.

use anyhow::{Context, Result, ensure};

use super::Scene;
use crate::page::{Page, Seen};

const ENTER: char = '\u{E007}';
const LEFT: char = '\u{E012}';
const RIGHT: char = '\u{E014}';
const DOWN: char = '\u{E015}';

pub async fn architectures(scene: &Scene<'_>) -> Result<()> {
    scene
        .on_cpu("", async |page| {
            ensure!(
                page.first("drawing").await?.is_none(),
                "something is drawn before it is asked for"
            );
            page.click("architectures-open").await?;
            page.becomes("architecture-facts", "data-arch", "resnet18", 5)
                .await?;
            page.choose("architecture", "densenet121").await?;
            numbers(page).await?;
            layers(page).await?;
            drawing(page).await?;
            scene.shoot(page, "architectures").await?;
            edge(page).await?;
            scaling(page).await?;
            papers(page).await
        })
        .await
}

/// torchvision's numbers, without the head.
async fn numbers(page: &Page) -> Result<()> {
    let facts = page
        .becomes("architecture-facts", "data-arch", "densenet121", 5)
        .await?;
    ensure!(
        facts.get("data-products") == "120",
        "121 layers less the last are {}",
        facts.get("data-products")
    );
    ensure!(
        facts.get("data-parameters") == "6953856",
        "another number of parameters: {}",
        facts.get("data-parameters")
    );
    let text = facts.get("text");
    ensure!(text.contains("BSD-3-Clause"), "no licence in: {text}");
    Ok(())
}

/// Layers are there for an open stage only.
async fn layers(page: &Page) -> Result<()> {
    ensure!(
        page.all("layers-stage").await?.len() == 6,
        "a stem, four stages and the pool"
    );
    ensure!(
        page.all("layer").await?.is_empty(),
        "layers before a stage is open"
    );
    page.press("layers-stage-1", ENTER).await?;
    page.becomes("layers-stage-1", "aria-expanded", "true", 5)
        .await?;
    // Six layers of four and a transition of three.
    let rows = page.all("layer").await?.len();
    ensure!(rows == 27, "denseblock1 has {rows} layers");
    let joints = page.all("joint").await?;
    ensure!(
        joints.len() == 6 && joints[0].get("text").contains("features.pool0 and"),
        "a concatenation behind each layer: {joints:?}"
    );
    page.press("layers-stage-1", ENTER).await?;
    page.becomes("layers-stage-1", "aria-expanded", "false", 5)
        .await?;
    Ok(())
}

/// The stem opens and closes by keyboard and keeps the focus.
async fn drawing(page: &Page) -> Result<()> {
    let drawing = page.appears("drawing", 5).await?;
    ensure!(drawing.get("data-boxes") == "6", "six boxes: {drawing:?}");
    ensure!(drawing.get("role") == "tree", "no tree for who hears it");
    let stem = group(page).await?;
    ensure!(
        stem.get("aria-label").contains("stem"),
        "a box without its name: {stem:?}"
    );
    page.press("drawing-group", ENTER).await?;
    page.becomes("drawing", "data-boxes", "11", 5).await?;
    ensure!(
        group(page).await?.get("aria-expanded") == "true",
        "the stem is not said to be open"
    );
    ensure!(focused(page).await?.contains("stem"), "the focus is lost");
    page.press("drawing-group", DOWN).await?;
    page.until("the focus on a layer", 5, async || {
        Ok(focused(page).await?.contains("image").then_some(()))
    })
    .await?;
    page.press("drawing-group", LEFT).await?;
    page.becomes("drawing", "data-boxes", "6", 5).await?;
    page.press("drawing-group", RIGHT).await?;
    page.becomes("drawing", "data-boxes", "11", 5).await?;
    page.press("drawing-group", RIGHT).await?;
    page.until("the focus inside", 5, async || {
        Ok(focused(page).await?.contains("image").then_some(()))
    })
    .await?;
    page.click("drawing-close").await?;
    page.becomes("drawing", "data-boxes", "6", 5).await?;
    Ok(())
}

async fn group(page: &Page) -> Result<Seen> {
    let found = page.first("drawing-group").await?;
    found.context("there is no drawing-group")
}

/// What the element that has the focus is called.
async fn focused(page: &Page) -> Result<String> {
    let script = "return document.activeElement.getAttribute('aria-label') || ''";
    let label = page.client().execute(script, vec![]).await?;
    Ok(label.as_str().unwrap_or_default().to_owned())
}

/// An image that is too small is said; a larger one costs more.
async fn edge(page: &Page) -> Result<()> {
    page.fill("architecture-edge", "x").await?;
    page.becomes("architecture-edge", "aria-invalid", "true", 5)
        .await?;
    page.fill("architecture-edge", "448").await?;
    let four_times = page.until("the larger image", 5, async || {
        let facts = page.first("architecture-facts").await?;
        let facts = facts.filter(|facts| facts.get("data-multiply-adds") == "11332550656");
        Ok(facts)
    });
    four_times.await?;
    Ok(())
}

/// Phi 0 is the base; alpha alone breaks the constraint.
async fn scaling(page: &Page) -> Result<()> {
    page.fill("scaling-phi", "0").await?;
    page.becomes("scaling-facts", "data-parameters", "5288548", 5)
        .await?;
    page.fill("scaling-phi", "3").await?;
    page.becomes("scaling-facts", "data-edge", "341", 5).await?;
    page.becomes("scaling-constraint", "data-doubles", "true", 5)
        .await?;
    page.becomes("scaling-charts", "data-members", "8", 5)
        .await?;
    page.fill("scaling-alpha", "1").await?;
    let off = page
        .becomes("scaling-constraint", "data-doubles", "false", 5)
        .await?;
    ensure!(
        off.get("text").contains("Off"),
        "the constraint is off and not said to be"
    );
    page.choose("scaling-base", "ResNet-50").await?;
    page.becomes("scaling-charts", "data-members", "0", 5)
        .await?;
    Ok(())
}

/// The papers' tables are computed when they are opened, and say why what differs does.
async fn papers(page: &Page) -> Result<()> {
    ensure!(
        page.first("papers-table").await?.is_none(),
        "the papers' tables are there before they are opened"
    );
    page.click("papers-open").await?;
    page.becomes("papers-table", "data-rows", "5", 10).await?;
    let tables = page.all("papers-table").await?;
    ensure!(
        tables.len() == 2 && tables[1].get("data-rows") == "24",
        "two tables: {tables:?}"
    );
    let text = tables[1].get("text");
    ensure!(
        text.contains("printed only") && text.contains("≠"),
        "nothing is marked in: {text}"
    );
    let notes = page.appears("papers-notes", 5).await?;
    ensure!(
        notes.get("text").contains("(V1.5)"),
        "no reason in: {notes:?}"
    );
    Ok(())
}
