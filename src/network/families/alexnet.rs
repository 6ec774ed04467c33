//! `AlexNet`, and `ZFNet`, which is the same with a finer first layer: five convolutions, and a classifier of wide linear
//! layers.
//!
//! Sources: Krizhevsky 2014 (arXiv:1404.5997), which is Krizhevsky et al. 2012 in one column, for one GPU, and without
//! the response norms; Zeiler and Fergus 2013 (arXiv:1311.2901).

use super::vgg::{DROPOUT, HIDDEN, flattened, hidden_layers};
use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Lrn, Pool};

/// Edge of the planes that the classifier takes.
const EDGE: usize = 6;

/// `AlexNet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlexNet;

impl AlexNet {
    /// The network, with torchvision's names. The stages are what stands between the pools, each with the pool behind
    /// it, and the hidden layers as the last; there is no stem.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (mut g, images) = Builder::new("classifier.6");
        let pool = Pool::new(3, 2, 0);
        g.stage("block1");
        let first = Conv::new(64, 11).stride(4).padding(2);
        let x = conv(&mut g, images, "features.0", first);
        let x = g.max_pool(x, "features.2", pool);
        g.tap("block1", x);
        g.stage("block2");
        let x = conv(&mut g, x, "features.3", Conv::new(192, 5));
        let x = g.max_pool(x, "features.5", pool);
        g.tap("block2", x);
        g.stage("block3");
        let x = conv(&mut g, x, "features.6", Conv::new(384, 3));
        let x = conv(&mut g, x, "features.8", Conv::new(256, 3));
        let x = conv(&mut g, x, "features.10", Conv::new(256, 3));
        let x = g.max_pool(x, "features.12", pool);
        g.tap("block3", x);
        g.stage("classifier");
        let mut x = flattened(&mut g, x, EDGE);
        for name in ["classifier.1", "classifier.4"] {
            x = g.dropout(x, DROPOUT);
            x = g.linear(x, name, HIDDEN);
            x = g.relu(x);
        }
        g.finish()
    }
}

/// `ZFNet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZfNet;

impl ZfNet {
    /// Its contrast norm's numbers. The paper names none; these are those of Krizhevsky et al. 2012, as Caffe and torch
    /// read them: alpha over the mean of the squares.
    const CONTRAST: Lrn = Lrn {
        size: 5,
        alpha: 1e-4,
        beta: 0.75,
        k: 2.0,
    };

    /// The network of the paper's figure 3. Images of 224 pixels give planes of 110 and, behind the pool, 55; 26 and
    /// 13; 13 and 6. What falls short of a whole window at the right and below counts as one in the pools. The stages
    /// are divided as in `AlexNet`.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (mut g, images) = Builder::new("fc8");
        let pool = Pool::new(3, 2, 0).ceil();
        g.stage("block1");
        let first = Conv::new(96, 7).stride(2).padding(1);
        let x = conv(&mut g, images, "conv1", first);
        let x = g.max_pool(x, "pool1", pool);
        let x = g.lrn(x, Self::CONTRAST);
        g.tap("norm1", x);
        g.stage("block2");
        let second = Conv::new(256, 5).stride(2).padding(0);
        let x = conv(&mut g, x, "conv2", second);
        let x = g.max_pool(x, "pool2", pool);
        let x = g.lrn(x, Self::CONTRAST);
        g.tap("norm2", x);
        g.stage("block3");
        let x = conv(&mut g, x, "conv3", Conv::new(384, 3));
        let x = conv(&mut g, x, "conv4", Conv::new(384, 3));
        let x = conv(&mut g, x, "conv5", Conv::new(256, 3));
        let x = g.max_pool(x, "pool5", pool);
        g.tap("pool5", x);
        g.stage("classifier");
        hidden_layers(&mut g, x, EDGE, ["fc6", "fc7"]);
        g.finish()
    }
}

/// A convolution with bias, and `ReLU`.
fn conv(g: &mut Builder, x: Value, name: &str, conv: Conv) -> Value {
    let x = g.conv(x, name, conv.bias());
    g.relu(x)
}
