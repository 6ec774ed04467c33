//! Nodes and constants as they are put together.

use std::collections::BTreeSet;

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::error::{Error, Result};
use crate::onnx::proto::{Attribute, NodeProto, TensorProto, attribute, data_type};
use crate::weights::SaveAs;

/// A graph in the making.
pub(super) struct Writer {
    pub nodes: Vec<NodeProto>,
    pub constants: Vec<TensorProto>,
    dtype: SaveAs,
    /// All that there are, of values and constants alike.
    names: BTreeSet<String>,
}

impl Writer {
    /// An empty one; kernels and matrices are stored as that type.
    pub fn new(dtype: SaveAs) -> Self {
        Self {
            nodes: Vec::new(),
            constants: Vec::new(),
            dtype,
            names: BTreeSet::new(),
        }
    }

    /// This name, or the next one that is free.
    pub fn name(&mut self, wish: &str) -> String {
        let mut name = wish.to_owned();
        let mut number = 1;
        while !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{wish}_{number}");
        }
        name
    }

    /// A node with one output, whose name is given back.
    pub fn op(
        &mut self,
        op: &str,
        inputs: &[&str],
        wish: &str,
        settings: Vec<Attribute>,
    ) -> String {
        let output = self.name(wish);
        self.op_to(op, inputs, &output, settings);
        output
    }

    /// A node whose one output has that name.
    pub fn op_to(&mut self, op: &str, inputs: &[&str], output: &str, settings: Vec<Attribute>) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: Some(output.to_owned()),
            op_type: Some(op.to_owned()),
            domain: None,
            attribute: settings,
        });
    }

    /// Whole numbers.
    pub fn ints(&mut self, wish: &str, values: &[i64]) -> String {
        let raw = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(wish, &[values.len()], data_type::INT64, raw)
    }

    /// A vector, or any small tensor: always `f32`.
    ///
    /// # Errors
    /// [`Error::Weights`] naming the tensor if a value is not finite.
    pub fn floats(&mut self, wish: &str, shape: &[usize], values: &[f32]) -> Result<String> {
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let reason = format!(
                "tensor {wish}: element {at} is {}, not a finite number",
                values[at]
            );
            return Err(Error::weights("export", reason));
        }
        let raw = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Ok(self.constant(wish, shape, data_type::FLOAT, raw))
    }

    /// A kernel or a matrix, as the type asked for; a half is cast when it is used, so that all sums are of `f32`. One
    /// with a value beyond float16 stays `f32`.
    ///
    /// # Errors
    /// As [`floats`](Self::floats).
    pub fn matrix(&mut self, wish: &str, shape: &[usize], values: &[f32]) -> Result<String> {
        if self.dtype == SaveAs::F16 {
            let mut halves = vec![f16::ZERO; values.len()];
            halves.convert_from_f32_slice(values);
            if halves.iter().all(|half| half.is_finite()) {
                let raw = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
                let name = self.constant(wish, shape, data_type::FLOAT16, raw);
                let to = int("to", i64::from(data_type::FLOAT));
                return Ok(self.op("Cast", &[&name], &format!("{wish}.f32"), vec![to]));
            }
        }
        self.floats(wish, shape, values)
    }

    fn constant(&mut self, wish: &str, shape: &[usize], kind: i32, raw: Vec<u8>) -> String {
        let name = self.name(wish);
        self.constants.push(TensorProto {
            dims: shape.iter().map(|n| *n as i64).collect(),
            data_type: Some(kind),
            name: Some(name.clone()),
            raw_data: Some(raw),
            ..TensorProto::default()
        });
        name
    }
}

fn setting(name: &str, kind: i32) -> Attribute {
    Attribute {
        name: Some(name.to_owned()),
        kind: Some(kind),
        ..Attribute::default()
    }
}

/// A setting that is a whole number.
pub(super) fn int(name: &str, value: i64) -> Attribute {
    Attribute {
        i: Some(value),
        ..setting(name, attribute::INT)
    }
}

/// A setting that is several of them.
pub(super) fn ints(name: &str, values: &[usize]) -> Attribute {
    Attribute {
        ints: values.iter().map(|n| *n as i64).collect(),
        ..setting(name, attribute::INTS)
    }
}

/// A setting that is a number.
pub(super) fn float(name: &str, value: f64) -> Attribute {
    Attribute {
        f: Some(value as f32),
        ..setting(name, attribute::FLOAT)
    }
}

/// A setting that is a word.
pub(super) fn text(name: &str, value: &str) -> Attribute {
    Attribute {
        s: Some(value.as_bytes().to_vec()),
        ..setting(name, attribute::STRING)
    }
}
