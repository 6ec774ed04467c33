//! From components to red, green and blue.

/// What the components mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Luma alone.
    Gray,
    /// Red, green and blue as they are.
    Rgb,
    /// Luma and chroma.
    Ycc,
    /// Inks, stored inverted as Photoshop does. Pillow and browsers take that for granted without its mark.
    Cmyk,
    /// The same, with the first three as luma and chroma.
    Ycck,
}

/// JFIF's conversion with 16 bits of fraction, as libjpeg rounds it.
#[inline(always)]
fn ycc(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    [
        y + ((91881 * cr + HALF) >> 16),
        y + ((-22554 * cb - 46802 * cr + HALF) >> 16),
        y + ((116_130 * cb + HALF) >> 16),
    ]
    .map(|v| v.clamp(0, 255) as u8)
}

/// Pillow's `convert("RGB")` of inks, given how much light each lets through.
#[inline(always)]
fn inks(light: [u8; 3], black: u8) -> [u8; 3] {
    light.map(|light| {
        // Rounded to the nearest 255th without a division.
        let product = (255 - u32::from(light)) * u32::from(black) + 128;
        let ink = (product + (product >> 8)) >> 8;
        (u32::from(black) - ink) as u8
    })
}

impl Colours {
    /// One row: `planes` hold its samples, `out` is `[W,3]`.
    pub fn row(self, planes: &[&[u8]], out: &mut [u8]) {
        let (pixels, _) = out.as_chunks_mut::<3>();
        match (self, planes) {
            (Self::Gray, [y, ..]) => {
                for (pixel, &y) in pixels.iter_mut().zip(*y) {
                    *pixel = [y; 3];
                }
            }
            (Self::Rgb, [r, g, b, ..]) => {
                for (pixel, ((&r, &g), &b)) in pixels.iter_mut().zip(r.iter().zip(*g).zip(*b)) {
                    *pixel = [r, g, b];
                }
            }
            (Self::Ycc, [y, cb, cr, ..]) => {
                for (pixel, ((&y, &cb), &cr)) in pixels.iter_mut().zip(y.iter().zip(*cb).zip(*cr)) {
                    *pixel = ycc(y, cb, cr);
                }
            }
            (Self::Cmyk, [c, m, y, k]) => {
                let rest = c.iter().zip(*m).zip(y.iter().zip(*k));
                for (pixel, ((&c, &m), (&y, &k))) in pixels.iter_mut().zip(rest) {
                    *pixel = inks([c, m, y], k);
                }
            }
            (Self::Ycck, [y, cb, cr, k]) => {
                let rest = y.iter().zip(*cb).zip(cr.iter().zip(*k));
                for (pixel, ((&y, &cb), (&cr, &k))) in pixels.iter_mut().zip(rest) {
                    // The conversion gives red, green, blue; inks are their complement, stored inverted.
                    *pixel = inks(ycc(y, cb, cr).map(|v| 255 - v), k);
                }
            }
            _ => {}
        }
    }
}
