//! Convolution with its gradients on the CPU, natively and in the browser.
//!
//! burn's own gradients of a convolution are made of other ops (a transposed convolution, a convolution of
//! transposed tensors), which took ten times as long as the forward pass. Here all three are one loop over
//! registers, [`crate::kernels::simd::lanes`], with different lists of offsets: [`gather`] computes the
//! outputs and the gradient of the input, [`weight_gradient`] that of the weights and the bias, [`pixels`]
//! the outputs of one small image, [`winograd`] all three of a 3x3 convolution with [`transforms`].

pub mod gather;
pub mod pixels;
pub mod transforms;
pub mod weight_gradient;
pub mod winograd;
