//! The outputs of a convolution, and the gradient of its input. Both gather: each pixel of the result is a sum
//! of products with some pixels of the source.
//!
//! Backwards, a pixel in row y meets the weights k for which `y + P - k D` is a multiple of the stride. So
//! the rows of one residue form a convolution of stride 1 with a part of the kernel; a stride of 2 makes
//! four of them, each a quarter of the work, and no product with a zero.

use super::{pixels, transforms, winograd};
use crate::kernels::shape::ConvShape;
use crate::kernels::simd::lanes::{Lanes, MAX_ROWS, Operands, SimdTask, TileSums, on_best};
use crate::kernels::simd::panels::{PaddedImages, Panel, taps, transpose};
use crate::kernels::simd::{for_chunks, with_scratch, written};

/// Pixels of a block of images, about: enough that a panel of weights is read from memory rarely.
const BLOCK_PIXELS: usize = 256;

/// Some pixels of the result that take the same weights.
struct Pass {
    /// What a term of the sum adds to a pixel's position in the source.
    offsets: Vec<u32>,
    /// Where the pixels of a block lie in the source.
    from: Vec<u32>,
    /// Where they go, from the block's first channel.
    to: Vec<u32>,
    /// Pixels of one image.
    pixels: usize,
    /// For each group, one after the other: its panels' weights, `[offsets.len(), width]` each.
    weights: Vec<f32>,
}

/// A gathering convolution.
struct Gather<'a> {
    source: &'a [f32],
    /// Channels of all groups in the source, and in the result.
    channels: [usize; 2],
    groups: usize,
    padded: PaddedImages,
    /// Images of a block.
    images: usize,
    passes: Vec<Pass>,
    /// Pixels of a plane of the result.
    plane: usize,
    /// `[O]`, added to the result.
    bias: Option<&'a [f32]>,
    result: &'a mut [f32],
}

impl SimdTask for Gather<'_> {
    type Output = ();

    fn run<L: Lanes>(self, lanes: L) {
        let Self {
            source,
            channels: [inputs, outputs],
            groups,
            ..
        } = self;
        let [height, width] = self.padded.size;
        let image = inputs * height * width;
        let panels = Panel::of::<L>(outputs / groups);
        let block = self.images * outputs * self.plane;
        for_chunks(self.result, block, |index, result| {
            let images = result.len() / (outputs * self.plane);
            let first = index * self.images;
            let source = &source[first * image..(first + images) * image];
            with_scratch(|[padded, ..]| {
                for group in 0..groups {
                    self.padded
                        .copy(source, inputs, group * self.padded.channels, padded);
                    let first = group * (outputs / groups);
                    for pass in &self.passes {
                        let length = pass.weights.len() / groups;
                        let mut weights = &pass.weights[group * length..(group + 1) * length];
                        for panel in &panels {
                            let (b, rest) = weights.split_at(pass.offsets.len() * panel.width());
                            weights = rest;
                            let channel = first + panel.start;
                            let to = Target {
                                result: &mut result[channel * self.plane..],
                                plane: self.plane,
                                bias: self
                                    .bias
                                    .map(|bias| &bias[channel..channel + panel.columns]),
                            };
                            pass.panel(lanes, padded, *panel, b, images * pass.pixels, to);
                        }
                    }
                }
            });
        });
    }
}

/// Where the channels of a panel go.
struct Target<'a> {
    result: &'a mut [f32],
    plane: usize,
    bias: Option<&'a [f32]>,
}

impl Pass {
    /// All pixels of a block for the channels of a panel.
    fn panel<L: Lanes>(
        &self,
        lanes: L,
        a: &[f32],
        panel: Panel,
        b: &[f32],
        pixels: usize,
        mut target: Target,
    ) {
        let mut tile: TileSums = [0.0; _];
        let pairs = self.from[..pixels]
            .chunks(L::ROWS)
            .zip(self.to.chunks(L::ROWS));
        for (from, to) in pairs {
            let mut rows = [from[0]; MAX_ROWS];
            rows[..from.len()].copy_from_slice(from);
            let operands = Operands {
                a,
                rows: &rows,
                offsets: &self.offsets,
                b,
            };
            // SAFETY: `on_best` found the instruction set; `PaddedImages` made both lists of positions.
            unsafe { lanes.tile(panel.vectors, operands, &mut tile) };
            target.store::<L>(&tile, panel, &to[..from.len()]);
        }
    }
}

impl Target<'_> {
    /// A tile `[pixels, width]` to its positions `[columns, pixels]`.
    fn store<L: Lanes>(&mut self, tile: &TileSums, panel: Panel, to: &[u32]) {
        let width = panel.width();
        let first = to[0] as usize;
        let in_a_row = to.len() == L::ROWS && to[L::ROWS - 1] as usize == first + L::ROWS - 1;
        for column in 0..panel.columns {
            let bias = self.bias.map_or(0.0, |bias| bias[column]);
            let start = column * self.plane;
            if in_a_row {
                let out = &mut self.result[start + first..start + first + L::ROWS];
                for (row, out) in out.iter_mut().enumerate() {
                    *out = tile[row * width + column] + bias;
                }
            } else {
                for (row, to) in to.iter().enumerate() {
                    self.result[start + *to as usize] = tile[row * width + column] + bias;
                }
            }
        }
    }
}

/// Images of a block with so many pixels each; at least four blocks, for the threads.
fn block_images(images: usize, pixels: usize) -> usize {
    let aim = BLOCK_PIXELS.div_ceil(pixels.max(1));
    aim.min(images.div_ceil(4)).max(1)
}

/// The positions of a grid of pixels in the planes of each image of a block.
fn targets(
    images: usize,
    image: usize,
    width: usize,
    grid: [usize; 2],
    start: [usize; 2],
    step: usize,
) -> Vec<u32> {
    let mut positions = Vec::with_capacity(images * grid[0] * grid[1]);
    for index in 0..images {
        for row in 0..grid[0] {
            let start = index * image + (start[0] + row * step) * width + start[1];
            positions.extend((0..grid[1]).map(|column| (start + column * step) as u32));
        }
    }
    positions
}

/// Packs weights: for each group and panel a job that fills `[terms, width]`.
fn pack(
    groups: usize,
    columns: usize,
    terms: usize,
    fill: impl Fn(usize, Panel, &mut [f32]) + Sync + Send,
) -> Vec<f32> {
    struct Panels(usize);
    impl SimdTask for Panels {
        type Output = Vec<Panel>;
        fn run<L: Lanes>(self, _: L) -> Vec<Panel> {
            Panel::of::<L>(self.0)
        }
    }
    let panels = on_best(Panels(columns));
    let group: usize = panels.iter().map(Panel::width).sum::<usize>() * terms;
    let mut packed = vec![0.0; groups * group];
    if group == 0 {
        return packed;
    }
    let mut parts = Vec::with_capacity(groups * panels.len());
    for (index, group) in packed.chunks_exact_mut(group).enumerate() {
        let of_group = Panel::parts(&panels, terms, group).into_iter();
        parts.extend(of_group.map(|(panel, part)| (index, panel, part)));
    }
    for_chunks(&mut parts, 1, |_, parts| {
        for (group, panel, part) in parts {
            fill(*group, *panel, part);
        }
    });
    packed
}

/// `conv(x) + bias`: `x` `[N,C,H,W]`, `w` `[O,C/G,KH,KW]`, `bias` `[O]` to `[N,O,OH,OW]`.
#[must_use]
pub fn forward(conv: &ConvShape, x: &[f32], w: &[f32], bias: &[f32]) -> Vec<f32> {
    if transforms::can_apply(conv) {
        return winograd::forward(conv, x, w, bias);
    }
    if pixels::can_apply(conv) {
        return pixels::forward(conv, x, w, bias);
    }
    let [_, inputs, ..] = conv.in_dims();
    let [_, outputs, height, width] = conv.out_dims();
    let (groups, depth, grid) = (conv.geometry.groups, conv.depth(), [height, width]);
    let plane = height * width;
    if conv.images * outputs * plane == 0 {
        return Vec::new();
    }
    let padded = PaddedImages::input(conv);
    let images = block_images(conv.images, plane);
    let weights = pack(groups, conv.m, depth, |group, panel, out| {
        let from = (group * conv.m + panel.start) * depth;
        transpose(
            &w[from..from + panel.columns * depth],
            depth,
            panel.width(),
            out,
        );
    });
    let pass = Pass {
        offsets: padded.offsets(&taps(conv)),
        from: padded.positions(images, grid, conv.geometry.stride),
        to: targets(images, outputs * plane, width, grid, [0, 0], 1),
        pixels: plane,
        weights,
    };
    written(conv.images * outputs * plane, |result| {
        on_best(Gather {
            source: x,
            channels: [inputs, outputs],
            groups,
            padded,
            images,
            passes: vec![pass],
            plane,
            bias: Some(bias),
            result,
        });
    })
}

/// One axis of the input's gradient: its positions `residue`, `residue + stride` and so on.
struct Axis {
    residue: usize,
    /// The weights that meet these positions, each with the row of `dy` that it brings to the first of them.
    weights: Vec<(usize, isize)>,
    /// Places.
    count: usize,
}

/// All residues of an axis.
fn axes(conv: &ConvShape, axis: usize) -> Vec<Axis> {
    let g = conv.geometry;
    (0..g.stride.min(conv.size[axis]))
        .map(|residue| {
            let meets = |k: usize| {
                let distance = (residue + g.padding) as isize - (k * g.dilation) as isize;
                let stride = g.stride as isize;
                (distance % stride == 0).then_some((k, distance / stride))
            };
            Axis {
                residue,
                weights: (0..conv.kernel[axis]).filter_map(meets).collect(),
                count: (conv.size[axis] - residue).div_ceil(g.stride),
            }
        })
        .collect()
}

/// The gradient of the input, `[N,C,H,W]`: `w` `[O,C/G,KH,KW]`, `dy` `[N,O,OH,OW]`.
#[must_use]
pub fn input_gradient(conv: &ConvShape, w: &[f32], dy: &[f32]) -> Vec<f32> {
    if transforms::can_apply(conv) {
        return winograd::input_gradient(conv, w, dy);
    }
    let [_, inputs, height, width] = conv.in_dims();
    let [_, outputs, ..] = conv.out_dims();
    let (groups, size, out_size) = (conv.geometry.groups, conv.size, conv.out_size());
    let mut result = vec![0.0; conv.images * inputs * height * width];
    if result.is_empty() {
        return result;
    }
    let all: [Vec<Axis>; 2] = std::array::from_fn(|i| axes(conv, i));
    // How far the passes reach beyond dy.
    let before: [usize; 2] = std::array::from_fn(|i| {
        let starts = all[i]
            .iter()
            .flat_map(|axis| axis.weights.iter().map(|(_, start)| -start));
        starts.max().unwrap_or(0).max(0) as usize
    });
    let padded = std::array::from_fn(|i| {
        let ends = all[i].iter().flat_map(|axis| {
            let starts = axis.weights.iter().map(|(_, start)| *start);
            starts.map(|start| start + axis.count as isize)
        });
        before[i] + out_size[i].max(ends.max().unwrap_or(0).max(0) as usize)
    });
    let padded = PaddedImages {
        channels: conv.m,
        size: out_size,
        before,
        padded,
    };
    let images = block_images(conv.images, size[0] * size[1]);
    let area = conv.kernel[0] * conv.kernel[1];
    let mut passes = Vec::new();
    for rows in &all[0] {
        for columns in &all[1] {
            let pairs = rows
                .weights
                .iter()
                .flat_map(|row| columns.weights.iter().map(move |column| (row, column)));
            let position = |start: isize, i: usize| (before[i] as isize + start) as usize;
            let taps: Vec<[usize; 2]> = pairs
                .clone()
                .map(|((_, y), (_, x))| [position(*y, 0), position(*x, 1)])
                .collect();
            let chosen: Vec<usize> = pairs
                .map(|((y, _), (x, _))| y * conv.kernel[1] + x)
                .collect();
            if taps.is_empty() {
                continue;
            }
            let grid = [rows.count, columns.count];
            let terms = conv.m * taps.len();
            let weights = pack(groups, conv.channels, terms, |group, panel, out| {
                let filters =
                    w[group * conv.m * conv.channels * area..].chunks_exact(conv.channels * area);
                for (filter, out) in filters.zip(out.chunks_exact_mut(taps.len() * panel.width())) {
                    let kernels = filter[panel.start * area..]
                        .chunks_exact(area)
                        .take(panel.columns);
                    for (column, kernel) in kernels.enumerate() {
                        for (tap, out) in chosen.iter().zip(out.chunks_exact_mut(panel.width())) {
                            out[column] = kernel[*tap];
                        }
                    }
                }
            });
            passes.push(Pass {
                offsets: padded.offsets(&taps),
                from: padded.positions(images, grid, 1),
                to: targets(
                    images,
                    inputs * height * width,
                    width,
                    grid,
                    [rows.residue, columns.residue],
                    conv.geometry.stride,
                ),
                pixels: grid[0] * grid[1],
                weights,
            });
        }
    }
    on_best(Gather {
        source: dy,
        channels: [outputs, inputs],
        groups,
        padded,
        images,
        passes,
        plane: height * width,
        bias: None,
        result: &mut result,
    });
    result
}
