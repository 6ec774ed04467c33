//! `DenseNet`s: every layer sees what all the layers before it in its block have made, side by side, and adds a few
//! channels of its own.
//!
//! Here the norm stands before the convolution. Source: Huang et al. 2016 (arXiv:1608.06993), the variant BC
//! (bottleneck, compression by half).

use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Pool};

/// Width of the 1x1 convolution before the 3x3 one, over the growth.
const BOTTLENECK: usize = 4;

/// What tells one member of the family from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DenseNet {
    /// Channels after the stem.
    stem: usize,
    /// Channels that a layer adds (k in the paper).
    growth: usize,
    /// Layers in each of the four blocks.
    layers: [usize; 4],
}

impl DenseNet {
    /// Growth 32 after a stem of 64 channels.
    #[must_use]
    pub const fn new(layers: [usize; 4]) -> Self {
        Self {
            stem: 64,
            growth: 32,
            layers,
        }
    }

    /// Of another growth, after a stem of twice as many channels.
    #[must_use]
    pub const fn growth(mut self, growth: usize) -> Self {
        self.growth = growth;
        self.stem = 2 * growth;
        self
    }

    /// The network, with torchvision's names.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (mut g, images) = Builder::new("classifier");
        let x = g.conv(images, "features.conv0", Conv::new(self.stem, 7).stride(2));
        let x = g.norm(x, "features.norm0");
        let x = g.relu(x);
        let mut x = g.max_pool(x, "features.pool0", Pool::new(3, 2, 1));
        g.tap("pool0", x);
        for (number, layers) in (1..).zip(self.layers) {
            let block = format!("denseblock{number}");
            g.stage(&block);
            for layer in 1..=layers {
                x = self.layer(&mut g, &format!("features.{block}.denselayer{layer}"), x);
            }
            g.tap(&block, x);
            if number < self.layers.len() {
                x = transition(&mut g, &format!("features.transition{number}"), x);
            }
        }
        let x = g.norm(x, "features.norm5");
        g.tap("norm5", x);
        let x = g.relu(x);
        g.global_avg_pool(x, "avgpool");
        g.finish()
    }

    /// `conv2(relu(norm2(conv1(relu(norm1(x))))))` beside `x`.
    fn layer(&self, g: &mut Builder, name: &str, x: Value) -> Value {
        let y = g.norm(x, &format!("{name}.norm1"));
        let y = g.relu(y);
        let squeeze = Conv::new(BOTTLENECK * self.growth, 1);
        let y = g.conv(y, &format!("{name}.conv1"), squeeze);
        let y = g.norm(y, &format!("{name}.norm2"));
        let y = g.relu(y);
        let y = g.conv(y, &format!("{name}.conv2"), Conv::new(self.growth, 3));
        g.concat(&[x, y])
    }
}

/// To half the channels and half the edge.
fn transition(g: &mut Builder, name: &str, x: Value) -> Value {
    let y = g.norm(x, &format!("{name}.norm"));
    let y = g.relu(y);
    let y = g.conv(y, &format!("{name}.conv"), Conv::new(x.channels / 2, 1));
    g.avg_pool(y, &format!("{name}.pool"), Pool::new(2, 2, 0))
}
