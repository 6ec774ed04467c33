//! Constants: read from tensors of a file.

use std::rc::Rc;

use crate::onnx::proto::{TensorProto, data_type};
use crate::weights::Dtype;

/// Most axes of a tensor.
pub(super) const MOST_AXES: usize = 8;

/// Elements.
#[derive(Debug, Clone)]
pub(super) enum Data {
    /// Of any type of real numbers.
    Floats(Rc<Vec<f32>>),
    /// Of any type of integers.
    Ints(Rc<Vec<i64>>),
}

/// A tensor whose values are known. Its elements are shared, not copied.
#[derive(Debug, Clone)]
pub(super) struct Const {
    pub shape: Vec<usize>,
    pub data: Data,
    /// How the elements were stored.
    pub dtype: Dtype,
}

impl Const {
    /// Of `f32`.
    pub fn floats(shape: Vec<usize>, values: Vec<f32>) -> Self {
        Self {
            shape,
            data: Data::Floats(Rc::new(values)),
            dtype: Dtype::F32,
        }
    }

    /// Of whole numbers.
    pub fn ints(shape: Vec<usize>, values: Vec<i64>) -> Self {
        Self {
            shape,
            data: Data::Ints(Rc::new(values)),
            dtype: Dtype::Integer(8),
        }
    }

    /// The same elements in another shape.
    pub fn reshaped(&self, shape: Vec<usize>) -> Self {
        Self {
            shape,
            ..self.clone()
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Floats(values) => values.len(),
            Data::Ints(values) => values.len(),
        }
    }

    /// An element as a number.
    pub fn at(&self, index: usize) -> Option<f64> {
        match &self.data {
            Data::Floats(values) => values.get(index).map(|v| f64::from(*v)),
            Data::Ints(values) => values.get(index).map(|v| *v as f64),
        }
    }

    /// The only element, if there is but one.
    pub fn scalar(&self) -> Option<f64> {
        (self.len() == 1).then(|| self.at(0))?
    }

    /// The elements, if they are real numbers.
    pub const fn as_floats(&self) -> Option<&Rc<Vec<f32>>> {
        match &self.data {
            Data::Floats(values) => Some(values),
            Data::Ints(_) => None,
        }
    }

    /// The elements, if they are whole numbers.
    pub fn as_ints(&self) -> Option<&[i64]> {
        match &self.data {
            Data::Floats(_) => None,
            Data::Ints(values) => Some(values),
        }
    }

    /// Of a file. The tensor's bytes are freed.
    ///
    /// # Errors
    /// The reason, without the tensor's name: elements in another file, of another number than the shape says, or of a
    /// type that is not known.
    pub fn read(tensor: &mut TensorProto) -> Result<Self, String> {
        if tensor.data_location == Some(1) || !tensor.external_data.is_empty() {
            let place = tensor
                .external_data
                .iter()
                .find(|e| e.key.as_deref() == Some("location"));
            let place = place
                .and_then(|e| e.value.as_deref())
                .unwrap_or("another file");
            let place: String = place.chars().take(80).collect();
            return Err(format!(
                "has its values in {place}, and files beside an .onnx are not read; in Python: \
                 onnx.save_model(onnx.load('model.onnx'), 'one.onnx', save_as_external_data=False), or export with \
                 external_data=False"
            ));
        }
        if tensor.dims.len() > MOST_AXES {
            return Err(format!("has {} axes", tensor.dims.len()));
        }
        let sizes = tensor.dims.iter().map(|n| usize::try_from(*n).ok());
        let shape: Option<Vec<usize>> = sizes.collect();
        let shape = shape.ok_or_else(|| format!("has the shape {:?}", tensor.dims))?;
        let count = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        let raw = tensor.raw_data.take().filter(|raw| !raw.is_empty());
        let raw = raw.as_deref();
        let ints32 = std::mem::take(&mut tensor.int32_data);
        let (dtype, data) = match tensor.data_type.unwrap_or(0) {
            data_type::FLOAT => {
                let typed = std::mem::take(&mut tensor.float_data);
                (Dtype::F32, floats(Dtype::F32, raw, typed)?)
            }
            data_type::DOUBLE => {
                let typed = std::mem::take(&mut tensor.double_data);
                let typed = typed.into_iter().map(|v| v as f32).collect();
                (Dtype::F64, floats(Dtype::F64, raw, typed)?)
            }
            data_type::FLOAT16 => {
                let typed = ints32
                    .iter()
                    .map(|v| half::f16::from_bits(*v as u16).to_f32());
                (Dtype::F16, floats(Dtype::F16, raw, typed.collect())?)
            }
            data_type::BFLOAT16 => {
                let typed = ints32
                    .iter()
                    .map(|v| half::bf16::from_bits(*v as u16).to_f32());
                (Dtype::Bf16, floats(Dtype::Bf16, raw, typed.collect())?)
            }
            data_type::INT64 => {
                let typed = std::mem::take(&mut tensor.int64_data);
                (
                    Dtype::Integer(8),
                    ints::<8>(raw, i64::from_le_bytes, typed)?,
                )
            }
            data_type::INT32 => {
                let from = |b| i64::from(i32::from_le_bytes(b));
                (Dtype::Integer(4), ints(raw, from, widened(&ints32))?)
            }
            data_type::INT8 => {
                let from = |b| i64::from(i8::from_le_bytes(b));
                (Dtype::Integer(1), ints(raw, from, widened(&ints32))?)
            }
            data_type::UINT8 | data_type::BOOL => {
                let from = |[b]: [u8; 1]| i64::from(b);
                (Dtype::Integer(1), ints(raw, from, widened(&ints32))?)
            }
            other => return Err(format!("has elements of type {other}, which are not known")),
        };
        let read = Self { shape, data, dtype };
        if count != Some(read.len()) {
            return Err(format!(
                "has {} values for the shape {:?}",
                read.len(),
                read.shape
            ));
        }
        Ok(read)
    }
}

fn widened(values: &[i32]) -> Vec<i64> {
    values.iter().map(|v| i64::from(*v)).collect()
}

fn floats(dtype: Dtype, raw: Option<&[u8]>, typed: Vec<f32>) -> Result<Data, String> {
    let values = match raw {
        Some(raw) => crate::weights::numbers(dtype, raw)?,
        None => typed,
    };
    Ok(Data::Floats(Rc::new(values)))
}

fn ints<const N: usize>(
    raw: Option<&[u8]>,
    from: impl Fn([u8; N]) -> i64,
    typed: Vec<i64>,
) -> Result<Data, String> {
    let Some(raw) = raw else {
        return Ok(Data::Ints(Rc::new(typed)));
    };
    let (parts, rest) = raw.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(format!(
            "{} bytes do not divide into elements of {N}",
            raw.len()
        ));
    }
    Ok(Data::Ints(Rc::new(
        parts.iter().map(|part| from(*part)).collect(),
    )))
}
