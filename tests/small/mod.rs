//! A small network that has all there is.

use std::collections::{BTreeMap, HashMap};

use retune::config::Preprocess;
use retune::network::Graph;
use retune::network::builder::Builder;
use retune::network::graph::{Activation, Conv, Lrn, Padding, Pool};
use retune::network::head::HeadSpec;
use retune::onnx::{Input, Model, Options, export};
use retune::weights::SaveAs;

use crate::formula::fill;

/// Edge of its images.
pub const SIZE: usize = 49;

/// The network.
#[must_use]
pub fn graph() -> Graph {
    let (mut g, images) = Builder::new("fc");
    let x = g.conv(images, "conv1", Conv::new(8, 3).stride(2).same());
    let x = g.norm(x, "norm1");
    let x = g.activation(x, Activation::Relu6);
    let x = g.max_pool(x, "pool1", Pool::new(3, 2, 0).ceil());
    g.stage("one");
    let y = g.conv(
        x,
        "conv2",
        Conv {
            dilation: 2,
            ..Conv::new(8, 3).groups(4).bias()
        },
    );
    let y = g.pad(y, [1, 1, 1, 1]);
    let y = g.norm(y, "norm2");
    let y = g.stochastic_depth(y, 0.1);
    let x = g.add(y, x);
    let x = g.norm(x, "norm3");
    let x = g.relu(x);
    let x = g.lrn(
        x,
        Lrn {
            size: 5,
            alpha: 1e-2,
            beta: 0.75,
            k: 2.0,
        },
    );
    let means = g.global_avg_pool(x, "");
    let z = g.conv(means, "squeeze", Conv::new(4, 1).bias());
    let z = g.activation(z, Activation::Silu);
    let z = g.conv(z, "excite", Conv::new(8, 1).bias());
    let z = g.activation(z, Activation::Sigmoid);
    let x = g.scale(x, z);
    let a = g.avg_pool(x, "a", Pool::new(3, 2, 1));
    let b = g.avg_pool(x, "b", Pool::new(3, 2, 1).without_padding_in_mean());
    let c = g.max_pool(x, "c", Pool::new(3, 2, 1));
    let d = g.conv(x, "d", Conv::rectangular(8, [1, 7]).stride(2));
    let same = Pool {
        padding: Padding::Same,
        ..Pool::new(2, 2, 0)
    };
    let e = g.max_pool(x, "e", same);
    let x = g.concat(&[a, b, c, d, e]);
    g.stage("two");
    let x = g.multiply(x, 0.5);
    let x = g.avg_pool(x, "ceil", Pool::new(3, 2, 1).ceil());
    let x = g.pad(x, [-1, 0, 0, -1]);
    let x = g.adaptive_avg_pool(x, "adaptive", [4, 2]);
    let x = g.activation(x, Activation::Tanh);
    let x = g.flatten(x, [4, 2]);
    let x = g.linear(x, "hidden", 16);
    let x = g.relu(x);
    g.dropout(x, 0.2);
    g.finish()
}

/// What stands on it.
#[must_use]
pub fn head() -> HeadSpec {
    HeadSpec::of(retune::config::HeadKind::Mlp1, 16, 3)
}

/// Its tensors and the head's.
#[must_use]
pub fn tensors() -> HashMap<String, Vec<f32>> {
    let all = graph().tensors().into_iter().chain(head().tensors());
    all.map(|(name, shape)| (name.clone(), fill(&name, &shape)))
        .collect()
}

/// Its file.
#[must_use]
pub fn file(input: Input) -> Vec<u8> {
    let (graph, head, tensors) = (graph(), head(), tensors());
    let model = Model {
        graph: &graph,
        head: &head,
        preprocess: &Preprocess {
            size: SIZE,
            ..Preprocess::default()
        },
        classes: &["cat", "dog", "owl, \"white\""].map(str::to_owned),
        metadata: &BTreeMap::new(),
    };
    let options = Options {
        input,
        dtype: SaveAs::F32,
    };
    export(&model, options, |name| tensors.get(name).map(Vec::as_slice)).unwrap()
}
