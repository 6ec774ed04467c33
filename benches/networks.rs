//! Every network on the CPU: how far its logits are from torchvision's or timm's for the same weights, and the time of a
//! forward of one image. `benches/torch_networks.py` runs this program and PyTorch in turn and prints a table.
//!
//! `cargo bench --bench networks -- [--arch NAME,NAME] [--size 224] [--runs 5]`, with `RAYON_NUM_THREADS=1` on one
//! thread: a line of JSON a network.

#[path = "../tests/formula/mod.rs"]
mod formula;

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use formula::{fill, uniform};
use retune::config::{Arch, HeadKind};
use retune::model::backbone::Backbone;
use retune::model::head::{Head, HeadSpec, to_host};
use retune::model::inspect::inspect;
use retune::weights::names;
use serde_json::{Value, json};

/// What follows an option on the command line.
fn option(name: &str) -> Option<String> {
    let mut args = std::env::args().skip_while(|arg| arg != name);
    args.nth(1)
}

fn number(name: &str, default: usize) -> usize {
    option(name).map_or(default, |value| value.parse().expect("a number"))
}

/// The fixture of `tests/reference.rs`.
fn reference(arch: Arch) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/reference");
    let file = std::fs::read(format!("{folder}/{}.json", arch.name())).expect("a fixture");
    serde_json::from_slice(&file).expect("JSON")
}

/// `[1,3,S,S]`, the test image of the fixtures.
fn image(backbone: &Backbone, size: usize) -> Tensor<4> {
    let pixels = uniform("input", 3 * size * size).map(|u| (4.0 * u - 2.0) as f32);
    backbone.batch(pixels.collect(), size)
}

/// The largest difference of a logit from the fixture's, over the largest logit.
fn error(arch: Arch, backbone: &Backbone, device: &Device) -> f64 {
    let want = reference(arch);
    let numbers = |value: &Value| -> Vec<f64> {
        let list = value.as_array().expect("a list").iter();
        list.filter_map(Value::as_f64).collect()
    };
    let size = numbers(&want["input"])[2] as usize;
    let logits = numbers(&want["logits"]);
    let spec = HeadSpec::of(HeadKind::Linear, backbone.features(), logits.len());
    let called = &backbone.graph().head;
    let take = |name: &str, shape: &[usize]| Ok(fill(&names::of_head(called, name), shape));
    let head = Head::load(spec, device, take).expect("a head");
    let got = head.forward(backbone.forward(image(backbone, size)));
    let got = pollster::block_on(to_host(got)).expect("logits");
    let differences = got.iter().zip(&logits);
    let largest = |values: &mut dyn Iterator<Item = f64>| values.map(f64::abs).fold(0.0, f64::max);
    let difference = largest(&mut differences.map(|(got, want)| f64::from(*got) - want));
    difference / largest(&mut logits.iter().copied())
}

fn main() {
    let device = Device::flex();
    let (size, runs) = (number("--size", 224), number("--runs", 5));
    let named = option("--arch");
    let chosen = |arch: &&Arch| {
        (named.as_deref()).is_none_or(|list| list.split(',').any(|name| name == arch.name()))
    };
    for arch in Arch::ALL.iter().filter(chosen) {
        let take = |name: &str, shape: &[usize]| Ok(fill(name, shape));
        let backbone = Backbone::load(*arch, &device, take).expect("a backbone");
        let graph = backbone.graph();
        // Nothing is left of larger images in LeNet-5's linear layers.
        let size = if graph.shapes([size; 2]).is_ok() {
            size
        } else {
            arch.row().size
        };
        let spec = HeadSpec::of(HeadKind::Linear, graph.features(), 1000);
        let table = inspect(*arch, graph, &spec, size).expect("a table");
        let images = image(&backbone, size);
        let mut times: Vec<f64> = (0..=runs)
            .map(|_| {
                let start = Instant::now();
                let features = backbone.forward(images.clone());
                black_box(pollster::block_on(to_host(features)).expect("features"));
                start.elapsed().as_secs_f64() * 1000.0
            })
            .skip(1)
            .collect();
        times.sort_by(f64::total_cmp);
        let line = json!({
            "network": arch.name(),
            "size": size,
            "error": error(*arch, &backbone, &device),
            "parameters": table.parameters,
            "multiply_adds": table.multiply_adds,
            "milliseconds": times[0],
        });
        println!("{line}");
    }
}
