//! One step of fine-tuning: the last stage of a ResNet-18 and a head of six classes, on activations of the
//! stage before, which is frozen and so was computed once. TensorFlow.js has no such program to take as it
//! stands; `benches/peers/pages/layer4.js` is one as a careful user of it would write it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::super::median;
use super::stage::{Stage, numbers, text};
use super::{Arena, Kind, Peer};

/// Images a step, where such a step is done in time; halved until it is.
const BATCH: u32 = 32;

/// Images of a first step, which shows how many can be afforded.
const PROBE: u32 = 4;

/// Steps to time, where they are quick enough.
const STEPS: u32 = 3;

/// Time for one contestant at one size. On a software adapter it is hardly enough for one step.
const LIMIT: Duration = Duration::from_secs(300);

/// Images of the epoch that a step stands for.
const EPOCH: u32 = 600;

/// Measures, prints, and adds to the figures.
pub async fn run(
    arena: &Arena,
    contestants: &[Peer],
    figures: &mut Map<String, Value>,
) -> Result<()> {
    println!("\nfine-tuning layer4 and head, a step with Adam, batch norm frozen");
    println!(
        "{:<16}{:>8}{:>8}{:>12}{:>12}{:>12}{:>5}{:>28}",
        "", "input", "batch", "least ms", "median ms", "most ms", "n", "epoch of 600, extrapolated"
    );
    let mut rows = Vec::new();
    for size in [150, 224] {
        for &peer in contestants {
            let name = peer.name();
            let mut row = json!({ "size": size, "peer": name });
            match measure(arena, peer, size).await {
                Ok((batch, mut times)) => {
                    times.sort_by(f64::total_cmp);
                    let [least, middle, most] = [times[0], median(&times), times[times.len() - 1]];
                    let epoch = middle * f64::from(EPOCH) / f64::from(batch);
                    println!(
                        "{name:<16}{size:>8}{batch:>8}{least:>12.1}{middle:>12.1}{most:>12.1}{:>5}{:>26.1} s",
                        times.len(),
                        epoch / 1000.0
                    );
                    row["batch"] = json!(batch);
                    row["ms_min"] = json!(least);
                    row["ms_median"] = json!(middle);
                    row["ms_max"] = json!(most);
                    row["n"] = json!(times.len());
                    row["epoch_600_ms"] = json!(epoch);
                    row["extrapolated"] = json!(true);
                }
                Err(error) => {
                    println!("{name:<16}{size:>8}  {error:#}");
                    row["error"] = json!(format!("{error:#}"));
                }
            }
            rows.push(row);
        }
    }
    figures.insert("fine_tune".to_owned(), Value::Array(rows));
    Ok(())
}

/// The batch that there was time for, and milliseconds of each step.
async fn measure(arena: &Arena, peer: Peer, size: u32) -> Result<(u32, Vec<f64>)> {
    let mut stage = Stage::empty(arena).await?;
    match peer.kind() {
        Kind::Worker { .. } => stage.admit(arena, peer).await?,
        Kind::Page { address } => {
            let Some((_, query)) = address.split_once("tfjs.html?") else {
                bail!("not available: onnxruntime-web cannot train");
            };
            let url = format!("{}layer4.html?{query}", arena.site.url);
            stage.page(peer, &url).await?;
        }
    }
    stage.limit(LIMIT).await?;
    let start = Instant::now();
    let mut times = steps(&stage, peer, size, PROBE, 1).await?;
    let took = start.elapsed();
    let left = LIMIT.saturating_sub(took);
    // A fifth is kept back: the next steps may be slower than the first one promised.
    let fits = |images: u32| took * images / PROBE < left * 4 / 5;
    let batch = affordable(fits);
    if batch > PROBE {
        stage.limit(left).await?;
        let count = if fits(batch * (STEPS + 1)) { STEPS } else { 1 };
        times = steps(&stage, peer, size, batch, count).await?;
    }
    ensure!(!times.is_empty(), "no step was timed");
    stage.close().await?;
    Ok((batch, times))
}

/// The largest batch of which one step fits.
fn affordable(fits: impl Fn(u32) -> bool) -> u32 {
    let halves = std::iter::successors(Some(BATCH), |batch| Some(batch / 2));
    let mut fitting = halves.filter(|&batch| batch <= PROBE || fits(batch));
    fitting.next().unwrap_or(PROBE)
}

/// Milliseconds of each step. Where there are several, one more came before them that does not count.
async fn steps(stage: &Stage, peer: Peer, size: u32, batch: u32, count: u32) -> Result<Vec<f64>> {
    if peer.is_ours() {
        let command = json!({
            "command": "measure-fine-tune", "size": size, "batch": batch, "steps": count,
        });
        let answer = stage.command(peer, command).await?;
        if answer["unknown"] == true {
            bail!("not available: this build's worker does not know measure-fine-tune");
        }
        ensure!(answer["error"].is_null(), "{}", text(&answer["error"]));
        return numbers(&answer["milliseconds"]);
    }
    let warm = u32::from(count > 1);
    let args = json!([size, batch, warm + count]);
    let answer = stage.call(peer, "steps", args).await?;
    let losses = numbers(&answer["losses"])?;
    ensure!(
        losses.iter().all(|loss| loss.is_finite()),
        "losses {losses:?}"
    );
    let times = numbers(&answer["milliseconds"])?;
    Ok(times.into_iter().skip(warm as usize).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_is_halved_until_it_fits_and_never_below_the_probe() {
        assert_eq!(affordable(|_| true), BATCH);
        assert_eq!(affordable(|images| images < 20), 16);
        assert_eq!(affordable(|_| false), PROBE);
    }
}
