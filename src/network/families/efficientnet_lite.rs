//! `EfficientNet-Lite`: `EfficientNet` for small devices, without squeeze and excitation, with `ReLU6` instead of
//! `SiLU`, and with the first and the last layers of one size in all members.
//!
//! Source: Tan and Le 2019 (arXiv:1905.11946) and its authors' code for the lite members, with TensorFlow's padding and
//! norms.

use super::efficientnet::{ROWS, STEM, STOCHASTIC_DEPTH};
use super::scaling::{deepened, widened};
use crate::network::builder::{Builder, Value};
use crate::network::graph::{Activation, Conv, Graph};

/// Channels of the last convolution.
const HEAD: usize = 1280;

/// Of the batch norms: epsilon and momentum.
const NORMS: [f64; 2] = [1e-3, 1e-2];

/// What tells one member of the family from another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EfficientNetLite {
    width: f64,
    depth: f64,
}

impl EfficientNetLite {
    /// So many times as wide and as deep as lite0.
    #[must_use]
    pub const fn new(width: f64, depth: f64) -> Self {
        Self { width, depth }
    }

    /// So many times as wide and as deep, but for the first and the last layers.
    #[must_use]
    pub const fn scaled(mut self, width: f64, depth: f64) -> Self {
        self.width *= width;
        self.depth *= depth;
        self
    }

    /// The network, with timm's names. A stage is what stands on planes of one size.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (g, images) = Builder::new("classifier");
        let mut g = g.norms(NORMS[0], NORMS[1]);
        let x = g.conv(images, "conv_stem", Conv::new(STEM, 3).stride(2).same());
        let mut x = norm_relu6(&mut g, x, "bn1");
        let last = ROWS.len() - 1;
        let blocks = |at: usize| match ROWS[at][4] {
            blocks if at == 0 || at == last => blocks,
            blocks => deepened(blocks, self.depth),
        };
        let total: usize = (0..ROWS.len()).map(blocks).sum();
        let mut before = 0;
        for (at, row) in ROWS.iter().enumerate() {
            let name = format!("blocks.{at}");
            let [_, _, stride, ..] = *row;
            if at == 0 || (stride == 2 && at > 1) {
                g.stage(&name);
            }
            for block in 0..blocks(at) {
                let chance = STOCHASTIC_DEPTH * before as f64 / total as f64;
                let stride = if block == 0 { stride } else { 1 };
                x = self.block(&mut g, &format!("{name}.{block}"), x, row, stride, chance);
                before += 1;
            }
            g.tap(&name, x);
        }
        let x = g.conv(x, "conv_head", Conv::new(HEAD, 1));
        let x = norm_relu6(&mut g, x, "bn2");
        g.global_avg_pool(x, "global_pool");
        g.finish()
    }

    /// `project(depthwise(expand(x))) + x`, the sum only where shapes allow; `ReLU6` after `expand` and `depthwise`,
    /// nothing after `project`. The norms are numbered, `bn1` behind the first convolution.
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
        let output = widened(channels, self.width);
        let mut y = x;
        let (project, first) = if expansion == 1 {
            ("conv_pw", 1)
        } else {
            ("conv_pwl", 2)
        };
        if expansion != 1 {
            y = g.conv(y, &format!("{name}.conv_pw"), Conv::new(inner, 1));
            y = norm_relu6(g, y, &format!("{name}.bn1"));
        }
        let depthwise = Conv::new(inner, kernel).stride(stride).groups(inner);
        y = g.conv(y, &format!("{name}.conv_dw"), depthwise.same());
        y = norm_relu6(g, y, &format!("{name}.bn{first}"));
        y = g.conv(y, &format!("{name}.{project}"), Conv::new(output, 1));
        y = g.norm(y, &format!("{name}.bn{}", first + 1));
        if stride == 1 && x.channels == output {
            y = g.stochastic_depth(y, chance);
            y = g.add(y, x);
        }
        y
    }
}

/// A batch norm of that name, and `ReLU6`.
fn norm_relu6(g: &mut Builder, x: Value, name: &str) -> Value {
    let x = g.norm(x, name);
    g.activation(x, Activation::Relu6)
}
