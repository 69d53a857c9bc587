//! `native-train evaluate MODEL`: scores in the features of a network, each with its protocol.

pub mod curve;
mod picture;

use anyhow::{Context, Result};
use biggan::collective::Group;
use biggan::metrics::{FeatureNetwork, Normal, Protocol, ReferenceInfo, Score};
use biggan::sampler::Sampler;
use biggan::truncation::{LatentDistribution, Truncation};
use biggan::visible::visible;
use burn::tensor::Device;
use serde::Serialize;

use crate::args::EvaluateArgs;
use crate::device;
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};
use crate::evaluation::PAPER;
use crate::evaluation::features::{Counts, Samples, real_images, samples};
use crate::evaluation::networks::open;
use crate::evaluation::own_data::training_set;
use crate::evaluation::reference_file;
use crate::evaluation::scores::{Against, Scored};
use crate::files::model_files;
use crate::run::atomic_file;
use crate::terminal;
use crate::training::job::Job;

/// Samples for recognised classes by default.
const RECOGNISED: usize = 1000;

/// Everything that does not depend on the truncation.
struct Bench<'a> {
    args: &'a EvaluateArgs,
    counts: Counts,
    sampler: Sampler,
    network: &'a dyn FeatureNetwork,
    device: Device,
    /// The ranks that share the work.
    group: &'a Group,
}

/// What `--json` writes.
#[derive(Debug, Serialize)]
struct Written<'a> {
    model: String,
    scores: &'a [Score],
    curve: Vec<Score>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amenability: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read, the network does not match the model, or the counts are too small.
pub fn run(args: &EvaluateArgs, environment: &Environment) -> Result<Outcome> {
    let job = Job::open(args.comm, environment)?;
    let evaluated = evaluate(args, environment, &job);
    job.end(evaluated)
}

fn evaluate(args: &EvaluateArgs, environment: &Environment, job: &Job) -> Result<Outcome> {
    let counts = args.counts()?;
    if args.picture.is_some() && args.curve.len() < 2 && !args.amenability {
        return Err(bad_usage(
            "--picture draws a curve; give --curve with two truncations or more, or --amenability",
        ));
    }
    let device = device::open(job.own_device(args.device.name))?;
    let open = open(&args.network, &device)?;
    let bench = Bench {
        args,
        counts,
        sampler: model_files::load(&args.model, &device)?,
        network: &*open.network,
        device,
        group: job.group(),
    };
    let config = &bench.sampler.info().generator;
    open.check(config.resolution, config.classes)?;
    let info = bench.sampler.info();
    let unsure = open.check_classes(&info.class_names, &info.dataset)?;
    let distribution = bench.sampler.distribution(args.truncation).map_err(usage)?;
    let curve = bench.curve(args.curve.clone())?;

    let against = bench.against(environment)?;
    let made = bench.samples(distribution)?;
    let protocol = bench.protocol(distribution);
    let scored = bench.scored(&against, &made, &protocol);
    let scores = scored.all()?;
    if !job.leads() {
        bench.rows(&curve, &against)?;
        return Ok(Outcome::Done);
    }
    let remarks: Vec<String> = unsure.into_iter().chain(scored.remarks(&scores)).collect();
    if args.update {
        let mut info = bench.sampler.info().clone();
        let all = scores.iter().map(|score| (score.to_string(), score.value));
        info.scores.extend(all);
        model_files::write_info(&args.model, &info)?;
    }
    let rows = bench.rows(&curve, &against)?;
    let table = curve::table(&rows);
    let verdict = args.amenability.then(|| curve::verdict(&rows));
    if let Some(path) = &args.picture {
        let name = args.model.file_name().unwrap_or_default().to_string_lossy();
        let title = format!("{}: {} samples a truncation", visible(&name), args.count);
        atomic_file::write(path, picture::svg(&rows, &title)?.as_bytes())?;
    }
    if let Some(path) = &args.json {
        let written = Written {
            model: args.model.display().to_string(),
            scores: &scores,
            curve: rows
                .into_iter()
                .flat_map(|row| row.scores.into_scores())
                .collect(),
            amenability: verdict.clone(),
            remarks: remarks.clone(),
        };
        let json = serde_json::to_vec_pretty(&written).context("writing the scores as JSON")?;
        atomic_file::write(path, &json)?;
    }
    // printed last: nothing behind the output keeps the files from being written
    if let Some(info) = &open.classifier {
        say!(
            "{} classifies {:.2} % of the real test images rightly",
            info.classifier.name,
            info.test_accuracy * 100.0
        );
    }
    for score in &scores {
        say!("{:>12.6}  {score}", score.value);
    }
    for remark in &remarks {
        say!("note: {remark}");
    }
    if args.by_class {
        say!("recognised by {}, of class:", bench.network.info().name);
        let names = &bench.sampler.info().class_names;
        for (class, hits) in names.iter().zip(scored.by_class()) {
            let share = match hits.of {
                0 => "-".to_owned(),
                of => format!("{:.6}", hits.right as f64 / of as f64),
            };
            say!("{share:>12}  {class}: n={}", hits.of);
        }
    }
    terminal::say_text(&table);
    terminal::say_text(verdict.as_deref().unwrap_or_default());
    Ok(Outcome::Done)
}

fn usage(error: biggan::Error) -> anyhow::Error {
    bad_usage(error.to_string())
}

impl EvaluateArgs {
    fn counts(&self) -> Result<Counts> {
        let of_classes = [
            ("--by-class", self.by_class),
            ("--recognised", self.recognised.is_some()),
        ];
        let first = of_classes.iter().find(|(_, typed)| *typed);
        if let (Some((option, _)), false) = (first, self.network.knows_classes()) {
            return Err(bad_usage(format!(
                "{option} is about recognised classes, which the network of --features does not know; give \
                 --classifier FILE, or leave {option} out"
            )));
        }
        let recognised = self.recognised.unwrap_or(RECOGNISED);
        for (name, value) in [
            ("--count", self.count),
            ("--recognised", recognised),
            ("--neighbours", self.neighbours),
        ] {
            if value < 2 {
                return Err(bad_usage(format!(
                    "{name} is {value}; it must be 2 or more"
                )));
            }
        }
        Ok(Counts {
            count: self.count,
            neighbours: match self.reference {
                Some(_) => 0, // there are no images to compare with
                None => self.neighbours.min(self.count),
            },
            recognised: match self.network.knows_classes() {
                true => recognised,
                false => 0,
            },
        })
    }
}

impl Bench<'_> {
    /// The truncations of the curve: the requested ones and, for a verdict, the paper's and off.
    fn curve(&self, mut asked: Vec<Truncation>) -> Result<Vec<LatentDistribution>> {
        if self.args.amenability {
            let [low, high] = self.sampler.info().truncation_kind.range();
            let paper = PAPER.into_iter().filter(|t| (low..=high).contains(t));
            asked.push(Truncation::Off);
            asked.extend(paper.map(Truncation::Threshold));
        }
        let mut curve: Vec<LatentDistribution> = Vec::new();
        for truncation in asked {
            let distribution = self.sampler.distribution(truncation).map_err(usage)?;
            if !curve.contains(&distribution) {
                curve.push(distribution);
            }
        }
        Ok(curve)
    }

    /// The reference: statistics of a file, or the training set.
    fn against(&self, environment: &Environment) -> Result<Against> {
        let info = self.sampler.info();
        let resolution = info.generator.resolution;
        if let Some(path) = &self.args.reference {
            let mut dataset = info.dataset.clone();
            // imported models do not record their training images
            if let (true, Some(name)) = (dataset.sha256.is_empty(), &self.args.real.dataset) {
                dataset.name.clone_from(name);
            }
            let images = dataset.images;
            let network = self.network.info();
            let expected = ReferenceInfo::new(network, resolution, dataset, "train", images);
            let against = reference_file::read(path, &expected)?;
            reference_file::check(&against, &network.name, network.features)?;
            return Ok(against);
        }
        let data = training_set(info, &self.args.real, environment)?;
        let images = real_images(
            &data,
            self.network,
            resolution,
            self.counts,
            self.args.seed,
            &self.device,
            self.group,
        )?;
        Ok(Against {
            normal: Normal::from_moments(&images.moments),
            protocol: format!("{} train n={}", data.info.name, data.len()),
            count: Some(data.len()),
            of_unknown_network: false,
            images: Some(images),
        })
    }

    fn samples(&self, distribution: LatentDistribution) -> Result<Samples> {
        samples(
            &self.sampler,
            self.network,
            distribution,
            self.counts,
            self.args.seed,
            &self.device,
            self.group,
        )
    }

    fn protocol(&self, distribution: LatentDistribution) -> Protocol {
        let statistics = format!(
            "BN standing statistics of {} samples",
            self.sampler.info().statistics.samples
        );
        Protocol::new(
            self.network.info(),
            self.sampler.info().generator.resolution,
            [statistics, distribution.to_string()],
            self.args.seed,
        )
    }

    fn scored<'a>(
        &'a self,
        against: &'a Against,
        samples: &'a Samples,
        protocol: &'a Protocol,
    ) -> Scored<'a> {
        Scored {
            counts: self.counts,
            network: self.network.info(),
            against,
            samples,
            protocol,
        }
    }

    fn rows(&self, curve: &[LatentDistribution], against: &Against) -> Result<Vec<curve::Row>> {
        let row = |&distribution| {
            let (made, protocol) = (self.samples(distribution)?, self.protocol(distribution));
            Ok(curve::Row {
                distribution,
                scores: self.scored(against, &made, &protocol).main()?,
            })
        };
        curve.iter().map(row).collect()
    }
}
