//! The convolution as an implicit matrix product, images channels last: for GPUs.
//!
//! A launch is a [`Sum`] over taps of x at places of y. The convolution itself is one, its input gradient is one
//! (or one for each remainder of a pixel's place by the stride), and so are Winograd's products.

use super::block::{Block, ConvChannelsLastParams};
use super::matmul::Epilogue;
use super::weights::{Packing, Weights};
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{
    Binding, Buffer, Gpu, Kernel, MAX_WORKGROUPS, Raw, spread_tensor,
};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::{ConvShape, bytes_of, channels_last};

/// A block, and in how many parts the sum is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Implicit {
    /// The results of a workgroup, or of an invocation.
    pub block: Block,
    /// Parts of the sum, each a workgroup's; added afterwards, in their order.
    pub splits: usize,
}

params! {
    /// `sum_splits.wgsl`.
    pub struct SumSplitsParams {
        /// Fours of the result.
        pub fours: u32,
        /// Fours of a pixel.
        pub y_m4: u32,
        /// Parts.
        pub splits: u32,
        /// [`flag`](super::matmul::flag).
        pub flags: u32,
    }
}

params! {
    /// `pad_channels.wgsl`.
    pub struct PadChannelsParams {
        /// Fours of the result.
        pub fours: u32,
        /// C.
        pub channels: u32,
        /// Fours of a pixel of the result.
        pub c4: u32,
    }
}

/// Adds the parts of the sums.
const SUM_SPLITS: Shader = shader!("sum_splits", [64, 1, 1], SumSplitsParams, "epilogue4");
/// Channels to whole fours.
const PAD_CHANNELS: Shader = shader!("pad_channels", [64, 1, 1], PadChannelsParams);

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[SUM_SPLITS, PAD_CHANNELS];

kernels! {
    SUM_KERNEL = Kernel::of(&SUM_SPLITS);
    PAD_KERNEL = Kernel::of(&PAD_CHANNELS);
}

/// Images channels last, to whole fours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    /// N.
    pub images: usize,
    /// H, W.
    pub size: [usize; 2],
    /// Fours of a pixel.
    pub c4: usize,
}

/// Which results a launch computes, and from what: on each axis the same, rows first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Results, along each axis.
    pub results: [usize; 2],
    /// Pixels of x from one result to the next.
    pub stride: usize,
    /// Pixel of x under the first tap of the first result.
    pub first: [i64; 2],
    /// Taps that take part.
    pub taps: [usize; 2],
    /// Pixels of x from one tap to the next.
    pub tap_step: i64,
    /// Rows and columns of taps in w, all of them.
    pub w_taps: [usize; 2],
    /// The first tap in w.
    pub w_first: [usize; 2],
    /// Taps of w from one to the next.
    pub w_step: usize,
    /// The first result in y.
    pub y_first: [usize; 2],
    /// Pixels of y from one result to the next.
    pub y_step: usize,
}

/// Sums side by side, with weights of their own: groups of channels, or Winograd's products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batches {
    /// How many.
    pub count: usize,
    /// Fours of x from one to the next.
    pub x: usize,
    /// Fours of y from one to the next.
    pub y: usize,
    /// Fours of input channels of each.
    pub c4: usize,
    /// Fours of output channels of each.
    pub m4: usize,
}

/// Slices of 16 channels in a sum.
#[must_use]
pub const fn slices(taps: [usize; 2], c4: usize) -> usize {
    taps[0] * taps[1] * c4.div_ceil(4)
}

impl Implicit {
    /// All that are tried: the more parts, the fewer results a workgroup is to be left for.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let of = |splits: usize| {
            Block::ALL
                .into_iter()
                .map(move |block| Self { block, splits })
        };
        [1, 4, 16].into_iter().flat_map(of).collect()
    }

    /// Its name in tables and in stored tuning results.
    #[must_use]
    pub fn name(self) -> String {
        let [pixels, channels] = self.block.size();
        match self.splits {
            1 => format!("implicit{pixels}x{channels}"),
            splits => format!("implicit{pixels}x{channels}-split{splits}"),
        }
    }

    /// Slices of 16 of a part, and how many parts have any.
    #[must_use]
    pub fn parts(self, slices: usize) -> [usize; 2] {
        let each = slices.div_ceil(self.splits).max(1);
        [each, slices.div_ceil(each).max(1)]
    }

    /// Computes the sums of y.
    ///
    /// # Panics
    /// If the dispatch is out of bounds: a bug in the caller's `can_apply`.
    #[expect(clippy::too_many_arguments, reason = "what a launch is made of")]
    pub fn launch(
        self,
        gpu: &Gpu,
        sum: &Sum,
        batches: &Batches,
        (x, from): (&dyn Binding, Pixels),
        w: &Raw,
        (y, to): (&dyn Binding, Pixels),
        epilogue: Epilogue,
    ) {
        let narrow = from.c4 == 1 && sum.taps[1] > 1 && sum.tap_step == 1;
        // A row of taps counts as channels.
        let (taps, w_taps, c4) = if narrow {
            ([sum.taps[0], 1], [sum.w_taps[0], 1], sum.taps[1])
        } else {
            (sum.taps, sum.w_taps, batches.c4)
        };
        let fours = |pixels: Pixels| pixels.images * pixels.size[0] * pixels.size[1] * pixels.c4;
        let y_fours = fours(to).max(batches.count * batches.y);
        let slices = slices(taps, c4);
        let [split_slices, splits] = self.parts(slices);
        let last = if splits == 1 {
            epilogue
        } else {
            Epilogue::default()
        };
        let wrapped = |n: i64| n as u32;
        // Fours of x read of a tap, and the fours of its weights.
        let read = c4.next_multiple_of(4) as i64;
        let tap_fours = read * 4 * batches.m4 as i64;
        let params = ConvChannelsLastParams {
            images: from.images as u32,
            height: from.size[0] as u32,
            width: from.size[1] as u32,
            x_c4: from.c4 as u32,
            c4: c4 as u32,
            rows: sum.results[0] as u32,
            columns: sum.results[1] as u32,
            stride: sum.stride as u32,
            row_first: wrapped(sum.first[0]),
            column_first: wrapped(sum.first[1]),
            taps_h: taps[0] as u32,
            taps_w: taps[1] as u32,
            tap_step: wrapped(sum.tap_step),
            w_taps_w: w_taps[1] as u32,
            w_row: sum.w_first[0] as u32,
            w_column: sum.w_first[1] as u32,
            w_step: sum.w_step as u32,
            x_tap: wrapped(sum.tap_step * from.c4 as i64 - read),
            x_row: wrapped(sum.tap_step * from.c4 as i64 * (from.size[1] as i64 - taps[1] as i64)),
            w_tap: wrapped((sum.w_step as i64 - 1) * tap_fours),
            w_tap_row: wrapped((w_taps[1] as i64 - taps[1] as i64) * sum.w_step as i64 * tap_fours),
            m4: batches.m4 as u32,
            y_m4: to.c4 as u32,
            y_height: to.size[0] as u32,
            y_width: to.size[1] as u32,
            y_step: sum.y_step as u32,
            y_row: sum.y_first[0] as u32,
            y_column: sum.y_first[1] as u32,
            x_batch: batches.x as u32,
            w_batch: (w_taps[0] * w_taps[1] * c4.next_multiple_of(4) * 4 * batches.m4) as u32,
            y_batch: batches.y as u32,
            y_split: y_fours as u32,
            first_tile: 0,
            splits: splits as u32,
            split_slices: split_slices as u32,
            flags: last.flags(),
        };
        let pixels = from.images * sum.results[0] * sum.results[1];
        let sums = batches.count * splits;
        let workgroups = self.block.workgroups(pixels, batches.m4 * 4, sums);
        let kernel = self.block.kernel(narrow);
        // A binding that the flags switch off still wants a buffer.
        let inputs: [&dyn Binding; 4] = [
            w,
            x,
            epilogue.bias.map_or(x, |bias| bias as &dyn Binding),
            epilogue
                .residual
                .map_or(x, |residual| residual as &dyn Binding),
        ];
        let results = self.block.results() * workgroups[1] * workgroups[2];
        let column = 2.0 * (results * split_slices * 16) as f64;
        let most = ((gpu.longest() / column) as usize).max(1);
        let product = |y: &dyn Binding| {
            for first in (0..workgroups[0]).step_by(most) {
                let tiles = most.min(workgroups[0] - first);
                let params = ConvChannelsLastParams {
                    first_tile: first as u32,
                    ..params
                };
                let workgroups = [tiles, workgroups[1], workgroups[2]];
                gpu.launch(kernel, workgroups, &inputs, y, &params.words());
            }
        };
        if splits == 1 {
            product(y);
            return;
        }
        let parts = gpu.empty(&[splits, y_fours, 4]);
        product(&parts);
        let params = SumSplitsParams {
            fours: y_fours as u32,
            y_m4: to.c4 as u32,
            splits: splits as u32,
            flags: epilogue.flags(),
        };
        let workgroups = spread_tensor(y_fours);
        let inputs: [&dyn Binding; 3] = [&parts, inputs[2], inputs[3]];
        gpu.launch(&SUM_KERNEL, workgroups, &inputs, y, &params.words());
    }
}

impl Sum {
    /// All taps of a convolution, of one group.
    #[must_use]
    pub fn of(conv: &ConvShape) -> Self {
        let padding = conv.geometry.padding as i64;
        Self {
            results: conv.out_size(),
            stride: conv.geometry.stride,
            first: [-padding; 2],
            taps: conv.kernel,
            tap_step: conv.geometry.dilation as i64,
            w_taps: conv.kernel,
            w_first: [0; 2],
            w_step: 1,
            y_first: [0; 2],
            y_step: 1,
        }
    }

    /// One tap over a row of so many pixels.
    #[must_use]
    pub const fn pointwise(pixels: usize) -> Self {
        Self {
            results: [1, pixels],
            stride: 1,
            first: [0; 2],
            taps: [1; 2],
            tap_step: 1,
            w_taps: [1; 2],
            w_first: [0; 2],
            w_step: 1,
            y_first: [0; 2],
            y_step: 1,
        }
    }

    /// The input gradient, over the gradient of the result: a pixel of x was under tap r of the result at
    /// `(pixel + padding - r * dilation) / stride`, where that is a whole number, so that each remainder of a pixel by the
    /// stride sees taps of its own. `None` where stride and dilation go together.
    #[must_use]
    pub fn of_input_gradient(conv: &ConvShape) -> Option<Vec<Self>> {
        let stride = conv.geometry.stride;
        let dilation = conv.geometry.dilation;
        let padding = conv.geometry.padding;
        if stride > 1 && dilation > 1 {
            return None;
        }
        let along = |axis: usize, remainder: usize| {
            let results = conv.size[axis].saturating_sub(remainder).div_ceil(stride);
            let first_tap = (remainder + padding) % stride;
            let taps = conv.kernel[axis].saturating_sub(first_tap).div_ceil(stride);
            let first = (remainder + padding - first_tap) / stride;
            (results, first_tap, taps, first as i64)
        };
        let each = (0..stride * stride).map(|n| {
            let place = [n / stride, n % stride];
            let [rows, columns] = [along(0, place[0]), along(1, place[1])];
            Self {
                results: [rows.0, columns.0],
                stride: 1,
                first: [rows.3, columns.3],
                taps: [rows.2, columns.2],
                tap_step: -(dilation as i64),
                w_taps: conv.kernel,
                w_first: [rows.1, columns.1],
                w_step: stride,
                y_first: place,
                y_step: stride,
            }
        });
        Some(each.filter(|sum| !sum.results.contains(&0)).collect())
    }
}

/// Whether the taps of a row count as channels: of the three colours of an image a four is filled with little else than
/// zeros.
#[must_use]
pub const fn is_narrow(conv: &ConvShape) -> bool {
    let ConvShape {
        channels,
        kernel,
        geometry,
        ..
    } = *conv;
    geometry.groups == 1 && channels <= 4 && kernel[1] > 1 && geometry.dilation == 1
}

/// The packing of the weights for the convolution itself.
#[must_use]
pub const fn packing(conv: &ConvShape) -> Packing {
    if is_narrow(conv) {
        Packing::RowsOfTaps
    } else {
        Packing::Taps
    }
}

/// Whether its tensors can be read in fours of channels, an only group's input after padding.
#[must_use]
pub const fn is_in_fours(conv: &ConvShape) -> bool {
    conv.m.is_multiple_of(4) && (conv.geometry.groups == 1 || conv.channels.is_multiple_of(4))
}

/// The images of x, its channels in whole fours.
fn pixels(conv: &ConvShape) -> Pixels {
    Pixels {
        images: conv.images,
        size: conv.size,
        c4: conv.geometry.groups * conv.channels.div_ceil(4),
    }
}

/// The images of the result.
fn results(conv: &ConvShape) -> Pixels {
    Pixels {
        images: conv.images,
        size: conv.out_size(),
        c4: conv.geometry.groups * conv.m / 4,
    }
}

/// Whether the parts of the sum and the dispatches are within bounds.
fn within(implicit: Implicit, conv: &ConvShape, slices: usize, max: u64) -> bool {
    let groups = conv.geometry.groups;
    let pixels = conv.images * conv.out_pixels();
    let [_, splits] = implicit.parts(slices);
    let workgroups = implicit.block.workgroups(pixels, conv.m, groups * splits);
    workgroups.into_iter().all(|n| n <= MAX_WORKGROUPS)
        && splits == implicit.splits
        && (splits == 1 || splits as u64 * bytes_of(&conv.out_dims()) <= max)
}

/// Slices of the sum of the convolution itself.
#[must_use]
pub const fn forward_slices(conv: &ConvShape) -> usize {
    if is_narrow(conv) {
        slices([conv.kernel[0], 1], conv.kernel[1])
    } else {
        slices(conv.kernel, conv.channels.div_ceil(4))
    }
}

/// Whether it can compute this convolution.
#[must_use]
pub fn can_apply(implicit: Implicit, conv: &ConvShape, weights: &Weights, max: u64) -> bool {
    is_in_fours(conv)
        && implicit.block.takes(conv.m)
        && within(implicit, conv, forward_slices(conv), max)
        && weights.can_pack(packing(conv), max)
}

/// `x` with its channels in whole fours.
pub fn in_fours(gpu: &Gpu, conv: &ConvShape, x: &Buffer) -> Buffer {
    if conv.channels.is_multiple_of(4) {
        return x.clone();
    }
    let [images, _, height, width] = conv.in_dims();
    let c4 = conv.channels.div_ceil(4);
    let padded = gpu.empty(&[images, height, width, c4 * 4]);
    let fours = images * height * width * c4;
    let params = PadChannelsParams {
        fours: fours as u32,
        channels: conv.channels as u32,
        c4: c4 as u32,
    };
    let workgroups = spread_tensor(fours);
    gpu.launch(&PAD_KERNEL, workgroups, &[x], &padded, &params.words());
    padded
}

/// Computes the convolution: `x` `[N,H,W,C]` to `[N,OH,OW,O]`; [`can_apply`] must hold.
#[must_use]
pub fn run(
    gpu: &Gpu,
    conv: &ConvShape,
    implicit: Implicit,
    x: &Buffer,
    weights: &Weights,
    epilogue: Epilogue,
) -> Buffer {
    let x = in_fours(gpu, conv, x);
    let y = gpu.empty(&channels_last(conv.out_dims()));
    let w = weights.packed(packing(conv));
    let batches = Batches {
        count: conv.geometry.groups,
        x: conv.channels.div_ceil(4),
        y: conv.m / 4,
        c4: conv.channels.div_ceil(4),
        m4: conv.m / 4,
    };
    let (from, to) = (pixels(conv), results(conv));
    implicit.launch(
        gpu,
        &Sum::of(conv),
        &batches,
        (&x, from),
        &w,
        (&y, to),
        epilogue,
    );
    y
}

/// Whether it can compute the input gradient of this convolution.
#[must_use]
pub fn can_apply_to_input_gradient(
    implicit: Implicit,
    conv: &ConvShape,
    weights: &Weights,
    max: u64,
) -> bool {
    let fours = conv.m.is_multiple_of(4) && conv.channels.is_multiple_of(4);
    let Some(sums) = Sum::of_input_gradient(conv).filter(|_| fours) else {
        return false;
    };
    // Parts of a sum hold the whole result, so several launches take none.
    let parts = sums.len() == 1 || implicit.splits == 1;
    let least = sums.iter().map(|sum| slices(sum.taps, conv.m / 4)).min();
    let [_, splits] = implicit.parts(least.unwrap_or(0));
    let bounds = sums.iter().all(|sum| {
        let pixels = conv.images * sum.results[0] * sum.results[1];
        let sums = conv.geometry.groups * splits;
        let workgroups = implicit.block.workgroups(pixels, conv.channels, sums);
        workgroups.into_iter().all(|n| n <= MAX_WORKGROUPS)
    });
    parts
        && bounds
        && implicit.block.takes(conv.channels)
        && splits == implicit.splits
        && splits as u64 * bytes_of(&conv.in_dims()) <= max
        && weights.can_pack(Packing::TapsTransposed, max)
}

/// `dy` `[N,OH,OW,O]` to `dx` `[N,H,W,C]`; [`can_apply_to_input_gradient`] must hold.
#[must_use]
pub fn input_gradient(
    gpu: &Gpu,
    conv: &ConvShape,
    implicit: Implicit,
    weights: &Weights,
    dy: &Buffer,
) -> Buffer {
    let dx = gpu.empty(&channels_last(conv.in_dims()));
    let w = weights.packed(Packing::TapsTransposed);
    let batches = Batches {
        count: conv.geometry.groups,
        x: conv.m / 4,
        y: conv.channels / 4,
        c4: conv.m / 4,
        m4: conv.channels / 4,
    };
    let (from, to) = (results(conv), pixels(conv));
    for sum in Sum::of_input_gradient(conv).into_iter().flatten() {
        let none = Epilogue::default();
        implicit.launch(gpu, &sum, &batches, (dy, from), &w, (&dx, to), none);
    }
    dx
}
