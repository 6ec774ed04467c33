//! What the pickle of a checkpoint can be made of.

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
    /// Bytes `.0` to `.1` of the pickle, as they are.
    Bytes(usize, usize),
    /// Bytes as protocol 2 writes them: the characters of the text `.0` to `.1`, one for each.
    Latin1(usize, usize),
    /// A value that no tensor depends on: a very large integer, text that is no UTF-8.
    Opaque,
    Tuple(usize),
    /// A list or a set.
    List(usize),
    Dict(usize),
    Global(Global),
    /// An object of a class that is not known here.
    Object(usize),
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
            Self::Bytes(..) | Self::Latin1(..) => "bytes",
            Self::Opaque => "a large int or undecodable text",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Global(_) => "a function or class",
            Self::Object(_) => "an object",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
        }
    }
}

/// The names that mean something here. Each is a fact, not a thing that could be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    /// `collections.OrderedDict`: the state dict itself.
    OrderedDict,
    /// `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`: a view on a storage.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter` and its like: a tensor with a flag.
    RebuildParameter,
    /// `torch._tensor._rebuild_from_type_v2`: a tensor of a subclass.
    RebuildFromType,
    /// `torch.FloatStorage` and its like: an element type.
    Storage(Dtype),
    /// `_codecs.encode`: bytes, written as text.
    Encode,
    /// `numpy.core.multiarray._reconstruct`: an array whose state follows.
    NumpyArray,
    /// `numpy.core.numeric._frombuffer`: the same with its bytes as an argument, from protocol 5 on.
    NumpyBuffer,
    /// `numpy.core.multiarray.scalar`: one value of a dtype.
    NumpyScalar,
    /// `numpy.dtype`: an element type.
    NumpyDtype,
    /// `getattr`: a member of an enum or a nested class, as long as no attribute leads to what runs code.
    GetAttr,
    /// Any other class or function: what it would make is an inert object.
    Inert,
}

/// An object of a class that is not known here, as data.
#[derive(Debug, Clone, Default)]
pub(super) struct Object {
    /// What would be called to make it, and the arguments, where they say something about the names of classes.
    pub made_by: Option<(Global, Value)>,
    /// What was put into it as into a dict.
    pub items: Vec<(Value, Value)>,
    /// What it would be given to restore itself from.
    pub state: Option<Value>,
}

/// A run of elements in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    /// Its name: the entry under `data/` of an archive.
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

    /// Whether it repeats elements (`expand`): the trained weights of a network never do.
    pub(super) fn is_expanded(&self) -> bool {
        let mut dimensions = self.shape.iter().zip(&self.strides);
        dimensions.any(|(n, stride)| *n > 1 && *stride == 0)
    }
}
