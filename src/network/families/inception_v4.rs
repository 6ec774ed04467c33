//! `Inception-v4`: blocks in which several branches of convolutions look at the same image, side by side; long kernels
//! are split into a row and a column.
//!
//! Source: Szegedy et al. 2016 (arXiv:1602.07261), figures 3 to 9. Norms have TensorFlow's epsilon.

use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Pool};

/// Epsilon and momentum of the norms.
pub(super) const NORMS: [f64; 2] = [1e-3, 0.1];

/// Blocks of kinds A, B and C.
const BLOCKS: [usize; 3] = [4, 7, 3];

/// The network; there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InceptionV4;

impl InceptionV4 {
    /// The network, with timm's names: layers are numbered. A stage is what stands on planes of one size: the reduction
    /// to that size, then the blocks; the first one's reduction is the stem's end.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (g, images) = Builder::new("last_linear");
        let mut g = g.norms(NORMS[0], NORMS[1]);
        let mut number = 0;
        let mut next = || {
            number += 1;
            format!("features.{}", number - 1)
        };
        let mut x = unit(&mut g, images, &next(), halved(32));
        x = unit(&mut g, x, &next(), Conv::new(32, 3).padding(0));
        x = unit(&mut g, x, &next(), Conv::new(64, 3));
        x = stem_3(&mut g, &next(), x);
        x = stem_4(&mut g, &next(), x);
        x = stem_5(&mut g, &next(), x);
        g.tap("features.5", x);
        let [a, b, c] = BLOCKS;
        for block in 0..a {
            let name = next();
            if block == 0 {
                g.stage(&name);
            }
            x = block_a(&mut g, &name, x);
        }
        g.tap("features.9", x);
        let name = next();
        g.stage(&name);
        x = reduction_a(&mut g, &name, x);
        for _ in 0..b {
            x = block_b(&mut g, &next(), x);
        }
        g.tap("features.17", x);
        let name = next();
        g.stage(&name);
        x = reduction_b(&mut g, &name, x);
        for _ in 0..c {
            x = block_c(&mut g, &next(), x);
        }
        g.tap("features.21", x);
        g.global_avg_pool(x, "global_pool");
        g.finish()
    }
}

/// A convolution `NAME.conv`, its norm `NAME.bn`, `ReLU`.
pub(super) fn unit(g: &mut Builder, x: Value, name: &str, conv: Conv) -> Value {
    let x = g.conv(x, &format!("{name}.conv"), conv);
    let x = g.norm(x, &format!("{name}.bn"));
    g.relu(x)
}

/// A 3x3 convolution to about half the edge, without zeros at the edges.
pub(super) const fn halved(output: usize) -> Conv {
    Conv::new(output, 3).stride(2).padding(0)
}

/// One row of `n` weights.
pub(super) const fn row(output: usize, n: usize) -> Conv {
    Conv::rectangular(output, [1, n])
}

/// One column of `n` weights.
pub(super) const fn column(output: usize, n: usize) -> Conv {
    Conv::rectangular(output, [n, 1])
}

/// What several branches make of `x`: branch i is called `NAME.branchI`, its convolutions are numbered if it has more
/// than one.
pub(super) fn branches(g: &mut Builder, name: &str, x: Value, convs: &[&[Conv]]) -> Vec<Value> {
    let branch = |(number, convs): (usize, &&[Conv])| {
        let name = format!("{name}.branch{number}");
        if let [conv] = convs {
            return unit(g, x, &name, conv.clone());
        }
        convs.iter().enumerate().fold(x, |y, (step, conv)| {
            unit(g, y, &format!("{name}.{step}"), conv.clone())
        })
    };
    convs.iter().enumerate().map(branch).collect()
}

/// The branch that averages before it convolves.
pub(super) fn averaged(g: &mut Builder, name: &str, x: Value, output: usize) -> Value {
    let pool = Pool::new(3, 1, 1).without_padding_in_mean();
    let y = g.avg_pool(x, &format!("{name}.0"), pool);
    unit(g, y, &format!("{name}.1"), Conv::new(output, 1))
}

/// The branch of a reduction that only takes the largest.
pub(super) fn pooled(g: &mut Builder, name: &str, x: Value) -> Value {
    g.max_pool(x, name, Pool::new(3, 2, 0))
}

fn stem_3(g: &mut Builder, name: &str, x: Value) -> Value {
    let pooled = pooled(g, &format!("{name}.maxpool"), x);
    let y = unit(g, x, &format!("{name}.conv"), halved(96));
    g.concat(&[pooled, y])
}

fn stem_4(g: &mut Builder, name: &str, x: Value) -> Value {
    let last = || Conv::new(96, 3).padding(0);
    let short = [Conv::new(64, 1), last()];
    let long = [Conv::new(64, 1), row(64, 7), column(64, 7), last()];
    let y = branches(g, name, x, &[&short, &long]);
    g.concat(&y)
}

fn stem_5(g: &mut Builder, name: &str, x: Value) -> Value {
    let y = unit(g, x, &format!("{name}.conv"), halved(192));
    let pooled = pooled(g, &format!("{name}.maxpool"), x);
    g.concat(&[y, pooled])
}

fn block_a(g: &mut Builder, name: &str, x: Value) -> Value {
    let convs: [&[Conv]; 3] = [
        &[Conv::new(96, 1)],
        &[Conv::new(64, 1), Conv::new(96, 3)],
        &[Conv::new(64, 1), Conv::new(96, 3), Conv::new(96, 3)],
    ];
    let mut y = branches(g, name, x, &convs);
    y.push(averaged(g, &format!("{name}.branch3"), x, 96));
    g.concat(&y)
}

fn reduction_a(g: &mut Builder, name: &str, x: Value) -> Value {
    let convs: [&[Conv]; 2] = [
        &[halved(384)],
        &[Conv::new(192, 1), Conv::new(224, 3), halved(256)],
    ];
    let mut y = branches(g, name, x, &convs);
    y.push(pooled(g, &format!("{name}.branch2"), x));
    g.concat(&y)
}

fn block_b(g: &mut Builder, name: &str, x: Value) -> Value {
    let convs: [&[Conv]; 3] = [
        &[Conv::new(384, 1)],
        &[Conv::new(192, 1), row(224, 7), column(256, 7)],
        &[
            Conv::new(192, 1),
            column(192, 7),
            row(224, 7),
            column(224, 7),
            row(256, 7),
        ],
    ];
    let mut y = branches(g, name, x, &convs);
    y.push(averaged(g, &format!("{name}.branch3"), x, 128));
    g.concat(&y)
}

fn reduction_b(g: &mut Builder, name: &str, x: Value) -> Value {
    let convs: [&[Conv]; 2] = [
        &[Conv::new(192, 1), halved(192)],
        &[Conv::new(256, 1), row(256, 7), column(320, 7), halved(320)],
    ];
    let mut y = branches(g, name, x, &convs);
    y.push(pooled(g, &format!("{name}.branch2"), x));
    g.concat(&y)
}

/// Here two branches fork into a row and a column at their end.
fn block_c(g: &mut Builder, name: &str, x: Value) -> Value {
    let mut unit = |x, part: &str, conv| unit(g, x, &format!("{name}.{part}"), conv);
    let first = unit(x, "branch0", Conv::new(256, 1));
    let y = unit(x, "branch1_0", Conv::new(384, 1));
    let short = [
        unit(y, "branch1_1a", row(256, 3)),
        unit(y, "branch1_1b", column(256, 3)),
    ];
    let y = unit(x, "branch2_0", Conv::new(384, 1));
    let y = unit(y, "branch2_1", column(448, 3));
    let y = unit(y, "branch2_2", row(512, 3));
    let long = [
        unit(y, "branch2_3a", row(256, 3)),
        unit(y, "branch2_3b", column(256, 3)),
    ];
    let last = averaged(g, &format!("{name}.branch3"), x, 256);
    g.concat(&[first, short[0], short[1], long[0], long[1], last])
}
