//! `cargo xtask bench`: what a visitor waits for, measured in Chromium on the CPU path in one run. The
//! kinds of work take turns, so that a machine that slows down slows them all; shown are medians with
//! the span round them. `cargo xtask bench peers` is the same question asked of the peers as well.

mod large;
mod peers;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use xtask::build::{self, Profile};
use xtask::optimize::Goal;

use crate::driver::Driver;
use crate::host::Host;
use crate::page::Page;

/// `cargo xtask bench`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    against: Option<Against>,
    /// Write the figures here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Cargo profile of the wasm.
    #[arg(long, value_enum, default_value = "web")]
    browser_profile: Profile,
    /// Measure this page instead of building one.
    #[arg(long)]
    dist: Option<PathBuf>,
    /// How often each kind of work gets its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// Measurements that are more than Retune's own figures.
#[derive(Debug, Clone, Subcommand)]
enum Against {
    /// Beside onnxruntime-web and TensorFlow.js, in the same Chromium on the same adapter.
    Peers(peers::Options),
}

/// One figure: its key and the command that measures it.
struct Work {
    key: &'static str,
    command: fn() -> Value,
}

const WORK: [Work; 5] = [
    Work {
        key: "classify_ms_150_cpu",
        command: || forward(150, 1, 5),
    },
    Work {
        key: "classify_ms_224_cpu",
        command: || forward(224, 1, 5),
    },
    Work {
        key: FEATURES,
        command: || forward(150, BATCH, 1),
    },
    Work {
        key: "head_epoch_ms_linear_cpu",
        command: || head(Value::Null),
    },
    Work {
        key: "head_epoch_ms_mlp_cpu",
        command: || head(json!(256)),
    },
];

/// Starts a worker on the device given to it and leaves `window.bench`.
const WORKER: &str = include_str!("bench.js");

/// The only figure that is a rate, of batches of so many images.
const FEATURES: &str = "features_per_s_150_cpu";
const BATCH: u32 = 16;

fn forward(size: u32, batch: u32, runs: u32) -> Value {
    json!({ "command": "measure-forward", "size": size, "batch": batch, "runs": runs })
}

/// 1024 samples of 512 features.
fn head(hidden: Value) -> Value {
    json!({ "command": "measure-head", "samples": 1024, "features": 512, "hidden": hidden, "epochs": 3 })
}

/// Measures, prints, and writes the JSON.
pub async fn run(options: &Options) -> Result<()> {
    if let Some(Against::Peers(options)) = &options.against {
        return peers::run(options).await;
    }
    let dist = built(options.dist.as_deref(), options.browser_profile)?;
    let host = Host::start(&dist, Vec::new()).await?;
    let driver = Driver::start().await?;
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    times.insert("ready_ms_cpu", ready(&driver, &host).await?);
    measure(&driver, &host, options.rounds, &mut times).await?;
    let (seconds, megabytes) = large::photo(&driver, &host).await?;
    times.insert("photo_108mp_s", vec![seconds]);
    times.insert("photo_108mp_mb", vec![megabytes]);
    for (key, megabytes) in large::stages(&driver, &host).await? {
        times.insert(key, vec![megabytes]);
    }

    let mut figures = serde_json::Map::new();
    println!("{:<30}{:>12}{:>12}{:>12}", "", "median", "least", "most");
    for (key, values) in &mut times {
        values.sort_by(f64::total_cmp);
        let middle = median(values);
        println!(
            "{key:<30}{middle:>12.2}{:>12.2}{:>12.2}",
            values[0],
            values[values.len() - 1]
        );
        figures.insert((*key).to_owned(), json!(middle));
    }
    for (name, file) in [("page", "page_bg.wasm"), ("worker", "engine_bg.wasm")] {
        for (kind, suffix) in [("brotli", ".br"), ("raw", "")] {
            let bytes = length(&dist.join(format!("{file}{suffix}")))?;
            println!("{:<30}{bytes:>12}", format!("{name}_wasm_{kind}_bytes"));
            figures.insert(format!("{name}_wasm_{kind}_bytes"), json!(bytes));
        }
    }
    match &options.json {
        Some(path) => write_json(path, &Value::Object(figures)),
        None => Ok(()),
    }
}

/// The page to measure: the one that was named, else a fresh one.
fn built(dist: Option<&Path>, profile: Profile) -> Result<PathBuf> {
    if let Some(dist) = dist {
        let page = dist.join("index.html");
        ensure!(page.exists(), "there is no {}", page.display());
        return Ok(dist.to_owned());
    }
    let options = build::Options {
        profile,
        out: crate::default_dist(),
        engine_goal: Goal::Speed,
    };
    Ok(build::build(&options, profile.quality())?.dist)
}

fn write_json(path: &Path, figures: &Value) -> Result<()> {
    let text = serde_json::to_string_pretty(figures)? + "\n";
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn length(file: &Path) -> Result<u64> {
    let data = fs::metadata(file).with_context(|| format!("there is no {}", file.display()))?;
    Ok(data.len())
}

/// Of a sorted, non-empty list.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

/// Milliseconds from navigation to ready, of warm loads: the first one, which fills the browser's cache
/// and storage, does not count.
async fn ready(driver: &Driver, host: &Host) -> Result<Vec<f64>> {
    const LOADS: usize = 7;
    let page = Page::open(driver.open(&host.proxy).await?, &host.url, "?backend=cpu").await?;
    page.state("ready", 120).await?;
    let mut times = Vec::new();
    for _ in 0..LOADS {
        page.reload().await?;
        page.state("ready", 60).await?;
        let script = "const m = performance.getEntriesByName('retune:ready')[0]; \
                      return m ? m.startTime + m.duration : null";
        let time = page.client().execute(script, vec![]).await?;
        times.push(
            time.as_f64()
                .context("the page has no measure retune:ready")?,
        );
    }
    page.close().await?;
    Ok(times)
}

/// Lets the kinds of work take turns in a worker without a page.
async fn measure(
    driver: &Driver,
    host: &Host,
    rounds: u32,
    times: &mut BTreeMap<&'static str, Vec<f64>>,
) -> Result<()> {
    // Any document of the host will do, so that the worker's address is of the same origin.
    let page = Page::open(driver.open(&host.proxy).await?, &host.url, "boot.js").await?;
    let client = page.client();
    let started = client
        .execute_async(WORKER, vec![json!("cpu"), json!("")])
        .await?;
    ensure!(
        started["error"].is_null(),
        "the worker: {}",
        started["error"]
    );
    for _ in 0..rounds {
        for work in &WORK {
            let script = "window.bench(arguments[0]).then(arguments[1])";
            let answer = client.execute_async(script, vec![(work.command)()]).await?;
            let Some(measured) = answer["milliseconds"].as_array() else {
                bail!("{}: {}", work.key, answer["error"]);
            };
            for milliseconds in measured.iter().filter_map(Value::as_f64) {
                let figure = match work.key {
                    FEATURES => f64::from(BATCH) * 1000.0 / milliseconds,
                    _ => milliseconds,
                };
                times.entry(work.key).or_default().push(figure);
            }
        }
    }
    page.close().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        assert!((median(&[1.0, 2.0, 30.0]) - 2.0).abs() < 1e-12);
        assert!((median(&[1.0, 2.0, 4.0, 30.0]) - 3.0).abs() < 1e-12);
    }
}
