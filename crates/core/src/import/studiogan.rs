//! Weights of POSTECH-CVLab/PyTorch-StudioGAN (@947b35e): `big_resnet`, `big_resnet_deep_legacy` and
//! `big_resnet_deep_studiogan`, G and D.
//!
//! Names: `src/models/big_resnet.py`, `big_resnet_deep_*.py`, `src/utils/ops.py:14-100,195-228`.
//! Self-attention counts as a block there, which shifts the numbers of the following blocks.

use serde_json::{Map, Value};

use super::foreign::Foreign;
use super::gather::{Dialect, Spectral, block_path, translate_parts};
use crate::arch::{self, BOTTOM, BlockShape};
use crate::config::{Architecture, ClassEmbedding, DiscriminatorConfig, GeneratorConfig};
use crate::error::{Error, Result};

/// Tensors of StudioGAN that are not needed, by the end of their name, with the reason.
pub(super) const LEFT: &[(&str, &str)] = &[(
    ".num_batches_tracked",
    "number of batches, which nothing depends on",
)];

/// Epsilon of every batch norm (`ops.py:231`).
pub(super) const BN_EPS: f64 = 1e-4;
/// Epsilon of every spectral norm (`ops.py:195-228`).
const SN_EPS: f64 = 1e-6;

/// Values that these keys must have if given: other values make another network.
const REQUIRED: [(&str, &[&str]); 6] = [
    ("g_cond_mtd", &["cBN"]),
    ("d_cond_mtd", &["PD"]),
    ("aux_cls_type", &["W/O", "N/A"]),
    ("g_act_fn", &["ReLU"]),
    ("d_act_fn", &["ReLU"]),
    ("info_type", &["N/A"]),
];

/// The keys of a configuration: flat, or in StudioGAN's sections `DATA`, `MODEL`, ..
#[derive(Debug, Clone)]
pub(super) struct Config {
    keys: Map<String, Value>,
    /// Whether it has sections, like the config of a run. In a run ReLUs work in place
    /// (`src/config.py:471-486`), so D's shortcuts start from the activated input; flat keys describe the
    /// modules themselves.
    is_run: bool,
}

impl Config {
    /// From JSON, with or without sections.
    ///
    /// # Errors
    /// If it is not an object, or describes a network of another kind.
    pub fn parse(value: Value) -> Result<Self> {
        let Value::Object(top) = value else {
            return Err(Error::config("StudioGAN's config").expected("an object"));
        };
        let is_run = top.values().any(Value::is_object);
        let mut keys = Map::new();
        for (key, value) in top {
            match value {
                Value::Object(section) => keys.extend(section),
                value => {
                    keys.insert(key, value);
                }
            }
        }
        let config = Self { keys, is_run };
        for (key, allowed) in REQUIRED {
            if let Some(value) = config.keys.get(key)
                && !allowed.iter().any(|allowed| value == allowed)
            {
                return Err(Error::config(format_args!("StudioGAN's {key}"))
                    .found(value)
                    .expected(format_args!("{}, as BigGAN has it", allowed[0])));
            }
        }
        Ok(config)
    }

    fn value(&self, key: &str) -> Result<&Value> {
        self.keys
            .get(key)
            .filter(|value| *value != "N/A")
            .ok_or_else(|| {
                Error::config(format_args!("StudioGAN's {key}")).found("missing from its config")
            })
    }

    fn size(&self, key: &str) -> Result<usize> {
        let value = self.value(key)?;
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        size.ok_or_else(|| {
            Error::config(format_args!("StudioGAN's {key}"))
                .found(value)
                .expected("a number")
        })
    }

    fn eps(&self, key: &str, default: f64) -> f64 {
        self.keys
            .get(key)
            .and_then(Value::as_f64)
            .unwrap_or(default)
    }

    /// Stages followed by attention, counted from 1.
    fn attention(&self, key: &str) -> Result<Vec<usize>> {
        if self.keys.get("apply_attn") != Some(&Value::Bool(true)) {
            return Ok(Vec::new());
        }
        let value = self.value(key)?;
        let stage = |stage: &Value| stage.as_u64().filter(|stage| (1..=16).contains(stage));
        let stages = value
            .as_array()
            .and_then(|stages| stages.iter().map(|s| Some(stage(s)? as usize)).collect());
        stages.ok_or_else(|| {
            Error::config(format_args!("StudioGAN's {key}"))
                .found(value)
                .expected("a list of blocks counted from 1")
        })
    }

    fn architecture(&self) -> Result<Architecture> {
        let value = self.value("backbone")?;
        [
            Architecture::BigResnet,
            Architecture::BigResnetDeepLegacy,
            Architecture::BigResnetDeepStudiogan,
        ]
        .into_iter()
        .find(|architecture| value == architecture.name())
        .ok_or_else(|| {
            Error::config("StudioGAN's backbone")
                .found(value)
                .expected("big_resnet, big_resnet_deep_legacy or big_resnet_deep_studiogan")
        })
    }

    /// The generator.
    ///
    /// # Errors
    /// If a key is missing or describes no network that can be built.
    pub fn generator(&self) -> Result<GeneratorConfig> {
        let architecture = self.architecture()?;
        let is_deep = architecture.is_deep();
        let config = GeneratorConfig {
            architecture,
            depth: if is_deep {
                Some(self.size("g_depth")?)
            } else {
                None
            },
            resolution: self.size("img_size")?,
            channels: self.size("g_conv_dim")?,
            latent: crate::latent_kind::LatentKind::Normal,
            z_dim: self.size("z_dim")?,
            classes: self.size("num_classes")?,
            class_embedding: ClassEmbedding::Shared {
                dim: self.size("g_shared_dim")?,
            },
            hierarchical_z: !is_deep,
            attention: self
                .attention("attn_g_loc")?
                .into_iter()
                .map(|stage| BOTTOM << stage)
                .collect(),
            spectral_norm: true,
            bn_eps: self.eps("bn_eps", BN_EPS),
            output_bn_eps: None,
            sn_eps: self.eps("sn_eps", SN_EPS),
            bn_momentum: 0.1, // ops.py:20,231
        };
        config.validate()?;
        Ok(config)
    }

    /// The discriminator.
    ///
    /// # Errors
    /// As [`Config::generator`].
    pub fn discriminator(&self) -> Result<DiscriminatorConfig> {
        let architecture = self.architecture()?;
        let is_deep = architecture.is_deep();
        let config = DiscriminatorConfig {
            architecture,
            depth: if is_deep {
                Some(self.size("d_depth")?)
            } else {
                None
            },
            resolution: self.size("img_size")?,
            channels: self.size("d_conv_dim")?,
            classes: self.size("num_classes")?,
            attention: Vec::new(),
            attention_after_stages: self.attention("attn_d_loc")?,
            activated_shortcut: self.is_run,
            spectral_norm: true,
            sn_eps: self.eps("sn_eps", SN_EPS),
        };
        config.validate()?;
        Ok(config)
    }
}

/// Names of a generator or discriminator.
#[derive(Debug)]
pub(super) struct Names {
    blocks: Vec<String>,
    attention: Vec<String>,
    /// "linear0" in G, "linear1" in D.
    linear: &'static str,
    spectral: Spectral,
}

impl Names {
    /// Of a generator.
    ///
    /// # Errors
    /// If its resolution has no table.
    pub fn generator(foreign: &Foreign<'_, '_>, config: &GeneratorConfig) -> Result<Self> {
        let blocks = arch::generator_blocks(config)?;
        Ok(Self::new(foreign, &blocks, "linear0"))
    }

    /// Of a discriminator.
    ///
    /// # Errors
    /// If its resolution has no table.
    pub fn discriminator(foreign: &Foreign<'_, '_>, config: &DiscriminatorConfig) -> Result<Self> {
        let blocks = arch::discriminator_blocks(config)?;
        Ok(Self::new(foreign, &blocks, "linear1"))
    }

    fn new(foreign: &Foreign<'_, '_>, shapes: &[BlockShape], linear: &'static str) -> Self {
        let mut next = 0;
        let (mut blocks, mut attention) = (Vec::new(), Vec::new());
        for shape in shapes {
            blocks.push(format!("blocks.{next}.0"));
            attention.push(format!("blocks.{}.0", next + 1));
            next += 1 + usize::from(shape.attention);
        }
        let normalised = foreign.names().any(|name| name.ends_with(".weight_orig"));
        Self {
            blocks,
            attention,
            linear,
            spectral: if normalised {
                Spectral::Stored
            } else {
                Spectral::Absent // apply_g_sn: False
            },
        }
    }
}

const TABLE: &[(&str, &str)] = &[
    ("conv1", "conv2d1"),
    ("conv2", "conv2d2"),
    ("conv3", "conv2d3"),
    ("conv4", "conv2d4"),
    ("conv_sc", "conv2d0"),
    ("theta", "conv1x1_theta"),
    ("phi", "conv1x1_phi"),
    ("g", "conv1x1_g"),
    ("o", "conv1x1_attn"),
    ("gamma", "sigma"),
    ("embed", "embedding"),
    ("output_bn.stats", "bn4"),
    ("output_bn.gain", "bn4.weight"),
    ("output_bn.bias", "bn4.bias"),
    ("output_conv", "conv2d5"),
    ("stats", "bn"),
    ("mean", "running_mean"),
    ("variance", "running_var"),
];

impl Dialect for Names {
    fn translate(&self, ours: &str) -> String {
        if let Some((block, rest)) = block_path(ours) {
            let (place, rest) = match rest.strip_prefix("attention.") {
                Some(rest) => (&self.attention[block], rest),
                None => (&self.blocks[block], rest),
            };
            return format!("{place}.{}", translate_parts(rest, TABLE));
        }
        match ours.strip_prefix("linear") {
            Some(rest) => format!("{}{rest}", self.linear),
            None => translate_parts(ours, TABLE),
        }
    }

    fn spectral(&self) -> Spectral {
        self.spectral
    }
}
