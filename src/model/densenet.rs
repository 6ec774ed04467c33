//! The `DenseNet` family as one description: every layer sees what all the layers before it in its block
//! have made, side by side, and adds a few channels of its own.
//!
//! Here the norm stands before the convolution, so only those that follow another convolution fold into
//! it. Source: Huang et al. 2016 (arXiv:1608.06993), the variant BC (bottleneck, compression by half) with
//! torchvision's names.

use super::layers::{Conv, Norm, Plain, Shaped};
use crate::config::Arch;

/// Channels that a layer adds (k in the paper).
pub const GROWTH: usize = 32;

/// Width of the 1x1 convolution before the 3x3 one, over the growth.
const BOTTLENECK: usize = 4;

/// Channels after the stem.
const STEM: usize = 64;

/// Every layer of a backbone, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The 7x7 convolution before the max pool.
    pub stem: Conv,
    /// The four blocks.
    pub blocks: Vec<Block>,
    /// The norm before the last ReLU.
    pub norm: Norm,
}

/// Layers on planes of one size, `[N,C,H,W]` to `[N,C + layers * GROWTH,H,W]`, and the way to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Name in a checkpoint, as `features.denseblock1`.
    pub name: String,
    /// The layers.
    pub layers: Vec<DenseLayer>,
    /// To half the channels and half the edge, after all but the last block.
    pub transition: Option<Transition>,
}

/// `conv2(relu(norm2(conv1(relu(norm1(x))))))`, `[N,C,H,W]` to `[N,GROWTH,H,W]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenseLayer {
    /// `norm1`; behind it stands a ReLU, so it folds into nothing.
    pub norm: Norm,
    /// `conv1`, 1x1, and `norm2` behind it.
    pub squeeze: Conv,
    /// `conv2`, 3x3.
    pub grow: Plain,
}

/// `avg_pool(conv(relu(norm(x))))`, `[N,C,H,W]` to `[N,C/2,H/2,W/2]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Name in a checkpoint, as `features.transition1`.
    pub name: String,
    /// The norm before the ReLU.
    pub norm: Norm,
    /// 1x1.
    pub conv: Plain,
}

/// Layers in each of the four blocks.
const fn layers(arch: Arch) -> [usize; 4] {
    match arch {
        Arch::Densenet121 => [6, 12, 24, 16],
        Arch::Densenet169 => [6, 12, 32, 32],
        _ => panic!("no DenseNet"),
    }
}

/// Width of the pooled features, C.
///
/// # Panics
/// If `arch` is of another family: a bug in the caller.
#[must_use]
pub const fn features(arch: Arch) -> usize {
    let [a, b, c, d] = layers(arch);
    // Each transition halves.
    let channels = (STEM + a * GROWTH) / 2;
    let channels = (channels + b * GROWTH) / 2;
    let channels = (channels + c * GROWTH) / 2;
    channels + d * GROWTH
}

impl Layout {
    /// The member of that name.
    ///
    /// # Panics
    /// If it is of another family: a bug in the caller.
    #[must_use]
    pub fn of(arch: Arch) -> Self {
        let stem = Conv::new("features.conv0", "features.norm0", [3, STEM], 7, 2, 1);
        let mut channels = STEM;
        let mut blocks = Vec::new();
        for (index, count) in layers(arch).into_iter().enumerate() {
            let name = format!("features.denseblock{}", index + 1);
            let layers = (0..count)
                .map(|layer| {
                    let name = format!("{name}.denselayer{}", layer + 1);
                    dense_layer(&name, channels + layer * GROWTH)
                })
                .collect();
            channels += count * GROWTH;
            let transition = (index < 3).then(|| {
                let transition = transition(index + 1, channels);
                channels /= 2;
                transition
            });
            blocks.push(Block {
                name,
                layers,
                transition,
            });
        }
        Self {
            stem,
            blocks,
            norm: Norm::new("features.norm5", channels),
        }
    }

    /// Names and shapes of all float tensors of the backbone (no `classifier`, no `num_batches_tracked`).
    #[must_use]
    pub fn tensors(&self) -> Vec<Shaped> {
        let mut out: Vec<_> = self.stem.tensors().collect();
        for block in &self.blocks {
            for layer in &block.layers {
                out.extend(layer.norm.tensors());
                out.extend(layer.squeeze.tensors());
                out.extend(layer.grow.tensors());
            }
            if let Some(transition) = &block.transition {
                out.extend(transition.norm.tensors());
                out.extend(transition.conv.tensors());
            }
        }
        out.extend(self.norm.tensors());
        out
    }
}

fn dense_layer(name: &str, input: usize) -> DenseLayer {
    let width = BOTTLENECK * GROWTH;
    let (conv, norm) = (format!("{name}.conv1"), format!("{name}.norm2"));
    DenseLayer {
        norm: Norm::new(&format!("{name}.norm1"), input),
        squeeze: Conv::new(&conv, &norm, [input, width], 1, 1, 1),
        grow: Plain {
            name: format!("{name}.conv2"),
            input: width,
            output: GROWTH,
            kernel: 3,
            bias: false,
        },
    }
}

fn transition(number: usize, input: usize) -> Transition {
    let name = format!("features.transition{number}");
    Transition {
        norm: Norm::new(&format!("{name}.norm"), input),
        conv: Plain {
            name: format!("{name}.conv"),
            input,
            output: input / 2,
            kernel: 1,
            bias: false,
        },
        name,
    }
}
