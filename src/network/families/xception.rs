//! `Xception`: convolutions taken apart into one that sees each plane by itself and one that sees each pixel by itself,
//! in blocks with shortcuts.
//!
//! Source: Chollet 2016 (arXiv:1610.02357), figure 5. Norms have torch's epsilon, as timm's.

use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Pool};

/// Channels behind each convolution of the blocks, from block 1 on.
const BLOCKS: [&[usize]; 12] = [
    &[128, 128],
    &[256, 256],
    &[728, 728],
    &[728; 3],
    &[728; 3],
    &[728; 3],
    &[728; 3],
    &[728; 3],
    &[728; 3],
    &[728; 3],
    &[728; 3],
    &[728, 1024],
];

/// Blocks that begin a stage: those to half the edge, and the middle of the long row on planes of one size.
const STAGES: [usize; 5] = [1, 2, 3, 8, 12];

/// Blocks whose output has a name of its own.
const TAPS: [usize; 5] = [1, 2, 7, 11, 12];

/// The network; there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Xception;

impl Xception {
    /// The network, with timm's names.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (mut g, images) = Builder::new("fc");
        let mut x = g.conv(images, "conv1", Conv::new(32, 3).stride(2).padding(0));
        x = g.norm(x, "bn1");
        x = g.relu(x);
        x = g.conv(x, "conv2", Conv::new(64, 3).padding(0));
        x = g.norm(x, "bn2");
        x = g.relu(x);
        for (number, widths) in (1..).zip(BLOCKS) {
            let name = format!("block{number}");
            if STAGES.contains(&number) {
                g.stage(&name);
            }
            x = block(&mut g, &name, x, widths, number > 1);
            if TAPS.contains(&number) {
                g.tap(&name, x);
            }
        }
        for (number, width) in [(3, 1536), (4, 2048)] {
            x = separable(&mut g, &format!("conv{number}"), x, width);
            x = g.norm(x, &format!("bn{number}"));
            x = g.relu(x);
        }
        g.global_avg_pool(x, "global_pool");
        g.finish()
    }
}

/// `norm(separable(relu(x)))` so often, plus the shortcut, which begins before the first `ReLU`. Where the channels
/// change, the edge is halved: by a pool here and by the stride of a convolution in the shortcut. The steps are
/// numbered, the `ReLU`s too.
fn block(g: &mut Builder, name: &str, x: Value, widths: &[usize], relu_first: bool) -> Value {
    let mut y = x;
    for (at, width) in widths.iter().enumerate() {
        if at > 0 || relu_first {
            y = g.relu(y);
        }
        let step = 3 * at + usize::from(relu_first);
        y = separable(g, &format!("{name}.rep.{step}"), y, *width);
        y = g.norm(y, &format!("{name}.rep.{}", step + 1));
    }
    if y.channels == x.channels {
        return g.add(y, x);
    }
    let step = 3 * widths.len() - usize::from(!relu_first);
    y = g.max_pool(y, &format!("{name}.rep.{step}"), Pool::new(3, 2, 1));
    let halved = Conv::new(y.channels, 1).stride(2);
    let shortcut = g.conv(x, &format!("{name}.skip"), halved);
    let shortcut = g.norm(shortcut, &format!("{name}.skipbn"));
    g.add(y, shortcut)
}

/// 3x3 on each plane, then 1x1 across them.
fn separable(g: &mut Builder, name: &str, x: Value, output: usize) -> Value {
    let depthwise = Conv::new(x.channels, 3).groups(x.channels);
    let y = g.conv(x, &format!("{name}.conv1"), depthwise);
    g.conv(y, &format!("{name}.pointwise"), Conv::new(output, 1))
}
