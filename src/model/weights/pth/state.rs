//! What the pickle of a state dict is made of: storages, views on them, and dicts of those.

use super::cursor::Result;
use super::pickle::{Machine, printable};
use super::value::{Global, Storage, Tensor, Value};

// Bounds on what a value may refer to again and again: a reference takes two bytes, its copy this much.
/// Most dimensions of a tensor.
const MAX_RANK: usize = 8;
/// Longest name, in bytes.
const MAX_NAME: usize = 256;
/// Most entries of a state dict, and most tensors and storages of a pickle.
const MAX_TENSORS: usize = 1 << 16;

impl Machine<'_> {
    /// BINPERSID: `("storage", type, key, device, elements)` becomes a storage.
    pub(super) fn persistent(&mut self) -> Result<()> {
        let id = self.pop()?;
        let &[
            Value::Text(a, b),
            Value::Global(Global::Storage(dtype)),
            key,
            _device,
            Value::Int(len),
        ] = self.items(id)?
        else {
            return Err("its pickle refers to something that is no storage".into());
        };
        if self.pickle.str(a, b) != "storage" {
            return Err("its pickle refers to something that is no storage".into());
        }
        let storage = Storage {
            key: self.string(key)?,
            dtype,
            len: size(len)?,
        };
        below_limit(self.storages.len())?;
        self.storages.push(storage);
        self.stack.push(Value::Storage(self.storages.len() - 1));
        Ok(())
    }

    /// REDUCE: what Python would call with these arguments is noted instead.
    pub(super) fn reduce(&mut self) -> Result<()> {
        let arguments = self.pop()?;
        let function = self.pop()?;
        let arguments = self.items(arguments)?;
        match (function, arguments) {
            (Value::Global(Global::OrderedDict), []) => self.push_dict(),
            // storage, offset, shape, strides, requires_grad, hooks and, since 2.0, metadata.
            (
                Value::Global(Global::RebuildTensor),
                &[
                    Value::Storage(storage),
                    Value::Int(offset),
                    shape,
                    strides,
                    _,
                    _,
                    ..,
                ],
            ) => {
                let tensor = Tensor {
                    storage: self.storages[storage].clone(),
                    offset: size(offset)?,
                    shape: self.sizes(shape)?,
                    strides: self.sizes(strides)?,
                };
                if tensor.shape.len() != tensor.strides.len() {
                    return Err(
                        "its pickle has a tensor with more sizes than strides, or fewer".into(),
                    );
                }
                below_limit(self.tensors.len())?;
                self.tensors.push(tensor);
                self.stack.push(Value::Tensor(self.tensors.len() - 1));
            }
            (Value::Global(Global::RebuildParameter), &[tensor @ Value::Tensor(_), _, _]) => {
                self.stack.push(tensor);
            }
            (Value::Global(global), _) => {
                return Err(format!(
                    "its pickle calls {global:?} with other arguments than PyTorch's"
                ));
            }
            (other, _) => return Err(format!("its pickle calls {}", other.kind())),
        }
        Ok(())
    }

    /// BUILD: attributes. A state dict has `_metadata`, version numbers of modules; none is needed.
    pub(super) fn build(&mut self) -> Result<()> {
        let state = self.pop()?;
        match (self.top()?, state) {
            (Value::Dict(_), Value::Dict(_)) => Ok(()),
            (object, state) => Err(format!(
                "its pickle gives {} the state {}",
                object.kind(),
                state.kind()
            )),
        }
    }

    fn items(&self, value: Value) -> Result<&[Value]> {
        match value {
            Value::Tuple(tuple) => Ok(&self.tuples[tuple]),
            other => Err(format!(
                "its pickle has {} where a tuple belongs",
                other.kind()
            )),
        }
    }

    fn sizes(&self, value: Value) -> Result<Vec<usize>> {
        let items = self.items(value)?;
        if items.len() > MAX_RANK {
            return Err(format!(
                "its pickle has a tensor of {} dimensions",
                items.len()
            ));
        }
        let ints = items.iter().map(|item| match item {
            Value::Int(n) => size(*n),
            other => Err(format!("its pickle has {} among sizes", other.kind())),
        });
        ints.collect()
    }

    fn string(&self, value: Value) -> Result<String> {
        match value {
            Value::Text(begin, end) if end - begin > MAX_NAME => {
                Err(format!("its pickle has a name of {} bytes", end - begin))
            }
            Value::Text(begin, end) => Ok(self.pickle.str(begin, end).to_owned()),
            other => Err(format!(
                "its pickle has {} where a string belongs",
                other.kind()
            )),
        }
    }

    /// The named tensors of a dict, or of the state dict it holds.
    pub(super) fn tensors_of(&self, top: Value) -> Result<Vec<(String, Tensor)>> {
        let Value::Dict(top) = top else {
            return Err(format!("holds {}, not a state_dict", top.kind()));
        };
        let nested = self.dicts[top]
            .iter()
            .find_map(|(key, value)| match (*key, *value) {
                (Value::Text(a, b), Value::Dict(dict))
                    if ["state_dict", "model_state_dict", "model"]
                        .contains(&self.pickle.str(a, b)) =>
                {
                    Some(dict)
                }
                _ => None,
            });
        let dict = &self.dicts[nested.unwrap_or(top)];
        below_limit(dict.len())?;
        let entries = dict.iter().map(|(key, value)| {
            let name = self.string(*key)?;
            match value {
                Value::Tensor(tensor) => Ok((name, self.tensors[*tensor].clone())),
                other => Err(format!(
                    "entry {} is {}, not a tensor: only a state_dict is read",
                    printable(&name),
                    other.kind()
                )),
            }
        });
        entries.collect()
    }
}

/// A size, offset or stride.
fn size(n: i64) -> Result<usize> {
    usize::try_from(n).map_err(|_| format!("its pickle has {n} as a size, which no memory has"))
}

/// An error once there are [`MAX_TENSORS`] of something.
fn below_limit(n: usize) -> Result<()> {
    if n < MAX_TENSORS {
        return Ok(());
    }
    Err(format!("its pickle has more than {MAX_TENSORS} tensors"))
}
