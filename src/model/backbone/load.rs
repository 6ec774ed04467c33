//! From the tensors of a checkpoint to layers on a device, batch norms folded in.
//!
//! Folding, in f64 and rounded once: `w' = w * s`, `b' = beta + (b - mean) * s`, `s = gamma / sqrt(var + eps)`
//! per output channel (Jacob et al. 2017, arXiv:1712.05877, section 3.2). What is left is convolution,
//! bias, activation and sums. A norm without a convolution before it, as in a `DenseNet`, stays `x * s + b'`.

use burn::tensor::{Device, Tensor, TensorData};

use crate::error::{Error, Result};
use crate::kernels::conv::Conv2d;
use crate::model::ops;
use crate::network::graph::{self, Graph, NORM, Node, NodeId, Op};
use crate::network::plan::Run;

/// Gives the values of a tensor by name and shape, or says why not.
type Take<'a> = &'a mut dyn FnMut(&str, &[usize]) -> Result<Vec<f32>>;

/// A layer with weights that do not change.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "most of a network's layers are convolutions, the largest"
)]
pub enum Frozen {
    /// A convolution with what folds into it.
    Conv {
        /// The convolution.
        conv: Conv2d,
        /// Whether zeros are put round the image before it.
        zeros: bool,
    },
    /// A norm that folds into no convolution.
    Norm(Affine),
    /// A linear layer.
    Linear(Linear),
}

/// `x * scale + shift` for each channel.
#[derive(Debug, Clone)]
pub struct Affine {
    /// `[1,C,1,1]`.
    pub scale: Tensor<4>,
    /// `[1,C,1,1]`.
    pub shift: Tensor<4>,
}

impl Affine {
    /// `[N,C,H,W]` to the same.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        x * self.scale.clone() + self.shift.clone()
    }
}

/// A matrix and a bias.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `[O,I]`.
    pub weight: Tensor<2>,
    /// `[O]`.
    pub bias: Option<Tensor<1>>,
}

impl Linear {
    /// `[N,I,1,1]` to `[N,O,1,1]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [n, input, ..] = x.dims();
        let [output, _] = self.weight.dims();
        let mut y = x
            .reshape([n, input])
            .matmul(self.weight.clone().transpose());
        if let Some(bias) = &self.bias {
            y = y + bias.clone().unsqueeze::<2>();
        }
        y.reshape([n, output, 1, 1])
    }
}

/// Takes tensors and puts layers on a device.
pub(super) struct Loader<'a> {
    device: &'a Device,
    take: Take<'a>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(device: &'a Device, take: Take<'a>) -> Self {
        Self { device, take }
    }

    /// The layer of what runs as one; none if it has no weights.
    pub(super) fn layer(&mut self, graph: &Graph, run: Run) -> Result<Option<Frozen>> {
        let node = |id: NodeId| &graph.nodes[id];
        let first = node(run.first());
        Ok(match (run, &first.op) {
            (Run::Conv { norm, .. }, Op::Conv(conv)) => {
                Some(self.conv(&first.name, conv, norm.map(node))?)
            }
            (Run::Norm { .. }, Op::Norm(norm)) => Some(self.norm(&first.name, norm)?),
            (_, Op::Linear(linear)) => Some(self.linear(&first.name, *linear)?),
            _ => None,
        })
    }

    fn conv(&mut self, name: &str, conv: &graph::Conv, norm: Option<&Node>) -> Result<Frozen> {
        let shape = conv.weight_shape();
        let mut weight = (self.take)(&format!("{name}.weight"), &shape)?;
        let own = if conv.bias {
            (self.take)(&format!("{name}.bias"), &[conv.output])?
        } else {
            vec![0.0; conv.output]
        };
        let bias = match norm.map(|node| (&node.name, &node.op)) {
            Some((name, Op::Norm(norm))) => {
                let (scale, shift) = self.scale_and_shift(name, norm)?;
                let per_output = shape[1] * shape[2] * shape[3];
                for (values, scale) in weight.chunks_exact_mut(per_output).zip(&scale) {
                    for value in values {
                        *value = (f64::from(*value) * scale) as f32;
                    }
                }
                let folded = own.iter().zip(scale.iter().zip(shift));
                folded
                    .map(|(own, (scale, shift))| (shift + f64::from(*own) * scale) as f32)
                    .collect()
            }
            _ => own,
        };
        let (geometry, zeros) = ops::geometry(conv);
        let bias = self.put(bias, [conv.output]);
        let conv = Conv2d::new(self.put(weight, shape), bias, geometry);
        Ok(Frozen::Conv { conv, zeros })
    }

    fn norm(&mut self, name: &str, norm: &graph::Norm) -> Result<Frozen> {
        let (scale, shift) = self.scale_and_shift(name, norm)?;
        let put = |values: Vec<f64>| {
            let values = values.into_iter().map(|v| v as f32).collect();
            self.put(values, [1, norm.channels, 1, 1])
        };
        Ok(Frozen::Norm(Affine {
            scale: put(scale),
            shift: put(shift),
        }))
    }

    fn linear(&mut self, name: &str, linear: graph::Linear) -> Result<Frozen> {
        let graph::Linear {
            input,
            output,
            bias,
        } = linear;
        let weight = (self.take)(&format!("{name}.weight"), &[output, input])?;
        let bias = match bias {
            true => Some((self.take)(&format!("{name}.bias"), &[output])?),
            false => None,
        };
        Ok(Frozen::Linear(Linear {
            weight: self.put(weight, [output, input]),
            bias: bias.map(|bias| self.put(bias, [output])),
        }))
    }

    /// What a batch norm of C channels comes to: `y = x * scale + shift`, each `[C]`.
    fn scale_and_shift(&mut self, name: &str, norm: &graph::Norm) -> Result<(Vec<f64>, Vec<f64>)> {
        let channels = norm.channels;
        let mut part = |part| (self.take)(&format!("{name}.{part}"), &[channels]);
        let [weight, bias, running_mean, running_var] = NORM;
        let (gamma, beta) = (part(weight)?, part(bias)?);
        let (mean, variance) = (part(running_mean)?, part(running_var)?);
        let mut scales = Vec::with_capacity(channels);
        let mut shifts = Vec::with_capacity(channels);
        for channel in 0..channels {
            let deviation = (f64::from(variance[channel]) + norm.epsilon).sqrt();
            let scale = f64::from(gamma[channel]) / deviation;
            if !scale.is_finite() {
                let name = format!("{name}.{running_var}");
                let reason = format!("channel {channel} is {}, no variance", variance[channel]);
                return Err(Error::weights(name, reason));
            }
            scales.push(scale);
            shifts.push(f64::from(beta[channel]) - f64::from(mean[channel]) * scale);
        }
        Ok((scales, shifts))
    }

    fn put<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), self.device)
    }
}
