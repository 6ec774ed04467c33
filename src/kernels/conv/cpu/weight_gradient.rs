//! The gradients of a convolution's weights and bias.
//!
//! `dw[k][o] = sum over pixels of x[position(k) + pixel] * dy[pixel][o]`: the rows of a tile are weights, the
//! sum runs over pixels, and `dy` is the packed factor, transposed. The sum over a block of images stays in
//! registers and is then added to what the blocks before it gave.

use super::{transforms, winograd};
use crate::kernels::shape::ConvShape;
use crate::kernels::simd::lanes::{Lanes, MAX_ROWS, Operands, SimdTask, TileSums, on_best};
use crate::kernels::simd::panels::{PaddedImages, Panel, taps, transpose};
use crate::kernels::simd::sums;
use crate::kernels::simd::{for_chunks, with_scratch};

/// Pixels of a block of images, about: the terms of a sum in registers.
const BLOCK_PIXELS: usize = 512;
/// Parts of the work, at most: as many threads can take part.
const PARTS: usize = 16;

/// What one part sums up.
struct Part {
    group: usize,
    /// Images from here,
    images: [usize; 2],
    /// and channels of the group from here, to there.
    channels: [usize; 2],
    /// For each panel `[weights of the channels, width]`.
    sums: Vec<f32>,
}

/// All of the work.
struct WeightGradient<'a> {
    conv: &'a ConvShape,
    x: &'a [f32],
    dy: &'a [f32],
}

impl WeightGradient<'_> {
    /// Images of a block.
    fn block(&self) -> usize {
        let pixels = self.conv.out_pixels().max(1);
        BLOCK_PIXELS.div_ceil(pixels).min(self.conv.images).max(1)
    }

    /// The work in parts: by images where there are many pixels for each weight, by channels where there are
    /// few, for then the sums of the parts would be more than what they are made of.
    fn parts(&self) -> Vec<Part> {
        let conv = self.conv;
        let pixels = conv.images * conv.out_pixels();
        let by_images = pixels > 4 * conv.depth();
        let blocks = conv.images.div_ceil(self.block());
        let groups = conv.geometry.groups;
        let wanted = PARTS.div_ceil(groups);
        let (image_step, channel_step) = if by_images {
            (blocks.div_ceil(wanted) * self.block(), conv.channels)
        } else {
            (conv.images, conv.channels.div_ceil(wanted))
        };
        let ends = |all: usize, step: usize| {
            (0..all)
                .step_by(step)
                .map(move |start| [start, all.min(start + step)])
        };
        let mut parts = Vec::new();
        for group in 0..groups {
            for channels in ends(conv.channels, channel_step) {
                for images in ends(conv.images, image_step) {
                    parts.push(Part {
                        group,
                        images,
                        channels,
                        sums: Vec::new(),
                    });
                }
            }
        }
        parts
    }

    /// `dy` of some images and a group, transposed: for each panel `[pixels, width]`.
    fn transposed(&self, group: usize, images: [usize; 2], panels: &[Panel], out: &mut [f32]) {
        let conv = self.conv;
        let pixels = conv.out_pixels();
        let outputs = conv.geometry.groups * conv.m;
        let count = images[1] - images[0];
        let mut rest = out;
        for panel in panels {
            let (out, others) = rest.split_at_mut(count * pixels * panel.width());
            rest = others;
            for (image, out) in
                (images[0]..images[1]).zip(out.chunks_exact_mut(pixels * panel.width()))
            {
                let start = (image * outputs + group * conv.m + panel.start) * pixels;
                let planes = &self.dy[start..start + panel.columns * pixels];
                transpose(planes, pixels, panel.width(), out);
            }
        }
    }
}

/// Columns with those that fill up vectors.
fn total_width(panels: &[Panel]) -> usize {
    panels.iter().map(Panel::width).sum()
}

impl SimdTask for WeightGradient<'_> {
    type Output = Vec<f32>;

    fn run<L: Lanes>(self, lanes: L) -> Vec<f32> {
        let conv = self.conv;
        let panels = Panel::of::<L>(conv.m);
        let width = total_width(&panels);
        let (pixels, block) = (conv.out_pixels(), self.block());
        let groups = conv.geometry.groups;
        let mut parts = self.parts();
        // Where several parts need the same images of dy, they are transposed once: [group][block].
        let shared = parts.iter().filter(|part| part.images[0] == 0).count() > groups;
        let mut all = vec![
            0.0;
            if shared {
                groups * conv.images * pixels * width
            } else {
                0
            }
        ];
        if shared {
            let mut blocks = Vec::new();
            for (group, out) in all
                .chunks_exact_mut(conv.images * pixels * width)
                .enumerate()
            {
                for (index, out) in out.chunks_mut(block * pixels * width).enumerate() {
                    let images = [index * block, conv.images.min((index + 1) * block)];
                    blocks.push((group, images, out));
                }
            }
            for_chunks(&mut blocks, 1, |_, blocks| {
                for (group, images, out) in blocks {
                    self.transposed(*group, *images, &panels, out);
                }
            });
        }
        for_chunks(&mut parts, 1, |_, parts| {
            for part in parts {
                let padded = PaddedImages {
                    channels: part.channels[1] - part.channels[0],
                    ..PaddedImages::input(conv)
                };
                let grid = conv.out_size();
                let pixel_positions = padded.positions(block, grid, conv.geometry.stride);
                let weights = padded.offsets(&taps(conv));
                part.sums = vec![0.0; weights.len() * width];
                with_scratch(|[x, dy, ..]| {
                    for start in (part.images[0]..part.images[1]).step_by(block) {
                        let images = [start, part.images[1].min(start + block)];
                        self.copy(&padded, part, images, x);
                        let count = (images[1] - images[0]) * pixels;
                        let dy = if shared {
                            let start = (part.group * conv.images + images[0]) * pixels * width;
                            &all[start..start + count * width]
                        } else {
                            dy.resize(block * pixels * width, 0.0);
                            self.transposed(part.group, images, &panels, dy);
                            &dy[..count * width]
                        };
                        add_block(
                            lanes,
                            x,
                            &weights,
                            &pixel_positions[..count],
                            dy,
                            &panels,
                            &mut part.sums,
                        );
                    }
                });
            }
        });
        self.collect(&parts, &panels)
    }
}

/// Adds the products of a block to `sums`.
fn add_block<L: Lanes>(
    lanes: L,
    x: &[f32],
    weights: &[u32],
    pixels: &[u32],
    mut dy: &[f32],
    panels: &[Panel],
    mut sums: &mut [f32],
) {
    let mut tile: TileSums = [0.0; _];
    for panel in panels {
        let width = panel.width();
        let (b, others) = dy.split_at(pixels.len() * width);
        dy = others;
        let (panel_sums, others) = sums.split_at_mut(weights.len() * width);
        sums = others;
        for (positions, sums) in weights
            .chunks(L::ROWS)
            .zip(panel_sums.chunks_mut(L::ROWS * width))
        {
            let mut rows = [positions[0]; MAX_ROWS];
            rows[..positions.len()].copy_from_slice(positions);
            let operands = Operands {
                a: x,
                rows: &rows,
                offsets: pixels,
                b,
            };
            // SAFETY: `on_best` found the instruction set; `PaddedImages` made both lists of positions.
            unsafe { lanes.tile(panel.vectors, operands, &mut tile) };
            for (sum, value) in sums.iter_mut().zip(&tile) {
                *sum += value;
            }
        }
    }
}

impl WeightGradient<'_> {
    /// Some channels of some images, with their zeros.
    fn copy(&self, padded: &PaddedImages, part: &Part, images: [usize; 2], out: &mut Vec<f32>) {
        let [_, inputs, height, width] = self.conv.in_dims();
        let image = inputs * height * width;
        let first = part.group * self.conv.channels + part.channels[0];
        padded.copy(
            &self.x[images[0] * image..images[1] * image],
            inputs,
            first,
            out,
        );
    }

    /// The sums of all parts, in their order, as `[O,C/G,KH,KW]`.
    fn collect(&self, parts: &[Part], panels: &[Panel]) -> Vec<f32> {
        let conv = self.conv;
        let depth = conv.depth();
        let area = conv.kernel[0] * conv.kernel[1];
        let mut result = vec![0.0; conv.geometry.groups * conv.m * depth];
        // A row of the result is an output; a few of them at a time read whole vectors of the sums.
        const ROWS: usize = 16;
        for_chunks(&mut result, depth * ROWS, |index, rows| {
            for (row, out) in rows.chunks_exact_mut(depth).enumerate() {
                let output = index * ROWS + row;
                let (group, column) = (output / conv.m, output % conv.m);
                for part in parts.iter().filter(|part| part.group == group) {
                    let length = (part.channels[1] - part.channels[0]) * area;
                    let mut start = 0;
                    for panel in panels {
                        if column >= panel.start && column < panel.start + panel.columns {
                            let sums = part.sums[start + column - panel.start..]
                                .iter()
                                .step_by(panel.width());
                            let out = &mut out[part.channels[0] * area..][..length];
                            for (out, sum) in out.iter_mut().zip(sums) {
                                *out += sum;
                            }
                        }
                        start += length * panel.width();
                    }
                }
            }
        });
        result
    }
}

/// The gradient of the weights, `[O,C/G,KH,KW]`: `x` `[N,C,H,W]`, `dy` `[N,O,OH,OW]`.
#[must_use]
pub fn weight_gradient(conv: &ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    if transforms::can_apply(conv) {
        return winograd::weight_gradient(conv, x, dy);
    }
    on_best(WeightGradient { conv, x, dy })
}

/// The gradient of the bias, `[O]`: the sum of each channel of `dy` `[N,O,pixels]`.
#[must_use]
pub fn bias_gradient(outputs: usize, pixels: usize, dy: &[f32]) -> Vec<f32> {
    let mut sums = vec![0.0_f64; outputs];
    for_chunks(&mut sums, 4, |index, sums| {
        for (channel, sum) in sums.iter_mut().enumerate() {
            let planes = dy
                .chunks_exact(pixels.max(1))
                .skip(index * 4 + channel)
                .step_by(outputs);
            *sum = planes.map(sums::sum).sum();
        }
    });
    sums.into_iter().map(|sum| sum as f32).collect()
}
