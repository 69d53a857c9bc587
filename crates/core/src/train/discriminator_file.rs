//! A discriminator as a file of its own, beside the model of its generator: what fine-tuning starts D from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Pretrained;
use crate::config::DiscriminatorConfig;
use crate::error::{Error, Result};
use crate::file::{Dtype, decode, encode};

/// Value of the metadata key `format`.
pub const DISCRIMINATOR_FORMAT: &str = "biggan-discriminator";
/// Value of the metadata key `format_version` that this program writes and reads.
const VERSION: &str = "1";

/// The content of the metadata key `config`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    discriminator: DiscriminatorConfig,
    class_names: Vec<String>,
}

impl Pretrained {
    /// The discriminator as the bytes of a file; `None` if there is none.
    ///
    /// # Errors
    /// If a value is too large for the type.
    pub fn encode_discriminator(&self, dtype: Dtype) -> Result<Option<Vec<u8>>> {
        let Some((config, tensors)) = &self.discriminator else {
            return Ok(None);
        };
        let about = About {
            discriminator: config.clone(),
            class_names: self.class_names.clone(),
        };
        let about = serde_json::to_string(&about)
            .map_err(|error| Error::file("the discriminator").not_writable(error))?;
        let metadata = [
            ("format", DISCRIMINATOR_FORMAT),
            ("format_version", VERSION),
            ("config", about.as_str()),
        ];
        let metadata: BTreeMap<String, String> = metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        encode(tensors, &metadata, dtype).map(Some)
    }

    /// These networks with the discriminator of a file.
    ///
    /// # Errors
    /// If the bytes are not one, or its classes are not the generator's.
    pub fn with_discriminator(mut self, bytes: &[u8]) -> Result<Self> {
        let file = decode(bytes)?;
        let stated = |key: &str| file.metadata.get(key).map(String::as_str);
        for (key, expected) in [
            ("format", DISCRIMINATOR_FORMAT),
            ("format_version", VERSION),
        ] {
            if stated(key) != Some(expected) {
                return Err(Error::file(format_args!("the {key} of the discriminator"))
                    .found(stated(key).unwrap_or("not stated"))
                    .expected(expected)
                    .remedy("write it again with `native-train export --hub --discriminator`"));
            }
        }
        let about: About = serde_json::from_str(stated("config").unwrap_or_default())
            .map_err(|error| Error::file("the config of the discriminator").not_readable(error))?;
        if about.class_names != self.class_names {
            return Err(Error::file("the classes of the discriminator")
                .found(format_args!("{:?}", about.class_names))
                .expected(format_args!("{:?}, as the generator's", self.class_names))
                .remedy("give the discriminator of this generator"));
        }
        self.discriminator = Some((about.discriminator, file.tensors));
        Ok(self)
    }
}
