//! `VGG`s: nothing but 3x3 convolutions in five groups with a pool behind each, and a classifier of wide linear layers.
//!
//! Source: Simonyan and Zisserman 2014 (arXiv:1409.1556), its configurations D (16 layers) and E (19); the variants with
//! a batch norm behind each convolution are torchvision's.

use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Pool};

/// Channels of the five groups.
const CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

/// Edge of the planes that the classifier takes.
const EDGE: usize = 7;

/// Width of the classifier's hidden layers.
pub(super) const HIDDEN: usize = 4096;

/// Share of their values that a training zeroes.
pub(super) const DROPOUT: f64 = 0.5;

/// What tells one member of the family from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vgg {
    /// Convolutions in each of the five groups.
    convs: [usize; 5],
    /// Whether a batch norm follows each convolution.
    norms: bool,
}

impl Vgg {
    /// So many convolutions in each group.
    #[must_use]
    pub const fn new(convs: [usize; 5]) -> Self {
        Self {
            convs,
            norms: false,
        }
    }

    /// With a batch norm behind each convolution.
    #[must_use]
    pub const fn norms(mut self) -> Self {
        self.norms = true;
        self
    }

    /// The network, with torchvision's names, in which layers are numbered through, those without weights too:
    /// `features.N` up to the last pool, `classifier.N` behind it. The stages are the groups, and the hidden layers as
    /// the last; there is no stem.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (mut g, mut x) = Builder::new("classifier.6");
        let mut number = 0;
        for (group, (convs, channels)) in (1..).zip(self.convs.into_iter().zip(CHANNELS)) {
            let block = format!("block{group}");
            g.stage(&block);
            for _ in 0..convs {
                let conv = Conv::new(channels, 3).bias();
                x = g.conv(x, &format!("features.{number}"), conv);
                number += 1;
                if self.norms {
                    x = g.norm(x, &format!("features.{number}"));
                    number += 1;
                }
                x = g.relu(x);
                number += 1;
            }
            x = g.max_pool(x, &format!("features.{number}"), Pool::new(2, 2, 0));
            number += 1;
            g.tap(&block, x);
        }
        g.stage("classifier");
        hidden_layers(&mut g, x, EDGE, ["classifier.0", "classifier.3"]);
        g.finish()
    }
}

/// Two linear layers of these names on planes of `edge` by `edge`, each with `ReLU` and dropout behind it.
pub(super) fn hidden_layers(g: &mut Builder, x: Value, edge: usize, names: [&str; 2]) {
    let mut x = flattened(g, x, edge);
    for name in names {
        x = g.linear(x, name, HIDDEN);
        x = g.relu(x);
        x = g.dropout(x, DROPOUT);
    }
}

/// Planes of any size to `edge` by `edge`, and those to one vector.
pub(super) fn flattened(g: &mut Builder, x: Value, edge: usize) -> Value {
    let x = g.adaptive_avg_pool(x, "avgpool", [edge; 2]);
    g.flatten(x, [edge; 2])
}
