//! `--dry-run`: a plan's memory and time on this machine, measured in a few rounds on synthetic images.
//!
//! The whole batch is measured if memory and time allow, otherwise a part of it, scaled
//! linearly. If that may be too much, narrower networks are measured first. If the device turns
//! out to be too slow for the plan's own networks, that time is scaled by multiply-adds.

use std::time::Instant;

use anyhow::{Error, Result};
use biggan::shape::Cost;
use biggan::train::{Gradients, Noise, Ranks, TrainConfig, TrainState, Which, round};
use burn::tensor::Device;
use pollster::block_on;

use crate::device::DeviceName;
use crate::memory::Memory;
use crate::recipe::plan::Plan;
use crate::show::summary;

/// Timed rounds, after one to warm up.
const ROUNDS: usize = 2;
/// Longest time of a round at the measured batch, estimated from the smallest batch.
const ROUND_SECS: f64 = 3.0;
/// Multiply-adds of a round of the smallest batch that any device does in about a second: those of
/// a stand-in.
const STAND_IN_MULTIPLY_ADDS: u64 = 20_000_000_000;
/// Share of free memory that a measurement may use.
const MEMORY_SHARE: f64 = 0.6;
/// Free memory if the system does not report it.
const ASSUMED_FREE_BYTES: u64 = 4 << 30;
/// Lower bound of measured against estimated feature maps: measurements of tiny networks are unreliable.
const LEAST_KEPT: f64 = 0.5;

/// The measurement of some rounds.
#[derive(Debug, Clone, Copy)]
struct Measured {
    /// Images of a batch.
    batch: usize,
    secs_a_round: f64,
    /// Peak memory of the process, if the system reports it.
    peak_bytes: Option<u64>,
}

impl Measured {
    fn secs_an_image(self) -> f64 {
        self.secs_a_round / self.batch as f64
    }
}

/// Measures and prints what the plan takes.
///
/// # Errors
/// If the device fails or a loss is not finite.
pub fn estimate(plan: &Plan, name: DeviceName, device: &Device) -> Result<String> {
    let config = plan.train();
    let free = available_bytes().unwrap_or(ASSUMED_FREE_BYTES);
    let least = smallest_batch(config);
    let smallest = |config: &TrainConfig| of_batch(config, least).cost();
    let cost = smallest(config)?;
    let quick = |cost: Cost| least as u64 * cost.multiply_adds <= STAND_IN_MULTIPLY_ADDS;
    let mut built = config.clone();
    let mut built_cost = cost;
    while !(fits(built_cost, free) && quick(built_cost)) && narrow(&mut built) {
        built_cost = smallest(&built)?;
    }
    let program = Memory::now().map_or(0, |memory| memory.resident_bytes) as f64;
    let mut measured = measure(&built, free, device)?;
    let expected = measured.secs_an_image() * least as f64 * times(cost, built_cost);
    if built != *config && fits(cost, free) && expected <= ROUND_SECS {
        (built, built_cost) = (config.clone(), cost);
        measured = measure(&built, free, device)?;
    }
    let batch = config.batch_size;

    let mut text = String::new();
    let mut row = |name: &str, value: String| summary::row(&mut text, name, &value);
    let mut how = format!(
        "{ROUNDS} rounds of {} synthetic images, {:.3} s each",
        measured.batch, measured.secs_a_round
    );
    if measured.batch < batch {
        how += &format!("; scaled linearly to the batch of {batch}");
    }
    if built != *config {
        how += &format!(
            "; with networks of width {} and {}, since those of the plan are too large to measure here; \
             scaled by multiply-adds",
            built.generator.channels, built.discriminator.channels
        );
    }
    row("measured", how);

    let exact = built == *config && measured.batch == batch;
    // GPU memory is not part of the process's
    let peak_bytes = measured.peak_bytes.filter(|_| name == DeviceName::Cpu);
    let whole = config.cost()?;
    let needed = match peak_bytes {
        Some(peak) if exact => peak as f64,
        Some(peak) => {
            // the measured part corrects the estimate of the feature maps
            let part = of_batch(&built, measured.batch).cost()?;
            let maps = peak as f64 - program - part.state_bytes as f64;
            let kept = (maps / part.map_bytes as f64).max(LEAST_KEPT);
            program + whole.weight_bytes as f64 + kept * whole.map_bytes as f64
        }
        None => program + whole.peak_bytes() as f64,
    };
    let mut memory = format!("{} at most", bytes(needed));
    memory += match peak_bytes {
        Some(_) if exact => ", measured",
        Some(_) => ", estimated",
        None => ", estimated from the feature maps",
    };
    if name == DeviceName::Cpu {
        memory += &format!("; {} are free here", bytes(free as f64));
        if needed > free as f64 {
            memory +=
                ": it will not fit; lower train.batch_size, or set train.techniques.micro_batch";
        }
    } else {
        memory += "; compare it with the GPU's, which this program is not told";
    }
    row("memory", memory);

    let secs = measured.secs_an_image() * batch as f64 * times(cost, built_cost);
    let images_per_sec = (batch * config.d_steps) as f64 / secs;
    let digits = if images_per_sec < 1.0 { 4 } else { 1 };
    let speed = format!("{images_per_sec:.digits$} images/s seen by D");
    row("speed", speed);
    let total = plan.run().images as f64 / images_per_sec;
    row(
        "time",
        format!("{} for {} images", duration(total), plan.run().images),
    );
    for remark in config.remarks() {
        row("note", remark);
    }
    Ok(text)
}

/// Whether training leaves enough of the free memory.
fn fits(cost: Cost, free: u64) -> bool {
    (cost.peak_bytes() as f64) < MEMORY_SHARE * free as f64
}

/// Ratio of the arithmetic of two costs.
fn times(cost: Cost, other: Cost) -> f64 {
    cost.multiply_adds as f64 / other.multiply_adds as f64
}

/// Halves the widths; false where they are 1.
fn narrow(config: &mut TrainConfig) -> bool {
    let widths = [
        &mut config.generator.channels,
        &mut config.discriminator.channels,
    ];
    let mut narrower = false;
    for width in widths {
        narrower |= *width > 1;
        *width = (*width / 2).max(1);
    }
    narrower
}

/// Images of the smallest batch that is measured: batch norm needs two, and each of D's steps one.
fn smallest_batch(config: &TrainConfig) -> usize {
    config.d_steps.max(2)
}

/// Measures the largest batch, up to the plan's, that time and memory allow.
fn measure(config: &TrainConfig, free: u64, device: &Device) -> Result<Measured> {
    let least = smallest_batch(config);
    let smallest = rounds(&of_batch(config, least), ROUNDS, device)?;
    let mut batch = config.batch_size;
    let secs = |batch: usize| smallest.secs_a_round * batch as f64 / least as f64;
    while batch > least
        && !(fits(of_batch(config, batch).cost()?, free) && secs(batch) <= ROUND_SECS)
    {
        batch = (batch / 2).max(least);
    }
    if batch == least {
        return Ok(smallest);
    }
    rounds(&of_batch(config, batch), ROUNDS, device)
}

/// The configuration with a smaller batch, in one part if its parts do not divide it.
fn of_batch(config: &TrainConfig, batch: usize) -> TrainConfig {
    let mut config = config.clone();
    config.batch_size = batch;
    let part = &mut config.techniques.micro_batch;
    *part = part.filter(|&part| part <= batch && batch.is_multiple_of(part));
    config
}

/// One round to warm up, then timed ones.
fn rounds(config: &TrainConfig, timed: usize, device: &Device) -> Result<Measured> {
    let ranks = Ranks::single();
    let mut state = noise_round(TrainState::new(config, device)?, config, &ranks, device)?;
    let started = Instant::now();
    for _ in 0..timed {
        state = noise_round(state, config, &ranks, device)?;
    }
    Ok(Measured {
        batch: config.batch_size,
        secs_a_round: started.elapsed().as_secs_f64() / timed as f64,
        peak_bytes: Memory::now().map(|memory| memory.peak_bytes),
    })
}

/// A round on noise.
///
/// # Errors
/// If the device fails.
pub(crate) fn noise_round(
    state: TrainState,
    config: &TrainConfig,
    ranks: &Ranks,
    device: &Device,
) -> Result<TrainState> {
    let mut noise = Noise::new(config);
    let (which, gradients) = (Which::Both, Gradients::Dropped);
    let round = round::<Error>(state, config, ranks, &mut noise, which, gradients, device);
    Ok(block_on(round)?.0)
}

/// Memory available to a new process; `None` on systems without `/proc`.
fn available_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

fn bytes(value: f64) -> String {
    let mib = value / f64::from(1 << 20);
    if mib < 1024.0 {
        format!("{mib:.0} MiB")
    } else {
        format!("{:.1} GiB", mib / 1024.0)
    }
}

fn duration(secs: f64) -> String {
    for (unit, secs_each) in [
        ("years", 31_557_600.0),
        ("days", 86_400.0),
        ("hours", 3600.0),
    ] {
        if secs >= 1.5 * secs_each {
            return format!("{:.1} {unit}", secs / secs_each);
        }
    }
    format!("{:.1} minutes", secs / 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(settings: &[&str]) -> Plan {
        let settings: Vec<String> = settings.iter().map(|&s| s.to_owned()).collect();
        Plan::parse(
            include_str!("../../../../configs/fashion32.toml"),
            &settings,
        )
        .unwrap()
    }

    /// By the table of `inspect`: G 57.94 M and D 38.67 M multiply-adds an image.
    #[test]
    fn a_round_costs_what_its_passes_cost() {
        let cost = plan(&[]).train().cost().unwrap();
        let by_hand = 2.0 * (57.94 + 6.0 * 38.67) + 3.0 * (57.94 + 38.67);
        assert!((cost.multiply_adds as f64 / 1e6 - by_hand).abs() < 0.1);
        assert_eq!([cost.parameters_g, cost.parameters_d], [235_811, 149_905]);
    }

    #[test]
    fn batches_shrink_with_their_parts() {
        let config = plan(&["train.batch_size=64", "train.techniques.micro_batch=16"]);
        let parts = |batch| of_batch(config.train(), batch).techniques.micro_batch;
        assert_eq!([parts(32), parts(24), parts(8)], [Some(16), None, None]);
    }

    #[test]
    fn a_smaller_batch_where_memory_is_short() {
        let plan = plan(&[
            "train.generator.channels=2",
            "train.discriminator.channels=2",
        ]);
        let twelve = of_batch(plan.train(), 12).cost().unwrap();
        let free = (twelve.peak_bytes() as f64 / MEMORY_SHARE) as u64;
        let measured = measure(plan.train(), free, &Device::flex()).unwrap();
        assert_eq!(measured.batch, 8);
        assert!(measured.secs_a_round > 0.0);
    }

    #[test]
    fn a_plan_of_many_discriminator_steps_is_measured() {
        let plan = plan(&[
            "train.d_steps=4",
            "train.generator.channels=2",
            "train.discriminator.channels=2",
        ]);
        assert_eq!(smallest_batch(plan.train()), 4);
        let measured = measure(plan.train(), 0, &Device::flex()).unwrap();
        assert_eq!(measured.batch, 4);
    }

    #[test]
    fn numbers_have_units() {
        assert_eq!(bytes(3.5 * f64::from(1 << 20)), "4 MiB");
        assert_eq!(bytes(3.5 * f64::from(1 << 30)), "3.5 GiB");
        assert_eq!(duration(90.0), "1.5 minutes");
        assert_eq!(duration(3.0 * 86_400.0), "3.0 days");
        assert_eq!(duration(7.0e8), "22.2 years");
    }
}
