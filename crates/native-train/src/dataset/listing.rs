//! The checksum of a folder that is not read completely: over names and sizes.

use biggan::file::LISTING;
use sha2::{Digest, Sha256};

use super::class_folders::Class;
use crate::checksum::hex;

/// The running checksum, over files in the order of classes and names.
#[derive(Default)]
pub struct Listing(Sha256);

impl Listing {
    /// Adds the file with index `file` of a class, and its size.
    pub fn add(&mut self, class: &Class, file: usize, bytes: u64) {
        for name in [class.name.as_bytes(), class.files[file].as_encoded_bytes()] {
            self.0.update((name.len() as u64).to_le_bytes());
            self.0.update(name);
        }
        self.0.update(bytes.to_le_bytes());
    }

    /// Adds what makes other images of the same files.
    pub fn note(&mut self, key: &str, value: &str) {
        for text in [key, value] {
            self.0.update((text.len() as u64).to_le_bytes());
            self.0.update(text);
        }
    }

    /// The checksum, prefixed with [`LISTING`].
    pub fn sha256(self) -> String {
        format!("{LISTING}{}", hex(&self.0.finalize()))
    }
}
