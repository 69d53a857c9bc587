//! The few calls in a tensor file: they build dictionaries, storages and tensors.

use super::value::{Arena, Global, Id, Step, Storage, TensorRecord, Value};

/// Most dimensions of a tensor.
const MAX_RANK: usize = 8;
/// Longest key of a storage; they are numbers.
const MAX_KEY: usize = 64;

/// The value of `callable(*arguments)`.
pub(super) fn reduce(arena: &mut Arena<'_>, callable: Id, arguments: Id) -> Step<Id> {
    let Value::Global(global) = *arena.get(callable) else {
        return Err(format!("{} is called", arena.kind(callable)));
    };
    let Value::Tuple(arguments) = arena.get(arguments) else {
        return Err(format!(
            "arguments are {}, not a tuple",
            arena.kind(arguments)
        ));
    };
    match (global, arguments.as_slice()) {
        (Global::OrderedDict, []) => Ok(arena.add(Value::Dict(Vec::new()))),
        (Global::OrderedDict, &[pairs]) => {
            let entries = dict_entries(arena, pairs)?;
            Ok(arena.add(Value::Dict(entries)))
        }
        (Global::RebuildTensor, &[storage, first, shape, strides, ..]) => {
            let record = tensor(arena, [storage, first, shape, strides])?;
            arena.tensors.push(record);
            let index = arena.tensors.len() - 1;
            Ok(arena.add(Value::Tensor(index)))
        }
        (Global::RebuildParameter, &[data, ..]) if matches!(arena.get(data), Value::Tensor(_)) => {
            Ok(data)
        }
        (Global::Opaque(what), _) => Ok(arena.add(Value::Opaque(what))),
        (global, arguments) => Err(format!(
            "{global:?} is called with {} arguments of other types than it takes",
            arguments.len()
        )),
    }
}

/// The pairs of `OrderedDict([[key, value], ..])`, as Python 2 wrote it.
fn dict_entries(arena: &Arena<'_>, pairs: Id) -> Step<Vec<(Id, Id)>> {
    let Value::List(pairs) = arena.get(pairs) else {
        return Err(format!("a dictionary is made of {}", arena.kind(pairs)));
    };
    let pair = |id: Id| match arena.get(id) {
        Value::Tuple(pair) | Value::List(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
        _ => Err(format!("a dictionary entry is {}", arena.kind(id))),
    };
    pairs.iter().map(|&id| pair(id)).collect()
}

fn tensor(arena: &Arena<'_>, [storage, first, shape, strides]: [Id; 4]) -> Step<TensorRecord> {
    let Value::Storage {
        storage,
        first: view,
        len,
    } = *arena.get(storage)
    else {
        return Err(format!("a tensor's numbers are {}", arena.kind(storage)));
    };
    let offset = arena.size(first).ok_or("a tensor's offset is not a size")?;
    let first = view
        .checked_add(offset)
        .ok_or("a tensor's offset is too large")?;
    Ok(TensorRecord {
        storage,
        first,
        end: view + len, // both within the storage, see `persistent`
        shape: sizes(arena, shape, "sizes")?,
        strides: sizes(arena, strides, "strides")?,
    })
}

fn sizes(arena: &Arena<'_>, id: Id, what: &str) -> Step<Vec<usize>> {
    let Value::Tuple(items) = arena.get(id) else {
        return Err(format!("a tensor's {what} are {}", arena.kind(id)));
    };
    if items.len() > MAX_RANK {
        return Err(format!(
            "a tensor has {} dimensions, at most {MAX_RANK} are read",
            items.len()
        ));
    }
    let size = |&id: &Id| {
        arena.size(id).ok_or_else(|| match arena.get(id) {
            Value::Int(value) => format!("a tensor's {what} hold {value}"),
            _ => format!("a tensor's {what} hold {}", arena.kind(id)),
        })
    };
    items.iter().map(size).collect()
}

/// The storage of a persistent id `("storage", type, key, location, elements[, view])`; a view is
/// `(key, first, elements)`.
pub(super) fn persistent<'a>(arena: &mut Arena<'a>, id: Id) -> Step<Value<'a>> {
    let malformed = || "a persistent id that names no storage".to_owned();
    let Value::Tuple(parts) = arena.get(id) else {
        return Err(malformed());
    };
    let (&[word, class, key, _, len], view) =
        parts.split_first_chunk::<5>().ok_or_else(malformed)?;
    let (Value::Text("storage"), Value::Global(Global::Storage(element)), Value::Text(key)) =
        (arena.get(word), arena.get(class), arena.get(key))
    else {
        return Err(malformed());
    };
    let (element, key) = (*element, *key);
    if key.len() > MAX_KEY {
        return Err(format!("a storage key of {} bytes", key.len()));
    }
    let len = arena
        .size(len)
        .ok_or_else(|| format!("storage {key}: its length is not a size"))?;
    let (first, reach) = match view {
        [] => (0, len),
        &[view] => match arena.get(view) {
            Value::None => (0, len),
            Value::Tuple(view) => {
                let part = |i: usize| view.get(i).and_then(|&id| arena.size(id));
                let (Some(first), Some(reach)) = (part(1), part(2)) else {
                    return Err(format!("storage {key}: its view is not readable"));
                };
                if first.checked_add(reach).is_none_or(|end| end > len) {
                    return Err(format!(
                        "storage {key}: a view of {reach} elements from {first} in {len}"
                    ));
                }
                (first, reach)
            }
            _ => return Err(format!("storage {key}: its view is {}", arena.kind(view))),
        },
        _ => return Err(malformed()),
    };
    let storage = match arena.storage_by_key.get(key) {
        Some(&known) => {
            let old = &arena.storages[known];
            if (old.element, old.len) != (element, len) {
                return Err(format!(
                    "storage {key} is {len} {element:?} here and {} {:?} elsewhere",
                    old.len, old.element
                ));
            }
            known
        }
        None => {
            let new = arena.storages.len();
            arena.storages.push(Storage { key, element, len });
            arena.storage_by_key.insert(key, new);
            new
        }
    };
    Ok(Value::Storage {
        storage,
        first,
        len: reach,
    })
}
