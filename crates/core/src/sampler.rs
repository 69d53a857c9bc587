//! A loaded model that answers requests for samples. `native-train sample` and the page both use it, so
//! that the same seed gives the same picture.

use core::mem::replace;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(any(feature = "train", feature = "wgpu", feature = "nccl"))]
use burn::tensor::TensorData;
use burn::tensor::{Device, Tensor};

use crate::error::{Error, Result};
use crate::file::{ModelFile, ModelInfo, OpenModel};
use crate::image::to_rgba;
use crate::latent::{LatentKey, Latents};
#[cfg(any(feature = "train", feature = "wgpu", feature = "nccl"))]
use crate::layers::NormMode;
use crate::model::{Generator, PreparedGenerator};
use crate::named::{HostTensor, HostTensors, TensorSource, load_tensors, read_values};
use crate::random::Stream;
use crate::request::{self, Picture};
use crate::statistics_table::{RowRule, TablePosition};
use crate::truncation::{LatentDistribution, Truncation};

/// Most samples in one request.
pub const MAX_SAMPLES: usize = 4096;
/// Pixels of the images computed together, 64 of 32x32 or one of 256x256 and above: bounds the memory
/// (which the feature maps of the last blocks take), not the result.
const PIXELS_AT_ONCE: usize = 64 * 32 * 32;

/// A generator with its statistics for every truncation.
#[derive(Debug, Clone)]
pub struct Sampler {
    info: ModelInfo,
    network: Arc<Mutex<Network>>,
    /// Tables by normaliser, `[rows, c]`.
    means: Vec<HostTensor>,
    variances: Vec<HostTensor>,
    row_rule: RowRule,
    device: Device,
}

/// What draws.
#[derive(Debug)]
enum Network {
    /// As it was loaded.
    Loaded(Box<Generator>),
    /// On the CPU, once a picture was asked for, in place of the other: weights are many.
    Prepared {
        generator: Box<PreparedGenerator>,
        /// Where its statistics are in the table; `None` before the first picture.
        place: Option<TablePosition>,
    },
    /// A preparation failed.
    Lost,
}

impl Network {
    fn loaded(generator: Generator, tensors: WithSlots<'_>, device: &Device) -> Result<Self> {
        let generator = load_tensors(generator, tensors, device)?;
        Ok(Self::Loaded(Box::new(generator)))
    }
}

/// Images of one request.
#[derive(Debug, Clone)]
pub struct Samples {
    /// `[n, 3, side, side]` in [-1, 1], row-major.
    pub images_pm1: Vec<f32>,
    /// Side in pixels.
    pub side: usize,
}

impl Samples {
    /// RGBA bytes of each image.
    ///
    /// # Errors
    /// If the model is broken: it produced values that are not finite.
    pub fn rgba(&self) -> Result<Vec<Vec<u8>>> {
        to_rgba(&self.images_pm1, self.side)
    }
}

impl Sampler {
    /// Loads a model onto a device.
    ///
    /// # Errors
    /// If a tensor is missing, unexpected, of another shape, or has a value that is not finite.
    pub fn new(file: ModelFile, device: &Device) -> Result<Self> {
        let ModelFile { info, mut tensors } = file;
        Self::with(info, &mut tensors, device, |generator, tensors| {
            Network::loaded(generator, tensors, device)
        })
    }

    /// Loads a model onto a device directly from the bytes of its file, one tensor at a time; on the CPU each layer is
    /// prepared as it is read.
    ///
    /// # Errors
    /// As [`Sampler::new`].
    pub fn open(mut model: OpenModel<'_>, device: &Device) -> Result<Self> {
        let info = model.info().clone();
        if *device != Device::flex() {
            return Self::with(info, &mut model, device, |generator, tensors| {
                Network::loaded(generator, tensors, device)
            });
        }
        Self::with(info, &mut model, device, |generator, mut tensors| {
            let generator = PreparedGenerator::load(generator, &mut tensors)?;
            Ok(Network::Prepared {
                generator: Box::new(generator),
                place: None,
            })
        })
    }

    fn with(
        info: ModelInfo,
        tensors: &mut dyn TensorSource,
        device: &Device,
        load: impl FnOnce(Generator, WithSlots<'_>) -> Result<Network>,
    ) -> Result<Self> {
        let mut tensors = WithSlots {
            source: tensors,
            slots: HostTensors::default(),
        };
        let mut generator = Generator::zeros(&info.generator, device)?;
        let rows = info.statistics.truncations.len();
        let mut means = Vec::new();
        let mut variances = Vec::new();
        for (layer, normaliser) in generator.normalisers_mut() {
            let channels = normaliser.mean.dims()[0];
            for (kind, tables) in [("mean", &mut means), ("variance", &mut variances)] {
                let name = format!("{layer}.{kind}");
                let name = format!("stats.{name}");
                let table = tensors
                    .source
                    .take(&name)?
                    .ok_or_else(|| Error::tensor(&name).found("missing"))?;
                refuse_broken(&name, &table.values)?;
                if table.shape != [rows, channels] {
                    return Err(Error::tensor(name)
                        .found(format_args!("{:?}", table.shape))
                        .expected(format_args!("{:?}", [rows, channels])));
                }
                // the network's own slots for statistics start as the table's first row
                let first = HostTensor {
                    shape: vec![channels],
                    values: table.values[..channels].to_vec(),
                };
                tensors.slots.0.insert(stat_slot(&layer, kind), first);
                tables.push(table);
            }
        }
        let network = load(generator, tensors)?;
        Ok(Self {
            info,
            network: Arc::new(Mutex::new(network)),
            means,
            variances,
            row_rule: RowRule::default(),
            device: device.clone(),
        })
    }

    /// The sampler with another way to read the table of statistics.
    #[must_use]
    pub fn with_row_rule(self, row_rule: RowRule) -> Self {
        Self { row_rule, ..self }
    }

    /// The file's own description.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The network; its statistics are those of the table's first row. `None` once the CPU has drawn, or if it was opened
    /// there, which then has the weights only as its kernels read them.
    pub fn generator(&self) -> Option<Generator> {
        match &*self.network() {
            Network::Loaded(generator) => Some((**generator).clone()),
            _ => None,
        }
    }

    fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Means and variances of every normaliser at a truncation, as used for samples.
    ///
    /// # Errors
    /// If the table of statistics does not suit the row rule.
    pub fn statistics(&self, truncation: Truncation) -> Result<Vec<[Vec<f32>; 2]>> {
        Ok(self.statistics_at(self.place(truncation)?))
    }

    /// Where a truncation is in the table of statistics.
    fn place(&self, truncation: Truncation) -> Result<TablePosition> {
        TablePosition::find(
            &self.info.statistics.truncations,
            self.info.truncation_kind,
            truncation,
            self.row_rule,
        )
    }

    fn statistics_at(&self, place: TablePosition) -> Vec<[Vec<f32>; 2]> {
        let row = |table: &HostTensor| place.row_of(&table.values, table.shape[1]);
        let tables = self.means.iter().zip(&self.variances);
        tables
            .map(|(mean, variance)| [row(mean), row(variance)])
            .collect()
    }

    /// The distribution of z at a truncation of this model.
    ///
    /// # Errors
    /// If it is out of the range of the model's truncation kind, or the model's latents cannot be truncated.
    pub fn distribution(&self, truncation: Truncation) -> Result<LatentDistribution> {
        let info = &self.info;
        LatentDistribution::new(info.generator.latent, info.truncation_kind, truncation)
    }

    /// The requested pictures, all at one truncation.
    ///
    /// # Errors
    /// If a request or the truncation is out of range, there are none or too many, or the device fails.
    pub async fn draw(&self, pictures: &[Picture], truncation: Truncation) -> Result<Samples> {
        check_count(pictures.len())?;
        let config = &self.info.generator;
        let distribution = self.distribution(truncation)?;
        let latents = request::latents(pictures, config, distribution, &self.device)?;
        self.generate(latents, distribution.truncation()).await
    }

    /// z of samples `first..first + n` of a seed, row-major.
    pub fn latents(
        &self,
        seed: u64,
        first: u64,
        n: usize,
        distribution: LatentDistribution,
    ) -> Vec<f32> {
        let key = LatentKey {
            seed,
            stream: Stream::Sample,
            step: 0,
            first,
        };
        key.z(n, self.info.generator.z_dim, distribution)
    }

    /// Images of given latents; the truncation only chooses the statistics.
    ///
    /// # Errors
    /// If the shapes do not match, the table of statistics does not suit the row rule, the model is broken (a pixel is
    /// not finite), or the device fails.
    pub async fn generate(&self, latents: Latents, truncation: Truncation) -> Result<Samples> {
        let Latents { z, class_weights } = latents;
        let config = &self.info.generator;
        let n = z.dims()[0];
        check_count(n)?;
        let expected = ([n, config.z_dim], [n, config.classes]);
        if (z.dims(), class_weights.dims()) != expected {
            return Err(Error::request("the shapes of z and classes")
                .found(format_args!(
                    "{:?} and {:?}",
                    z.dims(),
                    class_weights.dims()
                ))
                .expected(format_args!("{:?} and {:?}", expected.0, expected.1)));
        }
        #[cfg(any(feature = "train", feature = "wgpu", feature = "nccl"))]
        let images_pm1 = match self.device == Device::flex() {
            true => self.on_the_cpu(z, class_weights, truncation).await?,
            false => self.on_the_device(z, class_weights, truncation).await?,
        };
        // there is no other device, and the network in Burn's operations is left out of a small program
        #[cfg(not(any(feature = "train", feature = "wgpu", feature = "nccl")))]
        let images_pm1 = self.on_the_cpu(z, class_weights, truncation).await?;
        let side = config.resolution;
        refuse_broken("a value of the generator's output", &images_pm1)?;
        Ok(Samples { images_pm1, side })
    }

    /// Images by the prepared generator, `[n, 3, r, r]`.
    async fn on_the_cpu(
        &self,
        z: Tensor<2>,
        class_weights: Tensor<2>,
        truncation: Truncation,
    ) -> Result<Vec<f32>> {
        let place = self.place(truncation)?;
        let [n, z_dim] = z.dims();
        let (z, class_weights) = (read_values(z).await?, read_values(class_weights).await?);
        let network = &mut *self.network();
        if let Network::Loaded(_) = network
            && let Network::Loaded(generator) = replace(network, Network::Lost)
        {
            let generator = Box::new(PreparedGenerator::new(*generator)?);
            *network = Network::Prepared {
                generator,
                place: None,
            };
        }
        let Network::Prepared {
            generator,
            place: known,
        } = network
        else {
            return Err(
                Error::device("the network").found("not prepared, as a failure before says")
            );
        };
        if *known != Some(place) {
            generator.set_statistics(&self.statistics_at(place));
            *known = Some(place);
        }
        let mut images_pm1 = vec![0.0; n * generator.image_len()];
        let at_once = self.at_once();
        let rows = z.chunks(at_once * z_dim);
        let rows = rows.zip(class_weights.chunks(at_once * self.info.generator.classes));
        for ((z, class_weights), images) in
            rows.zip(images_pm1.chunks_mut(at_once * generator.image_len()))
        {
            generator.forward(z, class_weights, images);
        }
        Ok(images_pm1)
    }

    #[cfg(any(feature = "train", feature = "wgpu", feature = "nccl"))]
    /// Images by the network in Burn's operations, `[n, 3, r, r]`.
    async fn on_the_device(
        &self,
        z: Tensor<2>,
        class_weights: Tensor<2>,
        truncation: Truncation,
    ) -> Result<Vec<f32>> {
        let mut generator = self.generator().expect("only the CPU prepares it");
        self.set_statistics(&mut generator, truncation)?;
        let n = z.dims()[0];
        let mut images_pm1 = Vec::new();
        for first in (0..n).step_by(self.at_once()) {
            let rows = first..(first + self.at_once()).min(n);
            let z = z.clone().slice(rows.clone());
            let class_weights = class_weights.clone().slice(rows);
            let images = generator.evaluate(z, class_weights, NormMode::Stored);
            images_pm1.extend(read_values(images).await?);
        }
        Ok(images_pm1)
    }

    /// Images computed together.
    fn at_once(&self) -> usize {
        let side = self.info.generator.resolution;
        (PIXELS_AT_ONCE / (side * side)).max(1)
    }

    #[cfg(any(feature = "train", feature = "wgpu", feature = "nccl"))]
    fn set_statistics(&self, generator: &mut Generator, truncation: Truncation) -> Result<()> {
        let rows = self.statistics(truncation)?;
        let tensor = |values: Vec<f32>| {
            let len = values.len();
            Tensor::<1>::from_data(TensorData::new(values, [len]), &self.device)
        };
        for ((_, normaliser), [mean, variance]) in generator.normalisers_mut().into_iter().zip(rows)
        {
            normaliser.set(tensor(mean), tensor(variance));
        }
        Ok(())
    }
}

/// A file's tensors, and zeros for the network's slots for statistics, which no file has.
struct WithSlots<'a> {
    source: &'a mut dyn TensorSource,
    slots: HostTensors,
}

impl TensorSource for WithSlots<'_> {
    fn take(&mut self, name: &str) -> Result<Option<HostTensor>> {
        match self.slots.take(name)? {
            Some(slot) => Ok(Some(slot)),
            None => {
                let tensor = self.source.take(name)?;
                if let Some(tensor) = &tensor {
                    refuse_broken(name, &tensor.values)?;
                }
                Ok(tensor)
            }
        }
    }

    fn left(&self) -> Option<&str> {
        self.slots.left().or_else(|| self.source.left())
    }
}

/// Refuses values from which no picture comes: the scores of black pictures would look like scores.
fn refuse_broken(what: &str, values: &[f32]) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(()),
        Some(value) => Err(Error::not_finite(what)
            .found(value)
            .expected("finite values")
            .remedy("use another model: this one is broken")),
    }
}

/// Name of a normaliser's statistic among the module's tensors.
fn stat_slot(layer: &str, kind: &str) -> String {
    format!("{layer}.stats.{kind}")
}

fn check_count(n: usize) -> Result<()> {
    if (1..=MAX_SAMPLES).contains(&n) {
        return Ok(());
    }
    Err(Error::request("the number of samples")
        .found(n)
        .expected(format_args!("1 to {MAX_SAMPLES}")))
}

impl ModelFile {
    /// A model file from a folded generator and its statistics, one set per truncation.
    ///
    /// `statistics` holds for each row the means and variances in the order of
    /// [`Generator::normalisers_mut`].
    ///
    /// # Errors
    /// If the device fails.
    pub async fn from_generator(
        mut generator: Generator,
        info: ModelInfo,
        statistics: &[Vec<[Vec<f32>; 2]>],
    ) -> Result<Self> {
        let layers: Vec<String> = generator
            .normalisers_mut()
            .into_iter()
            .map(|(layer, _)| layer)
            .collect();
        let mut tensors = HostTensors::read(crate::named::named_tensors(&generator)).await?;
        for (index, layer) in layers.iter().enumerate() {
            for (part, kind) in ["mean", "variance"].into_iter().enumerate() {
                tensors.0.remove(&stat_slot(layer, kind));
                let values: Vec<f32> = statistics
                    .iter()
                    .flat_map(|row| row[index][part].clone())
                    .collect();
                let shape = vec![statistics.len(), values.len() / statistics.len().max(1)];
                let name = format!("stats.{layer}.{kind}");
                tensors.0.insert(name, HostTensor { shape, values });
            }
        }
        Ok(Self { info, tensors })
    }
}
