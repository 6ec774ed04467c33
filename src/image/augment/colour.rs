//! Transforms of colours, as torchvision's functions of that name do to a Pillow image, to the byte. Each is
//! `[H,W,3] -> [H,W,3]`, pixel by pixel.
//!
//! <https://github.com/pytorch/vision/blob/main/torchvision/transforms/_functional_pil.py>

use crate::image::Rgb;

/// Darker below 1, black at 0, brighter above 1.
#[must_use]
pub fn adjust_brightness(image: &Rgb, factor: f64) -> Rgb {
    blend_with(image, 0, factor)
}

/// Flatter below 1, at 0 the mean lightness everywhere, harsher above 1.
#[must_use]
pub fn adjust_contrast(image: &Rgb, factor: f64) -> Rgb {
    let pixels = image.pixels.chunks_exact(3);
    let count = pixels.len().max(1) as f64;
    let sum: u64 = pixels.map(|p| u64::from(lightness(p))).sum();
    blend_with(image, (sum as f64 / count + 0.5) as u8, factor)
}

/// Paler below 1, gray at 0, gaudier above 1.
#[must_use]
pub fn adjust_saturation(image: &Rgb, factor: f64) -> Rgb {
    let factor = factor as f32;
    each_pixel(image, |p| {
        let gray = lightness(&p);
        p.map(|x| blend(gray, x, factor))
    })
}

/// Turns every hue by that share of the colour circle, -0.5 to 0.5. As in Pillow, hue and saturation pass
/// through 8 bits, so that even 0 changes colours a little.
#[must_use]
pub fn adjust_hue(image: &Rgb, turn: f64) -> Rgb {
    // numpy: towards zero to 32 bits, of which the lowest 8 are added without a carry.
    let turn = (turn * 255.0) as i32 as u8;
    let sectors: [Sector; 256] = std::array::from_fn(|hue| sector(hue as u8));
    let shares: [f32; 256] = std::array::from_fn(|x| (x as f64 / 255.0) as f32);
    each_pixel(image, |p| {
        let [hue, saturation, value] = to_hsv(p);
        if saturation == 0 {
            return [value; 3];
        }
        let sector = sectors[usize::from(hue.wrapping_add(turn))];
        from_hsv(sector, shares[usize::from(saturation)], value)
    })
}

/// The lightness in all three channels.
#[must_use]
pub fn grayscale(image: &Rgb) -> Rgb {
    each_pixel(image, |p| [lightness(&p); 3])
}

/// Pillow's conversion to "L": ITU-R 601-2 luma in 16-bit fixed point, rounded.
///
/// <https://github.com/python-pillow/Pillow/blob/13.0.0/src/libImaging/Convert.c>
fn lightness(pixel: &[u8]) -> u8 {
    let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
    ((19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16) as u8
}

/// Pillow's `blend`, from `a` at 0 to `b` at 1 and on beyond: in 32-bit floating point, cut to 0..=255, the
/// fraction dropped.
///
/// <https://github.com/python-pillow/Pillow/blob/13.0.0/src/libImaging/Blend.c>
fn blend(a: u8, b: u8, factor: f32) -> u8 {
    let (a, b) = (i32::from(a), i32::from(b));
    // The cast cuts to the range and drops the fraction.
    (a as f32 + factor * (b - a) as f32) as u8
}

/// Blends a single gray with the image.
fn blend_with(image: &Rgb, gray: u8, factor: f64) -> Rgb {
    let factor = factor as f32;
    let table: [u8; 256] = std::array::from_fn(|x| blend(gray, x as u8, factor));
    Rgb {
        pixels: image
            .pixels
            .iter()
            .map(|&x| table[usize::from(x)])
            .collect(),
        ..*image
    }
}

fn each_pixel(image: &Rgb, change: impl Fn([u8; 3]) -> [u8; 3]) -> Rgb {
    let mut pixels = image.pixels.clone();
    for pixel in pixels.chunks_exact_mut(3) {
        pixel.copy_from_slice(&change([pixel[0], pixel[1], pixel[2]]));
    }
    Rgb { pixels, ..*image }
}

/// Pillow's `rgb2hsv_row`: 8 bits each, the fractions dropped. What is 32-bit and what 64-bit there is so here.
fn to_hsv([r, g, b]: [u8; 3]) -> [u8; 3] {
    let most = r.max(g).max(b);
    let least = r.min(g).min(b);
    if least == most {
        return [0, 0, most];
    }
    let range = f32::from(most - least);
    let saturation = range / f32::from(most);
    let distance = |x: u8| f32::from(most - x) / range;
    let hue = if r == most {
        distance(b) - distance(g)
    } else if g == most {
        (2.0 + f64::from(distance(r)) - f64::from(distance(b))) as f32
    } else {
        (4.0 + f64::from(distance(g)) - f64::from(distance(r))) as f32
    };
    // The remainder of a division by 1: the sum is between 0 and 2.
    let turned = f64::from(hue) / 6.0 + 1.0;
    let hue = if turned >= 1.0 { turned - 1.0 } else { turned } as f32;
    [
        (f64::from(hue) * 255.0) as u8,
        (f64::from(saturation) * 255.0) as u8,
        most,
    ]
}

/// A sixth of the colour circle and the way into it, 0..1.
#[derive(Clone, Copy)]
struct Sector {
    number: u8,
    part: f32,
}

fn sector(hue: u8) -> Sector {
    let sixths = f64::from(hue) * 6.0 / 255.0;
    let number = sixths as u8;
    Sector {
        // Red again, at 255.
        number: number % 6,
        part: (sixths - f64::from(number)) as f32,
    }
}

/// Pillow's `hsv2rgb`, with a saturation of 0..1.
fn from_hsv(sector: Sector, saturation: f32, value: u8) -> [u8; 3] {
    let (v, part) = (f64::from(value), sector.part);
    // Rounded half up; never negative.
    let scaled = |by: f64| (v * by + 0.5) as u8;
    let p = scaled(1.0 - f64::from(saturation));
    // This product is 32-bit, the next one is not.
    let q = scaled(1.0 - f64::from(saturation * part));
    let t = scaled(1.0 - f64::from(saturation) * (1.0 - f64::from(part)));
    match sector.number {
        0 => [value, t, p],
        1 => [q, value, p],
        2 => [p, value, t],
        3 => [p, q, value],
        4 => [t, p, value],
        _ => [value, p, q],
    }
}
