//! Memory: what a tab holds while it does a small training, as on a phone, and for a photo of 108 megapixels, as phones
//! take them; how long that takes, too.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use image::{ImageFormat, RgbImage};
use tempfile::TempDir;

use crate::driver::Driver;
use crate::host::Host;
use crate::page::Page;

/// Edges in pixels.
const PHOTO: [u32; 2] = [12_000, 9_000];

/// A JPEG of this width and height in pixels, its colours of patches of so many, in a folder that goes when it is dropped.
fn jpeg([width, height]: [u32; 2], patch: u32) -> Result<(TempDir, PathBuf)> {
    let dir = TempDir::new()?;
    let file = dir.path().join("photo.jpg");
    let shade = |x: u32, y: u32| image::Rgb([(x / patch) as u8, (y / patch) as u8, (x ^ y) as u8]);
    RgbImage::from_fn(width, height, shade).save_with_format(&file, ImageFormat::Jpeg)?;
    Ok((dir, file))
}

/// The page on the CPU path in a new browser, and that one's profile.
async fn open(driver: &Driver, host: &Host) -> Result<(Page, PathBuf)> {
    let browser = driver.open(&host.proxy).await?;
    let profile = browser.home().to_owned();
    let page = Page::open(browser, &host.url, "?backend=cpu").await?;
    Ok((page, profile))
}

/// Seconds from dropping the photo to its label, and by how many megabytes the tab's process grew at the most.
pub async fn photo(driver: &Driver, host: &Host) -> Result<(f64, f64)> {
    let (_dir, file) = jpeg(PHOTO, 50)?;
    let (page, profile) = open(driver, host).await?;
    page.state("ready", 120).await?;
    let before = peak(&profile)?;
    let start = Instant::now();
    page.put("image-input", &[file]).await?;
    let seen = page.appears("prediction", 180).await?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(!seen.get("data-label").is_empty(), "no label: {seen:?}");
    let grown = peak(&profile)? - before;
    page.close().await?;
    Ok((seconds, grown))
}

/// The most megabytes that the tab's process has held, at 360 pixels' width: once the page was ready, after a photo, after
/// the head was trained on the 240 images of the demo set at 150 pixels, and after the last stage was.
pub async fn stages(driver: &Driver, host: &Host) -> Result<[(&'static str, f64); 4]> {
    let (_dir, file) = jpeg([1600, 1200], 8)?;
    let (page, profile) = open(driver, host).await?;
    page.client().set_window_size(360, 740).await?;
    page.state("ready", 120).await?;
    let ready = peak(&profile)?;
    page.put("image-input", &[file]).await?;
    page.appears("prediction", 60).await?;
    let photo = peak(&profile)?;
    page.click("demo-data").await?;
    page.appears("dataset-summary", 60).await?;
    let mut trained = [0.0; 2];
    for (scope, most) in ["head", "last-stage"].into_iter().zip(&mut trained) {
        page.choose("scope-select", scope).await?;
        page.fill("epochs-input", "2").await?;
        page.click("train-start").await?;
        page.until("the second epoch", 400, async || {
            let rows = page.all("epoch").await?;
            Ok((rows.len() == 2).then_some(()))
        })
        .await?;
        page.state("ready", 60).await?;
        *most = peak(&profile)?;
    }
    page.close().await?;
    let [head, stage] = trained;
    Ok([
        ("memory_ready_mb", ready),
        ("memory_photo_mb", photo),
        ("memory_train_head_mb", head),
        ("memory_train_last_stage_mb", stage),
    ])
}

/// The most megabytes that the largest tab of this profile has held so far (Linux's `VmHWM`).
fn peak(profile: &Path) -> Result<f64> {
    let profile = profile.display().to_string();
    let mut most: f64 = 0.0;
    for process in fs::read_dir("/proc")?.filter_map(Result::ok) {
        let read = |name: &str| fs::read_to_string(process.path().join(name)).unwrap_or_default();
        let command = read("cmdline");
        if !command.contains("--type=renderer") || !command.contains(&profile) {
            continue;
        }
        let status = read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        let kilobytes: f64 = kilobytes.context("no VmHWM")?.parse()?;
        most = most.max(kilobytes / 1000.0);
    }
    ensure!(most > 0.0, "there is no tab of {profile}");
    Ok(most)
}
