//! The content of a pickle, as an arena of values that refer to each other by index.
//!
//! Text and bytes are borrowed from the file, and a value that occurs many times (or inside itself)
//! is in the arena once: a pickle cannot grow when it is read.

use std::collections::BTreeMap;

/// Index of a value in its [`Arena`].
pub(super) type Id = u32;

/// One value of a pickle.
#[derive(Debug)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 8 bytes.
    Long,
    Float(f64),
    Text(&'a str),
    Bytes,
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    /// Elements `first..first + len` of a storage.
    Storage {
        storage: usize,
        first: usize,
        len: usize,
    },
    /// Index into [`Arena::tensors`].
    Tensor(usize),
    /// A value of a known class that is not needed; its parts are not read.
    Opaque(&'static str),
}

/// Type of the elements of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl Element {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }
}

/// The classes and functions that occur in a file of tensors. All others are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Element),
    /// NumPy's scalars (StudioGAN stores its best score as one) and what their pickles call.
    Opaque(&'static str),
}

impl Global {
    /// The global of this name, if it is known.
    pub fn find(module: &str, name: &str) -> Option<Self> {
        let element = match (module, name) {
            ("collections", "OrderedDict") => return Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor_v2") => return Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => return Some(Self::RebuildParameter),
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => {
                return Some(Self::Opaque("a NumPy scalar"));
            }
            ("numpy", "dtype") => return Some(Self::Opaque("a NumPy type")),
            ("_codecs", "encode") => return Some(Self::Opaque("bytes")),
            ("torch", "DoubleStorage") => Element::F64,
            ("torch", "FloatStorage") => Element::F32,
            ("torch", "HalfStorage") => Element::F16,
            ("torch", "BFloat16Storage") => Element::Bf16,
            ("torch", "LongStorage") => Element::I64,
            ("torch", "IntStorage") => Element::I32,
            ("torch", "ShortStorage") => Element::I16,
            ("torch", "CharStorage") => Element::I8,
            ("torch", "ByteStorage") => Element::U8,
            ("torch", "BoolStorage") => Element::Bool,
            _ => return None,
        };
        Some(Self::Storage(element))
    }
}

/// A storage that a pickle refers to: a run of numbers elsewhere in the file.
#[derive(Debug)]
pub(super) struct Storage<'a> {
    pub key: &'a str,
    pub element: Element,
    /// Elements.
    pub len: usize,
}

/// A tensor as the pickle describes it; nothing in it is checked against the file yet.
#[derive(Debug)]
pub(super) struct TensorRecord {
    pub storage: usize,
    /// First element in the storage, with the view's own start added.
    pub first: usize,
    /// One past the last element that the view may reach.
    pub end: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// All values, storages and tensors of a pickle.
#[derive(Debug, Default)]
pub(super) struct Arena<'a> {
    pub values: Vec<Value<'a>>,
    pub storages: Vec<Storage<'a>>,
    pub storage_by_key: BTreeMap<&'a str, usize>,
    pub tensors: Vec<TensorRecord>,
}

impl<'a> Arena<'a> {
    /// The value at an index, which comes from this arena.
    pub fn get(&self, id: Id) -> &Value<'a> {
        &self.values[id as usize]
    }

    /// A non-negative integer.
    pub fn size(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Value::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The value under a text key of a dictionary.
    pub fn entry(&self, dict: Id, key: &str) -> Option<Id> {
        let Value::Dict(entries) = self.get(dict) else {
            return None;
        };
        let is_key = |id: Id| matches!(self.get(id), Value::Text(text) if *text == key);
        entries.iter().find(|(k, _)| is_key(*k)).map(|(_, v)| *v)
    }

    /// The kind of a value, in words.
    pub fn kind(&self, id: Id) -> &'static str {
        match self.get(id) {
            Value::None => "None",
            Value::Bool(_) => "a bool",
            Value::Int(_) | Value::Long => "an integer",
            Value::Float(_) => "a float",
            Value::Text(_) => "a string",
            Value::Bytes => "bytes",
            Value::Tuple(_) => "a tuple",
            Value::List(_) => "a list",
            Value::Dict(_) => "a dictionary",
            Value::Global(_) => "a class",
            Value::Storage { .. } => "a storage",
            Value::Tensor(_) => "a tensor",
            Value::Opaque(what) => what,
        }
    }
}

/// The result of a step of the machine, or a problem in words; the caller adds the place.
pub(super) type Step<T> = std::result::Result<T, String>;

impl<'a> Arena<'a> {
    /// Adds a value.
    pub fn add(&mut self, value: Value<'a>) -> Id {
        self.values.push(value);
        (self.values.len() - 1) as Id // below `pickle::MAX_OPCODES`, which fits
    }
}
