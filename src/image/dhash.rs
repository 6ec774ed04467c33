//! Which photo it is, whatever file it is in: a difference hash, which another encoding or size of a photo hardly changes.
//!
//! Of the image's luma, averaged over a grid, each cell is compared with the one to its right and, on a second grid, with
//! the one below it. Source of the method: N. Krawetz, "Kind of Like That", hackerfactor.com, 2013.

use super::Rgb;

/// Comparisons in a row, and rows of them.
const SIDE: usize = 8;

/// Bits of a hash: rows and columns.
pub const BITS: u32 = 2 * (SIDE * SIDE) as u32;

/// The hash of an image, by which copies of it are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DHash(pub u128);

impl DHash {
    /// Most bits in which two files of one photo differ. Measured over Intel Image: see `docs/data.md`.
    pub const SAME: u32 = 7;

    /// Luma, of 255, by which a cell must be the brighter one to count as it: less is what an encoder changes.
    const STEP: u64 = 2;

    /// Mean luma that the brightest and the darkest cell must be apart, of 255: what is flatter than that has no bits of its
    /// own.
    const CONTRAST: u64 = 10;

    /// The hash of an image; none of one that is empty or all of nearly one colour, whose bits would be noise.
    #[must_use]
    pub fn of(image: &Rgb) -> Option<Self> {
        let across = cells(image, SIDE + 1, SIDE)?;
        let down = cells(image, SIDE, SIDE + 1)?;
        let area = (image.width * image.height) as u64;
        let (low, high) = (across.iter().min()?, across.iter().max()?);
        if high - low < Self::CONTRAST * area {
            return None;
        }
        let brighter = |one: u64, next: u64| next > one + Self::STEP * area;
        let to_the_right = across
            .chunks_exact(SIDE + 1)
            .flat_map(|row| row.windows(2).map(|pair| brighter(pair[0], pair[1])));
        let below = down.iter().zip(&down[SIDE..]);
        let below = below.map(|(one, next)| brighter(*one, *next));
        let bits = to_the_right.chain(below);
        Some(Self(bits.fold(0, |all, bit| all << 1 | u128::from(bit))))
    }

    /// Bits in which two hashes differ.
    #[must_use]
    pub const fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

/// Luma summed over each cell of a grid over the image, row by row. A pixel on a border counts for both sides by its share,
/// so that all cells are of one area: the image's, in units of one over the grid.
fn cells(image: &Rgb, columns: usize, rows: usize) -> Option<Vec<u64>> {
    let (width, height) = (image.width, image.height);
    if width == 0 || height == 0 {
        return None;
    }
    let mut sums = vec![0; columns * rows];
    for (y, line) in image.pixels.chunks_exact(3 * width).enumerate() {
        let mut in_line = vec![0; columns];
        for (x, pixel) in line.chunks_exact(3).enumerate() {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u64::from);
            let luma = (77 * red + 150 * green + 29 * blue) >> 8;
            for (column, share) in shares(x, width, columns) {
                in_line[column] += luma * share;
            }
        }
        for (row, share) in shares(y, height, rows) {
            for (sum, part) in sums[row * columns..].iter_mut().zip(&in_line) {
                *sum += part * share;
            }
        }
    }
    Some(sums)
}

/// The cells that a pixel lies in, of so many along an edge of `length` pixels, and how much of it in each: `cells` in all.
fn shares(at: usize, length: usize, cells: usize) -> impl Iterator<Item = (usize, u64)> {
    let (begin, end) = (at * cells, (at + 1) * cells);
    (begin / length..=(end - 1) / length).map(move |cell| {
        let from = begin.max(cell * length);
        let to = end.min((cell + 1) * length);
        (cell, (to - from) as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: usize, height: usize, luma: impl Fn(usize, usize) -> u8) -> Rgb {
        let at = |i: usize| [luma(i % width, i / width); 3];
        Rgb {
            width,
            height,
            pixels: (0..width * height).flat_map(at).collect(),
        }
    }

    #[test]
    fn brighter_to_the_right_and_darker_below_are_the_bits() {
        let right = image(90, 80, |x, _| 2 * x as u8);
        let across = u128::from(u64::MAX) << 64;
        assert_eq!(DHash::of(&right), Some(DHash(across)));
        let down = image(40, 90, |_, y| 2 * y as u8);
        assert_eq!(DHash::of(&down), Some(DHash(u128::from(u64::MAX))));
        let up = image(40, 90, |_, y| 250 - 2 * y as u8);
        assert_eq!(DHash::of(&up), Some(DHash(0)));
    }

    #[test]
    fn a_pixel_on_a_border_counts_for_both_sides() {
        assert_eq!(shares(1, 3, 2).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
        assert_eq!(
            shares(0, 2, 8).map(|(cell, _)| cell).collect::<Vec<_>>(),
            [0, 1, 2, 3]
        );
        let sums = cells(&image(3, 1, |x, _| [10, 20, 30][x]), 2, 1).unwrap();
        // Ten and half of twenty; half of twenty and thirty; in halves of a pixel.
        assert_eq!(sums, [40, 80]);
    }

    #[test]
    fn a_flat_image_has_none() {
        assert_eq!(
            DHash::of(&image(150, 150, |x, y| 100 + ((x + y) % 5) as u8)),
            None
        );
        assert_eq!(DHash::of(&image(0, 0, |_, _| 0)), None);
    }

    #[test]
    fn another_size_is_the_same_photo_and_another_photo_is_not() {
        let wave =
            |x: f64, y: f64| 127.0 + 60.0 * (7.0 * x).sin() + 60.0 * (5.0 * y + 3.0 * x).cos();
        let at = |w: usize, h: usize| {
            image(w, h, |x, y| {
                wave(x as f64 / w as f64, y as f64 / h as f64) as u8
            })
        };
        let [one, other] = [at(150, 150), at(224, 224)].map(|image| DHash::of(&image).unwrap());
        assert!(
            one.distance(other) <= DHash::SAME,
            "{}",
            one.distance(other)
        );
        let mirrored = image(150, 150, |x, y| {
            wave(1.0 - x as f64 / 150.0, y as f64 / 150.0) as u8
        });
        let mirrored = DHash::of(&mirrored).unwrap();
        assert!(one.distance(mirrored) > 30, "{}", one.distance(mirrored));
    }
}
