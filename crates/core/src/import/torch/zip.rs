//! The zip container of `torch.save` since PyTorch 1.6 (PKWARE APPNOTE 6.3.10 sections 4.3 and 4.5;
//! PyTorch `caffe2/serialize/inline_container.cc`).
//!
//! Only stored entries are read, since PyTorch compresses nothing: the bytes of the file are those in
//! memory. Sizes and offsets come from the central directory; entries that overlap or leave the file
//! are refused.

use crate::error::{Error, Result};

const END: &[u8; 4] = b"PK\x05\x06";
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";
/// Length of the end record without its comment.
const END_LEN: usize = 22;
const CENTRAL_LEN: usize = 46;
const LOCAL_LEN: usize = 30;
const LOCATOR_LEN: usize = 20;
/// Most entries: the largest known file has 700.
const MAX_ENTRIES: u64 = 100_000;
/// Value of a 32-bit field whose number is in the zip64 extra field.
const IN_EXTRA: u32 = u32::MAX;

/// One entry of the archive.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub name: &'a str,
    pub data: &'a [u8],
    /// CRC-32; 0 if the writer stored none.
    pub crc: u32,
}

fn broken(name: impl std::fmt::Display) -> Error {
    Error::file(name).within("zip")
}

/// Little-endian numbers from a slice, with names for error messages.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or_else(|| broken(what).found("cut short"))?;
        self.0 = rest;
        Ok(*head)
    }
    fn u16(&mut self, what: &str) -> Result<u16> {
        Ok(u16::from_le_bytes(self.take(what)?))
    }
    fn u32(&mut self, what: &str) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take(what)?))
    }
    fn u64(&mut self, what: &str) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take(what)?))
    }
    fn slice(&mut self, len: usize, what: &str) -> Result<&'a [u8]> {
        let (head, rest) = self
            .0
            .split_at_checked(len)
            .ok_or_else(|| broken(what).found("cut short"))?;
        self.0 = rest;
        Ok(head)
    }
}

fn from<'a>(bytes: &'a [u8], at: u64, what: &str) -> Result<Fields<'a>> {
    let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
    let rest =
        rest.ok_or_else(|| broken(what).found(format_args!("at byte {at} of {}", bytes.len())))?;
    Ok(Fields(rest))
}

/// All entries, in the order of the central directory.
///
/// # Errors
/// If the directory is incomplete, or an entry is compressed or encrypted, leaves the file, overlaps
/// another or has another's name; the message names the entry.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry<'_>>> {
    let (count, directory, directory_at) = directory(bytes)?;
    let mut fields = Fields(directory);
    let mut found = Vec::new();
    let mut spans = Vec::new();
    for _ in 0..count {
        let (entry, span) = entry(bytes, &mut fields, directory_at)?;
        spans.push((span, entry.name));
        found.push(entry);
    }
    if !fields.0.is_empty() {
        return Err(broken("the directory").found(format_args!("longer than its {count} entries")));
    }
    spans.sort_unstable_by_key(|(span, _)| *span);
    for pair in spans.windows(2) {
        let [((_, end), first), ((start, _), second)] = [pair[0], pair[1]];
        if end > start {
            return Err(
                broken(format_args!("entry {first}")).found(format_args!("overlapped by {second}"))
            );
        }
    }
    let mut names: Vec<&str> = found.iter().map(|entry| entry.name).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(broken(format_args!("entry {}", twice[0])).found("there twice"));
    }
    Ok(found)
}

/// Number of entries, bytes of the central directory, and where it begins.
fn directory(bytes: &[u8]) -> Result<(u64, &[u8], u64)> {
    // the end record is the last thing except a comment of at most 65,535 bytes
    let tail = bytes.len().saturating_sub(END_LEN + usize::from(u16::MAX));
    let end = bytes[tail..]
        .windows(END_LEN)
        .enumerate()
        .rev()
        .find(|(at, end)| {
            // the comment of an end record reaches to the end of the file
            let comment = u16::from_le_bytes([end[END_LEN - 2], end[END_LEN - 1]]);
            end.starts_with(END) && tail + at + END_LEN + usize::from(comment) == bytes.len()
        })
        .map(|(at, _)| tail + at)
        .ok_or_else(|| broken("the end record").found("missing: the file is cut short"))?;
    let mut fields = from(bytes, end as u64 + 4, "end record")?;
    let what = "end record";
    let disks = (fields.u16(what)?, fields.u16(what)?);
    let here = fields.u16(what)?;
    let total = fields.u16(what)?;
    let len = fields.u32(what)?;
    let at = fields.u32(what)?;
    if disks != (0, 0) || here != total {
        return Err(broken("the archive").found("in several parts"));
    }
    let (count, len, at) = if total == u16::MAX || len == IN_EXTRA || at == IN_EXTRA {
        directory_64(bytes, end)?
    } else {
        (total.into(), len.into(), at.into())
    };
    if count > MAX_ENTRIES {
        return Err(broken("the number of entries")
            .found(count)
            .expected(format_args!("at most {MAX_ENTRIES}")));
    }
    let stop = at.checked_add(len).filter(|&stop| stop <= end as u64);
    let (Some(stop), Ok(start)) = (stop, usize::try_from(at)) else {
        return Err(broken("the directory").found(format_args!(
            "{len} bytes from byte {at} of {}",
            bytes.len()
        )));
    };
    Ok((count, &bytes[start..stop as usize], at))
}

fn directory_64(bytes: &[u8], end: usize) -> Result<(u64, u64, u64)> {
    let what = "zip64 locator";
    let locator = end
        .checked_sub(LOCATOR_LEN)
        .ok_or_else(|| broken("the zip64 locator").found("missing"))?;
    let mut fields = from(bytes, locator as u64, what)?;
    if fields.take(what)? != *LOCATOR_64 {
        return Err(broken("the zip64 locator").found("missing"));
    }
    let disk = fields.u32(what)?;
    let at = fields.u64(what)?;
    let what = "zip64 end record";
    let mut fields = from(bytes, at, what)?;
    if disk != 0 || fields.take(what)? != *END_64 {
        return Err(broken("the zip64 end record").found("missing"));
    }
    fields.slice(8 + 2 + 2 + 4 + 4, what)?; // its length, versions and disks
    let here = fields.u64(what)?;
    let total = fields.u64(what)?;
    if here != total {
        return Err(broken("the archive").found("in several parts"));
    }
    Ok((total, fields.u64(what)?, fields.u64(what)?))
}

/// One entry and its place in the file, header included.
fn entry<'a>(
    bytes: &'a [u8],
    directory: &mut Fields<'a>,
    directory_at: u64,
) -> Result<(Entry<'a>, (u64, u64))> {
    let what = "the directory";
    if directory.0.len() < CENTRAL_LEN || directory.take(what)? != *CENTRAL {
        return Err(broken("the directory").found("shorter than announced"));
    }
    directory.slice(4, what)?; // versions
    let flags = directory.u16(what)?;
    let method = directory.u16(what)?;
    directory.slice(4, what)?; // time
    let crc = directory.u32(what)?;
    let packed = directory.u32(what)?;
    let size = directory.u32(what)?;
    let [name_len, extra_len, comment_len] = [
        directory.u16(what)?,
        directory.u16(what)?,
        directory.u16(what)?,
    ];
    directory.slice(2 + 2 + 4, what)?; // disk and attributes
    let at = directory.u32(what)?;
    let name = directory.slice(name_len.into(), what)?;
    let extra = directory.slice(extra_len.into(), what)?;
    directory.slice(comment_len.into(), what)?;
    let name =
        std::str::from_utf8(name).map_err(|_| broken("the name of an entry").expected("UTF-8"))?;
    if name.len() > 512 {
        return Err(broken("the name of an entry")
            .found(format_args!("{} bytes", name.len()))
            .expected("at most 512"));
    }
    if method != 0 {
        let deflate = if method == 8 { ", deflate" } else { "" };
        return Err(broken(format_args!("entry {name}"))
            .found(format_args!("compressed (method {method}{deflate})"))
            .expected("stored, as PyTorch does")
            .remedy("save the file again"));
    }
    if flags & 1 != 0 {
        return Err(broken(format_args!("entry {name}")).found("encrypted"));
    }
    let [size, packed, at] = wide(extra, [size, packed, at], name)?;
    if packed != size {
        return Err(broken(format_args!("the size of entry {name}"))
            .found(packed)
            .expected(format_args!("{size}, without compression")));
    }
    let data_at = data_start(bytes, at, name)?;
    let end = data_at.checked_add(size).filter(|&end| end <= directory_at);
    let end = end.ok_or_else(|| {
        broken(format_args!("entry {name}"))
            .found(format_args!("{size} bytes from byte {data_at}"))
            .expected(format_args!("to end before byte {directory_at}"))
    })?;
    let data = &bytes[data_at as usize..end as usize];
    Ok((Entry { name, data, crc }, (at, end)))
}

/// The numbers of an entry, 64-bit numbers taken from its extra field.
fn wide(extra: &[u8], narrow: [u32; 3], name: &str) -> Result<[u64; 3]> {
    let mut numbers = narrow.map(u64::from);
    if !narrow.contains(&IN_EXTRA) {
        return Ok(numbers);
    }
    let mut fields = Fields(extra);
    while !fields.0.is_empty() {
        let what = format!("the extra field of entry {name}");
        let id = fields.u16(&what)?;
        let len = fields.u16(&what)?;
        let field = fields.slice(len.into(), &what)?;
        if id == 1 {
            let mut field = Fields(field);
            for (number, narrow) in numbers.iter_mut().zip(narrow) {
                if narrow == IN_EXTRA {
                    *number = field.u64(&what)?;
                }
            }
            return Ok(numbers);
        }
    }
    Err(broken(format_args!("entry {name}")).found("without its zip64 numbers"))
}

/// First byte of an entry's data, after the local header at `at`.
fn data_start(bytes: &[u8], at: u64, name: &str) -> Result<u64> {
    let what = format!("the header of entry {name}");
    let mut fields = from(bytes, at, &what)?;
    if fields.take(&what)? != *LOCAL {
        return Err(broken(&what).found(format_args!("not at byte {at}")));
    }
    fields.slice(22, &what)?; // the directory has these
    let name_len = fields.u16(&what)?;
    let extra_len = fields.u16(&what)?;
    if fields.slice(name_len.into(), &what)? != name.as_bytes() {
        return Err(broken(&what).found("of another name than in the directory"));
    }
    Ok(at + LOCAL_LEN as u64 + u64::from(name_len) + u64::from(extra_len))
}
