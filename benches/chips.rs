//! How long networks should take on kinds of GPUs, by the model: for docs/benchmarks.md, and no measurement.
//!
//! `cargo bench --bench chips` prints the tables.

use retune::kernels::conv::Algorithm;
use retune::kernels::conv::model::{Chip, Dispatch, Operands, dispatches, seconds};
use retune::kernels::conv::select::ranked;
use retune::kernels::conv::winograd::Tile;
use retune::kernels::shape::{ConvShape, bytes_of};
use retune::model::conv_shapes;
use retune::network::Arch;

/// Peaks by the makers' data sheets; seconds a launch and the workgroups that fill a chip are estimates.
const CHIPS: [Chip; 5] = [
    chip("H100", 67e12, 3350e9, 3e-6, 264.0),
    chip("RTX 4090", 82.6e12, 1008e9, 3e-6, 256.0),
    chip("Apple M1", 2.6e12, 68e9, 4e-6, 32.0),
    chip("Intel Xe, 96 EU", 2.0e12, 60e9, 5e-6, 48.0),
    chip("Adreno 740", 2.8e12, 67e9, 10e-6, 24.0),
];

const fn chip(
    name: &'static str,
    flops: f64,
    bandwidth: f64,
    launch: f64,
    workgroups: f64,
) -> Chip {
    Chip {
        name,
        flops,
        bandwidth,
        launch,
        workgroups,
        workgroup_memory: true,
    }
}

const NETWORKS: [&str; 5] = [
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "densenet121",
    "efficientnet_b0",
];

fn layers(name: &str, images: usize) -> Vec<ConvShape> {
    let arch = Arch::from_name(name).unwrap_or_else(|| panic!("no network {name}"));
    let convs = conv_shapes(&arch.graph(), images, 224);
    convs.into_iter().map(|(_, conv)| conv).collect()
}

fn now(conv: &ConvShape) -> Vec<Dispatch> {
    dispatches(ranked(conv, &Chip::TYPICAL)[0], conv)
}

/// What ran until November 2026, by its table of defaults: planes of channels, tiles of 64 or 32, shares by the review of
/// the compiled code.
fn before(conv: &ConvShape) -> Vec<Dispatch> {
    let read = bytes_of(&conv.in_dims()) as f64;
    let written = bytes_of(&conv.out_dims()) as f64;
    let groups = conv.geometry.groups;
    if conv.channels == 1 || groups > 1 && conv.m < 32 {
        let direct = retune::kernels::conv::direct::Direct::General;
        return dispatches(Algorithm::Direct(direct), conv);
    }
    let plain = conv.geometry.stride == 1 && conv.geometry.dilation == 1 && groups == 1;
    let tiled = |columns: usize, depth: usize, batches: usize, shares: [f64; 2], few: bool| {
        let tile = if few { 32 } else { 64 };
        let tiles = (columns.div_ceil(tile) * conv.m.div_ceil(tile) * batches) as f64;
        Dispatch {
            flops: 2.0 * tiles * (tile * tile * depth.next_multiple_of(16)) as f64,
            share: shares[usize::from(few)],
            bytes: bytes_of(&[depth, conv.m, batches]) as f64,
            workgroups: tiles,
            operands: Operands::Any,
        }
    };
    if plain && conv.kernel == [3, 3] && conv.channels >= 32 && conv.m >= 32 {
        let columns = Tile::Four.columns(conv);
        let few = conv.m.div_ceil(64) * columns.div_ceil(64) * 36 < 128;
        let v = bytes_of(&[36, columns, conv.channels]) as f64;
        let p = bytes_of(&[36, columns, conv.m]) as f64;
        let mut product = tiled(columns, conv.channels, 36, [0.51, 0.37], few);
        product.bytes += v + p;
        return vec![
            Dispatch::moving(read + v),
            product,
            Dispatch::moving(p + written),
        ];
    }
    let columns = conv.images * conv.out_pixels();
    let few = conv.m.div_ceil(64) * columns.div_ceil(64) * groups < 128 || conv.m <= 32;
    let mut product = tiled(columns, conv.depth(), groups, [0.44, 0.30], few);
    product.bytes += read + written;
    vec![product]
}

fn main() {
    println!(
        "Milliseconds of the convolutions of a forward at 224 px, before / now; computed by a model, not measured.\n"
    );
    let names = CHIPS.map(|chip| chip.name).join(" | ");
    println!("| network | images | dispatches | MB | {names} |");
    println!("|---|--:|--:|--:|{}", "--:|".repeat(CHIPS.len()));
    for name in NETWORKS {
        for images in [1, 16, 64] {
            let convs = layers(name, images);
            let old: Vec<Dispatch> = convs.iter().flat_map(before).collect();
            let new: Vec<Dispatch> = convs.iter().flat_map(now).collect();
            let megabytes = |all: &[Dispatch]| all.iter().map(|one| one.bytes).sum::<f64>() / 1e6;
            let times = CHIPS.map(|chip| {
                let [old, new] = [&old, &new].map(|all| seconds(all, &chip) * 1000.0);
                format!("{old:.2} / {new:.2}")
            });
            println!(
                "| {name} | {images} | {} / {} | {:.0} / {:.0} | {} |",
                old.len(),
                new.len(),
                megabytes(&old),
                megabytes(&new),
                times.join(" | ")
            );
        }
    }
}
