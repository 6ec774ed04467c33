//! The layer table: every layer with its output shape, parameters and multiply-adds.
//!
//! Counted as the reference counts: multiply-adds of convolutions and linear layers only, parameters
//! without running statistics.

use serde::Serialize;

use super::arch::features;
use super::head::{HeadSpec, Step};
use super::layers::{Conv, Norm, Plain, pooled_size};
use super::resnet::{self, ResNetConfig};
use super::{densenet, efficientnet};
use crate::config::{Arch, Family};
use crate::error::{Error, Result};
use crate::weights::names;

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
/// [`Error::Setting`] for an input too small to leave a pixel after the last stage, or absurdly large.
pub fn inspect(arch: Arch, head: &HeadSpec, size: usize) -> Result<Inspection> {
    if !(1..=65_536).contains(&size) {
        return Err(Error::setting(
            "input size",
            format!("{size} is outside 1 to 65536"),
        ));
    }
    let mut table = Table {
        layers: Vec::new(),
        size,
    };
    match arch.family() {
        Family::ResNet => table.resnet(&ResNetConfig::of(arch).layout()),
        Family::DenseNet => table.densenet(&densenet::Layout::of(arch)),
        Family::EfficientNet => table.efficientnet(&efficientnet::Layout::of(arch)),
    }
    if table.size == 0 {
        let reason = format!("of {size} pixels nothing is left after {}", arch.name());
        return Err(Error::setting("input size", reason));
    }
    let mut layers = table.layers;
    let features = vec![features(arch)];
    layers.push(Layer::plain("avgpool", "global average pool", features));
    push_head(&mut layers, head, arch.family());
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

/// The rows so far, and the edge of what goes into the next layer.
struct Table {
    layers: Vec<Layer>,
    size: usize,
}

impl Table {
    fn resnet(&mut self, layout: &resnet::Layout) {
        self.conv(&layout.stem);
        self.stem_pool("maxpool", layout.stem.output);
        for block in layout.stages.iter().flatten() {
            let before = self.size;
            block.convs.iter().for_each(|conv| self.conv(conv));
            if let Some(conv) = &block.downsample {
                self.size = before;
                self.conv(conv);
            }
        }
    }

    fn densenet(&mut self, layout: &densenet::Layout) {
        self.conv(&layout.stem);
        self.stem_pool("features.pool0", layout.stem.output);
        for block in &layout.blocks {
            for layer in &block.layers {
                self.norm(&layer.norm);
                self.conv(&layer.squeeze);
                self.plain(&layer.grow);
            }
            if let Some(transition) = &block.transition {
                self.norm(&transition.norm);
                self.plain(&transition.conv);
                self.size /= 2;
                let name = format!("{}.pool", transition.name);
                self.pool(&name, "average pool 2x2, stride 2", transition.conv.output);
            }
            if self.size == 0 {
                return;
            }
        }
        self.norm(&layout.norm);
    }

    fn efficientnet(&mut self, layout: &efficientnet::Layout) {
        self.conv(&layout.stem);
        for block in layout.stages.iter().flatten() {
            block.expand.iter().for_each(|conv| self.conv(conv));
            self.conv(&block.depthwise);
            // The two small ones see each plane's mean.
            let planes = std::mem::replace(&mut self.size, 1);
            self.plain(&block.squeeze);
            self.plain(&block.excite);
            self.size = planes;
            self.conv(&block.project);
        }
        self.conv(&layout.head);
    }

    /// A convolution and its norm.
    fn conv(&mut self, conv: &Conv) {
        self.size = conv.output_size(self.size);
        let mut kind = format!("conv {0}x{0}", conv.kernel);
        if conv.stride > 1 {
            kind += &format!(", stride {}", conv.stride);
        }
        if conv.groups > 1 {
            kind += &format!(", {} groups", conv.groups);
        }
        self.weights(&conv.name, &kind, conv.weight_shape());
        self.norm(&Norm::new(&conv.norm, conv.output));
    }

    /// A convolution without norm.
    fn plain(&mut self, conv: &Plain) {
        let mut kind = format!("conv {0}x{0}", conv.kernel);
        if conv.bias {
            kind += ", bias";
        }
        self.weights(&conv.name, &kind, conv.weight_shape());
        if conv.bias
            && let Some(row) = self.layers.last_mut()
        {
            row.parameters += conv.output as u64;
        }
    }

    /// A row for weights `[O,C/G,K,K]`.
    fn weights(&mut self, name: &str, kind: &str, shape: [usize; 4]) {
        let parameters = shape.iter().product::<usize>() as u64;
        self.layers.push(Layer {
            parameters,
            multiply_adds: parameters * (self.size * self.size) as u64,
            ..Layer::plain(name, kind, vec![shape[0], self.size, self.size])
        });
    }

    fn norm(&mut self, norm: &Norm) {
        let output = vec![norm.channels, self.size, self.size];
        self.layers.push(Layer {
            parameters: 2 * norm.channels as u64,
            ..Layer::plain(&norm.name, "batch norm", output)
        });
    }

    fn stem_pool(&mut self, name: &str, channels: usize) {
        self.size = pooled_size(self.size);
        self.pool(name, "max pool 3x3, stride 2", channels);
    }

    fn pool(&mut self, name: &str, kind: &str, channels: usize) {
        let output = vec![channels, self.size, self.size];
        self.layers.push(Layer::plain(name, kind, output));
    }
}

fn push_head(layers: &mut Vec<Layer>, head: &HeadSpec, family: Family) {
    let mut width = 0;
    for (index, step) in head.steps.iter().enumerate() {
        let name = names::of_head(family, &head.name(index));
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
