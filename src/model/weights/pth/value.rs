//! What the pickle of a state dict can be made of.

use super::super::convert::Dtype;

/// A value on the machine's stack. Small and copied freely; whatever has parts lies in the machine's
/// arenas and is named by its index, so a value can be shared, or contain itself, and nothing recurses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Bytes `.0` to `.1` of the pickle, known to be UTF-8.
    Text(usize, usize),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
}

impl Value {
    /// Its Python type, for messages.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an int",
            Self::Float(_) => "a float",
            Self::Text(..) => "a string",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Global(_) => "a function or class",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
        }
    }
}

/// The only names a pickle may ask for. Each is a fact here, not a thing that could be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    /// `collections.OrderedDict`: the state dict itself.
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`: a view on a storage.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`: a tensor with a flag.
    RebuildParameter,
    /// `torch.FloatStorage` and its like: an element type.
    Storage(Dtype),
}

impl Global {
    /// The name's meaning; none if it is not one of those a state dict needs.
    pub(super) fn lookup(module: &str, name: &str) -> Option<Self> {
        let found = match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "FloatStorage") => Self::Storage(Dtype::F32),
            ("torch", "HalfStorage") => Self::Storage(Dtype::F16),
            ("torch", "BFloat16Storage") => Self::Storage(Dtype::Bf16),
            ("torch", "DoubleStorage") => Self::Storage(Dtype::F64),
            ("torch", "LongStorage") => Self::Storage(Dtype::Integer(8)),
            ("torch", "IntStorage") => Self::Storage(Dtype::Integer(4)),
            ("torch", "ShortStorage") => Self::Storage(Dtype::Integer(2)),
            ("torch", "CharStorage" | "ByteStorage" | "BoolStorage") => {
                Self::Storage(Dtype::Integer(1))
            }
            _ => return None,
        };
        Some(found)
    }
}

/// A run of elements in an entry of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    /// The entry's name under `data/`.
    pub key: String,
    /// Type of the elements.
    pub dtype: Dtype,
    /// Number of elements.
    pub len: usize,
}

/// A view on a storage: element `[i, j, ...]` is at `offset + i * strides[0] + j * strides[1] + ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tensor {
    pub storage: Storage,
    /// In elements.
    pub offset: usize,
    pub shape: Vec<usize>,
    /// In elements, one for each dimension.
    pub strides: Vec<usize>,
}

impl Tensor {
    /// Number of values; none if it overflows.
    pub(super) fn len(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d))
    }
}
