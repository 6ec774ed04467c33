//! What the descriptions of the backbones are made of: convolutions and norms with the names that their
//! tensors have in a checkpoint.

use crate::kernels::shape::Geometry;

/// A tensor that a checkpoint is to hold: name and shape.
pub type Shaped = (String, Vec<usize>);

/// The parts of a batch norm, in torch's order.
pub(super) const NORM: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

/// A convolution without bias and the batch norm behind it. Padding keeps the size: kernel / 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conv {
    /// Name of the convolution in a checkpoint.
    pub name: String,
    /// Name of the batch norm in a checkpoint.
    pub norm: String,
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
    /// Edge of the square kernel.
    pub kernel: usize,
    /// Stride in both directions.
    pub stride: usize,
    /// Groups.
    pub groups: usize,
}

impl Conv {
    pub(super) fn new(
        name: &str,
        norm: &str,
        [input, output]: [usize; 2],
        kernel: usize,
        stride: usize,
        groups: usize,
    ) -> Self {
        Self {
            name: name.to_string(),
            norm: norm.to_string(),
            input,
            output,
            kernel,
            stride,
            groups,
        }
    }

    /// Zeros added on each side.
    #[must_use]
    pub const fn padding(&self) -> usize {
        self.kernel / 2
    }

    /// What it is apart from its weights.
    #[must_use]
    pub const fn geometry(&self) -> Geometry {
        Geometry {
            stride: self.stride,
            padding: self.padding(),
            dilation: 1,
            groups: self.groups,
        }
    }

    /// Shape of the weight, `[output, input / groups, kernel, kernel]`.
    #[must_use]
    pub const fn weight_shape(&self) -> [usize; 4] {
        [
            self.output,
            self.input / self.groups,
            self.kernel,
            self.kernel,
        ]
    }

    /// Edge of the output for a square input of that edge.
    #[must_use]
    pub const fn output_size(&self, size: usize) -> usize {
        (size + 2 * self.padding() - self.kernel) / self.stride + 1
    }

    /// The tensors of convolution and norm, with torchvision's names.
    pub(super) fn tensors(&self) -> impl Iterator<Item = Shaped> {
        let weight = (
            format!("{}.weight", self.name),
            self.weight_shape().to_vec(),
        );
        let norm = Norm::new(&self.norm, self.output);
        std::iter::once(weight).chain(norm.tensors())
    }
}

/// A convolution with no norm behind it: stride 1, one group, padding keeps the size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// Name in a checkpoint.
    pub name: String,
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
    /// Edge of the square kernel.
    pub kernel: usize,
    /// Whether there is a bias.
    pub bias: bool,
}

impl Plain {
    /// What it is apart from its weights.
    #[must_use]
    pub const fn geometry(&self) -> Geometry {
        Geometry {
            stride: 1,
            padding: self.kernel / 2,
            dilation: 1,
            groups: 1,
        }
    }

    /// Shape of the weight, `[output, input, kernel, kernel]`.
    #[must_use]
    pub const fn weight_shape(&self) -> [usize; 4] {
        [self.output, self.input, self.kernel, self.kernel]
    }

    /// Its tensors, with torchvision's names.
    pub(super) fn tensors(&self) -> impl Iterator<Item = Shaped> {
        let weight = (
            format!("{}.weight", self.name),
            self.weight_shape().to_vec(),
        );
        let bias = self
            .bias
            .then(|| (format!("{}.bias", self.name), vec![self.output]));
        std::iter::once(weight).chain(bias)
    }
}

/// A batch norm with no convolution before it to fold into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Norm {
    /// Name in a checkpoint.
    pub name: String,
    /// Channels.
    pub channels: usize,
}

impl Norm {
    pub(super) fn new(name: &str, channels: usize) -> Self {
        let name = name.to_string();
        Self { name, channels }
    }

    /// Its tensors, with torchvision's names.
    pub(super) fn tensors(&self) -> [Shaped; 4] {
        NORM.map(|part| (format!("{}.{part}", self.name), vec![self.channels]))
    }
}

/// Edge after the stem's 3x3 max pool, stride 2, padding 1.
#[must_use]
pub const fn pooled_size(size: usize) -> usize {
    (size + 2 - 3) / 2 + 1
}
