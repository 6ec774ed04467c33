//! Which kernel runs a convolution: what tuning found, else a table of defaults by adapter and shape.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::conv::Algorithm;
use super::conv::direct::Direct;
use super::conv::matmul::MatMul;
use super::conv::weights::Weights;
use super::conv::winograd::Tile;
use super::launch::Gpu;
use super::shape::Conv;
use crate::platform::adapter::{self, Adapter};

/// The state of the one GPU that a process opens.
#[derive(Debug, Default)]
struct State {
    tuned: HashMap<Conv, Algorithm>,
    broken: HashSet<Algorithm>,
    broken_pools: bool,
    disabled: bool,
}

fn with<T>(f: impl FnOnce(&mut State) -> T) -> T {
    static STATE: OnceLock<Mutex<State>> = OnceLock::new();
    let state = STATE.get_or_init(Mutex::default);
    f(&mut state.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Switches all kernels of ours off, or on again: burn's ops are what they are measured against.
pub fn set_enabled(enabled: bool) {
    with(|state| state.disabled = !enabled);
}

/// Whether [`set_enabled`] left them on.
#[must_use]
pub fn enabled() -> bool {
    with(|state| !state.disabled)
}

/// From now on this convolution runs so, if it can.
pub fn set_tuned(conv: Conv, algorithm: Algorithm) {
    with(|state| state.tuned.insert(conv, algorithm));
}

/// What tuning found for a convolution.
#[must_use]
pub fn tuned(conv: &Conv) -> Option<Algorithm> {
    with(|state| state.tuned.get(conv).copied())
}

/// Takes a kernel out of use, or puts it back.
pub fn set_broken(algorithm: Algorithm, broken: bool) {
    with(|state| {
        if broken {
            state.broken.insert(algorithm);
        } else {
            state.broken.remove(&algorithm);
        }
    });
}

/// Whether [`set_broken`] took it out of use.
#[must_use]
pub fn is_broken(algorithm: Algorithm) -> bool {
    with(|state| state.broken.contains(&algorithm))
}

/// Takes the pools out of use, or puts them back.
pub fn set_broken_pools(broken: bool) {
    with(|state| state.broken_pools = broken);
}

/// Whether the pools may be used.
#[must_use]
pub fn pools_enabled() -> bool {
    with(|state| !state.disabled && !state.broken_pools)
}

/// How to run a convolution; `None` if only burn's op is left.
#[must_use]
pub fn choose(gpu: &Gpu, conv: &Conv, weights: &Weights) -> Option<Algorithm> {
    let max = gpu.max_binding();
    if !enabled() {
        return None;
    }
    let usable =
        |algorithm: &Algorithm| algorithm.can_apply(conv, weights, max) && !is_broken(*algorithm);
    tuned(conv)
        .into_iter()
        .chain(defaults(adapter::get(), conv))
        .find(usable)
}

/// The matrix product of a convolution's input gradient.
#[must_use]
pub fn backward_matmul(conv: &Conv) -> MatMul {
    match adapter::get() {
        Adapter::Software => registers(conv.out_pixels()),
        Adapter::Hardware => {
            let tiles = conv.depth().div_ceil(64) * conv.out_pixels().div_ceil(64) * conv.images;
            if tiles < FEW_WORKGROUPS {
                MatMul::Shared32
            } else {
                MatMul::Shared64
            }
        }
    }
}

/// Candidates in order of preference.
fn defaults(adapter: Adapter, conv: &Conv) -> Vec<Algorithm> {
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
const fn registers(columns: usize) -> MatMul {
    if columns < 12 {
        MatMul::RegistersNarrow
    } else {
        MatMul::Registers
    }
}
