//! A backbone of random weights.

use std::collections::BTreeMap;

use crate::network::graph::{Graph, NORM, Op};
use crate::random::Random;
use crate::weights::{Checkpoint, Dtype, StoredTensor};

/// Fresh weights: convolutions from a normal distribution of variance `2 / fan_out` (He et al. 2015, arXiv:1502.01852),
/// as torchvision draws a `ResNet`'s; linear layers uniform in `±sqrt(3 / fan_in)`, which keeps the variance; biases 0;
/// norms 1 and 0, but 0 where a block is to begin as its shortcut. Each tensor has a stream of its own: the same seed
/// gives the same network everywhere. `name` is what messages call it.
#[must_use]
pub fn random_init(graph: &Graph, name: &str, seed: u64) -> Checkpoint {
    let mut tensors = BTreeMap::new();
    let mut put = |name: String, shape: Vec<usize>, data: Vec<f32>| {
        let dtype = Dtype::F32;
        tensors.insert(name, StoredTensor { shape, dtype, data });
    };
    for node in &graph.nodes {
        for (name, shape) in node.tensors() {
            let n = shape.iter().product();
            let mut random = Random::for_purpose(seed, &name);
            let part = name.rsplit('.').next().unwrap_or_default();
            let values = match (&node.op, part) {
                (Op::Conv(conv), "weight") => {
                    let fan_out = conv.output * conv.kernel.iter().product::<usize>();
                    let deviation = (2.0 / fan_out as f64).sqrt();
                    let draw = |_| (deviation * random.normal()) as f32;
                    (0..n).map(draw).collect()
                }
                (Op::Linear(linear), "weight") => {
                    let bound = (3.0 / linear.input as f64).sqrt();
                    let draw = |_| (bound * (2.0 * random.uniform() - 1.0)) as f32;
                    (0..n).map(draw).collect()
                }
                (Op::Norm(norm), part) => {
                    let [weight, _, _, variance] = NORM;
                    let one = (part == weight && !norm.zero) || part == variance;
                    vec![if one { 1.0 } else { 0.0 }; n]
                }
                _ => vec![0.0; n],
            };
            put(name, shape, values);
        }
    }
    Checkpoint {
        file: format!("{name} of random weights"),
        tensors,
        ..Checkpoint::default()
    }
}
