//! A pickle read as data.
//!
//! Python's pickle is a program for a small stack machine that can import and call anything, which is
//! why loading a stranger's checkpoint in Python can run a stranger's code. This machine knows the
//! operations of every protocol and the handful of names in [`Global`](super::value::Global) that tensors are made
//! of. It calls nothing: "calling" `_rebuild_tensor_v2` notes a shape and a storage, and what any other class or
//! function would make is an inert object. Names that run code end the reading, see [`globals`].
//!
//! Every operation takes at least one byte and leaves at most one value more, so memory is bounded by
//! the pickle's length; nothing recurses. Operations: CPython's `Lib/pickletools.py`.

use std::collections::HashMap;

use super::cursor::{Cursor, Result};
use super::globals;
use super::value::{Global, Object, Storage, Tensor, Value};

/// Longest name of a module or class, in bytes.
const MAX_GLOBAL: usize = 1024;

/// Most operations of a pickle: each may leave a value of some 50 bytes.
const MAX_OPERATIONS: usize = 1 << 22;

/// Most values that a pickle stores to refer to them later.
const MAX_MEMO: usize = 1 << 20;

const PROTOCOL_0: &str = "was saved with pickle_protocol=0, which loses where the tensors lie; PyTorch itself cannot load it. Save it again \
     without that argument";

const EMPTY: &str = "its pickle takes more than it has put down";

/// The stack machine, and the arenas that its values point into.
pub(super) struct Machine<'a> {
    pub(super) pickle: Cursor<'a>,
    pub(super) stack: Vec<Value>,
    /// Heights of the stack at each open MARK.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    pub(super) tuples: Vec<Vec<Value>>,
    pub(super) lists: Vec<Vec<Value>>,
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    pub(super) objects: Vec<Object>,
    pub(super) storages: Vec<Storage>,
    pub(super) tensors: Vec<Tensor>,
    /// Pairs copied from lists into dicts: a short reference can name a long list.
    pub(super) copied: usize,
}

impl<'a> Machine<'a> {
    pub(super) fn new(pickle: &'a [u8]) -> Self {
        Self {
            pickle: Cursor::new(pickle),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            tuples: Vec::new(),
            lists: Vec::new(),
            dicts: Vec::new(),
            objects: Vec::new(),
            storages: Vec::new(),
            tensors: Vec::new(),
            copied: 0,
        }
    }

    /// Interprets up to STOP and gives the value that is left. Called again, it reads the pickle that follows.
    ///
    /// # Errors
    /// The reason: a name that is refused, a damaged pickle, a tensor that is none.
    pub(super) fn run(&mut self) -> Result<Value> {
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
        for _ in 0..MAX_OPERATIONS {
            let begin = self.pickle.at();
            let operation = self.pickle.byte()?;
            match operation {
                b'.' => return self.pop(),
                b'(' => self.marks.push(self.stack.len()),
                b'0' => {
                    // POP takes a mark too.
                    if self.marks.last() == Some(&self.stack.len()) {
                        self.marks.pop();
                    } else {
                        self.pop()?;
                    }
                }
                b'1' => drop(self.pop_mark()?),
                b'2' => self.stack.push(self.top()?),
                b'p' | b'q' | b'r' | 0x94 => self.put(operation)?,
                b'g' | b'h' | b'j' => self.get(operation)?,
                // PROTO, and FRAME, which says how much a reader may fetch at once; all of it is here already.
                0x80 => self.protocol()?,
                0x95 => drop(self.pickle.take(8)?),
                b'c' => self.global()?,
                0x93 => self.stack_global()?,
                b'Q' => self.persistent()?,
                // Written by protocol 0 alone, whose identifiers are text. PyTorch reads none of it either.
                b'P' => return Err(PROTOCOL_0.into()),
                b'R' => self.reduce()?,
                b'b' => self.build()?,
                0x81 | 0x92 | b'o' | b'i' => self.new_object(operation)?,
                b')'
                | 0x85..=0x87
                | b't'
                | b']'
                | b'l'
                | b'a'
                | b'e'
                | b'}'
                | b'd'
                | b's'
                | b'u'
                | 0x8f..=0x91 => self.container(operation)?,
                _ => {
                    let value = self.scalar(operation)?.ok_or_else(|| {
                        format!(
                            "refused: its pickle has operation 0x{operation:02x} at byte {begin}, which no \
                             checkpoint needs. Nothing of it was executed"
                        )
                    })?;
                    self.stack.push(value);
                }
            }
        }
        Err("its pickle is larger than that of any checkpoint".into())
    }

    /// The value of an operation that puts one down; none if it is no such operation.
    fn scalar(&mut self, operation: u8) -> Result<Option<Value>> {
        let pickle = &mut self.pickle;
        let int = |n: Option<i64>| n.map_or(Value::Opaque, Value::Int);
        let text =
            |span: Option<(usize, usize)>| span.map_or(Value::Opaque, |(a, b)| Value::Text(a, b));
        Ok(Some(match operation {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Int(pickle.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(pickle.array()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(pickle.array()?).into()),
            0x8a => {
                let len = pickle.length(1)?;
                int(pickle.long(len)?)
            }
            0x8b => {
                let len = pickle.length(4)?;
                int(pickle.long(len)?)
            }
            // "01" and "00" are how protocol 0 writes True and False.
            b'I' | b'L' => match pickle.line()?.trim_end_matches(['L', '\r']) {
                "01" => Value::Bool(true),
                "00" => Value::Bool(false),
                digits => int(digits.parse().ok()),
            },
            b'F' => pickle
                .line()?
                .trim()
                .parse()
                .map_or(Value::Opaque, Value::Float),
            b'G' => Value::Float(f64::from_be_bytes(pickle.array()?)),
            b'S' | b'V' => text(pickle.quoted_line()?),
            b'U' | 0x8c => {
                let len = pickle.length(1)?;
                text(pickle.text(len)?)
            }
            b'T' | b'X' => {
                let len = pickle.length(4)?;
                text(pickle.text(len)?)
            }
            0x8d => {
                let len = pickle.length(8)?;
                text(pickle.text(len)?)
            }
            b'C' | b'B' | 0x8e | 0x96 => {
                let len = pickle.length(match operation {
                    b'C' => 1,
                    b'B' => 4,
                    _ => 8,
                })?;
                let begin = pickle.at();
                pickle.take(len)?;
                Value::Bytes(begin, begin + len)
            }
            _ => return Ok(None),
        }))
    }

    /// An operation that makes or fills a tuple, list, set or dict.
    fn container(&mut self, operation: u8) -> Result<()> {
        match operation {
            b')' => self.push_tuple(Vec::new()),
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(operation - 0x84))?;
                self.push_tuple(items);
            }
            // A set has no order, so no names of outputs; nor are tensors kept in one.
            0x91 => {
                self.pop_mark()?;
                self.push_object();
            }
            b't' => {
                let items = self.pop_mark()?;
                self.push_tuple(items);
            }
            b']' => self.push_list(Vec::new()),
            0x8f => self.push_object(),
            b'l' => {
                let items = self.pop_mark()?;
                self.push_list(items);
            }
            b'a' => {
                let item = self.pop()?;
                self.extend_list(vec![item])?;
            }
            b'e' | 0x90 => {
                let items = self.pop_mark()?;
                self.extend_list(items)?;
            }
            b'}' => self.push_dict(),
            b'd' => {
                let items = self.pop_mark()?;
                self.push_dict();
                self.extend_dict(&items)?;
            }
            b's' => {
                let items = self.pop_many(2)?;
                self.extend_dict(&items)?;
            }
            _ => {
                let items = self.pop_mark()?;
                self.extend_dict(&items)?;
            }
        }
        Ok(())
    }

    /// NEWOBJ, NEWOBJ_EX, OBJ and INST: an object of a class, with arguments.
    fn new_object(&mut self, operation: u8) -> Result<()> {
        let class = match operation {
            0x81 => self.pop_many(2)?[0],
            0x92 => self.pop_many(3)?[0],
            b'o' => {
                let items = self.pop_mark()?;
                *items.first().ok_or(EMPTY)?
            }
            _ => {
                self.global()?;
                let class = self.pop()?;
                self.pop_mark()?;
                class
            }
        };
        match class {
            Value::Global(Global::OrderedDict) => self.push_dict(),
            Value::Global(_) | Value::Object(_) => self.push_object(),
            other => return Err(format!("its pickle calls {}", other.kind())),
        }
        Ok(())
    }

    fn protocol(&mut self) -> Result<()> {
        match self.pickle.byte()? {
            0..=5 => Ok(()),
            other => Err(format!(
                "its pickle is of protocol {other}, and 5 is the last that is known"
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
            [Value::Text(a, b), Value::Text(c, d)] if (b - a).max(d - c) < MAX_GLOBAL => {
                let (module, name) = (self.pickle.str(a, b), self.pickle.str(c, d));
                self.push_global(module, name)
            }
            _ => Err("its pickle has a name that is no string".into()),
        }
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<()> {
        let global = globals::lookup(module, name).ok_or_else(|| {
            format!(
                "refused: its pickle asks for {}.{}, which no checkpoint needs. Nothing of it was executed",
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
            return Err(EMPTY.into());
        }
        self.stack.pop().ok_or_else(|| EMPTY.into())
    }

    fn pop_many(&mut self, n: usize) -> Result<Vec<Value>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(n) {
            Some(from) if from >= floor => Ok(self.stack.split_off(from)),
            _ => Err(EMPTY.into()),
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
        (self.stack.last().copied()).ok_or_else(|| EMPTY.into())
    }

    fn push_tuple(&mut self, items: Vec<Value>) {
        self.tuples.push(items);
        self.stack.push(Value::Tuple(self.tuples.len() - 1));
    }

    fn push_list(&mut self, items: Vec<Value>) {
        self.lists.push(items);
        self.stack.push(Value::List(self.lists.len() - 1));
    }

    pub(super) fn push_dict(&mut self) {
        self.dicts.push(Vec::new());
        self.stack.push(Value::Dict(self.dicts.len() - 1));
    }

    /// An object that a call would make, with what says how.
    pub(super) fn push_made(&mut self, made_by: Global, arguments: Value) {
        self.push_object();
        if let Some(object) = self.objects.last_mut() {
            object.made_by = Some((made_by, arguments));
        }
    }

    pub(super) fn push_object(&mut self) {
        self.objects.push(Object::default());
        self.stack.push(Value::Object(self.objects.len() - 1));
    }

    fn extend_list(&mut self, items: Vec<Value>) -> Result<()> {
        match self.top()? {
            Value::List(list) => self.lists[list].extend(items),
            // A deque, or any list that is more: no weights are kept in such.
            Value::Object(_) => {}
            other => return Err(format!("its pickle appends to {}", other.kind())),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: &[Value]) -> Result<()> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("its pickle has a key without a value".into());
        }
        let pairs = pairs.iter().map(|[key, value]| (*key, *value));
        match self.top()? {
            Value::Dict(dict) => self.dicts[dict].extend(pairs),
            Value::Object(object) => self.objects[object].items.extend(pairs),
            other => return Err(format!("its pickle sets an item of {}", other.kind())),
        }
        Ok(())
    }

    /// PUT in its four forms; MEMOIZE counts the keys itself.
    fn put(&mut self, operation: u8) -> Result<()> {
        let key = match operation {
            b'p' => self.line_key()?,
            b'q' => self.pickle.byte()?.into(),
            b'r' => u32::from_le_bytes(self.pickle.array()?),
            _ => u32::try_from(self.memo.len()).unwrap_or(u32::MAX),
        };
        let value = self.top()?;
        if self.memo.len() >= MAX_MEMO {
            return Err("its pickle stores more values than any checkpoint".into());
        }
        self.memo.insert(key, value);
        Ok(())
    }

    fn get(&mut self, operation: u8) -> Result<()> {
        let key = match operation {
            b'g' => self.line_key()?,
            b'h' => self.pickle.byte()?.into(),
            _ => u32::from_le_bytes(self.pickle.array()?),
        };
        let value = (self.memo.get(&key)).ok_or("its pickle refers to what it has not stored")?;
        self.stack.push(*value);
        Ok(())
    }

    fn line_key(&mut self) -> Result<u32> {
        let line = self.pickle.line()?;
        (line.trim().parse()).map_err(|_| "its pickle refers to what it has not stored".into())
    }
}

/// A stranger's name, fit for one line.
pub(super) fn printable(name: &str) -> String {
    const LONGEST: usize = 80;
    let short: String = name.chars().take(LONGEST).collect();
    short.escape_debug().to_string()
}
