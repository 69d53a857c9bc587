//! Files of `torch.save`, from untrusted bytes: the pickle, its containers and views of its tensors; and safetensors
//! files, which have the same tensors without a pickle.
//!
//! Why our own code: the `pytorch-reader` crate reads containers only from paths (a browser has none),
//! keeps unknown classes as values instead of refusing them, and clones what the memo holds.
//!
//! Memory besides the file's bytes: a bounded number of values (`pickle::MAX_OPCODES`), and the tensors
//! that the caller reads, which together hold at most twice the file's bytes.

mod call;
mod cursor;
mod legacy;
mod pickle;
mod safetensors;
mod stack;
mod tensor;
mod value;
mod zip;

pub use tensor::TensorView;

use pickle::Machine;
use value::{Arena, Id, Value};

use crate::error::{Error, Result};
use crate::file::FirstBytes;

/// Longest name of a tensor, or key of a dictionary.
const MAX_NAME: usize = 256;
/// How many bytes all tensors together, as f32, may take beyond twice the file.
const SLACK: usize = 16 << 20;

/// The end of a zip that its directory surely begins in: 700 entries take 100 kB.
const DIRECTORY: usize = 1 << 20;

/// Bytes of a storage.
#[derive(Debug, Clone, Copy)]
struct StorageBytes<'a> {
    data: &'a [u8],
    /// CRC-32 of the data; 0 for none.
    crc: u32,
}

/// A file of `torch.save`.
#[derive(Debug)]
pub struct TorchFile<'a> {
    arena: Arena<'a>,
    root: Id,
    tensors: Vec<TensorView<'a>>,
}

/// A value of a file.
#[derive(Debug, Clone, Copy)]
pub struct Node<'f, 'a> {
    file: &'f TorchFile<'a>,
    id: Id,
}

impl<'a> TorchFile<'a> {
    /// Reads the structure of a file without copying tensors.
    ///
    /// # Errors
    /// If it is not such a file, is malformed anywhere, names a class that is not part of a tensor, or
    /// describes more than it holds; the message says where.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        if bytes.starts_with(b"PK") {
            return Self::open_zip(bytes);
        }
        if legacy::is_legacy(bytes) {
            let mut machine = Machine::new(bytes);
            let (root, storages) = legacy::read(bytes, &mut machine)?;
            return Self::new(machine.into_arena(), root, &storages, bytes.len());
        }
        if safetensors::is_safetensors(bytes) {
            let (arena, root, storages) = safetensors::read(bytes)?;
            return Self::new(arena, root, &storages, bytes.len());
        }
        let file = Error::file(format_args!("the file of {} bytes", bytes.len()));
        // a pickle alone has no tensors of torch.save either, but is closest to it
        if let Some(other) = FirstBytes::of_binary(bytes).filter(|_| !bytes.starts_with(b"\x80")) {
            return Err(file
                .found(other.what)
                .expected("a file of torch.save")
                .remedy(other.remedy));
        }
        Err(file.found(
            "not a file of torch.save: it begins neither as a zip nor with PyTorch's magic number",
        ))
    }

    fn open_zip(bytes: &'a [u8]) -> Result<Self> {
        if is_script(bytes) {
            return Err(Error::file("the file")
                .found("a TorchScript program (torch.jit.save)")
                .expected("weights")
                .remedy("save them with torch.save(model.state_dict(), ..)"));
        }
        let entries = zip::entries(bytes)?;
        let mut pickles = entries.iter().filter_map(|entry| {
            let folder = entry.name.strip_suffix("data.pkl")?;
            (folder.is_empty() || folder.ends_with('/')).then_some((folder, entry))
        });
        let (Some((folder, pickle)), None) = (pickles.next(), pickles.next()) else {
            return Err(Error::file("data.pkl")
                .expected("one entry, as in a file of torch.save")
                .within("zip"));
        };
        let by_name = |name: &str| entries.iter().find(|entry| entry.name == name);
        if let Some(order) = by_name(&format!("{folder}byteorder"))
            && order.data != b"little"
        {
            return Err(Error::file("the byte order")
                .found("big-endian")
                .remedy("save the file on another machine")
                .within("zip"));
        }
        check_crc(pickle.name, pickle.data, pickle.crc)?;
        let mut machine = Machine::new(pickle.data);
        let root = machine.run()?;
        let arena = machine.into_arena();
        let mut data: Vec<(&str, StorageBytes<'a>)> = entries
            .iter()
            .filter_map(|entry| {
                let key = entry.name.strip_prefix(folder)?.strip_prefix("data/")?;
                let (data, crc) = (entry.data, entry.crc);
                Some((key, StorageBytes { data, crc }))
            })
            .collect();
        data.sort_unstable_by_key(|(key, _)| *key);
        let mut storages = Vec::with_capacity(arena.storages.len());
        for storage in &arena.storages {
            let place = data.binary_search_by_key(&storage.key, |(key, _)| key);
            let place = place.map_err(|_| {
                Error::file(format_args!("entry {folder}data/{}", storage.key))
                    .found("missing")
                    .within("zip")
            })?;
            storages.push(data[place].1);
        }
        Self::new(arena, root, &storages, bytes.len())
    }

    /// Checks every storage and tensor.
    fn new(
        mut arena: Arena<'a>,
        root: Id,
        storages: &[StorageBytes<'a>],
        file_len: usize,
    ) -> Result<Self> {
        for (storage, found) in arena.storages.iter().zip(storages) {
            if storage.len.checked_mul(storage.element.size()) != Some(found.data.len()) {
                return Err(Error::file(format_args!("storage {}", storage.key))
                    .found(format_args!("{} bytes", found.data.len()))
                    .expected(format_args!(
                        "{} elements of {:?}",
                        storage.len, storage.element
                    )));
            }
            check_crc(storage.key, found.data, found.crc)?;
        }
        let mut tensors = Vec::with_capacity(arena.tensors.len());
        let mut wide = 0usize;
        for record in std::mem::take(&mut arena.tensors) {
            let storage = record.storage;
            let element = arena.storages[storage].element;
            let view =
                TensorView::new(record, element, storages[storage].data).map_err(|problem| {
                    Error::file(problem).within(format_args!(
                        "a tensor in storage {}",
                        arena.storages[storage].key
                    ))
                })?;
            wide = wide.saturating_add(view.len().saturating_mul(4));
            tensors.push(view);
        }
        if wide > file_len.saturating_mul(2).saturating_add(SLACK) {
            return Err(Error::file("the size of all tensors")
                .found(format_args!("{wide} bytes"))
                .expected(format_args!(
                    "less in a file of {file_len}: they share storages more than weights do"
                )));
        }
        Ok(Self {
            arena,
            root,
            tensors,
        })
    }

    /// The value of the file.
    pub fn root(&self) -> Node<'_, 'a> {
        Node {
            file: self,
            id: self.root,
        }
    }
}

impl<'f, 'a> Node<'f, 'a> {
    fn at(self, id: Id) -> Self {
        Self { id, ..self }
    }

    /// The value under a text key of a dictionary, if there is one.
    pub fn get(self, key: &str) -> Option<Self> {
        Some(self.at(self.file.arena.entry(self.id, key)?))
    }

    /// What it is, in words.
    pub fn kind(self) -> &'static str {
        self.file.arena.kind(self.id)
    }

    /// Whether both are one value of the file.
    pub fn is_same(self, other: Self) -> bool {
        self.id == other.id
    }

    /// A text, if it is one.
    pub fn text(self) -> Option<&'a str> {
        match self.file.arena.get(self.id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number, if it is one.
    pub fn number(self) -> Option<f64> {
        match self.file.arena.get(self.id) {
            Value::Int(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// An integer, if it is one.
    pub fn integer(self) -> Option<i64> {
        match self.file.arena.get(self.id) {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// A tensor, if it is one.
    pub fn tensor(self) -> Option<&'f TensorView<'a>> {
        match self.file.arena.get(self.id) {
            Value::Tensor(index) => Some(&self.file.tensors[*index]),
            _ => None,
        }
    }

    /// Items of a list or tuple; `None` if it is neither.
    pub fn items(self) -> Option<Vec<Self>> {
        match self.file.arena.get(self.id) {
            Value::List(items) | Value::Tuple(items) => {
                Some(items.iter().map(|&id| self.at(id)).collect())
            }
            _ => None,
        }
    }

    /// Entries of a dictionary in the order of the file; `None` if it is not a dictionary.
    pub fn entries(self) -> Option<Vec<(Self, Self)>> {
        match self.file.arena.get(self.id) {
            Value::Dict(entries) => Some(
                entries
                    .iter()
                    .map(|&(key, value)| (self.at(key), self.at(value)))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The tensors of a `state_dict` by name, in the order of the file.
    ///
    /// # Errors
    /// If it is not a dictionary of tensors, or a name is too long; the message names the entry.
    pub fn state_dict(self) -> Result<Vec<(&'a str, &'f TensorView<'a>)>> {
        let Value::Dict(entries) = self.file.arena.get(self.id) else {
            return Err(Error::file("the value")
                .found(self.kind())
                .expected("a dictionary of tensors"));
        };
        let mut tensors = Vec::with_capacity(entries.len());
        for &(key, value) in entries {
            let name = match *self.file.arena.get(key) {
                Value::Text(name) if name.len() <= MAX_NAME => name,
                Value::Text(name) => {
                    return Err(Error::file("the name of a tensor")
                        .found(format_args!("{} bytes", name.len()))
                        .expected(format_args!("at most {MAX_NAME}")));
                }
                _ => {
                    let kind = self.file.arena.kind(key);
                    return Err(Error::file("the name of a tensor")
                        .found(kind)
                        .expected("text"));
                }
            };
            let tensor = self.at(value).tensor().ok_or_else(|| {
                Error::tensor(name)
                    .found(self.at(value).kind())
                    .expected("a tensor")
            })?;
            tensors.push((name, tensor));
        }
        Ok(tensors)
    }
}

/// Whether a zip holds a program: `constants.pkl` is in every one, and never in a file of `torch.save`. Its entries may
/// be compressed, so that they are not read; their names are at the end.
fn is_script(bytes: &[u8]) -> bool {
    const NAME: &[u8] = b"/constants.pkl";
    let end = &bytes[bytes.len().saturating_sub(DIRECTORY)..];
    end.windows(NAME.len()).any(|window| window == NAME)
}

fn check_crc(name: &str, data: &[u8], crc: u32) -> Result<()> {
    // PyTorch can be told to omit checksums; it then writes 0
    if crc == 0 {
        return Ok(());
    }
    let found = crc32fast::hash(data);
    if found == crc {
        return Ok(());
    }
    Err(Error::file(format_args!("the CRC-32 of entry {name}"))
        .found(format_args!("{found:08x}"))
        .expected(format_args!("{crc:08x}, by the file: it is damaged"))
        .remedy("fetch it again"))
}

// its tests are in tests/models/torch_files.rs and tests/fuzz/main.rs
