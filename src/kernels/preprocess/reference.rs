//! The twins of `preprocess_vertical.wgsl` and `preprocess_horizontal.wgsl`: integers and tables, so a kernel
//! has to give the same bits.

use crate::kernels::reference::check;
use crate::kernels::taps::Taps;

/// `[H,W,3]` bytes as the words `[H,W]` the kernels read: red in the lowest byte, green, blue, alpha 255.
#[must_use]
pub fn pack(rgb: &[u8]) -> Vec<u32> {
    let pixels = rgb.chunks_exact(3);
    pixels
        .map(|p| u32::from_le_bytes([p[0], p[1], p[2], 255]))
        .collect()
}

/// source `[H,W]`, taps of the column: result `[OH,W]`.
///
/// # Panics
/// If the taps reach beyond the source.
#[must_use]
pub fn preprocess_vertical(source: &[u32], width: usize, taps: &Taps) -> Vec<u32> {
    let mut result = Vec::with_capacity(taps.words.len() / taps.row_length * width);
    for tap in taps.words.chunks_exact(taps.row_length) {
        for column in 0..width {
            let pixel = |i: usize| source[(tap[0] as usize + i) * width + column];
            let [r, g, b] = filtered(tap, taps.shift, pixel);
            result.push(u32::from_le_bytes([r, g, b, 255]));
        }
    }
    result
}

/// source `[OH,W]`, taps of the row, levels `[3,256]`: result `[1,3,OH,OW]`.
///
/// # Panics
/// If a tensor is not as long as the others say, or the taps reach beyond the source.
#[must_use]
pub fn preprocess_horizontal(
    source: &[u32],
    height: usize,
    taps: &Taps,
    levels: &[f32],
) -> Vec<f32> {
    let width = source.len() / height;
    let out_width = taps.words.len() / taps.row_length;
    let plane = height * out_width;
    check("source", source, height * width);
    check("levels", levels, 3 * 256);
    let mut result = vec![0.0; 3 * plane];
    for row in 0..height {
        for (column, tap) in taps.words.chunks_exact(taps.row_length).enumerate() {
            let pixel = |i: usize| source[row * width + tap[0] as usize + i];
            for (channel, colour) in filtered(tap, taps.shift, pixel).into_iter().enumerate() {
                result[channel * plane + row * out_width + column] =
                    levels[channel * 256 + usize::from(colour)];
            }
        }
    }
    result
}

/// Red, green and blue of the weighted sum of `pixel(0)`, `pixel(1)` and so on, rounded half up.
fn filtered(tap: &[i32], shift: u32, pixel: impl Fn(usize) -> u32) -> [u8; 3] {
    let mut sums = [1_i32 << (shift - 1); 3];
    for (i, weight) in tap[2..2 + tap[1] as usize].iter().enumerate() {
        let colours = pixel(i).to_le_bytes();
        for (sum, colour) in sums.iter_mut().zip(colours) {
            *sum += weight * i32::from(colour);
        }
    }
    sums.map(|sum| (sum >> shift).clamp(0, 255) as u8)
}
