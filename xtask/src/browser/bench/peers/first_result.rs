//! From the navigation to the first result, as a first visitor has it: nothing in the cache, no shader
//! compiled. A browser in a new profile for each figure; everything comes from this machine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use image::ImageFormat;
use serde_json::{Map, Value, json};

use super::super::median;
use super::stage::{backend, text};
use super::{Arena, Kind, Peer};
use crate::driver::{Browser, Vendor};
use crate::fixtures;

/// Longest wait for a result.
const PATIENCE: Duration = Duration::from_secs(300);

/// Edge of the peers' input.
const SIZE: u32 = 224;

/// Measures, prints, and adds to the figures.
pub async fn run(
    arena: &Arena,
    rounds: u32,
    contestants: &[Peer],
    figures: &mut Map<String, Value>,
) -> Result<()> {
    let mut times: BTreeMap<Peer, Vec<f64>> = BTreeMap::new();
    let mut failed = BTreeMap::new();
    for _ in 0..rounds {
        for &peer in contestants {
            if failed.contains_key(&peer) {
                continue;
            }
            let browser = arena.driver.open(&arena.host.proxy).await?;
            match measure(arena, &browser, peer).await {
                Ok(milliseconds) => {
                    browser.close().await?;
                    times.entry(peer).or_default().push(milliseconds);
                }
                // The browser is not closed but dropped: it may no longer answer.
                Err(error) => drop(failed.insert(peer, format!("{error:#}"))),
            }
        }
    }
    println!("\nnavigation to first result, new browser profile, files from localhost");
    println!(
        "{:<16}{:>8}{:>12}{:>12}{:>12}{:>5}",
        "", "input", "least ms", "median ms", "most ms", "n"
    );
    let mut rows = Vec::new();
    for (&peer, times) in &mut times {
        times.sort_by(f64::total_cmp);
        let [least, middle, most] = [times[0], median(times), times[times.len() - 1]];
        // The page has no setting for its input: that belongs to a model, and to the bundled one 150.
        let size = if peer.is_ours() { 150 } else { SIZE };
        let (name, n) = (peer.name(), times.len());
        println!("{name:<16}{size:>8}{least:>12.0}{middle:>12.0}{most:>12.0}{n:>5}");
        rows.push(json!({
            "size": size, "peer": name, "ms_min": least, "ms_median": middle, "ms_max": most, "n": n,
        }));
    }
    for (peer, error) in &failed {
        println!("{} failed: {error}", peer.name());
        rows.push(json!({ "peer": peer.name(), "error": error }));
    }
    if times.keys().any(|peer| peer.is_ours()) {
        println!(
            "ours: the whole page and its own default, 150 x 150 (there is no setting for 224), from a JPEG \
             to the label in the document; theirs: a bare page, {SIZE} x {SIZE}, from a tensor to logits"
        );
    }
    figures.insert("first_result".to_owned(), Value::Array(rows));
    Ok(())
}

async fn measure(arena: &Arena, browser: &Browser, peer: Peer) -> Result<f64> {
    let client = &browser.client;
    match peer.kind() {
        Kind::Worker { device, query } => {
            let photo = fixtures::encoded(fixtures::CLASSES[1].1, 0, ImageFormat::Jpeg)?;
            let photo = serde_json::to_string(&photo)?;
            let script = format!(
                "const photo = {photo};\n{}",
                include_str!("first_result.js")
            );
            let before = Vendor {
                path: "goog/cdp/execute",
                body: json!({
                    "cmd": "Page.addScriptToEvaluateOnNewDocument",
                    "params": { "source": script },
                }),
            };
            client.issue_cmd(before).await?;
            let backend = backend(device);
            let more = query.replace('?', "&");
            let url = format!("{}?backend={backend}{more}", arena.host.url);
            client.goto(&url).await?;
            let seen = wait(browser, "return globalThis.firstResult").await?;
            ensure!(seen["error"].is_null(), "{}", text(&seen["error"]));
            ensure!(
                seen["device"] == backend,
                "it ran on {}, not on {backend}",
                seen["device"]
            );
            seen["milliseconds"].as_f64().context("no time")
        }
        Kind::Page { address } => {
            let url = format!("{}{address}&cold={SIZE}", arena.site.url);
            client.goto(&url).await?;
            let ready = wait(browser, "return globalThis.ready").await?;
            ensure!(ready == "ok", "{}", text(&ready));
            let time = client.execute("return globalThis.coldMs", vec![]).await?;
            time.as_f64().context("the page measured nothing")
        }
    }
}

/// Looks until the script returns something.
async fn wait(browser: &Browser, script: &str) -> Result<Value> {
    let start = Instant::now();
    loop {
        let found = browser.client.execute(script, vec![]).await?;
        if !found.is_null() {
            return Ok(found);
        }
        ensure!(
            start.elapsed() < PATIENCE,
            "no result after {} s",
            PATIENCE.as_secs()
        );
        // Seldom, as each look takes time from what is measured.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
