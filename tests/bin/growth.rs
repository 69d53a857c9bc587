//! How time and memory of a generator's pass grow with images, resolution and width, as two charts.
//!
//! ```text
//! growth DIR                                  writes time.svg, memory.svg and growth.json to DIR
//! growth RESOLUTION CHANNELS ATTENTION N      one point: multiply-adds, milliseconds and megabytes, in a process of its own
//! ```

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use biggan::config::Architecture;
use biggan::sampler::Sampler;
use biggan::shape::NetworkShape;
use biggan::truncation::{LatentDistribution, Truncation, TruncationKind};
use burn::tensor::{Device, Tensor};
use native_train::show::report::chart::{Chart, Line, PALETTE};
use pollster::block_on;
use serde::Serialize;

use random_model::{config, model};

#[path = "../support/random_model.rs"]
mod random_model;

/// Timed passes of a point, of which the median is taken; one more comes first.
const RUNS: usize = 7;

/// Resolution, width, resolution of the attention and images.
type Point = [usize; 4];

/// What grows, and the points.
const LINES: [(&str, &[Point]); 3] = [
    (
        "images, 1 to 32 (64 px, width 16)",
        &[
            [64, 16, 32, 1],
            [64, 16, 32, 2],
            [64, 16, 32, 4],
            [64, 16, 32, 8],
            [64, 16, 32, 16],
            [64, 16, 32, 32],
        ],
    ),
    (
        "pixels, 32 to 256 a side (width 16)",
        &[
            [32, 16, 16, 1],
            [64, 16, 32, 1],
            [128, 16, 64, 1],
            [256, 16, 64, 1],
        ],
    ),
    (
        "width, 8 to 128 (64 px)",
        &[
            [64, 8, 32, 1],
            [64, 16, 32, 1],
            [64, 32, 32, 1],
            [64, 64, 32, 1],
            [64, 96, 32, 1],
            [64, 128, 32, 1],
        ],
    ),
];

#[derive(Debug, Clone, Serialize)]
struct Measured {
    line: &'static str,
    point: Point,
    multiply_adds: f64,
    milliseconds: f64,
    megabytes: f64,
}

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [directory] => all(Path::new(directory)),
        [resolution, channels, attention, images] => {
            let [adds, time, memory] = point([
                resolution.parse()?,
                channels.parse()?,
                attention.parse()?,
                images.parse()?,
            ])?;
            println!("{adds} {time} {memory}");
            Ok(())
        }
        _ => Err("usage: growth DIR, or growth RESOLUTION CHANNELS ATTENTION N".into()),
    }
}

fn all(directory: &Path) -> Outcome {
    fs::create_dir_all(directory)?;
    let mut found = Vec::new();
    println!(
        "| what grows | px, width, images | multiply-adds | ms | ns a thousand | MB |\n|---|---|---|---|---|---|"
    );
    for (line, points) in LINES {
        for &point in points {
            let mut alone = Command::new(env::current_exe()?);
            alone.args(point.map(|size| size.to_string()));
            let output = alone.output()?;
            let text = String::from_utf8(output.stdout)?;
            let numbers: Vec<f64> = text
                .split_whitespace()
                .map(str::parse)
                .collect::<Result<_, _>>()?;
            let [multiply_adds, milliseconds, megabytes] = numbers[..] else {
                return Err(format!("{point:?} gave {text:?}").into());
            };
            let [resolution, channels, _, images] = point;
            println!(
                "| {line} | {resolution}, {channels}, {images} | {multiply_adds:.2e} | {milliseconds:.2} | {:.1} | {megabytes:.0} |",
                1e9 * milliseconds / multiply_adds
            );
            found.push(Measured {
                line,
                point,
                multiply_adds,
                milliseconds,
                megabytes,
            });
        }
    }
    let chart = |title: &str, unit: &str, value: fn(&Measured) -> f64| {
        let lines = LINES.iter().zip(PALETTE).map(|((name, _), color)| Line {
            name: (*name).to_owned(),
            color,
            points: found
                .iter()
                .filter(|measured| measured.line == *name)
                .map(|measured| (measured.multiply_adds.log2(), value(measured)))
                .collect(),
        });
        let chart = Chart {
            across: "log2 of the multiply-adds",
            title: title.to_owned(),
            unit: unit.to_owned(),
            logarithmic: true,
            at_least: Vec::new(),
            lines: lines.collect(),
        };
        chart.svg()
    };
    let time = chart("time of a pass", "ms", |m| m.milliseconds)?;
    let memory = chart("most memory of a pass", "MB", |m| m.megabytes)?;
    fs::write(directory.join("time.svg"), standing_alone(&time))?;
    fs::write(directory.join("memory.svg"), standing_alone(&memory))?;
    fs::write(
        directory.join("growth.json"),
        serde_json::to_string_pretty(&found)? + "\n",
    )?;
    Ok(())
}

/// A chart of a page as a file that is shown alone, on white.
fn standing_alone(svg: &str) -> String {
    let named = "<svg xmlns=\"http://www.w3.org/2000/svg\" style=\"background:white;color:black\"";
    let inside = svg.strip_prefix("<svg").unwrap_or(svg);
    let inside = inside.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
    format!("{named}{inside}")
}

/// Multiply-adds of the reference's formulas, milliseconds and megabytes.
fn point([resolution, channels, attention, images]: Point) -> Outcome<[f64; 3]> {
    let architecture = Architecture::Biggan;
    let config = config(architecture, resolution, channels, &[attention]);
    let adds = NetworkShape::generator(&config)?.multiply_adds() as f64 * images as f64;
    let device = Device::flex();
    let before = status("VmRSS:");
    let sampler = Sampler::new(model(&config, 7), &device)?;
    let distribution =
        LatentDistribution::new(config.latent, TruncationKind::default(), Truncation::Off)?;
    let z = sampler.latents(7, 0, images, distribution);
    let latents = biggan::latent::Latents {
        z: Tensor::<1>::from_floats(z.as_slice(), &device).reshape([images, config.z_dim]),
        class_weights: biggan::latent::one_hot(&vec![0; images], config.classes, &device),
    };
    let mut times = Vec::new();
    for _ in 0..=RUNS {
        let start = Instant::now();
        block_on(sampler.generate(latents.clone(), Truncation::Off))?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let mut times = times.split_off(1);
    times.sort_by(f64::total_cmp);
    Ok([adds, times[RUNS / 2], status("VmHWM:") - before])
}

/// A line of the system's account of this process, in megabytes; 0 where there is none.
fn status(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0 / 1e6
}
