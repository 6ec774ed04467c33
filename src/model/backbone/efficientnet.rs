//! An `EfficientNet`, folded. Stochastic depth and dropout are for training and do nothing here.

use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, silu};

use super::load::Loader;
use super::{Network, Walk};
use crate::config::Arch;
use crate::error::Result;
use crate::kernels::conv::Conv2d;
use crate::kernels::pool::global_avg_pool;
use crate::model::efficientnet::{self, Layout, STAGES};

/// Stem, stages and last convolution, as [`Layout`] describes them.
#[derive(Debug, Clone)]
pub(super) struct EfficientNet {
    stem: Conv2d,
    stages: Vec<Vec<MbConv>>,
    head: Conv2d,
}

/// An inverted residual block.
#[derive(Debug, Clone)]
struct MbConv {
    expand: Option<Conv2d>,
    depthwise: Conv2d,
    squeeze: Conv2d,
    excite: Conv2d,
    project: Conv2d,
    residual: bool,
}

impl EfficientNet {
    pub(super) fn load(arch: Arch, loader: &mut Loader<'_>) -> Result<Self> {
        let Layout { stem, stages, head } = Layout::of(arch);
        Ok(Self {
            stem: loader.conv(&stem)?,
            stages: (stages.iter())
                .map(|stage| {
                    stage
                        .iter()
                        .map(|block| MbConv::load(block, loader))
                        .collect()
                })
                .collect::<Result<_>>()?,
            head: loader.conv(&head)?,
        })
    }
}

impl MbConv {
    fn load(block: &efficientnet::MbConv, loader: &mut Loader<'_>) -> Result<Self> {
        Ok(Self {
            expand: (block.expand.as_ref())
                .map(|conv| loader.conv(conv))
                .transpose()?,
            depthwise: loader.conv(&block.depthwise)?,
            squeeze: loader.plain(&block.squeeze)?,
            excite: loader.plain(&block.excite)?,
            project: loader.conv(&block.project)?,
            residual: block.residual,
        })
    }

    /// `[N,C,H,W]` to `[N,O,H/stride,W/stride]`.
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let inner = match &self.expand {
            Some(conv) => silu(conv.forward(x.clone(), None, false)),
            None => x.clone(),
        };
        let inner = silu(self.depthwise.forward(inner, None, false));
        let excited = inner.clone() * self.factors(inner);
        // The sum is the last convolution's epilogue.
        let shortcut = self.residual.then_some(&x);
        self.project.forward(excited, shortcut, false)
    }

    /// How much of each plane passes: `[N,C,H,W]` to `[N,C,1,1]`.
    fn factors(&self, x: Tensor<4>) -> Tensor<4> {
        let [images, channels, ..] = x.dims();
        let means = global_avg_pool(x).reshape([images, channels, 1, 1]);
        let squeezed = silu(self.squeeze.forward(means, None, false));
        sigmoid(self.excite.forward(squeezed, None, false))
    }

    fn convs(&self) -> impl Iterator<Item = &Conv2d> {
        let rest = [&self.depthwise, &self.squeeze, &self.excite, &self.project];
        self.expand.iter().chain(rest)
    }
}

impl Network for EfficientNet {
    fn run(
        &self,
        images: Tensor<4>,
        stages: usize,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4> {
        let mut x = silu(self.stem.forward(images, None, false));
        observe("features.0", &x);
        for (index, stage) in self.stages.iter().take(stages).enumerate() {
            for block in stage {
                x = block.forward(x);
            }
            observe(&format!("features.{}", index + 1), &x);
        }
        // The last convolution counts as the stage after the seventh.
        if stages > STAGES {
            x = silu(self.head.forward(x, None, false));
            observe(&format!("features.{}", STAGES + 1), &x);
        }
        x
    }

    fn walk<'a>(&'a self, walk: &mut Walk<'a>) -> Option<()> {
        walk.step(&self.stem)?;
        for block in self.stages.iter().flatten() {
            if let Some(conv) = &block.expand {
                walk.step(conv)?;
            }
            walk.step(&block.depthwise)?;
            let planes = walk.dims;
            walk.dims = [planes[0], planes[1], 1, 1];
            walk.step(&block.squeeze)?;
            walk.step(&block.excite)?;
            walk.dims = planes;
            walk.step(&block.project)?;
        }
        walk.step(&self.head)
    }

    fn convs(&self) -> Vec<&Conv2d> {
        let blocks = self.stages.iter().flatten();
        std::iter::once(&self.stem)
            .chain(blocks.flat_map(MbConv::convs))
            .chain([&self.head])
            .collect()
    }
}
