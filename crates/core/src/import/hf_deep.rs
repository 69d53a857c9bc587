//! Weights of huggingface/pytorch-pretrained-BigGAN (@1e18aed): the generator of BigGAN-deep with 51
//! rows of statistics, as converted from TensorFlow Hub.
//!
//! Names: `model.py:40-260`; the order of z and class, of the first layer's rows, and the 128 outputs of
//! the last convolution: `model.py:225,234-246,293`, `convert_tf_to_pytorch.py:59-113`.

use serde::Deserialize;

use super::change::Change;
use super::gather::{Dialect, Spectral, block_path, translate_parts};
use crate::arch;
use crate::config::{Architecture, ClassEmbedding, GeneratorConfig};
use crate::error::{Error, Result};

/// Most rows of statistics that are accepted.
const MAX_ROWS: usize = 1001;

/// What is needed of `config.json` (`config.py:41-49`); the program reads no other key, and others are added by
/// tools (`model_type`, `architectures`, `transformers_version`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Config {
    output_dim: usize,
    z_dim: usize,
    /// Never read there: the embedding has `z_dim` rows (`model.py:293`).
    #[serde(default)]
    class_embed_dim: serde_json::Value,
    channel_width: usize,
    num_classes: usize,
    layers: Vec<(bool, usize, usize)>,
    attention_layer_position: usize,
    eps: f64,
    n_stats: usize,
}

/// Names and layout of the generator.
#[derive(Debug)]
pub(super) struct Names {
    z: usize,
    /// Rows of statistics; row k belongs to the truncation `k / (rows - 1)`.
    pub rows: usize,
    /// Outputs of the last convolution.
    outputs: usize,
    attention: usize,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// If a key is missing or of another type.
    pub fn parse(value: serde_json::Value) -> Result<Self> {
        serde_json::from_value(value).map_err(|error| {
            Error::config("config.json of pytorch-pretrained-BigGAN").not_readable(error)
        })
    }

    /// What is ignored although it looks as if it counted.
    pub fn remark(&self) -> Option<String> {
        let said = &self.class_embed_dim;
        let agrees = said.is_null() || said.as_u64() == Some(self.z_dim as u64);
        (!agrees).then(|| {
            format!(
                "class_embed_dim = {said} is ignored, as in the program: classes are embedded in z_dim = {} values",
                self.z_dim
            )
        })
    }

    /// The architecture, and the names of its tensors.
    ///
    /// # Errors
    /// If the layers are not those of BigGAN-deep.
    pub fn generator(&self) -> Result<(GeneratorConfig, Names)> {
        let mut config = GeneratorConfig {
            architecture: Architecture::BigganDeep,
            depth: None,
            resolution: self.output_dim,
            channels: self.channel_width,
            latent: crate::latent_kind::LatentKind::Normal,
            z_dim: self.z_dim,
            classes: self.num_classes,
            class_embedding: ClassEmbedding::Shared { dim: self.z_dim },
            hierarchical_z: false,
            attention: Vec::new(),
            spectral_norm: true,
            bn_eps: self.eps,
            output_bn_eps: None,
            sn_eps: self.eps,
            bn_momentum: 0.1, // there is no training code
        };
        config.validate()?;
        let blocks = arch::generator_blocks(&config)?;
        let width = self.channel_width;
        let expected: Vec<(bool, usize, usize)> = blocks
            .iter()
            .map(|block| {
                (
                    block.resamples,
                    block.channels[0] / width,
                    block.channels[1] / width,
                )
            })
            .collect();
        if self.layers != expected {
            return Err(Error::config("layers of config.json")
                .found(format_args!("{:?}", self.layers))
                .expected(format_args!(
                    "{expected:?}, as BigGAN-deep at {}",
                    self.output_dim
                )));
        }
        // attention comes before the layer of this number, that is, after the preceding block
        let before = self.attention_layer_position.checked_sub(1);
        let attention = before.filter(|&block| blocks.get(block).is_some_and(|b| b.resamples));
        let attention = attention.ok_or_else(|| {
            Error::config("attention_layer_position")
                .found(self.attention_layer_position)
                .expected("one that follows a block that upsamples")
        })?;
        config.attention = vec![blocks[attention].resolution];
        if !(2..=MAX_ROWS).contains(&self.n_stats) {
            return Err(Error::config("n_stats")
                .found(self.n_stats)
                .expected(format_args!("2 to {MAX_ROWS}")));
        }
        let names = Names {
            z: self.z_dim,
            rows: self.n_stats,
            outputs: width,
            attention,
        };
        Ok((config, names))
    }
}

const TABLE: &[(&str, &str)] = &[
    ("bn1", "bn_0"),
    ("bn2", "bn_1"),
    ("bn3", "bn_2"),
    ("bn4", "bn_3"),
    ("bn1.bias", "bn_0.offset"),
    ("bn2.bias", "bn_1.offset"),
    ("bn3.bias", "bn_2.offset"),
    ("bn4.bias", "bn_3.offset"),
    ("gain", "scale"),
    ("conv1", "conv_0"),
    ("conv2", "conv_1"),
    ("conv3", "conv_2"),
    ("conv4", "conv_3"),
    ("theta", "snconv1x1_theta"),
    ("phi", "snconv1x1_phi"),
    ("g", "snconv1x1_g"),
    ("o", "snconv1x1_o_conv"),
    ("linear", "generator.gen_z"),
    ("output_conv", "generator.conv_to_rgb"),
    ("output_bn", "generator.bn"),
    ("output_bn.gain", "generator.bn.weight"),
    ("shared", "embeddings"),
    ("stats", ""),
    ("mean", "running_means"),
    ("variance", "running_vars"),
];

impl Dialect for Names {
    fn translate(&self, ours: &str) -> String {
        let Some((block, rest)) = block_path(ours) else {
            return translate_parts(ours, TABLE);
        };
        if let Some(rest) = rest.strip_prefix("attention.") {
            let layer = self.attention + 1;
            return format!("generator.layers.{layer}.{}", translate_parts(rest, TABLE));
        }
        let layer = block + usize::from(block > self.attention);
        format!("generator.layers.{layer}.{}", translate_parts(rest, TABLE))
    }

    fn spectral(&self) -> Spectral {
        Spectral::Stored
    }

    fn change(&self, ours: &str) -> Change {
        let z = self.z;
        let of = self.outputs;
        match ours {
            "shared.weight" => Change::Transposed,
            "linear.weight" => Change::ClassAndChannelsFirst { z },
            "linear.bias" => Change::ChannelsFirst,
            "output_conv.weight" | "output_conv.bias" => Change::FirstRows { of },
            _ if ours.ends_with(".gain.weight") || ours.ends_with(".bias.weight") => {
                Change::ClassFirst { z }
            }
            _ => Change::None,
        }
    }

    fn rows(&self) -> Option<usize> {
        Some(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let names = Names {
            z: 2,
            rows: 51,
            outputs: 8,
            attention: 7,
        };
        for (ours, theirs) in [
            ("shared.weight", "embeddings.weight"),
            ("linear", "generator.gen_z"),
            ("blocks.7.bn4.gain", "generator.layers.7.bn_3.scale"),
            ("blocks.8.bn1.bias", "generator.layers.9.bn_0.offset"),
            ("blocks.8.conv1.bias", "generator.layers.9.conv_0.bias"),
            (
                "blocks.7.attention.o",
                "generator.layers.8.snconv1x1_o_conv",
            ),
            ("blocks.7.attention.gamma", "generator.layers.8.gamma"),
            (
                "blocks.0.bn1.stats.mean",
                "generator.layers.0.bn_0.running_means",
            ),
            ("output_bn.stats.variance", "generator.bn.running_vars"),
            ("output_bn.gain", "generator.bn.weight"),
            ("output_bn.bias", "generator.bn.bias"),
        ] {
            assert_eq!(names.translate(ours), theirs);
        }
    }
}
