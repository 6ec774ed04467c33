//! The convolution of a network without gradients, as a layer: our kernels on a GPU, burn's op elsewhere.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module;
use burn_cubecl::CubeBackend;

use super::Algorithm;
use super::autodiff;
use super::matmul::Epilogue;
use super::select;
use super::weights::Weights;
use crate::kernels::gpu::launch::Buffer;
use crate::kernels::shape::{ConvShape, Geometry};

/// A convolution with bias whose weights do not change.
#[derive(Debug, Clone)]
pub struct Conv2d {
    /// `[O,C/G,KH,KW]`.
    weight: Tensor<4>,
    /// `[O]`.
    bias: Tensor<1>,
    geometry: Geometry,
    /// Weights and bias for our kernels; `None` on the CPU.
    on_gpu: Option<(Weights, Buffer)>,
}

impl Conv2d {
    /// Weights `[O,C/G,KH,KW]` and bias `[O]` on one device.
    #[must_use]
    pub fn new(weight: Tensor<4>, bias: Tensor<1>, geometry: Geometry) -> Self {
        let on_gpu = Buffer::of(&weight)
            .zip(Buffer::of(&bias))
            .map(|(weight, bias)| (Weights::new(weight, geometry.groups), bias));
        Self {
            weight,
            bias,
            geometry,
            on_gpu,
        }
    }

    /// `[O,C/G,KH,KW]`.
    #[must_use]
    pub const fn weight(&self) -> &Tensor<4> {
        &self.weight
    }

    /// `[O]`.
    #[must_use]
    pub const fn bias(&self) -> &Tensor<1> {
        &self.bias
    }

    /// Stride and the like.
    #[must_use]
    pub const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// `act(conv(x) + bias + residual)`: `x` `[N,C,H,W]`, `residual` like the result `[N,O,OH,OW]`.
    #[must_use]
    pub fn forward(
        &self,
        x: Tensor<4>,
        residual: Option<&Tensor<4>>,
        with_relu: bool,
    ) -> Tensor<4> {
        match self.on_kernel(&x, residual, with_relu) {
            Some(y) => y,
            None => self.unfused(x, residual, with_relu),
        }
    }

    fn on_kernel(
        &self,
        x: &Tensor<4>,
        residual: Option<&Tensor<4>>,
        relu: bool,
    ) -> Option<Tensor<4>> {
        let (weights, bias) = self.on_gpu.as_ref()?;
        let conv = self.sizes(x)?;
        let gpu = bias.gpu();
        let algorithm = select::choose(&gpu, &conv, weights)?;
        let layout = algorithm.layout();
        let laid_out = |images: &Tensor<4>| {
            let images = images.clone().try_into_primitive::<CubeBackend>().ok()?;
            Buffer::in_layout(images, layout)
        };
        let x = laid_out(x)?;
        let residual = match residual {
            Some(residual) => Some(laid_out(residual)?),
            None => None,
        };
        let epilogue = Epilogue {
            bias: Some(bias),
            residual: residual.as_ref(),
            relu,
        };
        let y = algorithm.run(&gpu, &conv, &x, weights, epilogue);
        gpu.queued(conv.flops());
        Some(Tensor::from_primitive::<CubeBackend>(y.into_images(layout)))
    }

    /// The convolution and what follows it as separate ops; on a GPU all of them are burn's.
    fn unfused(&self, x: Tensor<4>, residual: Option<&Tensor<4>>, with_relu: bool) -> Tensor<4> {
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        let mut y = if self.on_gpu.is_some() {
            module::conv2d(x, weight, Some(bias), self.geometry.options())
        } else {
            autodiff::conv2d(x, weight, bias, self.geometry)
        };
        if let Some(residual) = residual {
            y = y + residual.clone();
        }
        if with_relu { relu(y) } else { y }
    }

    /// The convolution's sizes on this input, if they fit.
    #[must_use]
    pub fn sizes(&self, x: &Tensor<4>) -> Option<ConvShape> {
        ConvShape::of(x.dims(), self.weight.dims(), self.geometry)
    }

    /// Weights and bias for our kernels, to run it with any of them; `None` on the CPU.
    #[must_use]
    pub const fn on_gpu(&self) -> Option<&(Weights, Buffer)> {
        self.on_gpu.as_ref()
    }

    /// The name of the kernel that runs it on this input; "burn" where none of ours does.
    #[must_use]
    pub fn runs_on(&self, x: &Tensor<4>) -> String {
        let algorithm = || {
            let (weights, bias) = self.on_gpu.as_ref()?;
            select::choose(&bias.gpu(), &self.sizes(x)?, weights)
        };
        algorithm().map_or_else(|| "burn".to_string(), Algorithm::name)
    }
}
