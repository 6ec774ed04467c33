//! The transforms of Winograd's method for 3x3 convolutions of stride 1, F(4x4, 3x3): 36 products for 16 outputs instead of
//! 144. Lavin and Gray 2015 (arXiv:1509.09308), section 4.3, whose matrices these are; `winograd_*.wgsl`
//! are the same on a GPU.
//!
//! ```text
//! Y = A^T [ (G w G^T) * (B^T x B) ] A        * summed over channels, one product for each of 36 points
//! dw = G^T [ (B^T x B) * (A dy A^T) ] G      summed over tiles
//! ```
//!
//! The gradient of the input is the first again, with the weights turned round. The products are those of
//! [`crate::kernels::simd::lanes`]; transforms run over 16 channels at a time, so the images are turned to channels last.

use crate::kernels::shape::ConvShape;
use crate::kernels::simd::lanes::{Lanes, SimdLoop};

/// Edge of a tile of outputs.
pub const OUT: usize = 4;
/// Edge of the tile of inputs it needs.
pub const IN: usize = 6;
/// Products of a tile.
pub const POINTS: usize = IN * IN;
/// Channels that are transformed together.
pub const TOGETHER: usize = 16;
/// With fewer tiles than this the transformed weights, four times as many, are more than they save.
const FEW_TILES: usize = 32;

/// Whether the method can compute this convolution, and does so faster.
#[must_use]
pub fn can_apply(conv: &ConvShape) -> bool {
    let g = conv.geometry;
    let [height, width] = conv.size;
    let tiles = conv.images * height.div_ceil(OUT) * width.div_ceil(OUT);
    conv.kernel == [3, 3]
        && (g.stride, g.padding, g.dilation, g.groups) == (1, 1, 1, 1)
        && conv.channels.is_multiple_of(TOGETHER)
        && conv.m.is_multiple_of(TOGETHER)
        && tiles >= FEW_TILES
}

/// `B^T d`.
#[inline(always)]
fn input([a, b, c, d, e, f]: [f32; 6]) -> [f32; 6] {
    let (even, odd) = (e - 4.0 * c, d - 4.0 * b);
    let (near, far) = (e - c, 2.0 * (d - b));
    [
        4.0 * a - 5.0 * c + e,
        even + odd,
        even - odd,
        near + far,
        near - far,
        4.0 * b - 5.0 * d + f,
    ]
}

/// `A^T m`.
#[inline(always)]
fn output([a, b, c, d, e, f]: [f32; 6]) -> [f32; 4] {
    let (sum, difference) = (b + c, b - c);
    let (far_sum, far_difference) = (d + e, d - e);
    [
        a + sum + far_sum,
        difference + 2.0 * far_difference,
        sum + 4.0 * far_sum,
        difference + 8.0 * far_difference + f,
    ]
}

/// `A y`.
#[inline(always)]
fn output_gradient([a, b, c, d]: [f32; 4]) -> [f32; 6] {
    let (even, odd) = (a + c, b + d);
    let (far_even, far_odd) = (a + 4.0 * c, 2.0 * b + 8.0 * d);
    [
        a,
        even + odd,
        even - odd,
        far_even + far_odd,
        far_even - far_odd,
        d,
    ]
}

/// `G w`.
#[inline(always)]
fn weight([a, b, c]: [f32; 3]) -> [f32; 6] {
    let sum = (a + c) / -6.0;
    let far = a / 24.0 + c / 6.0;
    [
        a / 4.0,
        sum - b / 6.0,
        sum + b / 6.0,
        far + b / 12.0,
        far - b / 12.0,
        c,
    ]
}

/// `G^T u`.
#[inline(always)]
fn weight_gradient([a, b, c, d, e, f]: [f32; 6]) -> [f32; 3] {
    [
        a / 4.0 - (b + c) / 6.0 + (d + e) / 24.0,
        (c - b) / 6.0 + (d - e) / 12.0,
        (d + e) / 6.0 - (b + c) / 6.0 + f,
    ]
}

/// Channels side by side.
type Channels<const N: usize> = [f32; N];

/// A transform along both axes: `I` by `I` values to `O` by `O`.
#[inline(always)]
fn both<const I: usize, const O: usize, const N: usize>(
    f: impl Fn([f32; I]) -> [f32; O],
    from: &[Channels<N>],
    to: &mut [Channels<N>],
) {
    let mut half = [[0.0; N]; POINTS];
    let (from, to) = (&from[..I * I], &mut to[..O * O]);
    for x in 0..I {
        for lane in 0..N {
            let result = f(std::array::from_fn(|y| from[y * I + x][lane]));
            for y in 0..O {
                half[y * I + x][lane] = result[y];
            }
        }
    }
    for y in 0..O {
        for lane in 0..N {
            let result = f(std::array::from_fn(|x| half[y * I + x][lane]));
            for x in 0..O {
                to[y * O + x][lane] = result[x];
            }
        }
    }
}

/// Tiles of a plane, `[rows, columns]`.
#[must_use]
pub fn tiles([height, width]: [usize; 2]) -> [usize; 2] {
    [height.div_ceil(OUT), width.div_ceil(OUT)]
}

/// Transforms planes to tiles: an image `[channels, H, W]` to `[point][tile][channel]`, `stride` values from one point to
/// the next. As input the tiles overlap and begin in the padding; as gradient of outputs they do not.
pub struct InputTransform<'a> {
    /// The image.
    pub image: &'a [f32],
    /// H, W.
    pub size: [usize; 2],
    /// Channels.
    pub channels: usize,
    /// Whether it is the gradient of outputs.
    pub gradient: bool,
    /// A buffer, the image with its channels last and zeros round it.
    pub last: &'a mut Vec<f32>,
    /// Where the first tile's first point goes.
    pub out: *mut f32,
    /// Values from one point to the next.
    pub stride: usize,
}

impl SimdLoop for InputTransform<'_> {
    #[inline(always)]
    fn run(self) {
        let [height, width] = self.size;
        let [rows, columns] = tiles(self.size);
        let ring = usize::from(!self.gradient);
        let padded = [OUT * rows + 2 * ring, OUT * columns + 2 * ring];
        let channels = self.channels;
        self.last.clear();
        self.last.resize(padded[0] * padded[1] * channels, 0.0);
        let last = self.last.as_mut_slice();
        for first in (0..channels).step_by(TOGETHER) {
            let planes = &self.image[first * height * width..(first + TOGETHER) * height * width];
            for y in 0..height {
                let start = (y + ring) * padded[1] + ring;
                for x in 0..width {
                    let to = (start + x) * channels + first;
                    let from = y * width + x;
                    for (lane, to) in last[to..to + TOGETHER].iter_mut().enumerate() {
                        *to = planes[lane * height * width + from];
                    }
                }
            }
        }
        let edge = if self.gradient { OUT } else { IN };
        let mut patch = [[0.0; TOGETHER]; POINTS];
        let mut result = [[0.0; TOGETHER]; POINTS];
        for tile in 0..rows * columns {
            let corner = tile / columns * OUT * padded[1] + tile % columns * OUT;
            for first in (0..channels).step_by(TOGETHER) {
                for y in 0..edge {
                    for x in 0..edge {
                        let at = (corner + y * padded[1] + x) * channels + first;
                        patch[y * edge + x].copy_from_slice(&last[at..at + TOGETHER]);
                    }
                }
                if self.gradient {
                    both::<OUT, IN, TOGETHER>(output_gradient, &patch, &mut result);
                } else {
                    both::<IN, IN, TOGETHER>(input, &patch, &mut result);
                }
                for (point, values) in result.iter().enumerate() {
                    let at = point * self.stride + tile * channels + first;
                    // SAFETY: the maker of `out` has room for all points, tiles and channels.
                    unsafe {
                        self.out
                            .add(at)
                            .cast::<Channels<TOGETHER>>()
                            .write_unaligned(*values)
                    };
                }
            }
        }
    }
}

/// Transforms products to outputs: `[point][tile][column]` to planes.
pub struct OutputTransform<'a> {
    /// The products of an image and a panel.
    pub products: &'a [f32],
    /// Values from one point to the next.
    pub stride: usize,
    /// Columns of the panel.
    pub width: usize,
    /// `[columns, H, W]`.
    pub out: &'a mut [f32],
    /// H, W.
    pub size: [usize; 2],
    /// `[columns]`, added.
    pub bias: Option<&'a [f32]>,
}

impl OutputTransform<'_> {
    #[inline(always)]
    fn lanes<const N: usize>(self) {
        let [height, width] = self.size;
        let [rows, columns] = tiles(self.size);
        let mut products = [[0.0; N]; POINTS];
        let mut result = [[0.0; N]; OUT * OUT];
        let mut turned = [[0.0; OUT * OUT]; N];
        let channels = self.out.len() / (height * width);
        for tile in 0..rows * columns {
            let [top, left] = [tile / columns * OUT, tile % columns * OUT];
            let [high, wide] = [OUT.min(height - top), OUT.min(width - left)];
            for first in (0..channels).step_by(N) {
                for (point, products) in products.iter_mut().enumerate() {
                    let at = point * self.stride + tile * self.width + first;
                    products.copy_from_slice(&self.products[at..at + N]);
                }
                both::<IN, OUT, N>(output, &products, &mut result);
                for lane in 0..N {
                    for pixel in 0..OUT * OUT {
                        turned[lane][pixel] = result[pixel][lane];
                    }
                }
                for (lane, turned) in turned.iter().enumerate().take(channels - first) {
                    let bias = self.bias.map_or(0.0, |bias| bias[first + lane]);
                    let plane = (first + lane) * height * width;
                    for (y, row) in turned.chunks_exact(OUT).enumerate().take(high) {
                        let at = plane + (top + y) * width + left;
                        for (to, value) in self.out[at..at + wide].iter_mut().zip(row) {
                            *to = value + bias;
                        }
                    }
                }
            }
        }
    }
}

impl SimdLoop for OutputTransform<'_> {
    #[inline(always)]
    fn run(self) {
        if self.width.is_multiple_of(16) {
            self.lanes::<16>();
        } else {
            self.lanes::<8>();
        }
    }
}

/// Transforms weights to factors of the products: for a panel `[point][channel][column]`.
pub struct WeightTransform<'a> {
    /// `[O,C,3,3]`.
    pub w: &'a [f32],
    /// C.
    pub inputs: usize,
    /// Whether columns are inputs, the weights turned round, for the gradient of the input.
    pub gradient: bool,
    /// The first column of the panel, and how many it has.
    pub columns: [usize; 2],
    /// Columns with those that fill up vectors.
    pub width: usize,
    /// `[36, channels, width]`.
    pub out: &'a mut [f32],
}

impl SimdLoop for WeightTransform<'_> {
    #[inline(always)]
    fn run(self) {
        const N: usize = 8;
        let channels = self.out.len() / (POINTS * self.width);
        let mut filters = [[0.0; N]; 9];
        let mut result = [[0.0; N]; POINTS];
        for channel in 0..channels {
            for first in (0..self.columns[1]).step_by(N) {
                for lane in 0..N {
                    let column = self.columns[0] + first + lane;
                    let (o, c) = if self.gradient {
                        (channel, column)
                    } else {
                        (column, channel)
                    };
                    let at = (o * self.inputs + c) * 9;
                    for (tap, filter) in filters.iter_mut().enumerate() {
                        let tap = if self.gradient { 8 - tap } else { tap };
                        filter[lane] = self.w[at + tap];
                    }
                }
                both::<3, IN, N>(weight, &filters, &mut result);
                for (point, values) in result.iter().enumerate() {
                    let at = (point * channels + channel) * self.width + first;
                    self.out[at..at + N].copy_from_slice(values);
                }
            }
        }
    }
}

/// Transforms sums of products to the gradient of the weights, for a few outputs.
pub struct WeightGradientTransform<'a> {
    /// `[36, C, O]`.
    pub sums: &'a [f32],
    /// C, O.
    pub channels: [usize; 2],
    /// The first output.
    pub first: usize,
    /// `[outputs, C, 3, 3]`, 8 outputs.
    pub out: &'a mut [f32],
}

impl SimdLoop for WeightGradientTransform<'_> {
    #[inline(always)]
    fn run(self) {
        const N: usize = 8;
        let [inputs, outputs] = self.channels;
        let mut sums = [[0.0; N]; POINTS];
        let mut result = [[0.0; N]; 9];
        for channel in 0..inputs {
            for (point, sums) in sums.iter_mut().enumerate() {
                let at = (point * inputs + channel) * outputs + self.first;
                sums.copy_from_slice(&self.sums[at..at + N]);
            }
            both::<IN, 3, N>(weight_gradient, &sums, &mut result);
            for lane in 0..N {
                for (tap, values) in result.iter().enumerate() {
                    self.out[(lane * inputs + channel) * 9 + tap] = values[lane];
                }
            }
        }
    }
}

/// Runs a transform with the widest vectors.
pub fn run<L: Lanes>(lanes: L, transform: impl SimdLoop) {
    // SAFETY: a value of `L` comes from `on_best`, which found the instruction set.
    unsafe { lanes.compiled(transform) };
}
