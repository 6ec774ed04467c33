//! The backward pass of a convolution, as matrix products with the columns of the forward pass.
//!
//! `dW = dY * columns(X)^T`, summed over images; `dX = image(W^T * dY)`, where `image` adds each column
//! back to the pixels it was copied from (Chellapilla et al. 2006, section 3). Stride, padding, dilation
//! and groups are in the columns, so one path serves every convolution.

use super::columns::{can_lay_out, col_stride, col2im, im2col, is_pointwise};
use super::matmul::{Epilogue, MatMul, MatMulNtParams, Product, matmul, matmul_nt};
use super::weights::{Packing, Weights};
use crate::kernels::gpu::launch::{Buffer, Gpu};
use crate::kernels::shape::ConvShape;

/// The input gradient's product: rows are the weights of a filter, the sum is over output channels.
fn input_product(conv: &ConvShape, m_stride: usize) -> Product {
    let pointwise = is_pointwise(conv);
    Product {
        batches: conv.images * conv.geometry.groups,
        a_batches: conv.geometry.groups,
        m: conv.depth(),
        n: conv.out_pixels(),
        k: conv.m,
        m_stride,
        b_stride: conv.out_pixels(),
        c_stride: if pointwise {
            conv.out_pixels()
        } else {
            col_stride(conv)
        },
    }
}

/// Whether both gradients can be computed here.
#[must_use]
pub fn can_apply(conv: &ConvShape, weights: &Weights, variant: MatMul, max: u64) -> bool {
    let product = input_product(conv, weights.stride(Packing::Transposed));
    can_lay_out(conv, max)
        && weights.can_pack(Packing::Transposed, max)
        && product.can_apply(variant)
}

/// `dY` `[N,O,OH,OW]` to `dX` `[N,C,H,W]`.
#[must_use]
pub fn input(
    gpu: &Gpu,
    conv: &ConvShape,
    variant: MatMul,
    weights: &Weights,
    dy: &Buffer,
) -> Buffer {
    let a = weights.packed(Packing::Transposed);
    let product = input_product(conv, weights.stride(Packing::Transposed));
    if is_pointwise(conv) {
        let dx = gpu.empty(&conv.in_dims());
        matmul(gpu, variant, &product, &a, [dy, &dx], Epilogue::default());
        return dx;
    }
    let rows = conv.geometry.groups * conv.depth();
    let col = gpu.empty(&[conv.images, rows, col_stride(conv)]);
    matmul(gpu, variant, &product, &a, [dy, &col], Epilogue::default());
    col2im(gpu, conv, &col)
}

/// `X` and `dY` to `dW` `[O,C/G,KH,KW]`.
#[must_use]
pub fn weight(gpu: &Gpu, conv: &ConvShape, x: &Buffer, dy: &Buffer) -> Buffer {
    let groups = conv.geometry.groups;
    let [kernel_h, kernel_w] = conv.kernel;
    let dw = gpu.empty(&[groups * conv.m, conv.channels, kernel_h, kernel_w]);
    let pixels = conv.out_pixels();
    let (columns, b_stride) = if is_pointwise(conv) {
        (x.clone(), pixels)
    } else {
        (im2col(gpu, conv, x), col_stride(conv))
    };
    let params = MatMulNtParams {
        m: conv.m as u32,
        n: conv.depth() as u32,
        k: pixels as u32,
        batches: conv.images as u32,
        groups: groups as u32,
        a_stride: pixels as u32,
        b_stride: b_stride as u32,
    };
    matmul_nt(gpu, &params, [dy, &columns, &dw]);
    dw
}
