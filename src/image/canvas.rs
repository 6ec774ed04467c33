//! Where decoders put their rows: transparency and the size of large photos are settled here, row by row, so
//! that no format needs its whole picture in memory for it.

use super::Rgb;
use crate::config::Transparency;

/// Most pixels an image may have: enough for phones' 200-megapixel modes.
pub const MAX_PIXELS: u64 = 210_000_000;

/// Most pixels along a side: JPEG ends at 65 535, WebP at 16 383. Resizing takes memory for each column and each row, so
/// that a file of a few kB, 50 million pixels wide and one high, took gigabytes.
pub const MAX_SIDE: u32 = 100_000;

/// Images of more pixels than this are reduced while they are decoded, to half their width and height or, if
/// that is not enough, a quarter: 52 million pixels of RGB are 156 MB, which a tab still holds.
/// Phones' 50-megapixel modes, up to 8192 x 6144, keep their size. A pixel of the reduced image is the mean of
/// those it stands for, rounded, as Pillow's `Image.reduce` gives.
pub const MAX_PIXELS_KEPT: u64 = 52_000_000;

/// An image that gets its rows from the top.
#[derive(Debug)]
pub(super) struct Canvas {
    /// Size of the rows that come.
    width: usize,
    height: usize,
    transparency: Transparency,
    /// Pixels along a side that become one.
    factor: usize,
    /// Sums of `[W/factor,3]`, and the rows in them.
    sums: Vec<u32>,
    rows: usize,
    /// The row as RGB.
    row: Vec<u8>,
    pixels: Vec<u8>,
}

impl Canvas {
    /// Why an image of that size is not opened.
    pub fn check(width: u32, height: u32) -> Result<u64, String> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 {
            return Err(format!("is {width} x {height} pixels, which is no image"));
        }
        if width.max(height) > MAX_SIDE {
            return Err(format!(
                "is {width} x {height} pixels; at most {MAX_SIDE} along a side are opened"
            ));
        }
        if pixels > MAX_PIXELS {
            return Err(format!(
                "is {width} x {height} pixels, {:.0} megapixels; at most {} are opened",
                pixels as f64 / 1e6,
                MAX_PIXELS / 1_000_000
            ));
        }
        Ok(pixels)
    }

    /// For an image of the size given, or why it is too large.
    pub fn new(width: u32, height: u32, transparency: Transparency) -> Result<Self, String> {
        let pixels = Self::check(width, height)?;
        let mut factor = 1_u64;
        while pixels / (factor * factor) > MAX_PIXELS_KEPT {
            factor *= 2;
        }
        let (width, height, factor) = (width as usize, height as usize, factor as usize);
        let across = width.div_ceil(factor);
        let mut pixels = Vec::new();
        pixels
            .try_reserve_exact(across * height.div_ceil(factor) * 3)
            .map_err(|_| NO_MEMORY.to_owned())?;
        Ok(Self {
            width,
            height,
            transparency,
            factor,
            sums: vec![0; if factor > 1 { across * 3 } else { 0 }],
            rows: 0,
            row: Vec::new(),
            pixels,
        })
    }

    /// A row `[W,3]`. Rows beyond the last are ignored.
    pub fn rgb(&mut self, row: &[u8]) {
        if self.rows == self.height || row.len() != self.width * 3 {
            return;
        }
        self.rows += 1;
        if self.factor == 1 {
            self.pixels.extend_from_slice(row);
            return;
        }
        let (sums, _) = self.sums.as_chunks_mut::<3>();
        if self.factor == 2 {
            // Almost always, so without inner loops.
            let (pairs, last) = row.as_chunks::<6>();
            for ([r, g, b], pair) in sums.iter_mut().zip(pairs) {
                let [r0, g0, b0, r1, g1, b1] = pair.map(u32::from);
                (*r, *g, *b) = (*r + r0 + r1, *g + g0 + g1, *b + b0 + b1);
            }
            if let (Some(sums), &[r, g, b]) = (sums.last_mut(), last) {
                for (sum, v) in sums.iter_mut().zip([r, g, b]) {
                    *sum += u32::from(v);
                }
            }
        } else {
            for (sums, pixels) in sums.iter_mut().zip(row.chunks(3 * self.factor)) {
                for pixel in pixels.as_chunks::<3>().0 {
                    for (sum, &v) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(v);
                    }
                }
            }
        }
        let down = match self.rows % self.factor {
            0 => self.factor,
            rest if self.rows == self.height => rest,
            _ => return,
        };
        // The last column may stand for fewer.
        let whole = self.width / self.factor * 3;
        let mean = |sums: &[u32], across: usize, pixels: &mut Vec<u8>| {
            let n = (across * down) as u32;
            if n == 4 {
                pixels.extend(sums.iter().map(|&sum| ((sum + 2) >> 2) as u8));
            } else {
                pixels.extend(sums.iter().map(|&sum| ((sum + n / 2) / n) as u8));
            }
        };
        mean(&self.sums[..whole], self.factor, &mut self.pixels);
        mean(
            &self.sums[whole..],
            self.width % self.factor,
            &mut self.pixels,
        );
        self.sums.fill(0);
    }

    /// A row `[W,4]`, alpha last and not multiplied in.
    pub fn rgba(&mut self, row: &[u8]) {
        let mut rgb = std::mem::take(&mut self.row);
        rgb.clear();
        for &[r, g, b, a] in row.as_chunks().0 {
            rgb.extend([r, g, b].map(|v| self.over(v, a)));
        }
        self.rgb(&rgb);
        self.row = rgb;
    }

    /// A row `[W]`.
    pub fn gray(&mut self, row: &[u8]) {
        let mut rgb = std::mem::take(&mut self.row);
        rgb.clear();
        rgb.extend(row.iter().flat_map(|&v| [v; 3]));
        self.rgb(&rgb);
        self.row = rgb;
    }

    /// A row `[W,2]`, alpha last.
    pub fn gray_alpha(&mut self, row: &[u8]) {
        let mut rgb = std::mem::take(&mut self.row);
        rgb.clear();
        for &[v, a] in row.as_chunks().0 {
            rgb.extend([self.over(v, a); 3]);
        }
        self.rgb(&rgb);
        self.row = rgb;
    }

    fn over(&self, value: u8, alpha: u8) -> u8 {
        match self.transparency {
            Transparency::Dropped => value,
            Transparency::White => {
                let (value, alpha) = (u32::from(value), u32::from(alpha));
                ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
            }
        }
    }

    /// The image; none if rows are missing.
    pub fn finish(self) -> Option<Rgb> {
        (self.rows == self.height).then(|| Rgb {
            width: self.width.div_ceil(self.factor),
            height: self.height.div_ceil(self.factor),
            pixels: self.pixels,
        })
    }
}

/// What is said where memory ends.
pub(super) const NO_MEMORY: &str =
    "needs more memory to decode than an image may take; save it smaller";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reduced_pixel_is_the_rounded_mean_of_those_there() {
        let mut canvas = Canvas::new(3, 3, Transparency::White).expect("small");
        canvas.factor = 2;
        canvas.sums = vec![0; 6];
        for row in [[0_u8, 1, 10], [2, 4, 21], [7, 8, 9]] {
            canvas.gray(&row);
        }
        let image = canvas.finish().expect("all rows");
        assert_eq!((image.width, image.height), (2, 2));
        let first: Vec<u8> = image.pixels.iter().copied().step_by(3).collect();
        // 7/4, 31/2, 15/2 and 9.
        assert_eq!(first, [2, 16, 8, 9]);
    }
}
