//! Promise: what a GPU or a phone runs before tuning is never more work than the definition on whole tiles, and enough of it at once.
//! No GPU is needed: the model in `src/kernels/conv/model.rs` chooses by sizes alone.

use retune::kernels::conv::Algorithm;
use retune::kernels::conv::block::Block;
use retune::kernels::conv::implicit::Implicit;
use retune::kernels::conv::model::{Chip, dispatches, executed, seconds};
use retune::kernels::conv::select::ranked;
use retune::kernels::shape::ConvShape;
use retune::model::conv_shapes;
use retune::network::Arch;

const NETWORKS: [&str; 6] = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnext50_32x4d",
    "densenet121",
    "efficientnet_b0",
];

/// Operations of a dispatch that a GPU of 1 TFLOP/s has done in 50 ms. Windows resets one that takes 2 s.
const LONGEST: f64 = 1e12 * 0.05 * 1.001;

fn layers(name: &str, images: usize, size: usize) -> Vec<ConvShape> {
    let arch = Arch::from_name(name).unwrap_or_else(|| panic!("no network {name}"));
    let convs = conv_shapes(&arch.graph(), images, size);
    assert!(!convs.is_empty(), "{name} at {size} px has no convolutions");
    convs.into_iter().map(|(_, conv)| conv).collect()
}

/// Operations of the definition on whole tiles of 64 pixels by 64 channels.
fn direct(conv: &ConvShape) -> f64 {
    let tiled = Algorithm::Implicit(Implicit {
        block: Block::P64M64,
        splits: 1,
    });
    executed(tiled, conv)
}

#[test]
fn no_default_executes_more_than_the_definition_does() {
    for chip in [&Chip::TYPICAL, &Chip::PHONE] {
        check_defaults(chip);
    }
}

fn check_defaults(chip: &Chip) {
    for name in NETWORKS {
        for size in [128, 150, 224, 320] {
            for images in [1, 2, 4, 8, 16, 32, 64] {
                let (mut run, mut defined, mut bytes, mut least) = (0.0, 0.0, 0.0, f64::INFINITY);
                for conv in layers(name, images, size) {
                    let chosen = ranked(&conv, chip)[0];
                    let done = executed(chosen, &conv);
                    assert!(
                        done <= direct(&conv).max(conv.flops()) * 1.001,
                        "{}: {name}, {images} of {size} px: {} executes {:.2} of {conv:?}",
                        chip.name,
                        chosen.name(),
                        done / conv.flops()
                    );
                    run += done;
                    defined += conv.flops();
                    for dispatch in dispatches(chosen, &conv) {
                        assert!(
                            dispatch.flops / dispatch.share < LONGEST,
                            "{name}, {images} of {size} px: {} is one long dispatch for {conv:?}",
                            chosen.name()
                        );
                        bytes += dispatch.bytes;
                        least = dispatch.workgroups.min(least);
                    }
                }
                println!(
                    "{}: {name} {images} x {size} px: executed / definition {:.2}, {:.1} MB, at least {least} workgroups",
                    chip.name,
                    run / defined,
                    bytes / 1e6
                );
            }
        }
    }
}

/// The layers that were wrong before there was a model: late ones on few images, which fill no tile of Winograd's.
#[test]
fn small_planes_are_split_and_large_ones_are_not() {
    let late = |images| {
        let convs = layers("resnet18", images, 224);
        let small = convs.into_iter().filter(|conv| conv.size == [7, 7]);
        small.collect::<Vec<_>>()
    };
    for conv in late(1) {
        let Algorithm::Implicit(Implicit { splits, .. }) = ranked(&conv, &Chip::TYPICAL)[0] else {
            panic!("{} for {conv:?}", ranked(&conv, &Chip::TYPICAL)[0].name());
        };
        assert!(splits > 1, "{conv:?} on {splits} part");
    }
    for conv in late(64) {
        assert!(
            matches!(
                ranked(&conv, &Chip::TYPICAL)[0],
                Algorithm::WinogradImplicit(_)
            ),
            "{} for {conv:?}",
            ranked(&conv, &Chip::TYPICAL)[0].name()
        );
    }
}

/// A chip that is twice as good in everything takes half as long, launches included.
#[test]
fn the_model_scales_with_the_chip() {
    let conv = layers("resnet18", 16, 224)[1];
    let of = |factor: f64| {
        let chip = Chip {
            flops: 1e12 * factor,
            bandwidth: 1e11 * factor,
            launch: 1e-6 / factor,
            ..Chip::TYPICAL
        };
        seconds(&dispatches(ranked(&conv, &Chip::TYPICAL)[0], &conv), &chip)
    };
    assert!((of(1.0) / of(2.0) - 2.0).abs() < 1e-9);
}

/// What works without workgroup memory is for phones, which have none of their own; elsewhere it is left to tuning. The
/// small layers of a phone, 50 us at its peak, are as long as their launches take.
#[test]
fn phones_go_without_workgroup_memory_and_others_do_not() {
    let all = |shares: bool, chip: &Chip, least: f64| {
        let mut blocks = 0;
        for name in NETWORKS {
            for images in [1, 4, 64] {
                for conv in layers(name, images, 224) {
                    let chosen = ranked(&conv, chip)[0];
                    let Some(block) = chosen.block().filter(|_| conv.flops() > least) else {
                        continue;
                    };
                    blocks += 1;
                    assert!(
                        block.shares() == shares,
                        "{} on a {} for {conv:?}",
                        chosen.name(),
                        chip.name
                    );
                }
            }
        }
        assert!(blocks > 100, "{blocks} layers on a {}", chip.name);
    };
    all(true, &Chip::TYPICAL, 0.0);
    all(false, &Chip::PHONE, 5e7);
}
