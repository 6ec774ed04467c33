//! The table of layers: each with its output shape, parameters and multiply-adds.
//!
//! Counted as the reference counts: multiply-adds of convolutions and linear layers only, parameters
//! without running statistics.

use serde::{Deserialize, Serialize};

use super::graph::{Activation, Conv, Graph, Node, Op, Padding, Pool};
use super::shape::Shape;
use crate::error::{Error, Result};

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Name in a checkpoint, or of the operation where there are no weights.
    pub name: String,
    /// What it does, in a word or two.
    pub kind: String,
    /// Shape of one image's output: `[C,H,W]` or `[C]`.
    pub output: Vec<usize>,
    /// Trainable values.
    pub parameters: u64,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
}

impl Layer {
    /// A layer without weights.
    #[must_use]
    pub fn plain(name: &str, kind: &str, output: Vec<usize>) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            output,
            parameters: 0,
            multiply_adds: 0,
        }
    }
}

/// What a network costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Trainable values.
    pub parameters: u64,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
}

impl Cost {
    /// Classes of ImageNet, which published counts are for.
    const CLASSES: u64 = 1000;

    /// The cost of a network with a linear layer for ImageNet's 1000 classes on a square image of `size` pixels.
    ///
    /// # Errors
    /// As [`layers`].
    pub fn of(graph: &Graph, name: &str, size: usize) -> Result<Self> {
        let rows = layers(graph, name, size)?;
        let head = Self::head(graph.features());
        Ok(Self {
            parameters: rows.iter().map(|row| row.parameters).sum::<u64>() + head.parameters,
            multiply_adds: rows.iter().map(|row| row.multiply_adds).sum::<u64>()
                + head.multiply_adds,
        })
    }

    /// That of the linear layer alone.
    #[must_use]
    pub const fn head(features: usize) -> Self {
        let features = features as u64;
        Self {
            parameters: (features + 1) * Self::CLASSES,
            multiply_adds: features * Self::CLASSES,
        }
    }
}

/// The rows of a network on a square image of `size` pixels, without a head: what has weights, and what has a name.
///
/// # Errors
/// [`Error::Setting`] for an input too small to leave a pixel, or absurdly large.
pub fn layers(graph: &Graph, name: &str, size: usize) -> Result<Vec<Layer>> {
    if !(1..=65_536).contains(&size) {
        let reason = format!("{size} is outside 1 to 65536");
        return Err(Error::setting("input size", reason));
    }
    let shapes = shapes(graph, name, size)?;
    let named = graph.nodes.iter().zip(shapes);
    Ok(named
        .filter(|(node, _)| !node.name.is_empty())
        .map(|(node, shape)| row(node, shape))
        .collect())
}

/// Refuses images too small for a network.
///
/// # Errors
/// As [`layers`].
pub fn check_size(graph: &Graph, name: &str, size: usize) -> Result<()> {
    shapes(graph, name, size).map(drop)
}

fn shapes(graph: &Graph, name: &str, size: usize) -> Result<Vec<Shape>> {
    graph.shapes([size; 2]).map_err(|why| {
        let reason = format!("of {size} pixels nothing is left in {name}: {why}");
        Error::setting("input size", reason)
    })
}

fn row(node: &Node, shape: Shape) -> Layer {
    let [c, ..] = shape;
    let output = match node.op {
        Op::GlobalAvgPool | Op::Flatten | Op::Linear(_) => vec![c],
        _ => shape.to_vec(),
    };
    Layer {
        parameters: node.parameters(),
        multiply_adds: multiply_adds(&node.op, shape),
        ..Layer::plain(&node.name, &kind(&node.op), output)
    }
}

/// Multiply-adds of a node for one image, given its output.
#[must_use]
pub fn multiply_adds(op: &Op, [_, height, width]: Shape) -> u64 {
    match op {
        Op::Conv(conv) => {
            let weights = conv.weight_shape().iter().product::<usize>();
            weights as u64 * (height * width) as u64
        }
        Op::Linear(linear) => (linear.input * linear.output) as u64,
        _ => 0,
    }
}

/// What a node does, in a word or two.
#[must_use]
pub fn kind(op: &Op) -> String {
    match op {
        Op::Input(_) => "image".to_owned(),
        Op::Conv(conv) => conv_kind(conv),
        Op::Norm(_) => "batch norm".to_owned(),
        Op::Activation(activation) => match activation {
            Activation::Relu => "ReLU",
            Activation::Relu6 => "ReLU6",
            Activation::Silu => "SiLU",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
        }
        .to_owned(),
        Op::MaxPool(pool) => pool_kind("max", pool),
        Op::AvgPool(pool) => pool_kind("average", pool),
        Op::AdaptiveAvgPool([rows, columns]) => format!("average pool to {rows}x{columns}"),
        Op::GlobalAvgPool => "global average pool".to_owned(),
        Op::Add => "sum".to_owned(),
        Op::Concat => "concatenation".to_owned(),
        Op::Scale => "scale by channel".to_owned(),
        Op::Multiply(by) => format!("times {by}"),
        Op::Pad(_) => "zeros at the edges".to_owned(),
        Op::Lrn(_) => "local response norm".to_owned(),
        Op::Dropout(p) => format!("dropout {p}"),
        Op::StochasticDepth(p) => format!("stochastic depth {p:.3}"),
        Op::Flatten => "flatten".to_owned(),
        Op::Linear(_) => "linear".to_owned(),
    }
}

fn conv_kind(conv: &Conv) -> String {
    let [rows, columns] = conv.kernel;
    let mut kind = format!("conv {rows}x{columns}");
    if conv.stride > 1 {
        kind += &format!(", stride {}", conv.stride);
    }
    if conv.dilation > 1 {
        kind += &format!(", dilation {}", conv.dilation);
    }
    if conv.groups > 1 {
        kind += &format!(", {} groups", conv.groups);
    }
    if conv.padding == Padding::Same {
        kind += ", same";
    }
    if conv.bias {
        kind += ", bias";
    }
    kind
}

fn pool_kind(what: &str, pool: &Pool) -> String {
    format!("{what} pool {0}x{0}, stride {1}", pool.kernel, pool.stride)
}
