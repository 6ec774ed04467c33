//! Max pooling with its gradient. burn's forward pass took ten times as long as reading the image does.

use crate::kernels::shape::PoolShape;
use crate::kernels::simd::{for_chunks, with_scratch, written};

/// x `[planes,H,W]`: y `[planes,OH,OW]` and the index in its plane that each came from. The first of
/// several equals wins, as in PyTorch, and so does what is not a number.
///
/// # Panics
/// If x is not as long as the shape says, or there is no output.
#[must_use]
pub fn forward(shape: &PoolShape, x: &[f32]) -> (Vec<f32>, Vec<i32>) {
    let [height, width] = shape.size;
    let [out_height, out_width] = shape.out_size();
    let area = out_height * out_width;
    assert_eq!(x.len(), shape.planes * height * width);
    let mut indices = vec![0; shape.planes * area];
    let y = written(shape.planes * area, |y| {
        let mut planes: Vec<_> = y
            .chunks_exact_mut(area)
            .zip(indices.chunks_exact_mut(area))
            .collect();
        for_chunks(&mut planes, 8, |index, planes| {
            with_scratch(|[padded, ..]| {
                for (i, (y, indices)) in planes.iter_mut().enumerate() {
                    let start = (index * 8 + i) * height * width;
                    plane(shape, &x[start..start + height * width], padded, y, indices);
                }
            });
        });
    });
    (y, indices)
}

/// One plane. A row of outputs at a time, so that the loop over it becomes vectors.
fn plane(shape: &PoolShape, x: &[f32], padded: &mut Vec<f32>, y: &mut [f32], indices: &mut [i32]) {
    let [height, width] = shape.size;
    let [_, out_width] = shape.out_size();
    let [_, left] = shape.padding;
    let step = shape.stride[1];
    // The columns of one residue one after the other, so that a step becomes the next value.
    let length = (width + 2 * left).div_ceil(step) + shape.kernel[1];
    padded.clear();
    padded.resize(step * length, f32::NEG_INFINITY);
    let rows = y
        .chunks_exact_mut(out_width)
        .zip(indices.chunks_exact_mut(out_width));
    for (out_row, (y, indices)) in rows.enumerate() {
        y.fill(f32::NEG_INFINITY);
        // A window of nothing but negative infinities still has an index of its own.
        let top = (out_row * shape.stride[0])
            .saturating_sub(shape.padding[0])
            .min(height - 1);
        for (column, at) in indices.iter_mut().enumerate() {
            let column = (column * step).saturating_sub(left).min(width - 1);
            *at = (top * width + column) as i32;
        }
        for ky in 0..shape.kernel[0] {
            let row = (out_row * shape.stride[0] + ky).checked_sub(shape.padding[0]);
            let Some(row) = row.filter(|row| *row < height) else {
                continue;
            };
            let source = &x[row * width..(row + 1) * width];
            for (residue, out) in padded.chunks_exact_mut(length).enumerate() {
                // The first column of this residue that is not padding.
                let first = (residue + step * left - left) % step;
                let skipped = (left + first - residue) / step;
                let values = source.iter().skip(first).step_by(step);
                for (out, value) in out[skipped..].iter_mut().zip(values) {
                    *out = *value;
                }
            }
            for kx in 0..shape.kernel[1] {
                // Where the window's column kx is in the padding, the index is never taken.
                let mut here = (row * width + kx) as i32 - left as i32;
                let values = &padded[kx % step * length + kx / step..][..out_width];
                for ((y, at), value) in y.iter_mut().zip(&mut *indices).zip(values) {
                    // Bits chosen by a mask: a branch would be guessed wrong half of the time.
                    let better = ((*value > *y) | value.is_nan()) as u32;
                    let mask = 0_u32.wrapping_sub(better);
                    *y = f32::from_bits((value.to_bits() & mask) | (y.to_bits() & !mask));
                    *at = (here & mask as i32) | (*at & !mask as i32);
                    here += step as i32;
                }
            }
        }
    }
}

/// The gradient of x `[planes,H,W]`, from dy `[planes,OH,OW]` and the indices.
///
/// # Panics
/// If a tensor is not as long as the shape says.
#[must_use]
pub fn backward(shape: &PoolShape, indices: &[i32], dy: &[f32]) -> Vec<f32> {
    let [height, width] = shape.size;
    let area: usize = shape.out_size().iter().product();
    assert_eq!(dy.len(), shape.planes * area);
    assert_eq!(indices.len(), dy.len());
    written(shape.planes * height * width, |dx| {
        for_chunks(dx, 8 * height * width, |index, planes| {
            let start = index * 8 * area;
            let pairs = indices[start..]
                .chunks_exact(area)
                .zip(dy[start..].chunks_exact(area));
            for (dx, (indices, dy)) in planes.chunks_exact_mut(height * width).zip(pairs) {
                dx.fill(0.0);
                for (index, dy) in indices.iter().zip(dy) {
                    dx[*index as usize] += dy;
                }
            }
        });
    })
}
