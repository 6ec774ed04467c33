//! Convolutions in narrow groups and depthwise ones on images with channels last, and their input gradients.
//!
//! A group of a few channels does not fill the tiles of a matrix product. Here an invocation computes four
//! channels of a strip of pixels straight from the definition, and neighbouring ones load side by side. The input
//! gradient is the same kernel with the roles of image and result changed, `BACKWARD`.

use std::sync::LazyLock;

use super::matmul::Epilogue;
use super::weights::{Packing, Weights};
use crate::kernels::gpu::launch::{Binding, Buffer, Gpu, Kernel, spread};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::{ConvShape, bytes_of, channels_last};

params! {
    /// `conv_grouped_channels_last.wgsl`, `conv_grouped_strip_channels_last.wgsl` and
    /// `conv_depthwise_channels_last.wgsl`.
    pub struct ConvGroupedParams {
        /// N.
        pub images: u32,
        /// Fours of channels of a pixel that is read.
        pub x4: u32,
        /// Fours of channels of a pixel that is written.
        pub y4: u32,
        /// Of `x4`, those of a group; 0 if a group has less than four.
        pub channels4: u32,
        /// Of `y4`, those of a group.
        pub m4: u32,
        /// Rows that are read.
        pub height: u32,
        /// Columns that are read.
        pub width: u32,
        /// Rows that are written.
        pub out_height: u32,
        /// Columns that are written.
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
        /// Weights from one that a result takes to the next.
        pub tap_step: u32,
        /// Pixels read from one of these to the next.
        pub advance: u32,
        /// Invocations that share a row.
        pub strips: u32,
        /// [`flag`](super::matmul::flag).
        pub flags: u32,
    }
}

/// Four or more channels a group; tunables `BACKWARD`, `SLIDE`.
const CONV_GROUPED: Shader = shader!(
    "conv_grouped_channels_last",
    [64, 1, 1],
    ConvGroupedParams,
    "conv_grouped",
    "epilogue4",
);
/// The same for three weights a row that `SLIDE`; tunables `BACKWARD`, `PIXELS`.
const CONV_STRIP: Shader = shader!(
    "conv_grouped_strip_channels_last",
    [64, 1, 1],
    ConvGroupedParams,
    "conv_grouped",
    "epilogue4",
);
/// One channel a group; the tunables of the first.
const CONV_DEPTHWISE: Shader = shader!(
    "conv_depthwise_channels_last",
    [64, 1, 1],
    ConvGroupedParams,
    "conv_grouped",
    "epilogue4",
);

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[CONV_GROUPED, CONV_STRIP, CONV_DEPTHWISE];

/// Weights in a row for which there is a kernel of its own, with all loads of the row under way together; 0 is any.
const KERNEL_WIDTHS: [usize; 4] = [0, 3, 5, 7];

/// The settings of a kernel: `[backward][slide][kernel width]`.
type Settings = [[[Kernel; KERNEL_WIDTHS.len()]; 2]; 2];

static GROUPED_KERNELS: LazyLock<Settings> = LazyLock::new(|| settings(Groups::Fours));
static DEPTHWISE_KERNELS: LazyLock<Settings> = LazyLock::new(|| settings(Groups::Depthwise));

/// Pixels of an invocation, and of one of [`CONV_STRIP`].
const PIXELS: usize = 4;
const STRIP: usize = 8;

/// Whether [`CONV_STRIP`] is for kernels of this width.
fn is_strip(groups: Groups, slide: bool, width: usize) -> bool {
    groups == Groups::Fours && slide && width == 3
}

/// All settings of the kernels, as they are launched.
pub(crate) fn kernels() -> impl Iterator<Item = &'static Kernel> {
    let all = [&*GROUPED_KERNELS, &*DEPTHWISE_KERNELS];
    all.into_iter().flatten().flatten().flatten()
}

fn settings(groups: Groups) -> Settings {
    let shader = match groups {
        Groups::Depthwise => &CONV_DEPTHWISE,
        Groups::Fours => &CONV_GROUPED,
    };
    [false, true].map(|backward| {
        [false, true].map(|slide| {
            KERNEL_WIDTHS.map(|width| {
                if is_strip(groups, slide, width) {
                    let source = CONV_STRIP.source().set("BACKWARD", backward);
                    let source = source.set("PIXELS", STRIP as u32);
                    return Kernel::new(&source, CONV_STRIP.workgroup);
                }
                let source = shader.source().set("BACKWARD", backward);
                let source = source.set("SLIDE", slide).set("KERNEL_W", width as u32);
                Kernel::new(&source, shader.workgroup)
            })
        })
    })
}

/// What the groups of a convolution are like for which there is a kernel here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Groups {
    /// One channel in, one out.
    Depthwise,
    /// Fours of channels in and out.
    Fours,
}

impl Groups {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Depthwise, Self::Fours];

    /// The kernel's name in tables and in stored tuning results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Depthwise => "depthwise-nhwc",
            Self::Fours => "grouped-nhwc",
        }
    }

    /// Multiply-adds among the instructions of the kernel's loop for this convolution, 0 to 1, by AMD's compiler, and the
    /// pixels of an invocation.
    #[must_use]
    pub fn share(self, conv: &ConvShape) -> (f64, usize) {
        let slide = conv.geometry.stride == conv.geometry.dilation;
        match self {
            Self::Depthwise => (0.3, PIXELS),
            Self::Fours if is_strip(self, slide, conv.kernel[1]) => (0.74, STRIP),
            Self::Fours => (0.46, PIXELS),
        }
    }

    /// Those of a convolution; `None` where these kernels do not apply.
    #[must_use]
    pub const fn of(conv: &ConvShape) -> Option<Self> {
        let groups = conv.geometry.groups;
        if conv.channels == 1 && conv.m == 1 && groups.is_multiple_of(4) {
            Some(Self::Depthwise)
        } else if groups > 1 && conv.channels.is_multiple_of(4) && conv.m.is_multiple_of(4) {
            Some(Self::Fours)
        } else {
            None
        }
    }
}

const fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// A launch, forward or backward.
struct Launch {
    groups: Groups,
    params: ConvGroupedParams,
    slide: bool,
    /// Which of [`KERNEL_WIDTHS`].
    row: usize,
    workgroups: [usize; 3],
}

impl Launch {
    fn new(conv: &ConvShape, backward: bool, flags: u32) -> Option<Self> {
        let groups = Groups::of(conv)?;
        let [
            [_, inputs, height, width],
            [_, outputs, out_height, out_width],
        ] = if backward {
            [conv.out_dims(), conv.in_dims()]
        } else {
            [conv.in_dims(), conv.out_dims()]
        };
        let [channels, m] = if backward {
            [conv.m, conv.channels]
        } else {
            [conv.channels, conv.m]
        };
        let stride = conv.geometry.stride;
        let dilation = conv.geometry.dilation;
        let divisor = greatest_common_divisor(stride, dilation);
        let (tap_step, advance, step) = if backward {
            (stride / divisor, dilation / divisor, 1)
        } else {
            (1, dilation, stride)
        };
        let slide = advance == step;
        // Of other strides the input gradient leaves out weights.
        let row = KERNEL_WIDTHS.iter().position(|&n| n == conv.kernel[1]);
        let row = row.filter(|_| !backward || stride == 1).unwrap_or(0);
        let pixels = if is_strip(groups, slide, KERNEL_WIDTHS[row]) {
            STRIP
        } else {
            PIXELS
        };
        let strips = if backward {
            // Each strip takes every stride-th pixel, from one of the first `stride` on.
            out_width.div_ceil(stride).div_ceil(pixels) * stride
        } else {
            out_width.div_ceil(pixels)
        };
        let invocations = conv.images * out_height * strips * (outputs / 4);
        let params = ConvGroupedParams {
            images: conv.images as u32,
            x4: (inputs / 4) as u32,
            y4: (outputs / 4) as u32,
            channels4: (channels / 4) as u32,
            m4: (m / 4) as u32,
            height: height as u32,
            width: width as u32,
            out_height: out_height as u32,
            out_width: out_width as u32,
            kernel_h: conv.kernel[0] as u32,
            kernel_w: conv.kernel[1] as u32,
            stride: stride as u32,
            padding: conv.geometry.padding as u32,
            dilation: dilation as u32,
            tap_step: tap_step as u32,
            advance: advance as u32,
            strips: strips as u32,
            flags,
        };
        Some(Self {
            groups,
            params,
            slide,
            row,
            workgroups: spread(invocations)?,
        })
    }

    fn run(&self, gpu: &Gpu, backward: bool, inputs: &[&dyn Binding; 4], y: &Buffer) {
        let kernels = match self.groups {
            Groups::Depthwise => &DEPTHWISE_KERNELS,
            Groups::Fours => &GROUPED_KERNELS,
        };
        let kernel = &kernels[usize::from(backward)][usize::from(self.slide)][self.row];
        gpu.launch(kernel, self.workgroups, inputs, y, &self.params.words());
    }
}

/// Whether the convolution can be computed here: whole fours of channels, and the dispatch is within bounds.
#[must_use]
pub fn can_apply(groups: Groups, conv: &ConvShape, weights: &Weights, max: u64) -> bool {
    Groups::of(conv) == Some(groups)
        && weights.can_pack(Packing::Grouped, max)
        && Launch::new(conv, false, 0).is_some()
}

/// Computes the convolution, everything with channels last; [`can_apply`] must hold.
///
/// # Panics
/// If it does not.
#[must_use]
pub fn run(
    gpu: &Gpu,
    conv: &ConvShape,
    groups: Groups,
    x: &Buffer,
    weights: &Weights,
    epilogue: Epilogue,
) -> Buffer {
    let launch = Launch::new(conv, false, epilogue.flags()).expect("a convolution for this kernel");
    debug_assert_eq!(launch.groups, groups, "{conv:?}");
    let y = gpu.empty(&channels_last(conv.out_dims()));
    let w = weights.packed(Packing::Grouped);
    let bias = epilogue.bias.unwrap_or(x);
    let residual = epilogue.residual.unwrap_or(x);
    launch.run(gpu, false, &[x, &w, bias, residual], &y);
    y
}

/// Channels of a group up to which no product's tile is filled.
const WIDEST: usize = 32;

/// Whether the gradients are worth computing here: in wider groups a matrix product is faster.
pub(super) const fn is_narrow(conv: &ConvShape) -> bool {
    conv.channels <= WIDEST && conv.m <= WIDEST
}

/// Whether a binding of so many bytes holds each of image, result and weights.
pub(super) fn fits(conv: &ConvShape, max: u64) -> bool {
    let weights = [conv.geometry.groups, conv.m, conv.depth(), 1];
    [conv.in_dims(), conv.out_dims(), weights]
        .iter()
        .all(|dims| bytes_of(dims) <= max)
}

/// Whether [`input_gradient`] applies; `max` is the most bytes of a binding.
#[must_use]
pub fn can_apply_gradient(conv: &ConvShape, weights: &Weights, max: u64) -> bool {
    is_narrow(conv)
        && fits(conv, max)
        && weights.can_pack(Packing::GroupedTransposed, max)
        && Launch::new(conv, true, 0).is_some()
}

/// `dY` `[N,OH,OW,O]` to `dX` `[N,H,W,C]`; [`can_apply_gradient`] must hold.
///
/// # Panics
/// If it does not.
#[must_use]
pub fn input_gradient(gpu: &Gpu, conv: &ConvShape, weights: &Weights, dy: &Buffer) -> Buffer {
    let launch = Launch::new(conv, true, 0).expect("a convolution for this kernel");
    let dx = gpu.empty(&channels_last(conv.in_dims()));
    let w = weights.packed(Packing::GroupedTransposed);
    launch.run(gpu, true, &[dy, &w, dy, dy], &dx);
    dx
}
