//! How long a GPU should take for a kernel, by a model of what is executed, moved and launched: the defaults before tuning,
//! and the order in which kernels are tuned.
//!
//! A dispatch takes `launch + max(flops / (peak * share * fill), bytes / (bandwidth * fill))`: the larger of the roofline's two
//! sides (Williams et al. 2009, "Roofline"), `share` being the multiply-adds among the instructions of the kernel's loop
//! and `fill` how much of the chip its workgroups occupy.

use super::Algorithm;
use super::block::Block;
use super::direct::Direct;
use super::implicit::{Implicit, forward_slices};
use super::winograd::Tile;
use crate::kernels::gpu::state::LONGEST;
use crate::kernels::shape::{ConvShape, bytes_of};
use crate::platform::device_state::Adapter;

/// What a GPU can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chip {
    /// Its name in tables.
    pub name: &'static str,
    /// Floating point operations a second, `f32`, a multiply-add being two.
    pub flops: f64,
    /// Bytes a second to and from memory.
    pub bandwidth: f64,
    /// Seconds from one dependent dispatch to the next with nothing to do.
    pub launch: f64,
    /// Workgroups of 64 threads that keep it busy.
    pub workgroups: f64,
    /// Whether it has workgroup memory of its own: a phone's mostly lies in the cache.
    pub workgroup_memory: bool,
}

impl Chip {
    /// Between a laptop's and a workstation's: what defaults are chosen for, as little tells a page which one it has.
    pub const TYPICAL: Self = Self {
        name: "typical",
        flops: 5e12,
        bandwidth: 200e9,
        launch: 4e-6,
        workgroups: 96.0,
        workgroup_memory: true,
    };

    /// A phone's, by its adapter's name.
    pub const PHONE: Self = Self {
        name: "phone",
        flops: 1e12,
        bandwidth: 40e9,
        launch: 10e-6,
        workgroups: 48.0,
        workgroup_memory: false,
    };

    /// What defaults are chosen for on such an adapter.
    #[must_use]
    pub const fn of(adapter: Adapter) -> Self {
        match adapter {
            Adapter::Phone => Self::PHONE,
            Adapter::Hardware | Adapter::Software => Self::TYPICAL,
        }
    }
}

/// Where a kernel has its operands from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operands {
    /// Through workgroup memory.
    Shared,
    /// Each invocation its own, from the cache.
    Own,
    /// As any other kernel would for the same.
    Any,
}

/// What is left of a product's pace with operands from where a chip is slow. [`Block::P4M8`] loads 192 bytes for 256
/// operations, of which the first caches of AMD and NVIDIA give 128 in that time, and it waits for them; on a chip without
/// workgroup memory of its own the other blocks send all operands through the cache three times, with two barriers a slice.
const SLOW_OPERANDS: f64 = 0.5;

/// One dispatch of a kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dispatch {
    /// Floating point operations that are executed, those of partly empty tiles included.
    pub flops: f64,
    /// Multiply-adds among the instructions of its loop, 0 to 1.
    pub share: f64,
    /// Bytes read and written, each tensor once.
    pub bytes: f64,
    /// Workgroups, counted as of 64 threads.
    pub workgroups: f64,
    /// Where its operands come from.
    pub operands: Operands,
}

impl Dispatch {
    /// One that only moves so many bytes, a four of values an invocation.
    #[must_use]
    pub fn moving(bytes: f64) -> Self {
        Self {
            flops: 0.0,
            share: 1.0,
            bytes,
            workgroups: (bytes / 2.0 / 16.0 / 64.0).ceil(),
            operands: Operands::Any,
        }
    }

    /// Seconds on a chip.
    #[must_use]
    pub fn seconds(&self, chip: &Chip) -> f64 {
        // The last round of workgroups is seldom a whole one.
        let rounds = (self.workgroups / chip.workgroups).ceil().max(1.0);
        let fill = self.workgroups / (rounds * chip.workgroups);
        // A few workgroups already keep the memory busy.
        let streams = (4.0 * self.workgroups / chip.workgroups).min(1.0);
        let pace = match (self.operands, chip.workgroup_memory) {
            (Operands::Shared, false) | (Operands::Own, true) => SLOW_OPERANDS,
            _ => 1.0,
        };
        let compute = self.flops / (chip.flops * self.share * pace * fill);
        chip.launch + compute.max(self.bytes / (chip.bandwidth * streams))
    }
}

/// Seconds of dispatches one after the other.
#[must_use]
pub fn seconds(dispatches: &[Dispatch], chip: &Chip) -> f64 {
    dispatches.iter().map(|one| one.seconds(chip)).sum()
}

/// An implicit product of `pixels` by `m` over `slices` of 16, `sums` of them side by side.
#[must_use]
pub fn implicit(implicit: Implicit, [pixels, m, slices, sums]: [usize; 4]) -> Vec<Dispatch> {
    let [p, c] = implicit.block.size();
    let [_, splits] = implicit.parts(slices);
    let tiles = pixels.div_ceil(p) * m.div_ceil(c) * sums;
    let result = bytes_of(&[pixels, m, sums]) as f64;
    let weights = bytes_of(&[slices * 16, m, sums]) as f64;
    let product = Dispatch {
        flops: 2.0 * (tiles * p * c) as f64 * (slices * 16) as f64,
        share: implicit.block.share(),
        bytes: weights + result * splits as f64,
        workgroups: ((tiles * splits * implicit.block.threads()) as f64 / 64.0).ceil(),
        operands: if implicit.block.shares() {
            Operands::Shared
        } else {
            Operands::Own
        },
    };
    let launches = (product.flops / LONGEST).ceil().max(1.0);
    let part = Dispatch {
        flops: product.flops / launches,
        bytes: product.bytes / launches,
        workgroups: (product.workgroups / launches).ceil(),
        ..product
    };
    let mut all = vec![part; launches as usize];
    if splits > 1 {
        all.push(Dispatch::moving(result * (splits + 1) as f64));
    }
    all
}

/// What an algorithm dispatches for a convolution whose weights are packed.
#[must_use]
pub fn dispatches(algorithm: Algorithm, conv: &ConvShape) -> Vec<Dispatch> {
    let read = bytes_of(&conv.in_dims()) as f64;
    let written = bytes_of(&conv.out_dims()) as f64;
    let pixels = conv.images * conv.out_pixels();
    let groups = conv.geometry.groups;
    match algorithm {
        Algorithm::Implicit(product) => {
            let sizes = [pixels, conv.m, forward_slices(conv), groups];
            let mut all = implicit(product, sizes);
            add_read(&mut all, read);
            if !conv.channels.is_multiple_of(4) {
                all.insert(0, Dispatch::moving(read * 2.0));
            }
            all
        }
        Algorithm::WinogradImplicit(block) => winograd(block, conv),
        // What the definition takes, at the pace of loads that few multiply-adds share.
        Algorithm::Direct(direct) => {
            let share = match direct {
                Direct::Depthwise => 0.2,
                _ => 0.35,
            };
            let weights = bytes_of(&[groups * conv.m, conv.depth()]) as f64;
            let sums = Dispatch {
                flops: conv.flops(),
                share,
                bytes: read + written + weights,
                workgroups: (written / 4.0 / 16.0 / 64.0).ceil(),
                operands: Operands::Any,
            };
            // Images lie with channels last before and after.
            vec![
                Dispatch::moving(2.0 * read),
                sums,
                Dispatch::moving(2.0 * written),
            ]
        }
        // The same, with loads of fours side by side; the last pixels of a row may be in vain.
        Algorithm::Grouped(kind) => {
            let [out_height, out_width] = conv.out_size();
            let (share, strip) = kind.share(conv);
            let strips = out_width.div_ceil(strip);
            let invocations = conv.images * out_height * strips * groups * conv.m / 4;
            let weights = bytes_of(&[groups * conv.m, conv.depth()]) as f64;
            vec![Dispatch {
                flops: conv.flops() * (strip * strips) as f64 / out_width as f64,
                share,
                bytes: read + written + weights,
                workgroups: invocations.div_ceil(64) as f64,
                operands: Operands::Any,
            }]
        }
        // For software adapters: on a chip only where nothing else applies.
        Algorithm::Columns(_) | Algorithm::Winograd(..) => {
            let columns = bytes_of(&[pixels, conv.depth(), groups]) as f64;
            let product = Dispatch {
                flops: conv.flops(),
                share: 0.2,
                bytes: columns + written,
                workgroups: (written / 4.0 / 256.0 / 8.0).ceil(),
                operands: Operands::Any,
            };
            vec![Dispatch::moving(read + columns), product]
        }
    }
}

/// Adds what all launches of a product read together.
fn add_read(launches: &mut [Dispatch], bytes: f64) {
    let products = launches.iter().filter(|one| one.flops > 0.0).count();
    for launch in launches.iter_mut().filter(|one| one.flops > 0.0) {
        launch.bytes += bytes / products as f64;
    }
}

/// Winograd's three steps.
fn winograd(block: Block, conv: &ConvShape) -> Vec<Dispatch> {
    let products = Tile::Four.products();
    let tiles = Tile::Four.columns(conv);
    let read = bytes_of(&conv.in_dims()) as f64;
    let written = bytes_of(&conv.out_dims()) as f64;
    let v = bytes_of(&[products, tiles, conv.channels]) as f64;
    let p = bytes_of(&[products, tiles, conv.m]) as f64;
    let slices = conv.channels.div_ceil(16);
    let mut product = implicit(
        Implicit { block, splits: 1 },
        [tiles, conv.m, slices, products],
    );
    add_read(&mut product, v);
    // An invocation has 36 fours to move, not one.
    let transform = |bytes: f64, fours: usize| Dispatch {
        workgroups: fours.div_ceil(64) as f64,
        ..Dispatch::moving(bytes)
    };
    let first = transform(read + v, tiles * conv.channels / 4);
    let last = transform(p + written, tiles * conv.m / 4);
    product.insert(0, first);
    product.push(last);
    product
}

/// Floating point operations that an algorithm executes, those of partly empty tiles included.
#[must_use]
pub fn executed(algorithm: Algorithm, conv: &ConvShape) -> f64 {
    let dispatches = dispatches(algorithm, conv);
    dispatches.iter().map(|dispatch| dispatch.flops).sum()
}
