//! `PNASNet-5`, found by a search from simple cells to larger ones: one kind of cell, which takes the outputs of the two
//! before it.
//!
//! Source: Liu et al. 2017 (arXiv:1712.00559), figure 1. Norms and padding are TensorFlow's.

use super::nasnet::{NORMS, conv_norm, factorized, separables, stem};
use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Pool};

/// What tells one member of the family from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PNasNet {
    /// Cells on planes of each of the three sizes, that which halves the edge counted.
    cells: [usize; 3],
    /// Channels of each branch of cell 0; twice as many at each halving.
    width: usize,
}

impl PNasNet {
    /// So many cells on planes of each size, and so many features.
    #[must_use]
    pub const fn new(cells: [usize; 3], features: usize) -> Self {
        Self {
            cells,
            // Five values side by side, four times as wide behind two halvings.
            width: features / 20,
        }
    }

    /// The network, with timm's names. A stage is what stands on planes of one size; the stem's cells are the first.
    ///
    /// Cells take what comes from others through a `ReLU`, so it stands at the end of each.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (g, images) = Builder::new("last_linear");
        let mut g = g.norms(NORMS[0], NORMS[1]);
        let first = stem(&mut g, "conv_0", images);
        let mut previous = g.relu(first);

        g.stage("cell_stem_0");
        let mut x = self.stem_cell(&mut g, "cell_stem_0", first, previous);
        let shape = Shape {
            width: self.width / 2,
            stride: 2,
            left_is_larger: true,
        };
        (previous, x) = (x, shape.cell(&mut g, "cell_stem_1", x, previous, true));

        let mut number = 0;
        for (part, cells) in self.cells.into_iter().enumerate() {
            g.stage(&format!("cell_{number}"));
            for cell in 0..cells {
                let halves = part > 0 && cell == 0;
                let shape = Shape {
                    width: self.width << part,
                    stride: if halves { 2 } else { 1 },
                    left_is_larger: cell == usize::from(part > 0),
                };
                let name = format!("cell_{number}");
                let last = cell + 1 == cells;
                (previous, x) = (x, shape.cell(&mut g, &name, x, previous, last));
                number += 1;
            }
        }
        g.global_avg_pool(x, "global_pool");
        g.finish()
    }

    /// The first cell: both its sides come from the first convolution, and one pair differs.
    fn stem_cell(&self, g: &mut Builder, name: &str, first: Value, relu_first: Value) -> Value {
        let width = self.width / 4;
        let right = conv_norm(
            g,
            &format!("{name}.conv_1x1"),
            relu_first,
            Conv::new(width, 1),
        );
        let other = format!("{name}.comb_iter_0_right");
        let y = g.max_pool(first, &format!("{other}.max_pool"), pool(2));
        let y = conv_norm(g, &other, y, Conv::new(width, 1));
        let y = pairs(g, name, right, relu_first, y, 2);
        g.tap(name, y);
        g.relu(y)
    }
}

/// What tells one cell from another.
struct Shape {
    width: usize,
    stride: usize,
    /// Whether the planes from the cell before the last are twice as large as those from the last.
    left_is_larger: bool,
}

impl Shape {
    /// `x` comes from the cell before, `previous` from the one before that, both behind a `ReLU`.
    fn cell(&self, g: &mut Builder, name: &str, x: Value, previous: Value, tap: bool) -> Value {
        let width = Conv::new(self.width, 1);
        let prev = format!("{name}.conv_prev_1x1");
        let left = if self.left_is_larger {
            factorized(g, &prev, previous, self.width)
        } else {
            conv_norm(g, &prev, previous, width.clone())
        };
        let right = conv_norm(g, &format!("{name}.conv_1x1"), x, width);
        let largest = format!("{name}.comb_iter_0_right");
        let largest = g.max_pool(left, &largest, pool(self.stride));
        let relu_left = g.relu(left);
        let y = pairs(g, name, right, relu_left, largest, self.stride);
        if tap {
            g.tap(name, y);
        }
        g.relu(y)
    }
}

/// The largest of 3x3.
const fn pool(stride: usize) -> Pool {
    Pool::new(3, stride, 0).same()
}

/// The five pairs; `largest` is one side of the first.
fn pairs(
    g: &mut Builder,
    name: &str,
    right: Value,
    relu_left: Value,
    largest: Value,
    stride: usize,
) -> Value {
    let part = |part: &str| format!("{name}.comb_iter_{part}");
    let width = right.channels;
    let relu_right = g.relu(right);
    let y = separables(g, &part("0_left"), relu_left, width, [5, stride]);
    let a = g.add(y, largest);
    let y = separables(g, &part("1_left"), relu_right, width, [7, stride]);
    let largest = g.max_pool(right, &part("1_right"), pool(stride));
    let b = g.add(y, largest);
    let y = separables(g, &part("2_left"), relu_right, width, [5, stride]);
    let z = separables(g, &part("2_right"), relu_right, width, [3, stride]);
    let c = g.add(y, z);
    let relu_c = g.relu(c);
    let y = separables(g, &part("3_left"), relu_c, width, [3, 1]);
    let d = g.add(y, largest);
    let y = separables(g, &part("4_left"), relu_left, width, [3, stride]);
    let other = if stride == 1 {
        right
    } else {
        let halved = Conv::new(width, 1).stride(stride);
        conv_norm(g, &part("4_right"), relu_right, halved)
    };
    let e = g.add(y, other);
    g.concat(&[a, b, c, d, e])
}
