//! Winograd's convolution and its two gradients: transforms ([`super::transforms`]), products, transforms.

use super::transforms::{
    InputTransform, OutputTransform, POINTS, WeightGradientTransform, WeightTransform, run, tiles,
};
use crate::kernels::shape::ConvShape;
use crate::kernels::simd::lanes::{Lanes, MAX_ROWS, Operands, SimdTask, on_best};
use crate::kernels::simd::panels::Panel;
use crate::kernels::simd::{for_chunks, with_scratch, written};

/// Tiles of a block of images, about; its transformed values stay in the second-level cache.
const BLOCK_TILES: usize = 48;
/// The same for the gradient of the weights, where a block is all threads' and the sums are added to for each.
const GRADIENT_TILES: usize = 256;

/// With so many tiles or fewer, the work is split by channels of the result, not by images.
const FEW_TILES: usize = 128;

/// Images of `channels[0]` planes to images of `channels[1]`.
struct Tiled<'a> {
    source: &'a [f32],
    size: [usize; 2],
    channels: [usize; 2],
    w: &'a [f32],
    /// Whether the weights are turned round.
    gradient: bool,
    bias: Option<&'a [f32]>,
}

/// The start of memory that threads share, each for a part of its own.
#[derive(Clone, Copy)]
struct Shared(*mut f32);

// SAFETY: each part is written by one thread.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    const fn at(self, offset: usize) -> Self {
        Self(self.0.wrapping_add(offset))
    }

    /// # Safety
    /// These values are there, and nobody else has them.
    unsafe fn slice<'a>(self, start: usize, length: usize) -> &'a mut [f32] {
        // SAFETY: the caller vouches for it.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), length) }
    }
}

/// So many rows, with those that fill up a tile of sums.
const fn rounded(rows: usize, step: usize) -> usize {
    rows.div_ceil(step) * step
}

/// `sums[row][column] = sum over terms of a[row * row_step + term * term_step] * b[term][column]`, for all
/// rows up to the next multiple of a tile's.
fn products<L: Lanes>(
    lanes: L,
    [a, b]: [&[f32]; 2],
    [rows, row_step]: [usize; 2],
    terms: &[u32],
    panel: Panel,
    sums: &mut [f32],
) {
    let width = panel.width();
    for (first, sums) in (0..rows)
        .step_by(L::ROWS)
        .zip(sums.chunks_exact_mut(L::ROWS * width))
    {
        let rows = std::array::from_fn(|i| ((first + i).min(rows - 1) * row_step) as u32);
        let rows: &[u32; MAX_ROWS] = &rows;
        let operands = Operands {
            a,
            rows,
            offsets: terms,
            b,
        };
        // SAFETY: `on_best` found the instruction set; rows and terms lie within `a`.
        unsafe { lanes.tile(panel.vectors, operands, sums) };
    }
}

impl Tiled<'_> {
    /// The transformed weights of a panel.
    fn weights<L: Lanes>(&self, lanes: L, panel: Panel, out: &mut [f32]) {
        let [inputs, outputs] = self.channels;
        let transform = WeightTransform {
            w: self.w,
            inputs: if self.gradient { outputs } else { inputs },
            gradient: self.gradient,
            columns: [panel.start, panel.columns],
            width: panel.width(),
            out,
        };
        run(lanes, transform);
    }

    /// The channels of a panel, of some images: `values` `[36, tiles, inputs]`, `result` the images' start.
    fn panel<L: Lanes>(
        &self,
        lanes: L,
        [values, weights]: [&[f32]; 2],
        panel: Panel,
        images: usize,
        sums: &mut Vec<f32>,
        result: Shared,
    ) {
        let [inputs, outputs] = self.channels;
        let area = self.size[0] * self.size[1];
        let per_image: usize = tiles(self.size).iter().product();
        let count = images * per_image;
        let (rows, width) = (rounded(count, L::ROWS), panel.width());
        let terms: Vec<u32> = (0..inputs as u32).collect();
        sums.resize(POINTS * rows * width, 0.0);
        let factors = values
            .chunks_exact(count * inputs)
            .zip(weights.chunks_exact(inputs * width));
        for ((a, b), sums) in factors.zip(sums.chunks_exact_mut(rows * width)) {
            products(lanes, [a, b], [count, inputs], &terms, panel, sums);
        }
        for image in 0..images {
            let start = (image * outputs + panel.start) * area;
            // SAFETY: this image's planes of this panel are one thread's, and lie within the result.
            let out = unsafe { result.slice(start, panel.columns * area) };
            let transform = OutputTransform {
                products: &sums[image * per_image * width..],
                stride: rows * width,
                width,
                out,
                size: self.size,
                bias: self
                    .bias
                    .map(|bias| &bias[panel.start..panel.start + panel.columns]),
            };
            run(lanes, transform);
        }
    }

    /// An image's tiles, from point 0 on.
    fn transform<L: Lanes>(
        &self,
        lanes: L,
        image: usize,
        last: &mut Vec<f32>,
        out: Shared,
        stride: usize,
    ) {
        let plane = self.channels[0] * self.size[0] * self.size[1];
        let transform = InputTransform {
            image: &self.source[image * plane..(image + 1) * plane],
            size: self.size,
            channels: self.channels[0],
            gradient: false,
            last,
            out: out.0,
            stride,
        };
        run(lanes, transform);
    }

    /// All images at once, each panel a task of its own: the transformed weights are many, and so each is
    /// used by one thread only, as soon as it is there.
    fn by_panels<L: Lanes>(&self, lanes: L, images: usize, result: Shared) {
        let inputs = self.channels[0];
        let per_image: usize = tiles(self.size).iter().product();
        let tile_values = per_image * inputs;
        with_scratch(|[_, values, ..]| {
            values.resize(POINTS * images * tile_values, 0.0);
            let out = Shared(values.as_mut_ptr());
            for_chunks(&mut vec![(); images], 1, |image, _| {
                with_scratch(|[last, ..]| {
                    let out = out.at(image * tile_values);
                    self.transform(lanes, image, last, out, images * tile_values);
                });
            });
            let values = &values[..POINTS * images * tile_values];
            for_chunks(&mut Panel::of::<L>(self.channels[1]), 1, |_, panels| {
                with_scratch(|[weights, sums, ..]| {
                    for panel in panels {
                        weights.resize(POINTS * inputs * panel.width(), 0.0);
                        self.weights(lanes, *panel, weights);
                        self.panel(lanes, [values, weights], *panel, images, sums, result);
                    }
                });
            });
        });
    }

    /// Some images in each task.
    fn by_images<L: Lanes>(&self, lanes: L, images: usize, result: Shared) {
        let inputs = self.channels[0];
        let per_image: usize = tiles(self.size).iter().product();
        let panels = Panel::of::<L>(self.channels[1]);
        let width: usize = panels.iter().map(Panel::width).sum();
        with_scratch(|[weights, ..]| {
            weights.resize(POINTS * inputs * width, 0.0);
            let mut parts = Panel::parts(&panels, POINTS * inputs, weights);
            for_chunks(&mut parts, 1, |_, parts| {
                for (panel, out) in parts {
                    self.weights(lanes, *panel, out);
                }
            });
            let block = BLOCK_TILES
                .div_ceil(per_image)
                .min(images.div_ceil(4))
                .max(1);
            for_chunks(&mut vec![(); images], block, |index, members| {
                let (first, count) = (index * block, members.len());
                let stride = count * per_image * inputs;
                with_scratch(|[last, values, sums, ..]| {
                    values.resize(POINTS * stride, 0.0);
                    let out = Shared(values.as_mut_ptr());
                    for image in 0..count {
                        let out = out.at(image * per_image * inputs);
                        self.transform(lanes, first + image, last, out, stride);
                    }
                    let area = self.size[0] * self.size[1];
                    let result = result.at(first * self.channels[1] * area);
                    for (panel, weights) in &parts {
                        let factors = [&values[..POINTS * stride], &**weights];
                        self.panel(lanes, factors, *panel, count, sums, result);
                    }
                });
            });
        });
    }
}

impl SimdTask for Tiled<'_> {
    type Output = Vec<f32>;

    fn run<L: Lanes>(self, lanes: L) -> Vec<f32> {
        let [inputs, outputs] = self.channels;
        let area = self.size[0] * self.size[1];
        let images = self.source.len() / (inputs * area);
        let all: usize = images * tiles(self.size).iter().product::<usize>();
        written(images * outputs * area, |result| {
            let start = Shared(result.as_mut_ptr());
            if all <= FEW_TILES {
                self.by_panels(lanes, images, start);
            } else {
                self.by_images(lanes, images, start);
            }
        })
    }
}

/// As [`super::gather::forward`].
#[must_use]
pub fn forward(conv: &ConvShape, x: &[f32], w: &[f32], bias: &[f32]) -> Vec<f32> {
    on_best(Tiled {
        source: x,
        size: conv.size,
        channels: [conv.channels, conv.m],
        w,
        gradient: false,
        bias: Some(bias),
    })
}

/// As [`super::gather::input_gradient`].
#[must_use]
pub fn input_gradient(conv: &ConvShape, w: &[f32], dy: &[f32]) -> Vec<f32> {
    on_best(Tiled {
        source: dy,
        size: conv.size,
        channels: [conv.m, conv.channels],
        w,
        gradient: true,
        bias: None,
    })
}

/// The gradient of the weights.
struct WeightGradient<'a> {
    conv: &'a ConvShape,
    x: &'a [f32],
    dy: &'a [f32],
}

impl SimdTask for WeightGradient<'_> {
    type Output = Vec<f32>;

    fn run<L: Lanes>(self, lanes: L) -> Vec<f32> {
        let ConvShape {
            images,
            channels: inputs,
            m: outputs,
            size,
            ..
        } = *self.conv;
        let area = size[0] * size[1];
        let per_image: usize = tiles(size).iter().product();
        let block = GRADIENT_TILES.div_ceil(per_image).min(images).max(1);
        let panels = Panel::of::<L>(outputs);
        let mut result = vec![0.0; outputs * inputs * 9];
        with_scratch(|[total, xs, dys]| {
            total.resize(POINTS * inputs * outputs, 0.0);
            xs.resize(POINTS * block * per_image * inputs, 0.0);
            dys.resize(POINTS * block * per_image * outputs, 0.0);
            for first in (0..images).step_by(block) {
                let mut members: Vec<usize> = (first..images.min(first + block)).collect();
                let count = members.len() * per_image;
                let [from_x, from_dy] = [Shared(xs.as_mut_ptr()), Shared(dys.as_mut_ptr())];
                for_chunks(&mut members, 1, |_, members| {
                    for image in members {
                        let forth =
                            |source: &[f32], channels: usize, gradient: bool, out: Shared| {
                                let start = *image * channels * area;
                                with_scratch(|[last, ..]| {
                                    let transform = InputTransform {
                                        image: &source[start..start + channels * area],
                                        size,
                                        channels,
                                        gradient,
                                        last,
                                        out: out.at((*image - first) * per_image * channels).0,
                                        stride: count * channels,
                                    };
                                    run(lanes, transform);
                                });
                            };
                        forth(self.x, inputs, false, from_x);
                        forth(self.dy, outputs, true, from_dy);
                    }
                });
                let terms: Vec<u32> = (0..count).map(|tile| (tile * inputs) as u32).collect();
                let (xs, dys) = (&*xs, &*dys);
                for_chunks(
                    &mut total[..POINTS * inputs * outputs],
                    inputs * outputs,
                    |point, total| {
                        with_scratch(|[packed, sums, ..]| {
                            let a = &xs[point * count * inputs..(point + 1) * count * inputs];
                            let dys = &dys[point * count * outputs..(point + 1) * count * outputs];
                            for panel in &panels {
                                let width = panel.width();
                                let columns = panel.start..panel.start + panel.columns;
                                packed.resize(count * width, 0.0);
                                let rows = packed
                                    .chunks_exact_mut(width)
                                    .zip(dys.chunks_exact(outputs));
                                for (packed, dy) in rows {
                                    packed[..panel.columns].copy_from_slice(&dy[columns.clone()]);
                                }
                                sums.resize(rounded(inputs, L::ROWS) * width, 0.0);
                                products(lanes, [a, packed], [inputs, 1], &terms, *panel, sums);
                                let rows = total
                                    .chunks_exact_mut(outputs)
                                    .zip(sums.chunks_exact(width));
                                for (total, sums) in rows {
                                    let total = &mut total[columns.clone()];
                                    if first == 0 {
                                        total.copy_from_slice(&sums[..panel.columns]);
                                        continue;
                                    }
                                    for (total, sum) in total.iter_mut().zip(sums) {
                                        *total += sum;
                                    }
                                }
                            }
                        });
                    },
                );
            }
            const TOGETHER: usize = 8;
            for_chunks(&mut result, TOGETHER * inputs * 9, |index, out| {
                let transform = WeightGradientTransform {
                    sums: &total[..],
                    channels: [inputs, outputs],
                    first: index * TOGETHER,
                    out,
                };
                run(lanes, transform);
            });
        });
        result
    }
}

/// As [`super::weight_gradient::weight_gradient`].
#[must_use]
pub fn weight_gradient(conv: &ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    on_best(WeightGradient { conv, x, dy })
}
