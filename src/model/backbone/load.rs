//! From a checkpoint's tensors to layers on a device.

use burn::tensor::{Device, Tensor, TensorData};

use super::EPSILON;
use crate::error::{Error, Result};
use crate::kernels::conv::Conv2d;
use crate::model::layers::{Conv, NORM, Norm, Plain};

/// Gives the values of a tensor by name and shape, or says why not.
type Take<'a> = &'a mut dyn FnMut(&str, &[usize]) -> Result<Vec<f32>>;

/// Takes tensors and puts layers on a device.
pub(super) struct Loader<'a> {
    device: &'a Device,
    take: Take<'a>,
}

/// A norm that folds into no convolution: `x * scale + shift` for each channel.
#[derive(Debug, Clone)]
pub(super) struct Affine {
    /// `[1,C,1,1]`.
    scale: Tensor<4>,
    /// `[1,C,1,1]`.
    shift: Tensor<4>,
}

impl Affine {
    /// `[N,C,H,W]` to the same.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        x * self.scale.clone() + self.shift.clone()
    }
}

impl<'a> Loader<'a> {
    pub(super) fn new(device: &'a Device, take: Take<'a>) -> Self {
        Self { device, take }
    }

    /// A convolution with its batch norm folded in.
    pub(super) fn conv(&mut self, conv: &Conv) -> Result<Conv2d> {
        let shape = conv.weight_shape();
        let mut weight = (self.take)(&format!("{}.weight", conv.name), &shape)?;
        let (scale, shift) = self.scale_and_shift(&conv.norm, conv.output)?;
        let per_output = shape[1] * shape[2] * shape[3];
        for (values, scale) in weight.chunks_exact_mut(per_output).zip(scale) {
            for value in values {
                *value = (f64::from(*value) * scale) as f32;
            }
        }
        let shift = shift.into_iter().map(|b| b as f32).collect();
        let bias = self.put(shift, [conv.output]);
        Ok(Conv2d::new(self.put(weight, shape), bias, conv.geometry()))
    }

    /// A convolution with its own bias, or none.
    pub(super) fn plain(&mut self, conv: &Plain) -> Result<Conv2d> {
        let shape = conv.weight_shape();
        let weight = (self.take)(&format!("{}.weight", conv.name), &shape)?;
        let bias = if conv.bias {
            (self.take)(&format!("{}.bias", conv.name), &[conv.output])?
        } else {
            vec![0.0; conv.output]
        };
        let bias = self.put(bias, [conv.output]);
        Ok(Conv2d::new(self.put(weight, shape), bias, conv.geometry()))
    }

    /// A norm by itself.
    pub(super) fn norm(&mut self, norm: &Norm) -> Result<Affine> {
        let (scale, shift) = self.scale_and_shift(&norm.name, norm.channels)?;
        let put = |values: Vec<f64>| {
            let values = values.into_iter().map(|v| v as f32).collect();
            self.put(values, [1, norm.channels, 1, 1])
        };
        Ok(Affine {
            scale: put(scale),
            shift: put(shift),
        })
    }

    /// What a batch norm of C channels comes to: `y = x * scale + shift`, each `[C]`.
    fn scale_and_shift(&mut self, name: &str, channels: usize) -> Result<(Vec<f64>, Vec<f64>)> {
        let mut part = |part| (self.take)(&format!("{name}.{part}"), &[channels]);
        let [weight, bias, running_mean, running_var] = NORM;
        let (gamma, beta) = (part(weight)?, part(bias)?);
        let (mean, variance) = (part(running_mean)?, part(running_var)?);
        let mut scales = Vec::with_capacity(channels);
        let mut shifts = Vec::with_capacity(channels);
        for channel in 0..channels {
            let scale = f64::from(gamma[channel]) / (f64::from(variance[channel]) + EPSILON).sqrt();
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
