//! `Inception-v3`: modules of branches side by side, in which large windows are made of small ones, 7x7 of a row and a
//! column.
//!
//! Source: Szegedy et al. 2015 (arXiv:1512.00567), without its auxiliary classifier.

use super::googlenet::conv;
use crate::network::builder::{Builder, Value};
use crate::network::graph::{Conv, Graph, Pool};

/// What is added to a variance in the batch norms.
const EPSILON: f64 = 1e-3;

/// `Inception-v3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InceptionV3;

impl InceptionV3 {
    /// The network, with torchvision's names. A stage is the modules on planes of one size: 35, 17 and 8 pixels for
    /// images of 299.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let (g, images) = Builder::new("fc");
        let mut g = g.norms(EPSILON, 0.1);
        let x = conv(&mut g, images, "Conv2d_1a_3x3", halving(32));
        let x = conv(&mut g, x, "Conv2d_2a_3x3", Conv::new(32, 3).padding(0));
        let x = conv(&mut g, x, "Conv2d_2b_3x3", Conv::new(64, 3));
        let x = g.max_pool(x, "maxpool1", Pool::new(3, 2, 0));
        let x = conv(&mut g, x, "Conv2d_3b_1x1", Conv::new(80, 1));
        let x = conv(&mut g, x, "Conv2d_4a_3x3", Conv::new(192, 3).padding(0));
        let mut x = g.max_pool(x, "maxpool2", Pool::new(3, 2, 0));
        g.tap("maxpool2", x);
        g.stage("Mixed_5");
        for (name, pooled) in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)] {
            x = square(&mut g, x, name, pooled);
        }
        g.tap("Mixed_5d", x);
        g.stage("Mixed_6");
        x = first_reduction(&mut g, x, "Mixed_6a");
        for (name, inner) in [
            ("Mixed_6b", 128),
            ("Mixed_6c", 160),
            ("Mixed_6d", 160),
            ("Mixed_6e", 192),
        ] {
            x = rows_and_columns(&mut g, x, name, inner);
        }
        g.tap("Mixed_6e", x);
        g.stage("Mixed_7");
        x = second_reduction(&mut g, x, "Mixed_7a");
        for name in ["Mixed_7b", "Mixed_7c"] {
            x = fanned(&mut g, x, name);
        }
        g.tap("Mixed_7c", x);
        g.global_avg_pool(x, "avgpool");
        g.finish()
    }
}

/// 3x3 to half the edge.
const fn halving(output: usize) -> Conv {
    Conv::new(output, 3).stride(2).padding(0)
}

const fn row(output: usize, columns: usize) -> Conv {
    Conv::rectangular(output, [1, columns])
}

const fn column(output: usize, rows: usize) -> Conv {
    Conv::rectangular(output, [rows, 1])
}

/// The convolutions of a branch, one behind the other: `NAME.branchREST`.
fn branch(g: &mut Builder, x: Value, name: &str, convs: &[(&str, Conv)]) -> Value {
    convs.iter().fold(x, |x, (rest, each)| {
        conv(g, x, &format!("{name}.branch{rest}"), each.clone())
    })
}

/// A mean over 3x3 and a 1x1 convolution.
fn mean(g: &mut Builder, x: Value, name: &str, output: usize) -> Value {
    let x = g.avg_pool(x, "", Pool::new(3, 1, 1));
    branch(g, x, name, &[("_pool", Conv::new(output, 1))])
}

/// The paper's figure 5 with a 5x5 window left whole: 1x1; 5x5; two of 3x3; a mean.
fn square(g: &mut Builder, x: Value, name: &str, pooled: usize) -> Value {
    let one = branch(g, x, name, &[("1x1", Conv::new(64, 1))]);
    let five = [("5x5_1", Conv::new(48, 1)), ("5x5_2", Conv::new(64, 5))];
    let five = branch(g, x, name, &five);
    let threes = [
        ("3x3dbl_1", Conv::new(64, 1)),
        ("3x3dbl_2", Conv::new(96, 3)),
        ("3x3dbl_3", Conv::new(96, 3)),
    ];
    let threes = branch(g, x, name, &threes);
    let mean = mean(g, x, name, pooled);
    g.concat(&[one, five, threes, mean])
}

/// To half the edge (the paper's figure 10): 3x3; two of 3x3; a pool.
fn first_reduction(g: &mut Builder, x: Value, name: &str) -> Value {
    let three = branch(g, x, name, &[("3x3", halving(384))]);
    let threes = [
        ("3x3dbl_1", Conv::new(64, 1)),
        ("3x3dbl_2", Conv::new(96, 3)),
        ("3x3dbl_3", halving(96)),
    ];
    let threes = branch(g, x, name, &threes);
    let pool = g.max_pool(x, "", Pool::new(3, 2, 0));
    g.concat(&[three, threes, pool])
}

/// The paper's figure 6 with n = 7: 1x1; a row and a column; columns and rows, two of each; a mean.
fn rows_and_columns(g: &mut Builder, x: Value, name: &str, inner: usize) -> Value {
    let one = branch(g, x, name, &[("1x1", Conv::new(192, 1))]);
    let seven = [
        ("7x7_1", Conv::new(inner, 1)),
        ("7x7_2", row(inner, 7)),
        ("7x7_3", column(192, 7)),
    ];
    let seven = branch(g, x, name, &seven);
    let sevens = [
        ("7x7dbl_1", Conv::new(inner, 1)),
        ("7x7dbl_2", column(inner, 7)),
        ("7x7dbl_3", row(inner, 7)),
        ("7x7dbl_4", column(inner, 7)),
        ("7x7dbl_5", row(192, 7)),
    ];
    let sevens = branch(g, x, name, &sevens);
    let mean = mean(g, x, name, 192);
    g.concat(&[one, seven, sevens, mean])
}

/// To half the edge again: 3x3; a row, a column and 3x3; a pool.
fn second_reduction(g: &mut Builder, x: Value, name: &str) -> Value {
    let three = [("3x3_1", Conv::new(192, 1)), ("3x3_2", halving(320))];
    let three = branch(g, x, name, &three);
    let seven = [
        ("7x7x3_1", Conv::new(192, 1)),
        ("7x7x3_2", row(192, 7)),
        ("7x7x3_3", column(192, 7)),
        ("7x7x3_4", halving(192)),
    ];
    let seven = branch(g, x, name, &seven);
    let pool = g.max_pool(x, "", Pool::new(3, 2, 0));
    g.concat(&[three, seven, pool])
}

/// The paper's figure 7, in which branches part into a row and a column side by side: 1x1; 1x1 and both; 1x1, 3x3 and
/// both; a mean.
fn fanned(g: &mut Builder, x: Value, name: &str) -> Value {
    let one = branch(g, x, name, &[("1x1", Conv::new(320, 1))]);
    let three = branch(g, x, name, &[("3x3_1", Conv::new(384, 1))]);
    let three = [
        branch(g, three, name, &[("3x3_2a", row(384, 3))]),
        branch(g, three, name, &[("3x3_2b", column(384, 3))]),
    ];
    let before = [
        ("3x3dbl_1", Conv::new(448, 1)),
        ("3x3dbl_2", Conv::new(384, 3)),
    ];
    let threes = branch(g, x, name, &before);
    let threes = [
        branch(g, threes, name, &[("3x3dbl_3a", row(384, 3))]),
        branch(g, threes, name, &[("3x3dbl_3b", column(384, 3))]),
    ];
    let mean = mean(g, x, name, 192);
    g.concat(&[one, three[0], three[1], threes[0], threes[1], mean])
}
