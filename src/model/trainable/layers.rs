//! The layers of a network whose weights are trained.
//!
//! Of a frozen batch norm scale and shift are left, which are trained; a trained one normalises by each batch, and its
//! running statistics follow.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::Result;
use crate::kernels::conv::conv2d;
use crate::kernels::norm::batch_norm_train_act;
use crate::kernels::relu;
use crate::model::backbone::{Affine, Frozen, Linear};
use crate::model::head::to_host;
use crate::model::ops;
use crate::network::graph::{self, NORM};
use crate::weights::NamedTensor;

/// Gives the values of a tensor by name and shape, or says why not.
pub(super) type Take<'a> = &'a mut dyn FnMut(&str, &[usize]) -> Result<Vec<f32>>;

/// A convolution's trained tensors.
#[derive(Module, Debug)]
pub(super) struct TrainableConv {
    /// `[output, input / groups, rows, columns]`.
    pub weight: Param<Tensor<4>>,
    /// `[output]`: the folded bias, or the norm's, or its own; none if it has no bias and no norm.
    bias: Option<Param<Tensor<1>>>,
    norm: Option<Statistics>,
    /// `[output]`: its own bias before a trained norm.
    inner_bias: Option<Param<Tensor<1>>>,
}

/// The rest of a trained batch norm, `[C]` each.
#[derive(Module, Debug)]
struct Statistics {
    gamma: Param<Tensor<1>>,
    /// Running, without a gradient.
    mean: Param<Tensor<1>>,
    /// The same.
    variance: Param<Tensor<1>>,
}

/// A norm without a convolution before it.
#[derive(Module, Debug)]
pub(super) struct TrainableNorm {
    /// `[C]`.
    bias: Param<Tensor<1>>,
    /// `[C]`, where the statistics are frozen: the scale that is left of it.
    scale: Option<Param<Tensor<1>>>,
    norm: Option<Statistics>,
}

/// A linear layer.
#[derive(Module, Debug)]
pub(super) struct TrainableLinear {
    /// `[output, input]`.
    weight: Param<Tensor<2>>,
    /// `[output]`.
    bias: Option<Param<Tensor<1>>>,
}

/// What follows a layer that runs as one with it.
pub(super) struct After {
    /// `[N,C,H,W]`, added.
    pub residual: Option<Tensor<4>>,
    /// Whether `ReLU` follows.
    pub relu: bool,
}

impl After {
    fn apply(self, mut y: Tensor<4>) -> Tensor<4> {
        if let Some(residual) = self.residual {
            y = y + residual;
        }
        if self.relu { relu::relu(y) } else { y }
    }
}

impl TrainableConv {
    /// To begin with a frozen one's weights, its norm folded in.
    pub fn of(spec: &graph::Conv, normed: bool, frozen: &Frozen, device: &Device) -> Option<Self> {
        let Frozen::Conv { conv, .. } = frozen else {
            return None;
        };
        let has_bias = normed || spec.bias;
        Some(Self {
            weight: Param::from_tensor(on(conv.weight().clone(), device)),
            bias: has_bias.then(|| Param::from_tensor(on(conv.bias().clone(), device))),
            norm: None,
            inner_bias: None,
        })
    }

    /// From the tensors of a checkpoint; a norm behind it is trained.
    pub fn take(
        name: &str,
        spec: &graph::Conv,
        norm: Option<&str>,
        device: &Device,
        take: Take<'_>,
    ) -> Result<Self> {
        let shape = spec.weight_shape();
        let weight = take(&format!("{name}.weight"), &shape)?;
        let weight = Tensor::from_data(TensorData::new(weight, shape), device);
        let own = if spec.bias {
            Some(vector(name, "bias", spec.output, device, take)?)
        } else {
            None
        };
        let (bias, norm, inner_bias) = match norm {
            None => (own, None, None),
            Some(norm) => {
                let (bias, norm) = statistics(norm, spec.output, device, take)?;
                (Some(bias), Some(norm), own)
            }
        };
        Ok(Self {
            weight: Param::from_tensor(weight),
            bias: bias.map(Param::from_tensor),
            norm,
            inner_bias: inner_bias.map(Param::from_tensor),
        })
    }

    /// Whether a norm behind it is trained.
    pub const fn has_norm(&self) -> bool {
        self.norm.is_some()
    }

    /// How many parameters it has, statistics included.
    pub const fn parameters(&self) -> usize {
        1 + self.bias.is_some() as usize
            + if self.norm.is_some() { 3 } else { 0 }
            + self.inner_bias.is_some() as usize
    }

    /// `act(norm(conv(x)) + residual)` by the running statistics.
    pub fn measure(
        &self,
        spec: &graph::Conv,
        norm: Option<&graph::Norm>,
        x: Tensor<4>,
        after: After,
    ) -> Tensor<4> {
        let (mut weight, mut bias) = (self.weight.val(), self.bias_or_zero(&x));
        if let (Some(statistics), Some(norm)) = (&self.norm, norm) {
            let scale = statistics.scale(norm);
            let mut mean = statistics.mean.val();
            if let Some(own) = &self.inner_bias {
                mean = mean - own.val();
            }
            bias = bias - mean * scale.clone();
            weight = weight * scale.reshape([spec.output, 1, 1, 1]);
        }
        after.apply(convolved(spec, x, weight, bias))
    }

    /// The same by the batch's statistics, which the running ones follow.
    pub fn forward_train(
        &mut self,
        spec: &graph::Conv,
        norm: Option<&graph::Norm>,
        x: Tensor<4>,
        after: After,
    ) -> Tensor<4> {
        let weight = self.weight.val();
        let bias = self.bias_or_zero(&x);
        let (Some(statistics), Some(norm)) = (&mut self.norm, norm) else {
            return after.apply(convolved(spec, x, weight, bias));
        };
        let inner = match &self.inner_bias {
            Some(own) => own.val(),
            None => Tensor::zeros([spec.output], &x.device()),
        };
        let y = convolved(spec, x, weight, inner);
        statistics.normalize(norm, y, bias, after)
    }

    fn bias_or_zero(&self, x: &Tensor<4>) -> Tensor<1> {
        match &self.bias {
            Some(bias) => bias.val(),
            None => Tensor::zeros([self.weight.dims()[0]], &x.device()),
        }
    }

    /// What a checkpoint holds for it and for the norm behind it.
    ///
    /// A folded convolution becomes the convolution and a batch norm that does nothing but add the bias:
    /// weight 1, mean 0, variance 1 - eps. The scale that our loader computes in f64 then lies within 1.5e-8
    /// of 1, and rounding to f32 takes away what is below 3e-8: folding gives back each weight to the last bit.
    pub async fn state(
        &self,
        name: &str,
        spec: &graph::Conv,
        norm: Option<(&str, &graph::Norm)>,
        out: &mut Vec<NamedTensor>,
    ) -> Result<()> {
        let n = spec.output;
        let weight = to_host(self.weight.val()).await?;
        out.push((
            format!("{name}.weight"),
            spec.weight_shape().to_vec(),
            weight,
        ));
        let bias = match &self.bias {
            Some(bias) => to_host(bias.val()).await?,
            None => vec![0.0; n],
        };
        let Some((norm_name, norm)) = norm else {
            if spec.bias {
                out.push((format!("{name}.bias"), vec![n], bias));
            }
            return Ok(());
        };
        if spec.bias {
            let own = match &self.inner_bias {
                Some(own) => to_host(own.val()).await?,
                // Folded.
                None => vec![0.0; n],
            };
            out.push((format!("{name}.bias"), vec![n], own));
        }
        let [gamma, mean, variance] = match &self.norm {
            None => folded(vec![1.0; n], norm),
            Some(statistics) => statistics.to_host().await?,
        };
        push_norm(norm_name, [gamma, bias, mean, variance], out);
        Ok(())
    }
}

impl TrainableNorm {
    /// To begin with a frozen one's scale and shift.
    pub fn of(frozen: &Frozen, device: &Device) -> Option<Self> {
        let Frozen::Norm(Affine { scale, shift }) = frozen else {
            return None;
        };
        let flat = |x: &Tensor<4>| {
            let [_, channels, ..] = x.dims();
            Param::from_tensor(on(x.clone().reshape([channels]), device))
        };
        Some(Self {
            bias: flat(shift),
            scale: Some(flat(scale)),
            norm: None,
        })
    }

    /// From the tensors of a checkpoint.
    pub fn take(name: &str, spec: &graph::Norm, device: &Device, take: Take<'_>) -> Result<Self> {
        let (bias, norm) = statistics(name, spec.channels, device, take)?;
        Ok(Self {
            bias: Param::from_tensor(bias),
            scale: None,
            norm: Some(norm),
        })
    }

    /// Whether it is trained as a norm.
    pub const fn has_norm(&self) -> bool {
        self.norm.is_some()
    }

    /// How many parameters it has, statistics included.
    pub const fn parameters(&self) -> usize {
        if self.norm.is_some() { 4 } else { 2 }
    }

    /// `act(norm(x) + residual)` by the running statistics.
    pub fn measure(&self, spec: &graph::Norm, x: Tensor<4>, after: After) -> Tensor<4> {
        let (scale, shift) = match (&self.norm, &self.scale) {
            (Some(statistics), _) => {
                let scale = statistics.scale(spec);
                let shift = self.bias.val() - statistics.mean.val() * scale.clone();
                (scale, shift)
            }
            (None, Some(scale)) => (scale.val(), self.bias.val()),
            (None, None) => return after.apply(x),
        };
        let over_planes = |vector: Tensor<1>| vector.reshape([1, spec.channels, 1, 1]);
        after.apply(x * over_planes(scale) + over_planes(shift))
    }

    /// The same by the batch's statistics, which the running ones follow.
    pub fn forward_train(&mut self, spec: &graph::Norm, x: Tensor<4>, after: After) -> Tensor<4> {
        let bias = self.bias.val();
        match &mut self.norm {
            Some(statistics) => statistics.normalize(spec, x, bias, after),
            None => self.measure(spec, x, after),
        }
    }

    /// What a checkpoint holds for it: of a frozen one its scale and shift, with statistics that do nothing.
    pub async fn state(
        &self,
        name: &str,
        spec: &graph::Norm,
        out: &mut Vec<NamedTensor>,
    ) -> Result<()> {
        let bias = to_host(self.bias.val()).await?;
        let [gamma, mean, variance] = match (&self.norm, &self.scale) {
            (Some(statistics), _) => statistics.to_host().await?,
            (None, Some(scale)) => folded(to_host(scale.val()).await?, spec),
            (None, None) => folded(vec![1.0; spec.channels], spec),
        };
        push_norm(name, [gamma, bias, mean, variance], out);
        Ok(())
    }
}

impl TrainableLinear {
    /// To begin with a frozen one's weights.
    pub fn of(frozen: &Frozen, device: &Device) -> Option<Self> {
        let Frozen::Linear(Linear { weight, bias }) = frozen else {
            return None;
        };
        Some(Self {
            weight: Param::from_tensor(on(weight.clone(), device)),
            bias: (bias.clone()).map(|bias| Param::from_tensor(on(bias, device))),
        })
    }

    /// From the tensors of a checkpoint.
    pub fn take(name: &str, spec: graph::Linear, device: &Device, take: Take<'_>) -> Result<Self> {
        let shape = [spec.output, spec.input];
        let weight = take(&format!("{name}.weight"), &shape)?;
        let weight = Tensor::from_data(TensorData::new(weight, shape), device);
        let bias = if spec.bias {
            Some(vector(name, "bias", spec.output, device, take)?)
        } else {
            None
        };
        Ok(Self {
            weight: Param::from_tensor(weight),
            bias: bias.map(Param::from_tensor),
        })
    }

    /// How many parameters it has.
    pub const fn parameters(&self) -> usize {
        1 + self.bias.is_some() as usize
    }

    /// `[N,I,1,1]` to `[N,O,1,1]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let linear = Linear {
            weight: self.weight.val(),
            bias: self.bias.as_ref().map(Param::val),
        };
        linear.forward(x)
    }

    /// What a checkpoint holds for it.
    pub async fn state(&self, name: &str, out: &mut Vec<NamedTensor>) -> Result<()> {
        let shape = self.weight.dims().to_vec();
        let weight = to_host(self.weight.val()).await?;
        out.push((format!("{name}.weight"), shape, weight));
        if let Some(bias) = &self.bias {
            let bias = to_host(bias.val()).await?;
            out.push((format!("{name}.bias"), vec![bias.len()], bias));
        }
        Ok(())
    }
}

impl Statistics {
    /// `gamma / sqrt(variance + eps)`, `[C]`.
    fn scale(&self, norm: &graph::Norm) -> Tensor<1> {
        self.gamma.val() / (self.variance.val() + norm.epsilon).sqrt()
    }

    /// `act((x - mean) / sqrt(variance + eps) * gamma + beta + residual)` with mean and biased variance of the batch
    /// per channel (Ioffe and Szegedy 2015, arXiv:1502.03167); the running ones follow, with the unbiased variance, as
    /// PyTorch keeps it.
    fn normalize(
        &mut self,
        norm: &graph::Norm,
        x: Tensor<4>,
        beta: Tensor<1>,
        after: After,
    ) -> Tensor<4> {
        let [n, _, h, w] = x.dims();
        let After { residual, relu } = after;
        let gamma = self.gamma.val();
        let (y, mean, variance) =
            batch_norm_train_act(x, gamma, beta, residual, relu, norm.epsilon);
        let count = (n * h * w) as f64;
        let unbiased = plain(variance) * (count / (count - 1.0).max(1.0));
        follow(&mut self.mean, plain(mean), norm.momentum);
        follow(&mut self.variance, unbiased, norm.momentum);
        y
    }

    /// Gamma, mean, variance.
    async fn to_host(&self) -> Result<[Vec<f32>; 3]> {
        Ok([
            to_host(self.gamma.val()).await?,
            to_host(self.mean.val()).await?,
            to_host(self.variance.val()).await?,
        ])
    }
}

/// `conv(x) + bias`, zeros round the image where the kernel does not bring them.
fn convolved(spec: &graph::Conv, x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
    let (geometry, zeros) = ops::geometry(spec);
    let x = if zeros { ops::with_zeros(x, spec) } else { x };
    conv2d(x, weight, bias, geometry)
}

/// A running statistic after a batch's.
fn follow(old: &mut Param<Tensor<1>>, new: Tensor<1>, momentum: f64) {
    let before = old.val();
    let kept = plain(before.clone()) * (1.0 - momentum) + new * momentum;
    let kept = on(kept, &before.device());
    *old = Param::initialized(old.id, kept.set_require_grad(false));
}

/// A tensor without its gradient.
fn plain(x: Tensor<1>) -> Tensor<1> {
    if x.device().is_autodiff() {
        x.inner()
    } else {
        x
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

/// A vector of a checkpoint.
fn vector(name: &str, part: &str, n: usize, device: &Device, take: Take<'_>) -> Result<Tensor<1>> {
    let values = take(&format!("{name}.{part}"), &[n])?;
    Ok(Tensor::from_data(TensorData::new(values, [n]), device))
}

/// A norm's bias and the rest of it.
fn statistics(
    name: &str,
    n: usize,
    device: &Device,
    take: Take<'_>,
) -> Result<(Tensor<1>, Statistics)> {
    let mut part = |part: &str| vector(name, part, n, device, take);
    let fixed = |x: Tensor<1>| Param::initialized(ParamId::new(), x.set_require_grad(false));
    let [weight, bias, mean, variance] = NORM;
    let norm = Statistics {
        gamma: Param::from_tensor(part(weight)?),
        mean: fixed(part(mean)?),
        variance: fixed(part(variance)?),
    };
    Ok((part(bias)?, norm))
}

/// Weight, mean and variance of a norm that only scales by this.
fn folded(scale: Vec<f32>, norm: &graph::Norm) -> [Vec<f32>; 3] {
    let n = scale.len();
    [scale, vec![0.0; n], vec![(1.0 - norm.epsilon) as f32; n]]
}

/// The tensors of a norm in torch's order.
fn push_norm(name: &str, parts: [Vec<f32>; 4], out: &mut Vec<NamedTensor>) {
    for (part, values) in NORM.into_iter().zip(parts) {
        out.push((format!("{name}.{part}"), vec![values.len()], values));
    }
}
