//! A pickle read as data.
//!
//! Python's pickle is a program for a small stack machine that can import and call anything, which is
//! why loading a stranger's checkpoint in Python can run a stranger's code. This machine knows the
//! operations that `torch.save` writes for a dict of tensors (protocol 2, or 4 if asked), and the handful
//! of names in [`Global`]. It calls nothing: "calling" `_rebuild_tensor_v2` notes a shape and a storage. Any other
//! operation or name ends the reading with an error that says which.
//!
//! Every operation takes at least one byte and leaves at most one value more, so memory is bounded by
//! the pickle's length; nothing recurses. Operations: CPython's `Lib/pickletools.py`.

use std::collections::HashMap;

use super::cursor::{Cursor, Result};
use super::value::{Global, Storage, Tensor, Value};

// Bounds on what a value may refer to again and again: a reference takes two bytes, its copy this much.
/// Most dimensions of a tensor.
const MAX_RANK: usize = 8;
/// Longest name, in bytes.
const MAX_NAME: usize = 256;
/// Most entries of a state dict.
const MAX_TENSORS: usize = 1 << 16;

/// The tensors of a pickled state dict: the top-level dict, or the one it holds under `state_dict`,
/// `model_state_dict` or `model`.
///
/// # Errors
/// The reason: an operation or a name that a state dict does not need, a damaged pickle, an entry that
/// is no tensor.
pub(super) fn state_dict(pickle: &[u8]) -> Result<Vec<(String, Tensor)>> {
    let mut machine = Machine::new(pickle);
    let top = machine.run()?;
    machine.tensors_of(top)
}

struct Machine<'a> {
    pickle: Cursor<'a>,
    stack: Vec<Value>,
    /// Heights of the stack at each open MARK.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    tuples: Vec<Vec<Value>>,
    lists: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    storages: Vec<Storage>,
    tensors: Vec<Tensor>,
}

impl<'a> Machine<'a> {
    fn new(pickle: &'a [u8]) -> Self {
        Self {
            pickle: Cursor::new(pickle),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            tuples: Vec::new(),
            lists: Vec::new(),
            dicts: Vec::new(),
            storages: Vec::new(),
            tensors: Vec::new(),
        }
    }

    /// Interprets up to STOP and gives the value that is left.
    fn run(&mut self) -> Result<Value> {
        loop {
            let begin = self.pickle.at();
            let operation = self.pickle.byte()?;
            match operation {
                0x80 => self.protocol()?,
                b'.' => return self.pop(),
                b'(' => self.marks.push(self.stack.len()),
                b'N' => self.stack.push(Value::None),
                0x88 => self.stack.push(Value::Bool(true)),
                0x89 => self.stack.push(Value::Bool(false)),
                b'K' => {
                    let n = self.pickle.byte()?;
                    self.stack.push(Value::Int(n.into()));
                }
                b'M' => {
                    let n = u16::from_le_bytes(self.pickle.array()?);
                    self.stack.push(Value::Int(n.into()));
                }
                b'J' => {
                    let n = i32::from_le_bytes(self.pickle.array()?);
                    self.stack.push(Value::Int(n.into()));
                }
                0x8a => {
                    let n = self.pickle.long()?;
                    self.stack.push(Value::Int(n));
                }
                b'G' => {
                    let x = f64::from_be_bytes(self.pickle.array()?);
                    self.stack.push(Value::Float(x));
                }
                b'X' => {
                    let len = u32::from_le_bytes(self.pickle.array()?) as usize;
                    self.push_text(len)?;
                }
                0x8c => {
                    let len = self.pickle.byte()?.into();
                    self.push_text(len)?;
                }
                b')' => self.push_tuple(Vec::new()),
                0x85..=0x87 => {
                    let n = usize::from(operation - 0x84);
                    let items = self.pop_many(n)?;
                    self.push_tuple(items);
                }
                b't' => {
                    let items = self.pop_mark()?;
                    self.push_tuple(items);
                }
                b']' => {
                    self.lists.push(Vec::new());
                    self.stack.push(Value::List(self.lists.len() - 1));
                }
                b'a' => {
                    let item = self.pop()?;
                    self.extend_list(vec![item])?;
                }
                b'e' => {
                    let items = self.pop_mark()?;
                    self.extend_list(items)?;
                }
                b'}' => self.push_dict(),
                b's' => {
                    let items = self.pop_many(2)?;
                    self.extend_dict(&items)?;
                }
                b'u' => {
                    let items = self.pop_mark()?;
                    self.extend_dict(&items)?;
                }
                b'q' => {
                    let key = self.pickle.byte()?.into();
                    self.remember(key)?;
                }
                b'r' => {
                    let key = u32::from_le_bytes(self.pickle.array()?);
                    self.remember(key)?;
                }
                b'h' => {
                    let key = self.pickle.byte()?.into();
                    self.recall(key)?;
                }
                b'j' => {
                    let key = u32::from_le_bytes(self.pickle.array()?);
                    self.recall(key)?;
                }
                0x94 => {
                    // MEMOIZE counts the keys itself.
                    let key = u32::try_from(self.memo.len()).unwrap_or(u32::MAX);
                    self.remember(key)?;
                }
                0x95 => {
                    // FRAME says how much a reader may fetch at once; all of it is here already.
                    let _length: [u8; 8] = self.pickle.array()?;
                }
                b'c' => self.global()?,
                0x93 => self.stack_global()?,
                b'Q' => self.persistent()?,
                b'R' => self.reduce()?,
                b'b' => self.build()?,
                other => {
                    return Err(format!(
                        "refused: its pickle has operation 0x{other:02x} at byte {begin}, which a dict \
                         of tensors does not need. Nothing of it was executed"
                    ));
                }
            }
        }
    }

    fn protocol(&mut self) -> Result<()> {
        match self.pickle.byte()? {
            2..=5 => Ok(()),
            other => Err(format!(
                "its pickle is of protocol {other}, and torch.save writes 2"
            )),
        }
    }

    /// GLOBAL: two lines, module and name.
    fn global(&mut self) -> Result<()> {
        let module = self.pickle.line()?;
        let name = self.pickle.line()?;
        self.push_global(module, name)
    }

    /// STACK_GLOBAL: the same from the stack, as protocol 4 has it.
    fn stack_global(&mut self) -> Result<()> {
        match self.pop_many(2)?[..] {
            [Value::Text(a, b), Value::Text(c, d)] => {
                let (module, name) = (self.pickle.str(a, b), self.pickle.str(c, d));
                self.push_global(module, name)
            }
            _ => Err("its pickle has a name that is no string".into()),
        }
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<()> {
        let global = Global::lookup(module, name).ok_or_else(|| {
            format!(
                "refused: its pickle asks for {}.{}, and only tensors are read. Nothing of it was executed",
                printable(module),
                printable(name)
            )
        })?;
        self.stack.push(Value::Global(global));
        Ok(())
    }

    fn pop(&mut self) -> Result<Value> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("its pickle takes more than it has put down".into());
        }
        self.stack.pop().ok_or_else(|| "its pickle is empty".into())
    }

    fn pop_many(&mut self, n: usize) -> Result<Vec<Value>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(n) {
            Some(from) if from >= floor => Ok(self.stack.split_off(from)),
            _ => Err("its pickle takes more than it has put down".into()),
        }
    }

    fn pop_mark(&mut self) -> Result<Vec<Value>> {
        let from = self
            .marks
            .pop()
            .ok_or("its pickle closes what it has not opened")?;
        Ok(self.stack.split_off(from.min(self.stack.len())))
    }

    fn top(&self) -> Result<Value> {
        (self.stack.last().copied())
            .ok_or_else(|| "its pickle takes more than it has put down".into())
    }

    fn push_text(&mut self, len: usize) -> Result<()> {
        let (begin, end) = self.pickle.text(len)?;
        self.stack.push(Value::Text(begin, end));
        Ok(())
    }

    fn push_tuple(&mut self, items: Vec<Value>) {
        self.tuples.push(items);
        self.stack.push(Value::Tuple(self.tuples.len() - 1));
    }

    fn push_dict(&mut self) {
        self.dicts.push(Vec::new());
        self.stack.push(Value::Dict(self.dicts.len() - 1));
    }

    fn extend_list(&mut self, items: Vec<Value>) -> Result<()> {
        let Value::List(list) = self.top()? else {
            return Err(format!("its pickle appends to {}", self.top()?.kind()));
        };
        self.lists[list].extend(items);
        Ok(())
    }

    fn extend_dict(&mut self, items: &[Value]) -> Result<()> {
        let Value::Dict(dict) = self.top()? else {
            return Err(format!("its pickle sets an item of {}", self.top()?.kind()));
        };
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("its pickle has a key without a value".into());
        }
        self.dicts[dict].extend(pairs.iter().map(|[key, value]| (*key, *value)));
        Ok(())
    }

    fn remember(&mut self, key: u32) -> Result<()> {
        let value = self.top()?;
        self.memo.insert(key, value);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<()> {
        let value = (self.memo.get(&key)).ok_or("its pickle refers to what it has not stored")?;
        self.stack.push(*value);
        Ok(())
    }

    /// BINPERSID: `("storage", type, key, device, elements)` becomes a storage.
    fn persistent(&mut self) -> Result<()> {
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
        self.storages.push(storage);
        self.stack.push(Value::Storage(self.storages.len() - 1));
        Ok(())
    }

    /// REDUCE: what Python would call with these arguments is noted instead.
    fn reduce(&mut self) -> Result<()> {
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
    fn build(&mut self) -> Result<()> {
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
    fn tensors_of(&self, top: Value) -> Result<Vec<(String, Tensor)>> {
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
        if dict.len() > MAX_TENSORS {
            return Err(format!(
                "has {} entries, more than {MAX_TENSORS}",
                dict.len()
            ));
        }
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

/// A stranger's name, fit for one line.
fn printable(name: &str) -> String {
    const LONGEST: usize = 80;
    let short: String = name.chars().take(LONGEST).collect();
    short.escape_debug().to_string()
}
