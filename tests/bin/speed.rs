//! Our side of `cargo xtask bench`: it computes when it is told to, and says how long it took.
//!
//! ```text
//! speed make ARCHITECTURE RESOLUTION CHANNELS ATTENTION DIR     model.safetensors, model.onnx, latents-1, latents-16
//! speed forward MODEL LATENTS IMAGES                            plays a generator's pass
//! speed train CONFIG                                            plays a round of training
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

use biggan::config::Architecture;
use biggan::file::{Dtype, ModelFile, decode, encode};
use biggan::latent::Latents;
use biggan::named::{HostTensor, HostTensors};
use biggan::onnx;
use biggan::sampler::Sampler;
use biggan::train::{Gradients, Noise, Ranks, TrainConfig, TrainState, Which, round};
use biggan::truncation::Truncation;
use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;

use random_model::{config, model, normals};

#[path = "../support/random_model.rs"]
mod random_model;

/// Seed of all models.
const SEED: u64 = 7;
/// Images of a pass.
const BATCHES: [usize; 2] = [1, 16];
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
        ["make", architecture, resolution, channels, attention, dir] => {
            let architecture = serde_json::from_value(architecture.into())?;
            let attention: usize = attention.parse()?;
            let attention = (attention > 0).then_some(attention);
            let size = [resolution.parse()?, channels.parse()?];
            make(architecture, size, attention.as_slice(), Path::new(dir))
        }
        ["forward", model, latents, images] => forward(model, latents, images),
        ["train", config] => train(config),
        _ => Err("usage: speed make|forward|train ...".into()),
    }
}

fn make(
    architecture: Architecture,
    [resolution, channels]: [usize; 2],
    attention: &[usize],
    dir: &Path,
) -> Outcome {
    let config = config(architecture, resolution, channels, attention);
    let mut file = model(&config, SEED);
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
    for batch in BATCHES {
        let tensor = |values, length| HostTensor {
            shape: vec![batch, length],
            values,
        };
        let z = tensor(normals(SEED, batch * config.z_dim), config.z_dim);
        let mut classes = tensor(vec![0.0; batch * config.classes], config.classes);
        for row in 0..batch {
            classes.values[row * config.classes + row % config.classes] = 1.0;
        }
        let latents = [("z", z), ("class_weights", classes)];
        let latents = HostTensors(latents.map(|(name, t)| (name.to_owned(), t)).into());
        let bytes = encode(&latents, &BTreeMap::new(), Dtype::F32)?;
        fs::write(dir.join(format!("latents-{batch}")), bytes)?;
    }
    Ok(())
}

fn forward(model: &str, latents: &str, images: &str) -> Outcome {
    let before = Memory::now();
    let device = Device::flex();
    let sampler = Sampler::new(ModelFile::decode(&fs::read(model)?)?, &device)?;
    let mut latents = decode(&fs::read(latents)?)?.tensors;
    let mut take = |name: &str| -> Outcome<Tensor<2>> {
        let tensor = latents.0.remove(name).ok_or("a tensor is missing")?;
        let data = TensorData::new(tensor.values, tensor.shape);
        Ok(Tensor::from_data(data, &device))
    };
    let [z, class_weights] = [take("z")?, take("class_weights")?];
    let draw = || {
        let latents = Latents {
            z: z.clone(),
            class_weights: class_weights.clone(),
        };
        block_on(sampler.generate(latents, Truncation::Off))
    };
    let drawn = draw()?;
    let side = drawn.side;
    let image = HostTensor {
        shape: vec![z.dims()[0], 3, side, side],
        values: drawn.images_pm1,
    };
    let tensors = HostTensors([("image".to_owned(), image)].into());
    let bytes = encode(&tensors, &BTreeMap::new(), Dtype::F32)?;
    fs::write(images, bytes)?;
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
