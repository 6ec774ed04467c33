//! Convolution in two dimensions and its three gradients.
//!
//! As in deep learning, hence a correlation:
//!
//! ```text
//! y[n,o,oy,ox] = b[o] + sum over c, ky, kx of
//!     w[o,c,ky,kx] * x[n, group(o)*C/G + c, oy*SH - PH + ky*DH, ox*SW - PW + kx*DW]
//! ```
//!
//! with zeros outside x. <https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>; the
//! gradients follow from it by the chain rule: every product of the sum hands `dy` times the one factor to
//! the other.

use crate::kernels::reference::{Number, check};
use crate::kernels::shape::{ConvShape, Geometry};

/// Sizes of a convolution. Pairs are rows, columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// N.
    pub batch: usize,
    /// C, a multiple of `groups`.
    pub in_channels: usize,
    /// O, a multiple of `groups`.
    pub out_channels: usize,
    /// G: inputs and outputs fall into so many groups that know nothing of each other.
    pub groups: usize,
    /// H, W.
    pub size: [usize; 2],
    /// KH, KW.
    pub kernel: [usize; 2],
    /// SH, SW: pixels of x from one output to the next.
    pub stride: [usize; 2],
    /// PH, PW: zeros round x, on each side.
    pub padding: [usize; 2],
    /// DH, DW: pixels of x from one weight to the next.
    pub dilation: [usize; 2],
}

impl Shape {
    /// OH, OW.
    ///
    /// # Panics
    /// If the kernel is larger than the padded image: there is no output then.
    #[must_use]
    pub fn out_size(&self) -> [usize; 2] {
        std::array::from_fn(|i| {
            let padded = self.size[i] + 2 * self.padding[i];
            let reach = self.dilation[i] * (self.kernel[i] - 1) + 1;
            assert!(reach <= padded, "{self:?}: no output");
            (padded - reach) / self.stride[i] + 1
        })
    }

    /// Values of x, `[N,C,H,W]`.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.batch * self.in_channels * self.size[0] * self.size[1]
    }

    /// Values of w, `[O,C/G,KH,KW]`.
    #[must_use]
    pub const fn weight_len(&self) -> usize {
        self.out_channels * self.reduction_len()
    }

    /// Values of y, `[N,O,OH,OW]`.
    #[must_use]
    pub fn output_len(&self) -> usize {
        let [height, width] = self.out_size();
        self.batch * self.out_channels * height * width
    }

    /// Products in one value of y.
    #[must_use]
    pub const fn reduction_len(&self) -> usize {
        self.in_channels / self.groups * self.kernel[0] * self.kernel[1]
    }

    /// Calls `f(x, w, y)` with the positions in memory of the factors and the sum of every product there is.
    fn for_each_product(&self, mut f: impl FnMut(usize, usize, usize)) {
        assert!(
            self.in_channels.is_multiple_of(self.groups)
                && self.out_channels.is_multiple_of(self.groups),
            "{self:?}: groups"
        );
        let [height, width] = self.size;
        let [kernel_height, kernel_width] = self.kernel;
        let [out_height, out_width] = self.out_size();
        let (group_in, group_out) = (
            self.in_channels / self.groups,
            self.out_channels / self.groups,
        );
        let mut y = 0;
        for n in 0..self.batch {
            for o in 0..self.out_channels {
                for oy in 0..out_height {
                    for ox in 0..out_width {
                        for c in 0..group_in {
                            let plane = n * self.in_channels + o / group_out * group_in + c;
                            for ky in 0..kernel_height {
                                let Some(iy) = self.input_index(0, oy, ky) else {
                                    continue;
                                };
                                for kx in 0..kernel_width {
                                    let Some(ix) = self.input_index(1, ox, kx) else {
                                        continue;
                                    };
                                    let x = (plane * height + iy) * width + ix;
                                    let w = ((o * group_in + c) * kernel_height + ky)
                                        * kernel_width
                                        + kx;
                                    f(x, w, y);
                                }
                            }
                        }
                        y += 1;
                    }
                }
            }
        }
    }

    /// The row (`axis` 0) or column (1) of x below a weight, none in the padding.
    fn input_index(&self, axis: usize, output: usize, weight: usize) -> Option<usize> {
        (output * self.stride[axis] + weight * self.dilation[axis])
            .checked_sub(self.padding[axis])
            .filter(|i| *i < self.size[axis])
    }
}

impl ConvShape {
    /// The same sizes as the reference takes them.
    #[must_use]
    pub const fn reference(&self) -> Shape {
        let Geometry {
            stride,
            padding,
            dilation,
            groups,
        } = self.geometry;
        Shape {
            batch: self.images,
            in_channels: groups * self.channels,
            out_channels: groups * self.m,
            groups,
            size: self.size,
            kernel: self.kernel,
            stride: [stride; 2],
            padding: [padding; 2],
            dilation: [dilation; 2],
        }
    }
}

/// What follows the convolution, in this order.
#[derive(Debug, Clone, Copy)]
pub struct Epilogue<'a, T> {
    /// `[O]`, added to each output channel.
    pub bias: Option<&'a [T]>,
    /// `[N,O,OH,OW]`, added.
    pub residual: Option<&'a [T]>,
    /// Whether what is negative then becomes 0.
    pub relu: bool,
}

impl<T> Epilogue<'_, T> {
    /// Nothing.
    pub const NONE: Self = Self {
        bias: None,
        residual: None,
        relu: false,
    };
}

/// x `[N,C,H,W]`, w `[O,C/G,KH,KW]`: y `[N,O,OH,OW]`.
///
/// # Panics
/// If a tensor is not as long as the shape says.
#[must_use]
pub fn conv2d<T: Number>(shape: &Shape, x: &[T], w: &[T], epilogue: Epilogue<T>) -> Vec<f64> {
    check("x", x, shape.input_len());
    check("w", w, shape.weight_len());
    let mut sums = vec![0.0; shape.output_len()];
    shape.for_each_product(|i, j, k| sums[k] += x[i].into() * w[j].into());

    let [height, width] = shape.out_size();
    if let Some(bias) = epilogue.bias {
        check("bias", bias, shape.out_channels);
        for (i, plane) in sums.chunks_exact_mut(height * width).enumerate() {
            let bias: f64 = bias[i % shape.out_channels].into();
            for y in plane {
                *y += bias;
            }
        }
    }
    if let Some(residual) = epilogue.residual {
        check("residual", residual, sums.len());
        for (y, residual) in sums.iter_mut().zip(residual) {
            *y += (*residual).into();
        }
    }
    if epilogue.relu {
        for y in &mut sums {
            *y = y.max(0.0);
        }
    }
    sums
}

/// w `[O,C/G,KH,KW]`, dy `[N,O,OH,OW]`: dx `[N,C,H,W]`.
///
/// # Panics
/// If a tensor is not as long as the shape says.
#[must_use]
pub fn conv2d_input_gradient<T: Number>(shape: &Shape, w: &[T], dy: &[T]) -> Vec<f64> {
    check("w", w, shape.weight_len());
    check("dy", dy, shape.output_len());
    let mut dx = vec![0.0; shape.input_len()];
    shape.for_each_product(|i, j, k| dx[i] += w[j].into() * dy[k].into());
    dx
}

/// x `[N,C,H,W]`, dy `[N,O,OH,OW]`: dw `[O,C/G,KH,KW]`.
///
/// # Panics
/// If a tensor is not as long as the shape says.
#[must_use]
pub fn conv2d_weight_gradient<T: Number>(shape: &Shape, x: &[T], dy: &[T]) -> Vec<f64> {
    check("x", x, shape.input_len());
    check("dy", dy, shape.output_len());
    let mut dw = vec![0.0; shape.weight_len()];
    shape.for_each_product(|i, j, k| dw[j] += x[i].into() * dy[k].into());
    dw
}

/// dy `[N,O,OH,OW]`: db `[O]`.
///
/// # Panics
/// If dy is not as long as the shape says.
#[must_use]
pub fn conv2d_bias_gradient<T: Number>(shape: &Shape, dy: &[T]) -> Vec<f64> {
    check("dy", dy, shape.output_len());
    let [height, width] = shape.out_size();
    let mut db = vec![0.0; shape.out_channels];
    for (i, plane) in dy.chunks_exact(height * width).enumerate() {
        db[i % shape.out_channels] += plane.iter().map(|v| (*v).into()).sum::<f64>();
    }
    db
}

/// Through a `ReLU`: y after it and dy, of any one shape, give the gradient before it, dy where y is positive.
///
/// # Panics
/// If the two differ in length.
#[must_use]
pub fn relu_gradient<T: Number>(y: &[T], dy: &[T]) -> Vec<f64> {
    check("dy", dy, y.len());
    let pairs = y.iter().zip(dy);
    pairs
        .map(|(y, dy)| if (*y).into() > 0.0 { (*dy).into() } else { 0.0 })
        .collect()
}
