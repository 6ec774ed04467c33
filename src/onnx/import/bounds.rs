//! How much a file unfolds to, counted before it is unfolded: an empty message is two bytes in a file and hundreds in
//! memory.

/// Most messages and names of values; the largest classifiers have a tenth of it.
const MOST: usize = 1 << 18;

/// The messages of [`proto`](crate::onnx::proto), and what else is repeated.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Info,
    Type,
    TensorType,
    Shape,
    /// Has nothing in it that is counted.
    Leaf,
}

/// What lies in that field of a message, if it is counted.
const fn within(kind: Kind, field: u64) -> Option<Kind> {
    Some(match (kind, field) {
        (Kind::Model, 7) => Kind::Graph,
        (Kind::Graph, 1) => Kind::Node,
        (Kind::Graph, 5) | (Kind::Attribute, 5) => Kind::Tensor,
        (Kind::Graph, 11 | 12) => Kind::Info,
        (Kind::Node, 5) => Kind::Attribute,
        (Kind::Info, 2) => Kind::Type,
        (Kind::Type, 1) => Kind::TensorType,
        (Kind::TensorType, 2) => Kind::Shape,
        (Kind::Model, 8 | 14) | (Kind::Node, 1 | 2) | (Kind::Tensor, 13) | (Kind::Shape, 1) => {
            Kind::Leaf
        }
        _ => return None,
    })
}

/// Refuses what is no message of protobuf, and what unfolds to too much.
///
/// # Errors
/// The reason, to follow the file's name.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let mut count = 0;
    walk(bytes, Kind::Model, &mut count).ok_or("is no ONNX file, or is cut short")?;
    if count > MOST {
        return Err(format!(
            "has more than {MOST} parts, which no classifier has"
        ));
    }
    Ok(())
}

/// Counts what is in a message; nothing if its bytes are none.
fn walk(mut bytes: &[u8], kind: Kind, count: &mut usize) -> Option<()> {
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let skipped = match key & 7 {
            0 => {
                varint(&mut bytes)?;
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut bytes)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (part, rest) = bytes.split_at_checked(skipped)?;
        bytes = rest;
        if let (2, Some(inner)) = (key & 7, within(kind, key >> 3)) {
            *count += 1;
            if *count > MOST {
                return Some(());
            }
            if !matches!(inner, Kind::Leaf) {
                walk(part, inner, count)?;
            }
        }
    }
    Some(())
}

/// A number of up to ten bytes, seven bits in each.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
