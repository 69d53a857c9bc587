//! Our side of `cargo xtask bench`: it computes when it is told to, and says how long it took.
//!
//! ```text
//! speed make ARCHITECTURE RESOLUTION CHANNELS ATTENTION DIR N..   model.safetensors, model.onnx, latents-N of N images
//! speed forward MODEL LATENTS IMAGES                              plays a generator's pass
//! speed train CONFIG                                              plays a round of training
//! ```
//!
//! A player writes `ready`, then a line of milliseconds a run for each line `go`, and for `memory` the most megabytes that
//! it held above what it held before it began. ATTENTION is a resolution or 0.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, stdin};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use biggan::config::GeneratorConfig;
use biggan::file::{Dtype, OpenModel, encode};
use biggan::latent::{LatentKey, one_hot_values};
use biggan::named::{HostTensor, HostTensors};
use biggan::onnx;
use biggan::random::Stream;
use biggan::sampler::Sampler;
use biggan::train::{Gradients, Noise, Ranks, TrainConfig, TrainState, Which, round};
use biggan::truncation::{LatentDistribution, Truncation, TruncationKind};
use burn::tensor::Device;
use native_train::files::latents_file::read_latents;
use pollster::block_on;

use random_model::{config, model};

#[path = "../support/random_model.rs"]
mod random_model;

/// Seed of all models.
const SEED: u64 = 7;
/// A trained network's conditional gains and biases vary less than the condition, and its images are not saturated:
/// either would make much of the rounding in which two programs differ.
const SCALES: [(&str, f32); 3] = [
    ("gain.weight", 0.3),
    ("bias.weight", 0.3),
    ("output_conv.weight", 0.4),
];

/// A run that takes less only wakes caches and threads up, and is followed by those that count.
const LONG: Duration = Duration::from_millis(500);
/// How long these take together at least.
const TURN: Duration = Duration::from_millis(150);

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [
            "make",
            architecture,
            resolution,
            channels,
            attention,
            dir,
            ref batches @ ..,
        ] => {
            let architecture = serde_json::from_value(architecture.into())?;
            let attention: usize = attention.parse()?;
            let attention = (attention > 0).then_some(attention);
            let size = [resolution.parse()?, channels.parse()?];
            let config = config(architecture, size[0], size[1], attention.as_slice());
            let batches = batches.iter().map(|batch| batch.parse());
            make(
                &config,
                Path::new(dir),
                &batches.collect::<Result<Vec<_>, _>>()?,
            )
        }
        ["forward", model, latents, images] => forward(model, latents, images),
        ["train", config] => train(config),
        _ => Err("usage: speed make|forward|train ...".into()),
    }
}

fn make(config: &GeneratorConfig, dir: &Path, batches: &[usize]) -> Outcome {
    let mut file = model(config, SEED);
    for (name, tensor) in &mut file.tensors.0 {
        if let Some((_, scale)) = SCALES.iter().find(|(end, _)| name.ends_with(end)) {
            tensor.values.iter_mut().for_each(|value| *value *= scale);
        }
    }
    fs::write(dir.join("model.safetensors"), file.encode(Dtype::F32)?)?;
    fs::write(
        dir.join("model.onnx"),
        onnx::encode(&file, Truncation::Off)?,
    )?;
    for &batch in batches {
        let tensor = |values, length| HostTensor {
            shape: vec![batch, length],
            values,
        };
        // those of a request, which the browser's package draws itself
        let key = LatentKey {
            seed: SEED,
            stream: Stream::Sample,
            step: 0,
            first: 0,
        };
        let distribution =
            LatentDistribution::new(config.latent, TruncationKind::default(), Truncation::Off)?;
        let z = key.z(batch, config.z_dim, distribution);
        let labels: Vec<usize> = (0..batch).map(|row| row % config.classes).collect();
        let classes = one_hot_values(&labels, config.classes);
        let latents = [
            ("z", tensor(z, config.z_dim)),
            ("class_vector", tensor(classes, config.classes)),
        ];
        write(&dir.join(format!("latents-{batch}")), latents)?;
    }
    Ok(())
}

fn write<const N: usize>(path: &Path, tensors: [(&str, HostTensor); N]) -> Outcome {
    let tensors = HostTensors(tensors.map(|(name, t)| (name.to_owned(), t)).into());
    fs::write(path, encode(&tensors, &BTreeMap::new(), Dtype::F32)?)?;
    Ok(())
}

fn forward(model: &str, latents: &str, images: &str) -> Outcome {
    let before = Memory::now();
    let device = Device::flex();
    let sampler = Sampler::open(OpenModel::file(&fs::read(model)?)?, &device)?;
    let latents = read_latents(&fs::read(latents)?, &sampler.info().generator, &device)?;
    let draw = || block_on(sampler.generate(latents.clone(), Truncation::Off));
    let drawn = draw()?;
    let image = HostTensor {
        shape: vec![latents.count(), 3, drawn.side, drawn.side],
        values: drawn.images_pm1,
    };
    write(Path::new(images), [("image", image)])?;
    play(before, || {
        draw()?;
        Ok(())
    })
}

fn train(config: &str) -> Outcome {
    let before = Memory::now();
    let config: TrainConfig = serde_json::from_slice(&fs::read(config)?)?;
    config.validate()?;
    let device = Device::flex();
    let mut noise = Noise::new(&config);
    let mut state = Some(TrainState::new(&config, &device)?);
    let mut step = || -> Outcome {
        let before = state.take().ok_or("a round failed")?;
        let ranks = Ranks::single();
        let both = (Which::Both, Gradients::Dropped);
        let round =
            round::<biggan::Error>(before, &config, &ranks, &mut noise, both.0, both.1, &device);
        let (after, report) = block_on(round)?;
        report.check_finite()?;
        state = Some(after);
        Ok(())
    };
    step()?;
    play(before, step)
}

/// Answers the lines on standard input.
fn play(before: Memory, mut work: impl FnMut() -> Outcome) -> Outcome {
    println!("ready");
    for line in stdin().lock().lines() {
        match &*line? {
            "go" => {
                let mut timed = || -> Outcome<Duration> {
                    let start = Instant::now();
                    work()?;
                    Ok(start.elapsed())
                };
                let mut times = vec![timed()?];
                if times[0] < LONG {
                    times.clear();
                    while times.iter().sum::<Duration>() < TURN {
                        times.push(timed()?);
                    }
                }
                let mean = times.iter().sum::<Duration>() / times.len() as u32;
                println!("{}", mean.as_secs_f64() * 1e3);
            }
            "memory" => println!("{}", before.most_since()),
            other => return Err(format!("{other:?} is none of go, memory").into()),
        }
    }
    Ok(())
}

/// Memory of this process before it began.
struct Memory {
    megabytes: f64,
}

impl Memory {
    fn now() -> Self {
        Self {
            megabytes: status("VmRSS:"),
        }
    }

    fn most_since(&self) -> f64 {
        status("VmHWM:") - self.megabytes
    }
}

/// A line of the system's account of this process, in megabytes; 0 where there is none.
fn status(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0 / 1e6
}
