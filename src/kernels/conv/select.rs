//! Which kernel runs a convolution: what tuning found, else a table of defaults by adapter and shape.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::Algorithm;
use super::direct::Direct;
use super::gradient::{self, Gradient, Wanted};
use super::matmul::MatMul;
use super::weights::Weights;
use super::winograd::Tile;
use crate::kernels::gpu::launch::Gpu;
use crate::kernels::shape::ConvShape;
use crate::platform::device_state::Adapter;

/// What tuning and the self-test found on a GPU.
#[derive(Debug, Default)]
struct Findings {
    tuned: HashMap<ConvShape, Algorithm>,
    broken: HashSet<Algorithm>,
    broken_gradients: HashSet<Gradient>,
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
    tuned(gpu, conv)
        .into_iter()
        .chain(defaults(gpu.adapter(), conv))
        .find(usable)
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
    let candidates = gradient::candidates(gpu.adapter(), conv, wanted);
    candidates.into_iter().find(usable)
}

/// Candidates in order of preference.
fn defaults(adapter: Adapter, conv: &ConvShape) -> Vec<Algorithm> {
    let mut order = Vec::new();
    if conv.channels == 1 {
        order.push(Algorithm::Direct(Direct::Depthwise));
    }
    // A matrix product per group is worth its tiles only if a group fills them.
    let narrow_groups = conv.geometry.groups > 1 && conv.m < 32;
    match adapter {
        Adapter::Software => {
            if narrow_groups {
                order.push(Algorithm::Direct(Direct::General));
            }
            let columns = Tile::Four.columns(conv);
            // On one or two tiles the transformed weights are more to read than what they save.
            if columns >= 4 {
                order.push(Algorithm::Winograd(Tile::Four, registers(columns)));
            }
            order.push(Algorithm::Columns(registers(conv.out_pixels())));
        }
        Adapter::Hardware => {
            if narrow_groups {
                order.push(Algorithm::Direct(Direct::General));
            }
            if conv.channels >= 32 && conv.m >= 32 {
                let columns = Tile::Four.columns(conv);
                let tiles = conv.m.div_ceil(64) * columns.div_ceil(64) * Tile::Four.products();
                let variant = if tiles < FEW_WORKGROUPS {
                    MatMul::Shared32
                } else {
                    MatMul::Shared64
                };
                order.push(Algorithm::Winograd(Tile::Four, variant));
            }
            let columns = conv.images * conv.out_pixels();
            let tiles = conv.m.div_ceil(64) * columns.div_ceil(64) * conv.geometry.groups;
            let small = tiles < FEW_WORKGROUPS || conv.m <= 32;
            order.push(Algorithm::Direct(if small {
                Direct::Shared32
            } else {
                Direct::Shared64
            }));
        }
    }
    order.push(Algorithm::Direct(Direct::General));
    order
}

/// Fewer workgroups than this leave a large GPU idle: smaller tiles then.
const FEW_WORKGROUPS: usize = 128;

/// The register tile for so many columns.
pub(super) const fn registers(columns: usize) -> MatMul {
    if columns < 12 {
        MatMul::RegistersNarrow
    } else {
        MatMul::Registers
    }
}
