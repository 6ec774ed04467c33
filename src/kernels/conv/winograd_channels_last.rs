//! Winograd's F(4x4,3x3) on images channels last, its products by [`super::implicit`]: for GPUs.
//!
//! The algorithm and its error are [`super::winograd`]'s. The input gradient of such a convolution is one as well, of the
//! filters turned round.

use super::block::Block;
use super::implicit::{Batches, Implicit, Pixels, Sum};
use super::matmul::Epilogue;
use super::weights::{Packing, Weights};
use super::winograd::Tile;
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Binding, Buffer, Gpu, Kernel, MAX_WORKGROUPS, spread_tensor};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::{ConvShape, bytes_of, channels_last};

params! {
    /// `winograd4_input_channels_last.wgsl`.
    pub struct WinogradInputLastParams {
        /// H.
        pub height: u32,
        /// W.
        pub width: u32,
        /// Fours of channels.
        pub c4: u32,
        /// Zeros round the image.
        pub padding: u32,
        /// Tiles in a column of an image.
        pub tiles_y: u32,
        /// Tiles in a row of an image.
        pub tiles_x: u32,
        /// Tiles of all images.
        pub tiles: u32,
    }
}

params! {
    /// `winograd4_output_channels_last.wgsl`.
    pub struct WinogradOutputLastParams {
        /// OH.
        pub height: u32,
        /// OW.
        pub width: u32,
        /// Fours of channels.
        pub m4: u32,
        /// Tiles in a column of an image.
        pub tiles_y: u32,
        /// Tiles in a row of an image.
        pub tiles_x: u32,
        /// Tiles of all images.
        pub tiles: u32,
        /// [`flag`](super::matmul::flag).
        pub flags: u32,
    }
}

/// Images to the basis of the product.
const INPUT: Shader = shader!(
    "winograd4_input_channels_last",
    [64, 1, 1],
    WinogradInputLastParams
);
/// Products to outputs.
const OUTPUT: Shader = shader!(
    "winograd4_output_channels_last",
    [64, 1, 1],
    WinogradOutputLastParams,
    "epilogue4"
);

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[INPUT, OUTPUT];

kernels! {
    INPUT_KERNEL = Kernel::of(&INPUT);
    OUTPUT_KERNEL = Kernel::of(&OUTPUT);
}

/// The products of a tile.
const PRODUCTS: usize = Tile::Four.products();

/// The product in the middle: one pixel a tile, one batch a product.
fn product(block: Block) -> Implicit {
    Implicit { block, splits: 1 }
}

/// The convolution that the input gradient is: channels exchanged, the padding what the kernel leaves of it. `None` where
/// that would be negative.
#[must_use]
pub fn transposed(conv: &ConvShape) -> Option<ConvShape> {
    let mut other = *conv;
    other.channels = conv.m;
    other.m = conv.channels;
    other.size = conv.out_size();
    other.geometry.padding = 2_usize.checked_sub(conv.geometry.padding)?;
    Some(other)
}

/// Whether the algorithm is for such a convolution.
#[must_use]
pub fn is_for(conv: &ConvShape) -> bool {
    let geometry = conv.geometry;
    let plain = geometry.stride == 1 && geometry.dilation == 1 && geometry.groups == 1;
    let fours = conv.channels.is_multiple_of(4) && conv.m.is_multiple_of(4);
    plain && fours && conv.kernel == [3, 3]
}

/// Whether the algorithm can compute this convolution, with the weights in that packing, and its buffers fit.
#[must_use]
pub fn can_apply(
    conv: &ConvShape,
    weights: &Weights,
    block: Block,
    packing: Packing,
    max: u64,
) -> bool {
    if !is_for(conv) {
        return false;
    }
    let tiles = Tile::Four.columns(conv);
    let widest = bytes_of(&[PRODUCTS, tiles, conv.channels.max(conv.m)]);
    let workgroups = block.workgroups(tiles, conv.m, PRODUCTS);
    widest <= max
        && block.takes(conv.m)
        && workgroups.into_iter().all(|n| n <= MAX_WORKGROUPS)
        && weights.can_pack(packing, max)
}

/// Computes the convolution of `x` `[N,H,W,C]` with the weights in that packing; [`can_apply`] must hold.
#[must_use]
pub fn run(
    gpu: &Gpu,
    conv: &ConvShape,
    block: Block,
    x: &Buffer,
    (weights, packing): (&Weights, Packing),
    epilogue: Epilogue,
) -> Buffer {
    let [tiles_y, tiles_x] = conv.out_size().map(|edge| edge.div_ceil(4) as u32);
    let tiles = Tile::Four.columns(conv);
    let (c4, m4) = (conv.channels / 4, conv.m / 4);

    let v = gpu.empty(&[PRODUCTS, tiles, conv.channels]);
    let params = WinogradInputLastParams {
        height: conv.size[0] as u32,
        width: conv.size[1] as u32,
        c4: c4 as u32,
        padding: conv.geometry.padding as u32,
        tiles_y,
        tiles_x,
        tiles: tiles as u32,
    };
    gpu.launch(
        &INPUT_KERNEL,
        spread_tensor(tiles * c4),
        &[x],
        &v,
        &params.words(),
    );

    let p = gpu.empty(&[PRODUCTS, tiles, conv.m]);
    let batches = Batches {
        count: PRODUCTS,
        x: tiles * c4,
        y: tiles * m4,
        c4,
        m4,
    };
    let row = |c4: usize| Pixels {
        images: 1,
        size: [1, tiles],
        c4,
    };
    let u = weights.packed(packing);
    let none = Epilogue::default();
    let (from, to) = ((&v as &dyn Binding, row(c4)), (&p as &dyn Binding, row(m4)));
    product(block).launch(gpu, &Sum::pointwise(tiles), &batches, from, &u, to, none);

    let y = gpu.empty(&channels_last(conv.out_dims()));
    let [height, width] = conv.out_size();
    let params = WinogradOutputLastParams {
        height: height as u32,
        width: width as u32,
        m4: m4 as u32,
        tiles_y,
        tiles_x,
        tiles: tiles as u32,
        flags: epilogue.flags(),
    };
    let inputs: [&dyn Binding; 3] = [
        &p,
        epilogue.bias.unwrap_or(&p),
        epilogue.residual.unwrap_or(&p),
    ];
    let workgroups = spread_tensor(tiles * m4);
    gpu.launch(&OUTPUT_KERNEL, workgroups, &inputs, &y, &params.words());
    y
}
