//! The table of layers of a backbone with a head.

use serde::Serialize;

use super::head::{HeadSpec, Step};
use crate::error::Result;
use crate::network::graph::HeadName;
use crate::network::inspect::{Layer, layers};
use crate::network::{Arch, Graph};
use crate::weights::names;

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
/// [`Error::Setting`](crate::error::Error::Setting) for an input too small to leave a pixel, or absurdly large.
pub fn inspect(arch: Arch, graph: &Graph, head: &HeadSpec, size: usize) -> Result<Inspection> {
    let mut layers = layers(graph, arch.name(), size)?;
    push_head(&mut layers, head, &graph.head);
    Ok(Inspection {
        arch,
        input: vec![3, size, size],
        parameters: layers.iter().map(|layer| layer.parameters).sum(),
        multiply_adds: layers.iter().map(|layer| layer.multiply_adds).sum(),
        layers,
    })
}

fn push_head(layers: &mut Vec<Layer>, head: &HeadSpec, called: &HeadName) {
    let mut width = 0;
    for (index, step) in head.steps.iter().enumerate() {
        let name = names::of_head(called, &head.name(index));
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
