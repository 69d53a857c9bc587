//! A packed data set as bytes: the file `train.pack` that `native-train` maps (its `dataset/packed.rs`
//! reads it and describes the tensors).

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, TensorInfo};
use sha2::{Digest, Sha256};

use super::container::{Header, header};
use super::{DatasetInfo, sha256_hex};
use crate::error::{Error, Result};

/// Value of the metadata key `format`.
pub const PACK_FORMAT: &str = "biggan-pack";
/// Value of the metadata key `format_version`.
pub const PACK_VERSION: &str = "1";
/// Images behind each digest.
pub const PACK_BLOCK_IMAGES: usize = 4096;

/// Images of one size with a class each.
#[derive(Debug, Clone, Copy)]
pub struct Pack<'a> {
    /// Name of the data set.
    pub name: &'a str,
    /// A name for each class.
    pub class_names: &'a [String],
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// `[n, channels, height, width]`
    pub images_u8: &'a [u8],
    /// `[n]`
    pub labels: &'a [u16],
}

impl Pack<'_> {
    /// All of the file but the pixels: the header, and what stands behind them.
    fn parts(&self) -> Result<[Vec<u8>; 2]> {
        let [channels, height, width] = self.shape;
        let image_bytes = channels * height * width;
        if self.labels.len() * image_bytes != self.images_u8.len() {
            return Err(Error::request(format_args!(
                "the size of {} images of {channels}x{height}x{width}",
                self.labels.len()
            ))
            .found(format_args!("{} bytes", self.images_u8.len()))
            .expected(format_args!("{} bytes", self.labels.len() * image_bytes)));
        }
        let ends: Vec<u8> = (1..=self.labels.len() as u64)
            .flat_map(u64::to_le_bytes)
            .collect();
        let classes: Vec<u8> = self.labels.iter().flat_map(|l| l.to_le_bytes()).collect();
        let blocks = self.images_u8.chunks(PACK_BLOCK_IMAGES * image_bytes);
        let digests: Vec<u8> = blocks.flat_map(Sha256::digest).collect();
        let count = self.labels.len();
        let mut end = 0;
        let entries = [
            (
                "images_u8",
                Dtype::U8,
                vec![count, channels, height, width],
                self.images_u8.len(),
            ),
            ("row_ends", Dtype::U64, vec![count], ends.len()),
            ("row_classes", Dtype::U16, vec![count], classes.len()),
            (
                "block_sha256",
                Dtype::U8,
                vec![digests.len() / 32, 32],
                digests.len(),
            ),
        ]
        .into_iter()
        .map(|(name, dtype, shape, bytes)| {
            let data_offsets = (end, end + bytes);
            end += bytes;
            let info = TensorInfo {
                dtype,
                shape,
                data_offsets,
            };
            (name, info)
        })
        .collect();
        let class_names = serde_json::to_string(self.class_names)
            .map_err(|error| Error::file("the class names").not_writable(error))?;
        let metadata = BTreeMap::from([
            ("format".to_owned(), PACK_FORMAT.to_owned()),
            ("format_version".to_owned(), PACK_VERSION.to_owned()),
            ("name".to_owned(), self.name.to_owned()),
            ("class_names".to_owned(), class_names),
        ]);
        let header = header(
            &Header {
                metadata: &metadata,
                entries,
            },
            0,
        )?;
        Ok([header, [ends, classes, digests].concat()])
    }

    /// What `native-train` says of the file.
    ///
    /// # Errors
    /// If pixels and labels do not fit.
    pub fn info(&self) -> Result<DatasetInfo> {
        Ok(DatasetInfo {
            name: self.name.to_owned(),
            images: self.labels.len(),
            sha256: vec![sha256_hex(&self.parts()?.concat())],
        })
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// If pixels and labels do not fit.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let [header, labels] = self.parts()?;
        Ok([&header, self.images_u8, &labels].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_depends_on_every_part() {
        let names = ["a", "b"].map(String::from);
        let pack = Pack {
            name: "two",
            class_names: &names,
            shape: [1, 1, 2],
            images_u8: &[1, 2, 3, 4],
            labels: &[1, 0],
        };
        let info = pack.info().unwrap();
        assert_eq!((info.images, info.sha256.len()), (2, 1));
        assert_eq!(info, pack.info().unwrap());
        let others = [
            Pack { name: "2", ..pack },
            Pack {
                images_u8: &[1, 2, 3, 5],
                ..pack
            },
            Pack {
                labels: &[0, 1],
                ..pack
            },
        ];
        for other in others {
            assert_ne!(other.info().unwrap().sha256, info.sha256);
        }
        let short = Pack {
            labels: &[1],
            ..pack
        };
        let message = short.encode().unwrap_err().to_string();
        assert!(
            message.contains("of 1 images") && message.contains("is 4 bytes"),
            "{message}"
        );
    }
}
