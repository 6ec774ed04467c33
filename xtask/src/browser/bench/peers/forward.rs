//! Images on the host to logits on the host, cell by cell, the contestants in turns.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::super::median;
use super::site::Installed;
use super::stage::{Stage, numbers, text};
use super::{Arena, Options, Peer};

/// Largest difference of a peer's logits from the reference, as a share of the largest logit. Sums of floats
/// in another order differ by some 1e-6; a wrong layout or padding by 1e-1.
const TOLERANCE: f64 = 1e-3;

/// Runs quicker than this, in milliseconds, are done in threes after one that does not count, so that
/// clocks and caches are as in use; what is slower does not notice a run before.
const QUICK: f64 = 1000.0;
const RUNS: u32 = 3;

/// Longest run, in milliseconds, that is made for nothing before a cell begins.
const CHEAP: f64 = 5000.0;

/// Inputs of one size and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    size: u32,
    batch: u32,
}

impl FromStr for Cell {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        // Both bounded by what the peers' input files hold.
        let parsed = text.split_once('x').and_then(|(size, batch)| {
            Some(Self {
                size: size.parse().ok().filter(|size| [150, 224].contains(size))?,
                batch: batch
                    .parse()
                    .ok()
                    .filter(|batch| (1..=16).contains(batch))?,
            })
        });
        parsed.context("a cell is 150 or 224, x, 1 to 16; such as 150x1")
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{0}x{0}, batch {1}", self.size, self.batch)
    }
}

/// What a contestant did in a cell.
#[derive(Default)]
struct Times {
    milliseconds: Vec<f64>,
    /// Milliseconds spent, with what is not timed.
    spent: f64,
    /// Whether the first time is also the first run with such a batch.
    cold: bool,
}

/// Measures all cells, prints them, and adds them to the figures.
pub async fn run(
    arena: &Arena,
    installed: &Installed,
    options: &Options,
    contestants: &[Peer],
    figures: &mut Map<String, Value>,
) -> Result<()> {
    let mut out = Report::default();
    let mut stage = Stage::empty(arena).await?;
    let mut present = Vec::new();
    for &peer in contestants {
        match stage.admit(arena, peer).await {
            Ok(()) => present.push(peer),
            Err(error) => out.fail(peer, None, &error),
        }
    }
    let mut checked = Vec::new();
    for &cell in &options.cells {
        if !checked.contains(&cell.size) {
            let reference = installed.floats(&format!("logits{}.bin", cell.size))?;
            let mut right = Vec::new();
            for peer in present {
                match check(&stage, peer, cell.size, &reference).await {
                    Ok(()) => right.push(peer),
                    Err(error) => out.fail(peer, Some(cell), &error),
                }
            }
            present = right;
            checked.push(cell.size);
        }
        let times = turns(&stage, options, &present, cell, &mut out).await;
        out.cell(cell, &times);
    }
    stage.close().await?;
    figures.insert("rows".to_owned(), Value::Array(out.rows));
    figures.insert("ratios".to_owned(), Value::Array(out.ratios));
    figures.insert("failed".to_owned(), Value::Array(out.failed));
    Ok(())
}

/// Compares a peer's logits of one image with the definition's, summed in 64 bits; this is its first run at that size as well. Ours
/// are compared with other implementations by the tests.
async fn check(stage: &Stage, peer: Peer, size: u32, reference: &[f32]) -> Result<()> {
    if peer.is_ours() {
        return Ok(());
    }
    let logits = numbers(&stage.call(peer, "logits", json!([size, 1])).await?)?;
    let reference = reference.get(..logits.len()).unwrap_or_default();
    ensure!(
        !reference.is_empty(),
        "{} logits are more than the reference has",
        logits.len()
    );
    let pairs = logits.iter().zip(reference.iter().map(|&v| f64::from(v)));
    // `max` forgets a NaN, a sum does not.
    ensure!(logits.iter().sum::<f64>().is_finite(), "logits not finite");
    let (difference, largest) = pairs.fold((0.0, 0.0), |(d, m): (f64, f64), (a, b)| {
        (d.max((a - b).abs()), m.max(b.abs()))
    });
    ensure!(
        difference <= TOLERANCE * largest,
        "logits up to {difference:.1e} from the reference, of {largest:.1e} at most"
    );
    Ok(())
}

/// The rounds of one cell. Who fails gets no further turn in it.
async fn turns(
    stage: &Stage,
    options: &Options,
    present: &[Peer],
    cell: Cell,
    out: &mut Report,
) -> BTreeMap<Peer, Times> {
    let mut times: BTreeMap<Peer, Times> = present.iter().map(|&p| (p, Times::default())).collect();
    for _ in 0..options.rounds {
        for &peer in present {
            let Some(so_far) = times.get_mut(&peer) else {
                continue;
            };
            let in_time = so_far.spent < options.minutes * 60_000.0;
            if !so_far.milliseconds.is_empty() && !in_time {
                continue;
            }
            let start = Instant::now();
            match turn(stage, peer, cell, so_far, out.image(cell.size, peer)).await {
                Ok(()) => so_far.spent += start.elapsed().as_secs_f64() * 1000.0,
                Err(error) => {
                    out.fail(peer, Some(cell), &error);
                    times.remove(&peer);
                }
            }
        }
    }
    times
}

/// One contestant's turn. `image` is how long one image took it, if that is known.
async fn turn(
    stage: &Stage,
    peer: Peer,
    cell: Cell,
    times: &mut Times,
    image: Option<f64>,
) -> Result<()> {
    let Cell { size, batch } = cell;
    let first = times.milliseconds.is_empty();
    let expected = match times.milliseconds.last() {
        Some(&last) => last,
        // One image is tried at once; a batch that nothing is known of might take minutes.
        None if batch == 1 => 0.0,
        None => image.unwrap_or(f64::INFINITY) * f64::from(batch),
    };
    let quick = expected < QUICK;
    let runs = if quick { RUNS } else { 1 };
    if peer.is_ours() {
        // The worker makes one run for nothing by itself.
        let command =
            json!({ "command": "measure-forward", "size": size, "batch": batch, "runs": runs });
        let answer = stage.command(peer, command).await?;
        ensure!(answer["error"].is_null(), "{}", text(&answer["error"]));
        times.milliseconds.extend(numbers(&answer["milliseconds"])?);
        return Ok(());
    }
    let warm = u32::from(quick || first && expected < CHEAP);
    times.cold |= first && warm == 0;
    let answer = stage
        .call(peer, "infer", json!([size, batch, warm + runs]))
        .await?;
    let all = numbers(&answer)?;
    if all.len() != (warm + runs) as usize {
        bail!("{} times for {} runs", all.len(), warm + runs);
    }
    times.milliseconds.extend(&all[warm as usize..]);
    Ok(())
}

/// What was found, printed as it comes: a bench that runs for half an hour should not be silent.
#[derive(Default)]
struct Report {
    rows: Vec<Value>,
    ratios: Vec<Value>,
    failed: Vec<Value>,
    /// Median milliseconds of one image, by its size.
    images: BTreeMap<(u32, Peer), f64>,
}

impl Report {
    fn image(&self, size: u32, peer: Peer) -> Option<f64> {
        self.images.get(&(size, peer)).copied()
    }

    fn fail(&mut self, peer: Peer, cell: Option<Cell>, error: &anyhow::Error) {
        let (name, error) = (peer.name(), format!("{error:#}"));
        println!("{name} failed: {error}");
        let (size, batch) = cell.map(|c| (c.size, c.batch)).unzip();
        self.failed
            .push(json!({ "size": size, "batch": batch, "peer": name, "error": error }));
    }

    fn cell(&mut self, cell: Cell, times: &BTreeMap<Peer, Times>) {
        let Cell { size, batch } = cell;
        println!("\n{cell}");
        println!(
            "{:<16}{:>12}{:>12}{:>12}{:>5}{:>12}",
            "", "least ms", "median ms", "most ms", "n", "images/s"
        );
        let mut medians = BTreeMap::new();
        for (&peer, times) in times {
            let mut sorted = times.milliseconds.clone();
            sorted.sort_by(f64::total_cmp);
            let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else {
                continue;
            };
            let middle = median(&sorted);
            medians.insert(peer, middle);
            if batch == 1 {
                self.images.insert((size, peer), middle);
            }
            println!(
                "{:<16}{least:>12.2}{middle:>12.2}{most:>12.2}{:>5}{:>12.3}{}",
                peer.name(),
                sorted.len(),
                f64::from(batch) * 1000.0 / middle,
                if times.cold {
                    "  first run included"
                } else {
                    ""
                }
            );
            self.rows.push(json!({
                "size": size, "batch": batch, "peer": peer.name(),
                "ms_min": least, "ms_median": middle, "ms_max": most, "n": sorted.len(),
            }));
        }
        for (ours, rivals) in Peer::RIVALS {
            let best = rivals.iter().filter_map(|r| Some((*r, *medians.get(r)?)));
            let best = best.min_by(|a, b| a.1.total_cmp(&b.1));
            if let (Some(&milliseconds), Some((rival, best))) = (medians.get(&ours), best) {
                let (name, rival, ratio) = (ours.name(), rival.name(), best / milliseconds);
                println!("{rival} / {name}: {ratio:.2} (over 1: Retune is quicker)");
                self.ratios.push(json!({
                    "size": size, "batch": batch, "retune": name, "best_peer": rival, "ratio": ratio,
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_what_the_peers_have_inputs_for() {
        let cell: Cell = "224x16".parse().unwrap();
        assert_eq!((cell.size, cell.batch), (224, 16));
        for wrong in ["224", "200x1", "150x0", "150x17", "x1", "150x1x1"] {
            assert!(wrong.parse::<Cell>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_ratio_is_taken_from_the_best_rival_on_the_same_device() {
        let timed = |milliseconds: f64| Times {
            milliseconds: vec![milliseconds],
            ..Times::default()
        };
        let times = BTreeMap::from([
            (Peer::RetuneWebgpu, timed(10.0)),
            (Peer::OrtWebgpu, timed(30.0)),
            (Peer::TfjsWebgpu, timed(20.0)),
            (Peer::OrtWasm1, timed(1.0)),
        ]);
        let mut report = Report::default();
        report.cell("150x1".parse().unwrap(), &times);
        assert_eq!(report.ratios.len(), 1);
        assert_eq!(report.ratios[0]["best_peer"], "tfjs-webgpu");
        assert_eq!(report.ratios[0]["ratio"], 2.0);
        assert_eq!(report.rows.len(), 4);
    }
}
