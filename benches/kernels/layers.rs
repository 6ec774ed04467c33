//! Layer by layer: each distinct convolution of a network with bias and ReLU, its input as warm in the caches
//! as repetition makes it. The GPU's own clock where it has one.

use burn::tensor::{Distribution, Tensor};
use retune::error::Result;
use retune::kernels::conv::Conv2d;
use retune::kernels::shape::ConvShape;
use serde_json::{Value, json};

use crate::Bench;
use crate::measure::{Peer, Times, device_ms, repeats};

/// A measurement lasts about so long, in milliseconds.
const AIM: f64 = 2.0;

/// A row for each distinct layer, in the order of their first use.
pub async fn measure(
    bench: &Bench,
    name: &str,
    size: usize,
    layers: &[(&Conv2d, ConvShape)],
) -> Result<Vec<Value>> {
    let mut distinct: Vec<(&Conv2d, ConvShape, usize)> = Vec::new();
    for &(layer, conv) in layers {
        match distinct.iter_mut().find(|(_, other, _)| *other == conv) {
            Some((_, _, count)) => *count += 1,
            None => distinct.push((layer, conv, 1)),
        }
    }
    let mut rows = Vec::with_capacity(distinct.len());
    for (layer, conv, count) in distinct {
        rows.push(one(bench, name, size, layer, &conv, count).await?);
    }
    Ok(rows)
}

async fn one(
    bench: &Bench,
    name: &str,
    size: usize,
    layer: &Conv2d,
    conv: &ConvShape,
    count: usize,
) -> Result<Value> {
    let range = Distribution::Uniform(-1.0, 1.0);
    let x = Tensor::<4>::random(conv.in_dims(), range, &bench.device);
    let forward = || drop(layer.forward(x.clone(), None, true));
    let mut counts = [1; 2];
    for (i, peer) in Peer::ALL.into_iter().enumerate() {
        peer.select(&bench.gpu);
        device_ms(&bench.gpu, 1, &forward).await?;
        counts[i] = repeats(device_ms(&bench.gpu, 1, &forward).await?, AIM, 64);
    }
    let mut times = [Times::default(), Times::default()];
    for _ in 0..bench.runs {
        for (i, peer) in Peer::ALL.into_iter().enumerate() {
            peer.select(&bench.gpu);
            times[i].push(device_ms(&bench.gpu, counts[i], &forward).await?);
        }
    }
    Peer::Retune.select(&bench.gpu);

    let [ours, burn] = &times;
    let tflops = conv.flops() / ours.median() / 1e9;
    let bytes = bytes(conv);
    let (shape, kernel) = (shape(conv), layer.runs_on(&x));
    let limit = bench.peaks.limit(conv.flops(), bytes, ours.median());
    println!(
        "{name} x{} {shape} ({count} times): {kernel} {:.4} ms, burn {:.4} ms, {tflops:.3} TFLOP/s, \
         {:.1}% of peak, {limit}",
        conv.images,
        ours.median(),
        burn.median(),
        100.0 * tflops / bench.peaks.tflops,
    );
    Ok(json!({
        "arch": name,
        "size": size,
        "batch": conv.images,
        "layer": shape,
        "count": count,
        "kernel": kernel,
        "ms_min": ours.min(),
        "ms_median": ours.median(),
        "ms_max": ours.max(),
        "burn_ms_min": burn.min(),
        "burn_ms_median": burn.median(),
        "burn_ms_max": burn.max(),
        "n": ours.n(),
        "tflops": tflops,
        "peak_share": tflops / bench.peaks.tflops,
        "bytes": bytes,
        "gb_s": bytes / ours.median() / 1e6,
        "limit": limit,
    }))
}

/// The layer in a word: input, kernel, stride, groups, output channels. `torch_resnet.py` writes the same.
fn shape(conv: &ConvShape) -> String {
    let [_, channels, height, width] = conv.in_dims();
    format!(
        "{channels}x{height}x{width} k{} s{} g{} -> {}",
        conv.kernel[0],
        conv.geometry.stride,
        conv.geometry.groups,
        conv.out_dims()[1]
    )
}

/// Input, weights, bias and output, each once: no kernel moves less from and to memory unless they are cached.
fn bytes(conv: &ConvShape) -> f64 {
    let inputs: usize = conv.in_dims().iter().product();
    let outputs: usize = conv.out_dims().iter().product();
    let weights = (conv.depth() + 1) * conv.out_dims()[1];
    4.0 * (inputs + weights + outputs) as f64
}
