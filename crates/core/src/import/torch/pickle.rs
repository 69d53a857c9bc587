//! The pickle machine: a stack, marks and a memo, and the opcodes that occur in files of tensors
//! (Python's `pickletools.py` describes each).
//!
//! The bytes are untrusted. Nothing is imported or called: a global is a name from a short list
//! ([`Global::find`]), and a call builds the value that this name denotes. Each opcode adds a
//! bounded amount to the arena, and their number is limited.

use super::call::reduce;
use super::cursor::{Cursor, long};
use super::stack::Stack;
use super::value::{Arena, Global, Id, Step, Value};
use crate::error::{Error, Result};

/// Most opcodes in all pickles of a file. BigGAN-deep-512 has about 25,000, StudioGAN's largest
/// with its optimiser about 120,000. At about 60 bytes per opcode at most, this is 30 MB.
pub(super) const MAX_OPCODES: usize = 1 << 19;

/// Reads the consecutive pickles of a file.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    input: Cursor<'a>,
    opcodes: usize,
    arena: Arena<'a>,
    stack: Stack,
}

impl<'a> Machine<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            input: Cursor::new(bytes),
            opcodes: 0,
            arena: Arena::default(),
            stack: Stack::default(),
        }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.input.position()
    }

    pub fn arena(&self) -> &Arena<'a> {
        &self.arena
    }

    pub fn into_arena(self) -> Arena<'a> {
        self.arena
    }

    /// Reads the next pickle and returns its value.
    ///
    /// # Errors
    /// If it is truncated, has an opcode or a global that does not occur in files of tensors, or is too
    /// long; the message says where.
    pub fn run(&mut self) -> Result<Id> {
        self.stack = Stack::default();
        loop {
            let place = self.input.position();
            let result = self.step();
            match result {
                Ok(None) => {}
                Ok(Some(id)) => return Ok(id),
                Err(problem) => {
                    return Err(Error::file(problem).within(format_args!("pickle, byte {place}")));
                }
            }
        }
    }

    fn step(&mut self) -> Step<Option<Id>> {
        self.opcodes += 1;
        if self.opcodes > MAX_OPCODES {
            return Err(format!("more than {MAX_OPCODES} opcodes"));
        }
        let opcode = self.input.byte()?;
        if self.constant(opcode)? || self.container(opcode)? || self.memory(opcode)? {
            return Ok(None);
        }
        match opcode {
            0x80 => match self.input.byte()? {
                0..=5 => {}
                other => return Err(format!("protocol {other}; 2 to 5 are read")),
            },
            0x95 => {
                self.input.take(8)?; // length of a frame; the opcodes say where they end
            }
            b'.' => return self.stack.pop().map(Some),
            b'c' => {
                let module = self.input.line()?;
                let name = self.input.line()?;
                self.global(module, name)?;
            }
            0x93 => {
                let names = self.stack.pop_many(2)?;
                let (Value::Text(module), Value::Text(name)) =
                    (self.arena.get(names[0]), self.arena.get(names[1]))
                else {
                    return Err("a class whose name is not a string".into());
                };
                let (module, name) = (*module, *name);
                self.global(module, name)?;
            }
            b'R' => {
                let call = self.stack.pop_many(2)?;
                let value = reduce(&mut self.arena, call[0], call[1])?;
                self.stack.push(value);
            }
            b'b' => {
                // attributes of an object, such as the versions that a state_dict carries: not read
                self.stack.pop()?;
                let object = self.stack.top()?;
                if !matches!(self.arena.get(object), Value::Dict(_) | Value::Opaque(_)) {
                    let kind = self.arena.kind(object);
                    return Err(format!("attributes are set on {kind}"));
                }
            }
            b'Q' => {
                let id = self.stack.pop()?;
                let value = super::call::persistent(&mut self.arena, id)?;
                self.push(value);
            }
            other => {
                return Err(format!(
                    "opcode {other:#04x} does not occur in a file of tensors"
                ));
            }
        }
        Ok(None)
    }

    /// Numbers, text and bytes; false for another opcode.
    fn constant(&mut self, opcode: u8) -> Step<bool> {
        match opcode {
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' => {
                let value = i32::from_le_bytes(self.input.array()?);
                self.push(Value::Int(value.into()));
            }
            b'K' => {
                let value = self.input.byte()?;
                self.push(Value::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(self.input.array()?);
                self.push(Value::Int(value.into()));
            }
            0x8a => {
                let len = self.input.byte()?.into();
                let digits = self.input.take(len)?;
                self.push(long(digits));
            }
            b'G' => {
                let value = f64::from_be_bytes(self.input.array()?);
                self.push(Value::Float(value));
            }
            b'X' => {
                let len = self.input.u32()?;
                self.text(len as usize)?;
            }
            0x8c | b'U' => {
                let len = self.input.byte()?.into();
                self.text(len)?;
            }
            b'T' => {
                let len = self.input.u32()?;
                self.text(len as usize)?;
            }
            b'C' => {
                let len = self.input.byte()?.into();
                self.input.take(len)?;
                self.push(Value::Bytes);
            }
            b'B' => {
                let len = self.input.u32()?;
                self.input.take(len as usize)?;
                self.push(Value::Bytes);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Tuples, lists and dictionaries; false for another opcode.
    fn container(&mut self, opcode: u8) -> Step<bool> {
        match opcode {
            b'(' => self.stack.mark(),
            b')' => self.push(Value::Tuple(Vec::new())),
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            0x85..=0x87 => {
                let items = self.stack.pop_many(usize::from(opcode) - 0x84)?;
                self.push(Value::Tuple(items));
            }
            b't' => {
                let items = self.stack.pop_to_mark()?;
                self.push(Value::Tuple(items));
            }
            b'a' => {
                let item = self.stack.pop()?;
                self.extend_list(&[item])?;
            }
            b'e' => {
                let items = self.stack.pop_to_mark()?;
                self.extend_list(&items)?;
            }
            b's' => {
                let items = self.stack.pop_many(2)?;
                self.extend_dict(&items)?;
            }
            b'u' => {
                let items = self.stack.pop_to_mark()?;
                self.extend_dict(&items)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The memo; false for another opcode.
    fn memory(&mut self, opcode: u8) -> Step<bool> {
        match opcode {
            b'q' => {
                let slot = self.input.byte()?.into();
                self.stack.remember(slot)?;
            }
            b'r' => {
                let slot = self.input.u32()?;
                self.stack.remember(slot)?;
            }
            0x94 => {
                self.stack.remember_next()?;
            }
            b'h' => {
                let slot = self.input.byte()?.into();
                self.stack.recall(slot)?;
            }
            b'j' => {
                let slot = self.input.u32()?;
                self.stack.recall(slot)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn text(&mut self, len: usize) -> Step<()> {
        let text =
            std::str::from_utf8(self.input.take(len)?).map_err(|_| "a string is not UTF-8")?;
        self.push(Value::Text(text));
        Ok(())
    }

    fn push(&mut self, value: Value<'a>) {
        let id = self.arena.add(value);
        self.stack.push(id);
    }

    fn extend_list(&mut self, items: &[Id]) -> Step<()> {
        let list = self.stack.top()?;
        match &mut self.arena.values[list as usize] {
            Value::List(all) => all.extend_from_slice(items),
            _ => return Err(format!("items are appended to {}", self.arena.kind(list))),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: &[Id]) -> Step<()> {
        let dict = self.stack.top()?;
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("a key without a value".into());
        }
        match &mut self.arena.values[dict as usize] {
            Value::Dict(all) => all.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            _ => return Err(format!("entries are added to {}", self.arena.kind(dict))),
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Step<()> {
        let global = Global::find(module, name).ok_or_else(|| {
            format!(
                "the file asks for {module}.{name}, which is not part of a tensor; it is not executed. \
                 Save only the state_dict, without other objects"
            )
        })?;
        self.push(Value::Global(global));
        Ok(())
    }
}
