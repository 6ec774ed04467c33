//! The factors of a convolution's products in memory: images with padding, and packed panels of the other
//! factor.

use crate::kernels::shape::ConvShape;
use crate::kernels::simd::lanes::Lanes;

/// How the images of a block lie for [`Lanes::tile`]: one group's channels `[images, channels, H, W]`,
/// with zeros round them.
#[derive(Debug, Clone, Copy)]
pub struct PaddedImages {
    /// Channels of a group.
    pub channels: usize,
    /// H, W without the zeros.
    pub size: [usize; 2],
    /// Zeros before the first row and column.
    pub before: [usize; 2],
    /// H, W with the zeros.
    pub padded: [usize; 2],
}

impl PaddedImages {
    /// Values from one channel to the next.
    #[must_use]
    pub const fn plane(&self) -> usize {
        self.padded[0] * self.padded[1]
    }

    /// Values from one image to the next, of so many channels.
    #[must_use]
    pub const fn image(&self) -> usize {
        self.channels * self.plane()
    }

    /// Some channels of each image of `source` `[images, all, H, W]`, `all` channels in each, into `out`.
    pub fn copy(&self, source: &[f32], all: usize, first: usize, out: &mut Vec<f32>) {
        let [height, width] = self.size;
        let [_, padded_width] = self.padded;
        let area = height * width;
        let images = source.len() / (all * area).max(1);
        out.resize(images * self.image(), 0.0);
        for (image, out) in out.chunks_exact_mut(self.image()).enumerate() {
            let from = (image * all + first) * area;
            let planes = source[from..from + self.channels * area].chunks_exact(area);
            for (plane, out) in planes.zip(out.chunks_exact_mut(self.plane())) {
                let [top, left] = self.before;
                let (above, rest) = out.split_at_mut(top * padded_width);
                let (rows, below) = rest.split_at_mut(height * padded_width);
                above.fill(0.0);
                below.fill(0.0);
                for (row, out) in plane
                    .chunks_exact(width)
                    .zip(rows.chunks_exact_mut(padded_width))
                {
                    out[..left].fill(0.0);
                    out[left..left + width].copy_from_slice(row);
                    out[left + width..].fill(0.0);
                }
            }
        }
    }

    /// What a term of the sum adds to a pixel's position: channels, then the taps in their order.
    #[must_use]
    pub fn offsets(&self, taps: &[[usize; 2]]) -> Vec<u32> {
        let positions = taps
            .iter()
            .map(|[row, column]| row * self.padded[1] + column);
        let positions: Vec<usize> = positions.collect();
        (0..self.channels)
            .flat_map(|channel| {
                positions
                    .iter()
                    .map(move |tap| channel * self.plane() + tap)
            })
            .map(|position| position as u32)
            .collect()
    }

    /// The positions of a grid of pixels, `stride` rows and columns apart, in each of so many images.
    #[must_use]
    pub fn positions(&self, images: usize, grid: [usize; 2], stride: usize) -> Vec<u32> {
        let mut positions = Vec::with_capacity(images * grid[0] * grid[1]);
        for image in 0..images {
            for row in 0..grid[0] {
                let start = image * self.image() + row * stride * self.padded[1];
                positions.extend((0..grid[1]).map(|column| (start + column * stride) as u32));
            }
        }
        positions
    }

    /// The input of a convolution, as it is for the outputs and for the weights.
    #[must_use]
    pub fn input(conv: &ConvShape) -> Self {
        let padding = conv.geometry.padding;
        Self {
            channels: conv.channels,
            size: conv.size,
            before: [padding; 2],
            padded: conv.size.map(|n| n + 2 * padding),
        }
    }
}

/// The kernel's positions in the padded input, row by row.
#[must_use]
pub fn taps(conv: &ConvShape) -> Vec<[usize; 2]> {
    let dilation = conv.geometry.dilation;
    let [rows, columns] = conv.kernel;
    (0..rows)
        .flat_map(|row| (0..columns).map(move |column| [row * dilation, column * dilation]))
        .collect()
}

/// Columns of the product that go through the registers together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panel {
    /// The first of them.
    pub start: usize,
    /// How many there are.
    pub columns: usize,
    /// Vectors that hold them.
    pub vectors: usize,
    /// Values of a vector.
    lanes: usize,
}

impl Panel {
    /// Divides columns into panels.
    pub fn of<L: Lanes>(columns: usize) -> Vec<Self> {
        let full = L::WIDTH * L::VECTORS;
        (0..columns)
            .step_by(full)
            .map(|start| {
                let columns = full.min(columns - start);
                Self {
                    start,
                    columns,
                    vectors: columns.div_ceil(L::WIDTH).next_power_of_two(),
                    lanes: L::WIDTH,
                }
            })
            .collect()
    }

    /// Divides `out` into one part a panel, each with room for `rows` rows.
    pub fn parts<'a>(
        panels: &[Self],
        rows: usize,
        out: &'a mut [f32],
    ) -> Vec<(Self, &'a mut [f32])> {
        let mut rest = out;
        let mut parts = Vec::with_capacity(panels.len());
        for panel in panels {
            let (part, others) = rest.split_at_mut(rows * panel.width());
            rest = others;
            parts.push((*panel, part));
        }
        parts
    }

    /// Columns with those that only fill the last vector.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.vectors * self.lanes
    }
}

/// `[rows, columns]` rows into a panel `[columns, width]`: transposed, in blocks that stay in the cache.
pub fn transpose(source: &[f32], columns: usize, width: usize, out: &mut [f32]) {
    const BLOCK: usize = 16;
    for start in (0..columns).step_by(BLOCK) {
        let end = columns.min(start + BLOCK);
        let out = &mut out[start * width..end * width];
        for (row, source) in source.chunks_exact(columns).enumerate() {
            for (value, out) in source[start..end].iter().zip(out.chunks_exact_mut(width)) {
                out[row] = *value;
            }
        }
    }
}
