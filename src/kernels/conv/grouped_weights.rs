//! The weight gradient of the convolutions of [`super::grouped`].
//!
//! Each weight's sum runs over all pixels of all images, and there are few weights: one invocation a weight
//! would leave a GPU idle for seconds. So the sum is cut into parts of a few rows, and a second launch adds the
//! parts in a fixed order.

use std::sync::LazyLock;

use super::grouped::{self, Groups};
use super::weight_gradient::{Adding, sum_parts};
use crate::kernels::gpu::launch::{Buffer, Gpu, Kernel, spread};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::ConvShape;

params! {
    /// `conv_grouped_weights.wgsl` and `conv_depthwise_weights.wgsl`.
    pub struct ConvGroupedWeightsParams {
        /// Fours of channels of a pixel of x.
        pub x4: u32,
        /// Fours of channels of a pixel of dy.
        pub y4: u32,
        /// Of `x4`, those of a group; 0 if a group has less than four.
        pub channels4: u32,
        /// Of `y4`, those of a group.
        pub m4: u32,
        /// H.
        pub height: u32,
        /// W.
        pub width: u32,
        /// OH.
        pub out_height: u32,
        /// OW.
        pub out_width: u32,
        /// KH.
        pub kernel_h: u32,
        /// KW.
        pub kernel_w: u32,
        /// Pixels from one window to the next.
        pub stride: u32,
        /// Zeros round the image.
        pub padding: u32,
        /// Pixels from one weight to the next.
        pub dilation: u32,
        /// Rows of dy, of all images.
        pub rows: u32,
        /// Rows of a part.
        pub rows_of_part: u32,
        /// Parts.
        pub parts: u32,
    }
}

/// Four or more channels a group; tunables `TAPS`, `SLIDE`.
const GROUPED: Shader = shader!(
    "conv_grouped_weights",
    [64, 1, 1],
    ConvGroupedWeightsParams,
    "conv_grouped_weights",
);
/// One channel a group; the same tunables.
const DEPTHWISE: Shader = shader!(
    "conv_depthwise_weights",
    [64, 1, 1],
    ConvGroupedWeightsParams,
    "conv_grouped_weights",
);

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[GROUPED, DEPTHWISE];

/// Most weights of a row that an invocation takes: as many as registers hold their sums.
const GROUPED_TAPS: usize = 3;
const DEPTHWISE_TAPS: usize = 7;

/// A kernel by number of weights, from one on, and whether it slides.
static GROUPED_KERNELS: LazyLock<Vec<[Kernel; 2]>> =
    LazyLock::new(|| settings(&GROUPED, GROUPED_TAPS));
static DEPTHWISE_KERNELS: LazyLock<Vec<[Kernel; 2]>> =
    LazyLock::new(|| settings(&DEPTHWISE, DEPTHWISE_TAPS));

/// All settings of the kernels, as they are launched.
pub(crate) fn kernels() -> impl Iterator<Item = &'static Kernel> {
    GROUPED_KERNELS
        .iter()
        .chain(DEPTHWISE_KERNELS.iter())
        .flatten()
}

fn settings(shader: &Shader, most: usize) -> Vec<[Kernel; 2]> {
    let taps = 1..=most as u32;
    taps.map(|taps| {
        [false, true].map(|slide| {
            let source = shader.source().set("TAPS", taps).set("SLIDE", slide);
            Kernel::new(&source, shader.workgroup)
        })
    })
    .collect()
}

/// Invocations that keep a large GPU busy: 1024 workgroups.
const INVOCATIONS: usize = 64 * 1024;
/// Most pixels that an invocation takes one after the other, as long as the parts fit.
const PIXELS: usize = 4096;
/// Most bytes of all parts.
const BYTES: u64 = 64 << 20;

/// How the sum is cut and launched.
#[derive(Debug)]
struct Plan {
    groups: Groups,
    /// Weights of a row that an invocation takes.
    taps: usize,
    rows_of_part: usize,
    parts: usize,
    workgroups: [usize; 3],
}

impl Plan {
    fn new(conv: &ConvShape, max: u64) -> Option<Self> {
        let groups = Groups::of(conv)?;
        let (most, channels4) = match groups {
            Groups::Depthwise => (DEPTHWISE_TAPS, 1),
            Groups::Fours => (GROUPED_TAPS, conv.channels / 4),
        };
        let [kernel_h, kernel_w] = conv.kernel;
        let taps = kernel_w.min(most);
        let outputs = conv.geometry.groups * conv.m;
        let of_part = outputs / 4 * channels4 * kernel_h * kernel_w.div_ceil(taps);
        let [out_height, out_width] = conv.out_size();
        let rows = conv.images * out_height;
        let values = outputs * conv.depth();
        let most_parts = BYTES.min(max) / (values * size_of::<f32>()) as u64;
        if most_parts == 0 {
            return None;
        }
        Adding::Together.workgroups(conv)?;
        let wanted = INVOCATIONS.div_ceil(of_part);
        let rows_of_part = (rows / wanted)
            .clamp(1, (PIXELS / out_width).max(1))
            .max(rows.div_ceil(most_parts as usize));
        let parts = rows.div_ceil(rows_of_part);
        Some(Self {
            groups,
            taps,
            rows_of_part,
            parts,
            workgroups: spread(parts * of_part)?,
        })
    }
}

/// Whether [`weight_gradient`] applies; `max` is the most bytes of a binding.
#[must_use]
pub fn can_apply(conv: &ConvShape, max: u64) -> bool {
    grouped::is_narrow(conv) && grouped::fits(conv, max) && Plan::new(conv, max).is_some()
}

/// `X` `[N,H,W,C]` and `dY` `[N,OH,OW,O]` to `dW` `[O,C/G,KH,KW]`; [`can_apply`] must hold.
///
/// # Panics
/// If it does not.
#[must_use]
pub fn weight_gradient(gpu: &Gpu, conv: &ConvShape, x: &Buffer, dy: &Buffer) -> Buffer {
    let plan = Plan::new(conv, gpu.max_binding()).expect("a convolution for this kernel");
    let [_, inputs, height, width] = conv.in_dims();
    let [images, outputs, out_height, out_width] = conv.out_dims();
    let [kernel_h, kernel_w] = conv.kernel;
    let params = ConvGroupedWeightsParams {
        x4: (inputs / 4) as u32,
        y4: (outputs / 4) as u32,
        channels4: (conv.channels / 4) as u32,
        m4: (conv.m / 4) as u32,
        height: height as u32,
        width: width as u32,
        out_height: out_height as u32,
        out_width: out_width as u32,
        kernel_h: kernel_h as u32,
        kernel_w: kernel_w as u32,
        stride: conv.geometry.stride as u32,
        padding: conv.geometry.padding as u32,
        dilation: conv.geometry.dilation as u32,
        rows: (images * out_height) as u32,
        rows_of_part: plan.rows_of_part as u32,
        parts: plan.parts as u32,
    };
    let kernels = match plan.groups {
        Groups::Depthwise => &DEPTHWISE_KERNELS,
        Groups::Fours => &GROUPED_KERNELS,
    };
    let slide = conv.geometry.stride == conv.geometry.dilation;
    let kernel = &kernels[plan.taps - 1][usize::from(slide)];
    let parts = gpu.empty(&[plan.parts, outputs * conv.depth()]);
    gpu.launch(kernel, plan.workgroups, &[x, dy], &parts, &params.words());
    sum_parts(gpu, conv, &parts, conv.channels, Adding::Together)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::shape::Geometry;

    fn layer(images: usize, [groups, width]: [usize; 2], size: usize, kernel: usize) -> ConvShape {
        let geometry = Geometry {
            stride: 1,
            padding: kernel / 2,
            dilation: 1,
            groups,
        };
        let x = [images, groups * width, size, size];
        let w = [groups * width, width, kernel, kernel];
        ConvShape::of(x, w, geometry).unwrap()
    }

    /// Layers of ResNeXt-50, MobileNet and EfficientNet: a GPU is busy wherever there are enough rows, no
    /// invocation runs for long, and the parts stay small.
    #[test]
    fn a_sum_is_cut_into_enough_parts_and_not_too_many() {
        const MAX: u64 = 128 << 20;
        let layers = [
            ([32, 4], 56, 3),
            ([32, 8], 28, 3),
            ([32, 16], 14, 3),
            ([32, 32], 7, 3),
            ([32, 1], 112, 3),
            ([96, 1], 112, 3),
            ([240, 1], 28, 5),
            ([1152, 1], 7, 5),
        ];
        for images in [1, 8, 64] {
            for (groups, size, kernel) in layers {
                let conv = layer(images, groups, size, kernel);
                let plan = Plan::new(&conv, MAX).unwrap();
                let [x, y, _] = plan.workgroups;
                assert!(x * y >= 256 || plan.rows_of_part == 1, "{conv:?}: {plan:?}");
                assert!(plan.rows_of_part * size <= PIXELS, "{conv:?}: {plan:?}");
                let rows = images * size;
                assert!(plan.parts * plan.rows_of_part >= rows, "{conv:?}: {plan:?}");
                assert!(
                    (plan.parts - 1) * plan.rows_of_part < rows,
                    "{conv:?}: {plan:?}"
                );
                let values = conv.geometry.groups * conv.m * conv.depth();
                assert!(
                    (plan.parts * values * 4) as u64 <= BYTES,
                    "{conv:?}: {plan:?}"
                );
            }
        }
    }
}
