//! Pools of a file, and the means that are pools.

use super::constant::Const;
use super::layers::planes;
use super::network::{Net, Network};
use super::node::{Fault, View, unknown};
use crate::network::graph::{Op, Padding, Pool};
use crate::onnx::averaging;

impl Network {
    pub(super) fn pool(&mut self, view: &View<'_>, x: &Net) -> Result<Net, Fault> {
        let [_, height, width] = planes(x)?;
        let size = [height, width];
        let is_mean = view.op() == "AveragePool";
        let kernel = view.pair("kernel_shape", 1, [0; 2])?;
        let strides = view.pair("strides", 1, [1; 2])?;
        let pads = view.pads()?;
        if view.pair("dilations", 1, [1; 2])? != [1; 2] {
            return unknown("with gaps");
        }
        if is_mean && kernel == size && pads == Some([0; 4]) {
            return self.put(Op::GlobalAvgPool, &[x], "");
        }
        let ([kernel, across], [stride, along]) = (kernel, strides);
        if kernel != across || stride != along || kernel == 0 {
            return unknown("of another window down than across");
        }
        let ceil = view.int("ceil_mode", 0) != 0;
        let counts = is_mean && view.int("count_include_pad", 0) != 0;
        let plain = Pool {
            kernel,
            stride,
            padding: Padding::Same,
            ceil: false,
            counts_padding: counts,
        };
        let put = |network: &mut Self, x: &Net, pool: Pool| {
            // What counts nothing is as torch says it when nothing is said.
            let nothing = pool.padding == Padding::Each([0; 2]);
            let pool = Pool {
                counts_padding: counts || nothing || !is_mean,
                ..pool
            };
            let op = if is_mean {
                Op::AvgPool(pool)
            } else {
                Op::MaxPool(pool)
            };
            network.put(op, &[x], "")
        };
        let Some([top, left, bottom, right]) = pads else {
            return put(self, x, plain);
        };
        let symmetric = [top, left] == [bottom, right];
        let each = |ceil| Pool {
            padding: Padding::Each([top, left]),
            ceil,
            ..plain
        };
        if symmetric {
            return put(self, x, each(ceil));
        }
        // Written out by another program, this one among them: what gives the same windows.
        let windows = |axis: usize, [before, after]: [usize; 2]| {
            let free = (size[axis] + before + after).checked_sub(kernel)?;
            let outputs = if ceil {
                free.div_ceil(stride)
            } else {
                free / stride
            } + 1;
            Some((before, outputs))
        };
        let wanted = [windows(0, [top, bottom]), windows(1, [left, right])];
        let gives = |pool: &Pool| {
            let of = |axis: usize| {
                pool.fit(axis, size[axis])
                    .map(|([before, _], outputs)| (before, outputs))
            };
            wanted[0].is_some() && wanted[1].is_some() && [of(0), of(1)] == wanted
        };
        let known = [each(false), each(true), plain].into_iter().find(gives);
        match known.filter(|_| !counts) {
            Some(pool) => put(self, x, pool),
            None if counts && !ceil => {
                let zeros = [top, left, bottom, right].map(|n| n as isize);
                let x = self.put(Op::Pad(zeros), &[x], "")?;
                put(
                    self,
                    &x,
                    Pool {
                        padding: Padding::Each([0; 2]),
                        ..plain
                    },
                )
            }
            None => unknown("of a padding that no other program has"),
        }
    }

    pub(super) fn reduce_mean(&mut self, view: &View<'_>, x: &Net) -> Result<Net, Fault> {
        planes(x)?;
        let mut axes = view.axes(1, 4)?.unwrap_or_default();
        axes.sort_unstable();
        if axes != [2, 3] {
            return unknown("along anything but rows and columns");
        }
        let mut out = self.put(Op::GlobalAvgPool, &[x], "")?;
        if view.int("keepdims", 1) == 0 {
            out.dims.truncate(2);
        }
        Ok(out)
    }

    /// Planes times a matrix that takes the means of some columns: half of an adaptive pool.
    pub(super) fn averaged_columns(&mut self, matrix: &Const, x: &Net) -> Result<Net, Fault> {
        let [_, height, width] = planes(x)?;
        let columns = matrix.shape[1];
        let of = |column: usize, at: usize| at * columns + column;
        if matrix.shape[0] != width || !takes_means(matrix, columns, width, of) {
            return unknown("of planes");
        }
        self.put(Op::AdaptiveAvgPool([height, columns]), &[x], "")
    }

    /// A matrix that takes the means of some rows, times planes: the other half.
    pub(super) fn averaged_rows(&mut self, view: &View<'_>, x: &Net) -> Result<Net, Fault> {
        let [_, height, width] = planes(x)?;
        let Some(matrix) = view.constant(0) else {
            return unknown("of planes");
        };
        let &[rows, over] = &matrix.shape[..] else {
            return unknown("of planes");
        };
        if over != height || !takes_means(matrix, rows, height, |row, at| row * height + at) {
            return unknown("of planes");
        }
        let areas = [rows, width];
        if let Op::AdaptiveAvgPool([_, columns]) = self.nodes[x.id].op {
            let before = self.nodes[x.id].inputs[0];
            let [channels, before_rows, before_columns] = self.shapes[before];
            if before_rows == height && columns == width {
                let dims = vec![x.dims[0], channels, before_rows, before_columns];
                let before = Net {
                    id: before,
                    dims,
                    softmax: false,
                };
                return self.put(Op::AdaptiveAvgPool(areas), &[&before], "");
            }
        }
        self.put(Op::AdaptiveAvgPool(areas), &[x], "")
    }
}

/// Whether a matrix takes the means of so many areas over so many pixels; `place` says where a share lies.
fn takes_means(
    matrix: &Const,
    areas: usize,
    size: usize,
    place: impl Fn(usize, usize) -> usize,
) -> bool {
    let Some(values) = matrix
        .as_floats()
        .filter(|v| areas > 0 && v.len() == areas * size)
    else {
        return false;
    };
    let wanted = averaging(areas, size);
    let all = (0..areas).flat_map(|area| (0..size).map(move |at| (area, at)));
    all.zip(wanted)
        .all(|((area, at), want)| (values[place(area, at)] - want).abs() < 1e-6)
}
