//! Writing `.safetensors`.
//!
//! The header is put together here because the crate's writer takes its metadata from a `HashMap`: the
//! same model would be another file, with another SHA-256, at every export.

use std::collections::BTreeMap;

use half::f16;
use half::slice::HalfFloatSliceExt;
use safetensors::tensor::{Dtype as Stored, TensorInfo};
use serde_json::{Map, Value};

use super::checkpoint::{Checkpoint, NamedTensor};
use super::convert::{Dtype, check_finite};
use crate::error::{Error, Result};

/// The element type of a written file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveAs {
    /// As computed.
    F32,
    /// Half the size, eleven bits of precision.
    F16,
}

/// The file of these tensors and this text: the same bytes for the same input.
///
/// # Errors
/// [`Error::Weights`] naming the tensor: a name twice, a shape that is not its number of values, NaN or
/// infinity, a value beyond float16's 65504.
pub fn save(
    tensors: &[NamedTensor],
    metadata: &BTreeMap<String, String>,
    dtype: SaveAs,
) -> Result<Vec<u8>> {
    let views: Vec<View<'_>> = tensors
        .iter()
        .map(|(name, shape, data)| view(name, shape, data, dtype))
        .collect();
    write(&views, metadata)
}

/// The file of a whole model: the backbone's tensors of `checkpoint`, then those of `head`, all `as_one` type.
/// Without one, f16 is written as f16 and everything else as f32: what is read back is equal to the last bit.
///
/// # Errors
/// As [`save`].
pub fn save_model(
    checkpoint: &Checkpoint,
    head: &[NamedTensor],
    metadata: &BTreeMap<String, String>,
    as_one: Option<SaveAs>,
) -> Result<Vec<u8>> {
    let backbone = checkpoint.tensors.iter();
    let backbone = backbone.filter(|(name, _)| !name.starts_with("fc."));
    let backbone = backbone.map(|(name, entry)| {
        let came_as = match entry.dtype {
            Dtype::F16 => SaveAs::F16,
            _ => SaveAs::F32,
        };
        let dtype = as_one.unwrap_or(came_as);
        view(name, &entry.shape, &entry.data, dtype)
    });
    let head = head.iter().map(|(name, shape, data)| {
        let dtype = as_one.unwrap_or(SaveAs::F32);
        view(name, shape, data, dtype)
    });
    write(&backbone.chain(head).collect::<Vec<_>>(), metadata)
}

/// A tensor to write: name, shape, values, and as what.
type View<'a> = (&'a str, &'a [usize], &'a [f32], SaveAs);

const fn view<'a>(name: &'a str, shape: &'a [usize], data: &'a [f32], dtype: SaveAs) -> View<'a> {
    (name, shape, data, dtype)
}

fn write(tensors: &[View<'_>], metadata: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let mut header = Map::new();
    if !metadata.is_empty() {
        header.insert("__metadata__".into(), json(metadata)?);
    }
    let mut end = 0;
    for &(name, shape, data, dtype) in tensors {
        let product = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        if product != Some(data.len()) {
            let reason = format!("tensor {name}: {} values for shape {shape:?}", data.len());
            return Err(Error::weights("export", reason));
        }
        let (stored, size) = match dtype {
            SaveAs::F32 => (Stored::F32, 4),
            SaveAs::F16 => (Stored::F16, 2),
        };
        let begin = end;
        end += data.len() * size;
        let info = TensorInfo {
            dtype: stored,
            shape: shape.to_vec(),
            data_offsets: (begin, end),
        };
        if header.insert(name.to_owned(), json(&info)?).is_some() {
            return Err(Error::weights(
                "export",
                format!("tensor {name} comes twice"),
            ));
        }
    }
    let mut header = json_text(&header)?.into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');

    let mut file = Vec::with_capacity(8 + header.len() + end);
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header);
    for &(name, _, data, dtype) in tensors {
        append(&mut file, data, dtype)
            .map_err(|reason| Error::weights("export", format!("tensor {name}: {reason}")))?;
    }
    Ok(file)
}

/// Appends the values, little-endian.
fn append(file: &mut Vec<u8>, data: &[f32], dtype: SaveAs) -> std::result::Result<(), String> {
    check_finite(data)?;
    match dtype {
        SaveAs::F32 => file.extend(data.iter().flat_map(|v| v.to_le_bytes())),
        SaveAs::F16 => {
            let mut halves = vec![f16::ZERO; data.len()];
            halves.convert_from_f32_slice(data);
            if let Some(index) = halves.iter().position(|h| !h.is_finite()) {
                return Err(format!(
                    "element {index}, {}, is beyond float16",
                    data[index]
                ));
            }
            file.extend(halves.iter().flat_map(|h| h.to_le_bytes()));
        }
    }
    Ok(())
}

/// A value of the header.
fn json(value: impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|e| Error::weights("export", e))
}

/// The header's text.
fn json_text(header: &Map<String, Value>) -> Result<String> {
    serde_json::to_string(header).map_err(|e| Error::weights("export", e))
}
