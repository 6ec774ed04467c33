//! The parameters of the convolution kernels, twins of the WGSL `struct Params`, and the files they belong to.

use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

/// `flags` of every kernel with an epilogue.
pub mod flag {
    /// Add the bias of the channel.
    pub const BIAS: u32 = 1;
    /// Add the residual.
    pub const RESIDUAL: u32 = 2;
    /// Nothing below zero.
    pub const RELU: u32 = 4;
}

params! {
    /// `matmul_registers.wgsl`, `matmul_registers_narrow.wgsl` and `matmul_shared.wgsl`.
    pub struct MatMulParams {
        /// Rows of the result.
        pub m: u32,
        /// Columns of the result.
        pub n: u32,
        /// Length of the sum.
        pub k: u32,
        /// Left factors; batch z takes number z modulo this.
        pub a_batches: u32,
        /// Fours of rows in a slice of the left factor.
        pub m4: u32,
        /// Values in a row of the right factor.
        pub b_stride: u32,
        /// Values in a row of the result.
        pub c_stride: u32,
        /// [`flag`].
        pub flags: u32,
    }
}

params! {
    /// `matmul_nt.wgsl`.
    pub struct MatMulNtParams {
        /// Rows of the result, of one group.
        pub m: u32,
        /// Columns of the result.
        pub n: u32,
        /// Length of the sum in one batch.
        pub k: u32,
        /// Batches summed.
        pub batches: u32,
        /// Results side by side.
        pub groups: u32,
        /// Values in a row of the left factor.
        pub a_stride: u32,
        /// Values in a row of the right factor.
        pub b_stride: u32,
    }
}

params! {
    /// `im2col.wgsl` and `col2im.wgsl`.
    pub struct ColumnsParams {
        /// Channels of all groups.
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
        /// Values in a row of columns.
        pub col_stride: u32,
    }
}

params! {
    /// `pack_matrix.wgsl`.
    pub struct PackParams {
        /// Rows.
        pub m: u32,
        /// Slices.
        pub k: u32,
        /// Rows with padding.
        pub m_stride: u32,
    }
}

params! {
    /// `winograd2_filter.wgsl` and `winograd4_filter.wgsl`.
    pub struct WinogradFilterParams {
        /// Output channels.
        pub m: u32,
        /// Input channels.
        pub channels: u32,
        /// Output channels with padding.
        pub m_stride: u32,
    }
}

params! {
    /// `winograd2_input.wgsl` and `winograd4_input.wgsl`.
    pub struct WinogradInputParams {
        /// Input channels.
        pub channels: u32,
        /// H.
        pub height: u32,
        /// W.
        pub width: u32,
        /// Zeros round the image.
        pub padding: u32,
        /// Tiles in a column of an image.
        pub tiles_y: u32,
        /// Tiles in a row of an image.
        pub tiles_x: u32,
        /// Tiles of all images.
        pub tiles: u32,
        /// Values in a row of the result.
        pub v_stride: u32,
    }
}

params! {
    /// `winograd2_output.wgsl` and `winograd4_output.wgsl`.
    pub struct WinogradOutputParams {
        /// Output channels.
        pub channels: u32,
        /// OH.
        pub height: u32,
        /// OW.
        pub width: u32,
        /// Tiles in a column of an image.
        pub tiles_y: u32,
        /// Tiles in a row of an image.
        pub tiles_x: u32,
        /// Tiles of all images.
        pub tiles: u32,
        /// Values in a row of the products.
        pub p_stride: u32,
        /// [`flag`].
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
        /// [`flag`].
        pub flags: u32,
    }
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
        /// [`flag`].
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
        /// [`flag`].
        pub flags: u32,
    }
}

/// Windows to columns.
pub const IM2COL: Shader = shader!("im2col", [64, 1, 1], ColumnsParams, "columns", "image");
/// Columns back to windows, overlaps summed.
pub const COL2IM: Shader = shader!("col2im", [64, 1, 1], ColumnsParams, "columns");
/// Grouped convolution from the definition.
pub const CONV_DIRECT: Shader = shader!(
    "conv_direct",
    [64, 1, 1],
    ConvDirectParams,
    "conv_direct",
    "image",
    "epilogue"
);
/// Depthwise convolution from the definition.
pub const CONV_DEPTHWISE: Shader = shader!(
    "conv_depthwise",
    [64, 1, 1],
    ConvDepthwiseParams,
    "conv_direct",
    "image",
    "epilogue"
);
/// Any convolution as an implicit matrix product; tunables `ROWS4`, `COLUMNS4`.
pub const CONV_SHARED: Shader = shader!(
    "conv_shared",
    [8, 8, 1],
    ConvSharedParams,
    "shared_tile",
    "epilogue"
);
/// Product, 16x16 results an invocation.
pub const MATMUL_REGISTERS: Shader = shader!(
    "matmul_registers",
    [8, 1, 1],
    MatMulParams,
    "matmul",
    "matmul_registers",
    "epilogue"
);
/// Product, 32x4 results an invocation.
pub const MATMUL_REGISTERS_NARROW: Shader = shader!(
    "matmul_registers_narrow",
    [8, 1, 1],
    MatMulParams,
    "matmul",
    "matmul_registers",
    "epilogue"
);
/// Product through workgroup memory; tunables `ROWS4`, `COLUMNS4`.
pub const MATMUL_SHARED: Shader = shader!(
    "matmul_shared",
    [8, 8, 1],
    MatMulParams,
    "matmul",
    "shared_tile",
    "epilogue"
);
/// Product with the right factor transposed, summed over batches: the weight gradient.
pub const MATMUL_NT: Shader = shader!("matmul_nt", [32, 1, 1], MatMulNtParams);
/// Weights as a left factor; tunable `TRANSPOSE`.
pub const PACK_MATRIX: Shader = shader!("pack_matrix", [64, 1, 1], PackParams);
/// F(2x2,3x3): weights.
pub const WINOGRAD2_FILTER: Shader = shader!(
    "winograd2_filter",
    [64, 1, 1],
    WinogradFilterParams,
    "winograd_filter"
);
/// F(2x2,3x3): images.
pub const WINOGRAD2_INPUT: Shader = shader!(
    "winograd2_input",
    [64, 1, 1],
    WinogradInputParams,
    "winograd_input",
    "winograd_tile",
    "image"
);
/// F(2x2,3x3): products to outputs.
pub const WINOGRAD2_OUTPUT: Shader = shader!(
    "winograd2_output",
    [64, 1, 1],
    WinogradOutputParams,
    "winograd_output",
    "winograd_tile",
    "epilogue"
);
/// F(4x4,3x3): weights.
pub const WINOGRAD4_FILTER: Shader = shader!(
    "winograd4_filter",
    [64, 1, 1],
    WinogradFilterParams,
    "winograd_filter"
);
/// F(4x4,3x3): images.
pub const WINOGRAD4_INPUT: Shader = shader!(
    "winograd4_input",
    [64, 1, 1],
    WinogradInputParams,
    "winograd_input",
    "winograd_tile",
    "image"
);
/// F(4x4,3x3): products to outputs.
pub const WINOGRAD4_OUTPUT: Shader = shader!(
    "winograd4_output",
    [64, 1, 1],
    WinogradOutputParams,
    "winograd_output",
    "winograd_tile",
    "epilogue"
);

/// Every kernel file of this op.
pub const SHADERS: &[Shader] = &[
    COL2IM,
    CONV_DEPTHWISE,
    CONV_DIRECT,
    CONV_SHARED,
    IM2COL,
    MATMUL_NT,
    MATMUL_REGISTERS,
    MATMUL_REGISTERS_NARROW,
    MATMUL_SHARED,
    PACK_MATRIX,
    WINOGRAD2_FILTER,
    WINOGRAD2_INPUT,
    WINOGRAD2_OUTPUT,
    WINOGRAD4_FILTER,
    WINOGRAD4_INPUT,
    WINOGRAD4_OUTPUT,
];
