//! A network from an `.onnx` file.
//!
//! Nothing of a file is believed, and nothing in it is run: sizes are checked against what is there, what takes constants
//! only is computed here, and each other node must be one that [`Op`](crate::network::graph::Op) knows.

mod arithmetic;
mod bounds;
mod build;
mod constant;
mod finish;
mod fold;
mod front;
mod layers;
mod names;
mod network;
mod node;
mod pools;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use prost::Message;

use self::constant::Const;
use self::front::Front;
use self::network::{Network, Value};
use super::proto::{GraphProto, Model, Size, ValueInfo, data_type};
use super::{HEAD_LAYERS, HEAD_NAME, INPUT_KIND};
use crate::error::{Error, Result};
use crate::network::Graph;
use crate::network::head::HeadSpec;
use crate::weights::{Checkpoint, Dtype, StoredTensor, first_few, names_beside};

/// Most bytes of a file.
pub const MOST_BYTES: usize = i32::MAX as usize;

/// The oldest version of the operators that is read; before it, norms and sums were written otherwise.
const OLDEST: i64 = 7;

/// Most nodes; the largest classifiers have a tenth of it.
const MOST_NODES: usize = 20_000;

/// A network that was read.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The backbone, from images `[N,3,S,S]` to features `[N,C,1,1]`, in up to four stages.
    pub graph: Graph,
    /// What stands on it: the last linear layer, or as many as the file says.
    pub head: HeadSpec,
    /// The tensors of both, under the names of [`Graph::tensors`] and [`HeadSpec::tensors`]; names of the outputs, where
    /// the file has them; what the user should know; and what it says of itself, to which `input`, `mean` and `std` are added where they were found
    /// in the network.
    pub checkpoint: Checkpoint,
    /// Edge of the images, S, in pixels.
    pub size: usize,
    /// Whether the file takes images of that size only.
    pub fixed_size: bool,
    /// Mean and deviation by which the network normalised its images itself, in 0..1; they are no part of `graph`.
    pub mean_std: Option<([f32; 3], [f32; 3])>,
}

/// Reads a classifier. `file` is for messages.
///
/// # Errors
/// [`Error::Weights`]: no ONNX, a damaged or lying file, weights in another file, another kind of network; of
/// operations that are not known it names all, with their nodes.
pub fn import(file: &str, bytes: &[u8]) -> Result<Imported> {
    let fail = |reason: String| Error::weights(file, reason);
    if bytes.len() > MOST_BYTES {
        return Err(fail("is larger than an .onnx file can be".into()));
    }
    bounds::check(bytes).map_err(fail)?;
    let mut model = Model::decode(bytes).map_err(|e| fail(format!("is no ONNX file: {e}")))?;
    let Some(graph) = model.graph.take() else {
        return Err(fail("is no ONNX file: it has no graph".into()));
    };
    let own = (model.opset_import.iter())
        .find(|set| matches!(set.domain.as_deref(), None | Some("" | "ai.onnx")));
    let version = own.and_then(|set| set.version).unwrap_or(1);
    if version < OLDEST {
        let reason = format!(
            "is of opset {version}, and {OLDEST} or later is read; export it anew, or convert it by onnx.version_converter"
        );
        return Err(fail(reason));
    }
    let metadata: BTreeMap<String, String> = (model.metadata_props.into_iter())
        .filter_map(|entry| Some((entry.key?, entry.value.unwrap_or_default())))
        .collect();
    read(file, graph, metadata).map_err(fail)
}

fn read(
    file: &str,
    mut graph: GraphProto,
    mut metadata: BTreeMap<String, String>,
) -> std::result::Result<Imported, String> {
    if graph.node.len() > MOST_NODES {
        return Err(format!(
            "has {} nodes, and no classifier has",
            graph.node.len()
        ));
    }
    let mut total = 0usize;
    let mut constants = HashMap::new();
    for mut tensor in std::mem::take(&mut graph.initializer) {
        let name = tensor.name.take().unwrap_or_default();
        let shown = || name.chars().take(80).collect::<String>();
        let value =
            Const::read(&mut tensor).map_err(|reason| format!("tensor {} {reason}", shown()))?;
        total = total.saturating_add(value.len());
        if constants
            .insert(name.clone(), Value::Const(value))
            .is_some()
        {
            return Err(format!("has the tensor {} twice", shown()));
        }
    }
    let inputs: Vec<&ValueInfo> = (graph.input.iter())
        .filter(|input| !constants.contains_key(input.name.as_deref().unwrap_or("")))
        .collect();
    let [input] = inputs[..] else {
        return Err(format!(
            "takes {} inputs, and images alone are expected",
            inputs.len()
        ));
    };
    let (sizes, kind) = input_type(input);
    let front = Front::new(&sizes)?;
    let fixed = front.size.iter().all(Option::is_some);
    let mut network = Network::new(input.name.as_deref().unwrap_or(""), front, constants, total);
    network.bytes = kind == data_type::UINT8;
    let said = metadata.get("input").and_then(|text| text.parse().ok());
    network.default_size = said
        .filter(|n| (1..=front::MOST_SIZE).contains(n))
        .unwrap_or(224);
    let taken = graph.node.iter().flat_map(|node| &node.input);
    for name in taken.chain(
        graph
            .output
            .iter()
            .filter_map(|output| output.name.as_ref()),
    ) {
        *network.uses.entry(name.clone()).or_default() += 1;
    }
    for node in &graph.node {
        network.step(node)?;
    }
    let (output, others) = output(&network, &graph)?;
    let layers = metadata.get(HEAD_LAYERS).and_then(|text| text.parse().ok());
    let layers = layers.filter(|n| (1..=16).contains(n)).unwrap_or(1);
    let mut found = finish::head(&network, output, layers)?;
    if let Some(name) = metadata.get(HEAD_NAME) {
        found.name.alone.clone_from(name);
    }

    let mut warnings = Vec::new();
    if found.sigmoid {
        warnings.push(format!(
            "{file} has a sigmoid behind its last layer: an image may have several labels then, and the probabilities \
             here, which are a softmax's, are wrong."
        ));
    }
    if others > 0 {
        warnings.push(format!(
            "{file} has {others} more outputs, which are left out."
        ));
    }
    let Some(front) = network.front.clone() else {
        return Err("has no layer that takes images".into());
    };
    let [Some(height), Some(width)] = front.size else {
        return Err("takes images of no size".into());
    };
    if height != width {
        return Err(format!(
            "takes images of {width} x {height} pixels, and here they are square"
        ));
    }
    if front.resized && !metadata.contains_key(INPUT_KIND) {
        warnings.push(format!(
            "{file} resizes its images itself. Here they are resized before it, by a bilinear filter with antialiasing, \
             which may be another one."
        ));
    }
    let mean_std = front.mean_std(network.bytes);
    let outputs = network.shapes[output][0];
    let classes = names_beside(&metadata, outputs);
    metadata.insert("input".into(), height.to_string());
    if let Some((mean, std)) = mean_std {
        let list = |values: [f32; 3]| values.map(|v| v.to_string()).join(",");
        metadata.insert("mean".into(), list(mean));
        metadata.insert("std".into(), list(std));
    }
    let Network {
        nodes,
        shapes,
        tensors,
        ..
    } = network;
    let names: HashMap<String, String> = (found.nodes.iter())
        .map(|(id, step)| (nodes[*id].name.clone(), found.spec.name(*step)))
        .collect();
    let graph = finish::backbone(nodes, &shapes, found.features, found.name);
    let checkpoint = Checkpoint {
        file: file.to_owned(),
        tensors: stored(tensors, &graph, &found.spec, &names),
        metadata,
        classes,
        warnings,
        ..Checkpoint::default()
    };
    check(&graph, &found.spec, &checkpoint, height)?;
    Ok(Imported {
        graph,
        head: found.spec,
        checkpoint,
        size: height,
        fixed_size: fixed || front.resized,
        mean_std,
    })
}

/// The sizes of an input, of which those that may be any are none, and the type of its elements.
fn input_type(input: &ValueInfo) -> (Vec<Option<i64>>, i32) {
    let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let dims = tensor
        .and_then(|t| t.shape.as_ref())
        .map_or(&[][..], |shape| &shape.dim);
    let size = |dim: &super::proto::Dimension| match dim.size {
        Some(Size::Value(n)) if n > 0 => Some(n),
        _ => None,
    };
    (
        dims.iter().map(size).collect(),
        tensor.and_then(|t| t.elem_type).unwrap_or(0),
    )
}

/// The node that gives the logits, and how many other outputs there are that are something else.
fn output(network: &Network, graph: &GraphProto) -> std::result::Result<(usize, usize), String> {
    let nets =
        graph
            .output
            .iter()
            .filter_map(|output| match network.value(output.name.as_deref()?)? {
                Value::Net(net) => Some(net.id),
                _ => None,
            });
    let ids: Vec<usize> = nets.collect();
    if let Some(&first) = ids.first() {
        return Ok((first, ids.iter().filter(|id| **id != first).count()));
    }
    if network.unknown.is_empty() {
        return Err("has no output that is known here".into());
    }
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (kind, node) in &network.unknown {
        kinds.entry(kind).or_default().push(node);
    }
    let each: Vec<String> = kinds
        .iter()
        .map(|(kind, nodes)| format!("{kind} (node {})", first_few(nodes, 3)))
        .collect();
    Err(format!(
        "has operations that are not known here: {}",
        first_few(&each, 12)
    ))
}

/// The tensors that the network and its head have, under the names that they have here.
fn stored(
    tensors: Vec<network::Tensor>,
    graph: &Graph,
    head: &HeadSpec,
    names: &HashMap<String, String>,
) -> BTreeMap<String, StoredTensor> {
    let shapes: BTreeMap<String, Vec<usize>> =
        graph.tensors().into_iter().chain(head.tensors()).collect();
    let mut all: BTreeMap<String, StoredTensor> = BTreeMap::new();
    for tensor in tensors {
        let (module, part) = tensor.name.rsplit_once('.').unwrap_or((&tensor.name, ""));
        let name = names
            .get(module)
            .map_or_else(|| tensor.name.clone(), |name| format!("{name}.{part}"));
        let Some(shape) = shapes.get(&name) else {
            continue;
        };
        // The kernel of one pixel that a head may be is a matrix.
        let shape = if tensor.shape.len() == 4 && shape.len() == 2 {
            shape.clone()
        } else {
            tensor.shape
        };
        let data = Rc::unwrap_or_clone(tensor.data);
        all.insert(
            name,
            StoredTensor {
                shape,
                dtype: tensor.dtype,
                data,
            },
        );
    }
    for (name, shape) in head
        .tensors()
        .into_iter()
        .filter(|(name, _)| name.ends_with(".bias"))
    {
        let zeros = || StoredTensor {
            data: vec![0.0; shape.iter().product()],
            shape: shape.clone(),
            dtype: Dtype::F32,
        };
        all.entry(name).or_insert_with(zeros);
    }
    all
}

/// Whether all fits together; what is not, is a bug here rather than in the file, and would fail far from its cause.
fn check(
    graph: &Graph,
    head: &HeadSpec,
    checkpoint: &Checkpoint,
    size: usize,
) -> std::result::Result<(), String> {
    let shapes = graph.shapes([size; 2])?;
    let features = shapes.last().copied().unwrap_or_default();
    if features[1..] != [1, 1] {
        return Err(format!("gives planes {features:?} to its last layer"));
    }
    for (name, shape) in graph.tensors().into_iter().chain(head.tensors()) {
        if checkpoint.shape(&name) != Some(&shape) {
            return Err(format!("has no tensor {name} {shape:?}"));
        }
    }
    Ok(())
}
