//! The Huffman codes of a JPEG (ITU-T T.81, annexes C and F), read only to see how far the data go.

/// Bits of the table that finds short codes at once.
const SHORT: u32 = 9;

/// Why no further bit or code can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The data end here, at a marker or at the end of the file.
    End,
    /// No code begins so.
    Impossible,
}

/// Codes and what they mean.
#[derive(Debug, Clone)]
pub struct Codes {
    /// By the next [`SHORT`] bits: length and meaning of the code; length 0 if it is longer.
    short: Vec<(u8, u8)>,
    /// By length: the first code that is too large for it, aligned to 16 bits.
    limits: [u32; 17],
    /// By length: index of its first meaning, minus its first code.
    offsets: [i32; 17],
    meanings: Vec<u8>,
}

impl Codes {
    /// From the numbers of codes by length, 1 to 16, and their meanings. None if they are no code.
    pub fn new(counts: &[u8; 16], meanings: &[u8]) -> Option<Self> {
        let mut codes = Self {
            short: vec![(0, 0); 1 << SHORT],
            limits: [0; 17],
            offsets: [0; 17],
            meanings: meanings.to_vec(),
        };
        let (mut code, mut index) = (0u32, 0usize);
        for (length, &count) in (1u32..).zip(counts) {
            codes.offsets[length as usize] = index as i32 - code as i32;
            for _ in 0..count {
                let meaning = *meanings.get(index)?;
                if code >> length != 0 {
                    return None;
                }
                if length <= SHORT {
                    let first = (code << (SHORT - length)) as usize;
                    codes.short[first..first + (1 << (SHORT - length))]
                        .fill((length as u8, meaning));
                }
                code += 1;
                index += 1;
            }
            codes.limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Some(codes)
    }
}

/// Reads bits of entropy-coded data; stops before a marker.
#[derive(Debug)]
pub struct Bits<'a> {
    file: &'a [u8],
    /// The next byte.
    at: usize,
    /// The next bits, from the highest on.
    waiting: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// From a place in a file on.
    pub fn new(file: &'a [u8], at: usize) -> Self {
        Self {
            file,
            at,
            waiting: 0,
            count: 0,
        }
    }

    /// Where the bytes that were not needed begin.
    pub fn end(&self) -> usize {
        // bytes in waiting are read again; a stuffed one is two bytes in the file
        let mut at = self.at;
        for _ in 0..self.count / 8 {
            at -= 1;
            if self.file[at] == 0 && at > 0 && self.file[at - 1] == 0xff {
                at -= 1;
            }
        }
        at
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match self.file.get(self.at..) {
                Some([0xff, 0, ..]) => {
                    self.at += 2;
                    0xff
                }
                Some([byte, ..]) if *byte != 0xff => {
                    self.at += 1;
                    *byte
                }
                _ => return, // a marker, or the end
            };
            self.waiting |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next bits, at most 16.
    ///
    /// # Errors
    /// If the data end before.
    pub fn take(&mut self, bits: u32) -> Result<u32, Stop> {
        if self.count < bits {
            self.fill();
            if self.count < bits {
                return Err(Stop::End);
            }
        }
        let value = (self.waiting >> 32 >> (32 - bits)) as u32;
        self.waiting <<= bits;
        self.count -= bits;
        Ok(value)
    }

    /// The meaning of the next code.
    ///
    /// # Errors
    /// If the data end before, or no code begins so.
    pub fn code(&mut self, codes: &Codes) -> Result<u8, Stop> {
        if self.count < 16 {
            self.fill();
        }
        let next = (self.waiting >> 48) as u32;
        let (mut length, mut meaning) = codes.short[(next >> (16 - SHORT)) as usize];
        if length == 0 {
            let long = (SHORT + 1..=16).find(|&length| next < codes.limits[length as usize]);
            let Some(long) = long else {
                // beyond the end there are zeros, so a prefix of ones is of the data
                return Err(if self.count < 16 {
                    Stop::End
                } else {
                    Stop::Impossible
                });
            };
            let code = (next >> (16 - long)) as i32;
            let index = usize::try_from(code + codes.offsets[long as usize]);
            let found = index.ok().and_then(|index| codes.meanings.get(index));
            meaning = *found.ok_or(Stop::Impossible)?;
            length = long as u8;
        }
        if u32::from(length) > self.count {
            return Err(Stop::End);
        }
        self.waiting <<= length;
        self.count -= u32::from(length);
        Ok(meaning)
    }

    /// Passes over the marker of a restart and what is before it; false if another marker or the end comes first.
    pub fn restart(&mut self) -> bool {
        (self.waiting, self.count) = (0, 0);
        while let Some(rest) = self.file.get(self.at..)
            && let [first, second, ..] = rest
        {
            match (first, second) {
                (0xff, 0xd0..=0xd7) => {
                    self.at += 2;
                    return true;
                }
                (0xff, 0xff) | (0xff, 0) | (0..=0xfe, _) => self.at += 1,
                _ => return false,
            }
        }
        false
    }

    /// Whether the data end at the marker of a restart.
    pub fn at_restart(&self) -> bool {
        matches!(self.file.get(self.at..), Some([0xff, 0xd0..=0xd7, ..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Meanings 5 (0), 6 (10), 7 (110) and 8, a code of twelve bits.
    fn codes() -> Codes {
        let mut counts = [0; 16];
        (counts[0], counts[1], counts[2], counts[11]) = (1, 1, 1, 1);
        Codes::new(&counts, &[5, 6, 7, 8]).unwrap()
    }

    #[test]
    fn codes_are_read_until_the_data_end() {
        // 0, 10, 110, 111000000000, then six ones
        let bytes = [0b0101_1011, 0b1000_0000, 0b0011_1111];
        let mut bits = Bits::new(&bytes, 0);
        let read: Vec<_> = (0..5).map(|_| bits.code(&codes())).collect();
        assert_eq!(read, [Ok(5), Ok(6), Ok(7), Ok(8), Err(Stop::End)]);
        assert_eq!(bits.take(6), Ok(63));
        assert_eq!(bits.take(1), Err(Stop::End));
    }

    #[test]
    fn impossible_codes_are_told_from_the_end() {
        let impossible = [0xff, 0, 0xff, 0, 0xff, 0];
        assert_eq!(
            Bits::new(&impossible, 0).code(&codes()),
            Err(Stop::Impossible)
        );
        assert!(
            Codes::new(&[3; 16], &[0; 48]).is_none(),
            "three codes of one bit"
        );
        assert!(Codes::new(&[1; 16], &[0; 3]).is_none(), "too few meanings");
    }

    #[test]
    fn stuffing_markers_and_restarts() {
        let bytes = [0xff, 0, 0x12, 0xff, 0xd3, 0x34, 0xff, 0xd9];
        let mut bits = Bits::new(&bytes, 0);
        assert_eq!(bits.take(8), Ok(0xff));
        assert_eq!(bits.end(), 2);
        assert_eq!(bits.take(8), Ok(0x12));
        assert_eq!(bits.take(1), Err(Stop::End));
        assert!(bits.at_restart() && bits.restart());
        assert_eq!(bits.take(8), Ok(0x34));
        assert!(!bits.restart());
        let mut stuffed = Bits::new(&bytes, 0);
        assert_eq!(stuffed.take(1), Ok(1));
        assert_eq!(stuffed.end(), 2, "the rest of a byte is not needed");
    }
}
