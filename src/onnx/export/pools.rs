//! Windows of all kinds: what is added round an image, and pools.

use super::layers::Layers;
use super::writer::{int, ints};
use crate::error::Result;
use crate::network::graph::Pool;
use crate::onnx::averaging;
use crate::onnx::proto::Attribute;

impl Layers<'_, '_> {
    pub(super) fn pad(&mut self, x: &str, pads: &[i64; 8], name: &str) -> String {
        let pads = self.w.ints(&format!("{name}.pads"), pads);
        self.w.op("Pad", &[x, &pads], name, vec![])
    }

    /// With all that is added written out: what a last window that reaches beyond sees differs from program to program.
    pub(super) fn max_pool(
        &mut self,
        pool: &Pool,
        x: &str,
        size: [usize; 2],
        name: &str,
    ) -> String {
        let settings = window(pool, pool.around(size));
        self.w.op("MaxPool", &[x], name, settings)
    }

    /// The mean of what torch counts: zeros round the image if they count, never what is beyond them.
    pub(super) fn avg_pool(
        &mut self,
        pool: &Pool,
        x: &str,
        size: [usize; 2],
        name: &str,
    ) -> String {
        let around = pool.around(size);
        let given = [0, 1].map(|axis| {
            pool.padding
                .around(axis, size[axis], pool.kernel, pool.stride)
        });
        let beyond = around != given;
        let zeros = given != [[0; 2]; 2];
        if !(pool.counts_padding && beyond && zeros) {
            let mut settings = window(pool, around);
            let counts = pool.counts_padding && zeros;
            settings.push(int("count_include_pad", i64::from(counts)));
            return self.w.op("AveragePool", &[x], name, settings);
        }
        let [[top, bottom], [left, right]] = given;
        let pads = [0, 0, top, left, 0, 0, bottom, right].map(|n| n as i64);
        let x = self.pad(x, &pads, &format!("{name}.padded"));
        let rest = [0, 1].map(|axis| [0, around[axis][1] - given[axis][1]]);
        let mut settings = window(pool, rest);
        settings.push(int("count_include_pad", 0));
        self.w.op("AveragePool", &[&x], name, settings)
    }

    /// A pool where the areas do not overlap, else two matrices that take the means of columns and of rows.
    pub(super) fn adaptive(
        &mut self,
        areas: [usize; 2],
        x: String,
        size: [usize; 2],
        name: &str,
    ) -> Result<String> {
        if areas == size {
            return Ok(x);
        }
        let [rows, columns] = areas;
        let [height, width] = size;
        if height.is_multiple_of(rows) && width.is_multiple_of(columns) {
            let kernel = [height / rows, width / columns];
            let settings = vec![ints("kernel_shape", &kernel), ints("strides", &kernel)];
            return Ok(self.w.op("AveragePool", &[&x], name, settings));
        }
        let mut transposed = Vec::with_capacity(width * columns);
        let of_columns = averaging(columns, width);
        for at in 0..width {
            transposed.extend((0..columns).map(|column| of_columns[column * width + at]));
        }
        let right = self
            .w
            .floats(&format!("{name}.columns"), &[width, columns], &transposed)?;
        let left = self.w.floats(
            &format!("{name}.rows"),
            &[rows, height],
            &averaging(rows, height),
        )?;
        let x = self.w.op(
            "MatMul",
            &[&x, &right],
            &format!("{name}.of_columns"),
            vec![],
        );
        Ok(self.w.op("MatMul", &[&left, &x], name, vec![]))
    }
}

/// What is added above, left, below, right.
pub(super) fn pads([top, bottom]: [usize; 2], [left, right]: [usize; 2]) -> Attribute {
    ints("pads", &[top, left, bottom, right])
}

/// A pool's window.
fn window(pool: &Pool, [vertical, horizontal]: [[usize; 2]; 2]) -> Vec<Attribute> {
    vec![
        ints("kernel_shape", &[pool.kernel; 2]),
        pads(vertical, horizontal),
        ints("strides", &[pool.stride; 2]),
    ]
}
