//! The frozen part: convolutions with their batch norm folded in, on the inner (no gradient) device.
//!
//! Folding, in f64 and rounded once: `w' = w * s`, `b' = beta - mean * s`, `s = gamma / sqrt(var + eps)`
//! per output channel (Jacob et al. 2017, arXiv:1712.05877, section 3.2). What is left is convolution,
//! bias, ReLU and the residual sum.

use burn::tensor::{Device, Tensor, TensorData};

use super::resnet::{Conv, Layout, ResNetConfig, Residual};
use super::weights::Checkpoint;
use crate::config::Arch;
use crate::error::{Error, Result};
use crate::kernels::ops::{Conv2d, global_avg_pool, max_pool};
use crate::kernels::shape::Conv as Sizes;

/// torchvision's `BatchNorm2d.eps`.
pub(super) const EPSILON: f64 = 1e-5;

/// A residual block, folded.
#[derive(Debug, Clone)]
struct FoldedBlock {
    convs: Vec<Conv2d>,
    downsample: Option<Conv2d>,
}

/// A `ResNet` without its last layer, on a device.
#[derive(Debug, Clone)]
pub struct Backbone {
    arch: Arch,
    stem: Conv2d,
    stages: Vec<Vec<FoldedBlock>>,
    device: Device,
}

impl Backbone {
    /// Builds the network; `take` gives the values of a tensor by name and shape, or says why not.
    ///
    /// # Errors
    /// What `take` says; [`Error::Weights`] naming a running variance that is none.
    pub fn load(
        arch: Arch,
        device: &Device,
        mut take: impl FnMut(&str, &[usize]) -> Result<Vec<f32>>,
    ) -> Result<Self> {
        let Layout { stem, stages } = ResNetConfig::of(arch).layout();
        let mut fold = |conv: &Conv| load_conv(conv, device, &mut take);
        let stem = fold(&stem)?;
        let mut block = |block: &Residual| {
            Ok(FoldedBlock {
                convs: block.convs.iter().map(&mut fold).collect::<Result<_>>()?,
                downsample: block.downsample.as_ref().map(&mut fold).transpose()?,
            })
        };
        let stages = stages
            .iter()
            .map(|stage| stage.iter().map(&mut block).collect())
            .collect::<Result<_>>()?;
        Ok(Self {
            arch,
            stem,
            stages,
            device: device.clone(),
        })
    }

    /// The same network on the same device with the weights of a checkpoint; a head among them is left alone.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn reload(&self, mut checkpoint: Checkpoint) -> Result<Self> {
        Self::load(self.arch, &self.device, |name, shape| {
            checkpoint.take_f32(name, shape)
        })
    }

    /// Which member of the family this is.
    #[must_use]
    pub const fn arch(&self) -> Arch {
        self.arch
    }

    /// Where the weights are.
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.device
    }

    /// Normalised images `[N,3,S,S]` to pooled features `[N,C]`.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward_observed(images, |_, _| {})
    }

    /// The same, showing each stage's output `[N,C,H,W]` (`maxpool`, `layer1` ... `layer4`).
    pub fn forward_observed(
        &self,
        images: Tensor<4>,
        mut observe: impl FnMut(&str, &Tensor<4>),
    ) -> Tensor<2> {
        let x = self.stem.forward(images, None, true);
        let mut x = stem_pool(x);
        observe("maxpool", &x);
        for (index, stage) in self.stages.iter().enumerate() {
            for block in stage {
                x = block.forward(x);
            }
            observe(&format!("layer{}", index + 1), &x);
        }
        global_avg_pool(x)
    }

    /// Every convolution with its sizes on `images` images of `size` by `size`, in the order they run.
    #[must_use]
    pub fn layers(&self, images: usize, size: usize) -> Vec<(&Conv2d, Sizes)> {
        let mut walk = Walk {
            layers: Vec::new(),
            dims: [images, 3, size, size],
        };
        // A size too small for the network ends the walk where it no longer fits.
        let _ = self.walk(&mut walk);
        walk.layers
    }

    fn walk<'a>(&'a self, walk: &mut Walk<'a>) -> Option<()> {
        walk.step(&self.stem)?;
        // The max pool: 3x3, stride 2, padding 1.
        let [images, channels, height, width] = walk.dims;
        let pooled = |edge: usize| (edge - 1) / 2 + 1;
        walk.dims = [images, channels, pooled(height), pooled(width)];
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

    /// Normalised images `[N,3,S,S]` to what the first `stages` stages make of them, `[N,C,H,W]`.
    #[must_use]
    pub fn forward_until(&self, images: Tensor<4>, stages: usize) -> Tensor<4> {
        let x = stem_pool(self.stem.forward(images, None, true));
        let blocks = self.stages.iter().take(stages).flatten();
        blocks.fold(x, |x, block| block.forward(x))
    }

    /// All convolutions, in the order of [`Layout::convs`].
    pub(super) fn convs(&self) -> impl Iterator<Item = &Conv2d> {
        let blocks = self.stages.iter().flatten();
        std::iter::once(&self.stem)
            .chain(blocks.flat_map(|block| block.convs.iter().chain(&block.downsample)))
    }

    /// The same, to be replaced.
    pub(super) fn convs_mut(&mut self) -> impl Iterator<Item = &mut Conv2d> {
        let blocks = self.stages.iter_mut().flatten();
        std::iter::once(&mut self.stem)
            .chain(blocks.flat_map(|block| block.convs.iter_mut().chain(&mut block.downsample)))
    }

    /// Images as they come from the preprocessing, `[3,S,S]` each, to one batch `[N,3,S,S]`.
    #[must_use]
    pub fn batch(&self, pixels: Vec<f32>, size: usize) -> Tensor<4> {
        let n = pixels.len() / (3 * size * size);
        Tensor::from_data(TensorData::new(pixels, [n, 3, size, size]), &self.device)
    }
}

/// The stem's 3x3 max pool, stride 2: `[N,64,H,W]` to `[N,64,(H+1)/2,(W+1)/2]`.
pub(super) fn stem_pool(x: Tensor<4>) -> Tensor<4> {
    max_pool(x, 3, 2, 1)
}

/// Where a walk through the layers has come to.
struct Walk<'a> {
    layers: Vec<(&'a Conv2d, Sizes)>,
    dims: [usize; 4],
}

impl<'a> Walk<'a> {
    fn step(&mut self, layer: &'a Conv2d) -> Option<()> {
        let sizes = Sizes::of(self.dims, layer.weight().dims(), layer.geometry())?;
        self.layers.push((layer, sizes));
        self.dims = sizes.out_dims();
        Some(())
    }
}

/// A convolution with its batch norm folded in.
fn load_conv(
    conv: &Conv,
    device: &Device,
    take: &mut impl FnMut(&str, &[usize]) -> Result<Vec<f32>>,
) -> Result<Conv2d> {
    let shape = conv.weight_shape();
    let mut weight = take(&format!("{}.weight", conv.name), &shape)?;
    let mut norm = |part| take(&format!("{}.{part}", conv.norm), &[conv.output]);
    let (gamma, beta) = (norm("weight")?, norm("bias")?);
    let (mean, variance) = (norm("running_mean")?, norm("running_var")?);
    let mut bias = Vec::with_capacity(conv.output);
    let per_output = shape[1] * shape[2] * shape[3];
    for (channel, values) in weight.chunks_exact_mut(per_output).enumerate() {
        let scale = f64::from(gamma[channel]) / (f64::from(variance[channel]) + EPSILON).sqrt();
        if !scale.is_finite() {
            let name = format!("{}.running_var", conv.norm);
            let reason = format!("channel {channel} is {}, no variance", variance[channel]);
            return Err(Error::weights(name, reason));
        }
        for value in values {
            *value = (f64::from(*value) * scale) as f32;
        }
        bias.push((f64::from(beta[channel]) - f64::from(mean[channel]) * scale) as f32);
    }
    let weight = Tensor::from_data(TensorData::new(weight, shape), device);
    let bias = Tensor::from_data(TensorData::new(bias, [conv.output]), device);
    Ok(Conv2d::new(weight, bias, conv.geometry()))
}

impl FoldedBlock {
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
