//! Weights of ajbrock/BigGAN-PyTorch (@9845943): BigGAN and BigGAN-deep, with or without shared
//! embedding and hierarchical z, with its three kinds of batch norm, G and D.
//!
//! Names: `BigGAN.py:140-200,340-372`, `BigGANdeep.py`, `layers.py:28-99,170-380`. Blocks are lists
//! there: `blocks.J.0` is block J and `blocks.J.1` its self-attention; the deep D counts by stages,
//! `blocks.I.k` with the attention last.

use std::collections::BTreeMap;

use super::foreign::Foreign;
use super::gather::{Dialect, Spectral, block_path, translate_parts};
use super::report::Fate;
use crate::arch;
use crate::config::{DiscriminatorConfig, GeneratorConfig};
use crate::error::{Error, Result};

/// Tensors of BigGAN-PyTorch that are not needed, by the end of their name, with the reason.
pub(super) const LEFT: &[(&str, &str)] = &[
    (".sv0", "the last spectral norm, kept for logs"),
    (
        ".accumulation_counter",
        "number of passes in standing statistics",
    ),
    (
        ".num_batches_tracked",
        "number of batches, which nothing depends on",
    ),
];

/// Reason for ignoring further singular values.
const FURTHER: &str = "a further singular value, which only logs show (num_G_SVs, num_D_SVs)";

/// Names of a generator or discriminator.
#[derive(Debug)]
pub(super) struct Names {
    blocks: Vec<String>,
    attention: Vec<String>,
    table: Vec<(&'static str, &'static str)>,
    spectral: Spectral,
    counters: BTreeMap<String, f32>,
}

impl Names {
    /// Of a generator.
    ///
    /// # Errors
    /// If its resolution has no table, or the batch norms hold sums of standing statistics that cannot
    /// be divided by their number of passes.
    pub fn generator(foreign: &mut Foreign<'_, '_>, config: &GeneratorConfig) -> Result<Self> {
        let blocks = arch::generator_blocks(config)?.len();
        // where a layer stores its statistics: BN of PyTorch, --mybn, --cross_replica
        let [stats, mean, variance] = if foreign.has("output_layer.0.bn.stored_mean") {
            ["bn", "stored_mean", "stored_var"]
        } else if foreign.has("output_layer.0.bn.running_mean") {
            ["bn", "running_mean", "running_var"]
        } else {
            ["", "stored_mean", "stored_var"]
        };
        let mut names = Self {
            blocks: (0..blocks)
                .map(|block| format!("blocks.{block}.0"))
                .collect(),
            attention: (0..blocks)
                .map(|block| format!("blocks.{block}.1"))
                .collect(),
            table: vec![
                ("output_bn", "output_layer.0"),
                ("output_conv", "output_layer.2"),
                ("stats", stats),
                ("mean", mean),
                ("variance", variance),
            ],
            spectral: spectral(foreign, config.sn_eps),
            counters: BTreeMap::new(),
        };
        names.counters = counters(foreign)?;
        leave_further_values(foreign);
        Ok(names)
    }

    /// Of a discriminator.
    ///
    /// # Errors
    /// If its resolution has no table.
    pub fn discriminator(
        foreign: &mut Foreign<'_, '_>,
        config: &DiscriminatorConfig,
    ) -> Result<Self> {
        let depth = config.blocks_per_stage();
        let blocks = 0..arch::discriminator_blocks(config)?.len();
        let place = |block: usize, further: usize| {
            format!("blocks.{}.{}", block / depth, block % depth + further)
        };
        leave_further_values(foreign);
        Ok(Self {
            blocks: blocks.clone().map(|block| place(block, 0)).collect(),
            attention: blocks.map(|block| place(block, 1)).collect(),
            table: Vec::new(),
            spectral: spectral(foreign, config.sn_eps),
            counters: BTreeMap::new(),
        })
    }

    /// Whether standing statistics were divided by the number of their passes.
    pub fn divides(&self) -> bool {
        !self.counters.is_empty()
    }
}

impl Dialect for Names {
    fn translate(&self, ours: &str) -> String {
        let Some((block, rest)) = block_path(ours) else {
            return translate_parts(ours, &self.table);
        };
        match rest.strip_prefix("attention.") {
            Some(rest) => format!("{}.{rest}", self.attention[block]),
            None => format!(
                "{}.{}",
                self.blocks[block],
                translate_parts(rest, &self.table)
            ),
        }
    }

    fn spectral(&self) -> Spectral {
        self.spectral
    }

    fn divisor(&self, layer: &str) -> f32 {
        let counter = format!("{}.bn.accumulation_counter", self.translate(layer));
        self.counters.get(&counter).copied().unwrap_or(1.0)
    }
}

fn spectral(foreign: &Foreign<'_, '_>, eps: f64) -> Spectral {
    if foreign.names().any(|name| name.ends_with(".u0")) {
        Spectral::PowerStep { eps }
    } else {
        Spectral::Absent // --G_param other than SN
    }
}

/// Number of passes in the sums of standing statistics, for the layers that hold such sums
/// (`layers.py:225-285`: with `--mybn` the stored values are sums after `accumulate_standing_stats`).
fn counters(foreign: &mut Foreign<'_, '_>) -> Result<BTreeMap<String, f32>> {
    let names: Vec<&str> = foreign
        .names()
        .filter(|name| name.ends_with(".accumulation_counter"))
        .collect();
    let mut counters = BTreeMap::new();
    for name in names {
        let fate = Fate::Left("number of passes in standing statistics");
        let count = foreign.take(name, &[1], fate)?[0];
        if count < 0.0 || count.fract() != 0.0 {
            return Err(Error::tensor(name)
                .found(count)
                .expected(
                    "a number of passes: weight averaging has mixed its sums with running \
                     statistics",
                )
                .remedy("take a G_ema that was saved before its first evaluation, or G"));
        }
        if count > 0.0 {
            counters.insert(name.to_owned(), count);
        }
    }
    Ok(counters)
}

/// Records `u1`, `sv1`, `u2`, .. as ignored.
fn leave_further_values(foreign: &mut Foreign<'_, '_>) {
    let further: Vec<&str> = foreign
        .names()
        .filter(|name| {
            let last = name.rsplit('.').next().unwrap_or_default();
            let digits = last.strip_prefix("sv").or_else(|| last.strip_prefix('u'));
            digits
                .and_then(|digits| digits.parse::<u8>().ok())
                .is_some_and(|number| number > 0)
        })
        .collect();
    for name in further {
        foreign.leave(name, FURTHER);
    }
}
