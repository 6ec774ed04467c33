//! The convolution of one image whose output has fewer pixels than channels, as at the end of a network.
//!
//! Packing the weights for [`super::gather`] was 30 % of the time of ResNet-18 on an image of 160 x 160. Here
//! it is the pixels that are packed, which are few, and the weights are read where they lie. The sums have the
//! same terms in the same order, so they are the same bits.

use crate::kernels::shape::ConvShape;
use crate::kernels::simd::lanes::{Lanes, MAX_ROWS, Operands, SimdTask, TileSums, on_best};
use crate::kernels::simd::panels::{PaddedImages, Panel, taps};
use crate::kernels::simd::{for_chunks, with_scratch, written};

/// Whether the convolution is one of these.
#[must_use]
pub fn can_apply(conv: &ConvShape) -> bool {
    conv.images == 1 && conv.out_pixels() < conv.m
}

struct Pixels<'a> {
    conv: &'a ConvShape,
    x: &'a [f32],
    w: &'a [f32],
    bias: &'a [f32],
    /// `[O,OH,OW]`.
    result: &'a mut [f32],
}

impl SimdTask for Pixels<'_> {
    type Output = ();

    fn run<L: Lanes>(self, lanes: L) {
        let Self {
            conv,
            x,
            w,
            bias,
            result,
        } = self;
        let (plane, depth) = (conv.out_pixels(), conv.depth());
        let padded = PaddedImages::input(conv);
        let offsets = padded.offsets(&taps(conv));
        let positions = padded.positions(1, conv.out_size(), conv.geometry.stride);
        let terms: Vec<u32> = (0..depth as u32).collect();
        let panels = Panel::of::<L>(plane);
        let inputs = conv.geometry.groups * conv.channels;
        let groups = result.chunks_mut((conv.m * plane).max(1)).enumerate();
        for (group, result) in groups {
            with_scratch(|[image, packed, ..]| {
                padded.copy(x, inputs, group * conv.channels, image);
                let columns = pack(image, &panels, &positions, &offsets, packed);
                let first = group * conv.m;
                let w = &w[first * depth..(first + conv.m) * depth];
                let bias = &bias[first..first + conv.m];
                for_chunks(result, L::ROWS * plane, |index, result| {
                    let first = index * L::ROWS;
                    let rows: [u32; MAX_ROWS] =
                        std::array::from_fn(|i| ((first + i).min(conv.m - 1) * depth) as u32);
                    for (panel, b) in panels.iter().zip(&columns) {
                        let operands = Operands {
                            a: w,
                            rows: &rows,
                            offsets: &terms,
                            b,
                        };
                        let mut tile: TileSums = [0.0; _];
                        // SAFETY: `on_best` found the instruction set; each row is followed by `depth` weights.
                        unsafe { lanes.tile(panel.vectors, operands, &mut tile) };
                        let sums = tile.chunks_exact(panel.width());
                        let outputs = result.chunks_exact_mut(plane).zip(&bias[first..]);
                        for (sums, (out, bias)) in sums.zip(outputs) {
                            let out = &mut out[panel.start..panel.start + panel.columns];
                            for (out, sum) in out.iter_mut().zip(sums) {
                                *out = sum + bias;
                            }
                        }
                    }
                });
            });
        }
    }
}

/// The pixels' inputs, a panel `[depth, width]` after the other.
fn pack<'a>(
    image: &[f32],
    panels: &[Panel],
    positions: &[u32],
    offsets: &[u32],
    packed: &'a mut Vec<f32>,
) -> Vec<&'a [f32]> {
    let width: usize = panels.iter().map(Panel::width).sum();
    packed.clear();
    packed.resize(offsets.len() * width, 0.0);
    let mut parts = Panel::parts(panels, offsets.len(), packed);
    for_chunks(&mut parts, 1, |_, parts| {
        for (panel, part) in parts {
            let positions = &positions[panel.start..panel.start + panel.columns];
            for (row, offset) in part.chunks_exact_mut(panel.width()).zip(offsets) {
                for (value, position) in row.iter_mut().zip(positions) {
                    *value = image[(position + offset) as usize];
                }
            }
        }
    });
    parts.into_iter().map(|(_, part)| &*part).collect()
}

/// As [`super::gather::forward`].
#[must_use]
pub fn forward(conv: &ConvShape, x: &[f32], w: &[f32], bias: &[f32]) -> Vec<f32> {
    written(
        conv.geometry.groups * conv.m * conv.out_pixels(),
        |result| {
            on_best(Pixels {
                conv,
                x,
                w,
                bias,
                result,
            });
        },
    )
}
