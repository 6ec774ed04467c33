//! The convolution.
//!
//! | what | where |
//! |---|---|
//! | differentiable op, on burn's GPU and CPU backends | [`autodiff`], `cube`, `flex` |
//! | layer with fixed weights | [`frozen`] |
//! | on GPUs, channels last | [`implicit`] in a [`block`], [`winograd_channels_last`], [`grouped`] |
//! | on software adapters, and where fours of channels are not whole | [`columns`], [`winograd`], [`direct`]; [`matmul`] is their product |
//! | their weights | [`weights`] packs |
//! | gradients | [`gradient`]; of weights, channels last [`weight_gradient`], [`grouped_weights`] |
//! | which one runs | [`select`], on GPUs by [`model`] |
//! | CPU loops | [`cpu`] |
//! | `f64` reference | [`mod@reference`] |
//!
//! A new algorithm is a variant of [`Algorithm`]: tests, tuning and the self-test go through
//! [`Algorithm::all`] and need no change.

pub mod autodiff;
pub mod block;
pub mod columns;
pub mod cpu;
mod cube;
pub mod direct;
mod flex;
pub mod frozen;
pub mod gradient;
pub mod grouped;
pub mod grouped_weights;
pub mod implicit;
pub mod matmul;
pub mod model;
pub mod reference;
pub mod select;
pub mod weight_gradient;
pub mod weights;
pub mod winograd;
pub mod winograd_channels_last;

pub use autodiff::conv2d;
pub use frozen::Conv2d;

use block::Block;
use direct::Direct;
use grouped::Groups;
use implicit::Implicit;
use matmul::{Epilogue, MatMul};
use weights::{Packing, Weights};
use winograd::Tile;

use super::gpu::kernel::List;
use super::gpu::launch::{Buffer, Gpu, Layout};
use super::gpu::source::Shader;
use super::shape::{ConvShape, bytes_of};

/// The kernel files of this op, by module.
pub const SHADERS: [&[Shader]; 11] = [
    block::SHADERS,
    columns::SHADERS,
    direct::SHADERS,
    grouped::SHADERS,
    grouped_weights::SHADERS,
    implicit::SHADERS,
    matmul::SHADERS,
    weight_gradient::SHADERS,
    weights::SHADERS,
    winograd::SHADERS,
    winograd_channels_last::SHADERS,
];

/// The kernels of this op as they are launched, by module.
pub static KERNELS: [List; 9] = [
    block::KERNELS,
    columns::KERNELS,
    direct::KERNELS,
    implicit::KERNELS,
    matmul::KERNELS,
    weight_gradient::KERNELS,
    weights::KERNELS,
    winograd::KERNELS,
    winograd_channels_last::KERNELS,
];

/// A way to compute a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Reads the image in place.
    Direct(Direct),
    /// im2col and a matrix product; the image itself serves as columns where the kernel is 1x1.
    Columns(MatMul),
    /// Winograd's, for 3x3 of stride 1.
    Winograd(Tile, MatMul),
    /// An implicit matrix product on images channels last.
    Implicit(Implicit),
    /// Winograd's on images channels last, its products implicit ones.
    WinogradImplicit(Block),
    /// From the definition, on images channels last, groups of this kind.
    Grouped(Groups),
}

impl Algorithm {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all: Vec<_> = Direct::ALL.map(Self::Direct).to_vec();
        all.extend(Implicit::all().into_iter().map(Self::Implicit));
        all.extend(Block::ALL.map(Self::WinogradImplicit));
        all.extend(Groups::ALL.map(Self::Grouped));
        all.extend(MatMul::ALL.map(Self::Columns));
        for tile in [Tile::Two, Tile::Four] {
            all.extend(MatMul::ALL.map(|variant| Self::Winograd(tile, variant)));
        }
        all
    }

    /// Its name in tables and in stored tuning results.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Direct(direct) => direct.name().to_string(),
            Self::Columns(variant) => format!("columns-{}", variant.name()),
            Self::Implicit(implicit) => implicit.name(),
            Self::Grouped(groups) => groups.name().to_string(),
            Self::WinogradImplicit(block) => {
                format!("winograd4-{}", Implicit { block, splits: 1 }.name())
            }
            Self::Winograd(tile, variant) => {
                format!("winograd{}-{}", tile.edge(), variant.name())
            }
        }
    }

    /// The algorithm of a name that [`Self::name`] gave.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all()
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    /// Whether it can compute this convolution; `max` is the most bytes of a binding.
    #[must_use]
    pub fn can_apply(self, conv: &ConvShape, weights: &Weights, max: u64) -> bool {
        let fits = |dims: [usize; 4]| bytes_of(&dims) <= max;
        fits(conv.in_dims())
            && fits(conv.out_dims())
            && match self {
                Self::Direct(direct) => direct.can_apply(conv),
                Self::Implicit(implicit) => implicit::can_apply(implicit, conv, weights, max),
                Self::WinogradImplicit(block) => {
                    let packing = Packing::WinogradTaps;
                    winograd_channels_last::can_apply(conv, weights, block, packing, max)
                }
                Self::Grouped(groups) => grouped::can_apply(groups, conv, weights, max),
                Self::Columns(variant) => columns::can_apply(conv, weights, variant, max),
                Self::Winograd(tile, variant) => {
                    winograd::can_apply(conv, weights, tile, variant, max)
                }
            }
    }

    /// The packing of the weights that it reads; `None` if it reads them as they were loaded.
    #[must_use]
    pub const fn packing(self, conv: &ConvShape) -> Option<Packing> {
        match self {
            Self::Direct(_) => None,
            Self::Implicit(_) => Some(implicit::packing(conv)),
            Self::WinogradImplicit(_) => Some(Packing::WinogradTaps),
            Self::Grouped(_) => Some(Packing::Grouped),
            Self::Columns(_) => Some(Packing::Matrix),
            Self::Winograd(tile, _) => Some(Packing::Winograd(tile)),
        }
    }

    /// Bound of the error, in units of that of the plain sum of as many products.
    #[must_use]
    pub const fn error_factor(self) -> f64 {
        match self {
            Self::Winograd(tile, _) => tile.error_factor(),
            Self::WinogradImplicit(_) => Tile::Four.error_factor(),
            Self::Direct(_) | Self::Columns(_) | Self::Implicit(_) | Self::Grouped(_) => 1.0,
        }
    }

    /// What its product computes at a time, if that is an implicit one.
    #[must_use]
    pub const fn block(self) -> Option<Block> {
        match self {
            Self::Implicit(Implicit { block, .. }) | Self::WinogradImplicit(block) => Some(block),
            _ => None,
        }
    }

    /// How its input, its residual and its result lie in memory.
    #[must_use]
    pub const fn layout(self) -> Layout {
        match self {
            Self::Direct(_) | Self::Columns(_) | Self::Winograd(..) => Layout::ChannelsFirst,
            Self::Implicit(_) | Self::WinogradImplicit(_) | Self::Grouped(_) => {
                Layout::ChannelsLast
            }
        }
    }

    /// Computes `act(conv(x) + bias + residual)`, all in [`Self::layout`]; [`Self::can_apply`] must hold.
    #[must_use]
    pub fn run(
        self,
        gpu: &Gpu,
        conv: &ConvShape,
        x: &Buffer,
        weights: &Weights,
        epilogue: Epilogue,
    ) -> Buffer {
        match self {
            Self::Direct(direct) => direct.run(gpu, conv, x, weights, epilogue),
            Self::Implicit(implicit) => implicit::run(gpu, conv, implicit, x, weights, epilogue),
            Self::WinogradImplicit(block) => {
                let weights = (weights, Packing::WinogradTaps);
                winograd_channels_last::run(gpu, conv, block, x, weights, epilogue)
            }
            Self::Grouped(groups) => grouped::run(gpu, conv, groups, x, weights, epilogue),
            Self::Columns(variant) => columns::run(gpu, conv, variant, x, weights, epilogue),
            Self::Winograd(tile, variant) => {
                winograd::run(gpu, conv, (tile, variant), x, weights, epilogue)
            }
        }
    }
}
