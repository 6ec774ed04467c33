//! `NASNet-A`, found by a search: cells that take the outputs of the two cells before them, and add in pairs what
//! separable convolutions and pools make of them.
//!
//! Source: Zoph et al. 2017 (arXiv:1707.07012), figure 4. Norms and padding are TensorFlow's, but where the edge is
//! halved a mean counts the zeros round the image, as in timm.

use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Pool};

/// Epsilon and momentum of the norms.
pub(super) const NORMS: [f64; 2] = [1e-3, 0.1];

/// Channels behind the first convolution.
const STEM: usize = 96;

/// What tells one member of the family from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NasNet {
    /// Normal cells before, between and behind the two reductions.
    cells: usize,
    /// Channels of each branch of the first normal cells; twice as many behind each reduction.
    width: usize,
}

impl NasNet {
    /// So many normal cells before, between and behind the reductions, and so many features.
    #[must_use]
    pub const fn new(cells: usize, features: usize) -> Self {
        Self {
            cells,
            // Six values side by side, four times as wide behind two reductions.
            width: features / 24,
        }
    }

    /// The network, with timm's names. A stage is a reduction and the cells behind it; the stem's cells are the first.
    ///
    /// Cells take what comes from others through a `ReLU`, so it stands at the end of each.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (g, images) = Builder::new("last_linear");
        let mut g = g.norms(NORMS[0], NORMS[1]);
        let x = stem(&mut g, "conv0", images);
        let mut previous = g.relu(x);

        g.stage("cell_stem_0");
        let narrow = Conv::new(self.width / 4, 1);
        let right = conv_norm(&mut g, "cell_stem_0.conv_1x1", previous, narrow);
        let y = reduction_cell(&mut g, "cell_stem_0", right, previous);
        g.tap("cell_stem_0", y);
        let mut x = g.relu(y);
        let narrow = Conv::new(self.width / 2, 1);
        let right = conv_norm(&mut g, "cell_stem_1.conv_1x1", x, narrow);
        let left = factorized(&mut g, "cell_stem_1", previous, self.width / 2);
        let left = g.relu(left);
        let y = reduction_cell(&mut g, "cell_stem_1", right, left);
        g.tap("cell_stem_1", y);
        (previous, x) = (x, g.relu(y));

        for part in 0..3 {
            let width = Conv::new(self.width << part, 1);
            if part == 0 {
                g.stage("cell_0");
            } else {
                let name = format!("reduction_cell_{}", part - 1);
                g.stage(&name);
                let right = conv_norm(&mut g, &format!("{name}.conv_1x1"), x, width.clone());
                let prev = format!("{name}.conv_prev_1x1");
                let left = conv_norm(&mut g, &prev, previous, width.clone());
                let left = g.relu(left);
                let y = reduction_cell(&mut g, &name, right, left);
                // `previous` stays: the next cell takes it, too.
                x = g.relu(y);
            }
            for cell in 0..self.cells {
                let name = format!("cell_{}", part * self.cells + cell);
                let left = if cell == 0 {
                    factorized(&mut g, &name, previous, width.output)
                } else {
                    let prev = format!("{name}.conv_prev_1x1");
                    conv_norm(&mut g, &prev, previous, width.clone())
                };
                let right = conv_norm(&mut g, &format!("{name}.conv_1x1"), x, width.clone());
                let y = normal_cell(&mut g, &name, right, left);
                if cell + 1 == self.cells {
                    g.tap(&name, y);
                }
                (previous, x) = (x, g.relu(y));
            }
        }
        g.global_avg_pool(x, "global_pool");
        g.finish()
    }
}

/// The first convolution and its norm.
pub(super) fn stem(g: &mut Builder, name: &str, images: Value) -> Value {
    conv_norm(g, name, images, Conv::new(STEM, 3).stride(2).padding(0))
}

/// A convolution `NAME.conv` and its norm `NAME.bn`.
pub(super) fn conv_norm(g: &mut Builder, name: &str, x: Value, conv: Conv) -> Value {
    let x = g.conv(x, &format!("{name}.conv"), conv);
    g.norm(x, &format!("{name}.bn"))
}

/// Half the edge without a pixel left out: one path takes the pixels in even rows and columns, the other those in odd
/// ones.
pub(super) fn factorized(g: &mut Builder, name: &str, x: Value, output: usize) -> Value {
    let every_other = || Conv::new(output / 2, 1).stride(2);
    let even = g.conv(x, &format!("{name}.path_1.conv"), every_other());
    let shifted = g.pad(x, [-1, -1, 1, 1]);
    let odd = g.conv(shifted, &format!("{name}.path_2.conv"), every_other());
    let both = g.concat(&[even, odd]);
    g.norm(both, &format!("{name}.final_path_bn"))
}

/// `norm(separable(relu(norm(separable(x)))))`; the stride is the first one's. A `ReLU` has been before.
pub(super) fn separables(
    g: &mut Builder,
    name: &str,
    x: Value,
    output: usize,
    [kernel, stride]: [usize; 2],
) -> Value {
    let mut y = x;
    for (number, stride) in [(1, stride), (2, 1)] {
        if number > 1 {
            y = g.relu(y);
        }
        let separable = format!("{name}.separable_{number}");
        let depthwise = Conv::new(y.channels, kernel)
            .stride(stride)
            .groups(y.channels);
        y = g.conv(
            y,
            &format!("{separable}.depthwise_conv2d"),
            depthwise.same(),
        );
        let pointwise = format!("{separable}.pointwise_conv2d");
        y = g.conv(y, &pointwise, Conv::new(output, 1));
        y = g.norm(y, &format!("{name}.bn_sep_{number}"));
    }
    y
}

/// The mean of 3x3 of the image's own pixels.
fn mean(g: &mut Builder, name: &str, x: Value) -> Value {
    g.avg_pool(x, name, Pool::new(3, 1, 1).without_padding_in_mean())
}

/// A cell on planes of one size; `right` comes from the cell before, `left` from the one before that.
fn normal_cell(g: &mut Builder, name: &str, right: Value, left: Value) -> Value {
    let part = |part: &str| format!("{name}.comb_iter_{part}");
    let width = right.channels;
    let (relu_right, relu_left) = (g.relu(right), g.relu(left));
    let mut separables = |part: String, x, kernel| separables(g, &part, x, width, [kernel, 1]);
    let a = separables(part("0_left"), relu_right, 5);
    let b = separables(part("0_right"), relu_left, 3);
    let c = separables(part("1_left"), relu_left, 5);
    let d = separables(part("1_right"), relu_left, 3);
    let e = separables(part("4_left"), relu_right, 3);
    let mean_right = mean(g, &part("2_left"), right);
    // Both sides of this pair are the same.
    let mean_left = mean(g, &part("3_left"), left);
    let pairs = [
        left,
        g.add(a, b),
        g.add(c, d),
        g.add(mean_right, left),
        g.multiply(mean_left, 2.0),
        g.add(e, right),
    ];
    g.concat(&pairs)
}

/// A cell to half the edge; of what comes from the cell before the last, `left`, it takes the `ReLU` only.
fn reduction_cell(g: &mut Builder, name: &str, right: Value, left: Value) -> Value {
    let part = |part: &str| format!("{name}.comb_iter_{part}");
    let width = right.channels;
    let halving = Pool::new(3, 2, 0).same();
    let relu_right = g.relu(right);
    let a = separables(g, &part("0_left"), relu_right, width, [5, 2]);
    let b = separables(g, &part("0_right"), left, width, [7, 2]);
    let first = g.add(a, b);
    let largest = g.max_pool(right, &part("1_left"), halving);
    let b = separables(g, &part("1_right"), left, width, [7, 2]);
    let second = g.add(largest, b);
    let a = g.avg_pool(right, &part("2_left"), halving);
    let b = separables(g, &part("2_right"), left, width, [5, 2]);
    let third = g.add(a, b);
    let b = mean(g, &part("3_right"), first);
    let fourth = g.add(b, second);
    let relu_first = g.relu(first);
    let a = separables(g, &part("4_left"), relu_first, width, [3, 1]);
    let fifth = g.add(a, largest);
    g.concat(&[second, third, fourth, fifth])
}
