//! A model as an `.onnx` file: one that onnxruntime and onnxruntime-web run without any other code.

mod front;
mod layers;
mod pools;
mod writer;

use std::collections::BTreeMap;

use prost::Message;

use self::layers::{Layers, Tensors};
use self::writer::{Writer, int};
use super::proto::{
    self, Dimension, Entry, GraphProto, OperatorSetId, ShapeProto, Size, TensorType, TypeProto,
    ValueInfo, data_type,
};
use super::{HEAD_LAYERS, HEAD_NAME, INPUT_KIND, IR_VERSION, OPSET};
use crate::config::Preprocess;
use crate::error::{Error, Result};
use crate::network::Graph;
use crate::network::head::{HeadSpec, Step};
use crate::weights::SaveAs;

/// What goes into a written network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Input {
    /// `image`, `uint8` `[H,W,3]` of any size: it is resized and normalised within, as here. `logits` and
    /// `probabilities` are `[K]`.
    #[default]
    Image,
    /// `input`, `float` `[N,3,S,S]`, resized and normalised. `logits` and `probabilities` are `[N,K]`.
    Tensor,
}

impl Input {
    /// Its name in the metadata.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Tensor => "tensor",
        }
    }
}

/// How a model is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What goes in.
    pub input: Input,
    /// How kernels and matrices are stored; everything is computed in `f32`.
    pub dtype: SaveAs,
}

/// What is written, its tensors aside.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// The backbone.
    pub graph: &'a Graph,
    /// What stands on it.
    pub head: &'a HeadSpec,
    /// What it takes.
    pub preprocess: &'a Preprocess,
    /// What its outputs are called, in order.
    pub classes: &'a [String],
    /// What it says of itself, as in a safetensors file. `classes`, `input`, `mean`, `std` and `transparency` are added.
    pub metadata: &'a BTreeMap<String, String>,
}

/// Most bytes of a message of protobuf.
const MOST: usize = i32::MAX as usize;

/// The file. `tensor` gives the values of a tensor by its name: those of [`Graph::tensors`] and of
/// [`HeadSpec::tensors`]. A norm behind a convolution becomes part of it; what only a training does is left out. The
/// same model gives the same bytes.
///
/// # Errors
/// [`Error::Weights`] naming the tensor that is missing, of another length or not finite. [`Error::Shape`] if the network
/// takes no images of that size, head or class names do not fit, or the file would be beyond 2 GiB.
pub fn export<'a>(
    model: &Model<'_>,
    options: Options,
    tensor: impl Fn(&str) -> Option<&'a [f32]>,
) -> Result<Vec<u8>> {
    let fail = |reason: String| Error::shape("export", reason);
    let Model {
        graph,
        head,
        preprocess,
        classes,
        ..
    } = *model;
    let size = preprocess.size;
    let shapes = graph.shapes([size; 2]).map_err(fail)?;
    let widths = head.steps.iter().filter_map(|step| match step {
        Step::Linear { input, output } => Some([*input, *output]),
        _ => None,
    });
    let widths: Vec<[usize; 2]> = widths.collect();
    let (Some(&features), Some(first), Some(last)) = (shapes.last(), widths.first(), widths.last())
    else {
        return Err(fail("there is no network or no head".into()));
    };
    if features != [first[0], 1, 1] {
        return Err(fail(format!(
            "the head takes {} features, the network gives {features:?}",
            first[0]
        )));
    }
    if classes.len() != last[1] {
        return Err(fail(format!(
            "{} names for {} outputs",
            classes.len(),
            last[1]
        )));
    }

    let mut w = Writer::new(options.dtype);
    let (what, shape, kind) = match options.input {
        Input::Image => {
            let shape = vec![any("height"), any("width"), fixed(3)];
            (w.name("image"), shape, data_type::UINT8)
        }
        Input::Tensor => {
            let shape = vec![any("batch"), fixed(3), fixed(size), fixed(size)];
            (w.name("input"), shape, data_type::FLOAT)
        }
    };
    let input = value(&what, kind, shape);
    // The outputs' names are theirs, whatever a layer is called.
    let [logits, probabilities] = ["logits", "probabilities"].map(|name| w.name(name));
    let images = match options.input {
        Input::Image => front::image(&mut w, &what, preprocess)?,
        Input::Tensor => what,
    };
    let tensors = Tensors { tensor: &tensor };
    let mut layers = Layers::new(&mut w, graph, &shapes, &tensors);
    let features = layers.backbone(images)?;
    let outputs = layers.head(head, features)?;
    let axis = || vec![int("axis", -1)];
    let rows = match options.input {
        Input::Image => {
            let first = w.ints("logits.axes", &[0]);
            w.op("Squeeze", &[&outputs, &first], "logits.row", vec![])
        }
        Input::Tensor => outputs,
    };
    w.op_to("Identity", &[&rows], &logits, vec![]);
    w.op_to("Softmax", &[&rows], &probabilities, axis());

    let shape = || match options.input {
        Input::Image => vec![fixed(classes.len())],
        Input::Tensor => vec![any("batch"), fixed(classes.len())],
    };
    let output = [&probabilities, &logits].map(|name| value(name, data_type::FLOAT, shape()));
    let bytes: usize = (w.constants.iter())
        .filter_map(|tensor| tensor.raw_data.as_ref().map(Vec::len))
        .sum();
    let name = model.metadata.get("arch").map_or("network", String::as_str);
    let file = proto::Model {
        ir_version: Some(IR_VERSION),
        opset_import: vec![OperatorSetId {
            domain: Some(String::new()),
            version: Some(OPSET),
        }],
        producer_name: Some("retune".into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        doc_string: None,
        graph: Some(GraphProto {
            node: w.nodes,
            name: Some(name.to_owned()),
            initializer: w.constants,
            input: vec![input],
            output: output.into(),
        }),
        metadata_props: metadata(model, options, widths.len()),
    };
    if bytes > MOST || file.encoded_len() > MOST {
        return Err(fail(format!(
            "{} MiB of weights are more than an .onnx file holds",
            bytes >> 20
        )));
    }
    Ok(file.encode_to_vec())
}

/// What a file says of itself, sorted.
fn metadata(model: &Model<'_>, options: Options, head_layers: usize) -> Vec<Entry> {
    let Preprocess {
        size,
        mean,
        std,
        transparency,
    } = model.preprocess;
    let list = |values: &[f32; 3]| values.map(|v| v.to_string()).join(",");
    let mut all = model.metadata.clone();
    // That of a file of PyTorch's tensors.
    all.remove("format");
    all.extend(
        [
            (
                "classes",
                serde_json::Value::from(model.classes.to_vec()).to_string(),
            ),
            ("input", size.to_string()),
            ("mean", list(mean)),
            ("std", list(std)),
            ("transparency", transparency.name().to_owned()),
            (INPUT_KIND, options.input.name().to_owned()),
            (HEAD_LAYERS, head_layers.to_string()),
            (HEAD_NAME, model.graph.head.alone.clone()),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    let entry = |(key, value)| Entry {
        key: Some(key),
        value: Some(value),
    };
    all.into_iter().map(entry).collect()
}

fn value(name: &str, kind: i32, dim: Vec<Dimension>) -> ValueInfo {
    ValueInfo {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorType {
                elem_type: Some(kind),
                shape: Some(ShapeProto { dim }),
            }),
        }),
        doc_string: None,
    }
}

const fn fixed(n: usize) -> Dimension {
    Dimension {
        size: Some(Size::Value(n as i64)),
    }
}

fn any(name: &str) -> Dimension {
    Dimension {
        size: Some(Size::Any(name.to_owned())),
    }
}
