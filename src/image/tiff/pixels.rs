//! What the samples of a TIFF mean. Where that is not said, or said in two ways, it is refused: a guess would give
//! colours that nobody took.

use super::DAMAGED;
use super::directory::{self as tag, Directory};
use crate::image::canvas::Canvas;

/// Most samples of a pixel; satellites' pictures have a dozen.
const MAX_SAMPLES: u64 = 64;

/// What a pixel is made of.
pub struct Pixels {
    /// Samples of a pixel, as stored.
    pub samples: usize,
    /// Of each.
    pub bits: usize,
    /// Those of them that say its colour, and alpha behind; the others are ignored.
    pub wanted: Vec<usize>,
    colours: Colours,
    alpha: Alpha,
}

enum Colours {
    Gray,
    /// 0 is white.
    Inverted,
    Rgb,
    Cmyk,
    /// `[3,2^bits]`, 8 bits each.
    Palette(Vec<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Alpha {
    None,
    Straight,
    /// Multiplied into the colours.
    Associated,
}

impl Pixels {
    pub fn of(directory: &Directory) -> Result<Self, String> {
        let refused = |what: &str| {
            Err(format!(
                "is a TIFF of a kind that is not opened ({what}); save it as JPEG or PNG"
            ))
        };
        let samples = directory.first(tag::SAMPLES, 1)?;
        if samples == 0 {
            return Err(DAMAGED.into());
        }
        if samples > MAX_SAMPLES {
            return refused(&format!("{samples} samples a pixel"));
        }
        let samples = samples as usize;
        // 4 is for what has no numbers; it is written where a program does not care.
        let formats = directory.numbers(tag::SAMPLE_FORMAT)?.unwrap_or_default();
        if formats.iter().any(|f| ![1, 4].contains(f)) {
            return Err(
                "is a TIFF of signed or floating point numbers, whose black and white nobody knows; \
                 save it as 8-bit TIFF or PNG"
                    .into(),
            );
        }
        let depths = directory.numbers(tag::BITS)?.unwrap_or_else(|| vec![1]);
        let bits = depths.first().copied().unwrap_or(1);
        if depths.iter().any(|&b| b != bits) {
            return refused("samples of several depths");
        }
        if ![1, 2, 4, 8, 16].contains(&bits) {
            return refused(&format!("{bits} bits a sample"));
        }
        let bits = bits as usize;
        let photometric = match directory.numbers(tag::PHOTOMETRIC)?.as_deref() {
            Some(&[n, ..]) => n,
            _ if samples == 3 => 2,
            _ => return refused("it does not say whether 0 is black or white"),
        };
        let colours = match photometric {
            0 => Colours::Inverted,
            1 => Colours::Gray,
            2 => Colours::Rgb,
            3 => Colours::Palette(palette(directory, bits)?),
            4 => return refused("a mask"),
            5 if directory.first(tag::INK_SET, 1)? != 1 => {
                return refused("inks other than cyan, magenta, yellow and black");
            }
            5 => Colours::Cmyk,
            6 => return refused("YCbCr"),
            8..=10 => return refused("Lab colours"),
            n => return refused(&format!("colours of number {n}")),
        };
        let own = match colours {
            Colours::Gray | Colours::Inverted | Colours::Palette(_) => 1,
            Colours::Rgb => 3,
            Colours::Cmyk => 4,
        };
        let extra = directory.numbers(tag::EXTRA_SAMPLES)?.unwrap_or_default();
        let Some(beside) = samples.checked_sub(own) else {
            return refused(&format!("{samples} samples a pixel where {own} are needed"));
        };
        let mut wanted: Vec<usize> = (0..own).collect();
        let mut alpha = Alpha::None;
        if matches!(colours, Colours::Rgb) && beside == 1 && extra.is_empty() {
            // Of old, and as Pillow takes it.
            wanted.push(own);
            alpha = Alpha::Straight;
        } else if beside != extra.len() || own == 1 && beside > 1 {
            return refused(&format!(
                "{samples} samples a pixel, of which it does not say what they mean"
            ));
        } else if let Some(at) = extra.iter().position(|e| [1, 2].contains(e)) {
            wanted.push(own + at);
            alpha = if extra[at] == 1 {
                Alpha::Associated
            } else {
                Alpha::Straight
            };
        }
        if alpha == Alpha::Associated && matches!(colours, Colours::Inverted | Colours::Cmyk) {
            return refused("transparency multiplied into other colours than red, green and blue");
        }
        Ok(Self {
            samples,
            bits,
            wanted,
            colours,
            alpha,
        })
    }

    pub const fn is_palette(&self) -> bool {
        matches!(self.colours, Colours::Palette(_))
    }

    /// Puts a row of the samples wanted on the canvas: 8 bits each, or numbers of a palette.
    pub fn put(&self, row: &[u8], canvas: &mut Canvas) {
        let pixels = row.chunks_exact(self.wanted.len());
        let own = match self.alpha {
            Alpha::None => self.wanted.len(),
            _ => self.wanted.len() - 1,
        };
        let colour = |pixel: &[u8]| {
            let rgb = match &self.colours {
                Colours::Gray => [pixel[0]; 3],
                Colours::Inverted => [255 - pixel[0]; 3],
                Colours::Rgb => [pixel[0], pixel[1], pixel[2]],
                Colours::Cmyk => {
                    let light = 255 - u32::from(pixel[3]);
                    [pixel[0], pixel[1], pixel[2]]
                        .map(|ink| (light - (u32::from(ink) * light + 127) / 255) as u8)
                }
                Colours::Palette(map) => {
                    let n = map.len() / 3;
                    let at = usize::from(pixel[0]);
                    [map[at], map[n + at], map[2 * n + at]]
                }
            };
            if self.alpha == Alpha::Associated {
                let alpha = u32::from(pixel[own]).max(1);
                rgb.map(|v| ((u32::from(v) * 255 + alpha / 2) / alpha).min(255) as u8)
            } else {
                rgb
            }
        };
        match (&self.colours, self.alpha) {
            (Colours::Gray, Alpha::None) => canvas.gray(row),
            (Colours::Rgb, Alpha::None) => canvas.rgb(row),
            (_, Alpha::None) => canvas.rgb(&pixels.flat_map(colour).collect::<Vec<_>>()),
            _ => {
                let rgba = pixels.flat_map(|pixel| {
                    let [r, g, b] = colour(pixel);
                    // Of a palette, its number has fewer bits than 8, and so has alpha.
                    let full = if self.is_palette() {
                        255 / ((1_u16 << self.bits) - 1) as u8
                    } else {
                        1
                    };
                    [r, g, b, pixel[own] * full]
                });
                canvas.rgba(&rgba.collect::<Vec<_>>());
            }
        }
    }
}

/// The palette: 16 bits each by the standard, of which the upper half is taken, but 8 bits each by some programs. libtiff
/// tells them apart by whether any is above 255.
fn palette(directory: &Directory, bits: usize) -> Result<Vec<u8>, String> {
    let map = directory.numbers(tag::COLOR_MAP)?.unwrap_or_default();
    if bits > 8 || map.len() < 3 << bits {
        return Err("is a damaged TIFF (its palette is missing or too short)".into());
    }
    let wide = map.iter().any(|&v| v > 255);
    Ok(map[..3 << bits]
        .iter()
        .map(|&v| (if wide { v >> 8 } else { v }) as u8)
        .collect())
}
