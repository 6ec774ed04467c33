//! Which kernel runs a convolution: what tuning found, else the fastest by the model on a GPU, and by a table on a software
//! adapter.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::Algorithm;
use super::block::Block;
use super::direct::Direct;
use super::gradient::{self, Gradient, Wanted};
use super::grouped::Groups;
use super::implicit;
use super::matmul::MatMul;
use super::model::{self, Chip};
use super::weights::Weights;
use super::winograd::Tile;
use super::winograd_channels_last;
use crate::kernels::gpu::launch::Gpu;
use crate::kernels::shape::ConvShape;
use crate::platform::device_state::Adapter;

/// What tuning and the self-test found on a GPU.
#[derive(Debug, Default)]
struct Findings {
    tuned: HashMap<ConvShape, Algorithm>,
    broken: HashSet<Algorithm>,
    broken_gradients: HashSet<Gradient>,
    /// Candidates in order of preference, which are asked for at every launch.
    algorithms: HashMap<(Adapter, ConvShape), Arc<[Algorithm]>>,
    /// Those of the gradients.
    gradients: HashMap<(Adapter, ConvShape, Wanted), Arc<[Gradient]>>,
}

fn with<T>(gpu: &Gpu, f: impl FnOnce(&mut Findings) -> T) -> T {
    let found = gpu.part::<Mutex<Findings>>();
    f(&mut found.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs this convolution with this algorithm from now on, wherever it applies.
pub fn set_tuned(gpu: &Gpu, conv: ConvShape, algorithm: Algorithm) {
    with(gpu, |found| found.tuned.insert(conv, algorithm));
}

/// The algorithm that tuning found fastest for a convolution.
#[must_use]
pub fn tuned(gpu: &Gpu, conv: &ConvShape) -> Option<Algorithm> {
    with(gpu, |found| found.tuned.get(conv).copied())
}

/// Takes a kernel out of use, or puts it back.
pub fn set_broken(gpu: &Gpu, algorithm: Algorithm, broken: bool) {
    with(gpu, |found| {
        if broken {
            found.broken.insert(algorithm);
        } else {
            found.broken.remove(&algorithm);
        }
    });
}

/// Whether [`set_broken`] took it out of use.
#[must_use]
pub fn is_broken(gpu: &Gpu, algorithm: Algorithm) -> bool {
    with(gpu, |found| found.broken.contains(&algorithm))
}

/// Chooses the algorithm for a convolution; `None` if only burn's op is left.
#[must_use]
pub fn choose(gpu: &Gpu, conv: &ConvShape, weights: &Weights) -> Option<Algorithm> {
    let max = gpu.max_binding();
    if !gpu.enabled() {
        return None;
    }
    let usable = |algorithm: &Algorithm| {
        algorithm.can_apply(conv, weights, max) && !is_broken(gpu, *algorithm)
    };
    let adapter = gpu.adapter();
    let defaults = with(gpu, |found| {
        let kept = found.algorithms.entry((adapter, *conv));
        let order = || match adapter {
            Adapter::Software => on_software(conv),
            Adapter::Hardware | Adapter::Phone => ranked(conv, &Chip::of(adapter)),
        };
        kept.or_insert_with(|| order().into()).clone()
    });
    let defaults = defaults.iter().copied();
    tuned(gpu, conv).into_iter().chain(defaults).find(usable)
}

/// All that are for GPUs, the fastest on that chip by the model first. Some may not apply.
#[must_use]
pub fn ranked(conv: &ConvShape, chip: &Chip) -> Vec<Algorithm> {
    let all = Algorithm::all().into_iter();
    let of = |algorithm: Algorithm| {
        let dispatches = model::dispatches(algorithm, conv);
        (algorithm, model::seconds(&dispatches, chip))
    };
    let mut all: Vec<_> = all
        .filter(|algorithm| is_for_gpus(*algorithm, conv))
        .map(of)
        .collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let all: Vec<_> = all.into_iter().map(|(algorithm, _)| algorithm).collect();
    no_phones_first(all, chip, |algorithm| algorithm.block())
}

/// The order, but for what is for phones in the first place on any other chip: there it is to be measured before it is
/// used.
pub(super) fn no_phones_first<T>(
    mut order: Vec<T>,
    chip: &Chip,
    block: impl Fn(&T) -> Option<Block>,
) -> Vec<T> {
    let shares = |one: &T| block(one).is_none_or(Block::shares);
    let first = order.iter().position(shares);
    if let Some(first) = first.filter(|_| chip.workgroup_memory) {
        order[..=first].rotate_right(1);
    }
    order
}

/// Whether a GPU is to run it: register tiles are for software adapters, and the definition for groups.
fn is_for_gpus(algorithm: Algorithm, conv: &ConvShape) -> bool {
    match algorithm {
        Algorithm::Implicit(product) => {
            let pixels = conv.images * conv.out_pixels();
            let [whole, least] = [product.block, Block::P64M64]
                .map(|block| pixels.next_multiple_of(block.size()[0]));
            implicit::is_in_fours(conv) && whole <= least
        }
        Algorithm::WinogradImplicit(_) => winograd_channels_last::is_for(conv),
        Algorithm::Grouped(groups) => Groups::of(conv) == Some(groups),
        Algorithm::Direct(Direct::Depthwise) => conv.channels == 1,
        Algorithm::Direct(Direct::General) => true,
        Algorithm::Columns(_) | Algorithm::Winograd(..) => false,
    }
}

/// Takes a gradient's kernel out of use, or puts it back.
pub fn set_gradient_broken(gpu: &Gpu, gradient: Gradient, broken: bool) {
    with(gpu, |found| {
        if broken {
            found.broken_gradients.insert(gradient);
        } else {
            found.broken_gradients.remove(&gradient);
        }
    });
}

/// Whether [`set_gradient_broken`] took it out of use.
#[must_use]
pub fn is_gradient_broken(gpu: &Gpu, gradient: Gradient) -> bool {
    with(gpu, |found| found.broken_gradients.contains(&gradient))
}

/// Chooses how a gradient of a convolution is computed; `None` if only burn's op is left.
#[must_use]
pub fn gradient(
    gpu: &Gpu,
    conv: &ConvShape,
    weights: &Weights,
    wanted: Wanted,
) -> Option<Gradient> {
    if !gpu.enabled() {
        return None;
    }
    let usable = |gradient: &Gradient| {
        !is_gradient_broken(gpu, *gradient) && gradient.can_apply(conv, weights, gpu.max_binding())
    };
    let adapter = gpu.adapter();
    let candidates = with(gpu, |found| {
        let kept = found.gradients.entry((adapter, *conv, wanted));
        let order = || gradient::candidates(adapter, conv, wanted).into();
        kept.or_insert_with(order).clone()
    });
    candidates.iter().copied().find(usable)
}

/// Candidates on a software adapter, in order of preference.
fn on_software(conv: &ConvShape) -> Vec<Algorithm> {
    let mut order = Vec::new();
    if conv.channels == 1 {
        order.push(Algorithm::Direct(Direct::Depthwise));
    }
    // A matrix product per group is worth its tiles only if a group fills them.
    if conv.geometry.groups > 1 && conv.m < 32 {
        order.push(Algorithm::Direct(Direct::General));
    }
    let columns = Tile::Four.columns(conv);
    // On one or two tiles the transformed weights are more to read than what they save.
    if columns >= 4 {
        order.push(Algorithm::Winograd(Tile::Four, registers(columns)));
    }
    order.push(Algorithm::Columns(registers(conv.out_pixels())));
    order.push(Algorithm::Direct(Direct::General));
    order
}

/// The register tile for so many columns.
pub(super) const fn registers(columns: usize) -> MatMul {
    if columns < 12 {
        MatMul::RegistersNarrow
    } else {
        MatMul::Registers
    }
}
