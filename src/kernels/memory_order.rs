//! burn's ops between two layers, in the order in which images lie in memory.
//!
//! burn's sums, products, activations of one kernel and average pools leave images channels last where they come so.
//! What it makes of a comparison or a slice does not: `ReLU` and its gradient ([`super::relu`] has ours), the gradient of
//! a clamp, concatenation and padding walk `[N,C,H,W]` and leave their result so, a transposition that nobody asked for, and the next
//! convolution asks for another one back. Such an op is handed the images as `[N,H,W,C]`, which is a matter of
//! strides alone, and its result is handed back the same way.

use burn::backend::Cube;
use burn::tensor::Tensor;

use super::gpu::launch::{Gpu, Layout, layout_of};

/// Whether images lie channels last, on a GPU whose kernels want them so; with gradients or without.
fn lie_channels_last(images: &Tensor<4>) -> bool {
    // On the CPU there is no such tensor.
    let Ok(images) = images.clone().inner().try_into_primitive::<Cube>() else {
        return false;
    };
    let hardware = Gpu::behind(&images).is_some_and(|gpu| gpu.adapter().is_hardware());
    hardware && layout_of(&images) == Some(Layout::ChannelsLast)
}

fn to_channels_last(images: Tensor<4>) -> Tensor<4> {
    images.permute([0, 2, 3, 1])
}

fn to_channels_first(images: Tensor<4>) -> Tensor<4> {
    images.permute([0, 3, 1, 2])
}

/// An op on images `[N,C,H,W]` that treats all dimensions alike.
#[must_use]
pub fn in_memory_order(images: Tensor<4>, op: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Tensor<4> {
    if lie_channels_last(&images) {
        to_channels_first(op(to_channels_last(images)))
    } else {
        op(images)
    }
}

/// The channels of all, one after the other: `[N,C,H,W]` each, of which only C may differ.
///
/// # Panics
/// If there are none or sizes differ otherwise, as burn's.
#[must_use]
pub fn concat(images: Vec<Tensor<4>>) -> Tensor<4> {
    // Those that lie otherwise are read across, once, instead of all that follows.
    if images.iter().any(lie_channels_last) {
        let images = images.into_iter().map(to_channels_last);
        to_channels_first(Tensor::cat(images.collect(), 3))
    } else {
        Tensor::cat(images, 1)
    }
}

/// Images `[N,C,H,W]` with so many rows of `value` above and below and so many columns left and right.
#[must_use]
pub fn pad(images: Tensor<4>, [rows, columns]: [[usize; 2]; 2], value: f32) -> Tensor<4> {
    let [rows, columns] = [rows, columns].map(|[before, after]| (before, after));
    if lie_channels_last(&images) {
        let padded = to_channels_last(images).pad([rows, columns, (0, 0)], value);
        to_channels_first(padded)
    } else {
        images.pad([rows, columns], value)
    }
}
