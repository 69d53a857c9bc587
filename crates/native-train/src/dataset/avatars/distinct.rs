//! Pictures that differ: a seed whose picture was there already is passed over, and the next one is taken.

use std::collections::HashSet;
use std::ops::Range;

use anyhow::{Result, bail};
use rayon::prelude::*;

/// Seeds in a row without a new picture after which a style counts as exhausted.
const GIVE_UP: u64 = 1_000;

/// A picture.
pub struct Picture {
    /// Digest of its pixels.
    pub sha256: [u8; 32],
    /// Its file.
    pub png: Vec<u8>,
}

/// Pictures of a class in a part, from the seeds 0, 1, 2, ..
#[derive(Debug)]
pub struct Part {
    count: usize,
    kept: usize,
    next_seed: u64,
    repeats_in_a_row: u64,
}

impl Part {
    /// Before the first of `count` pictures.
    pub fn new(count: usize) -> Self {
        Self {
            count,
            kept: 0,
            next_seed: 0,
            repeats_in_a_row: 0,
        }
    }

    /// Whether all pictures are drawn.
    pub fn is_whole(&self) -> bool {
        self.kept == self.count
    }

    /// Seeds that were passed over.
    pub fn repeats(&self) -> u64 {
        self.next_seed - self.kept as u64
    }

    /// Draws at most `at_once` seeds in parallel. The new pictures, in the order of their seeds, get the next numbers;
    /// `seen` has the digests of all pictures before them.
    ///
    /// # Errors
    /// If one cannot be drawn, or [`GIVE_UP`] seeds in a row were repeats.
    pub fn draw_some(
        &mut self,
        at_once: usize,
        seen: &mut HashSet<[u8; 32]>,
        draw: impl Fn(u64) -> Result<Picture> + Send + Sync,
    ) -> Result<(Range<usize>, Vec<Picture>)> {
        let seeds = (self.count - self.kept).min(at_once) as u64;
        let seeds = self.next_seed..self.next_seed + seeds;
        self.next_seed = seeds.end;
        let drawn: Result<Vec<Picture>> = seeds.into_par_iter().map(draw).collect();
        let mut new = Vec::new();
        for picture in drawn? {
            if seen.insert(picture.sha256) {
                self.repeats_in_a_row = 0;
                new.push(picture);
            } else {
                self.repeats_in_a_row += 1;
            }
        }
        let first = self.kept;
        self.kept += new.len();
        if self.repeats_in_a_row >= GIVE_UP {
            bail!(
                "no new picture in {} seeds after {} of {}; ask for fewer (--per-class, --test-per-class), or for a \
                 higher --resolution",
                self.repeats_in_a_row,
                self.kept,
                self.count
            );
        }
        Ok((first..self.kept, new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All pictures of a part, as the seeds that they were drawn from, where every picture is drawn `same` times in a
    /// row.
    fn seeds(count: usize, same: u64, seen: &mut HashSet<[u8; 32]>) -> Result<Vec<u64>> {
        let mut part = Part::new(count);
        let mut all = Vec::new();
        while !part.is_whole() {
            let (numbers, pictures) = part.draw_some(4, seen, |seed| {
                let mut sha256 = [0; 32];
                sha256[..8].copy_from_slice(&(seed / same).to_le_bytes());
                let png = seed.to_le_bytes().to_vec();
                Ok(Picture { sha256, png })
            })?;
            assert_eq!(numbers, all.len()..all.len() + pictures.len());
            let seed = |picture: Picture| u64::from_le_bytes(picture.png.try_into().unwrap());
            all.extend(pictures.into_iter().map(seed));
        }
        Ok(all)
    }

    #[test]
    fn repeats_are_replaced_by_the_next_seed() {
        let mut seen = HashSet::new();
        assert_eq!(seeds(5, 3, &mut seen).unwrap(), [0, 3, 6, 9, 12]);
        // those of another part count, too
        assert_eq!(seeds(2, 3, &mut seen).unwrap(), [15, 18]);
        assert_eq!(seen.len(), 7);
    }

    #[test]
    fn an_exhausted_style_is_an_error() {
        let error = seeds(3, u64::MAX, &mut HashSet::new()).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("after 1 of 3") && message.contains("--per-class"),
            "{message}"
        );
    }
}
