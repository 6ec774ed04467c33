//! Convolutions from the definition, which read the image in place.

use super::matmul::Epilogue;
use super::weights::Weights;
use crate::kernels::gpu::kernel::kernels;
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
/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[CONV_DIRECT, CONV_DEPTHWISE];

kernels! {
    GENERAL = Kernel::of(&CONV_DIRECT);
    DEPTHWISE = Kernel::of(&CONV_DEPTHWISE);
}

impl Direct {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::General, Self::Depthwise];

    /// Its name in tables and in stored tuning results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::General => "direct",
            Self::Depthwise => "depthwise",
        }
    }

    fn workgroups(self, conv: &ConvShape) -> [usize; 3] {
        let [height, width] = conv.out_size();
        let fours = (height * width.div_ceil(4)).div_ceil(64);
        let groups = conv.geometry.groups;
        match self {
            Self::General => [fours, groups * conv.m.div_ceil(4), conv.images],
            Self::Depthwise => [fours, groups * conv.m, conv.images],
        }
    }

    /// Whether it can compute this convolution: buffers fit and the dispatch is within bounds.
    #[must_use]
    pub fn can_apply(self, conv: &ConvShape) -> bool {
        let within = self
            .workgroups(conv)
            .into_iter()
            .all(|n| n <= MAX_WORKGROUPS);
        let fits = self != Self::Depthwise || conv.channels == 1;
        within && fits
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
        let [m, channels, groups] = [conv.m, conv.channels, conv.geometry.groups].map(|n| n as u32);
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
        }
        y
    }
}
