//! The request for a picture, as a page, a link or a saved picture holds it: classes with weights,
//! and a point of latent space with its edits.
//!
//! Every edit is a rotation of standard normal coordinates: for independent g, h ~ N(0, I),
//! `cos(a) g + sin(a) h ~ N(0, I)`. z is computed from edited coordinates as from drawn ones, by
//! u = Phi(g) and the model's own distribution ([`LatentDistribution::latent`]). So an edited picture
//! is as much a sample of the model as any other, at every truncation and for every kind of latents. So is a
//! cross of independent parents that takes each chunk from one of them.

#[cfg(test)]
mod tests;

use burn::tensor::Device;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::GeneratorConfig;
use crate::error::{Error, Result};
use crate::latent::{Latents, check_labels};
use crate::normal::{normal_cdf, normal_quantile};
use crate::random::{Draws, Stream};
use crate::truncation::LatentDistribution;

/// Most classes in a mix.
pub const MAX_MIXED: usize = 4;
/// Most edits in a lineage: bounds the cost of a link.
pub const MAX_STEPS: usize = 256;

/// A picture: a point, or an interpolation between two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// The point, or the start of the interpolation.
    pub from: Point,
    /// The end of the interpolation, and the position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Way>,
}

impl Picture {
    /// A sample of a seed, as `native-train sample --class CLASS --seed SEED` draws it.
    pub fn sample(class: usize, seed: u64, index: u64) -> Self {
        let classes = vec![ClassWeight { class, weight: 1.0 }];
        let z = Latent::of_seed(seed, index);
        Self {
            from: Point { classes, z },
            to: None,
        }
    }
}

/// A position on the interpolation to another point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// The end.
    pub point: Point,
    /// 0 is the start and 1 the end.
    pub at: f64,
}

/// Classes and latents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Classes with their weights, which are divided by their sum.
    pub classes: Vec<ClassWeight>,
    /// Latents.
    pub z: Latent,
}

/// A class of a mix.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassWeight {
    /// The class.
    pub class: usize,
    /// Its weight, 0 or more.
    pub weight: f64,
}

/// A point of latent space: a sample of a seed, and its edits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latent {
    /// Seed, as in `native-train sample --seed`.
    #[serde(deserialize_with = "deserialize_seed")]
    pub seed: u64,
    /// Index of the sample in its seed.
    #[serde(default)]
    pub index: u64,
    /// Steps, one after another: the lineage of a bred picture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Rotation of each chunk of a hierarchical z towards another draw, in quarter turns: 0 keeps the
    /// chunk, 1 and -1 replace it by the other draw and its mirror image. Chunks beyond the list are
    /// unchanged. A z that is not hierarchical is one chunk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<f64>,
}

/// A step from a picture to its child.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "StepFields")]
pub enum Step {
    /// A rotation of all coordinates towards a draw with its own seed.
    Random {
        /// Seed of the direction.
        seed: u64,
        /// Size in quarter turns.
        size: f64,
    },
    /// Crossbreeding with another picture.
    Cross {
        /// The other parent.
        mate: Point,
        /// Where the class weights are between the two: 0 is the parent's and 1 the mate's.
        classes: f64,
        /// Where each chunk of z is between the two, on the sphere: 0 is the parent's and 1 the mate's. Chunks
        /// beyond the list are the parent's.
        chunks: Vec<f64>,
    },
}

/// The fields of all kinds of [`Step`]: serde's own reading of an untagged enum names none in its errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFields {
    #[serde(default, deserialize_with = "deserialize_some_seed")]
    seed: Option<u64>,
    size: Option<f64>,
    mate: Option<Point>,
    classes: Option<f64>,
    chunks: Option<Vec<f64>>,
}

impl TryFrom<StepFields> for Step {
    type Error = &'static str;

    fn try_from(fields: StepFields) -> std::result::Result<Self, &'static str> {
        let StepFields {
            seed,
            size,
            mate,
            classes,
            chunks,
        } = fields;
        match (seed, size, mate, classes, chunks) {
            (Some(seed), Some(size), None, None, None) => Ok(Self::Random { seed, size }),
            (None, None, Some(mate), Some(classes), Some(chunks)) => Ok(Self::Cross {
                mate,
                classes,
                chunks,
            }),
            _ => Err("a step has `seed` and `size`, or `mate`, `classes` and `chunks`"),
        }
    }
}

fn deserialize_some_seed<'de, D: Deserializer<'de>>(
    source: D,
) -> std::result::Result<Option<u64>, D::Error> {
    deserialize_seed(source).map(Some)
}

/// A seed as a number, or in decimal digits: JavaScript's numbers end at 2^53.
pub(crate) fn deserialize_seed<'de, D: Deserializer<'de>>(
    source: D,
) -> std::result::Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Digits(String),
    }
    match Written::deserialize(source)? {
        Written::Number(seed) => Ok(seed),
        Written::Digits(digits) => digits.parse().map_err(|_| {
            D::Error::custom(format!(
                "seed {digits:?} is not a whole number from 0 to 2^64 - 1"
            ))
        }),
    }
}

/// A coordinate as drawn, or after edits.
#[derive(Debug, Clone, Copy)]
enum Coordinate {
    /// Uniform, as [`crate::sampler::Sampler::latents`] draws it: an unedited picture is that of the
    /// seed to the last bit.
    Drawn(f64),
    /// Standard normal.
    Edited(f64),
}

impl Coordinate {
    fn normal(self) -> f64 {
        match self {
            Self::Drawn(uniform) => normal_quantile(uniform),
            Self::Edited(normal) => normal,
        }
    }

    fn uniform(self) -> f64 {
        // the draws' own smallest and largest values: Phi rounds to 0 and 1 far out
        const LEAST: f64 = 0.5 / (1u64 << 53) as f64;
        match self {
            Self::Drawn(uniform) => uniform,
            Self::Edited(normal) => normal_cdf(normal).clamp(LEAST, 1.0 - 2.0 * LEAST),
        }
    }

    fn turned(self, quarter_turns: f64, towards: f64) -> Self {
        if quarter_turns == 0.0 {
            return self;
        }
        let angle = quarter_turns * std::f64::consts::FRAC_PI_2;
        Self::Edited(libm::cos(angle) * self.normal() + libm::sin(angle) * towards)
    }
}

impl Latent {
    /// The sample of a seed, without edits.
    pub fn of_seed(seed: u64, index: u64) -> Self {
        Self {
            seed,
            index,
            steps: Vec::new(),
            chunks: Vec::new(),
        }
    }

    /// Steps of the lineage and of the lineages of all mates: what the picture costs.
    fn all_steps(&self) -> usize {
        let of_mate = |step: &Step| match step {
            Step::Random { .. } => 0,
            Step::Cross { mate, .. } => mate.z.all_steps(),
        };
        self.steps.len() + self.steps.iter().map(of_mate).sum::<usize>()
    }

    /// Checks all but the mates.
    fn check(&self, chunks: usize) -> Result<()> {
        check_chunks("turned", &self.chunks, chunks)?;
        let steps = self.all_steps();
        if steps > MAX_STEPS {
            return Err(Error::request("the number of steps of a lineage")
                .found(steps)
                .expected(format_args!("at most {MAX_STEPS}, those of mates included")));
        }
        self.chunks.iter().try_for_each(|&turn| check_turn(turn))?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Random { size, .. } => check_turn(*size),
            Step::Cross { chunks: places, .. } => {
                check_chunks("crossed", places, chunks)?;
                places.iter().try_for_each(|&place| check_place(place))
            }
        })
    }

    fn coordinates(&self, config: &GeneratorConfig) -> Result<Vec<Coordinate>> {
        let chunks = config.z_chunks()?;
        self.check(chunks)?;
        let length = config.z_dim / chunks;
        let mut draws = Draws::new(self.seed, Stream::Sample, 0, self.index);
        let mut all: Vec<Coordinate> = (0..config.z_dim)
            .map(|_| Coordinate::Drawn(draws.uniform()))
            .collect();
        for (step, number) in self.steps.iter().zip(1..) {
            match step {
                Step::Random { seed, size } => {
                    let mut direction = Draws::new(*seed, Stream::Breeding, number, self.index);
                    for coordinate in &mut all {
                        *coordinate = coordinate.turned(*size, direction.normal());
                    }
                }
                Step::Cross {
                    mate,
                    chunks: places,
                    ..
                } => {
                    let mates = mate.z.coordinates(config)?;
                    let chunks = all.chunks_mut(length).zip(mates.chunks(length));
                    for ((own, mates), place) in chunks.zip(places) {
                        own.copy_from_slice(&between(own, mates, *place));
                    }
                }
            }
        }
        let mut other = Draws::new(self.seed, Stream::ChunkTurn, 0, self.index);
        for (place, coordinate) in all.iter_mut().enumerate() {
            let turn = self.chunks.get(place / length).copied().unwrap_or(0.0);
            *coordinate = coordinate.turned(turn, other.normal());
        }
        Ok(all)
    }
}

impl Point {
    /// Weights of all classes, which sum to 1; after crosses, those of the child.
    ///
    /// # Errors
    /// If there are none or too many, a class, a weight or a place is out of range, or all weights are 0.
    pub fn class_weights(&self, classes: usize) -> Result<Vec<f64>> {
        if !(1..=MAX_MIXED).contains(&self.classes.len()) {
            return Err(Error::request("the number of mixed classes")
                .found(self.classes.len())
                .expected(format_args!("1 to {MAX_MIXED}")));
        }
        let mut weights = vec![0.0; classes];
        for &ClassWeight { class, weight } in &self.classes {
            check_labels(&[class], classes)?;
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(Error::request(format_args!("the weight of class {class}"))
                    .found(weight)
                    .expected("0 or more"));
            }
            weights[class] += weight;
        }
        let sum: f64 = weights.iter().sum();
        if sum <= 0.0 {
            return Err(Error::request("the sum of the class weights")
                .found(sum)
                .expected("above 0"));
        }
        for weight in &mut weights {
            *weight /= sum;
        }
        for step in &self.z.steps {
            if let Step::Cross {
                mate, classes: at, ..
            } = step
            {
                check_place(*at)?;
                move_weights(&mut weights, &mate.class_weights(classes)?, *at);
            }
        }
        Ok(weights)
    }
}

/// The latents of pictures of a model.
///
/// # Errors
/// If a class, weight, turn or place is out of range; the message names it.
pub fn latents(
    pictures: &[Picture],
    config: &GeneratorConfig,
    distribution: LatentDistribution,
    device: &Device,
) -> Result<Latents> {
    let (mut z, mut class_weights) = (Vec::new(), Vec::new());
    for picture in pictures {
        let mut coordinates = picture.from.z.coordinates(config)?;
        let mut weights = picture.from.class_weights(config.classes)?;
        if let Some(Way { point, at }) = &picture.to {
            check_place(*at)?;
            move_weights(&mut weights, &point.class_weights(config.classes)?, *at);
            coordinates = between(&coordinates, &point.z.coordinates(config)?, *at);
        }
        let latent = |(place, coordinate): (usize, &Coordinate)| {
            distribution.latent(place, coordinate.uniform()) as f32
        };
        z.extend(coordinates.iter().enumerate().map(latent));
        class_weights.extend(weights.iter().map(|&weight| weight as f32));
    }
    let dims = [config.z_dim, config.classes];
    Ok(Latents::from_values(z, class_weights, dims, device))
}

/// Linear interpolation: `at` is 0 to 1.
fn move_weights(weights: &mut [f64], end: &[f64], at: f64) {
    for (weight, end) in weights.iter_mut().zip(end) {
        *weight += at * (end - *weight);
    }
}

fn check_chunks(what: &str, asked: &[f64], chunks: usize) -> Result<()> {
    if asked.len() <= chunks {
        return Ok(());
    }
    Err(
        Error::request(format_args!("the number of {what} chunks of z"))
            .found(asked.len())
            .expected(format_args!("{chunks}, as in the model")),
    )
}

fn check_turn(turn: f64) -> Result<()> {
    if turn.is_finite() {
        return Ok(());
    }
    Err(Error::request("a turn of z")
        .found(turn)
        .expected("a number of quarter turns"))
}

fn check_place(at: f64) -> Result<()> {
    if (0.0..=1.0).contains(&at) {
        return Ok(());
    }
    Err(Error::request("the place between two points")
        .found(at)
        .expected("0 to 1"))
}

/// Spherical interpolation (Shoemake 1985) of the normal coordinates: interpolated points are as far from
/// the origin as the ends, like samples.
fn between(from: &[Coordinate], to: &[Coordinate], at: f64) -> Vec<Coordinate> {
    if at == 0.0 {
        return from.to_vec();
    }
    if at == 1.0 {
        return to.to_vec();
    }
    let pairs = || from.iter().zip(to).map(|(a, b)| (a.normal(), b.normal()));
    let (mut dot, mut square_from, mut square_to) = (0.0, 0.0, 0.0);
    for (a, b) in pairs() {
        dot += a * b;
        square_from += a * a;
        square_to += b * b;
    }
    let lengths = (square_from * square_to).sqrt();
    let angle = libm::acos((dot / lengths.max(f64::MIN_POSITIVE)).clamp(-1.0, 1.0));
    let sine = libm::sin(angle);
    // for equal or opposite points the plane is not unique: use the straight line
    let (a_share, b_share) = if sine < 1e-9 {
        (1.0 - at, at)
    } else {
        let share = |part: f64| libm::sin(part * angle) / sine;
        (share(1.0 - at), share(at))
    };
    pairs()
        .map(|(a, b)| Coordinate::Edited(a_share * a + b_share * b))
        .collect()
}
