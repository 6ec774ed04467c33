//! `MobileNetV2`: inverted residual blocks, narrow outside and wide inside, the wide convolution by channel.
//!
//! Source: Sandler et al. 2018 (arXiv:1801.04381).

use super::scaling::{deepened, widened};
use crate::network::builder::{Builder, Value};
use crate::network::graph::{Activation, Conv, Graph};

/// A row of the paper's table 2: channels inside a block over those that go in, channels, blocks, stride of the first
/// block.
const ROWS: [[usize; 4]; 7] = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
];

/// Channels after the stem.
const STEM: usize = 32;

/// Channels of the last convolution. A narrower network keeps them.
const HEAD: usize = 1280;

/// `MobileNetV2`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MobileNetV2 {
    /// Channels and blocks over those above.
    scale: [f64; 2],
}

impl MobileNetV2 {
    /// As in the paper.
    #[must_use]
    pub const fn new() -> Self {
        Self { scale: [1.0; 2] }
    }

    /// So many times as wide and as deep (Tan and Le 2019, arXiv:1905.11946, table 3).
    #[must_use]
    pub const fn scaled(mut self, width: f64, depth: f64) -> Self {
        self.scale = [width, depth];
        self
    }

    /// The network, with torchvision's names, in which the blocks are numbered through. A stage is what stands on planes
    /// of one size.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let [width, depth] = self.scale;
        let (g, images) = Builder::new("classifier.1");
        let mut g = g.sequence_head("classifier");
        let stem = Conv::new(widened(STEM, width), 3).stride(2);
        let mut x = relu6(&mut g, images, "features.0", stem);
        g.tap("features.0", x);
        let mut number = 1;
        for (at, [expansion, channels, blocks, stride]) in ROWS.into_iter().enumerate() {
            if at == 0 || (stride == 2 && at > 1) {
                g.stage(&format!("features.{number}"));
            }
            let channels = widened(channels, width);
            for block in 0..deepened(blocks, depth) {
                let name = format!("features.{number}.conv");
                let stride = if block == 0 { stride } else { 1 };
                x = inverted(&mut g, x, &name, expansion, channels, stride);
                number += 1;
            }
            let ends = ROWS.get(at + 1).is_none_or(|next| next[3] == 2);
            if ends && at > 0 {
                g.tap(&format!("features.{}", number - 1), x);
            }
        }
        let name = format!("features.{number}");
        let head = Conv::new(widened(HEAD, width.max(1.0)), 1);
        let x = relu6(&mut g, x, &name, head);
        g.tap(&name, x);
        g.global_avg_pool(x, "avgpool");
        g.finish()
    }
}

impl Default for MobileNetV2 {
    fn default() -> Self {
        Self::new()
    }
}

/// `project(depthwise(expand(x))) + x`, the sum only where shapes allow; `ReLU6` after `expand` and `depthwise`, nothing
/// after `project`. The steps are numbered; without an expansion the numbers begin one later.
fn inverted(
    g: &mut Builder,
    x: Value,
    name: &str,
    expansion: usize,
    channels: usize,
    stride: usize,
) -> Value {
    let inner = x.channels * expansion;
    let mut y = x;
    let mut step = 0;
    if expansion != 1 {
        y = relu6(g, y, &format!("{name}.{step}"), Conv::new(inner, 1));
        step += 1;
    }
    let depthwise = Conv::new(inner, 3).stride(stride).groups(inner);
    y = relu6(g, y, &format!("{name}.{step}"), depthwise);
    y = g.conv(y, &format!("{name}.{}", step + 1), Conv::new(channels, 1));
    y = g.norm(y, &format!("{name}.{}", step + 2));
    if stride == 1 && x.channels == channels {
        y = g.add(y, x);
    }
    y
}

/// A convolution `NAME.0`, its norm `NAME.1`, and `ReLU6`.
fn relu6(g: &mut Builder, x: Value, name: &str, conv: Conv) -> Value {
    let x = g.conv(x, &format!("{name}.0"), conv);
    let x = g.norm(x, &format!("{name}.1"));
    g.activation(x, Activation::Relu6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_network_is_torchvisions_of_that_width() {
        // torchvision.models.mobilenet_v2(width_mult=width): parameters without the classifier, last_channel.
        for (width, parameters, features) in [(1.4, 4_315_776, 1792), (0.5, 687_680, 1280)] {
            let graph = MobileNetV2::new().scaled(width, 1.0).graph();
            let ours: u64 = graph.nodes.iter().map(|node| node.parameters()).sum();
            assert_eq!((ours, graph.features()), (parameters, features), "{width}");
        }
    }

    #[test]
    fn a_deeper_network_has_more_blocks_in_as_many_stages() {
        let [base, deep] = [1.0, 1.2].map(|depth| MobileNetV2::new().scaled(1.0, depth).graph());
        // Rows of 1, 2, 3, 4, 3, 3 and 1 blocks become 2, 3, 4, 5, 4, 4 and 2; the stem and the head are two more.
        assert_eq!(base.taps.last().unwrap().0, "features.18");
        assert_eq!(deep.taps.last().unwrap().0, "features.25");
        assert_eq!(base.stage_count(), deep.stage_count());
        assert!(deep.shapes([224; 2]).is_ok());
    }
}
