//! `ResNet`s: blocks of two or three convolutions, each with a shortcut past it.
//!
//! torchvision's V1.5: in a bottleneck the stride sits in the 3x3 convolution, not in the first 1x1.
//! Sources: He et al. 2015 (arXiv:1512.03385; its plain nets, too, which have no shortcuts), Zagoruyko and Komodakis
//! 2016 (wide, arXiv:1605.07146), Xie et al. 2017 (grouped, arXiv:1611.05431).

use super::scaling::{deepened, widened};
use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Pool};

/// What tells one member of the family from another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResNet {
    /// Whether blocks are 1x1, 3x3, 1x1, the output four times as wide; else they are two of 3x3.
    bottleneck: bool,
    /// Blocks in each of the four stages.
    blocks: [usize; 4],
    /// Groups of the 3x3 convolutions of a bottleneck.
    groups: usize,
    /// Channels that a group has in the first stage.
    width_per_group: usize,
    shortcuts: bool,
    /// Whether the stride of a bottleneck sits in the first 1x1 convolution.
    v1: bool,
    /// Channels and blocks over those above.
    scale: [f64; 2],
}

impl ResNet {
    /// Blocks of two 3x3 convolutions.
    #[must_use]
    pub const fn basic(blocks: [usize; 4]) -> Self {
        Self {
            bottleneck: false,
            blocks,
            groups: 1,
            width_per_group: 64,
            shortcuts: true,
            v1: false,
            scale: [1.0; 2],
        }
    }

    /// Blocks of 1x1, 3x3 in so many groups, 1x1; a group has so many channels in the first stage.
    #[must_use]
    pub const fn bottleneck(blocks: [usize; 4], groups: usize, width_per_group: usize) -> Self {
        Self {
            bottleneck: true,
            groups,
            width_per_group,
            ..Self::basic(blocks)
        }
    }

    /// Without the shortcuts.
    #[must_use]
    pub const fn plain(mut self) -> Self {
        self.shortcuts = false;
        self
    }

    /// As the paper's own (V1): a bottleneck halves the edge in its first 1x1 convolution, so that its 3x3 one costs a
    /// quarter.
    #[must_use]
    pub const fn v1(mut self) -> Self {
        self.v1 = true;
        self
    }

    /// So many times as wide and as deep (Tan and Le 2019, arXiv:1905.11946, table 3).
    #[must_use]
    pub const fn scaled(mut self, width: f64, depth: f64) -> Self {
        self.scale = [width, depth];
        self
    }

    /// The network, with torchvision's names.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let [width, depth] = self.scale;
        let (mut g, images) = Builder::new("fc");
        let stem = Conv::new(widened(64, width), 7).stride(2);
        let x = g.conv(images, "conv1", stem);
        let x = g.norm(x, "bn1");
        let x = g.relu(x);
        let mut x = g.max_pool(x, "maxpool", Pool::new(3, 2, 1));
        g.tap("maxpool", x);
        for (stage, blocks) in self.blocks.into_iter().enumerate() {
            let layer = format!("layer{}", stage + 1);
            g.stage(&layer);
            for block in 0..deepened(blocks, depth) {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let channels = widened(64 << stage, width);
                x = self.block(&mut g, &format!("{layer}.{block}"), x, channels, stride);
            }
            g.tap(&layer, x);
        }
        g.global_avg_pool(x, "avgpool");
        g.finish()
    }

    /// `relu(convs(x) + (downsample(x) or x))`, `ReLU` after every convolution but the last.
    fn block(
        &self,
        g: &mut Builder,
        name: &str,
        x: Value,
        channels: usize,
        stride: usize,
    ) -> Value {
        let convs = if self.bottleneck {
            let inner = (channels * self.width_per_group / 64).max(1) * self.groups;
            let [first, second] = if self.v1 { [stride, 1] } else { [1, stride] };
            vec![
                Conv::new(inner, 1).stride(first),
                Conv::new(inner, 3).stride(second).groups(self.groups),
                Conv::new(4 * channels, 1),
            ]
        } else {
            vec![
                Conv::new(channels, 3).stride(stride),
                Conv::new(channels, 3),
            ]
        };
        let last = convs.len();
        let mut y = x;
        for (number, conv) in (1..).zip(convs) {
            y = g.conv(y, &format!("{name}.conv{number}"), conv);
            let norm = format!("{name}.bn{number}");
            y = if number == last && self.shortcuts {
                g.zero_norm(y, &norm)
            } else {
                g.norm(y, &norm)
            };
            if number < last {
                y = g.relu(y);
            }
        }
        if self.shortcuts {
            let shortcut = if stride != 1 || x.channels != y.channels {
                let conv = Conv::new(y.channels, 1).stride(stride);
                let x = g.conv(x, &format!("{name}.downsample.0"), conv);
                g.norm(x, &format!("{name}.downsample.1"))
            } else {
                x
            };
            y = g.add(y, shortcut);
        }
        g.relu(y)
    }
}
