//! What `torch.save` writes: since PyTorch 1.6 a zip with a pickle in it, before that the pickle and the tensors'
//! bytes after it ([`legacy`]).
//!
//! `NAME/data.pkl` is the pickle, in which every tensor names a storage; the bytes of storage K are the entry
//! `NAME/data/K`, stored without compression. `NAME/byteorder` says "little". Source: `torch/serialization.py`, `_save`.
//!
//! burn-store's reader was looked at first (`pytorch-reader` 0.22.1): it opens these archives from a
//! path only, which a browser has not. This one reads from memory, finds the weights among whatever else a training
//! saved, and keeps to the budgets below.

mod cursor;
mod globals;
mod legacy;
mod notes;
mod numpy;
mod pickle;
mod state;
mod value;
mod view;
mod walk;

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};
use std::ops::Range;

use zip::ZipArchive;

use self::pickle::{Machine, printable};
use self::value::{Tensor, Value};
use self::walk::Found;
use super::candidate::{Candidate, plain_name};
use super::checkpoint::{Checkpoint, StoredTensor};
use super::convert::is_counter;
use super::outputs::Lists;
use super::select::select;
use super::{foreign, normalization};
use crate::error::{Error, Result};

/// Largest pickle that is read, in bytes. A ResNet-152's takes 100 kB.
const MAX_PICKLE: u64 = 4 << 20;
/// Most values all tensors of a file may have together. Tensors can share a storage, so the file's size
/// is no bound; a Wide ResNet-101-2 has 127 million.
const MAX_VALUES: usize = 1 << 28;
/// How many times its packed size an entry may unpack to: weights hardly shrink.
const MAX_RATIO: u64 = 64;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;
pub(super) use walk::noted_key;

type Reason<T> = std::result::Result<T, String>;

/// Whether a file without a zip round it may be a pickle, or several.
pub(super) fn is_pickle(bytes: &[u8]) -> bool {
    legacy::is_legacy(bytes)
        || bytes.starts_with(&[0x80]) && bytes.get(1).is_some_and(|protocol| *protocol <= 5)
}

/// Reads the floating-point tensors of the network in an archive of `torch.save`, and the lists of names beside them.
///
/// # Errors
/// [`Error::Weights`]: another kind of archive, a pickle that asks for what runs code, a damaged entry, a tensor
/// outside its storage, two networks.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<(Checkpoint, Lists)> {
    read_archive(file, bytes).map_err(|reason| Error::weights(file, reason))
}

/// The same of the format before PyTorch 1.6; of any other pickle the reason why it is not read.
///
/// # Errors
/// As [`read`].
pub(super) fn read_pickle(file: &str, bytes: &[u8]) -> Result<(Checkpoint, Lists)> {
    let fail = |reason: String| Error::weights(file, reason);
    let mut machine = Machine::new(bytes);
    if !legacy::is_legacy(bytes) {
        if foreign::is_dumped(bytes) {
            return Err(fail(foreign::DUMPED.into()));
        }
        let found = machine
            .run()
            .and_then(|top| machine.find(top))
            .map_err(fail)?;
        return Err(fail(if found.groups.is_empty() {
            "is a pickle without tensors; in Python: torch.save(model.state_dict(), 'weights.pth')"
                .into()
        } else {
            "is a pickle without the archive that holds its tensors".into()
        }));
    }
    let (top, places) = legacy::read(&mut machine, bytes).map_err(fail)?;
    let found = machine.find(top).map_err(fail)?;
    let mut storages = InFile { bytes, places };
    checkpoint(file, found, top, &mut storages).map_err(fail)
}

fn read_archive(file: &str, bytes: &[u8]) -> Reason<(Checkpoint, Lists)> {
    // Known: no archive of torch.save lies behind other bytes, and looking for it can find a wrong place.
    let config = zip::read::Config {
        archive_offset: zip::read::ArchiveOffset::Known(0),
    };
    let mut zip = Archive::with_config(config, Cursor::new(bytes)).map_err(|e| {
        format!("is a zip archive that is damaged or cut short (an interrupted download?): {e}")
    })?;
    let root = root(&zip)?;
    let order = format!("{root}byteorder");
    if zip.index_for_name(&order).is_some() && entry(&mut zip, &order, 16)? != b"little" {
        return Err("was written by a big-endian machine".into());
    }
    let pickle = format!("{root}data.pkl");
    let size = zip.by_name(&pickle).map_or(0, |entry| entry.size());
    if size > MAX_PICKLE {
        return Err(format!(
            "has a pickle of {} MB, in which tensors never lie; if they are NumPy arrays or lists, save the model \
             instead, in Python: torch.save(model.state_dict(), 'weights.pth')",
            size >> 20
        ));
    }
    let pickled = entry(&mut zip, &pickle, MAX_PICKLE)?;
    let mut machine = Machine::new(&pickled);
    let top = machine.run()?;
    let found = machine.find(top)?;
    let mut storages = InArchive { zip, root };
    checkpoint(file, found, top, &mut storages)
}

/// Where the bytes of storages are.
trait Storages {
    /// Those of one tensor's storage.
    fn get(&mut self, tensor: &Tensor) -> Reason<Vec<u8>>;
}

struct InArchive<'a> {
    zip: Archive<'a>,
    root: String,
}

impl Storages for InArchive<'_> {
    fn get(&mut self, tensor: &Tensor) -> Reason<Vec<u8>> {
        let Tensor { storage, .. } = tensor;
        let path = format!("{}data/{}", self.root, storage.key);
        let declared = storage.len.saturating_mul(storage.dtype.size());
        // One element more shows that the entry is longer than declared.
        entry(&mut self.zip, &path, declared as u64 + 16)
    }
}

struct InFile<'a> {
    bytes: &'a [u8],
    places: HashMap<String, Range<usize>>,
}

impl Storages for InFile<'_> {
    fn get(&mut self, tensor: &Tensor) -> Reason<Vec<u8>> {
        let key = &tensor.storage.key;
        let place = self.places.get(key).cloned();
        let bytes = place.and_then(|place| self.bytes.get(place));
        let bytes = bytes.ok_or_else(|| format!("its storage {key} is not in the file"))?;
        Ok(bytes.to_vec())
    }
}

/// The network among what was found.
fn checkpoint(
    file: &str,
    found: Found,
    top: Value,
    storages: &mut impl Storages,
) -> Reason<(Checkpoint, Lists)> {
    let Found {
        groups,
        names,
        notes,
        module,
    } = found;
    if groups.is_empty() {
        return Err(format!(
            "holds {}, and no tensors under names; in Python: torch.save(model.state_dict(), 'weights.pth')",
            top.kind()
        ));
    }
    let tensors: Vec<(&str, String, &Tensor)> = groups
        .iter()
        .flat_map(|group| {
            let tensors = group.tensors.iter();
            tensors.map(|(name, tensor)| (group.path.as_str(), plain_name(name), tensor))
        })
        .filter(|(_, name, _)| !is_counter(name))
        .collect();
    let candidates: Vec<_> = tensors
        .iter()
        .map(|(group, name, tensor)| Candidate {
            group,
            name,
            shape: &tensor.shape,
            real: tensor.storage.dtype.is_real(),
            expanded: tensor.is_expanded(),
            place: (&tensor.storage.key, tensor.offset),
        })
        .collect();
    let selection = select(&candidates)?;
    let mut chosen: Vec<(String, &Tensor)> = selection
        .tensors
        .into_iter()
        .map(|(i, name)| (name, tensors[i].2))
        .collect();
    let normalization = selection.normalization;
    let total = chosen
        .iter()
        .try_fold(0usize, |sum, (_, tensor)| sum.checked_add(tensor.len()?));
    if total.is_none_or(|total| total > MAX_VALUES) {
        return Err(format!("its tensors have more than {MAX_VALUES} values"));
    }

    // Storage by storage, so that one at a time is in memory beside the result.
    chosen.sort_by(|(_, a), (_, b)| a.storage.key.cmp(&b.storage.key));
    let mut entries = BTreeMap::new();
    let mut held: Option<(&str, Vec<u8>)> = None;
    for (name, tensor) in chosen {
        let in_tensor = |reason: String| format!("tensor {}: {reason}", printable(&name));
        let storage = match held.take() {
            Some((key, bytes)) if key == tensor.storage.key => bytes,
            _ => storages.get(tensor).map_err(in_tensor)?,
        };
        let data = view::values(tensor, &storage).map_err(in_tensor)?;
        held = Some((&tensor.storage.key, storage));
        let (shape, dtype) = (tensor.shape.clone(), tensor.storage.dtype);
        entries.insert(name, StoredTensor { shape, dtype, data });
    }
    let mut noted = notes.noted;
    let mut said = selection.warnings;
    said.extend(notes.said);
    if let Some((mean, std, place)) = normalization {
        let mut read = |i: usize| {
            let tensor = tensors[i].2;
            let values = view::values(tensor, &storages.get(tensor).ok()?).ok()?;
            normalization::of_tensor(values)
        };
        let found = read(mean).zip(read(std)).map(|(mean, std)| [mean, std]);
        said.push(normalization::note(&mut noted, &place, found));
    }
    let mut warnings: Vec<String> = (said.iter())
        .map(|warning| format!("{file} {warning}."))
        .collect();
    if module {
        warnings.push(format!(
            "{file} is a whole module: its tensors are read, its code is not. If that computes otherwise than torchvision's \
             network (another activation, stride, pool or epsilon), the answers are wrong."
        ));
    }
    let checkpoint = Checkpoint {
        file: file.to_owned(),
        tensors: entries,
        metadata: noted,
        no_head: selection.no_head,
        warnings,
        ..Checkpoint::default()
    };
    Ok((checkpoint, names))
}

/// The folder of the archive's only `data.pkl`, with its slash.
fn root(zip: &Archive) -> Reason<String> {
    let names: Vec<_> = zip
        .file_names()
        .filter_map(std::result::Result::ok)
        .collect();
    let is_pickle = |name: &&str| name.ends_with("/data.pkl") || *name == "data.pkl";
    let Some(name) = names.iter().map(AsRef::as_ref).find(is_pickle) else {
        return Err(foreign::explain_zip(names.iter().map(AsRef::as_ref)).into());
    };
    let root = name.strip_suffix("data.pkl").unwrap_or_default().to_owned();
    if zip
        .index_for_name(&format!("{root}constants.pkl"))
        .is_some()
    {
        return Err(foreign::TORCHSCRIPT.into());
    }
    Ok(root)
}

/// An entry's bytes, checksum compared. `torch.save` stores without compression; an archive that was unpacked and
/// packed again may be compressed, and is read as long as it unpacks to what weights may.
fn entry(zip: &mut Archive, path: &str, limit: u64) -> Reason<Vec<u8>> {
    let mut entry = zip
        .by_name(path)
        .map_err(|e| format!("the archive's {path}: {e}"))?;
    let size = entry.size();
    if size > limit {
        return Err(format!(
            "the archive's {path} claims {size} bytes; {limit} is the limit"
        ));
    }
    // What is large and shrinks much has no weights that anybody trained.
    let ratio = if size > 1 << 26 {
        MAX_RATIO / 8
    } else {
        MAX_RATIO
    };
    if size / ratio > entry.compressed_size().max(1 << 10) {
        return Err(format!(
            "the archive's {path} would unpack to more than {ratio} times its size, as no weights do"
        ));
    }
    // Sizes are claims: memory is taken as the bytes come.
    let mut bytes = Vec::new();
    (&mut entry)
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|e| format!("the archive's {path} is damaged: {e}"))?;
    if bytes.len() as u64 != size {
        return Err(format!(
            "the archive's {path} has {} bytes and claims {size}",
            bytes.len()
        ));
    }
    Ok(bytes)
}
