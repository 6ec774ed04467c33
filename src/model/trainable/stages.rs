//! The trained end of a backbone on the autodiff device.
//!
//! With frozen batch norms what is trained is each convolution's folded weight and bias: a step costs no
//! statistics, a small batch does no harm, and what is trained is what will run. With trained ones the
//! convolution and its norm are apart, as in PyTorch's training mode, and folded where it is measured.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};

use super::{frozen_stages, stage_of, trains};
use crate::config::{Arch, NormMode, Scope};
use crate::error::Result;
use crate::kernels::pool::global_avg_pool;
use crate::model::backbone::{Backbone, EPSILON, stem_pool};
use crate::model::conv::{conv_bias_act, conv_norm_act};
use crate::model::head::to_host;
use crate::model::resnet::{Conv, Layout, ResNetConfig, Residual};
use crate::weights::NamedTensor;

/// Share of a batch's statistics in the running ones: `torch.nn.BatchNorm2d`'s momentum.
const MOMENTUM: f64 = 0.1;

/// A convolution's trained tensors.
#[derive(Module, Debug)]
struct TunedConv {
    /// `[output, input / groups, kernel, kernel]`.
    weight: Param<Tensor<4>>,
    /// `[output]`: the folded bias, or the norm's.
    bias: Param<Tensor<1>>,
    norm: Option<Norm>,
}

/// The rest of a batch norm, `[output]` each.
#[derive(Module, Debug)]
struct Norm {
    gamma: Param<Tensor<1>>,
    /// Running, without a gradient.
    mean: Param<Tensor<1>>,
    /// The same.
    variance: Param<Tensor<1>>,
}

/// The trained end of a backbone.
#[derive(Module, Debug)]
pub struct TrainableStages {
    /// In the order of [`Layout::convs`], without the frozen ones.
    convs: Vec<TunedConv>,
    #[module(skip)]
    layout: Layout,
    #[module(skip)]
    scope: Scope,
}

impl TrainableStages {
    /// What `scope` trains of a backbone with its norms frozen, to begin with its weights; `device` has
    /// gradients or not.
    #[must_use]
    pub fn of(backbone: &Backbone, scope: Scope, device: &Device) -> Self {
        let layout = ResNetConfig::of(backbone.arch()).layout();
        let convs = layout.convs().zip(backbone.convs());
        let convs = convs
            .filter(|(spec, _)| trains(scope, &spec.name))
            .map(|(_, conv)| TunedConv {
                weight: Param::from_tensor(on(conv.weight().clone(), device)),
                bias: Param::from_tensor(on(conv.bias().clone(), device)),
                norm: None,
            })
            .collect();
        Self {
            convs,
            layout,
            scope,
        }
    }

    /// What `scope` trains, norms and all; `take` gives the values of a tensor by name and shape, or says
    /// why not.
    ///
    /// # Errors
    /// What `take` says.
    pub fn with_norms(
        arch: Arch,
        scope: Scope,
        device: &Device,
        mut take: impl FnMut(&str, &[usize]) -> Result<Vec<f32>>,
    ) -> Result<Self> {
        let layout = ResNetConfig::of(arch).layout();
        let mut convs = Vec::new();
        for spec in layout.convs().filter(|spec| trains(scope, &spec.name)) {
            let shape = spec.weight_shape();
            let weight = take(&format!("{}.weight", spec.name), &shape)?;
            let weight = Tensor::from_data(TensorData::new(weight, shape), device);
            let mut vector = |part: &str| {
                let values = take(&format!("{}.{part}", spec.norm), &[spec.output])?;
                let data = TensorData::new(values, [spec.output]);
                Ok::<_, crate::error::Error>(Tensor::<1>::from_data(data, device))
            };
            let norm = Norm {
                gamma: Param::from_tensor(vector("weight")?),
                mean: statistic(vector("running_mean")?),
                variance: statistic(vector("running_var")?),
            };
            convs.push(TunedConv {
                weight: Param::from_tensor(weight),
                bias: Param::from_tensor(vector("bias")?),
                norm: Some(norm),
            });
        }
        Ok(Self {
            convs,
            layout,
            scope,
        })
    }

    /// What is trained.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// What becomes of its batch norms.
    #[must_use]
    pub fn norm(&self) -> NormMode {
        if self.convs.iter().any(|conv| conv.norm.is_some()) {
            NormMode::Trained
        } else {
            NormMode::Frozen
        }
    }

    /// The weight `[output, input / groups, kernel, kernel]` of a trained convolution, by its name in a
    /// checkpoint.
    #[must_use]
    pub fn weight(&self, name: &str) -> Option<Tensor<4>> {
        let mut trained = self.trained().zip(&self.convs);
        let found = trained.find(|(spec, _)| spec.name == name);
        found.map(|(_, conv)| conv.weight.val())
    }

    /// The stage of each parameter, from 1, in the order in which burn visits them.
    pub fn stages(&self) -> impl Iterator<Item = usize> {
        let trained = self.trained().zip(&self.convs);
        trained.flat_map(|(spec, conv)| {
            let parameters = if conv.norm.is_some() { 5 } else { 2 };
            std::iter::repeat_n(stage_of(&spec.name), parameters)
        })
    }

    /// The trained convolutions' descriptions.
    fn trained(&self) -> impl Iterator<Item = &Conv> {
        let all = self.layout.convs();
        all.filter(|spec| trains(self.scope, &spec.name))
    }

    /// The frozen part's output `[N,C,H,W]` to pooled features `[N,C]`, norms by their running statistics.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        let convs = &self.convs;
        walk(
            &self.layout,
            self.scope,
            input,
            |at, spec, x, residual, relu| convs[at].measure(spec, x, residual, relu),
        )
    }

    /// The same in training: trained norms by the batch, which their running statistics follow.
    #[must_use]
    pub fn forward_train(&mut self, input: Tensor<4>) -> Tensor<2> {
        let Self {
            convs,
            layout,
            scope,
        } = self;
        walk(layout, *scope, input, |at, spec, x, residual, relu| {
            convs[at].forward_train(spec, x, residual, relu)
        })
    }

    /// What a checkpoint holds for the trained convolutions, under torchvision's names.
    ///
    /// A folded convolution becomes the convolution and a batch norm that does nothing but add the bias:
    /// weight 1, mean 0, variance 1 - eps. The scale that our loader computes in f64 then lies within 1.5e-8
    /// of 1, and rounding to f32 takes away what is below 3e-8: folding gives back each weight to the last bit.
    ///
    /// # Errors
    /// [`Error::Gpu`](crate::error::Error::Gpu) if the device does not give them.
    pub async fn state(&self) -> Result<Vec<NamedTensor>> {
        let mut out = Vec::new();
        for (spec, conv) in self.trained().zip(&self.convs) {
            let n = spec.output;
            let weight = to_host(conv.weight.val()).await?;
            let name = format!("{}.weight", spec.name);
            out.push((name, spec.weight_shape().to_vec(), weight));
            let bias = to_host(conv.bias.val()).await?;
            let [gamma, mean, variance] = match &conv.norm {
                None => [vec![1.0; n], vec![0.0; n], vec![(1.0 - EPSILON) as f32; n]],
                Some(norm) => [
                    to_host(norm.gamma.val()).await?,
                    to_host(norm.mean.val()).await?,
                    to_host(norm.variance.val()).await?,
                ],
            };
            for (part, values) in [
                ("weight", gamma),
                ("bias", bias),
                ("running_mean", mean),
                ("running_var", variance),
            ] {
                out.push((format!("{}.{part}", spec.norm), vec![n], values));
            }
        }
        Ok(out)
    }
}

/// A tensor on the same device with or without gradients, as `device` has them.
fn on<const D: usize>(x: Tensor<D>, device: &Device) -> Tensor<D> {
    if device.is_autodiff() {
        x.autodiff()
    } else {
        x
    }
}

/// A tensor that no gradient changes.
fn statistic(x: Tensor<1>) -> Param<Tensor<1>> {
    Param::initialized(ParamId::new(), x.set_require_grad(false))
}

impl TunedConv {
    /// `act(norm(conv(x)) + residual)` by the running statistics.
    fn measure(
        &self,
        spec: &Conv,
        x: Tensor<4>,
        residual: Option<Tensor<4>>,
        relu: bool,
    ) -> Tensor<4> {
        let (mut weight, mut bias) = (self.weight.val(), self.bias.val());
        if let Some(norm) = &self.norm {
            let scale = norm.gamma.val() / (norm.variance.val() + EPSILON).sqrt();
            bias = bias - norm.mean.val() * scale.clone();
            weight = weight * scale.reshape([spec.output, 1, 1, 1]);
        }
        conv_bias_act(x, weight, bias, residual, relu, spec.geometry())
    }

    /// The same by the batch's statistics.
    fn forward_train(
        &mut self,
        spec: &Conv,
        x: Tensor<4>,
        residual: Option<Tensor<4>>,
        relu: bool,
    ) -> Tensor<4> {
        let (weight, bias, geometry) = (self.weight.val(), self.bias.val(), spec.geometry());
        let Some(norm) = &mut self.norm else {
            return conv_bias_act(x, weight, bias, residual, relu, geometry);
        };
        let gamma = norm.gamma.val();
        let (y, seen) = conv_norm_act(x, weight, [gamma, bias], EPSILON, residual, relu, geometry);
        let follow = |old: &Param<Tensor<1>>, new: Tensor<1>| {
            let kept = old.val().inner() * (1.0 - MOMENTUM) + new * MOMENTUM;
            let kept = if old.val().device().is_autodiff() {
                kept.autodiff()
            } else {
                kept
            };
            Param::initialized(old.id, kept.set_require_grad(false))
        };
        norm.mean = follow(&norm.mean, seen.mean);
        norm.variance = follow(&norm.variance, seen.variance);
        y
    }
}

/// Runs the trained convolutions: `conv` computes one of that place among them, with what is added to it and
/// whether ReLU follows.
fn walk(
    layout: &Layout,
    scope: Scope,
    input: Tensor<4>,
    mut conv: impl FnMut(usize, &Conv, Tensor<4>, Option<Tensor<4>>, bool) -> Tensor<4>,
) -> Tensor<2> {
    let frozen = frozen_stages(scope);
    let (mut x, mut at) = (input, 0);
    if frozen.is_none() {
        x = stem_pool(conv(at, &layout.stem, x, None, true));
        at += 1;
    }
    for block in layout.stages.iter().skip(frozen.unwrap_or(0)).flatten() {
        x = walk_block(block, at, x, &mut conv);
        at += block.convs.len() + usize::from(block.downsample.is_some());
    }
    global_avg_pool(x)
}

/// `relu(convs(x) + (downsample(x) or x))`, ReLU after every convolution. The block's first convolution has
/// the place `first`; the projection comes after the others.
fn walk_block(
    block: &Residual,
    first: usize,
    x: Tensor<4>,
    conv: &mut impl FnMut(usize, &Conv, Tensor<4>, Option<Tensor<4>>, bool) -> Tensor<4>,
) -> Tensor<4> {
    let main = block.convs.len();
    let mut shortcut = Some(match &block.downsample {
        Some(spec) => conv(first + main, spec, x.clone(), None, false),
        None => x.clone(),
    });
    let mut x = x;
    for (index, spec) in block.convs.iter().enumerate() {
        let residual = shortcut.take_if(|_| index + 1 == main);
        x = conv(first + index, spec, x, residual, true);
    }
    x
}
