//! Winograd's algorithm for 3x3 convolutions of stride 1: fewer products for more sums.
//!
//! F(2x2,3x3) takes 16 products for 4 outputs where the definition takes 36; F(4x4,3x3) takes 36 products for
//! 16 outputs where it takes 144. The price is accuracy: the transforms multiply by up to 8 and divide by up to
//! 24. Against f64 on the layers of ResNet-18 the largest error, as a share of the sum of the absolute
//! products, is in `shaders/README.md`; `tests/kernels.rs` holds it to [`Tile::error_factor`] times that of
//! the plain sum.

use super::matmul::{Epilogue, MatMul, Product, matmul};
use super::weights::{Packing, Weights};
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Binding, Buffer, Gpu, Kernel, MAX_WORKGROUPS};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::{ConvShape, bytes_of};

/// Which of the algorithms: edge of a tile of outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tile {
    /// F(2x2,3x3).
    Two,
    /// F(4x4,3x3).
    Four,
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
        /// [`flag`](super::matmul::flag).
        pub flags: u32,
    }
}

/// F(2x2,3x3): weights.
const WINOGRAD2_FILTER: Shader = shader!(
    "winograd2_filter",
    [64, 1, 1],
    WinogradFilterParams,
    "winograd_filter"
);
/// F(4x4,3x3): weights.
const WINOGRAD4_FILTER: Shader = shader!(
    "winograd4_filter",
    [64, 1, 1],
    WinogradFilterParams,
    "winograd_filter"
);
/// F(2x2,3x3): images.
const WINOGRAD2_INPUT: Shader = shader!(
    "winograd2_input",
    [64, 1, 1],
    WinogradInputParams,
    "winograd_input",
    "winograd_tile",
    "image"
);
/// F(4x4,3x3): images.
const WINOGRAD4_INPUT: Shader = shader!(
    "winograd4_input",
    [64, 1, 1],
    WinogradInputParams,
    "winograd_input",
    "winograd_tile",
    "image"
);
/// F(2x2,3x3): products to outputs.
const WINOGRAD2_OUTPUT: Shader = shader!(
    "winograd2_output",
    [64, 1, 1],
    WinogradOutputParams,
    "winograd_output",
    "winograd_tile",
    "epilogue"
);
/// F(4x4,3x3): products to outputs.
const WINOGRAD4_OUTPUT: Shader = shader!(
    "winograd4_output",
    [64, 1, 1],
    WinogradOutputParams,
    "winograd_output",
    "winograd_tile",
    "epilogue"
);

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[
    WINOGRAD2_FILTER,
    WINOGRAD4_FILTER,
    WINOGRAD2_INPUT,
    WINOGRAD4_INPUT,
    WINOGRAD2_OUTPUT,
    WINOGRAD4_OUTPUT,
];

kernels! {
    FILTER_2 = Kernel::of(&WINOGRAD2_FILTER);
    FILTER_4 = Kernel::of(&WINOGRAD4_FILTER);
    INPUT_2 = Kernel::of(&WINOGRAD2_INPUT);
    INPUT_4 = Kernel::of(&WINOGRAD4_INPUT);
    OUTPUT_2 = Kernel::of(&WINOGRAD2_OUTPUT);
    OUTPUT_4 = Kernel::of(&WINOGRAD4_OUTPUT);
}

impl Tile {
    /// Outputs along an edge of a tile.
    #[must_use]
    pub const fn edge(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Matrix products of the algorithm: one for each input pixel under a tile.
    #[must_use]
    pub const fn products(self) -> usize {
        let edge = self.edge() + 2;
        edge * edge
    }

    /// Bound of the error, in units of that of the plain sum of as many products.
    #[must_use]
    pub const fn error_factor(self) -> f64 {
        match self {
            Self::Two => 4.0,
            Self::Four => 40.0,
        }
    }

    pub(super) fn filter(self) -> &'static Kernel {
        match self {
            Self::Two => &FILTER_2,
            Self::Four => &FILTER_4,
        }
    }

    fn input(self) -> &'static Kernel {
        match self {
            Self::Two => &INPUT_2,
            Self::Four => &INPUT_4,
        }
    }

    fn output(self) -> &'static Kernel {
        match self {
            Self::Two => &OUTPUT_2,
            Self::Four => &OUTPUT_4,
        }
    }

    /// Tiles of an image: rows, columns.
    fn tiles(self, conv: &ConvShape) -> [usize; 2] {
        conv.out_size().map(|edge| edge.div_ceil(self.edge()))
    }

    /// Columns of the products: the tiles of all images.
    #[must_use]
    pub fn columns(self, conv: &ConvShape) -> usize {
        let [rows, columns] = self.tiles(conv);
        conv.images * rows * columns
    }

    /// The batched product in the middle.
    #[must_use]
    pub fn product(self, conv: &ConvShape, m_stride: usize) -> Product {
        let columns = self.columns(conv);
        // Whole fours, so that a row starts where a load of four may.
        let stride = columns.next_multiple_of(4);
        Product {
            batches: self.products(),
            a_batches: self.products(),
            m: conv.m,
            n: columns,
            k: conv.channels,
            m_stride,
            b_stride: stride,
            c_stride: stride,
        }
    }
}

/// Whether the algorithm can compute this convolution and its buffers fit.
#[must_use]
pub fn can_apply(
    conv: &ConvShape,
    weights: &Weights,
    tile: Tile,
    variant: MatMul,
    max: u64,
) -> bool {
    let geometry = conv.geometry;
    let plain = geometry.stride == 1 && geometry.dilation == 1 && geometry.groups == 1;
    if !plain || conv.kernel != [3, 3] {
        return false;
    }
    let packing = Packing::Winograd(tile);
    let product = tile.product(conv, weights.stride(packing));
    let widest = conv.channels.max(conv.m);
    let bytes = bytes_of(&[tile.products(), widest, product.b_stride]);
    let workgroups = (product.n * widest).div_ceil(64);
    bytes <= max
        && workgroups <= MAX_WORKGROUPS
        && weights.can_pack(packing, max)
        && product.can_apply(variant)
}

/// Computes the convolution; [`can_apply`] must hold.
pub fn run(
    gpu: &Gpu,
    conv: &ConvShape,
    (tile, variant): (Tile, MatMul),
    x: &Buffer,
    weights: &Weights,
    epilogue: Epilogue,
) -> Buffer {
    let packing = Packing::Winograd(tile);
    let product = tile.product(conv, weights.stride(packing));
    let [tiles_y, tiles_x] = tile.tiles(conv).map(|n| n as u32);
    let tiles = product.n as u32;

    let v = gpu.empty(&[tile.products(), conv.channels, product.b_stride]);
    let params = WinogradInputParams {
        channels: conv.channels as u32,
        height: conv.size[0] as u32,
        width: conv.size[1] as u32,
        padding: conv.geometry.padding as u32,
        tiles_y,
        tiles_x,
        tiles,
        v_stride: product.b_stride as u32,
    };
    let workgroups = [(product.n * conv.channels).div_ceil(64), 1, 1];
    gpu.launch(tile.input(), workgroups, &[x], &v, &params.words());

    let p = gpu.empty(&[tile.products(), conv.m, product.c_stride]);
    let u = weights.packed(packing);
    matmul(gpu, variant, &product, &u, [&v, &p], Epilogue::default());

    let y = gpu.empty(&conv.out_dims());
    let [height, width] = conv.out_size();
    let params = WinogradOutputParams {
        channels: conv.m as u32,
        height: height as u32,
        width: width as u32,
        tiles_y,
        tiles_x,
        tiles,
        p_stride: product.c_stride as u32,
        flags: epilogue.flags(),
    };
    let workgroups = [(product.n * conv.m).div_ceil(64), 1, 1];
    let inputs: [&dyn Binding; 3] = [
        &p,
        epilogue.bias.unwrap_or(&p),
        epilogue.residual.unwrap_or(&p),
    ];
    gpu.launch(tile.output(), workgroups, &inputs, &y, &params.words());
    y
}
