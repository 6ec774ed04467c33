//! The whole `ResNet` family as one description, from which everything else follows: the names and
//! shapes of the weights, the layer table, and the forward pass.
//!
//! torchvision's V1.5: in a bottleneck the stride sits in the 3x3 convolution, not in the first 1x1.
//! Sources: He et al. 2015 (arXiv:1512.03385), Zagoruyko and Komodakis 2016 (wide, arXiv:1605.07146),
//! Xie et al. 2017 (grouped, arXiv:1611.05431).

pub use super::layers::{Conv, pooled_size};
use crate::config::Arch;

/// The kind of residual block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Two 3x3 convolutions; the output is as wide as the stage.
    Basic,
    /// 1x1, 3x3, 1x1; the output is four times as wide as the stage.
    Bottleneck,
}

impl Block {
    /// Output channels over the stage's nominal width.
    #[must_use]
    pub const fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

/// What tells one member of the family from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResNetConfig {
    /// The kind of block.
    pub block: Block,
    /// Blocks in each of the four stages.
    pub blocks: [usize; 4],
    /// Groups of the 3x3 convolutions.
    pub groups: usize,
    /// Channels a group has in the first stage (64 for a plain `ResNet`).
    pub width_per_group: usize,
}

impl ResNetConfig {
    /// The member of that name.
    ///
    /// # Panics
    /// If it is of another family: a bug in the caller, who asks [`Arch::family`] first.
    #[must_use]
    pub const fn of(arch: Arch) -> Self {
        use Block::{Basic, Bottleneck};
        let (block, blocks, groups, width_per_group) = match arch {
            Arch::ResNet18 => (Basic, [2, 2, 2, 2], 1, 64),
            Arch::ResNet34 => (Basic, [3, 4, 6, 3], 1, 64),
            Arch::ResNet50 => (Bottleneck, [3, 4, 6, 3], 1, 64),
            Arch::ResNet101 => (Bottleneck, [3, 4, 23, 3], 1, 64),
            Arch::ResNet152 => (Bottleneck, [3, 8, 36, 3], 1, 64),
            Arch::WideResNet50 => (Bottleneck, [3, 4, 6, 3], 1, 128),
            Arch::WideResNet101 => (Bottleneck, [3, 4, 23, 3], 1, 128),
            Arch::ResNext50 => (Bottleneck, [3, 4, 6, 3], 32, 4),
            Arch::ResNext101 => (Bottleneck, [3, 4, 23, 3], 32, 8),
            _ => panic!("no ResNet"),
        };
        Self {
            block,
            blocks,
            groups,
            width_per_group,
        }
    }

    /// Width of the pooled features, C: 512 or 2048.
    #[must_use]
    pub const fn features(&self) -> usize {
        512 * self.block.expansion()
    }

    /// Every convolution in place, with its name in a checkpoint.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let stem = Conv::new("conv1", "bn1", [3, 64], 7, 2, 1);
        let mut channels = 64;
        let stages = std::array::from_fn(|stage| {
            (0..self.blocks[stage])
                .map(|index| {
                    let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                    let name = format!("layer{}.{index}", stage + 1);
                    let block = self.residual(&name, channels, 64 << stage, stride);
                    channels = (64 << stage) * self.block.expansion();
                    block
                })
                .collect()
        });
        Layout { stem, stages }
    }

    /// One block: `channels` in, nominal `width`, the stride where V1.5 puts it.
    fn residual(&self, name: &str, channels: usize, width: usize, stride: usize) -> Residual {
        let out = width * self.block.expansion();
        let conv = |n: usize, io, kernel, stride, groups| {
            let (conv, norm) = (format!("{name}.conv{n}"), format!("{name}.bn{n}"));
            Conv::new(&conv, &norm, io, kernel, stride, groups)
        };
        let convs = match self.block {
            Block::Basic => vec![
                conv(1, [channels, width], 3, stride, 1),
                conv(2, [width, width], 3, 1, 1),
            ],
            Block::Bottleneck => {
                let inner = width * self.width_per_group / 64 * self.groups;
                vec![
                    conv(1, [channels, inner], 1, 1, 1),
                    conv(2, [inner, inner], 3, stride, self.groups),
                    conv(3, [inner, out], 1, 1, 1),
                ]
            }
        };
        let downsample = (stride != 1 || channels != out).then(|| {
            let (conv, norm) = (
                format!("{name}.downsample.0"),
                format!("{name}.downsample.1"),
            );
            Conv::new(&conv, &norm, [channels, out], 1, stride, 1)
        });
        Residual {
            name: name.to_string(),
            convs,
            downsample,
        }
    }
}

/// A residual block: `relu(convs(x) + (downsample(x) or x))`, ReLU after every convolution but the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Residual {
    /// Name in a checkpoint, as `layer1.0`.
    pub name: String,
    /// The convolutions of the main path.
    pub convs: Vec<Conv>,
    /// The projection of the shortcut, where shapes differ.
    pub downsample: Option<Conv>,
}

/// Every convolution of a backbone, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The 7x7 convolution before the max pool.
    pub stem: Conv,
    /// The four stages.
    pub stages: [Vec<Residual>; 4],
}

impl Layout {
    /// All convolutions, the stem first.
    pub fn convs(&self) -> impl Iterator<Item = &Conv> {
        let blocks = self.stages.iter().flatten();
        std::iter::once(&self.stem)
            .chain(blocks.flat_map(|block| block.convs.iter().chain(&block.downsample)))
    }

    /// Names and shapes of all float tensors of the backbone (no `fc`, no `num_batches_tracked`).
    #[must_use]
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        self.convs().flat_map(Conv::tensors).collect()
    }
}
