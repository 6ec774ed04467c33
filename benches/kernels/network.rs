//! Whole networks: the wall clock over several forwards with one wait at the end, as a program has it.

use burn::tensor::{Device, Distribution, Tensor};
use retune::config::Arch;
use retune::error::Result;
use retune::kernels::to_host;
use retune::model::backbone::Backbone;
use retune::random::Random;
use serde_json::{Value, json};

use crate::Bench;
use crate::counts::{Counts, computed_ms};
use crate::measure::{Peer, Times, repeats, wall_ms};

/// A measurement lasts about so long, in milliseconds.
const AIM: f64 = 200.0;
/// Most forwards of one: enough that the wait at the end does not count.
const MOST: u32 = 256;

/// The network with weights from a formula: speed does not depend on them as long as no value is so small or
/// so large that hardware treats it apart.
pub fn load(arch: Arch, device: &Device) -> Result<Backbone> {
    Backbone::load(arch, device, value)
}

/// A tensor's values.
pub fn value(name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let n = shape.iter().product();
    let mut random = Random::for_purpose(1, name);
    let mut uniform = |bound: f64| {
        (0..n)
            .map(|_| ((2.0 * random.uniform() - 1.0) * bound) as f32)
            .collect()
    };
    Ok(match (name.rsplit('.').next(), shape) {
        // He et al. 2015, arXiv:1502.01852: a layer's output is as large as its input.
        (_, [_, channels, height, width]) => {
            uniform((6.0 / (channels * height * width) as f64).sqrt())
        }
        // Less than 1, or every residual sum would double the values.
        (Some("weight"), [_]) => vec![0.5; n],
        (Some("running_var"), _) => vec![1.0; n],
        _ => uniform(0.1),
    })
}

/// Rows of both peers at one batch.
pub async fn measure(
    bench: &Bench,
    backbone: &Backbone,
    batch: usize,
    size: usize,
) -> Result<Vec<Value>> {
    let name = backbone.arch().name();
    let x = Tensor::<4>::random(
        [batch, 3, size, size],
        Distribution::Uniform(-1.0, 1.0),
        &bench.device,
    );
    let layers = backbone.layers(batch, size);
    let flops: f64 = layers.iter().map(|(_, conv)| conv.flops()).sum();
    let forward = || drop(backbone.forward(x.clone()));

    // The first forward compiles, allocates and packs; the second says how many to a measurement.
    let mut counts = [1; 2];
    let mut launches = Vec::with_capacity(2);
    let mut features = [Vec::new(), Vec::new()];
    for (i, peer) in Peer::ALL.into_iter().enumerate() {
        peer.select(&bench.gpu);
        features[i] = to_host(backbone.forward(x.clone())).await?;
        launches.push(Counts::of(&bench.gpu, forward));
        counts[i] = repeats(wall_ms(&bench.gpu, 1, forward).await?, AIM, MOST);
    }
    let difference = difference(&features[0], &features[1]);
    let mut times = [Times::default(), Times::default()];
    for _ in 0..bench.runs {
        for (i, peer) in Peer::ALL.into_iter().enumerate() {
            peer.select(&bench.gpu);
            times[i].push(wall_ms(&bench.gpu, counts[i], forward).await?);
        }
    }
    Peer::Retune.select(&bench.gpu);

    let computed = computed_ms(&bench.gpu, &layers, &bench.peaks);
    let row = |((peer, times), launches): ((Peer, &Times), &Counts)| {
        let tflops = flops / times.median() / 1e9;
        let images_s = 1000.0 * batch as f64 / times.median();
        println!(
            "{name} {size} x{batch} {:>6}: {:.3} ms ({:.3} to {:.3}, n={}), {images_s:.1} images/s, \
             {tflops:.3} TFLOP/s, {:.1}% of peak",
            peer.name(),
            times.median(),
            times.min(),
            times.max(),
            times.n(),
            100.0 * tflops / bench.peaks.tflops,
        );
        let mut row = json!({
            "arch": name,
            "size": size,
            "batch": batch,
            "what": "forward",
            "peer": peer.name(),
            "ms_min": times.min(),
            "ms_median": times.median(),
            "ms_max": times.max(),
            "n": times.n(),
            "images_s": images_s,
            "tflops": tflops,
            "peak_share": tflops / bench.peaks.tflops,
            "difference": difference,
        });
        launches.note(&mut row);
        if peer == Peer::Retune {
            row["computed_ms"] = json!(computed);
        }
        row
    };
    println!("{name} {size} x{batch}: ours and burn's differ by {difference:.1e} of the largest");
    let rows = Peer::ALL.into_iter().zip(&times).zip(&launches);
    Ok(rows.map(row).collect())
}

/// Largest difference over the largest value; NaN shows.
fn difference(a: &[f32], b: &[f32]) -> f64 {
    let largest = |values: &mut dyn Iterator<Item = f64>| {
        values.fold(
            0.0,
            |most: f64, v| {
                if v.is_nan() { v } else { most.max(v.abs()) }
            },
        )
    };
    let differences = &mut a.iter().zip(b).map(|(a, b)| f64::from(a - b));
    largest(differences) / largest(&mut b.iter().map(|&v| f64::from(v)))
}
