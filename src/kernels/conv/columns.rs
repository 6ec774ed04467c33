//! Convolutions as a matrix product: im2col first, except where the image already is its columns.

use super::matmul::{Epilogue, MatMul, Product, matmul};
use super::weights::{Packing, Weights};
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Buffer, Gpu, Kernel, MAX_WORKGROUPS};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::{ConvShape, bytes_of};

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

/// Windows to columns.
const IM2COL: Shader = shader!("im2col", [64, 1, 1], ColumnsParams, "columns", "image");
/// Columns back to windows, overlaps summed.
const COL2IM: Shader = shader!("col2im", [64, 1, 1], ColumnsParams, "columns");

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[IM2COL, COL2IM];

kernels! {
    IM2COL_KERNEL = Kernel::of(&IM2COL);
    COL2IM_KERNEL = Kernel::of(&COL2IM);
}

/// Values in a row of the columns: a multiple of four.
#[must_use]
pub fn col_stride(conv: &ConvShape) -> usize {
    conv.out_pixels().next_multiple_of(4)
}

/// Whether the image already is its columns: a 1x1 kernel at every pixel.
#[must_use]
pub fn is_pointwise(conv: &ConvShape) -> bool {
    conv.kernel == [1, 1] && conv.geometry.stride == 1 && conv.geometry.padding == 0
}

/// The forward product, on columns with rows of `b_stride`.
#[must_use]
pub fn product(conv: &ConvShape, m_stride: usize, b_stride: usize) -> Product {
    Product {
        batches: conv.images * conv.geometry.groups,
        a_batches: conv.geometry.groups,
        m: conv.m,
        n: conv.out_pixels(),
        k: conv.depth(),
        m_stride,
        b_stride,
        c_stride: conv.out_pixels(),
    }
}

/// Whether the columns fit a buffer and the dispatches are within bounds.
#[must_use]
pub fn can_lay_out(conv: &ConvShape, max: u64) -> bool {
    let channels = conv.channels * conv.geometry.groups;
    let rows = channels * conv.kernel[0] * conv.kernel[1];
    bytes_of(&[conv.images, rows, col_stride(conv)]) <= max
        && conv.images <= MAX_WORKGROUPS
        && channels <= MAX_WORKGROUPS
}

/// Whether the convolution can run as columns times weights.
#[must_use]
pub fn can_apply(conv: &ConvShape, weights: &Weights, variant: MatMul, max: u64) -> bool {
    let product = product(conv, weights.stride(Packing::Matrix), col_stride(conv));
    (is_pointwise(conv) || can_lay_out(conv, max))
        && weights.can_pack(Packing::Matrix, max)
        && product.can_apply(variant)
}

fn params(conv: &ConvShape) -> ColumnsParams {
    let [out_height, out_width] = conv.out_size();
    ColumnsParams {
        channels: (conv.channels * conv.geometry.groups) as u32,
        height: conv.size[0] as u32,
        width: conv.size[1] as u32,
        out_height: out_height as u32,
        out_width: out_width as u32,
        kernel_h: conv.kernel[0] as u32,
        kernel_w: conv.kernel[1] as u32,
        stride: conv.geometry.stride as u32,
        padding: conv.geometry.padding as u32,
        dilation: conv.geometry.dilation as u32,
        col_stride: col_stride(conv) as u32,
    }
}

/// Lays out `x` `[N,C,H,W]` as columns `[N, C*KH*KW, col_stride]`.
#[must_use]
pub fn im2col(gpu: &Gpu, conv: &ConvShape, x: &Buffer) -> Buffer {
    let channels = conv.channels * conv.geometry.groups;
    let rows = channels * conv.kernel[0] * conv.kernel[1];
    let col = gpu.empty(&[conv.images, rows, col_stride(conv)]);
    let workgroups = [conv.out_pixels().div_ceil(64), channels, conv.images];
    gpu.launch(
        &IM2COL_KERNEL,
        workgroups,
        &[x],
        &col,
        &params(conv).words(),
    );
    col
}

/// Turns the gradient of the columns into that of `x`.
#[must_use]
pub fn col2im(gpu: &Gpu, conv: &ConvShape, col: &Buffer) -> Buffer {
    let channels = conv.channels * conv.geometry.groups;
    let dx = gpu.empty(&conv.in_dims());
    let pixels = conv.size[0] * conv.size[1];
    let workgroups = [pixels.div_ceil(64), channels, conv.images];
    gpu.launch(
        &COL2IM_KERNEL,
        workgroups,
        &[col],
        &dx,
        &params(conv).words(),
    );
    dx
}

/// Computes the convolution; [`can_apply`] must hold.
pub fn run(
    gpu: &Gpu,
    conv: &ConvShape,
    variant: MatMul,
    x: &Buffer,
    weights: &Weights,
    epilogue: Epilogue,
) -> Buffer {
    let a = weights.packed(Packing::Matrix);
    let y = gpu.empty(&conv.out_dims());
    let m_stride = weights.stride(Packing::Matrix);
    if is_pointwise(conv) {
        let product = product(conv, m_stride, conv.out_pixels());
        matmul(gpu, variant, &product, &a, [x, &y], epilogue);
    } else {
        let col = im2col(gpu, conv, x);
        let product = product(conv, m_stride, col_stride(conv));
        matmul(gpu, variant, &product, &a, [&col, &y], epilogue);
    }
    y
}
