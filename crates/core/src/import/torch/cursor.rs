//! Reading numbers, runs of bytes and lines off the front of untrusted bytes.

use super::value::{Step, Value};

/// Longest module or class name.
const MAX_NAME: usize = 256;

/// Bytes, and how many have been read.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    pub fn byte(&mut self) -> Step<u8> {
        Ok(self.take(1)?[0])
    }

    pub fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn u32(&mut self) -> Step<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn take(&mut self, len: usize) -> Step<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let taken = rest
            .get(..len)
            .ok_or_else(|| format!("{len} bytes are announced, {} are left", rest.len()))?;
        self.at += len;
        Ok(taken)
    }

    pub fn line(&mut self) -> Step<&'a str> {
        let rest = &self.bytes[self.at..];
        let window = &rest[..rest.len().min(MAX_NAME)];
        let len = window
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or("a class name without an end")?;
        self.at += len + 1;
        std::str::from_utf8(&rest[..len]).map_err(|_| "a class name that is not UTF-8".into())
    }
}

/// An integer of any length, little-endian two's complement.
pub(super) fn long<'a>(digits: &[u8]) -> Value<'a> {
    if digits.len() > 8 {
        return Value::Long;
    }
    let negative = digits.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut bytes = [if negative { 0xff } else { 0 }; 8];
    bytes[..digits.len()].copy_from_slice(digits);
    Value::Int(i64::from_le_bytes(bytes))
}
