//! A pickle read as data.
//!
//! Python's pickle is a program for a small stack machine that can import and call anything, which is
//! why loading a stranger's checkpoint in Python can run a stranger's code. This machine knows the
//! operations that `torch.save` writes for a dict of tensors (protocol 2, or 4 if asked), and the handful
//! of names in [`Global`]. It calls nothing: "calling" `_rebuild_tensor_v2` notes a shape and a storage.
//! Any other operation or name ends the reading with an error that says which.
//!
//! Every operation takes at least one byte and leaves at most one value more, so memory is bounded by
//! the pickle's length; nothing recurses. Operations: CPython's `Lib/pickletools.py`.

use std::collections::HashMap;

use super::cursor::{Cursor, Result};
use super::value::{Global, Storage, Tensor, Value};

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

/// The stack machine, and the arenas that its values point into.
pub(super) struct Machine<'a> {
    pub(super) pickle: Cursor<'a>,
    pub(super) stack: Vec<Value>,
    /// Heights of the stack at each open MARK.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    pub(super) tuples: Vec<Vec<Value>>,
    lists: Vec<Vec<Value>>,
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    pub(super) storages: Vec<Storage>,
    pub(super) tensors: Vec<Tensor>,
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

    pub(super) fn pop(&mut self) -> Result<Value> {
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

    pub(super) fn top(&self) -> Result<Value> {
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

    pub(super) fn push_dict(&mut self) {
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
}

/// A stranger's name, fit for one line.
pub(super) fn printable(name: &str) -> String {
    const LONGEST: usize = 80;
    let short: String = name.chars().take(LONGEST).collect();
    short.escape_debug().to_string()
}
