//! `LeNet-5`: three convolutions and two linear layers, for digits of 32 pixels.
//!
//! Source: LeCun et al. 1998 (Gradient-based learning applied to document recognition). Unlike the paper's, the images
//! have three channels; every map of the second convolution sees all maps before it, not some; the pools are plain
//! means, without a coefficient and a bias to train, and no squashing behind them; the hyperbolic tangent is not
//! stretched; and the output is a linear layer, not distances to patterns.

use crate::network::builder::Builder;
use crate::network::graph::{Activation, Conv, Graph, Pool};

/// `LeNet-5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeNet5;

impl LeNet5 {
    /// The network. Images of 32 pixels give planes of 28, 14, 10, 5 and 1; of larger ones the last are averaged. Each
    /// layer with weights is a stage, with the pool behind it; there is no stem.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (mut g, mut x) = Builder::new("fc");
        for (number, channels) in [(1, 6), (2, 16)] {
            let name = format!("conv{number}");
            g.stage(&name);
            x = g.conv(x, &name, Conv::new(channels, 5).padding(0).bias());
            x = g.activation(x, Activation::Tanh);
            let pool = format!("pool{number}");
            x = g.avg_pool(x, &pool, Pool::new(2, 2, 0));
            g.tap(&pool, x);
        }
        g.stage("conv3");
        let x = g.conv(x, "conv3", Conv::new(120, 5).padding(0).bias());
        g.tap("conv3", x);
        let x = g.activation(x, Activation::Tanh);
        let x = g.global_avg_pool(x, "avgpool");
        g.stage("fc1");
        let x = g.linear(x, "fc1", 84);
        g.activation(x, Activation::Tanh);
        g.finish()
    }
}
