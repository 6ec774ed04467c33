//! A `DenseNet`, its norms folded where a convolution stands before them.
//!
//! A layer's input is all that came before it, side by side, and its first norm has scales of its own
//! for every channel of that: so each layer reads and writes the whole width anyway, and `cat` into a
//! growing tensor adds one more copy of it, 41 MB an image of 224 x 224 in all of densenet121.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;

use super::load::{Affine, Loader};
use super::{Network, Walk, stem_pool};
use crate::config::Arch;
use crate::error::Result;
use crate::kernels::conv::Conv2d;
use crate::model::densenet::{self, Layout};

/// Stem and blocks, as [`Layout`] describes them.
#[derive(Debug, Clone)]
pub(super) struct DenseNet {
    stem: Conv2d,
    blocks: Vec<Block>,
    norm: Affine,
}

#[derive(Debug, Clone)]
struct Block {
    name: String,
    layers: Vec<Layer>,
    transition: Option<(Affine, Conv2d)>,
}

#[derive(Debug, Clone)]
struct Layer {
    norm: Affine,
    /// `conv1` with `norm2` folded in.
    squeeze: Conv2d,
    /// `conv2`.
    grow: Conv2d,
}

impl DenseNet {
    pub(super) fn load(arch: Arch, loader: &mut Loader<'_>) -> Result<Self> {
        let Layout { stem, blocks, norm } = Layout::of(arch);
        Ok(Self {
            stem: loader.conv(&stem)?,
            blocks: (blocks.iter())
                .map(|block| Block::load(block, loader))
                .collect::<Result<_>>()?,
            norm: loader.norm(&norm)?,
        })
    }
}

impl Block {
    fn load(block: &densenet::Block, loader: &mut Loader<'_>) -> Result<Self> {
        let name = block.name.trim_start_matches("features.").to_string();
        let mut layers = Vec::with_capacity(block.layers.len());
        for layer in &block.layers {
            layers.push(Layer {
                norm: loader.norm(&layer.norm)?,
                squeeze: loader.conv(&layer.squeeze)?,
                grow: loader.plain(&layer.grow)?,
            });
        }
        let transition = match &block.transition {
            Some(way) => Some((loader.norm(&way.norm)?, loader.plain(&way.conv)?)),
            None => None,
        };
        Ok(Self {
            name,
            layers,
            transition,
        })
    }
}

impl Layer {
    /// `[N,C,H,W]` to `[N,C+32,H,W]`.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = relu(self.norm.forward(x.clone()));
        let y = self.squeeze.forward(y, None, true);
        let y = self.grow.forward(y, None, false);
        Tensor::cat(vec![x, y], 1)
    }
}

impl Network for DenseNet {
    fn run(
        &self,
        images: Tensor<4>,
        stages: usize,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4> {
        let mut x = stem_pool(self.stem.forward(images, None, true));
        observe("pool0", &x);
        for block in self.blocks.iter().take(stages) {
            for layer in &block.layers {
                x = layer.forward(x);
            }
            observe(&block.name, &x);
            x = match &block.transition {
                Some((norm, conv)) => {
                    let y = conv.forward(relu(norm.forward(x)), None, false);
                    avg_pool2d(y, AvgPoolOptions::new([2, 2]))
                }
                None => {
                    let y = self.norm.forward(x);
                    observe("norm5", &y);
                    relu(y)
                }
            };
        }
        x
    }

    fn walk<'a>(&'a self, walk: &mut Walk<'a>) -> Option<()> {
        walk.step(&self.stem)?;
        walk.stem_pool();
        for block in &self.blocks {
            for layer in &block.layers {
                let before = walk.dims;
                walk.step(&layer.squeeze)?;
                walk.step(&layer.grow)?;
                // What the layer made stands beside what went in.
                walk.dims[1] += before[1];
            }
            if let Some((_, conv)) = &block.transition {
                walk.step(conv)?;
                walk.dims[2] /= 2;
                walk.dims[3] /= 2;
            }
        }
        Some(())
    }

    fn convs(&self) -> Vec<&Conv2d> {
        let mut out = vec![&self.stem];
        for block in &self.blocks {
            out.extend(block.layers.iter().flat_map(|l| [&l.squeeze, &l.grow]));
            out.extend(block.transition.iter().map(|(_, conv)| conv));
        }
        out
    }
}
