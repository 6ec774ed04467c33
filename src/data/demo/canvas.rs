//! What the scenes are painted with: a canvas at twice the size, noise from a table, colours that mix.
//!
//! Plain `f32` additions, multiplications, divisions and roots only. Those are exact by IEEE 754 on every
//! platform; a sine is not, and a scene drawn in a tab must equal the one drawn natively.

use crate::image::Rgb;
use crate::random::Random;

/// Red, green, blue, each 0..1, as the eye sees them (not linear light).
pub type Color = [f32; 3];

/// A colour of 0xRRGGBB.
pub const fn rgb(hex: u32) -> Color {
    [
        (hex >> 16 & 255) as f32 / 255.0,
        (hex >> 8 & 255) as f32 / 255.0,
        (hex & 255) as f32 / 255.0,
    ]
}

/// `a` where t is 0, `b` where it is 1; t is clamped.
pub fn mix(a: Color, b: Color, t: f32) -> Color {
    let t = t.clamp(0.0, 1.0);
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

/// Brighter or darker by a factor.
pub fn shade(color: Color, factor: f32) -> Color {
    color.map(|c| c * factor)
}

/// 0 below `from`, 1 above `to`, smooth between; falls where `from` is above `to`.
pub fn smooth(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The part after the decimal point, 0..1.
pub fn fract(x: f32) -> f32 {
    x - x.floor()
}

/// Uniform in `lo..hi`.
pub fn range(random: &mut Random, lo: f32, hi: f32) -> f32 {
    lo + (hi - lo) * random.uniform() as f32
}

/// True once in `1 / share` times.
pub fn chance(random: &mut Random, share: f64) -> bool {
    random.uniform() < share
}

/// One of some, none of none.
pub fn pick<T: Copy>(random: &mut Random, items: &[T]) -> Option<T> {
    items.get(random.below(items.len())).copied()
}

/// Edge of the noise table, a power of two.
const TABLE: usize = 128;

/// Smooth noise that repeats after [`TABLE`] units, too far apart to be seen.
pub struct Noise(Vec<f32>);

impl Noise {
    /// Another noise from every state of `random`.
    pub fn new(random: &mut Random) -> Self {
        Self(
            (0..TABLE * TABLE)
                .map(|_| random.uniform() as f32)
                .collect(),
        )
    }

    /// The value at a grid point, 0..1.
    pub fn at(&self, x: i32, y: i32) -> f32 {
        let wrap = |n: i32| n.rem_euclid(TABLE as i32) as usize;
        self.0[wrap(y) * TABLE + wrap(x)]
    }

    /// Between grid points, 0..1.
    pub fn value(&self, x: f32, y: f32) -> f32 {
        let (x0, y0) = (x.floor(), y.floor());
        let (tx, ty) = (smooth(0.0, 1.0, x - x0), smooth(0.0, 1.0, y - y0));
        let (x0, y0) = (x0 as i32, y0 as i32);
        let row = |y| {
            let (a, b) = (self.at(x0, y), self.at(x0.wrapping_add(1), y));
            a + (b - a) * tx
        };
        let (a, b) = (row(y0), row(y0.wrapping_add(1)));
        a + (b - a) * ty
    }

    /// The sum of octaves, each twice as fine and half as strong, scaled to 0..1.
    pub fn cloud(&self, x: f32, y: f32, octaves: u8) -> f32 {
        let (mut sum, mut weight, mut scale) = (0.0, 0.0, 1.0);
        for octave in 0..octaves {
            let shift = f32::from(octave) * 17.3;
            sum += self.value(x * scale + shift, y * scale + shift) / scale;
            weight += 1.0 / scale;
            scale *= 2.0;
        }
        sum / weight
    }

    /// Like [`Noise::cloud`], folded at the middle: sharp crests, 0..1.
    pub fn crest(&self, x: f32, y: f32, octaves: u8) -> f32 {
        let (mut sum, mut weight, mut scale) = (0.0, 0.0, 1.0);
        for octave in 0..octaves {
            let shift = f32::from(octave) * 31.7;
            let value = self.value(x * scale + shift, y * scale + shift);
            sum += (1.0 - (value * 2.0 - 1.0).abs()) / scale;
            weight += 1.0 / scale;
            scale *= 2.0;
        }
        sum / weight
    }
}

/// A square picture under way. Coordinates are 0..1, x to the right, y down.
pub struct Canvas {
    edge: usize,
    pixels: Vec<Color>,
}

impl Canvas {
    /// Black, for a picture of `size` pixels.
    pub fn new(size: usize) -> Self {
        let edge = size * 2;
        Self {
            edge,
            pixels: vec![[0.0; 3]; edge * edge],
        }
    }

    /// Paints within a box (left, top, right, bottom) what `brush(x, y)` gives: a colour and how much it
    /// covers, 0..1.
    pub fn paint(
        &mut self,
        bounds: [f32; 4],
        mut brush: impl FnMut(f32, f32) -> Option<(Color, f32)>,
    ) {
        let edge = self.edge as f32;
        // A cast from f32 clamps at 0 and takes NaN as 0.
        let pixel = |c: f32| ((c * edge).floor() as usize).min(self.edge);
        let [left, top, right, bottom] = bounds;
        let columns = pixel(left)..pixel(right + 1.0 / edge);
        for row in pixel(top)..pixel(bottom + 1.0 / edge) {
            let y = (row as f32 + 0.5) / edge;
            for column in columns.clone() {
                let x = (column as f32 + 0.5) / edge;
                if let Some((color, cover)) = brush(x, y) {
                    let under = &mut self.pixels[row * self.edge + column];
                    *under = mix(*under, color, cover);
                }
            }
        }
    }

    /// Covers everything.
    pub fn fill(&mut self, mut color: impl FnMut(f32, f32) -> Color) {
        self.paint([0.0, 0.0, 1.0, 1.0], |x, y| Some((color(x, y), 1.0)));
    }

    /// Fills below a line `y = line(x)`; `color` gets x, y and the depth below the line.
    pub fn below(
        &mut self,
        line: impl Fn(f32) -> f32,
        mut color: impl FnMut(f32, f32, f32) -> Color,
    ) {
        let edge = self.edge as f32;
        let tops: Vec<f32> = (0..self.edge)
            .map(|c| line((c as f32 + 0.5) / edge))
            .collect();
        let highest = tops.iter().copied().fold(1.0, f32::min);
        self.paint([0.0, highest, 1.0, 1.0], |x, y| {
            let depth = y - tops[((x * edge) as usize).min(tops.len() - 1)];
            (depth >= 0.0).then(|| (color(x, y, depth), 1.0))
        });
    }

    /// An ellipse about (x, y), its outer share `blur` fading out.
    pub fn ellipse(
        &mut self,
        [cx, cy]: [f32; 2],
        [rx, ry]: [f32; 2],
        blur: f32,
        color: Color,
        cover: f32,
    ) {
        self.paint([cx - rx, cy - ry, cx + rx, cy + ry], |x, y| {
            let (dx, dy) = ((x - cx) / rx, (y - cy) / ry);
            let out = (dx * dx + dy * dy).sqrt();
            (out < 1.0).then(|| (color, cover * smooth(1.0, 1.0 - blur.max(0.01), out)))
        });
    }

    /// A box of one colour.
    pub fn rect(&mut self, bounds: [f32; 4], color: Color) {
        let [left, top, right, bottom] = bounds;
        self.paint(bounds, |x, y| {
            (x >= left && x < right && y >= top && y < bottom).then_some((color, 1.0))
        });
    }

    /// The picture, with the light, the grain and the dark corners of a camera.
    pub fn develop(&self, random: &mut Random) -> Rgb {
        let size = self.edge / 2;
        let light: Color = std::array::from_fn(|_| range(random, 0.94, 1.05));
        let contrast = range(random, 0.92, 1.08);
        let grain = range(random, 0.005, 0.018);
        let corners = range(random, 0.05, 0.25);
        let mut pixels = Vec::with_capacity(size * size * 3);
        for row in 0..size {
            for column in 0..size {
                let (dx, dy) = (
                    column as f32 / size as f32 - 0.5,
                    row as f32 / size as f32 - 0.5,
                );
                let fade = 1.0 - corners * (dx * dx + dy * dy) * 2.0;
                let noise = range(random, -grain, grain);
                for (channel, light) in light.iter().enumerate() {
                    let at = |r: usize, c: usize| {
                        self.pixels[(row * 2 + r) * self.edge + column * 2 + c][channel]
                    };
                    let mean = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4.0;
                    let value = ((mean - 0.5) * contrast + 0.5) * light * fade + noise;
                    pixels.push((value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
                }
            }
        }
        Rgb {
            width: size,
            height: size,
            pixels,
        }
    }
}
