//! The weight gradient of a convolution on images channels last, as a product over pixels split into parts: for GPUs.

use super::implicit::{in_fours, is_in_fours};
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Buffer, Gpu, Kernel, MAX_WORKGROUPS, spread};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::{ConvShape, bytes_of};

params! {
    /// `conv_weight_gradient.wgsl`. Fours are of channels; negative numbers wrap round.
    pub struct ConvWeightGradientParams {
        /// N.
        pub images: u32,
        /// H.
        pub height: u32,
        /// W.
        pub width: u32,
        /// Fours of a pixel of x.
        pub x_c4: u32,
        /// Of these, a group's.
        pub c4: u32,
        /// OH.
        pub out_height: u32,
        /// OW.
        pub out_width: u32,
        /// Fours of a pixel of dy.
        pub y_m4: u32,
        /// Of these, a group's.
        pub m4: u32,
        /// KH * KW.
        pub taps: u32,
        /// KW.
        pub kernel_w: u32,
        /// Pixels of x from one of dy to the next.
        pub stride: u32,
        /// Zeros round the image.
        pub padding: u32,
        /// Pixels of x from one tap to the next.
        pub dilation: u32,
        /// OH times the stride.
        pub end_row: u32,
        /// OW times the stride.
        pub end_column: u32,
        /// Rows of x that 16 pixels of dy are on.
        pub step_row: u32,
        /// Columns alike.
        pub step_column: u32,
        /// Fours of x alike.
        pub step_at: u32,
        /// Fours of x besides, into the next row.
        pub row_at: u32,
        /// Fours of x besides, into the next image.
        pub image_at: u32,
        /// Parts that earlier launches compute.
        pub first_part: u32,
        /// Parts of the sum.
        pub splits: u32,
        /// Pixels of a part.
        pub split_pixels: u32,
        /// Fours from one part to the next.
        pub part: u32,
    }
}

params! {
    /// `sum_parts.wgsl`.
    pub struct SumPartsParams {
        /// Parts.
        pub parts: u32,
        /// O.
        pub outputs: u32,
        /// C/G.
        pub channels: u32,
        /// The same as they stand in a part.
        pub padded: u32,
        /// KH * KW.
        pub taps: u32,
    }
}

/// Parts of the gradient.
const CONV_WEIGHT_GRADIENT: Shader =
    shader!("conv_weight_gradient", [8, 8, 1], ConvWeightGradientParams);
/// Their sum; tunables `VALUES`, `ROWS`.
const SUM_PARTS: Shader = shader!("sum_parts", [16, 16, 1], SumPartsParams);

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[CONV_WEIGHT_GRADIENT, SUM_PARTS];

kernels! {
    PARTS = Kernel::of(&CONV_WEIGHT_GRADIENT);
    SUM_ALONE = Adding::Alone.compile();
    SUM_TOGETHER = Adding::Together.compile();
}

/// Pixels of a slice of the kernel.
const SLICE: usize = 16;
/// Rows and columns of a workgroup.
const TILE: usize = 64;
/// As many workgroups fill any GPU.
const ENOUGH: usize = 512;
/// A part is to be worth its memory.
const LEAST_PIXELS: usize = 256;
/// No workgroup sums more: a watchdog must not wait for one that has a whole epoch to itself.
const MOST_PIXELS: usize = 16_384;

/// The parts of the sum: pixels of each, and how many.
#[must_use]
pub fn parts(conv: &ConvShape) -> [usize; 2] {
    let pixels = conv.images * conv.out_pixels();
    let tiles = workgroups(conv, 1).into_iter().product::<usize>();
    let wanted = ENOUGH
        .div_ceil(tiles)
        .min(pixels.div_ceil(LEAST_PIXELS))
        .max(pixels.div_ceil(MOST_PIXELS));
    let each = pixels.div_ceil(wanted).next_multiple_of(SLICE);
    [each, pixels.div_ceil(each)]
}

/// Workgroups for so many parts.
fn workgroups(conv: &ConvShape, splits: usize) -> [usize; 3] {
    let rows = conv.kernel[0] * conv.kernel[1] * conv.channels.next_multiple_of(4);
    let groups = conv.geometry.groups;
    [rows.div_ceil(TILE), conv.m.div_ceil(TILE), groups * splits]
}

/// Values of a part.
fn part(conv: &ConvShape) -> usize {
    let taps = conv.kernel[0] * conv.kernel[1];
    conv.geometry.groups * taps * conv.channels.next_multiple_of(4) * conv.m
}

/// Whether it can compute the weight gradient of this convolution.
#[must_use]
pub fn can_apply(conv: &ConvShape, max: u64) -> bool {
    let [_, splits] = parts(conv);
    let launched = workgroups(conv, splits);
    let within = launched.into_iter().all(|n| n <= MAX_WORKGROUPS);
    let sizes = bytes_of(&conv.in_dims()).max(bytes_of(&conv.out_dims()));
    is_in_fours(conv)
        && within
        && Adding::Alone.workgroups(conv).is_some()
        && sizes <= max
        && bytes_of(&[splits, part(conv)]) <= max
}

/// `x` `[N,H,W,C]` and `dy` `[N,OH,OW,O]` to `dw` `[O,C/G,KH,KW]`; [`can_apply`] must hold.
#[must_use]
pub fn run(gpu: &Gpu, conv: &ConvShape, x: &Buffer, dy: &Buffer) -> Buffer {
    let x = in_fours(gpu, conv, x);
    let groups = conv.geometry.groups;
    let [each, splits] = parts(conv);
    let [height, width] = conv.size;
    let [out_height, out_width] = conv.out_size();
    let [kernel_h, kernel_w] = conv.kernel;
    let stride = conv.geometry.stride;
    let c4 = conv.channels.div_ceil(4);
    let x_c4 = groups * c4;
    // 16 pixels on in images, rows and columns, and the fours of x that they are apart.
    let images = SLICE / (out_height * out_width);
    let rows = SLICE / out_width % out_height;
    let columns = SLICE % out_width;
    let fours = |images: usize, rows: usize, columns: usize| {
        ((images * height + rows) * width + columns) * x_c4
    };
    let from_row = fours(0, stride, 0) as i64 - fours(0, 0, out_width * stride) as i64;
    let from_image = fours(1, 0, 0) as i64 - fours(0, out_height * stride, 0) as i64;
    let parts = gpu.empty(&[splits, part(conv)]);
    let params = ConvWeightGradientParams {
        images: conv.images as u32,
        height: height as u32,
        width: width as u32,
        x_c4: x_c4 as u32,
        c4: c4 as u32,
        out_height: out_height as u32,
        out_width: out_width as u32,
        y_m4: (groups * conv.m / 4) as u32,
        m4: (conv.m / 4) as u32,
        taps: (kernel_h * kernel_w) as u32,
        kernel_w: kernel_w as u32,
        stride: stride as u32,
        padding: conv.geometry.padding as u32,
        dilation: conv.geometry.dilation as u32,
        end_row: (out_height * stride) as u32,
        end_column: (out_width * stride) as u32,
        step_row: (rows * stride) as u32,
        step_column: (columns * stride) as u32,
        step_at: fours(images, rows * stride, columns * stride) as u32,
        row_at: from_row as u32,
        image_at: from_image as u32,
        first_part: 0,
        splits: splits as u32,
        split_pixels: each as u32,
        part: (part(conv) / 4) as u32,
    };
    let [rows, columns, all] = workgroups(conv, splits);
    let one = 2.0 * (rows * columns * TILE * TILE * each) as f64;
    let most = ((gpu.longest() / one) as usize).max(1);
    for first in (0..all).step_by(most) {
        let params = ConvWeightGradientParams {
            first_part: first as u32,
            ..params
        };
        let launched = [rows, columns, most.min(all - first)];
        gpu.launch(&PARTS, launched, &[&x, dy], &parts, &params.words());
    }

    sum_parts(gpu, conv, &parts, c4 * 4, Adding::Alone)
}

/// How the parts are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adding {
    /// An invocation adds all parts of a value: there are values enough.
    Alone,
    /// 16 invocations add the parts of a value: there are few values of many parts.
    Together,
}

impl Adding {
    /// Values of a workgroup, and rows of invocations.
    const fn size(self) -> [u32; 2] {
        match self {
            Self::Alone => [64, 1],
            Self::Together => [16, 16],
        }
    }

    fn compile(self) -> Kernel {
        let [values, rows] = self.size();
        let source = SUM_PARTS.source().set("VALUES", values).set("ROWS", rows);
        Kernel::new(&source, [values, rows, 1])
    }

    /// Workgroups that add the parts; `None` beyond bounds.
    pub(super) fn workgroups(self, conv: &ConvShape) -> Option<[usize; 3]> {
        let values = conv.geometry.groups * conv.m * conv.depth();
        spread(values * 64 / self.size()[0] as usize)
    }
}

/// Adds parts `[P, KH*KW, padded, O]` to `dw` `[O,C/G,KH,KW]`; [`Adding::workgroups`] must be within bounds.
///
/// # Panics
/// If they are not.
#[must_use]
pub(super) fn sum_parts(
    gpu: &Gpu,
    conv: &ConvShape,
    parts: &Buffer,
    padded: usize,
    adding: Adding,
) -> Buffer {
    let [kernel_h, kernel_w] = conv.kernel;
    let outputs = conv.geometry.groups * conv.m;
    let dw = gpu.empty(&[outputs, conv.channels, kernel_h, kernel_w]);
    let params = SumPartsParams {
        parts: parts.dims()[0] as u32,
        outputs: outputs as u32,
        channels: conv.channels as u32,
        padded: padded as u32,
        taps: (kernel_h * kernel_w) as u32,
    };
    let workgroups = adding.workgroups(conv).expect("few enough weights");
    let kernel = match adding {
        Adding::Alone => &SUM_ALONE,
        Adding::Together => &SUM_TOGETHER,
    };
    gpu.launch(kernel, workgroups, &[parts], &dw, &params.words());
    dw
}
