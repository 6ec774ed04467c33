//! `GoogLeNet`: modules of four branches side by side, with windows of different sizes.
//!
//! Source: Szegedy et al. 2014 (arXiv:1409.4842), without its auxiliary classifiers. torchvision's: with batch norms
//! (Ioffe and Szegedy 2015, arXiv:1502.03167) instead of response norms, and 3x3 where the paper has 5x5.

use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Pool};

/// A module: its letter, and the channels of its branches: the 1x1; the 3x3 and what is before it; the second 3x3 and
/// what is before it; what is behind the pool.
type Module = (&'static str, [usize; 6]);

/// The three stages: their modules, and the kernel of the pool behind the last of these.
const STAGES: [(&[Module], Option<usize>); 3] = [
    (
        &[
            ("a", [64, 96, 128, 16, 32, 32]),
            ("b", [128, 128, 192, 32, 96, 64]),
        ],
        Some(3),
    ),
    (
        &[
            ("a", [192, 96, 208, 16, 48, 64]),
            ("b", [160, 112, 224, 24, 64, 64]),
            ("c", [128, 128, 256, 24, 64, 64]),
            ("d", [112, 144, 288, 32, 64, 64]),
            ("e", [256, 160, 320, 32, 128, 128]),
        ],
        Some(2),
    ),
    (
        &[
            ("a", [256, 160, 320, 32, 128, 128]),
            ("b", [384, 192, 384, 48, 128, 128]),
        ],
        None,
    ),
];

/// What is added to a variance in the batch norms.
const EPSILON: f64 = 1e-3;

/// `GoogLeNet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoogLeNet;

impl GoogLeNet {
    /// The network, with torchvision's names. A stage is the modules on planes of one size, and the pool behind them.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (g, images) = Builder::new("fc");
        let mut g = g.norms(EPSILON, 0.1);
        let pool = |kernel| Pool::new(kernel, 2, 0).ceil();
        let x = conv(&mut g, images, "conv1", Conv::new(64, 7).stride(2));
        let x = g.max_pool(x, "maxpool1", pool(3));
        let x = conv(&mut g, x, "conv2", Conv::new(64, 1));
        let x = conv(&mut g, x, "conv3", Conv::new(192, 3));
        let mut x = g.max_pool(x, "maxpool2", pool(3));
        g.tap("maxpool2", x);
        for (number, (modules, kernel)) in (3..).zip(STAGES) {
            let stage = format!("inception{number}");
            g.stage(&stage);
            let mut last = String::new();
            for (letter, channels) in modules {
                last = format!("{stage}{letter}");
                x = inception(&mut g, x, &last, *channels);
            }
            if let Some(kernel) = kernel {
                last = format!("maxpool{number}");
                x = g.max_pool(x, &last, pool(kernel));
            }
            g.tap(&last, x);
        }
        g.global_avg_pool(x, "avgpool");
        g.finish()
    }
}

/// Four branches side by side: 1x1; 1x1 and 3x3; the same again; a pool and 1x1.
fn inception(g: &mut Builder, x: Value, name: &str, channels: [usize; 6]) -> Value {
    let [one, before_three, three, before_five, five, pooled] = channels;
    let branch = |n: &str| format!("{name}.branch{n}");
    let first = conv(g, x, &branch("1"), Conv::new(one, 1));
    let second = conv(g, x, &branch("2.0"), Conv::new(before_three, 1));
    let second = conv(g, second, &branch("2.1"), Conv::new(three, 3));
    let third = conv(g, x, &branch("3.0"), Conv::new(before_five, 1));
    let third = conv(g, third, &branch("3.1"), Conv::new(five, 3));
    let fourth = g.max_pool(x, &branch("4.0"), Pool::new(3, 1, 1).ceil());
    let fourth = conv(g, fourth, &branch("4.1"), Conv::new(pooled, 1));
    g.concat(&[first, second, third, fourth])
}

/// A convolution `NAME.conv`, its norm `NAME.bn`, and `ReLU`.
pub(super) fn conv(g: &mut Builder, x: Value, name: &str, conv: Conv) -> Value {
    let x = g.conv(x, &format!("{name}.conv"), conv);
    let x = g.norm(x, &format!("{name}.bn"));
    g.relu(x)
}
