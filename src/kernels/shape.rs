//! Sizes of a convolution and of a pooling as the kernels see them.

use burn::tensor::ops::ConvOptions;

/// Bytes of a tensor of `f32`. In 64 bits: in the browser `usize` has 32, and a batch too large for the GPU
/// is not to look small.
#[must_use]
pub fn bytes_of(dims: &[usize]) -> u64 {
    let values = dims.iter().map(|&n| n as u64);
    values.product::<u64>() * size_of::<f32>() as u64
}

/// The sizes `[N,C,H,W]` as `[N,H,W,C]`.
#[must_use]
pub const fn channels_last([images, channels, height, width]: [usize; 4]) -> [usize; 4] {
    [images, height, width, channels]
}

/// What a kernel takes: the same number on both axes, as every backbone here has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Pixels of the input from one output to the next.
    pub stride: usize,
    /// Zeros round the input, on each side.
    pub padding: usize,
    /// Pixels of the input from one weight to the next.
    pub dilation: usize,
    /// Inputs and outputs fall into so many groups.
    pub groups: usize,
}

impl Geometry {
    /// The same as burn's convolutions take it.
    #[must_use]
    pub fn options(self) -> ConvOptions<2> {
        let Self {
            stride,
            padding,
            dilation,
            groups,
        } = self;
        ConvOptions::new([stride; 2], [padding; 2], [dilation; 2], groups)
    }
}

/// A convolution on tensors of known sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// N.
    pub images: usize,
    /// Input channels of one group.
    pub channels: usize,
    /// Output channels of one group.
    pub m: usize,
    /// H, W.
    pub size: [usize; 2],
    /// KH, KW.
    pub kernel: [usize; 2],
    /// Stride and the like.
    pub geometry: Geometry,
}

impl ConvShape {
    /// From `x` `[N,C,H,W]` and `weight` `[O,C/G,KH,KW]`; nothing if they do not fit each other or there
    /// is no output.
    #[must_use]
    pub fn of(x: [usize; 4], weight: [usize; 4], geometry: Geometry) -> Option<Self> {
        let [images, in_channels, height, width] = x;
        let [out_channels, channels, kernel_h, kernel_w] = weight;
        let Geometry { groups, .. } = geometry;
        let conv = Self {
            images,
            channels,
            m: out_channels / groups.max(1),
            size: [height, width],
            kernel: [kernel_h, kernel_w],
            geometry,
        };
        let padded = |i: usize| conv.size[i] + 2 * geometry.padding;
        let fits = groups > 0
            && geometry.stride > 0
            && geometry.dilation > 0
            && channels * groups == in_channels
            && conv.m * groups == out_channels
            && (0..2).all(|i| conv.kernel[i] > 0 && conv.reach(i) <= padded(i));
        fits.then_some(conv)
    }

    /// Pixels of the input under the kernel, along an axis.
    const fn reach(&self, axis: usize) -> usize {
        self.geometry.dilation * (self.kernel[axis] - 1) + 1
    }

    /// OH, OW.
    #[must_use]
    pub fn out_size(&self) -> [usize; 2] {
        std::array::from_fn(|i| {
            let free = self.size[i] + 2 * self.geometry.padding - self.reach(i);
            free / self.geometry.stride + 1
        })
    }

    /// Pixels of an output plane.
    #[must_use]
    pub fn out_pixels(&self) -> usize {
        let [height, width] = self.out_size();
        height * width
    }

    /// Products in one output: the length of the sum.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.channels * self.kernel[0] * self.kernel[1]
    }

    /// `[N,O,OH,OW]`.
    #[must_use]
    pub fn out_dims(&self) -> [usize; 4] {
        let [height, width] = self.out_size();
        [self.images, self.geometry.groups * self.m, height, width]
    }

    /// `[N,C,H,W]`.
    #[must_use]
    pub const fn in_dims(&self) -> [usize; 4] {
        let [height, width] = self.size;
        [
            self.images,
            self.geometry.groups * self.channels,
            height,
            width,
        ]
    }

    /// Floating point operations of the definition: two a product.
    #[must_use]
    pub fn flops(&self) -> f64 {
        let outputs: usize = self.out_dims().iter().product();
        2.0 * outputs as f64 * self.depth() as f64
    }
}

/// Sizes of a max pooling. Pairs are rows, columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolShape {
    /// N * C.
    pub planes: usize,
    /// H, W.
    pub size: [usize; 2],
    /// Rows and columns of the window.
    pub kernel: [usize; 2],
    /// Pixels of x from one window to the next.
    pub stride: [usize; 2],
    /// Pixels added round x, on each side; they never win.
    pub padding: [usize; 2],
}

impl PoolShape {
    /// OH, OW.
    ///
    /// # Panics
    /// If the window is larger than the padded image: there is no output then.
    #[must_use]
    pub fn out_size(&self) -> [usize; 2] {
        std::array::from_fn(|i| {
            let padded = self.size[i] + 2 * self.padding[i];
            assert!(self.kernel[i] <= padded, "{self:?}: no output");
            (padded - self.kernel[i]) / self.stride[i] + 1
        })
    }
}
