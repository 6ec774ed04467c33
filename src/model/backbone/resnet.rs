//! A `ResNet`, folded.

use burn::tensor::Tensor;

use super::load::Loader;
use super::{Network, Walk, stem_pool};
use crate::config::Arch;
use crate::error::Result;
use crate::kernels::conv::Conv2d;
use crate::model::resnet::{Layout, ResNetConfig, Residual};

/// Stem and stages, as [`Layout`] describes them.
#[derive(Debug, Clone)]
pub(super) struct ResNet {
    stem: Conv2d,
    stages: Vec<Vec<Block>>,
}

/// A residual block.
#[derive(Debug, Clone)]
struct Block {
    convs: Vec<Conv2d>,
    downsample: Option<Conv2d>,
}

impl ResNet {
    pub(super) fn load(arch: Arch, loader: &mut Loader<'_>) -> Result<Self> {
        let Layout { stem, stages } = ResNetConfig::of(arch).layout();
        let stem = loader.conv(&stem)?;
        let mut block = |block: &Residual| {
            Ok(Block {
                convs: (block.convs.iter())
                    .map(|conv| loader.conv(conv))
                    .collect::<Result<_>>()?,
                downsample: (block.downsample.as_ref())
                    .map(|conv| loader.conv(conv))
                    .transpose()?,
            })
        };
        let stages = stages
            .iter()
            .map(|stage| stage.iter().map(&mut block).collect())
            .collect::<Result<_>>()?;
        Ok(Self { stem, stages })
    }
}

impl Block {
    /// The residual sum and its ReLU are the last convolution's epilogue.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.downsample {
            Some(conv) => conv.forward(x.clone(), None, false),
            None => x.clone(),
        };
        let mut main = x;
        for (index, conv) in self.convs.iter().enumerate() {
            let last = index + 1 == self.convs.len();
            main = conv.forward(main, last.then_some(&shortcut), true);
        }
        main
    }
}

impl Network for ResNet {
    fn run(
        &self,
        images: Tensor<4>,
        stages: usize,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4> {
        let mut x = stem_pool(self.stem.forward(images, None, true));
        observe("maxpool", &x);
        for (index, stage) in self.stages.iter().take(stages).enumerate() {
            for block in stage {
                x = block.forward(x);
            }
            observe(&format!("layer{}", index + 1), &x);
        }
        x
    }

    fn walk<'a>(&'a self, walk: &mut Walk<'a>) -> Option<()> {
        walk.step(&self.stem)?;
        walk.stem_pool();
        for block in self.stages.iter().flatten() {
            if let Some(conv) = &block.downsample {
                let dims = walk.dims;
                walk.step(conv)?;
                walk.dims = dims;
            }
            for conv in &block.convs {
                walk.step(conv)?;
            }
        }
        Some(())
    }

    fn convs(&self) -> Vec<&Conv2d> {
        let blocks = self.stages.iter().flatten();
        std::iter::once(&self.stem)
            .chain(blocks.flat_map(|block| block.convs.iter().chain(&block.downsample)))
            .collect()
    }
}
