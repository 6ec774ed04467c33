//! `.pth`: what `torch.save` writes since PyTorch 1.6, a zip with a pickle in it.
//!
//! `NAME/data.pkl` is the pickle of the state dict, in which every tensor names a storage; the bytes of
//! storage K are the entry `NAME/data/K`, stored without compression. `NAME/byteorder` says "little".
//! Source: `torch/serialization.py`, `_save`.
//!
//! burn-store's reader was looked at first (`pytorch-reader` 0.22.1): it opens these archives from a
//! path only, which a browser has not, and lets unknown classes pass as inert objects. This is the
//! strict subset: a dict of tensors and nothing else. See [`pickle`] for what that means.

mod cursor;
mod pickle;
mod state;
mod value;
mod view;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use zip::{CompressionMethod, ZipArchive};

use self::value::Tensor;
use super::checkpoint::{Checkpoint, Entry};
use super::convert::is_counter;
use crate::error::{Error, Result};

/// Largest pickle that is read, in bytes. A ResNet-152's takes 100 kB.
const MAX_PICKLE: u64 = 4 << 20;
/// Most values all tensors of a file may have together. Tensors can share a storage, so the file's size
/// is no bound; a Wide ResNet-101-2 has 127 million.
const MAX_VALUES: usize = 1 << 28;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Reads the floating-point tensors of a state dict.
///
/// # Errors
/// [`Error::Weights`]: no archive of `torch.save`, a pickle that asks for more than tensors, a damaged
/// entry, a tensor outside its storage.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Checkpoint> {
    read_archive(file, bytes).map_err(|reason| Error::weights(file, reason))
}

/// Why a pickle without an archive round it is not read: what it asks for, or else that it has no data.
pub(super) fn refuse_pickle(file: &str, bytes: &[u8]) -> Error {
    match pickle::state_dict(bytes) {
        Err(reason) => Error::weights(file, reason),
        Ok(_) => Error::weights(
            file,
            "is a pickle without the archive that holds its tensors",
        ),
    }
}

fn read_archive(file: &str, bytes: &[u8]) -> std::result::Result<Checkpoint, String> {
    let mut zip =
        Archive::new(Cursor::new(bytes)).map_err(|e| format!("is a damaged zip archive: {e}"))?;
    let root = root(&zip)?;
    let order = format!("{root}byteorder");
    if zip.index_for_name(&order).is_some() && entry(&mut zip, &order, 16)? != b"little" {
        return Err("was written by a big-endian machine".into());
    }
    let pickled = entry(&mut zip, &format!("{root}data.pkl"), MAX_PICKLE)?;
    let mut found = pickle::state_dict(&pickled)?;
    found.retain(|(name, _)| !is_counter(name));
    let total = found
        .iter()
        .try_fold(0usize, |sum, (_, tensor)| sum.checked_add(tensor.len()?));
    if total.is_none_or(|total| total > MAX_VALUES) {
        return Err(format!("its tensors have more than {MAX_VALUES} values"));
    }

    // Storage by storage, so that one at a time is in memory beside the result.
    found.sort_by(|(_, a), (_, b)| a.storage.key.cmp(&b.storage.key));
    let mut tensors = BTreeMap::new();
    let (mut key, mut storage) = (String::new(), Vec::new());
    for (name, tensor) in found {
        let in_tensor = |reason: String| format!("tensor {name}: {reason}");
        if tensor.storage.key != key || storage.is_empty() {
            key.clone_from(&tensor.storage.key);
            let path = format!("{root}data/{key}");
            storage = entry(&mut zip, &path, bytes.len() as u64).map_err(in_tensor)?;
        }
        let data = view::values(&tensor, &storage).map_err(in_tensor)?;
        let Tensor {
            shape,
            storage: source,
            ..
        } = tensor;
        let dtype = source.dtype;
        tensors.insert(name, Entry { shape, dtype, data });
    }
    Ok(Checkpoint {
        file: file.to_owned(),
        tensors,
        metadata: BTreeMap::new(),
    })
}

/// The folder of the archive's only `data.pkl`, with its slash.
fn root(zip: &Archive) -> std::result::Result<String, String> {
    let name = (zip.file_names())
        .filter_map(std::result::Result::ok)
        .find(|name| name.ends_with("/data.pkl") || name == "data.pkl")
        .ok_or("is a zip archive without data.pkl: no checkpoint of torch.save")?
        .into_owned();
    let root = name.strip_suffix("data.pkl").unwrap_or_default().to_owned();
    if zip
        .index_for_name(&format!("{root}constants.pkl"))
        .is_some()
    {
        return Err("is a TorchScript program; save the module's state_dict instead".into());
    }
    Ok(root)
}

/// An entry's bytes, checksum compared. `torch.save` stores without compression, so nothing here can
/// grow beyond the file itself.
fn entry(zip: &mut Archive, path: &str, limit: u64) -> std::result::Result<Vec<u8>, String> {
    let mut entry = zip
        .by_name(path)
        .map_err(|e| format!("the archive's {path}: {e}"))?;
    if entry.compression() != CompressionMethod::Stored {
        return Err(format!(
            "the archive's {path} is compressed; torch.save stores"
        ));
    }
    if entry.size() > limit {
        return Err(format!(
            "the archive's {path} claims {} bytes; {limit} is the limit",
            entry.size()
        ));
    }
    // `size` is within the limit, and a limit is at most the file's length or a constant.
    let mut bytes = Vec::with_capacity(entry.size() as usize);
    (&mut entry)
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("the archive's {path} is damaged: {e}"))?;
    Ok(bytes)
}
