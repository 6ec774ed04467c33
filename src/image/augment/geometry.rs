//! Transforms that move pixels. All are `[H,W,3] -> [H',W',3]`, and refuse an image whose bytes are not that.

use super::{Area, check, to_byte};
use crate::config::Edges;
use crate::error::{Error, Result};
use crate::image::Rgb;

/// Left becomes right; torchvision's `hflip`.
///
/// # Errors
/// [`Error::Shape`] if the pixels are not `[H,W,3]`.
pub fn flip_horizontal(image: &Rgb) -> Result<Rgb> {
    check("mirror", image)?;
    let mut pixels = Vec::with_capacity(image.pixels.len());
    for row in image.pixels.chunks_exact(3 * image.width) {
        for pixel in row.chunks_exact(3).rev() {
            pixels.extend_from_slice(pixel);
        }
    }
    Ok(Rgb { pixels, ..*image })
}

/// Top becomes bottom; torchvision's `vflip`.
///
/// # Errors
/// [`Error::Shape`] if the pixels are not `[H,W,3]`.
pub fn flip_vertical(image: &Rgb) -> Result<Rgb> {
    check("upside down", image)?;
    let rows = image.pixels.chunks_exact(3 * image.width);
    Ok(Rgb {
        pixels: rows.rev().flatten().copied().collect(),
        ..*image
    })
}

/// The part of the image; torchvision's `crop`, save that nothing outside the image is shown.
///
/// # Errors
/// [`Error::Shape`] if the area is empty or not within the image, or the pixels are not `[H,W,3]`.
pub fn crop(image: &Rgb, area: Area) -> Result<Rgb> {
    check("crop", image)?;
    let within = |first: usize, n: usize, all: usize| {
        n > 0 && first.checked_add(n).is_some_and(|last| last <= all)
    };
    if !within(area.x, area.width, image.width) || !within(area.y, area.height, image.height) {
        return Err(Error::shape(
            "crop",
            format!(
                "{} x {} at ({}, {}) is not within {} x {}",
                area.width, area.height, area.x, area.y, image.width, image.height
            ),
        ));
    }
    let mut pixels = Vec::with_capacity(3 * area.width * area.height);
    let rows = image.pixels.chunks_exact(3 * image.width);
    for row in rows.skip(area.y).take(area.height) {
        pixels.extend_from_slice(&row[3 * area.x..3 * (area.x + area.width)]);
    }
    Ok(Rgb {
        width: area.width,
        height: area.height,
        pixels,
    })
}

/// The image with a mirrored border of `padding` pixels, and out of it the part of the image's own size that
/// begins at column `x`, row `y`: torchvision's `RandomCrop` with `padding_mode="reflect"`. At `x = y = padding`
/// it is the image itself.
///
/// # Errors
/// [`Error::Shape`] if the pixels are not `[H,W,3]`.
pub fn crop_padded(image: &Rgb, padding: usize, x: usize, y: usize) -> Result<Rgb> {
    // A border wider than what a signed number holds is no picture either way.
    let shift = |at: usize| (padding as isize).saturating_sub(at as isize);
    translate(image, shift(x), shift(y))
}

/// Moves the picture right by `dx` and down by `dy` whole pixels. What comes in is the image mirrored at its
/// outermost pixels, which are not repeated: `numpy.pad`'s mode `reflect`, as in torchvision's `pad`.
///
/// # Errors
/// [`Error::Shape`] if the pixels are not `[H,W,3]`.
pub fn translate(image: &Rgb, dx: isize, dy: isize) -> Result<Rgb> {
    check("shift", image)?;
    let from = |shift: isize, n: usize| {
        (0..n as i64).map(move |i| mirror(i.saturating_sub(shift as i64), n as i64) as usize)
    };
    let columns: Vec<usize> = from(dx, image.width).map(|x| 3 * x).collect();
    let mut pixels = Vec::with_capacity(image.pixels.len());
    for y in from(dy, image.height) {
        let row = &image.pixels[3 * image.width * y..][..3 * image.width];
        for &x in &columns {
            pixels.extend_from_slice(&row[x..x + 3]);
        }
    }
    Ok(Rgb { pixels, ..*image })
}

/// Turns the picture counter-clockwise about its centre `(W/2 - 0.5, H/2 - 0.5)`, bilinear, the size kept:
/// scikit-image's `rotate(image, degrees, mode=...)` and `img_as_ubyte`. As there, [`Edges::Reflect`] does not
/// repeat the outermost pixels, and [`Edges::Fill`] fades into black over one pixel. (With black its `clip`
/// can lift that fading to the image's darkest value; it is left out here.)
///
/// <https://github.com/scikit-image/scikit-image/blob/v0.26.0/skimage/_shared/interpolation.pxd>
///
/// # Errors
/// [`Error::Shape`] if the pixels are not `[H,W,3]`.
pub fn rotate(image: &Rgb, degrees: f64, edges: Edges) -> Result<Rgb> {
    check("rotation", image)?;
    let (width, height) = (image.width, image.height);
    let (cx, cy) = (width as f64 / 2.0 - 0.5, height as f64 / 2.0 - 0.5);
    let angle = degrees * (std::f64::consts::PI / 180.0);
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    // From a pixel of the result to its place in the image, products and sums in the reference's order:
    // [x', y'] = R [x, y] + t, where t = c - R c.
    let tx = (-cos * cx + sin * cy) + cx;
    let ty = (-sin * cx - cos * cy) + cy;
    let source_x = |x: f64, y: f64| (cos * x - sin * y) + tx;
    let source_y = |x: f64, y: f64| (sin * x + cos * y) + ty;

    let (right, bottom) = ((width - 1) as f64, (height - 1) as f64);
    let corners = [(0.0, 0.0), (right, 0.0), (0.0, bottom), (right, bottom)];
    let columns = Places::new(width, edges, corners.map(|(x, y)| source_x(x, y)));
    let rows = Places::new(height, edges, corners.map(|(x, y)| source_y(x, y)));

    let value: [f64; 256] = std::array::from_fn(|x| x as f64 * (1.0 / 255.0));
    let tap = |row: usize, column: usize| -> [f64; 3] {
        if row == OUTSIDE || column == OUTSIDE {
            return [0.0; 3];
        }
        let pixel = &image.pixels[3 * (row * width + column)..][..3];
        [pixel[0], pixel[1], pixel[2]].map(|x| value[usize::from(x)])
    };
    let mut pixels = Vec::with_capacity(image.pixels.len());
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (x as f64, y as f64);
            let ([left, right], dx) = columns.around(source_x(x, y));
            let ([above, below], dy) = rows.around(source_y(x, y));
            let (a, b) = (tap(above, left), tap(above, right));
            let (c, d) = (tap(below, left), tap(below, right));
            let pixel: [u8; 3] = std::array::from_fn(|i| {
                let top = (1.0 - dx) * a[i] + dx * b[i];
                let bottom = (1.0 - dx) * c[i] + dx * d[i];
                to_byte((1.0 - dy) * top + dy * bottom)
            });
            pixels.extend_from_slice(&pixel);
        }
    }
    Ok(Rgb { pixels, ..*image })
}

/// The mark of a place where no pixel is.
const OUTSIDE: usize = usize::MAX;

/// Which pixel stands at every coordinate of an axis, also beyond the image: looked up, because a remainder
/// for each of four neighbours of each pixel is most of a rotation's time.
struct Places {
    /// The coordinate of the table's first entry.
    first: i64,
    table: Vec<usize>,
}

impl Places {
    /// For `n` pixels and all coordinates between the smallest and the largest of `ends`.
    fn new(n: usize, edges: Edges, ends: [f64; 4]) -> Self {
        let least = ends.into_iter().fold(f64::INFINITY, f64::min);
        let most = ends.into_iter().fold(f64::NEG_INFINITY, f64::max);
        // One more on each side for rounding, and one for the right-hand neighbour. An angle that is no number
        // gives an empty span; its pixels all land on coordinate 0.
        let first = (least as i64).saturating_sub(2).clamp(-(1 << 32), 0);
        let last = (most as i64).saturating_add(3).clamp(1, 1 << 32);
        let size = n as i64;
        let place = |i: i64| match edges {
            Edges::Wrap => i.rem_euclid(size) as usize,
            Edges::Reflect => mirror(i, size) as usize,
            Edges::Fill if (0..size).contains(&i) => i as usize,
            Edges::Fill => OUTSIDE,
        };
        Self {
            first,
            table: (first..=last).map(place).collect(),
        }
    }

    /// The pixels before and after a coordinate, and how far it is from the first to the second.
    fn around(&self, at: f64) -> ([usize; 2], f64) {
        let whole = at as i64;
        let floor = whole - i64::from(whole as f64 > at);
        let index = (floor - self.first) as usize;
        let part = at - floor as f64;
        ([self.table[index], self.table[index + 1]], part)
    }
}

/// `i` mirrored into `0..n` at the first and the last number, as often as it takes: with 4, from -3 on
/// 3 2 1 0 1 2 3 2 1.
fn mirror(i: i64, n: i64) -> i64 {
    if n <= 1 {
        return 0;
    }
    let period = 2 * (n - 1);
    let i = i.rem_euclid(period);
    if i < n { i } else { period - i }
}
