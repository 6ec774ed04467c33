//! The `EfficientNet` family as one description: one network, made wider and deeper by two factors.
//!
//! Source: Tan and Le 2019 (arXiv:1905.11946), table 1; the block is the inverted residual of Sandler et
//! al. 2018 (arXiv:1801.04381) with the squeeze-and-excitation of Hu et al. 2017 (arXiv:1709.01507).
//! Rounding and names are torchvision's; its norms have eps 1e-5 from b0 to b4 (1e-3 only from b5 on).

use super::layers::{Conv, Plain, Shaped};
use crate::config::Arch;

/// Stages between the stem and the last convolution.
pub const STAGES: usize = 7;

/// A row of the paper's table 1, for b0.
struct Row {
    /// Channels inside a block over those that go in.
    expansion: usize,
    kernel: usize,
    /// Of the first block; the others have 1.
    stride: usize,
    channels: usize,
    blocks: usize,
}

const fn row(expansion: usize, kernel: usize, stride: usize, channels: usize, n: usize) -> Row {
    Row {
        expansion,
        kernel,
        stride,
        channels,
        blocks: n,
    }
}

const ROWS: [Row; STAGES] = [
    row(1, 3, 1, 16, 1),
    row(6, 3, 2, 24, 2),
    row(6, 5, 2, 40, 2),
    row(6, 3, 2, 80, 3),
    row(6, 5, 1, 112, 3),
    row(6, 5, 2, 192, 4),
    row(6, 3, 1, 320, 1),
];

/// Channels after the stem of b0.
const STEM: usize = 32;

/// The last convolution's width over that of the last stage.
const HEAD: usize = 4;

/// How much wider and deeper than b0, in tenths: whole numbers, so that rounding has no doubtful cases.
const fn factors(arch: Arch) -> (usize, usize) {
    match arch {
        Arch::EfficientNetB0 => (10, 10),
        Arch::EfficientNetB1 => (10, 11),
        Arch::EfficientNetB2 => (11, 12),
        Arch::EfficientNetB3 => (12, 14),
        Arch::EfficientNetB4 => (14, 18),
        _ => panic!("no EfficientNet"),
    }
}

/// `channels * tenths / 10` to the nearest multiple of 8, but never less than nine tenths of it.
const fn widened(channels: usize, tenths: usize) -> usize {
    let exact = channels * tenths;
    let near = (exact + 40) / 80 * 8;
    let near = if near < 8 { 8 } else { near };
    if 100 * near < 9 * exact {
        near + 8
    } else {
        near
    }
}

/// Width of the pooled features, C.
///
/// # Panics
/// If `arch` is of another family: a bug in the caller.
#[must_use]
pub const fn features(arch: Arch) -> usize {
    HEAD * widened(ROWS[STAGES - 1].channels, factors(arch).0)
}

/// An inverted residual block: `project(excited(depthwise(expand(x)))) + x`, the sum only where shapes
/// allow; SiLU after `expand` and `depthwise`, nothing after `project`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MbConv {
    /// To more channels, 1x1; none in the first stage.
    pub expand: Option<Conv>,
    /// Each channel by itself, 3x3 or 5x5.
    pub depthwise: Conv,
    /// `fc1`: the means of the planes, `[N,C,1,1]`, to a few values; SiLU.
    pub squeeze: Plain,
    /// `fc2`: those to a factor for each plane; sigmoid.
    pub excite: Plain,
    /// Back to few channels, 1x1.
    pub project: Conv,
    /// Whether the input is added.
    pub residual: bool,
}

/// Every layer of a backbone, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `features.0`, 3x3 with stride 2; SiLU.
    pub stem: Conv,
    /// `features.1` to `features.7`.
    pub stages: Vec<Vec<MbConv>>,
    /// `features.8`, 1x1; SiLU.
    pub head: Conv,
}

impl Layout {
    /// The member of that name.
    ///
    /// # Panics
    /// If it is of another family: a bug in the caller.
    #[must_use]
    pub fn of(arch: Arch) -> Self {
        let (width, depth) = factors(arch);
        let mut channels = widened(STEM, width);
        let stem = conv("features.0", [3, channels], 3, 2, 1);
        let mut stages = Vec::new();
        for (index, row) in ROWS.iter().enumerate() {
            let output = widened(row.channels, width);
            let blocks = (0..(row.blocks * depth).div_ceil(10)).map(|block| {
                let name = format!("features.{}.{block}.block", index + 1);
                let stride = if block == 0 { row.stride } else { 1 };
                let input = std::mem::replace(&mut channels, output);
                mb_conv(&name, row, [input, output], stride)
            });
            stages.push(blocks.collect());
        }
        let head = conv(
            &format!("features.{}", STAGES + 1),
            [channels, HEAD * channels],
            1,
            1,
            1,
        );
        Self { stem, stages, head }
    }

    /// Names and shapes of all float tensors of the backbone (no `classifier`, no `num_batches_tracked`).
    #[must_use]
    pub fn tensors(&self) -> Vec<Shaped> {
        let mut out: Vec<_> = self.stem.tensors().collect();
        for block in self.stages.iter().flatten() {
            out.extend(block.expand.iter().flat_map(Conv::tensors));
            out.extend(block.depthwise.tensors());
            out.extend(block.squeeze.tensors());
            out.extend(block.excite.tensors());
            out.extend(block.project.tensors());
        }
        out.extend(self.head.tensors());
        out
    }
}

/// A convolution `NAME.0` and its norm `NAME.1`.
fn conv(name: &str, io: [usize; 2], kernel: usize, stride: usize, groups: usize) -> Conv {
    let (conv, norm) = (format!("{name}.0"), format!("{name}.1"));
    Conv::new(&conv, &norm, io, kernel, stride, groups)
}

/// The steps of a block are numbered; without an expansion the numbers begin one step later.
fn mb_conv(name: &str, row: &Row, [input, output]: [usize; 2], stride: usize) -> MbConv {
    let inner = input * row.expansion;
    let squeezed = (input / 4).max(1);
    let first = usize::from(inner != input);
    let step = |n: usize| format!("{name}.{}", first + n);
    let dense = |part: &str, input, output| Plain {
        name: format!("{}.{part}", step(1)),
        input,
        output,
        kernel: 1,
        bias: true,
    };
    MbConv {
        expand: (inner != input).then(|| conv(&format!("{name}.0"), [input, inner], 1, 1, 1)),
        depthwise: conv(&step(0), [inner, inner], row.kernel, stride, inner),
        squeeze: dense("fc1", inner, squeezed),
        excite: dense("fc2", squeezed, inner),
        project: conv(&step(2), [inner, output], 1, 1, 1),
        residual: stride == 1 && input == output,
    }
}
