//! `SENet-154`: a grouped `ResNet` of 152 layers whose blocks weigh their channels by squeeze and excitation.
//!
//! Unlike a bottleneck of `ResNeXt` the first 1x1 convolution has half the width of the 3x3 one, the shortcuts that
//! halve the edge are 3x3, and the stem is three 3x3 convolutions. Source: Hu et al. 2017 (arXiv:1709.01507), section 6.4
//! and its appendix.

use crate::network::builder::{Builder, Value};
use crate::network::graph::{Activation, Conv, Graph, Pool};

/// Groups of the 3x3 convolutions.
const GROUPS: usize = 64;

/// Channels over those between squeeze and excitation.
const REDUCTION: usize = 16;

/// What tells one member of the family from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeNet {
    /// Blocks in each of the four stages.
    blocks: [usize; 4],
}

impl SeNet {
    /// Of so many blocks.
    #[must_use]
    pub const fn new(blocks: [usize; 4]) -> Self {
        Self { blocks }
    }

    /// The network, with timm's names.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (mut g, images) = Builder::new("last_linear");
        let mut x = images;
        for (number, width, stride) in [(1, 64, 2), (2, 64, 1), (3, 128, 1)] {
            let conv = Conv::new(width, 3).stride(stride);
            x = g.conv(x, &format!("layer0.conv{number}"), conv);
            x = g.norm(x, &format!("layer0.bn{number}"));
            x = g.relu(x);
        }
        x = g.max_pool(x, "pool0", Pool::new(3, 2, 0).ceil());
        g.tap("pool0", x);
        for (stage, blocks) in self.blocks.into_iter().enumerate() {
            let layer = format!("layer{}", stage + 1);
            g.stage(&layer);
            for number in 0..blocks {
                let stride = if stage > 0 && number == 0 { 2 } else { 1 };
                x = block(
                    &mut g,
                    &format!("{layer}.{number}"),
                    x,
                    256 << stage,
                    stride,
                );
            }
            g.tap(&layer, x);
        }
        g.global_avg_pool(x, "global_pool");
        g.finish()
    }
}

/// `relu(excited(convs(x)) + (downsample(x) or x))`, `ReLU` after every convolution but the last.
fn block(g: &mut Builder, name: &str, x: Value, channels: usize, stride: usize) -> Value {
    let convs = [
        Conv::new(channels / 2, 1),
        Conv::new(channels, 3).stride(stride).groups(GROUPS),
        Conv::new(channels, 1),
    ];
    let last = convs.len();
    let mut y = x;
    for (number, conv) in (1..).zip(convs) {
        y = g.conv(y, &format!("{name}.conv{number}"), conv);
        y = g.norm(y, &format!("{name}.bn{number}"));
        if number < last {
            y = g.relu(y);
        }
    }
    y = excited(g, &format!("{name}.se_module"), y);
    let shortcut = if stride != 1 || x.channels != channels {
        let kernel = if stride == 1 { 1 } else { 3 };
        let conv = Conv::new(channels, kernel).stride(stride);
        let shortcut = g.conv(x, &format!("{name}.downsample.0"), conv);
        g.norm(shortcut, &format!("{name}.downsample.1"))
    } else {
        x
    };
    y = g.add(y, shortcut);
    g.relu(y)
}

/// Each plane times a factor between 0 and 1 that follows from the means of all.
fn excited(g: &mut Builder, name: &str, x: Value) -> Value {
    let y = g.global_avg_pool(x, "");
    let squeezed = Conv::new(x.channels / REDUCTION, 1).bias();
    let y = g.conv(y, &format!("{name}.fc1"), squeezed);
    let y = g.relu(y);
    let y = g.conv(y, &format!("{name}.fc2"), Conv::new(x.channels, 1).bias());
    let factors = g.activation(y, Activation::Sigmoid);
    g.scale(x, factors)
}
