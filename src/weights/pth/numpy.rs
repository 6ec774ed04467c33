//! Names in arrays and scalars of NumPy, as `np.unique` and scikit-learn's `LabelEncoder` leave them in a checkpoint.
//!
//! An array is `_reconstruct(...)` with the state `(version, shape, dtype, is_fortran, data)`, or, from protocol 5 on,
//! `_frombuffer(data, dtype, shape, order)`; a scalar is
//! `scalar(dtype, data)`; a dtype is `dtype("U3", ...)` with the state `(version, order, ...)`. Source: `numpy`'s
//! `_core/src/multiarray/methods.c` (`array_setstate`) and `descriptor.c` (`arraydescr_reduce`).

use std::borrow::Cow;

use super::super::outputs;
use super::pickle::Machine;
use super::value::{Global, Value};

/// An element type that names can have.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Element {
    /// Text of so many characters, four bytes each, filled up with zeros.
    Utf32(usize),
    /// Text of so many bytes, filled up with zeros.
    Ascii(usize),
    /// Integers of so many bytes, with a sign or without.
    Integer(usize, bool),
    /// Python's own values.
    Object,
    /// Floats of so many bytes.
    Float(usize),
}

/// Longest name in characters: of an array, every element takes as much room as the longest.
const LONGEST: usize = 1 << 10;

impl Machine<'_> {
    /// The elements of an array of one dimension, as text; none if they are something else. Floats are no names.
    pub(super) fn numpy_array(&self, value: Value) -> Option<Vec<String>> {
        self.elements(value, false)
    }

    /// The same of floats alone.
    pub(super) fn numpy_numbers(&self, value: Value) -> Option<Vec<String>> {
        self.elements(value, true)
    }

    fn elements(&self, value: Value, floats: bool) -> Option<Vec<String>> {
        let Value::Object(object) = value else {
            return None;
        };
        let object = &self.objects[object];
        let [shape, dtype, data] = match object.made_by? {
            (Global::NumpyArray, _) => match *self.tuple(object.state?)? {
                [_, shape, dtype, _, data] => [shape, dtype, data],
                _ => return None,
            },
            (Global::NumpyBuffer, arguments) => match *self.tuple(arguments)? {
                [data, dtype, shape, _] => [shape, dtype, data],
                _ => return None,
            },
            _ => return None,
        };
        let &[Value::Int(len)] = self.tuple(shape)? else {
            return None;
        };
        let len = usize::try_from(len).ok()?;
        if len > outputs::MAX {
            return None;
        }
        let element = self.numpy_element(dtype)?;
        if matches!(element, Element::Float(_)) != floats {
            return None;
        }
        if let (Element::Object, Value::List(list)) = (element, data) {
            let items = &self.lists[list];
            return (items.len() == len)
                .then(|| items.iter().map(|item| self.word(*item)).collect())?;
        }
        let bytes = self.raw(data)?;
        let size = element.size()?;
        if size.checked_mul(len) != Some(bytes.len()) {
            return None;
        }
        bytes.chunks_exact(size).map(|b| element.read(b)).collect()
    }

    /// A scalar as text.
    pub(super) fn numpy_scalar(&self, value: Value) -> Option<String> {
        let Value::Object(object) = value else {
            return None;
        };
        let Some((Global::NumpyScalar, arguments)) = self.objects[object].made_by else {
            return None;
        };
        let &[dtype, data] = self.tuple(arguments)? else {
            return None;
        };
        let element = self.numpy_element(dtype)?;
        let bytes = self.raw(data)?;
        (element.size() == Some(bytes.len())).then(|| element.read(&bytes))?
    }

    fn numpy_element(&self, dtype: Value) -> Option<Element> {
        let Value::Object(object) = dtype else {
            return None;
        };
        let object = &self.objects[object];
        let Some((Global::NumpyDtype, arguments)) = object.made_by else {
            return None;
        };
        let &[Value::Text(a, b), ..] = self.tuple(arguments)? else {
            return None;
        };
        let &[_, Value::Text(c, d), ..] = self.tuple(object.state?)? else {
            return None;
        };
        // "<" is little-endian, "|" has no order, "=" is the writer's.
        if !matches!(self.pickle.str(c, d), "<" | "|") {
            return None;
        }
        let name = self.pickle.str(a, b);
        let size: usize = name.get(1..)?.parse().ok()?;
        match name.as_bytes().first()? {
            b'U' if (1..=LONGEST).contains(&size) => Some(Element::Utf32(size)),
            b'S' if (1..=LONGEST).contains(&size) => Some(Element::Ascii(size)),
            b'i' if (1..=8).contains(&size) => Some(Element::Integer(size, true)),
            b'u' if (1..=8).contains(&size) => Some(Element::Integer(size, false)),
            b'f' if matches!(size, 4 | 8) => Some(Element::Float(size)),
            b'O' => Some(Element::Object),
            _ => None,
        }
    }

    fn tuple(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(tuple) => Some(&self.tuples[tuple]),
            _ => None,
        }
    }

    pub(super) fn raw(&self, value: Value) -> Option<Cow<'_, [u8]>> {
        match value {
            Value::Bytes(a, b) => Some(self.pickle.bytes(a, b).into()),
            Value::Latin1(a, b) => {
                let characters = self.pickle.str(a, b).chars();
                characters.map(|c| u8::try_from(c).ok()).collect()
            }
            _ => None,
        }
    }
}

impl Element {
    /// Bytes of one element.
    fn size(self) -> Option<usize> {
        match self {
            Self::Utf32(characters) => characters.checked_mul(4),
            Self::Ascii(bytes) | Self::Integer(bytes, _) | Self::Float(bytes) => Some(bytes),
            Self::Object => None,
        }
    }

    /// An element as text.
    fn read(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf32(_) => {
                let words = bytes.as_chunks().0.iter().map(|w| u32::from_le_bytes(*w));
                let text: Option<String> = words.map(char::from_u32).collect();
                text.map(|text| text.trim_end_matches('\0').to_owned())
            }
            Self::Ascii(_) => {
                let text = std::str::from_utf8(bytes).ok()?;
                Some(text.trim_end_matches('\0').to_owned())
            }
            Self::Integer(size, signed) => {
                let negative = signed && bytes.last()? & 0x80 != 0;
                let mut wide = [if negative { 0xff } else { 0 }; 8];
                wide[..size].copy_from_slice(bytes);
                Some(if signed {
                    i64::from_le_bytes(wide).to_string()
                } else {
                    u64::from_le_bytes(wide).to_string()
                })
            }
            Self::Float(_) => match *bytes {
                [a, b, c, d] => Some(f32::from_le_bytes([a, b, c, d]).to_string()),
                _ => Some(f64::from_le_bytes(bytes.try_into().ok()?).to_string()),
            },
            Self::Object => None,
        }
    }
}
