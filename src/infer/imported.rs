//! Files of whole models, of whatever kind, as checkpoints.

use crate::error::{Error, Result};
use crate::network::{Arch, Graph};
use crate::onnx;
use crate::weights::{self, Checkpoint, GRAPH, NamedTensor};

/// A name by which an `.onnx` file goes.
const ENDING: &str = ".onnx";

/// Reads a checkpoint, or an `.onnx` file, alone or in a zip: that becomes a checkpoint with its graph in it, whose bytes are then
/// given too, to be kept in place of the file's.
///
/// # Errors
/// As [`weights::read`] and [`onnx::import`].
pub fn read_model(file: &str, bytes: &[u8]) -> Result<(Checkpoint, Option<Vec<u8>>)> {
    if let Some(inner) = onnx::unpack(file, bytes)? {
        return read_model(&inner.0, &inner.1);
    }
    if !file.to_ascii_lowercase().ends_with(ENDING) && !looks_like_onnx(bytes) {
        return Ok((weights::read(file, bytes)?, None));
    }
    let imported = onnx::import(file, bytes)?;
    let said = imported.checkpoint.warnings.clone();
    let bytes = as_checkpoint(file, imported)?;
    let mut checkpoint = weights::read(file, &bytes)?;
    checkpoint.warnings.extend(said);
    Ok((checkpoint, Some(bytes)))
}

/// Whether the first fields of the message are those of a model: its version, then its producer, network or operators.
fn looks_like_onnx(bytes: &[u8]) -> bool {
    // A safetensors file has JSON at its ninth byte.
    matches!(
        bytes,
        [
            0x08,
            1..=0x20,
            0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42,
            ..
        ]
    ) && bytes.get(8) != Some(&b'{')
}

/// The bytes of a checkpoint of what was imported.
fn as_checkpoint(file: &str, imported: onnx::Imported) -> Result<Vec<u8>> {
    let onnx::Imported {
        mut graph,
        head,
        mut checkpoint,
        size,
        ..
    } = imported;
    // Inside, the head is `fc`, whatever it was called.
    graph.head = Arch::Imported.graph().head;
    let mut metadata = std::mem::take(&mut checkpoint.metadata);
    let fail = |error: serde_json::Error| Error::weights(file, error);
    metadata.insert("format".into(), "pt".into());
    metadata.insert("arch".into(), Arch::Imported.name().into());
    metadata.insert("input".into(), size.to_string());
    if let Some(classes) = &checkpoint.classes {
        let classes = serde_json::to_string(classes).map_err(fail)?;
        metadata.insert("classes".into(), classes);
    }
    let of_head: Vec<NamedTensor> = (head.tensors().into_iter())
        .map(|(name, shape)| {
            let data = checkpoint.take_f32(&name, &shape)?;
            checkpoint.tensors.remove(&name);
            Ok((name, shape, data))
        })
        .collect::<Result<_>>()?;
    // A layer of the network that is called as the head is here.
    for node in &mut graph.nodes {
        if node.name.split('.').next() == Some(weights::names::HEAD) {
            let renamed = format!("body.{}", node.name);
            for (old, _) in node.tensors() {
                if let Some(tensor) = checkpoint.tensors.remove(&old) {
                    checkpoint.tensors.insert(format!("body.{old}"), tensor);
                }
            }
            node.name = renamed;
        }
    }
    metadata.insert(GRAPH.into(), serde_json::to_string(&graph).map_err(fail)?);
    weights::save_model(&checkpoint, &of_head, &metadata, None)
}

/// The graph that a checkpoint brings, if it does.
///
/// # Errors
/// [`Error::Weights`] if it is none that can be run on images of that edge.
pub(super) fn graph_of(checkpoint: &Checkpoint, size: usize) -> Result<Option<Graph>> {
    let Some(text) = checkpoint.metadata.get(GRAPH) else {
        return Ok(None);
    };
    let fail = |reason: String| {
        Error::weights(
            &checkpoint.file,
            format!("its network cannot be used: {reason}"),
        )
    };
    let graph: Graph = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
    graph.check(size).map_err(fail)?;
    Ok(Some(graph))
}
