//! Winograd's algorithm for 3x3 convolutions of stride 1: fewer products for more sums.
//!
//! F(2x2,3x3) takes 16 products for 4 outputs where the definition takes 36; F(4x4,3x3) takes 36 products for
//! 16 outputs where it takes 144. The price is accuracy: the transforms multiply by up to 8 and divide by up to
//! 24. Against f64 on the layers of ResNet-18 the largest error, as a share of the sum of the absolute
//! products, is in `shaders/README.md`; `tests/kernels.rs` holds it to [`Tile::error_factor`] times that of
//! the plain sum.

use std::sync::LazyLock;

use super::matmul::{Epilogue, MatMul, Product, matmul};
use super::params::{self, WinogradInputParams, WinogradOutputParams};
use super::weights::{Packing, Weights};
use crate::kernels::gpu::launch::{Binding, Buffer, Gpu, Kernel, MAX_WORKGROUPS};
use crate::kernels::shape::{ConvShape, bytes_of};

/// Which of the algorithms: edge of a tile of outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tile {
    /// F(2x2,3x3).
    Two,
    /// F(4x4,3x3).
    Four,
}

macro_rules! transform {
    ($name:ident) => {
        static $name: LazyLock<Kernel> = LazyLock::new(|| Kernel::of(&params::$name));
    };
}

transform!(WINOGRAD2_FILTER);
transform!(WINOGRAD4_FILTER);
transform!(WINOGRAD2_INPUT);
transform!(WINOGRAD4_INPUT);
transform!(WINOGRAD2_OUTPUT);
transform!(WINOGRAD4_OUTPUT);

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
            Self::Two => &WINOGRAD2_FILTER,
            Self::Four => &WINOGRAD4_FILTER,
        }
    }

    fn input(self) -> &'static Kernel {
        match self {
            Self::Two => &WINOGRAD2_INPUT,
            Self::Four => &WINOGRAD4_INPUT,
        }
    }

    fn output(self) -> &'static Kernel {
        match self {
            Self::Two => &WINOGRAD2_OUTPUT,
            Self::Four => &WINOGRAD4_OUTPUT,
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
