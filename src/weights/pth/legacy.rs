//! What `torch.save` wrote before PyTorch 1.6 (`_legacy_save` in `torch/serialization.py`): five pickles one after
//! the other - a magic number, the protocol, the writer's integer sizes, the object, the keys of its storages - then
//! each storage's number of elements in eight bytes and the elements.

use std::collections::HashMap;
use std::ops::Range;

use super::cursor::Result;
use super::pickle::Machine;
use super::value::Value;

/// The pickled long that such a file begins with.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The same as protocols 0 and 1 write it.
const MAGIC_IN_DIGITS: &[u8] = b"L119547037146038801333356L\n";

/// Whether a file begins as one of that format does.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64)];
    bytes.starts_with(MAGIC_IN_DIGITS) || head.windows(MAGIC.len()).any(|window| window == MAGIC)
}

/// Reads the pickles with `machine`, which is at the file's start: the object, and where the bytes of each storage
/// lie in the file.
pub(super) fn read(
    machine: &mut Machine<'_>,
    bytes: &[u8],
) -> Result<(Value, HashMap<String, Range<usize>>)> {
    machine.run()?;
    match machine.run()? {
        Value::Int(1001) => {}
        _ => return Err("is in a format of PyTorch's that is not known".into()),
    }
    // Sizes of C's integers, and whether the machine was little-endian.
    let about = machine.run()?;
    if let Value::Dict(about) = about {
        let big = machine.dicts[about].iter().any(|(key, value)| {
            let is_order =
                matches!(*key, Value::Text(a, b) if machine.pickle.str(a, b) == "little_endian");
            is_order && *value == Value::Bool(false)
        });
        if big {
            return Err("was written by a big-endian machine".into());
        }
    }
    let object = machine.run()?;
    let Value::List(keys) = machine.run()? else {
        return Err("has no list of storages after its pickle".into());
    };
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for storage in &machine.storages {
        sizes.insert(&storage.key, storage.dtype.size());
    }
    let mut at = machine.pickle.at();
    let mut places = HashMap::new();
    for key in &machine.lists[keys] {
        let key = machine.key(*key)?;
        let cut = || format!("is cut short: storage {key} is not all there");
        let count = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
        let count = u64::from_le_bytes(*count.ok_or_else(cut)?);
        at += 8;
        // A storage that no tensor names has an unknown element size, and what follows cannot be found.
        let size = sizes.get(key.as_str());
        let size = size.ok_or_else(|| format!("has a storage {key} that no tensor is on"))?;
        let length = usize::try_from(count)
            .ok()
            .and_then(|n| n.checked_mul(*size));
        let end = length.and_then(|length| at.checked_add(length));
        let end = end.filter(|end| *end <= bytes.len()).ok_or_else(cut)?;
        places.insert(key, at..end);
        at = end;
    }
    Ok((object, places))
}
