//! What the operations of a pickle come to that make tensors and objects.

use super::cursor::Result;
use super::globals;
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
    /// BINPERSID: `("storage", type, key, device, elements)` becomes a storage. The format before PyTorch 1.6 adds
    /// what part of a larger storage it is, which is none in any file since 0.4.
    pub(super) fn persistent(&mut self) -> Result<()> {
        let id = self.pop()?;
        let (kind, storage) = match self.items(id)? {
            &[kind, Value::Global(class), key, _device, Value::Int(len)]
            | &[
                kind,
                Value::Global(class),
                key,
                _device,
                Value::Int(len),
                Value::None,
            ] => (kind, Some((class, key, len))),
            // A class of a module, with its source, so that PyTorch could warn of a change.
            &[
                Value::Text(a, b),
                class @ Value::Global(_),
                Value::Text(..) | Value::None,
                ..,
            ] if self.pickle.str(a, b) == "module" => {
                self.stack.push(class);
                return Ok(());
            }
            _ => (Value::None, None),
        };
        let is_storage = matches!(kind, Value::Text(a, b) if self.pickle.str(a, b) == "storage");
        let Some((class, key, len)) = storage.filter(|_| is_storage) else {
            return Err("its pickle refers to something that is no storage".into());
        };
        // Complex or quantized elements are no weights of a network known here.
        let Global::Storage(dtype) = class else {
            self.push_object();
            return Ok(());
        };
        let storage = Storage {
            key: self.key(key)?,
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
        match (self.call(function, arguments)?, function) {
            (Some(value), _) => self.stack.push(value),
            (None, Value::Global(made_by)) => self.push_made(made_by, arguments),
            (None, _) => self.push_object(),
        }
        Ok(())
    }

    /// What a call comes to; none for an inert object.
    fn call(&mut self, function: Value, arguments: Value) -> Result<Option<Value>> {
        let arguments = self.items(arguments)?;
        match (function, arguments) {
            (Value::Global(Global::OrderedDict), []) => {
                self.push_dict();
                self.pop().map(Some)
            }
            (Value::Global(Global::OrderedDict), &[Value::List(pairs)]) => {
                self.dict_of(pairs).map(Some)
            }
            // storage, offset, shape, strides, and more that a frozen tensor has no use for.
            (
                Value::Global(Global::RebuildTensor),
                &[
                    Value::Storage(storage),
                    Value::Int(offset),
                    shape,
                    strides,
                    ref more @ ..,
                ],
            ) => {
                // After requires_grad and hooks: whether the values are to be negated or conjugated.
                if let Some(Value::Dict(metadata)) = more.get(2) {
                    let mut flags = self.dicts[*metadata].iter();
                    if flags.any(|(_, value)| *value == Value::Bool(true)) {
                        let reason = "its pickle has a negated or conjugated view; save a clone of that tensor";
                        return Err(reason.into());
                    }
                }
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
                Ok(Some(Value::Tensor(self.tensors.len() - 1)))
            }
            (Value::Global(Global::RebuildTensor), &[Value::Object(_), ..]) => Ok(None),
            (Value::Global(Global::RebuildParameter), &[tensor @ Value::Tensor(_), ..]) => {
                Ok(Some(tensor))
            }
            (Value::Global(Global::RebuildParameter), &[Value::Object(_), ..]) => Ok(None),
            // function, class, its arguments, state.
            (
                Value::Global(Global::RebuildFromType),
                &[
                    function @ Value::Global(Global::RebuildTensor | Global::RebuildParameter),
                    _,
                    arguments @ Value::Tuple(_),
                    ..,
                ],
            ) => self.call(function, arguments),
            (Value::Global(Global::Encode), &[Value::Text(a, b), Value::Text(c, d)])
                if self.pickle.str(c, d) == "latin1" =>
            {
                Ok(Some(Value::Latin1(a, b)))
            }
            (Value::Global(Global::GetAttr), &[_, Value::Text(a, b), ..])
                if globals::is_harmless_attribute(self.pickle.str(a, b)) =>
            {
                Ok(None)
            }
            (Value::Global(Global::GetAttr), arguments) => {
                let name = match arguments {
                    &[_, Value::Text(a, b), ..] => printable(self.pickle.str(a, b)),
                    _ => "that is no text".to_owned(),
                };
                Err(format!(
                    "refused: its pickle asks for the attribute {name}, which no checkpoint needs. Nothing of it was \
                     executed"
                ))
            }
            (
                Value::Global(
                    Global::Inert
                    | Global::RebuildFromType
                    | Global::Storage(_)
                    | Global::Encode
                    | Global::NumpyArray
                    | Global::NumpyBuffer
                    | Global::NumpyScalar
                    | Global::NumpyDtype,
                ),
                _,
            )
            | (Value::Object(_), _) => Ok(None),
            (Value::Global(global), _) => Err(format!(
                "its pickle calls {global:?} with other arguments than PyTorch's"
            )),
            (other, _) => Err(format!("its pickle calls {}", other.kind())),
        }
    }

    /// A dict of `[[key, value], ...]`, as Python 2 wrote an `OrderedDict`.
    fn dict_of(&mut self, pairs: usize) -> Result<Value> {
        let mut dict = Vec::new();
        for pair in &self.lists[pairs] {
            let pair = match *pair {
                Value::List(list) => &self.lists[list],
                Value::Tuple(tuple) => &self.tuples[tuple],
                _ => return Err("its pickle has a key without a value".into()),
            };
            let &[key, value] = &pair[..] else {
                return Err("its pickle has a key without a value".into());
            };
            dict.push((key, value));
        }
        self.copied += dict.len();
        below_limit(self.copied)?;
        self.dicts.push(dict);
        Ok(Value::Dict(self.dicts.len() - 1))
    }

    /// BUILD: attributes. A state dict's are `_metadata`, version numbers of modules, which nobody needs; those of
    /// an object are kept, for a module has its tensors there.
    pub(super) fn build(&mut self) -> Result<()> {
        let state = self.pop()?;
        match self.top()? {
            Value::Object(object) => self.objects[object].state = Some(state),
            Value::Dict(_) | Value::Tensor(_) | Value::List(_) | Value::Global(_) => {}
            other => {
                return Err(format!(
                    "its pickle gives {} the state {}",
                    other.kind(),
                    state.kind()
                ));
            }
        }
        Ok(())
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
        let items = match value {
            Value::List(list) => &self.lists[list],
            other => self.items(other)?,
        };
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

    /// A storage's name: text, or a number in the format before PyTorch 1.6.
    pub(super) fn key(&self, value: Value) -> Result<String> {
        match value {
            Value::Int(n) => Ok(n.to_string()),
            other => self.string(other),
        }
    }

    pub(super) fn string(&self, value: Value) -> Result<String> {
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
}

/// A size, offset or stride.
fn size(n: i64) -> Result<usize> {
    usize::try_from(n).map_err(|_| format!("its pickle has {n} as a size, which no memory has"))
}

/// An error once there are [`MAX_TENSORS`] of something.
pub(super) fn below_limit(n: usize) -> Result<()> {
    if n < MAX_TENSORS {
        return Ok(());
    }
    Err(format!("its pickle has more than {MAX_TENSORS} tensors"))
}
