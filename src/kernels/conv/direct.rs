//! Convolutions that read the image in place: from the definition, and as an implicit matrix product.

use std::sync::LazyLock;

use super::matmul::Epilogue;
use super::weights::{Packing, Weights};
use crate::kernels::gpu::launch::{Binding, Buffer, Gpu, Kernel, MAX_WORKGROUPS};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::ConvShape;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direct {
    /// 4 channels x 4 pixels an invocation, any groups.
    General,
    /// One channel a group.
    Depthwise,
    /// 64 channels x 64 pixels a workgroup through workgroup memory.
    Shared64,
    /// 32 x 32.
    Shared32,
}

params! {
    /// `conv_direct.wgsl`.
    pub struct ConvDirectParams {
        /// Output channels of a group.
        pub m: u32,
        /// G.
        pub groups: u32,
        /// Input channels of a group.
        pub channels: u32,
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
        /// [`flag`](super::matmul::flag).
        pub flags: u32,
    }
}

params! {
    /// `conv_depthwise.wgsl`.
    pub struct ConvDepthwiseParams {
        /// Output channels of a group.
        pub m: u32,
        /// G, the input channels.
        pub groups: u32,
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
        /// [`flag`](super::matmul::flag).
        pub flags: u32,
    }
}

params! {
    /// `conv_shared.wgsl`.
    pub struct ConvSharedParams {
        /// Output channels of a group.
        pub m: u32,
        /// Fours of output channels in a slice of the weights.
        pub m4: u32,
        /// N.
        pub images: u32,
        /// G.
        pub groups: u32,
        /// Input channels of a group.
        pub channels: u32,
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
        /// [`flag`](super::matmul::flag).
        pub flags: u32,
    }
}

/// Grouped convolution from the definition.
const CONV_DIRECT: Shader = shader!(
    "conv_direct",
    [64, 1, 1],
    ConvDirectParams,
    "conv_direct",
    "image",
    "epilogue"
);
/// Depthwise convolution from the definition.
const CONV_DEPTHWISE: Shader = shader!(
    "conv_depthwise",
    [64, 1, 1],
    ConvDepthwiseParams,
    "conv_direct",
    "image",
    "epilogue"
);
/// Any convolution as an implicit matrix product; tunables `ROWS4`, `COLUMNS4`.
const CONV_SHARED: Shader = shader!(
    "conv_shared",
    [8, 8, 1],
    ConvSharedParams,
    "shared_tile",
    "epilogue"
);

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[CONV_DIRECT, CONV_DEPTHWISE, CONV_SHARED];

static GENERAL: LazyLock<Kernel> = LazyLock::new(|| Kernel::of(&CONV_DIRECT));

static DEPTHWISE: LazyLock<Kernel> = LazyLock::new(|| Kernel::of(&CONV_DEPTHWISE));

static SHARED_64: LazyLock<Kernel> = LazyLock::new(|| shared(2));
static SHARED_32: LazyLock<Kernel> = LazyLock::new(|| shared(1));

fn shared(fours: u32) -> Kernel {
    let shader = CONV_SHARED;
    let source = shader.source().set("ROWS4", fours).set("COLUMNS4", fours);
    Kernel::new(&source, shader.workgroup)
}

impl Direct {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::General,
        Self::Depthwise,
        Self::Shared64,
        Self::Shared32,
    ];

    /// Its name in tables and in stored tuning results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::General => "direct",
            Self::Depthwise => "depthwise",
            Self::Shared64 => "implicit64",
            Self::Shared32 => "implicit32",
        }
    }

    /// The packing of the weights that it reads; `None` if it reads them as they were loaded.
    #[must_use]
    pub const fn packing(self) -> Option<Packing> {
        match self {
            Self::General | Self::Depthwise => None,
            Self::Shared64 | Self::Shared32 => Some(Packing::Matrix),
        }
    }

    fn workgroups(self, conv: &ConvShape) -> [usize; 3] {
        let [height, width] = conv.out_size();
        let fours = (height * width.div_ceil(4)).div_ceil(64);
        let groups = conv.geometry.groups;
        let tiles = |edge: usize| {
            let columns = conv.images * conv.out_pixels();
            [columns.div_ceil(edge), conv.m.div_ceil(edge), groups]
        };
        match self {
            Self::General => [fours, groups * conv.m.div_ceil(4), conv.images],
            Self::Depthwise => [fours, groups * conv.m, conv.images],
            Self::Shared64 => tiles(64),
            Self::Shared32 => tiles(32),
        }
    }

    /// Whether it can compute this convolution: buffers fit and the dispatch is within bounds.
    #[must_use]
    pub fn can_apply(self, conv: &ConvShape, weights: &Weights, max: u64) -> bool {
        let within = self
            .workgroups(conv)
            .into_iter()
            .all(|n| n <= MAX_WORKGROUPS);
        let fits = self != Self::Depthwise || conv.channels == 1;
        let packs = self
            .packing()
            .is_none_or(|packing| weights.can_pack(packing, max));
        within && fits && packs
    }

    /// Computes the convolution; [`Self::can_apply`] must hold.
    pub fn run(
        self,
        gpu: &Gpu,
        conv: &ConvShape,
        x: &Buffer,
        weights: &Weights,
        epilogue: Epilogue,
    ) -> Buffer {
        let y = gpu.empty(&conv.out_dims());
        let workgroups = self.workgroups(conv);
        let bias = epilogue.bias.unwrap_or(x);
        let residual = epilogue.residual.unwrap_or(x);
        let [m, channels, groups, images] =
            [conv.m, conv.channels, conv.geometry.groups, conv.images].map(|n| n as u32);
        let [height, width] = conv.size.map(|n| n as u32);
        let [out_height, out_width] = conv.out_size().map(|n| n as u32);
        let [kernel_h, kernel_w] = conv.kernel.map(|n| n as u32);
        let stride = conv.geometry.stride as u32;
        let padding = conv.geometry.padding as u32;
        let dilation = conv.geometry.dilation as u32;
        let flags = epilogue.flags();
        match self {
            Self::General => {
                let params = ConvDirectParams {
                    m,
                    groups,
                    channels,
                    height,
                    width,
                    out_height,
                    out_width,
                    kernel_h,
                    kernel_w,
                    stride,
                    padding,
                    dilation,
                    flags,
                };
                let inputs: [&dyn Binding; 4] = [x, weights.plain(), bias, residual];
                gpu.launch(&GENERAL, workgroups, &inputs, &y, &params.words());
            }
            Self::Depthwise => {
                let params = ConvDepthwiseParams {
                    m,
                    groups,
                    height,
                    width,
                    out_height,
                    out_width,
                    kernel_h,
                    kernel_w,
                    stride,
                    padding,
                    dilation,
                    flags,
                };
                let inputs: [&dyn Binding; 4] = [x, weights.plain(), bias, residual];
                gpu.launch(&DEPTHWISE, workgroups, &inputs, &y, &params.words());
            }
            Self::Shared64 | Self::Shared32 => {
                let kernel = match self {
                    Self::Shared64 => &SHARED_64,
                    _ => &SHARED_32,
                };
                let params = ConvSharedParams {
                    m,
                    m4: (weights.stride(Packing::Matrix) / 4) as u32,
                    images,
                    groups,
                    channels,
                    height,
                    width,
                    out_height,
                    out_width,
                    kernel_h,
                    kernel_w,
                    stride,
                    padding,
                    dilation,
                    flags,
                };
                let a = weights.packed(Packing::Matrix);
                gpu.launch(
                    kernel,
                    workgroups,
                    &[&a, x, bias, residual],
                    &y,
                    &params.words(),
                );
            }
        }
        y
    }
}
