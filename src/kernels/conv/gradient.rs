//! The backward pass of a convolution, as matrix products with the columns of the forward pass.
//!
//! `dW = dY * columns(X)^T`, summed over images; `dX = image(W^T * dY)`, where `image` adds each column
//! back to the pixels it was copied from (Chellapilla et al. 2006, section 3). Stride, padding, dilation
//! and groups are in the columns, so one path serves every convolution. On a GPU both are implicit products on images
//! channels last ([`super::implicit`], [`super::weight_gradient`]).
//!
//! A new way is a variant of [`Gradient`]: tests and the self-test go through [`Gradient::all`].

use super::Algorithm;
use super::block::Block;
use super::columns::{can_lay_out, col_stride, col2im, im2col, is_pointwise};
use super::implicit::{self, Implicit, Sum};
use super::matmul::{Epilogue, MatMul, MatMulNtParams, Product, matmul, matmul_nt};
use super::model::{self, Chip, Dispatch};
use super::select::{no_phones_first, registers};
use super::weight_gradient;
use super::weights::{Packing, Weights};
use super::winograd::Tile;
use super::winograd_channels_last;
use super::{grouped, grouped_weights};
use crate::kernels::gpu::launch::{Buffer, Gpu, Layout};
use crate::kernels::shape::{ConvShape, bytes_of};
use crate::platform::device_state::Adapter;

/// Which gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// `dX` `[N,C,H,W]`.
    Input,
    /// `dW` `[O,C/G,KH,KW]`.
    Weight,
}

impl Wanted {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Input, Self::Weight];
}

/// A way to compute a gradient of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gradient {
    /// `dX` by this product and col2im.
    Input(MatMul),
    /// `dX` as an implicit matrix product on images channels last.
    InputImplicit(Implicit),
    /// `dX` by Winograd's algorithm on images channels last, filters turned round.
    InputWinograd(Block),
    /// `dW` by im2col and a product over the pixels.
    Weight,
    /// `dX` of narrow groups from the definition, channels last.
    InputGrouped,
    /// `dW` as an implicit product over parts of the pixels, channels last.
    WeightImplicit,
    /// `dW` of narrow groups over parts of the pixels, channels last.
    WeightGrouped,
}

impl Gradient {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all: Vec<_> = MatMul::ALL.map(Self::Input).to_vec();
        all.extend(Implicit::all().into_iter().map(Self::InputImplicit));
        all.extend(Block::ALL.map(Self::InputWinograd));
        all.extend([
            Self::InputGrouped,
            Self::Weight,
            Self::WeightImplicit,
            Self::WeightGrouped,
        ]);
        all
    }

    /// Its name in messages.
    #[must_use]
    pub fn name(self) -> String {
        let one = |block| Implicit { block, splits: 1 }.name();
        match self {
            Self::Input(variant) => format!("input-gradient-{}", variant.name()),
            Self::InputImplicit(implicit) => format!("input-gradient-{}", implicit.name()),
            Self::InputWinograd(block) => format!("input-gradient-winograd4-{}", one(block)),
            Self::Weight => "weight-gradient-columns".to_string(),
            Self::InputGrouped => "input-gradient-grouped".to_string(),
            Self::WeightImplicit => "weight-gradient-implicit".to_string(),
            Self::WeightGrouped => "weight-gradient-grouped".to_string(),
        }
    }

    /// What it computes.
    #[must_use]
    pub const fn wanted(self) -> Wanted {
        match self {
            Self::Input(_)
            | Self::InputImplicit(_)
            | Self::InputWinograd(_)
            | Self::InputGrouped => Wanted::Input,
            Self::Weight | Self::WeightImplicit | Self::WeightGrouped => Wanted::Weight,
        }
    }

    /// Bound of the error, in units of that of the plain sum of as many products.
    #[must_use]
    pub const fn error_factor(self) -> f64 {
        match self {
            Self::InputWinograd(_) => Tile::Four.error_factor(),
            _ => 1.0,
        }
    }

    /// What its product computes at a time, if that is an implicit one on the kernels of the convolution.
    const fn block(self) -> Option<Block> {
        match self {
            Self::InputImplicit(Implicit { block, .. }) | Self::InputWinograd(block) => Some(block),
            _ => None,
        }
    }

    /// How x, dY and dX lie in memory.
    #[must_use]
    pub const fn layout(self) -> Layout {
        match self {
            Self::Input(_) | Self::Weight => Layout::ChannelsFirst,
            _ => Layout::ChannelsLast,
        }
    }

    /// Whether it can compute the gradient of this convolution; `max` is the most bytes of a binding.
    #[must_use]
    pub fn can_apply(self, conv: &ConvShape, weights: &Weights, max: u64) -> bool {
        let fits = |dims: [usize; 4]| bytes_of(&dims) <= max;
        fits(conv.in_dims())
            && fits(conv.out_dims())
            && match self {
                Self::Input(variant) => {
                    let product = input_product(conv, weights.stride(Packing::Transposed));
                    can_lay_out(conv, max)
                        && weights.can_pack(Packing::Transposed, max)
                        && product.can_apply(variant)
                }
                Self::InputImplicit(implicit) => {
                    implicit::can_apply_to_input_gradient(implicit, conv, weights, max)
                }
                Self::InputWinograd(block) => {
                    let packing = Packing::WinogradTapsTransposed;
                    winograd_channels_last::transposed(conv).is_some_and(|other| {
                        winograd_channels_last::can_apply(&other, weights, block, packing, max)
                    })
                }
                Self::Weight => can_lay_out(conv, max),
                Self::InputGrouped => grouped::can_apply_gradient(conv, weights, max),
                Self::WeightImplicit => weight_gradient::can_apply(conv, max),
                Self::WeightGrouped => grouped_weights::can_apply(conv, max),
            }
    }

    /// The gradient, from `dY` `[N,O,OH,OW]`; x, dY and what is wanted of x in [`Self::layout`].
    ///
    /// # Panics
    /// Where [`Self::can_apply`] does not hold.
    #[must_use]
    pub fn run(
        self,
        gpu: &Gpu,
        conv: &ConvShape,
        x: &Buffer,
        weights: &Weights,
        dy: &Buffer,
    ) -> Buffer {
        match self {
            Self::Input(variant) => input(gpu, conv, variant, weights, dy),
            Self::InputImplicit(implicit) => {
                implicit::input_gradient(gpu, conv, implicit, weights, dy)
            }
            Self::InputWinograd(block) => {
                let other = winograd_channels_last::transposed(conv);
                let other = other.expect("can_apply holds");
                let weights = (weights, Packing::WinogradTapsTransposed);
                let none = Epilogue::default();
                winograd_channels_last::run(gpu, &other, block, dy, weights, none)
            }
            Self::Weight => weight(gpu, conv, x, dy),
            Self::InputGrouped => grouped::input_gradient(gpu, conv, weights, dy),
            Self::WeightImplicit => weight_gradient::run(gpu, conv, x, dy),
            Self::WeightGrouped => grouped_weights::weight_gradient(gpu, conv, x, dy),
        }
    }
}

/// Ways to a gradient in order of preference.
pub(super) fn candidates(adapter: Adapter, conv: &ConvShape, wanted: Wanted) -> Vec<Gradient> {
    let mut order = Vec::new();
    if adapter.is_hardware() {
        order = match wanted {
            Wanted::Input => ranked(conv, &Chip::of(adapter)),
            Wanted::Weight => vec![Gradient::WeightImplicit],
        };
        // A group fills a product's tiles or it does not.
        if conv.geometry.groups > 1 && conv.m.min(conv.channels) < 32 {
            let grouped = match wanted {
                Wanted::Input => Gradient::InputGrouped,
                Wanted::Weight => Gradient::WeightGrouped,
            };
            order.insert(0, grouped);
        }
    }
    order.push(match wanted {
        Wanted::Input => Gradient::Input(registers(conv.out_pixels())),
        Wanted::Weight => Gradient::Weight,
    });
    order
}

/// The input gradient's kernels for GPUs, the fastest on that chip by the model first. Some may not apply.
#[must_use]
pub fn ranked(conv: &ConvShape, chip: &Chip) -> Vec<Gradient> {
    let mut all: Vec<(Gradient, f64)> = Vec::new();
    let mut rank = |gradient, dispatches: &[Dispatch]| {
        all.push((gradient, model::seconds(dispatches, chip)));
    };
    if let Some(sums) = Sum::of_input_gradient(conv) {
        for product in Implicit::all() {
            let dispatches = sums.iter().flat_map(|sum| {
                let pixels = conv.images * sum.results[0] * sum.results[1];
                let slices = implicit::slices(sum.taps, conv.m.div_ceil(4));
                model::implicit(
                    product,
                    [pixels, conv.channels, slices, conv.geometry.groups],
                )
            });
            let dispatches: Vec<_> = dispatches.collect();
            rank(Gradient::InputImplicit(product), &dispatches);
        }
    }
    if let Some(other) =
        winograd_channels_last::transposed(conv).filter(winograd_channels_last::is_for)
    {
        for block in Block::ALL {
            let algorithm = Algorithm::WinogradImplicit(block);
            rank(
                Gradient::InputWinograd(block),
                &model::dispatches(algorithm, &other),
            );
        }
    }
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let all = all.into_iter().map(|(gradient, _)| gradient).collect();
    no_phones_first(all, chip, |gradient| gradient.block())
}

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

/// `dY` `[N,O,OH,OW]` to `dX` `[N,C,H,W]`.
fn input(gpu: &Gpu, conv: &ConvShape, variant: MatMul, weights: &Weights, dy: &Buffer) -> Buffer {
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
fn weight(gpu: &Gpu, conv: &ConvShape, x: &Buffer, dy: &Buffer) -> Buffer {
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
