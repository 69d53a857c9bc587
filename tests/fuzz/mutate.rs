//! Random numbers and mutations of bytes.

/// SplitMix64 (Steele, Lea and Flood 2014): small, and the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, number: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.rotate_left(17));
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is above 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Numbers at which checks go wrong.
const EDGES: [u64; 14] = [
    0,
    1,
    0x7f,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x3fff_ffff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// Opcodes of pickles, those that are read and some that are not.
const OPCODES: &[u8] = b".NKMJGXUTCB()]}taesuqrhjcRbQ0125FILSVdgilop\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95";

/// Changes 1 to 8 places.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(8) {
        if bytes.is_empty() {
            bytes.push(0);
        }
        let at = random.below(bytes.len());
        let run = 1 + random.below(16.min(bytes.len() - at));
        match random.below(10) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes[at] = OPCODES[random.below(OPCODES.len())],
            3 | 4 => {
                // a number of 1, 2, 4 or 8 bytes, of either order
                let mut number = EDGES[random.below(EDGES.len())].to_le_bytes();
                if random.below(8) == 0 {
                    number.reverse();
                }
                let size = (1usize << random.below(4)).min(bytes.len() - at);
                bytes[at..at + size].copy_from_slice(&number[..size]);
            }
            5 => {
                bytes.drain(at..at + run);
            }
            6 => {
                let copy = bytes[at..at + run].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            7 => {
                let opcodes: Vec<u8> = (0..run)
                    .map(|_| OPCODES[random.below(OPCODES.len())])
                    .collect();
                bytes.splice(at..at, opcodes);
            }
            8 if !other.is_empty() => {
                let from = random.below(other.len());
                let end = (from + 1 + random.below(64)).min(other.len());
                bytes.splice(at..at, other[from..end].iter().copied());
            }
            _ => {
                if random.below(4) == 0 {
                    bytes.truncate(at);
                }
            }
        }
    }
}
