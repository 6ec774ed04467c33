//! `EfficientNet`s: inverted residual blocks with squeeze and excitation, scaled together in width, depth and
//! resolution.
//!
//! Source: Tan and Le 2019 (arXiv:1905.11946).

use super::scaling::{deepened, widened};
use crate::network::builder::{Builder, EPSILON, Value};
use crate::network::graph::{Activation, Conv, Graph};

/// A row of the paper's table 1, for b0: channels inside a block over those that go in, kernel, stride of the first
/// block, channels, blocks.
pub(super) const ROWS: [[usize; 5]; 7] = [
    [1, 3, 1, 16, 1],
    [6, 3, 2, 24, 2],
    [6, 5, 2, 40, 2],
    [6, 3, 2, 80, 3],
    [6, 5, 1, 112, 3],
    [6, 5, 2, 192, 4],
    [6, 3, 1, 320, 1],
];

/// Channels after the stem of b0.
pub(super) const STEM: usize = 32;

/// The last convolution's width over that of the last row.
const HEAD: usize = 4;

/// Probability with which the last block of all is left out in training; the first is never, between them it rises
/// evenly.
pub(super) const STOCHASTIC_DEPTH: f64 = 0.2;

/// What tells one member of the family from another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EfficientNet {
    width: f64,
    depth: f64,
    /// Of the batch norms: epsilon and momentum.
    norms: [f64; 2],
}

impl EfficientNet {
    /// So many times as wide and as deep as b0.
    #[must_use]
    pub const fn new(width: f64, depth: f64) -> Self {
        Self {
            width,
            depth,
            norms: [EPSILON, 0.1],
        }
    }

    /// So many times as wide and as deep.
    #[must_use]
    pub const fn scaled(mut self, width: f64, depth: f64) -> Self {
        self.width *= width;
        self.depth *= depth;
        self
    }

    /// With the norms that TensorFlow has, as torchvision's from b5 on.
    #[must_use]
    pub const fn tensorflow_norms(mut self) -> Self {
        self.norms = [1e-3, 1e-2];
        self
    }

    /// The network, with torchvision's names. A stage is what stands on planes of one size.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (g, images) = Builder::new("classifier.1");
        let mut g = g
            .sequence_head("classifier")
            .norms(self.norms[0], self.norms[1]);
        let stem = Conv::new(widened(STEM, self.width), 3).stride(2);
        let mut x = silu(&mut g, images, "features.0", stem);
        g.tap("features.0", x);
        let blocks = |row: &[usize; 5]| deepened(row[4], self.depth);
        let total: usize = ROWS.iter().map(blocks).sum();
        let mut before = 0;
        for (number, row) in (1..).zip(&ROWS) {
            let [_, _, stride, ..] = *row;
            if number == 1 || (stride == 2 && number > 2) {
                g.stage(&format!("features.{number}"));
            }
            for block in 0..blocks(row) {
                let name = format!("features.{number}.{block}.block");
                let chance = STOCHASTIC_DEPTH * before as f64 / total as f64;
                let stride = if block == 0 { stride } else { 1 };
                x = self.block(&mut g, &name, x, row, stride, chance);
                before += 1;
            }
            g.tap(&format!("features.{number}"), x);
        }
        let name = format!("features.{}", ROWS.len() + 1);
        let head = Conv::new(HEAD * x.channels, 1);
        let x = silu(&mut g, x, &name, head);
        g.tap(&name, x);
        g.global_avg_pool(x, "avgpool");
        g.finish()
    }

    /// `project(excited(depthwise(expand(x)))) + x`, the sum only where shapes allow; `SiLU` after `expand` and
    /// `depthwise`, nothing after `project`. The steps are numbered; without an expansion the numbers begin one later.
    fn block(
        &self,
        g: &mut Builder,
        name: &str,
        x: Value,
        &[expansion, kernel, _, channels, _]: &[usize; 5],
        stride: usize,
        chance: f64,
    ) -> Value {
        let inner = x.channels * expansion;
        let mut steps = (0..).map(|n| format!("{name}.{n}"));
        let mut step = || steps.next().unwrap_or_default();
        let mut y = x;
        if inner != x.channels {
            y = silu(g, y, &step(), Conv::new(inner, 1));
        }
        let depthwise = Conv::new(inner, kernel).stride(stride).groups(inner);
        y = silu(g, y, &step(), depthwise);
        y = excited(g, y, &step(), (x.channels / 4).max(1));
        let output = widened(channels, self.width);
        y = conv_norm(g, y, &step(), Conv::new(output, 1));
        if stride == 1 && x.channels == output {
            y = g.stochastic_depth(y, chance);
            y = g.add(y, x);
        }
        y
    }
}

/// A convolution `NAME.0` and its norm `NAME.1`.
fn conv_norm(g: &mut Builder, x: Value, name: &str, conv: Conv) -> Value {
    let x = g.conv(x, &format!("{name}.0"), conv);
    g.norm(x, &format!("{name}.1"))
}

/// The same and `SiLU`.
fn silu(g: &mut Builder, x: Value, name: &str, conv: Conv) -> Value {
    let x = conv_norm(g, x, name, conv);
    g.activation(x, Activation::Silu)
}

/// Squeeze and excitation: each plane times a factor between 0 and 1 that follows from the means of all (Hu et al. 2017,
/// arXiv:1709.01507).
fn excited(g: &mut Builder, x: Value, name: &str, squeezed: usize) -> Value {
    let means = g.global_avg_pool(x, "");
    let y = g.conv(means, &format!("{name}.fc1"), Conv::new(squeezed, 1).bias());
    let y = g.activation(y, Activation::Silu);
    let y = g.conv(y, &format!("{name}.fc2"), Conv::new(x.channels, 1).bias());
    let factors = g.activation(y, Activation::Sigmoid);
    g.scale(x, factors)
}
