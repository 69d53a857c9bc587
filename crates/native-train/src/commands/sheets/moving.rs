//! `native-train sheet MODEL --kind loop`: pictures that go from sample to sample and back to the first.

use anyhow::Result;
use biggan::image::{Sheet, to_rgba};
use biggan::request::{self, Picture, Way};
use biggan::sampler::{MAX_SAMPLES, Sampler};
use pollster::block_on;

use super::refuse_unused;
use crate::args::SheetArgs;
use crate::device;
use crate::error::{Outcome, bad_usage};
use crate::files::{class_choice, model_files};
use crate::show::moving::{Format, Moving};
use crate::terminal::Bar;

/// Frames of a loop, frames a second, and samples on the way, by default.
const FRAMES: u32 = 120;
const PER_SECOND: u32 = 20;
const KEYS: usize = 4;
/// Most of each: beyond them a mistake is likelier than a wish.
const MOST_FRAMES: u32 = 10_000;
const MOST_PER_SECOND: u32 = 240;
const MOST_KEYS: usize = 1000;
/// Most pictures of a frame by default.
const TILES: usize = 16;
/// Pictures that are computed at once.
const AT_ONCE: usize = 64;

/// Runs the command.
///
/// # Errors
/// If the model cannot be read, the request does not suit it, or the file cannot be written.
pub fn run(args: &SheetArgs) -> Result<Outcome> {
    let format = Format::of(&args.out)?;
    refuse_unused(args)?;
    let frames = within("--frames", args.frames.unwrap_or(FRAMES), 2, MOST_FRAMES)?;
    let per_second = within("--fps", args.fps.unwrap_or(PER_SECOND), 1, MOST_PER_SECOND)?;
    let keys = within("--keys", args.keys.unwrap_or(KEYS), 2, MOST_KEYS)?;
    format.check_rate(per_second)?;
    let device = device::open(args.device.name)?;
    let sampler = model_files::load(&args.model, &device)?;
    let distribution = sampler
        .distribution(args.truncation)
        .map_err(|error| bad_usage(error.to_string()))?;
    let tiles = Tiles::new(args, &sampler, keys)?;

    let config = &sampler.info().generator;
    let side = config.resolution;
    let size = tiles.size(side);
    let mut moving = Moving::new(&args.out, size, frames, per_second)?;
    let bar = Bar::new(frames as usize, "frame {pos} of {len} {bar:30} {eta} left");
    let at_once = (AT_ONCE / tiles.count()).max(1);
    let all: Vec<u32> = (0..frames).collect();
    for some in all.chunks(at_once) {
        let pictures: Vec<Picture> = some
            .iter()
            .flat_map(|&frame| tiles.at(f64::from(frame) / f64::from(frames)))
            .collect();
        let latents = request::latents(&pictures, config, distribution, &device)?;
        let images = block_on(sampler.generate(latents, distribution.truncation()))?.images_pm1;
        for frame in to_rgba(&images, side)?.chunks(tiles.count()) {
            moving.push(&tiles.laid_out(frame, side))?;
            bar.inc(1);
        }
    }
    moving.finish()?;
    bar.finish();
    let seconds = f64::from(frames) / f64::from(per_second);
    note!(
        "{}: {frames} frames of {}x{}, {seconds:.1} seconds",
        args.out.display(),
        size[0],
        size[1]
    );
    if format == Format::Frames {
        let folder = args.out.display();
        note!(
            "a video of them: ffmpeg -framerate {per_second} -i {folder}/%06d.png -pix_fmt yuv420p {folder}.mp4"
        );
    }
    Ok(Outcome::Done)
}

fn within<T: PartialOrd + Copy + std::fmt::Display>(
    option: &str,
    value: T,
    least: T,
    most: T,
) -> Result<T> {
    match (least..=most).contains(&value) {
        true => Ok(value),
        false => Err(bad_usage(format!(
            "{option} {value}: give {least} to {most}"
        ))),
    }
}

/// The pictures of a frame, each with a way of its own.
struct Tiles {
    classes: Vec<usize>,
    rows: usize,
    columns: usize,
    keys: usize,
    seed: u64,
}

impl Tiles {
    fn new(args: &SheetArgs, sampler: &Sampler, keys: usize) -> Result<Self> {
        let classes = match &args.class[..] {
            [] => (0..sampler.info().generator.classes).collect(),
            typed => class_choice::classes(sampler.info(), typed)?,
        };
        let wanted = classes.len().min(TILES);
        let columns = args
            .columns
            .unwrap_or_else(|| (1..).find(|side| side * side >= wanted).unwrap_or(1));
        let rows = args.rows.unwrap_or_else(|| wanted.div_ceil(columns.max(1)));
        if rows == 0 || columns == 0 || rows.saturating_mul(columns) > MAX_SAMPLES {
            return Err(bad_usage(format!(
                "--rows {rows} with --columns {columns}: give one or more of each, and at most {MAX_SAMPLES} pictures"
            )));
        }
        Ok(Self {
            classes,
            rows,
            columns,
            keys,
            seed: args.seed,
        })
    }

    fn count(&self) -> usize {
        self.rows * self.columns
    }

    /// Width and height of a frame: of one picture its own, without margins.
    fn size(&self, side: usize) -> [usize; 2] {
        match self.count() {
            1 => [side, side],
            count => Sheet::size(count, side, self.columns),
        }
    }

    fn laid_out(&self, pictures: &[Vec<u8>], side: usize) -> Sheet {
        match pictures {
            [one] => Sheet {
                width: side,
                height: side,
                rgba: one.clone(),
            },
            all => Sheet::new(all, side, self.columns),
        }
    }

    /// The pictures at a time, 0 to 1 for one way round. Between two samples z goes on the sphere, as on the page.
    fn at(&self, time: f64) -> Vec<Picture> {
        let place = time * self.keys as f64;
        let key = (place as usize).min(self.keys - 1);
        (0..self.count())
            .map(|tile| {
                let class = self.classes[tile % self.classes.len()];
                let sample = |key: usize| {
                    Picture::sample(
                        class,
                        self.seed,
                        (tile * self.keys + key % self.keys) as u64,
                    )
                };
                Picture {
                    from: sample(key).from,
                    to: Some(Way {
                        point: sample(key + 1).from,
                        at: place - key as f64,
                    }),
                }
            })
            .collect()
    }
}
