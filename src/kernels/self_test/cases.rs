//! The convolutions of the self-test: small ones with partial tiles in every direction, and one of several tiles.

use std::sync::OnceLock;

use burn::tensor::{Device, Tensor, TensorData};

use crate::kernels::conv::gradient::Wanted;
use crate::kernels::conv::reference::{
    Epilogue, conv2d, conv2d_input_gradient, conv2d_weight_gradient,
};
use crate::kernels::conv::weights::Weights;
use crate::kernels::gpu::launch::{Buffer, Layout};
use crate::kernels::shape::{ConvShape, Geometry};
use crate::random::Random;

/// All of them. What is expected is computed when a kernel first asks for it, and kept.
#[derive(Debug)]
pub struct Cases {
    small: Vec<Case>,
    large: [Case; 2],
}

impl Default for Cases {
    fn default() -> Self {
        let conv = |channels: usize, m: usize, kernel: usize, stride: usize, groups: usize| {
            Case::new(ConvShape {
                images: 2,
                channels,
                m,
                size: [9, 11],
                kernel: [kernel; 2],
                geometry: Geometry {
                    stride,
                    padding: kernel / 2,
                    dilation: 1,
                    groups,
                },
            })
        };
        // More than one tile of rows and of columns, whichever way the kernel lays it out: the widest tile is 128, and
        // Winograd's has 16 outputs.
        let large = |m: usize| {
            Case::new(ConvShape {
                images: 3,
                channels: 12,
                m,
                size: [21, 19],
                kernel: [3; 2],
                geometry: Geometry {
                    stride: 1,
                    padding: 1,
                    dilation: 1,
                    groups: 1,
                },
            })
        };
        // Each odd one has another of whole fours of channels, for kernels that take no others.
        let small = vec![
            conv(7, 37, 3, 2, 1),
            conv(8, 36, 3, 2, 1),
            conv(19, 37, 1, 1, 1),
            conv(20, 36, 1, 1, 1),
            conv(7, 37, 3, 1, 1),
            conv(8, 36, 3, 1, 1),
            conv(1, 1, 3, 2, 5),
            conv(1, 1, 3, 2, 8),
            conv(3, 5, 3, 1, 3),
            conv(4, 8, 3, 1, 3),
            conv(8, 12, 3, 2, 3),
            conv(1, 1, 5, 1, 12),
        ];
        Self {
            small,
            large: [large(130), large(132)],
        }
    }
}

impl Cases {
    /// The small ones that a kernel can compute and the first of the large ones, on the device; none if that is no GPU.
    pub fn that(
        &self,
        device: &Device,
        can_apply: impl Fn(&ConvShape, &Weights) -> bool,
    ) -> Vec<(&Case, Weights)> {
        let applies = |case: &'_ Case| {
            let weights = case.weights(device)?;
            can_apply(&case.conv, &weights).then_some(weights)
        };
        let small = self.small.iter();
        let small = small.filter_map(|case| Some((case, applies(case)?)));
        let mut large = self.large.iter();
        let large = large.find_map(|case| Some((case, applies(case)?)));
        small.chain(large).collect()
    }
}

/// One convolution with random values in `[-1,1)`.
#[derive(Debug)]
pub struct Case {
    pub conv: ConvShape,
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    /// Like the result: its residual, or its gradient.
    residual: Vec<f32>,
    forward: OnceLock<Vec<f64>>,
    input_gradient: OnceLock<Vec<f64>>,
    weight_gradient: OnceLock<Vec<f64>>,
}

/// A case on a device.
pub struct Uploaded {
    pub x: Buffer,
    pub weights: Weights,
    pub bias: Buffer,
    pub residual: Buffer,
}

impl Case {
    fn new(conv: ConvShape) -> Self {
        let values = |purpose: &str, dims: &[usize]| -> Vec<f32> {
            let mut random = Random::for_purpose(0, purpose);
            (0..dims.iter().product())
                .map(|_| (2.0 * random.uniform() - 1.0) as f32)
                .collect()
        };
        let out = conv.out_dims();
        Self {
            conv,
            x: values("input", &conv.in_dims()),
            weight: values("weight", &weight_dims(&conv)),
            bias: values("bias", &[out[1]]),
            residual: values("residual", &out),
            forward: OnceLock::new(),
            input_gradient: OnceLock::new(),
            weight_gradient: OnceLock::new(),
        }
    }

    /// `relu(conv(x) + bias + residual)`.
    pub fn forward(&self) -> &[f64] {
        self.forward.get_or_init(|| {
            let epilogue = Epilogue {
                bias: Some(self.bias.as_slice()),
                residual: Some(self.residual.as_slice()),
                relu: true,
            };
            conv2d(&self.conv.reference(), &self.x, &self.weight, epilogue)
        })
    }

    /// A gradient, where [`Self::residual`] is that of the result.
    pub fn gradient(&self, wanted: Wanted) -> &[f64] {
        let shape = self.conv.reference();
        match wanted {
            Wanted::Input => self
                .input_gradient
                .get_or_init(|| conv2d_input_gradient(&shape, &self.weight, &self.residual)),
            Wanted::Weight => self
                .weight_gradient
                .get_or_init(|| conv2d_weight_gradient(&shape, &self.x, &self.residual)),
        }
    }

    /// How many products are summed for a value of a gradient.
    pub fn terms(&self, wanted: Wanted) -> usize {
        match wanted {
            Wanted::Input => self.conv.m * self.conv.kernel[0] * self.conv.kernel[1],
            Wanted::Weight => self.conv.images * self.conv.out_pixels(),
        }
    }

    fn weights(&self, device: &Device) -> Option<Weights> {
        let weight = upload(device, &self.weight, weight_dims(&self.conv))?;
        Some(Weights::new(weight, self.conv.geometry.groups))
    }

    /// All of it, images in this order; `None` if the device is no GPU.
    pub fn upload(&self, device: &Device, weights: Weights, layout: Layout) -> Option<Uploaded> {
        let images = |values: &[f32], dims: [usize; 4]| {
            let images = upload(device, values, dims)?.into_primitive();
            Buffer::in_layout(images, layout)
        };
        Some(Uploaded {
            x: images(&self.x, self.conv.in_dims())?,
            weights,
            bias: upload(device, &self.bias, [self.bias.len()])?,
            residual: images(&self.residual, self.conv.out_dims())?,
        })
    }
}

const fn weight_dims(conv: &ConvShape) -> [usize; 4] {
    let [height, width] = conv.kernel;
    [conv.m * conv.geometry.groups, conv.channels, height, width]
}

/// Values on the device; `None` if it is no GPU.
pub fn upload<const D: usize>(device: &Device, values: &[f32], dims: [usize; D]) -> Option<Buffer> {
    let data = TensorData::new(values.to_vec(), dims);
    Buffer::of(&Tensor::<D>::from_data(data, device))
}
