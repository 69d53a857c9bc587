//! Writes files as `torch.save` does, for tests: both containers, every kind of tensor.

// each of the test programs that share this file needs a part of it
#![allow(dead_code)]

use std::collections::HashMap;

/// A value of a pickle.
#[derive(Debug, Clone)]
pub enum Item {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Tuple(Vec<Item>),
    List(Vec<Item>),
    Dict(Vec<(Item, Item)>),
    /// `collections.OrderedDict`, with attributes set as `state_dict` does.
    Ordered(Vec<(String, Item)>),
    /// A view of a storage.
    Tensor {
        storage: usize,
        offset: i64,
        shape: Vec<i64>,
        strides: Vec<i64>,
        /// Whether it is wrapped as a parameter.
        parameter: bool,
    },
    /// A call of a global without meaning, with a tuple of arguments.
    Call(&'static str, &'static str, Vec<Item>),
}

/// Numbers of one storage.
#[derive(Debug, Clone)]
pub struct Storage {
    /// Name of the class in `torch`, e.g. "FloatStorage".
    pub class: &'static str,
    pub element_size: usize,
    pub bytes: Vec<u8>,
}

/// A file in the making.
#[derive(Debug, Clone, Default)]
pub struct TorchWriter {
    pub storages: Vec<Storage>,
}

/// How the zip is written.
#[derive(Debug, Clone, Copy)]
pub struct ZipOptions {
    pub checksums: bool,
    pub zip64: bool,
    /// Compression method of the entries: 0 is stored.
    pub method: u16,
}

impl Default for ZipOptions {
    fn default() -> Self {
        Self {
            checksums: true,
            zip64: false,
            method: 0,
        }
    }
}

impl TorchWriter {
    /// A contiguous tensor of its own storage.
    pub fn tensor(
        &mut self,
        class: &'static str,
        element_size: usize,
        shape: &[usize],
        bytes: Vec<u8>,
    ) -> Item {
        self.storages.push(Storage {
            class,
            element_size,
            bytes,
        });
        let mut strides = vec![1i64; shape.len()];
        for dim in (1..shape.len()).rev() {
            strides[dim - 1] = strides[dim] * shape[dim] as i64;
        }
        Item::Tensor {
            storage: self.storages.len() - 1,
            offset: 0,
            shape: shape.iter().map(|&dim| dim as i64).collect(),
            strides,
            parameter: false,
        }
    }

    /// A contiguous tensor of f32.
    pub fn f32(&mut self, shape: &[usize], values: &[f32]) -> Item {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.tensor("FloatStorage", 4, shape, bytes)
    }

    /// The pickle of a value; storages are named by their number.
    pub fn pickle(&self, item: &Item, legacy: bool) -> Vec<u8> {
        let mut out = Pickler {
            bytes: vec![0x80, 2],
            memo: HashMap::new(),
            writer: self,
            legacy,
        };
        out.item(item);
        out.bytes.push(b'.');
        out.bytes
    }

    /// The zip container.
    pub fn zip(&self, item: &Item, options: ZipOptions) -> Vec<u8> {
        self.zip_of_pickle(&self.pickle(item, false), options)
    }

    /// The zip container around any bytes in place of the pickle.
    pub fn zip_of_pickle(&self, pickle: &[u8], options: ZipOptions) -> Vec<u8> {
        let mut zip = Zip {
            bytes: Vec::new(),
            directory: Vec::new(),
            count: 0,
            options,
        };
        zip.entry("archive/data.pkl", pickle);
        zip.entry("archive/byteorder", b"little");
        for (number, storage) in self.storages.iter().enumerate() {
            zip.entry(&format!("archive/data/{number}"), &storage.bytes);
        }
        zip.entry("archive/version", b"3\n");
        zip.finish()
    }

    /// The container before PyTorch 1.6.
    pub fn legacy(&self, item: &Item) -> Vec<u8> {
        self.legacy_of_pickle(&self.pickle(item, true))
    }

    /// The same around any bytes in place of the pickle.
    pub fn legacy_of_pickle(&self, pickle: &[u8]) -> Vec<u8> {
        let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
        let mut bytes = magic.to_vec();
        bytes.extend(self.pickle(&Item::Int(1001), true));
        let text = |text: &str| Item::Text(text.to_owned());
        let system = Item::Dict(vec![
            (text("protocol_version"), Item::Int(1001)),
            (text("little_endian"), Item::Bool(true)),
        ]);
        bytes.extend(self.pickle(&system, true));
        bytes.extend_from_slice(pickle);
        let keys = (0..self.storages.len()).map(|key| text(&key.to_string()));
        bytes.extend(self.pickle(&Item::List(keys.collect()), true));
        for storage in &self.storages {
            let count = storage.bytes.len() / storage.element_size;
            bytes.extend((count as u64).to_le_bytes());
            bytes.extend_from_slice(&storage.bytes);
        }
        bytes
    }
}

struct Pickler<'w> {
    bytes: Vec<u8>,
    memo: HashMap<String, u32>,
    writer: &'w TorchWriter,
    legacy: bool,
}

impl Pickler<'_> {
    /// Writes what is new and remembers it, or recalls it.
    fn once(&mut self, key: String, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(&slot) = self.memo.get(&key) {
            match u8::try_from(slot) {
                Ok(slot) => self.bytes.extend([b'h', slot]),
                Err(_) => {
                    self.bytes.push(b'j');
                    self.bytes.extend(slot.to_le_bytes());
                }
            }
            return;
        }
        write(&mut self.bytes);
        let slot = self.memo.len() as u32;
        match u8::try_from(slot) {
            Ok(slot) => self.bytes.extend([b'q', slot]),
            Err(_) => {
                self.bytes.push(b'r');
                self.bytes.extend(slot.to_le_bytes());
            }
        }
        self.memo.insert(key, slot);
    }

    fn global(&mut self, module: &str, name: &str) {
        let line = format!("c{module}\n{name}\n");
        self.once(line.clone(), |out| out.extend(line.as_bytes()));
    }

    fn text(&mut self, text: &str) {
        self.once(format!("text {text}"), |out| {
            out.push(b'X');
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text.as_bytes());
        });
    }

    fn int(&mut self, value: i64) {
        if let Ok(value) = u8::try_from(value) {
            self.bytes.extend([b'K', value]);
        } else if let Ok(value) = u16::try_from(value) {
            self.bytes.push(b'M');
            self.bytes.extend(value.to_le_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.bytes.push(b'J');
            self.bytes.extend(value.to_le_bytes());
        } else {
            self.bytes.extend([0x8a, 8]);
            self.bytes.extend(value.to_le_bytes());
        }
    }

    fn tuple(&mut self, items: &[Item]) {
        match items.len() {
            0 => self.bytes.push(b')'),
            1..=3 => {
                items.iter().for_each(|item| self.item(item));
                self.bytes.push(0x84 + items.len() as u8);
            }
            _ => {
                self.bytes.push(b'(');
                items.iter().for_each(|item| self.item(item));
                self.bytes.push(b't');
            }
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::None => self.bytes.push(b'N'),
            Item::Bool(value) => self.bytes.push(if *value { 0x88 } else { 0x89 }),
            Item::Int(value) => self.int(*value),
            Item::Float(value) => {
                self.bytes.push(b'G');
                self.bytes.extend(value.to_be_bytes());
            }
            Item::Text(text) => self.text(text),
            Item::Tuple(items) => self.tuple(items),
            Item::List(items) => {
                self.bytes.extend(b"](");
                items.iter().for_each(|item| self.item(item));
                self.bytes.push(b'e');
            }
            Item::Dict(entries) => {
                self.bytes.extend(b"}(");
                for (key, value) in entries {
                    self.item(key);
                    self.item(value);
                }
                self.bytes.push(b'u');
            }
            Item::Ordered(entries) => {
                self.global("collections", "OrderedDict");
                self.bytes.extend(b")R(");
                for (key, value) in entries {
                    self.text(key);
                    self.item(value);
                }
                self.bytes.extend(b"u}");
                self.text("_metadata");
                self.bytes.extend(b"}sb");
            }
            Item::Call(module, name, arguments) => {
                self.global(module, name);
                self.tuple(arguments);
                self.bytes.push(b'R');
            }
            Item::Tensor {
                storage,
                offset,
                shape,
                strides,
                parameter,
            } => {
                if *parameter {
                    self.global("torch._utils", "_rebuild_parameter");
                }
                self.tensor(*storage, *offset, shape, strides);
                if *parameter {
                    self.bytes.push(0x88);
                    self.item(&Item::Ordered(Vec::new()));
                    self.bytes.extend([0x87, b'R']);
                }
            }
        }
    }

    fn tensor(&mut self, storage: usize, offset: i64, shape: &[i64], strides: &[i64]) {
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.bytes.extend(b"((");
        self.text("storage");
        // out of range on purpose in some tests: then a storage that the file does not have
        let (class, len) = match self.writer.storages.get(storage) {
            Some(found) => (found.class, found.bytes.len() / found.element_size),
            None => ("FloatStorage", 1),
        };
        self.global("torch", class);
        self.text(&storage.to_string());
        self.text("cpu");
        self.int(len as i64);
        if self.legacy {
            self.bytes.push(b'N');
        }
        self.bytes.extend(b"tQ");
        self.int(offset);
        let numbers = |all: &[i64]| -> Vec<Item> { all.iter().map(|&n| Item::Int(n)).collect() };
        self.tuple(&numbers(shape));
        self.tuple(&numbers(strides));
        self.bytes.push(0x89);
        self.global("collections", "OrderedDict");
        self.bytes.extend(b")RtR");
    }
}

struct Zip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    count: u64,
    options: ZipOptions,
}

impl Zip {
    fn entry(&mut self, name: &str, data: &[u8]) {
        let at = self.bytes.len();
        let crc = if self.options.checksums {
            crc32fast::hash(data)
        } else {
            0
        };
        let size = data.len() as u32;
        let narrow = if self.options.zip64 { u32::MAX } else { size };
        let mut wide = Vec::new();
        if self.options.zip64 {
            wide.extend([1, 0, 24, 0]);
            wide.extend(u64::from(size).to_le_bytes());
            wide.extend(u64::from(size).to_le_bytes());
            wide.extend((at as u64).to_le_bytes());
        }
        // padding to 64 bytes, in an extra field of id "FB"
        let start = at + 30 + name.len() + wide.len() + 4;
        let padding = start.next_multiple_of(64) - start;

        self.bytes.extend(b"PK\x03\x04\0\0\0\x08");
        self.bytes.extend(self.options.method.to_le_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend(crc.to_le_bytes());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend((name.len() as u16).to_le_bytes());
        self.bytes
            .extend(((wide.len() + 4 + padding) as u16).to_le_bytes());
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(&wide);
        self.bytes.extend(b"FB");
        self.bytes.extend((padding as u16).to_le_bytes());
        self.bytes.extend(std::iter::repeat_n(b'Z', padding));
        self.bytes.extend(data);

        self.directory.extend(b"PK\x01\x02\0\0\0\0\0\x08");
        self.directory.extend(self.options.method.to_le_bytes());
        self.directory.extend([0; 4]);
        self.directory.extend(crc.to_le_bytes());
        self.directory.extend(narrow.to_le_bytes());
        self.directory.extend(narrow.to_le_bytes());
        self.directory.extend((name.len() as u16).to_le_bytes());
        self.directory.extend((wide.len() as u16).to_le_bytes());
        self.directory.extend([0; 10]);
        let at = if self.options.zip64 {
            u32::MAX
        } else {
            at as u32
        };
        self.directory.extend(at.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.directory.extend(&wide);
        self.count += 1;
    }

    fn finish(mut self) -> Vec<u8> {
        let at = self.bytes.len() as u64;
        let len = self.directory.len() as u64;
        self.bytes.append(&mut self.directory);
        let (mut count, mut narrow_len, mut narrow_at) = (self.count as u16, len as u32, at as u32);
        if self.options.zip64 {
            let record = self.bytes.len() as u64;
            self.bytes.extend(b"PK\x06\x06");
            self.bytes.extend(44u64.to_le_bytes());
            self.bytes.extend([0; 12]);
            for number in [self.count, self.count, len, at] {
                self.bytes.extend(number.to_le_bytes());
            }
            self.bytes.extend(b"PK\x06\x07\0\0\0\0");
            self.bytes.extend(record.to_le_bytes());
            self.bytes.extend(1u32.to_le_bytes());
            (count, narrow_len, narrow_at) = (u16::MAX, u32::MAX, u32::MAX);
        }
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(count.to_le_bytes());
        self.bytes.extend(count.to_le_bytes());
        self.bytes.extend(narrow_len.to_le_bytes());
        self.bytes.extend(narrow_at.to_le_bytes());
        self.bytes.extend([0; 2]);
        self.bytes
    }
}
