//! The architecture of BigGAN-PyTorch's networks from the shapes of their tensors.
//!
//! What shapes do not determine is requested by name: see [`Hints`].

use serde::Deserialize;

use super::foreign::Foreign;
use crate::arch;
use crate::config::{
    Architecture, ClassEmbedding, DiscriminatorConfig, GeneratorConfig, RESOLUTIONS,
};
use crate::error::{Error, Result};
use crate::shape::NetworkShape;

/// The flags of BigGAN-PyTorch that matter here, as JSON; all others are ignored. Flags that follow from
/// the weights are compared with them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[allow(non_snake_case)] // the keys are those of the reference
#[serde(default)]
pub(super) struct Hints {
    /// Epsilon of all batch norms but the last: required, since no shape determines it.
    BN_eps: Option<f64>,
    /// Epsilon of spectral norm; default 1e-8 (utils.py), too small to affect a usable weight.
    SN_eps: Option<f64>,
    resolution: Option<usize>,
    G_ch: Option<usize>,
    D_ch: Option<usize>,
    G_depth: Option<usize>,
    D_depth: Option<usize>,
    dim_z: Option<usize>,
    shared_dim: Option<usize>,
    hier: Option<bool>,
    G_shared: Option<bool>,
    n_classes: Option<usize>,
}

/// Epsilon of spectral norm where the config names none (`utils.py`, `--SN_eps`).
const DEFAULT_SN_EPS: f64 = 1e-8;
/// Epsilon of the last batch norm, whatever the flag says (`BigGAN.py:178-180`).
pub(super) const OUTPUT_BN_EPS: f64 = 1e-5;

impl Hints {
    /// Reads the flags.
    ///
    /// # Errors
    /// If a flag has a value of another type.
    pub fn parse(value: serde_json::Value) -> Result<Self> {
        serde_json::from_value(value)
            .map_err(|error| Error::config("BigGAN-PyTorch's flags").not_readable(error))
    }

    /// What a recipe gives; the rest is compared with it afterwards.
    #[cfg(feature = "train")]
    pub fn of_recipe(bn_eps: f64, sn_eps: f64) -> Self {
        Self {
            BN_eps: Some(bn_eps),
            SN_eps: Some(sn_eps),
            ..Self::default()
        }
    }

    fn sn_eps(&self) -> f64 {
        self.SN_eps.unwrap_or(DEFAULT_SN_EPS)
    }
}

/// Compares the weights with the config.
fn agree<T: PartialEq + std::fmt::Debug>(key: &str, told: &T, said: Option<&T>) -> Result<()> {
    match said {
        Some(said) if said != told => Err(Error::config(key)
            .found(format_args!("{said:?} in the config"))
            .expected(format_args!("{told:?}, by the weights"))
            .remedy("give the config of these weights")),
        _ => Ok(()),
    }
}

fn shape_of<const D: usize>(foreign: &Foreign<'_, '_>, name: &str) -> Result<[usize; D]> {
    let shape = foreign
        .shape(name)
        .ok_or_else(|| Error::tensor(name).found("missing from the file"))?;
    shape.try_into().map_err(|_| {
        Error::tensor(name)
            .found(format_args!("{shape:?}"))
            .expected(format_args!("{D} dimensions"))
    })
}

/// BigGAN-PyTorch has no 16; without it the number of blocks determines the resolution.
fn resolutions() -> impl Iterator<Item = usize> {
    RESOLUTIONS
        .into_iter()
        .filter(|&resolution| resolution > 16)
}

/// Number of tensors whose shape in the file is that of a network.
///
/// The best candidate is taken, not only a perfect one: mismatches are then reported tensor by
/// tensor.
fn matches(
    foreign: &Foreign<'_, '_>,
    network: &NetworkShape,
    theirs: impl Fn(&str) -> Option<String>,
) -> usize {
    let tensors = network.layers.iter().flat_map(|layer| &layer.tensors);
    tensors
        .filter(|(name, shape)| {
            theirs(name).is_some_and(|name| foreign.shape(&name) == Some(shape.as_slice()))
        })
        .count()
}

/// The generator that a file holds, and remarks on what was assumed.
///
/// # Errors
/// If it fits no table, or contradicts the config.
pub(super) fn generator(foreign: &Foreign<'_, '_>, hints: &Hints) -> Result<GeneratorConfig> {
    let bn_eps = hints.BN_eps.ok_or_else(|| {
        Error::config("BN_eps").found("not in the weights").remedy(
            "give it in --config, for example {\"BN_eps\": 1e-5} \
                 (BigGAN-PyTorch's default, and that of its BigGAN scripts)",
        )
    })?;
    let blocks = (0..)
        .take_while(|block| foreign.has(&format!("blocks.{block}.0.conv1.weight")))
        .count();
    let is_deep = foreign.has("blocks.0.0.conv4.weight");
    let [last] = shape_of(foreign, "output_layer.0.gain")?;
    let [_, first] = shape_of(foreign, "linear.weight")?;
    let gain: [usize; 2] = shape_of(foreign, "blocks.0.0.bn1.gain.weight")?;
    let (classes, class_embedding) = if foreign.has("shared.weight") {
        let [classes, dim] = shape_of(foreign, "shared.weight")?;
        (classes, ClassEmbedding::Shared { dim })
    } else {
        (gain[0], ClassEmbedding::PerLayer)
    };
    // the part of the condition that is not the class: a chunk of z in BigGAN, all of z in BigGAN-deep
    let (chunk, z) = match class_embedding {
        ClassEmbedding::Shared { dim } => {
            let chunk = gain[1].checked_sub(dim).ok_or_else(|| {
                Error::tensor("blocks.0.0.bn1.gain.weight")
                    .found(format_args!("{gain:?}"))
                    .expected(format_args!("the embedding's {dim} inputs or more"))
            })?;
            (chunk, if is_deep { chunk } else { first })
        }
        ClassEmbedding::PerLayer => (0, first),
    };
    let hierarchical_z = chunk > 0 && !is_deep;
    let candidate = |resolution: usize| -> Option<(usize, GeneratorConfig)> {
        let architecture = if is_deep {
            Architecture::BigganDeep
        } else {
            Architecture::Biggan
        };
        let stages = architecture.generator_stages(resolution).ok()?;
        let mut config = GeneratorConfig {
            architecture,
            depth: is_deep.then_some(blocks / stages),
            resolution,
            channels: 1,
            latent: crate::latent_kind::LatentKind::Normal,
            z_dim: z.saturating_mul(if hierarchical_z { stages + 1 } else { 1 }),
            classes,
            class_embedding,
            hierarchical_z,
            attention: Vec::new(),
            spectral_norm: true,
            bn_eps,
            output_bn_eps: (bn_eps != OUTPUT_BN_EPS).then_some(OUTPUT_BN_EPS),
            sn_eps: hints.sn_eps(),
            bn_momentum: 0.1, // layers.py:298, no flag changes it
        };
        let shapes = arch::generator_blocks(&config).ok()?;
        config.channels = last / shapes.last()?.channels[1];
        let places = (0..blocks).filter(|block| foreign.has(&format!("blocks.{block}.1.gamma")));
        config.attention = places
            .map(|block| Some(shapes.get(block)?.resolution))
            .collect::<Option<_>>()?;
        config.validate().ok()?;
        let network = NetworkShape::generator(&config).ok()?;
        let theirs = |ours: &str| {
            let (block, rest) = super::gather::block_path(ours)?;
            (!rest.starts_with("attention.")).then(|| format!("blocks.{block}.0.{rest}"))
        };
        (shapes.len() == blocks).then(|| (matches(foreign, &network, theirs), config))
    };
    let best = resolutions()
        .filter_map(candidate)
        .max_by_key(|(score, _)| *score);
    let (_, config) = best.ok_or_else(|| {
        Error::config("the generator")
            .found(format_args!(
                "of {blocks} blocks, {last} channels in the end and z and class of \
                 {first} and {} values",
                gain[1]
            ))
            .expected(format_args!(
                "a BigGAN{} of the resolutions {RESOLUTIONS:?}",
                if is_deep { "-deep" } else { "" }
            ))
    })?;
    agree("resolution", &config.resolution, hints.resolution.as_ref())?;
    agree("G_ch", &config.channels, hints.G_ch.as_ref())?;
    agree("n_classes", &config.classes, hints.n_classes.as_ref())?;
    let is_shared = foreign.has("shared.weight");
    agree("G_shared", &is_shared, hints.G_shared.as_ref())?;
    if !is_deep {
        agree("hier", &hierarchical_z, hints.hier.as_ref())?;
    }
    if let ClassEmbedding::Shared { dim } = config.class_embedding {
        // there, 0 means dim_z
        let said = hints.shared_dim.filter(|&dim| dim > 0);
        agree("shared_dim", &dim, said.as_ref())?;
    }
    if is_deep {
        agree(
            "G_depth",
            &config.blocks_per_stage(),
            hints.G_depth.as_ref(),
        )?;
    }
    // BigGAN-PyTorch silently rounds dim_z down to a whole number of chunks (BigGAN.py:109-117)
    let chunks = config.z_chunks()?;
    let said = hints.dim_z.map(|z| z / chunks * chunks);
    agree("dim_z", &config.z_dim, said.as_ref())?;
    Ok(config)
}

/// The discriminator that a file holds.
///
/// # Errors
/// If it fits no table, or contradicts the config.
pub(super) fn discriminator(
    foreign: &Foreign<'_, '_>,
    hints: &Hints,
) -> Result<DiscriminatorConfig> {
    let is_deep = foreign.has("input_conv.weight");
    let stages = (0..)
        .take_while(|stage| foreign.has(&format!("blocks.{stage}.0.conv1.weight")))
        .count();
    let depth = if is_deep {
        let in_stage = |block: &usize| foreign.has(&format!("blocks.0.{block}.conv1.weight"));
        (0..).take_while(in_stage).count()
    } else {
        1
    };
    let [classes, features] = shape_of(foreign, "embed.weight")?;
    let candidate = |resolution: usize| -> Option<(usize, DiscriminatorConfig)> {
        let architecture = if is_deep {
            Architecture::BigganDeep
        } else {
            Architecture::Biggan
        };
        let mut config = DiscriminatorConfig {
            architecture,
            depth: is_deep.then_some(depth),
            resolution,
            channels: 1,
            classes,
            attention: Vec::new(),
            attention_after_stages: (0..stages)
                .filter(|stage| foreign.has(&format!("blocks.{stage}.{depth}.gamma")))
                .map(|stage| stage + 1)
                .collect(),
            activated_shortcut: false, // its ReLU is not in place: layers.py:449, BigGANdeep.py:317
            spectral_norm: true,
            sn_eps: hints.sn_eps(),
        };
        let shapes = arch::discriminator_blocks(&config).ok()?;
        config.channels = features / shapes.last()?.channels[1];
        config.validate().ok()?;
        let network = NetworkShape::discriminator(&config).ok()?;
        let theirs = |ours: &str| {
            let (block, rest) = super::gather::block_path(ours)?;
            let (stage, inside) = (block / depth, block % depth);
            (!rest.starts_with("attention.")).then(|| format!("blocks.{stage}.{inside}.{rest}"))
        };
        (shapes.len() == stages * depth).then(|| (matches(foreign, &network, theirs), config))
    };
    let best = resolutions()
        .filter_map(candidate)
        .max_by_key(|(score, _)| *score);
    let (_, config) = best.ok_or_else(|| {
        Error::config("the discriminator")
            .found(format_args!(
                "of {stages} stages of {depth} blocks and {features} features"
            ))
            .expected(format_args!(
                "a BigGAN{} of the resolutions {RESOLUTIONS:?}",
                if is_deep { "-deep" } else { "" }
            ))
    })?;
    agree("resolution", &config.resolution, hints.resolution.as_ref())?;
    agree("D_ch", &config.channels, hints.D_ch.as_ref())?;
    agree("n_classes", &config.classes, hints.n_classes.as_ref())?;
    if is_deep {
        agree(
            "D_depth",
            &config.blocks_per_stage(),
            hints.D_depth.as_ref(),
        )?;
    }
    Ok(config)
}
