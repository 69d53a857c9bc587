//! The container of `torch.save` before PyTorch 1.6 (PyTorch `torch/serialization.py`,
//! `_legacy_save`): five pickles (magic number, protocol, the writing machine, the value, the keys of
//! the storages), then for each key the number of elements as i64 and the elements.

use super::StorageBytes;
use super::pickle::Machine;
use super::value::{Id, Value};
use crate::error::{Error, Result};

/// `0x1950a86a20f9469cfc6c`, little-endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// The only protocol there is.
const PROTOCOL: i64 = 1001;

/// Whether the bytes begin with the magic number, as pickle protocol 2 writes it.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    bytes
        .strip_prefix(b"\x80\x02\x8a\x0a")
        .is_some_and(|rest| rest.starts_with(&MAGIC))
}

fn broken(name: impl std::fmt::Display) -> Error {
    Error::file(name).within("legacy file")
}

/// The value, and the bytes of each storage by its index in the arena.
pub(super) fn read<'a>(
    bytes: &'a [u8],
    machine: &mut Machine<'a>,
) -> Result<(Id, Vec<StorageBytes<'a>>)> {
    machine.run()?; // the magic number, see `is_legacy`
    let protocol = machine.run()?;
    match machine.arena().get(protocol) {
        Value::Int(PROTOCOL) => {}
        Value::Int(other) => return Err(broken("the protocol").found(other).expected(PROTOCOL)),
        _ => return Err(broken("the protocol").expected("a number")),
    }
    let system = machine.run()?;
    let little = machine.arena().entry(system, "little_endian");
    match little.map(|id| machine.arena().get(id)) {
        Some(Value::Bool(true)) => {}
        _ => return Err(broken("the byte order").expected("little-endian")),
    }
    let root = machine.run()?;
    let keys = machine.run()?;
    let storages = storages(bytes, machine, keys)?;
    Ok((root, storages))
}

fn storages<'a>(bytes: &'a [u8], machine: &Machine<'a>, keys: Id) -> Result<Vec<StorageBytes<'a>>> {
    let arena = machine.arena();
    let Value::List(keys) = arena.get(keys) else {
        return Err(broken("the keys of the storages").expected("a list"));
    };
    if keys.len() != arena.storages.len() {
        return Err(broken("the number of storages")
            .found(keys.len())
            .expected(format_args!("{}, as in the tensors", arena.storages.len())));
    }
    let mut found: Vec<Option<StorageBytes<'a>>> = vec![None; keys.len()];
    let mut at = machine.position();
    for &key in keys {
        let place = match arena.get(key) {
            Value::Text(key) => arena.storage_by_key.get(key),
            _ => None,
        };
        let &place = place.ok_or_else(|| broken("a storage").found("used by no tensor"))?;
        let storage = &arena.storages[place];
        let key = storage.key;
        let cut =
            || broken(format_args!("storage {key}")).found(format_args!("cut short at byte {at}"));
        let rest = &bytes[at..];
        let (head, rest) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
        let stated = i64::from_le_bytes(*head);
        if usize::try_from(stated) != Ok(storage.len) {
            return Err(broken(format_args!("the length of storage {key}"))
                .found(stated)
                .expected(format_args!("{}, by its tensors", storage.len)));
        }
        let len = storage.len.checked_mul(storage.element.size());
        let data = len.and_then(|len| rest.get(..len)).ok_or_else(cut)?;
        if found[place]
            .replace(StorageBytes { data, crc: 0 })
            .is_some()
        {
            return Err(broken(format_args!("storage {key}")).found("listed twice"));
        }
        at += 8 + data.len();
    }
    if at != bytes.len() {
        return Err(broken("the end").found(format_args!(
            "{} bytes after the last storage",
            bytes.len() - at
        )));
    }
    // as many keys as storages, none twice: all are there
    Ok(found.into_iter().flatten().collect())
}
