//! `Inception-ResNet-v2`: the branches of `Inception-v4`, made thin and added to a shortcut.
//!
//! What a block adds is made smaller first, lest the sums grow without bound. Source: Szegedy et al. 2016
//! (arXiv:1602.07261), figures 3, 7 and 16 to 19, and section 3.3; the stem is that of `Inception-v3`, as in
//! TensorFlow's network.

use super::inception_v4::{NORMS, averaged, branches, column, halved, pooled, row, unit};
use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Pool};

/// The network; there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InceptionResNetV2;

impl InceptionResNetV2 {
    /// The network, with timm's names. A stage is what stands on planes of one size: the reduction to that size, then
    /// the blocks.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (g, images) = Builder::new("classif");
        let mut g = g.norms(NORMS[0], NORMS[1]);
        let mut x = unit(&mut g, images, "conv2d_1a", halved(32));
        x = unit(&mut g, x, "conv2d_2a", Conv::new(32, 3).padding(0));
        x = unit(&mut g, x, "conv2d_2b", Conv::new(64, 3));
        x = g.max_pool(x, "maxpool_3a", Pool::new(3, 2, 0));
        x = unit(&mut g, x, "conv2d_3b", Conv::new(80, 1));
        x = unit(&mut g, x, "conv2d_4a", Conv::new(192, 3).padding(0));
        x = g.max_pool(x, "maxpool_5a", Pool::new(3, 2, 0));

        g.stage("repeat");
        x = mixed_5b(&mut g, x);
        for block in 0..10 {
            x = block_35(&mut g, &format!("repeat.{block}"), x);
            x = g.relu(x);
        }
        g.tap("repeat", x);

        g.stage("repeat_1");
        x = mixed_6a(&mut g, x);
        for block in 0..20 {
            x = block_17(&mut g, &format!("repeat_1.{block}"), x);
            x = g.relu(x);
        }
        g.tap("repeat_1", x);

        g.stage("repeat_2");
        x = mixed_7a(&mut g, x);
        for block in 0..9 {
            x = block_8(&mut g, &format!("repeat_2.{block}"), x, 0.2);
            x = g.relu(x);
        }
        g.tap("repeat_2", x);
        // The last block adds all of it, and no ReLU follows.
        x = block_8(&mut g, "block8", x, 1.0);
        x = unit(&mut g, x, "conv2d_7b", Conv::new(1536, 1));
        g.tap("conv2d_7b", x);
        g.global_avg_pool(x, "global_pool");
        g.finish()
    }
}

/// `scale * conv2d(branches) + x`.
fn residual(g: &mut Builder, name: &str, x: Value, convs: &[&[Conv]], scale: f64) -> Value {
    let y = branches(g, name, x, convs);
    let y = g.concat(&y);
    let widened = Conv::new(x.channels, 1).bias();
    let mut y = g.conv(y, &format!("{name}.conv2d"), widened);
    if scale != 1.0 {
        y = g.multiply(y, scale);
    }
    g.add(y, x)
}

fn block_35(g: &mut Builder, name: &str, x: Value) -> Value {
    let convs: [&[Conv]; 3] = [
        &[Conv::new(32, 1)],
        &[Conv::new(32, 1), Conv::new(32, 3)],
        &[Conv::new(32, 1), Conv::new(48, 3), Conv::new(64, 3)],
    ];
    residual(g, name, x, &convs, 0.17)
}

fn block_17(g: &mut Builder, name: &str, x: Value) -> Value {
    let convs: [&[Conv]; 2] = [
        &[Conv::new(192, 1)],
        &[Conv::new(128, 1), row(160, 7), column(192, 7)],
    ];
    residual(g, name, x, &convs, 0.1)
}

fn block_8(g: &mut Builder, name: &str, x: Value, scale: f64) -> Value {
    let convs: [&[Conv]; 2] = [
        &[Conv::new(192, 1)],
        &[Conv::new(192, 1), row(224, 3), column(256, 3)],
    ];
    residual(g, name, x, &convs, scale)
}

fn mixed_5b(g: &mut Builder, x: Value) -> Value {
    let convs: [&[Conv]; 3] = [
        &[Conv::new(96, 1)],
        &[Conv::new(48, 1), Conv::new(64, 5)],
        &[Conv::new(64, 1), Conv::new(96, 3), Conv::new(96, 3)],
    ];
    let mut y = branches(g, "mixed_5b", x, &convs);
    y.push(averaged(g, "mixed_5b.branch3", x, 64));
    g.concat(&y)
}

fn mixed_6a(g: &mut Builder, x: Value) -> Value {
    let convs: [&[Conv]; 2] = [
        &[halved(384)],
        &[Conv::new(256, 1), Conv::new(256, 3), halved(384)],
    ];
    let mut y = branches(g, "mixed_6a", x, &convs);
    y.push(pooled(g, "mixed_6a.branch2", x));
    g.concat(&y)
}

fn mixed_7a(g: &mut Builder, x: Value) -> Value {
    let convs: [&[Conv]; 3] = [
        &[Conv::new(256, 1), halved(384)],
        &[Conv::new(256, 1), halved(288)],
        &[Conv::new(256, 1), Conv::new(288, 3), halved(320)],
    ];
    let mut y = branches(g, "mixed_7a", x, &convs);
    y.push(pooled(g, "mixed_7a.branch3", x));
    g.concat(&y)
}
