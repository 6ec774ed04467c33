//! The convolution in all its variants, and which of them to take.

pub mod autodiff;
pub mod columns;
pub mod cpu;
mod cube;
pub mod direct;
mod flex;
pub mod frozen;
pub mod gradient;
pub mod matmul;
pub mod params;
pub mod reference;
pub mod select;
pub mod weights;
pub mod winograd;

pub use autodiff::conv2d;
pub use frozen::Conv2d;

use direct::Direct;
use matmul::{Epilogue, MatMul};
use weights::{Packing, Weights};
use winograd::Tile;

use super::gpu::launch::{Buffer, Gpu};
use super::shape::{Conv, bytes_of};

/// A way to compute a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Where the image lies.
    Direct(Direct),
    /// Columns times weights; without columns if the kernel is 1x1.
    Columns(MatMul),
    /// Winograd's, for 3x3 of stride 1.
    Winograd(Tile, MatMul),
}

impl Algorithm {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all: Vec<_> = Direct::ALL.map(Self::Direct).to_vec();
        all.extend(MatMul::ALL.map(Self::Columns));
        for tile in [Tile::Two, Tile::Four] {
            all.extend(MatMul::ALL.map(|variant| Self::Winograd(tile, variant)));
        }
        all
    }

    /// Name in tables and in what tuning keeps.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Direct(direct) => direct.name().to_string(),
            Self::Columns(variant) => format!("columns-{}", variant.name()),
            Self::Winograd(tile, variant) => {
                format!("winograd{}-{}", tile.edge(), variant.name())
            }
        }
    }

    /// The other way round.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all()
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    /// Whether it is for this convolution; `max` is the most bytes of a binding.
    #[must_use]
    pub fn can_apply(self, conv: &Conv, weights: &Weights, max: u64) -> bool {
        let fits = |dims: [usize; 4]| bytes_of(&dims) <= max;
        fits(conv.in_dims())
            && fits(conv.out_dims())
            && match self {
                Self::Direct(direct) => direct.can_apply(conv, weights, max),
                Self::Columns(variant) => columns::can_apply(conv, weights, variant, max),
                Self::Winograd(tile, variant) => {
                    winograd::can_apply(conv, weights, tile, variant, max)
                }
            }
    }

    /// The packing of the weights that it reads, if not the plain ones.
    #[must_use]
    pub const fn packing(self) -> Option<Packing> {
        match self {
            Self::Direct(direct) => direct.packing(),
            Self::Columns(_) => Some(Packing::Matrix),
            Self::Winograd(tile, _) => Some(Packing::Winograd(tile)),
        }
    }

    /// `act(conv(x) + bias + residual)`, as [`Self::can_apply`] allows it.
    #[must_use]
    pub fn run(
        self,
        gpu: &Gpu,
        conv: &Conv,
        x: &Buffer,
        weights: &Weights,
        epilogue: Epilogue,
    ) -> Buffer {
        match self {
            Self::Direct(direct) => direct.run(gpu, conv, x, weights, epilogue),
            Self::Columns(variant) => columns::run(gpu, conv, variant, x, weights, epilogue),
            Self::Winograd(tile, variant) => {
                winograd::run(gpu, conv, (tile, variant), x, weights, epilogue)
            }
        }
    }
}
