//! `.safetensors`: eight bytes of header length, a JSON header, the tensors' bytes end to end.
//! Format: <https://huggingface.co/docs/safetensors/index#format>.
//!
//! The `safetensors` crate checks a header, but says "invalid shape, data type, or offset" without
//! naming the tensor, and adds the offsets up in `usize`, which is 32 bits in the browser. So each entry
//! is checked here first, in 64 bits and by name, and the crate reads what is then known to be sound.

use std::collections::{BTreeMap, BTreeSet};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype as Stored, TensorInfo};
use serde::Deserialize;
use serde_json::Value;

use super::candidate::{Candidate, plain_name};
use super::checkpoint::{Checkpoint, GRAPH, NAMED, StoredTensor};
use super::convert::{Dtype, check_finite, is_counter, to_f32};
use super::outputs::{self, Lists};
use super::pth::noted_key;
use super::select::{everything, select};
use super::{first_few, normalization};
use crate::error::{Error, Result};

/// The entry under this name is text, not a tensor.
const METADATA: &str = "__metadata__";
/// Bytes before the header: its length.
const LENGTH: usize = 8;
/// Under this key the metadata say how weights are rounded.
const QUANTIZATION: &str = "quantization";
/// Whole numbers of 8 bits in `NAME`, times `NAME.scale` of their output channel: the first dimension.
const INT8: &str = "int8 per output channel";
/// The end of a scale's name.
const SCALE: &str = ".scale";

/// Reads all floating-point tensors, and the lists of names beside them.
///
/// # Errors
/// [`Error::Weights`], naming the tensor where one is to blame.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<(Checkpoint, Lists)> {
    let fail = |reason: String| Error::weights(file, reason);
    check_header(bytes).map_err(fail)?;
    let (length, header) = SafeTensors::read_metadata(bytes).map_err(|e| fail(e.to_string()))?;
    let data = &bytes[LENGTH + length..];

    let quantized = (header.metadata().as_ref())
        .is_some_and(|all| all.get(QUANTIZATION).map(String::as_str) == Some(INT8));
    let is_rounded = |info: &TensorInfo| quantized && info.dtype == Stored::I8;
    let mut stored: Vec<_> = header
        .tensors()
        .into_iter()
        .map(|(name, info)| (plain_name(&name), info))
        .filter(|(name, _)| !is_counter(name))
        .collect();
    let with_scale: BTreeSet<String> = stored
        .iter()
        .filter(|(_, info)| is_rounded(info))
        .map(|(name, _)| name.to_string())
        .collect();
    let (mut scales, mut twice) = (BTreeMap::new(), None);
    stored.retain(|(name, info)| {
        let of = name
            .strip_suffix(SCALE)
            .filter(|of| with_scale.contains(*of));
        let Some(of) = of else { return true };
        if scales.insert(of.to_string(), *info).is_some() {
            twice = Some(of.to_string());
        }
        false
    });
    if let Some(name) = twice {
        return Err(fail(format!("tensor {name}: has two scales")));
    }
    let candidates: Vec<_> = stored
        .iter()
        .map(|(name, info)| Candidate {
            group: "",
            name,
            shape: &info.shape,
            // What is not known at all is asked for, and is an error then.
            real: is_rounded(info) || dtype(info.dtype).map_or(true, Dtype::is_real),
            expanded: false,
            place: ("", info.data_offsets.0),
        })
        .collect();
    let own_graph = (header.metadata().as_ref()).is_some_and(|all| all.contains_key(GRAPH));
    let selection = if own_graph {
        everything(&candidates)
    } else {
        select(&candidates).map_err(fail)?
    };

    let mut tensors = BTreeMap::new();
    for (i, short) in selection.tensors {
        let (name, info) = &stored[i];
        let in_tensor = |reason: String| fail(format!("tensor {name}: {reason}"));
        let (begin, end) = info.data_offsets;
        if is_rounded(info) {
            let scale = scales.get(&name.to_string()).map(|info| {
                let (begin, end) = info.data_offsets;
                (*info, &data[begin..end])
            });
            let values = rounded(&info.shape, &data[begin..end], scale).map_err(in_tensor)?;
            let entry = StoredTensor {
                shape: info.shape.clone(),
                dtype: Dtype::F32,
                data: values,
            };
            tensors.insert(short, entry);
            continue;
        }
        let dtype = dtype(info.dtype).map_err(in_tensor)?;
        let entry = StoredTensor {
            shape: info.shape.clone(),
            dtype,
            data: to_f32(dtype, &data[begin..end]).map_err(in_tensor)?,
        };
        tensors.insert(short, entry);
    }
    let metadata = header.metadata().clone().unwrap_or_default();
    let mut metadata: BTreeMap<_, _> = metadata.into_iter().collect();
    // timm writes "architecture"; "arch" is what is written here.
    let named = metadata
        .iter()
        .find(|(key, _)| *key != "arch" && noted_key(key) == Some(NAMED));
    if let Some((_, name)) = named {
        let name = name.clone();
        metadata.entry(NAMED.to_owned()).or_insert(name);
    }
    plain_numbers(&mut metadata);
    let names = outputs::of_metadata(&metadata);
    let mut said = selection.warnings;
    if let Some((mean, std, place)) = selection.normalization {
        let read = |i: usize| {
            let info = stored[i].1;
            let (begin, end) = info.data_offsets;
            let values = to_f32(dtype(info.dtype).ok()?, &data[begin..end]).ok()?;
            normalization::of_tensor(values)
        };
        let found = read(mean).zip(read(std)).map(|(mean, std)| [mean, std]);
        said.push(normalization::note(&mut metadata, &place, found));
    }
    let mut warnings: Vec<String> = (said.iter())
        .map(|warning| format!("{file} {warning}."))
        .collect();
    if let unread @ [_, ..] = &outputs::unread(&metadata)[..] {
        warnings.push(format!(
            "{file}: its metadata has something under {} that is neither JSON nor a list or dict of Python's, and no \
             names are read there.",
            first_few(unread, 3)
        ));
    }
    let checkpoint = Checkpoint {
        file: file.to_owned(),
        tensors,
        metadata,
        no_head: selection.no_head,
        warnings,
        ..Checkpoint::default()
    };
    Ok((checkpoint, names))
}

/// Puts mean and deviation as they are written here in the place of `[0.5, 0.5, 0.5]` and of those for samples to 255.
fn plain_numbers(metadata: &mut BTreeMap<String, String>) {
    let get = |key: &str| normalization::numbers(metadata.get(key)?);
    let Some(pair) = get("mean").zip(get("std")) else {
        return;
    };
    if let Some(unit) = normalization::to_unit([pair.0, pair.1]) {
        let [mean, std] = unit.map(normalization::listed);
        metadata.insert("mean".to_owned(), mean);
        metadata.insert("std".to_owned(), std);
    }
}

/// One entry of the header, wide enough for whatever a file claims.
#[derive(Deserialize)]
struct Info {
    dtype: Stored,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// Compares every claim of the header with the bytes that are there: each tensor's range lies within
/// the file and is as long as its shape says, and the ranges leave no gap and do not overlap.
fn check_header(bytes: &[u8]) -> std::result::Result<(), String> {
    let (length, rest) = bytes
        .split_first_chunk::<LENGTH>()
        .ok_or("is shorter than a header's length")?;
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length)
        .ok()
        .and_then(|n| rest.get(..n))
        .ok_or_else(|| {
            format!(
                "is cut short, download it again: it claims a header of {length} bytes, and {} follow",
                rest.len()
            )
        })?;
    let available = (rest.len() - header.len()) as u64;
    let header: BTreeMap<String, Value> =
        serde_json::from_slice(header).map_err(|e| format!("the header is no JSON: {e}"))?;

    let mut ranges = Vec::with_capacity(header.len());
    for (name, value) in header.into_iter().filter(|(name, _)| name != METADATA) {
        let info: Info =
            serde_json::from_value(value).map_err(|e| format!("tensor {name}: {e}"))?;
        let (begin, end) = info.data_offsets;
        if begin <= end && end > available {
            return Err(format!(
                "is cut short, download it again: tensor {name} takes bytes {begin} to {end} of the {available} in the file"
            ));
        }
        if begin > end {
            return Err(format!(
                "tensor {name}: bytes {begin} to {end} of the {available} in the file"
            ));
        }
        let size = (info.shape.iter())
            .try_fold(info.dtype.bitsize() as u64, |size, n| size.checked_mul(*n))
            .map(|bits| bits / 8);
        if size != Some(end - begin) {
            return Err(format!(
                "tensor {name}: shape {:?} of {} does not fit its {} bytes",
                info.shape,
                info.dtype,
                end - begin
            ));
        }
        ranges.push((begin, end, name));
    }

    ranges.sort_unstable();
    let mut expected = 0;
    for (begin, end, name) in ranges {
        if begin != expected {
            let what = if begin < expected {
                "overlaps the one before"
            } else {
                "leaves a gap before it"
            };
            return Err(format!(
                "tensor {name}: at byte {begin}, {what} (ends at {expected})"
            ));
        }
        expected = end;
    }
    if expected != available {
        return Err(format!(
            "the tensors take {expected} bytes, the file has {available}"
        ));
    }
    Ok(())
}

/// The values of weights that were rounded to 8 bits: each times the scale of its output channel.
fn rounded(
    shape: &[usize],
    bytes: &[u8],
    scale: Option<(&TensorInfo, &[u8])>,
) -> std::result::Result<Vec<f32>, String> {
    let (info, scales) = scale.ok_or("is of 8 bits and has no scale")?;
    let channels = shape.first().copied().unwrap_or(1);
    if info.shape != [channels] || !bytes.len().is_multiple_of(channels.max(1)) {
        return Err(format!(
            "has a scale of shape {:?}; [{channels}] is expected",
            info.shape
        ));
    }
    let scales = to_f32(dtype(info.dtype)?, scales)?;
    let rows = bytes.chunks_exact((bytes.len() / channels.max(1)).max(1));
    let row = |(row, scale): (&[u8], f32)| {
        let values = row
            .iter()
            .map(move |byte| f32::from(byte.cast_signed()) * scale);
        values.collect::<Vec<f32>>()
    };
    let values: Vec<f32> = rows.zip(scales).flat_map(row).collect();
    check_finite(&values)?;
    Ok(values)
}

/// The element type, or why it cannot be read.
fn dtype(stored: Stored) -> std::result::Result<Dtype, String> {
    match stored {
        Stored::F32 => Ok(Dtype::F32),
        Stored::F16 => Ok(Dtype::F16),
        Stored::BF16 => Ok(Dtype::Bf16),
        Stored::F64 => Ok(Dtype::F64),
        Stored::BOOL | Stored::U8 | Stored::I8 => Ok(Dtype::Integer(1)),
        Stored::U16 | Stored::I16 => Ok(Dtype::Integer(2)),
        Stored::U32 | Stored::I32 => Ok(Dtype::Integer(4)),
        Stored::U64 | Stored::I64 => Ok(Dtype::Integer(8)),
        Stored::C64 => Ok(Dtype::Complex(8)),
        other => Err(format!("holds {other}; F32, F16, BF16 or F64 is expected")),
    }
}
