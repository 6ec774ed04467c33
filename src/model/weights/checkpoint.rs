//! The checkpoint as it lies in memory, and its comparison with what a model wants.

use std::collections::{BTreeMap, BTreeSet};

use super::convert::{Dtype, is_counter};
use super::{names, pth, safetensors};
use crate::error::{Error, Result};

/// A tensor with its name: name, shape, values in row-major order.
pub type NamedTensor = (String, Vec<usize>, Vec<f32>);

/// One tensor of a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Sizes, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// How it was stored.
    pub dtype: Dtype,
    /// Its values, row-major; as many as the shape says, all finite.
    pub data: Vec<f32>,
}

/// Every floating-point tensor of a file, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checkpoint {
    /// The file's name, for messages.
    pub file: String,
    /// The tensors. `num_batches_tracked` counters are left out.
    pub tensors: BTreeMap<String, Entry>,
    /// Text kept beside the tensors; only safetensors files have any.
    pub metadata: BTreeMap<String, String>,
}

/// Reads a checkpoint, `.safetensors` or `.pth`, told apart by content. `file` is for messages.
/// `DataParallel`'s `module.` is taken off the names, and they are translated to those used here (see
/// [`names`]).
///
/// # Errors
/// [`Error::Weights`]: another kind of file, a damaged or lying one, a pickle that asks for anything
/// but tensors, integers where weights belong, NaN or infinity. It names the tensor where one is to blame.
pub fn read(file: &str, bytes: &[u8]) -> Result<Checkpoint> {
    let mut checkpoint = match kind(bytes) {
        Kind::Safetensors => safetensors::read(file, bytes)?,
        Kind::Zip => pth::read(file, bytes)?,
        Kind::Pickle => return Err(pth::refuse_pickle(file, bytes)),
        Kind::Refused(reason) => return Err(Error::weights(file, reason)),
    };
    if checkpoint.tensors.is_empty() {
        return Err(Error::weights(file, "holds no floating-point tensors"));
    }
    checkpoint.strip_prefix("module.");
    names::translate(&mut checkpoint.tensors);
    Ok(checkpoint)
}

/// What the first bytes say a file is.
enum Kind {
    Safetensors,
    Zip,
    Pickle,
    Refused(&'static str),
}

/// `torch.save` before 1.6 began with this number as a pickled long.
const LEGACY_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

fn kind(bytes: &[u8]) -> Kind {
    const OLD: &str = "is in PyTorch's format from before version 1.6, which is a program to be run; \
                       load it in PyTorch and save its state_dict again. Nothing of it was executed";
    if bytes.is_empty() {
        return Kind::Refused("is empty");
    }
    if bytes.starts_with(b"PK") {
        return Kind::Zip;
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Kind::Refused(
            "is in PyTorch's tar format from before version 0.2; load it in PyTorch and save its \
             state_dict again",
        );
    }
    // Eight bytes of length, then JSON. Asked before the pickle, whose first byte can be a length's.
    if bytes.get(8) == Some(&b'{') {
        return Kind::Safetensors;
    }
    let head = &bytes[..bytes.len().min(64)];
    if head.windows(LEGACY_MAGIC.len()).any(|w| w == LEGACY_MAGIC) {
        return Kind::Refused(OLD);
    }
    if head.starts_with(&[0x80]) && head.get(1).is_some_and(|p| *p <= 5) {
        return Kind::Pickle;
    }
    Kind::Refused("is neither a safetensors file nor a PyTorch checkpoint")
}

impl Checkpoint {
    /// The shape of a tensor, if there is one of that name.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|entry| entry.shape.as_slice())
    }

    /// Takes a tensor's values out, row-major.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the tensor if it is missing or has another shape; it then stays.
    pub fn take_f32(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        match self.tensors.get(name) {
            None => Err(Error::weights(&self.file, format!("no tensor {name}"))),
            Some(entry) if entry.shape != shape => Err(Error::weights(
                &self.file,
                format!("tensor {name} is {:?}, {shape:?} expected", entry.shape),
            )),
            Some(_) => Ok((self.tensors.remove(name)).map_or_else(Vec::new, |entry| entry.data)),
        }
    }

    /// Compares names and shapes with what a model wants.
    ///
    /// # Errors
    /// [`Error::Weights`] with every missing, superfluous and wrongly shaped tensor: the first few by
    /// name, the rest by count.
    pub fn check(&self, expected: &[(String, Vec<usize>)]) -> Result<()> {
        let wanted: BTreeSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
        let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
        for (name, shape) in expected.iter().filter(|(name, _)| !is_counter(name)) {
            match self.shape(name) {
                None => missing.push(name.clone()),
                Some(found) if found != shape => {
                    misshapen.push(format!("{name} ({found:?}, {shape:?} expected)"));
                }
                Some(_) => {}
            }
        }
        let extra: Vec<String> = (self.tensors.keys())
            .filter(|name| !wanted.contains(name.as_str()))
            .cloned()
            .collect();
        let parts: Vec<String> = [
            ("missing", &missing),
            ("of another shape", &misshapen),
            ("not part of the model", &extra),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{} {what}: {}", count(names.len()), first_few(names)))
        .collect();
        if parts.is_empty() {
            return Ok(());
        }
        Err(Error::weights(&self.file, parts.join("; ")))
    }

    /// Takes `prefix` off every name, if all of them have it.
    fn strip_prefix(&mut self, prefix: &str) {
        if self.tensors.keys().all(|name| name.starts_with(prefix)) {
            self.tensors = std::mem::take(&mut self.tensors)
                .into_iter()
                .map(|(name, entry)| (name[prefix.len()..].to_owned(), entry))
                .collect();
        }
    }
}

/// The tensors that a model wants, in its order, without a copy. `num_batches_tracked` counters are
/// neither wanted nor given.
///
/// # Errors
/// [`Error::Weights`] naming all that differs, as [`Checkpoint::check`] does.
pub fn load_state(
    mut checkpoint: Checkpoint,
    expected: &[(String, Vec<usize>)],
) -> Result<Vec<NamedTensor>> {
    checkpoint.check(expected)?;
    expected
        .iter()
        .filter(|(name, _)| !is_counter(name))
        .map(|(name, shape)| {
            let data = checkpoint.take_f32(name, shape)?;
            Ok((name.clone(), shape.clone(), data))
        })
        .collect()
}

/// "1 tensor", "3 tensors".
fn count(n: usize) -> String {
    format!("{n} tensor{}", if n == 1 { "" } else { "s" })
}

/// A list that stays readable when a hundred tensors are wrong.
fn first_few(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}
