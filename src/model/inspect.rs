//! The layer table: every layer with its output shape, parameters and multiply-adds.
//!
//! Counted as the reference counts: multiply-adds of convolutions and linear layers only, parameters
//! without running statistics.

use serde::Serialize;

use super::head::{HeadSpec, Step};
use super::resnet::{Conv, ResNetConfig, pooled_size};
use crate::config::Arch;
use crate::error::{Error, Result};

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

/// A network, layer by layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Backbone.
    pub arch: Arch,
    /// Shape of the input, `[3,S,S]`.
    pub input: Vec<usize>,
    /// The rows.
    pub layers: Vec<Layer>,
    /// Sum of the rows' parameters.
    pub parameters: u64,
    /// Sum of the rows' multiply-adds.
    pub multiply_adds: u64,
}

/// The table for a backbone with a head on a square input of `size` pixels.
///
/// # Errors
/// [`Error::Shape`] for an input too small to leave a pixel after the last stage, or absurdly large.
pub fn inspect(arch: Arch, head: &HeadSpec, size: usize) -> Result<Inspection> {
    if !(1..=65_536).contains(&size) {
        return Err(Error::shape(
            "input size",
            format!("{size} is outside 1 to 65536"),
        ));
    }
    let layout = ResNetConfig::of(arch).layout();
    let mut layers = Vec::new();
    let mut size_now = push_conv(&mut layers, &layout.stem, size);
    size_now = pooled_size(size_now);
    let pooled = vec![layout.stem.output, size_now, size_now];
    layers.push(Layer::plain("maxpool", "max pool 3x3, stride 2", pooled));
    for block in layout.stages.iter().flatten() {
        let before = size_now;
        for conv in &block.convs {
            size_now = push_conv(&mut layers, conv, size_now);
        }
        if let Some(conv) = &block.downsample {
            push_conv(&mut layers, conv, before);
        }
    }
    let features = ResNetConfig::of(arch).features();
    layers.push(Layer::plain(
        "avgpool",
        "global average pool",
        vec![features],
    ));
    push_head(&mut layers, head);
    Ok(Inspection {
        arch,
        input: vec![3, size, size],
        parameters: layers.iter().map(|layer| layer.parameters).sum(),
        multiply_adds: layers.iter().map(|layer| layer.multiply_adds).sum(),
        layers,
    })
}

impl Layer {
    fn plain(name: &str, kind: &str, output: Vec<usize>) -> Self {
        Self {
            name: name.to_string(),
            kind: kind.to_string(),
            output,
            parameters: 0,
            multiply_adds: 0,
        }
    }
}

/// Adds a convolution and its norm; gives the edge of their output.
fn push_conv(layers: &mut Vec<Layer>, conv: &Conv, size: usize) -> usize {
    let edge = conv.output_size(size);
    let output = vec![conv.output, edge, edge];
    let parameters = conv.weight_shape().iter().product::<usize>() as u64;
    let (k, s) = (conv.kernel, conv.stride);
    let mut kind = format!("conv {k}x{k}");
    if s > 1 {
        kind += &format!(", stride {s}");
    }
    if conv.groups > 1 {
        kind += &format!(", {} groups", conv.groups);
    }
    layers.push(Layer {
        name: conv.name.clone(),
        kind,
        output: output.clone(),
        parameters,
        multiply_adds: parameters * (edge * edge) as u64,
    });
    layers.push(Layer {
        parameters: 2 * conv.output as u64,
        ..Layer::plain(&conv.norm, "batch norm", output)
    });
    edge
}

fn push_head(layers: &mut Vec<Layer>, head: &HeadSpec) {
    let mut width = 0;
    for (index, step) in head.steps.iter().enumerate() {
        let name = head.name(index);
        layers.push(match *step {
            Step::Linear { input, output } => {
                width = output;
                Layer {
                    parameters: (input * output + output) as u64,
                    multiply_adds: (input * output) as u64,
                    ..Layer::plain(&name, "linear", vec![output])
                }
            }
            Step::BatchNorm(n) => Layer {
                parameters: 2 * n as u64,
                ..Layer::plain(&name, "batch norm", vec![n])
            },
            Step::Relu => Layer::plain(&name, "ReLU", vec![width]),
            Step::Dropout(p) => Layer::plain(&name, &format!("dropout {p}"), vec![width]),
        });
    }
}
