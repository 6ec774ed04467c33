//! Checkpoints: read, checked, written.
//!
//! A checkpoint comes from a stranger's disk or from the network, so nothing in it is believed: every
//! length is checked against the bytes that are there, a pickle is interpreted and never executed, and
//! whatever is wrong is said with the tensor's name. What comes out is plain `f32` in row-major order,
//! so nothing behind this module knows what kind of file it was.

mod beside;
mod bundled;
mod candidate;
mod checkpoint;
mod convert;
mod foreign;
mod heads;
pub mod hub;
mod literal;
pub mod names;
mod normalization;
mod outputs;
mod places;
mod pth;
mod safetensors;
mod save;
mod select;

pub use beside::{MAX_BYTES as MAX_BESIDE, read_beside};
pub use bundled::Bundled;
pub use checkpoint::{Checkpoint, GRAPH, NAMED, NamedTensor, StoredTensor, load_state, read};
pub use convert::Dtype;
pub(crate) use convert::{check_finite, numbers};
pub use names::TimmNames;
pub(crate) use outputs::beside as names_beside;
pub use save::{SaveAs, save, save_model};

/// A list that stays readable when it is of a hundred tensors: of more names than `shown` the first ones, and
/// how many more.
pub(crate) fn first_few(names: &[impl AsRef<str>], shown: usize) -> String {
    let first: Vec<&str> = names.iter().take(shown).map(AsRef::as_ref).collect();
    let first = first.join(", ");
    match names.len().saturating_sub(shown) {
        0 => first,
        rest => format!("{first} and {rest} more"),
    }
}
