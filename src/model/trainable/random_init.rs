//! A backbone of random weights.

use std::collections::BTreeMap;

use crate::config::Arch;
use crate::model::resnet::ResNetConfig;
use crate::random::Random;
use crate::weights::{Checkpoint, Dtype, StoredTensor};

/// Fresh weights as torchvision draws them: convolutions from a normal distribution of variance
/// `2 / fan_out` (He et al. 2015, arXiv:1502.01852), norms 1 and 0, but 0 for the last norm of each block,
/// so that every block begins as its shortcut (Goyal et al. 2017, arXiv:1706.02677, section 5.1). Each
/// tensor has a stream of its own: the same seed gives the same network everywhere.
#[must_use]
pub fn random_init(arch: Arch, seed: u64) -> Checkpoint {
    let layout = ResNetConfig::of(arch).layout();
    let mut tensors = BTreeMap::new();
    let mut put = |name: String, shape: Vec<usize>, data: Vec<f32>| {
        let dtype = Dtype::F32;
        tensors.insert(name, StoredTensor { shape, dtype, data });
    };
    let blocks = layout.stages.iter().flatten();
    let last: Vec<&str> = blocks
        .filter_map(|block| block.convs.last())
        .map(|conv| conv.norm.as_str())
        .collect();
    for conv in layout.convs() {
        let shape = conv.weight_shape();
        let name = format!("{}.weight", conv.name);
        let fan_out = conv.output * conv.kernel * conv.kernel;
        let deviation = (2.0 / fan_out as f64).sqrt();
        let mut random = Random::for_purpose(seed, &name);
        let n = shape.iter().product();
        let values = (0..n)
            .map(|_| (deviation * random.normal()) as f32)
            .collect();
        put(name, shape.to_vec(), values);
        let gamma = if last.contains(&conv.norm.as_str()) {
            0.0
        } else {
            1.0
        };
        for (part, value) in [
            ("weight", gamma),
            ("bias", 0.0),
            ("running_mean", 0.0),
            ("running_var", 1.0),
        ] {
            let name = format!("{}.{part}", conv.norm);
            put(name, vec![conv.output], vec![value; conv.output]);
        }
    }
    Checkpoint {
        file: format!("{} of random weights", arch.name()),
        tensors,
        ..Checkpoint::default()
    }
}
