//! `native-train sheet MODEL --kind ...`: pictures for judging a generator, as in the paper:
//! interpolations, truncations, nearest training images; and loops, which move.

mod moving;

use anyhow::{Result, ensure};
use biggan::collective::Group;
use biggan::image::{Sheet, to_rgba};
use biggan::latent::{Latents, one_hot_values};
use biggan::metrics::squared_distance;
use biggan::sampler::{MAX_SAMPLES, Sampler};
use biggan::truncation::{LatentDistribution, Truncation};
use burn::tensor::Device;
use pollster::block_on;

use crate::args::{SheetArgs, SheetKind};
use crate::device;
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};
use crate::evaluation::PAPER;
use crate::evaluation::own_data::training_set;
use crate::evaluation::{features, networks};
use crate::files::{class_choice, model_files};
use crate::run::atomic_file;
use crate::show::sheet;

/// Most rows by default.
const ROWS: usize = 10;
/// Pictures a row by default.
const COLUMNS: usize = 9;

/// Runs the command.
///
/// # Errors
/// If the model cannot be read, the request does not suit it, or the file cannot be written.
pub fn run(args: &SheetArgs, environment: &Environment) -> Result<Outcome> {
    if args.kind == SheetKind::Loop {
        return moving::run(args);
    }
    sheet::check_name(&args.out)?;
    let device = device::open(args.device.name)?;
    let sampler = model_files::load(&args.model, &device)?;
    let asked = Asked::new(args, &sampler, &device)?;
    let (images, columns) = match args.kind {
        SheetKind::InterpolationZ => (asked.interpolation_z()?, asked.columns),
        SheetKind::InterpolationY => (asked.interpolation_y()?, asked.columns),
        SheetKind::Truncation => (asked.truncation()?, asked.columns),
        SheetKind::ByClass => (asked.by_class()?, asked.columns),
        // the sample, a gap, and its neighbours
        SheetKind::Neighbours => (asked.neighbours(args, environment)?, asked.columns + 1),
        SheetKind::Loop => unreachable!("a loop is no sheet"),
    };
    let side = sampler.info().generator.resolution;
    let png = sheet::to_png(&Sheet::new(&images, side, columns))?;
    atomic_file::write(&args.out, &png)?;
    Ok(Outcome::Done)
}

/// The request, checked against the model.
struct Asked<'a> {
    sampler: &'a Sampler,
    device: &'a Device,
    distribution: LatentDistribution,
    classes: Vec<usize>,
    rows: usize,
    columns: usize,
    seed: u64,
}

/// Refuses options of another kind of sheet, which would change nothing.
fn refuse_unused(args: &SheetArgs) -> Result<()> {
    let of_loops = [
        ("--frames", args.frames.is_some()),
        ("--fps", args.fps.is_some()),
        ("--keys", args.keys.is_some()),
    ];
    if let Some((option, _)) = of_loops
        .into_iter()
        .find(|(_, given)| *given && args.kind != SheetKind::Loop)
    {
        return Err(bad_usage(format!(
            "{option} belongs to --kind loop; leave it out"
        )));
    }
    let network = &args.network;
    let of_network = [
        ("--classifier", network.classifier.is_some()),
        ("--features", network.features.is_some()),
    ];
    let of_network = of_network
        .into_iter()
        .filter_map(|(option, typed)| typed.then_some(option));
    let first = of_network.chain(args.real.typed()).next();
    if let (Some(option), false) = (first, args.kind == SheetKind::Neighbours) {
        return Err(bad_usage(format!(
            "{option} belongs to --kind neighbours; leave it out"
        )));
    }
    if args.kind == SheetKind::Truncation && args.truncation != Truncation::Off {
        return Err(bad_usage(
            "--truncation does not go with --kind truncation, which has a row a threshold; leave it out",
        ));
    }
    Ok(())
}

/// z and class weights of a picture.
type Row = (Vec<f32>, Vec<f32>);

impl<'a> Asked<'a> {
    fn new(args: &SheetArgs, sampler: &'a Sampler, device: &'a Device) -> Result<Self> {
        let usage = |error: biggan::Error| bad_usage(error.to_string());
        let classes = match &args.class[..] {
            [] => (0..sampler.info().generator.classes).collect(),
            typed => class_choice::classes(sampler.info(), typed)?,
        };
        let rows = match (args.rows, args.kind) {
            (Some(_), SheetKind::Truncation) => {
                return Err(bad_usage(
                    "--rows does not go with truncation: it has a row a threshold",
                ));
            }
            (Some(rows), _) => rows,
            (None, _) => classes.len().clamp(2, ROWS),
        };
        refuse_unused(args)?;
        let columns = args.columns.unwrap_or(COLUMNS);
        let total = rows.saturating_mul(columns);
        let at_least = match args.kind {
            SheetKind::InterpolationZ | SheetKind::InterpolationY | SheetKind::Neighbours => 2,
            SheetKind::Truncation | SheetKind::ByClass | SheetKind::Loop => 1,
        };
        if rows == 0 || columns < at_least || total > MAX_SAMPLES {
            return Err(bad_usage(format!(
                "--rows {rows} with --columns {columns}: give a row or more, {at_least} columns or more, and at \
                 most {MAX_SAMPLES} pictures"
            )));
        }
        if args.kind == SheetKind::InterpolationY && classes.len() < 2 {
            return Err(bad_usage(
                "an interpolation between classes needs two; give --class A,B or --class all",
            ));
        }
        Ok(Self {
            distribution: sampler.distribution(args.truncation).map_err(usage)?,
            sampler,
            device,
            classes,
            rows,
            columns,
            seed: args.seed,
        })
    }

    /// The class of a row, in turn.
    fn class(&self, row: usize) -> usize {
        self.classes[row % self.classes.len()]
    }

    /// One z of the seed.
    fn z(&self, index: usize) -> Vec<f32> {
        self.sampler
            .latents(self.seed, index as u64, 1, self.distribution)
    }

    fn one_hot(&self, class: usize) -> Vec<f32> {
        one_hot_values(&[class], self.sampler.info().generator.classes)
    }

    /// Linear interpolation, as in BigGAN-PyTorch's sheets (`utils.py`, `interp`).
    fn interpolation_z(&self) -> Result<Vec<Vec<u8>>> {
        let mut rows = Vec::new();
        for row in 0..self.rows {
            let (from, to) = (self.z(2 * row), self.z(2 * row + 1));
            let class = self.one_hot(self.class(row));
            for column in 0..self.columns {
                rows.push((between(&from, &to, column, self.columns), class.clone()));
            }
        }
        self.images(rows, self.distribution.truncation())
    }

    /// Linear interpolation of class weights, in which the shared embedding is linear.
    fn interpolation_y(&self) -> Result<Vec<Vec<u8>>> {
        let mut rows = Vec::new();
        for row in 0..self.rows {
            let z = self.z(row);
            let [from, to] = [row, row + 1].map(|row| self.one_hot(self.class(row)));
            for column in 0..self.columns {
                rows.push((z.clone(), between(&from, &to, column, self.columns)));
            }
        }
        self.images(rows, self.distribution.truncation())
    }

    fn by_class(&self) -> Result<Vec<Vec<u8>>> {
        let mut rows = Vec::new();
        for row in 0..self.rows {
            for column in 0..self.columns {
                rows.push((self.z(column), self.one_hot(self.class(row))));
            }
        }
        self.images(rows, self.distribution.truncation())
    }

    /// The same uniform numbers in every row, so that each picture moves towards its class's mean.
    fn truncation(&self) -> Result<Vec<Vec<u8>>> {
        let [low, high] = self.sampler.info().truncation_kind.range();
        let mut images = Vec::new();
        for t in PAPER.into_iter().filter(|t| (low..=high).contains(t)) {
            let distribution = self.sampler.distribution(Truncation::Threshold(t))?;
            let mut rows = Vec::new();
            for column in 0..self.columns {
                let z = self
                    .sampler
                    .latents(self.seed, column as u64, 1, distribution);
                rows.push((z, self.one_hot(self.class(column))));
            }
            images.extend(self.images(rows, distribution.truncation())?);
        }
        Ok(images)
    }

    fn images(&self, rows: Vec<Row>, truncation: Truncation) -> Result<Vec<Vec<u8>>> {
        let values = self.values(rows, truncation)?;
        Ok(to_rgba(&values, self.sampler.info().generator.resolution)?)
    }

    fn values(&self, rows: Vec<Row>, truncation: Truncation) -> Result<Vec<f32>> {
        let config = &self.sampler.info().generator;
        let (z, class_weights): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let dims = [config.z_dim, config.classes];
        let latents = Latents::from_values(z.concat(), class_weights.concat(), dims, self.device);
        Ok(block_on(self.sampler.generate(latents, truncation))?.images_pm1)
    }

    /// Each sample, a white gap, and the training images nearest to it, nearest first.
    fn neighbours(&self, args: &SheetArgs, environment: &Environment) -> Result<Vec<Vec<u8>>> {
        let open = networks::open(&args.network, self.device)?;
        let config = &self.sampler.info().generator;
        let side = config.resolution;
        open.check(side, config.classes)?;
        let data = training_set(self.sampler.info(), &args.real, environment)?;
        let wanted = self.columns - 1;
        ensure!(
            data.len() >= wanted,
            "{} training images are fewer than the {wanted} neighbours of a row; give fewer --columns",
            data.len()
        );
        let mut rows = Vec::new();
        for row in 0..self.rows {
            rows.push((self.z(row), self.one_hot(self.class(row))));
        }
        let made = self.values(rows, self.distribution.truncation())?;
        let network = &*open.network;
        let seen = features::as_seen(&made, side, self.device);
        let samples = features::extract(network, seen)?.features;
        let dim = network.info().features;
        // the nearest images of each row so far: distance and index
        let mut nearest: Vec<Vec<(f64, usize)>> = vec![Vec::new(); self.rows];
        features::each(
            &data,
            network,
            side,
            self.device,
            &Group::single(),
            |indices, features| {
                for (sample, nearest) in samples.chunks_exact(dim).zip(&mut nearest) {
                    for (index, real) in indices.clone().zip(features.chunks_exact(dim)) {
                        nearest.push((squared_distance(sample, real), index));
                    }
                    nearest.sort_by(|a, b| a.0.total_cmp(&b.0));
                    nearest.truncate(wanted);
                }
            },
        )?;
        let gap = vec![255; side * side * 4];
        let mut images = Vec::new();
        for (sample, nearest) in to_rgba(&made, side)?.into_iter().zip(nearest) {
            images.push(sample);
            images.push(gap.clone());
            let nearest: Vec<usize> = nearest.into_iter().map(|(_, index)| index).collect();
            for image_u8 in data.read(&nearest)? {
                let mut real = Vec::new();
                data.push_pm1(&image_u8, side, &mut real);
                images.extend(to_rgba(&real, side)?);
            }
        }
        Ok(images)
    }
}

/// The point at `step` of `steps` on a line, including both ends.
fn between(from: &[f32], to: &[f32], step: usize, steps: usize) -> Vec<f32> {
    let share = step as f32 / (steps - 1) as f32;
    let pairs = from.iter().zip(to);
    pairs.map(|(a, b)| a * (1.0 - share) + b * share).collect()
}
