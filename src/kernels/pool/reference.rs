//! The twins of `max_pool.wgsl`, `global_avg_pool.wgsl` and those of the same names for images that lie channels last.

use crate::kernels::reference::{Number, check};
use crate::kernels::shape::PoolShape;

/// x `[N,C,H,W]`: y `[N,C,OH,OW]`, the largest value in each window; the lowest `f32` where all of the window
/// is padding.
///
/// # Panics
/// If x is not as long as the shape says.
#[must_use]
pub fn max_pool<T: Number>(shape: &PoolShape, x: &[T]) -> Vec<f64> {
    let [height, width] = shape.size;
    let [out_height, out_width] = shape.out_size();
    check("x", x, shape.planes * height * width);
    let mut y = Vec::with_capacity(shape.planes * out_height * out_width);
    for plane in x.chunks_exact(height * width) {
        for out_row in 0..out_height {
            for out_column in 0..out_width {
                let mut best = f64::from(f32::MIN);
                for ky in 0..shape.kernel[0] {
                    for kx in 0..shape.kernel[1] {
                        let row = (out_row * shape.stride[0] + ky).checked_sub(shape.padding[0]);
                        let column =
                            (out_column * shape.stride[1] + kx).checked_sub(shape.padding[1]);
                        if let (Some(row), Some(column)) = (row, column)
                            && row < height
                            && column < width
                        {
                            best = best.max(plane[row * width + column].into());
                        }
                    }
                }
                y.push(best);
            }
        }
    }
    y
}

/// x `[N,C,H,W]` of N * C `planes`: y `[N,C]`, the mean of each plane.
///
/// # Panics
/// If x is empty or does not fall into so many planes.
#[must_use]
pub fn global_avg_pool<T: Number>(planes: usize, x: &[T]) -> Vec<f64> {
    assert!(
        planes > 0 && !x.is_empty(),
        "{planes} planes of {} values",
        x.len()
    );
    let area = x.len() / planes;
    check("x", x, planes * area);
    let planes = x.chunks_exact(area);
    planes
        .map(|plane| plane.iter().map(|v| (*v).into()).sum::<f64>() / area as f64)
        .collect()
}
