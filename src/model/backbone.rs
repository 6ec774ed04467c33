//! The frozen part: convolutions with their batch norm folded in, on the inner (no gradient) device.
//!
//! Folding, in f64 and rounded once: `w' = w * s`, `b' = beta - mean * s`, `s = gamma / sqrt(var + eps)`
//! per output channel (Jacob et al. 2017, arXiv:1712.05877, section 3.2). What is left is convolution,
//! bias, activation and sums. A norm that stands before its convolution, as in a `DenseNet`, stays `x * s + b'`.

mod densenet;
mod efficientnet;
mod load;
mod resnet;

use burn::tensor::{Device, Tensor, TensorData};

use self::load::Loader;
use crate::config::{Arch, Family};
use crate::error::Result;
use crate::kernels::conv::Conv2d;
use crate::kernels::pool::{global_avg_pool, max_pool};
use crate::kernels::shape::{ConvShape, bytes_of};
use crate::weights::Checkpoint;

/// torchvision's `BatchNorm2d.eps`, in all the members here.
pub(super) const EPSILON: f64 = 1e-5;

/// Bytes that WebGPU lets a kernel bind by default: a batch with a larger tensor in it goes through in parts.
const BINDING: u64 = 128 << 20;

/// A network without its last layer, on a device.
#[derive(Debug, Clone)]
pub struct Backbone {
    arch: Arch,
    net: Net,
    device: Device,
}

/// The families.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    clippy::enum_variant_names,
    reason = "there is one at a time, and their names end so"
)]
enum Net {
    ResNet(resnet::ResNet),
    DenseNet(densenet::DenseNet),
    EfficientNet(efficientnet::EfficientNet),
}

/// What each family does in its own way.
trait Network {
    /// Images `[N,3,S,S]` through the stem and the first `stages` stages, to `[N,C,H,W]`; shows each
    /// named output on the way.
    fn run(
        &self,
        images: Tensor<4>,
        stages: usize,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4>;

    /// Shows the walk every convolution, in the order they run; none if the planes have become too small.
    fn walk<'a>(&'a self, walk: &mut Walk<'a>) -> Option<()>;

    /// All convolutions, in the order of the layout.
    fn convs(&self) -> Vec<&Conv2d>;
}

impl Net {
    fn get(&self) -> &dyn Network {
        match self {
            Self::ResNet(net) => net,
            Self::DenseNet(net) => net,
            Self::EfficientNet(net) => net,
        }
    }
}

impl Backbone {
    /// Builds the network; `take` gives the values of a tensor by name and shape, or says why not.
    ///
    /// # Errors
    /// What `take` says; [`Error::Weights`](crate::error::Error::Weights) naming a running variance that is
    /// none.
    pub fn load(
        arch: Arch,
        device: &Device,
        mut take: impl FnMut(&str, &[usize]) -> Result<Vec<f32>>,
    ) -> Result<Self> {
        let mut loader = Loader::new(device, &mut take);
        let net = match arch.family() {
            Family::ResNet => Net::ResNet(resnet::ResNet::load(arch, &mut loader)?),
            Family::DenseNet => Net::DenseNet(densenet::DenseNet::load(arch, &mut loader)?),
            Family::EfficientNet => {
                Net::EfficientNet(efficientnet::EfficientNet::load(arch, &mut loader)?)
            }
        };
        Ok(Self {
            arch,
            net,
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

    /// Which backbone this is.
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
        let [n, _, height, width] = images.dims();
        let part = self.images_at_once(height.max(width));
        if n <= part {
            return self.forward_observed(images, |_, _| {});
        }
        let parts = images.split(part, 0).into_iter();
        let features = parts.map(|part| self.forward_observed(part, |_, _| {}));
        Tensor::cat(features.collect(), 0)
    }

    /// The same at once, showing each stage's output `[N,C,H,W]` under torchvision's name (`maxpool`,
    /// `layer1` ...; `pool0`, `denseblock1` ... `norm5`; `features.0` ...).
    pub fn forward_observed(
        &self,
        images: Tensor<4>,
        mut observe: impl FnMut(&str, &Tensor<4>),
    ) -> Tensor<2> {
        global_avg_pool(self.net.get().run(images, usize::MAX, &mut observe))
    }

    /// Normalised images `[N,3,S,S]` to what the first `stages` stages make of them, `[N,C,H,W]`: `layer1`
    /// to `layer4`, `denseblock1` to `denseblock4` with what follows each, `features.1` to `features.8`.
    #[must_use]
    pub fn forward_until(&self, images: Tensor<4>, stages: usize) -> Tensor<4> {
        self.net.get().run(images, stages, &mut |_, _| {})
    }

    /// Every convolution with its sizes when `images` images of `size` by `size` come, in the order they
    /// run; as many images as [`Self::forward`] takes at once.
    #[must_use]
    pub fn layers(&self, images: usize, size: usize) -> Vec<(&Conv2d, ConvShape)> {
        self.walk(images.min(self.images_at_once(size)), size)
    }

    fn walk(&self, images: usize, size: usize) -> Vec<(&Conv2d, ConvShape)> {
        let mut walk = Walk {
            layers: Vec::new(),
            dims: [images, 3, size, size],
        };
        // A size too small for the network ends the walk where it no longer fits.
        let _ = self.net.get().walk(&mut walk);
        walk.layers
    }

    /// Most images of an edge whose widest tensor a kernel can bind: a power of two, so that few sizes of
    /// batch are to be tuned and tested.
    fn images_at_once(&self, size: usize) -> usize {
        let layers = self.walk(1, size).into_iter();
        let widest = layers
            .map(|(_, sizes)| bytes_of(&sizes.in_dims()).max(bytes_of(&sizes.out_dims())))
            .max();
        let fit = BINDING / widest.unwrap_or(1).max(1);
        1 << fit.max(1).ilog2().min(16)
    }

    /// All convolutions, in the order of the layout.
    pub(super) fn convs(&self) -> impl Iterator<Item = &Conv2d> {
        self.net.get().convs().into_iter()
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
    layers: Vec<(&'a Conv2d, ConvShape)>,
    /// Of what goes into the next layer, `[N,C,H,W]`.
    dims: [usize; 4],
}

impl<'a> Walk<'a> {
    fn step(&mut self, layer: &'a Conv2d) -> Option<()> {
        let sizes = ConvShape::of(self.dims, layer.weight().dims(), layer.geometry())?;
        self.layers.push((layer, sizes));
        self.dims = sizes.out_dims();
        Some(())
    }

    /// The stem's max pool.
    fn stem_pool(&mut self) {
        for edge in &mut self.dims[2..] {
            *edge = super::layers::pooled_size(*edge);
        }
    }
}
