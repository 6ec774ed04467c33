//! Which photo it is, whatever file it is in: a perceptual hash, which another encoding or size of a photo hardly changes.
//!
//! Of the image's luma, averaged over a grid of 32 x 32 cells, the signs of the 64 lowest frequencies of its cosine transform.
//! Source of the method: C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2,
//! which compares with the median; of a photo the sign is the steadier one. All in whole numbers, and the cosines
//! rounded to them, so that every platform gives the same bits.

use std::f64::consts::PI;

use super::Rgb;

/// Cells along each edge.
const GRID: usize = 32;

/// Frequencies along each edge; those of which both together are at most the highest one count.
const FREQUENCIES: usize = 11;

/// What a whole number stands for: sixteenths of a grey level, and 1024ths of a cosine.
const LEVEL: u64 = 16;
const COSINE: f64 = 1024.0;

/// The hash of an image, by which copies of it are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PHash(pub u64);

impl PHash {
    /// Most bits in which two files of one photo differ. Measured over Intel Image: see `docs/data.md`.
    pub const SAME: u32 = 5;

    /// A frequency is strong if its wave is a quarter of a grey level high; with fewer strong ones than this the signs of the
    /// others are noise. Photos have 32 and more of 64; plain gradients, horizons and surfaces 10 and less.
    const STRONG: usize = 24;
    const STRENGTH: i64 = 1 << 30;

    /// The hash of an image; none of one that is empty or hardly shows anything.
    #[must_use]
    pub fn of(image: &Rgb) -> Option<Self> {
        let cells = cells(image)?;
        let table: [[i64; GRID]; FREQUENCIES] = std::array::from_fn(|frequency| {
            std::array::from_fn(|cell| {
                let angle = PI * ((2 * cell + 1) * frequency) as f64 / (2 * GRID) as f64;
                (COSINE * angle.cos()).round() as i64
            })
        });
        let (mut bits, mut bit, mut strong) = (0, 1_u64, 0);
        for (down, waves) in table.iter().enumerate() {
            let mut columns = [0; GRID];
            for (row, wave) in cells.chunks_exact(GRID).zip(waves) {
                for (sum, cell) in columns.iter_mut().zip(row) {
                    *sum += wave * cell;
                }
            }
            for (across, waves) in table.iter().enumerate() {
                // Without the mean, and one of the highest, so that there are 64.
                if !(1..FREQUENCIES).contains(&(down + across)) || (down, across) == (5, 5) {
                    continue;
                }
                let value: i64 = waves
                    .iter()
                    .zip(&columns)
                    .map(|(wave, sum)| wave * sum)
                    .sum();
                if value > 0 {
                    bits |= bit;
                }
                strong += usize::from(value.abs() >= Self::STRENGTH);
                bit <<= 1;
            }
        }
        (strong >= Self::STRONG).then_some(Self(bits))
    }

    /// Bits in which two hashes differ.
    #[must_use]
    pub const fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

/// The mean luma of each cell, row by row, in sixteenths of a grey level. A pixel on a border counts for both sides by its
/// share.
fn cells(image: &Rgb) -> Option<Vec<i64>> {
    let (width, height) = (image.width, image.height);
    let area = (width * height) as u64;
    if area == 0 {
        return None;
    }
    let mut sums = vec![0; GRID * GRID];
    for (y, line) in image.pixels.chunks_exact(3 * width).enumerate() {
        let mut in_line = [0; GRID];
        for (x, pixel) in line.chunks_exact(3).enumerate() {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u64::from);
            let luma = (77 * red + 150 * green + 29 * blue) >> 8;
            for (column, share) in shares(x, width) {
                in_line[column] += luma * share;
            }
        }
        for (row, share) in shares(y, height) {
            for (sum, part) in sums[row * GRID..].iter_mut().zip(&in_line) {
                *sum += part * share;
            }
        }
    }
    // All cells are of one area: the image's, in units of one over the grid.
    let mean = |sum: u64| (LEVEL * sum + area / 2) / area;
    Some(sums.into_iter().map(|sum| mean(sum) as i64).collect())
}

/// The cells along an edge of `length` pixels that a pixel lies in, and how much of it in each: as many as there are cells in
/// all.
fn shares(at: usize, length: usize) -> impl Iterator<Item = (usize, u64)> {
    let (begin, end) = (at * GRID, (at + 1) * GRID);
    (begin / length..=(end - 1) / length).map(move |cell| {
        let from = begin.max(cell * length);
        let to = end.min((cell + 1) * length);
        (cell, (to - from) as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: usize, height: usize, luma: impl Fn(f64, f64) -> f64) -> Rgb {
        let at = |i: usize| {
            let (x, y) = (i % width, i / width);
            let luma = luma(
                (x as f64 + 0.5) / width as f64,
                (y as f64 + 0.5) / height as f64,
            );
            [luma.clamp(0.0, 255.0) as u8; 3]
        };
        Rgb {
            width,
            height,
            pixels: (0..width * height).flat_map(at).collect(),
        }
    }

    /// Patches of light, as no gradient has.
    fn patches(x: f64, y: f64) -> f64 {
        let patch = |cx: f64, cy: f64, r: f64| f64::from(u8::from((x - cx).hypot(y - cy) < r));
        30.0 + 150.0 * patch(0.3, 0.2, 0.13)
            + 60.0 * patch(0.7, 0.65, 0.21)
            + 90.0 * patch(0.15, 0.8, 0.1)
            + 40.0 * x
    }

    #[test]
    fn a_pixel_on_a_border_counts_for_both_sides() {
        assert_eq!(shares(0, 64).collect::<Vec<_>>(), [(0, 32)]);
        assert_eq!(shares(1, 48).collect::<Vec<_>>(), [(0, 16), (1, 16)]);
        assert_eq!(shares(0, 16).collect::<Vec<_>>(), [(0, 16), (1, 16)]);
        let half = image(2, 1, |x, _| if x < 0.5 { 10.0 } else { 200.0 });
        let row = &cells(&half).unwrap()[..GRID];
        assert!(
            row[..16].iter().all(|&cell| cell == 160) && row[16..].iter().all(|&cell| cell == 3200)
        );
    }

    #[test]
    fn the_sign_of_each_wave_is_a_bit() {
        // Brighter to the left: the first frequency across is positive, which is bit 0.
        let [left, right] =
            [1.0, -1.0].map(|sign| image(96, 96, |x, y| patches(x, y) - sign * 90.0 * x));
        let [left, right] = [left, right].map(|image| PHash::of(&image).unwrap());
        assert_eq!([left.0 & 1, right.0 & 1], [1, 0]);
    }

    #[test]
    fn what_shows_nothing_has_no_hash() {
        assert_eq!(PHash::of(&image(150, 150, |_, _| 128.0)), None);
        assert_eq!(
            PHash::of(&image(150, 150, |x, y| 60.0 + 100.0 * x + 40.0 * y)),
            None
        );
        assert_eq!(
            PHash::of(&image(150, 150, |_, y| if y > 0.4 { 60.0 } else { 200.0 })),
            None
        );
        assert_eq!(PHash::of(&image(0, 0, |_, _| 0.0)), None);
    }

    #[test]
    fn another_size_is_the_same_photo_and_another_photo_is_not() {
        let [one, large, wide] = [(150, 150), (224, 224), (300, 131)]
            .map(|(w, h)| PHash::of(&image(w, h, patches)).unwrap());
        assert!(
            one.distance(large) <= PHash::SAME,
            "{}",
            one.distance(large)
        );
        assert!(one.distance(wide) <= PHash::SAME, "{}", one.distance(wide));
        let mirrored = PHash::of(&image(150, 150, |x, y| patches(1.0 - x, y))).unwrap();
        assert!(one.distance(mirrored) > 20, "{}", one.distance(mirrored));
    }
}
