//! Fine-tuning: a run that starts from trained networks (Wang et al. 2018, "Transferring GANs: generating images
//! from limited data": from both networks, G alone helps little; the rest starts anew).
//!
//! Classes meet by name. A new class starts as an old one, the same in G and D and in each table, so that its
//! pictures and D's opinion of them fit together from the first step.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Device;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{CHECKPOINT_FORMAT, CheckpointInfo, Ema, TrainConfig, TrainState};
use crate::config::{DiscriminatorConfig, GeneratorConfig};
use crate::error::{Error, Result};
use crate::file::{FORMAT, ModelFile, read_metadata};
use crate::model::{Discriminator, Generator};
use crate::named::{HostTensor, HostTensors, load_tensors, named_tensors};
use crate::random::{Stream, permutation};
use crate::sorted_json::sorted_json;
use crate::truncation::Truncation;

/// Power steps that find the singular vector of a weight whose file has none, or whose classes changed.
const POWER_STEPS: usize = 30;

/// Trained networks.
#[derive(Debug, Clone)]
pub struct Pretrained {
    /// A name for each class.
    pub class_names: Vec<String>,
    generator: (GeneratorConfig, HostTensors),
    average: Option<HostTensors>,
    pub(super) discriminator: Option<(DiscriminatorConfig, HostTensors)>,
}

/// What a class starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassStart {
    /// The class of the same name, by its label there.
    Same(usize),
    /// Another class, by its label there: this one is new.
    Borrowed(usize),
}

impl ClassStart {
    /// The label in the trained networks.
    pub fn label(self) -> usize {
        match self {
            Self::Same(label) | Self::Borrowed(label) => label,
        }
    }
}

impl Pretrained {
    /// The networks of the bytes of a model file or a checkpoint.
    ///
    /// # Errors
    /// If they are neither, damaged, or of a version that this program does not read.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let metadata = read_metadata(bytes)?;
        match metadata.get("format").map(String::as_str) {
            Some(CHECKPOINT_FORMAT) => {
                let (info, tensors) = CheckpointInfo::<Map<String, Value>>::decode(bytes)?;
                Ok(Self::from_checkpoint(
                    &info.config,
                    info.class_names,
                    tensors,
                ))
            }
            Some(FORMAT) => Self::from_model(ModelFile::decode(bytes)?),
            other => Err(Error::file("the format of the networks to start from")
                .found(other.unwrap_or("not stated"))
                .expected(format_args!(
                    "{FORMAT} (a model) or {CHECKPOINT_FORMAT} (a checkpoint)"
                ))
                .remedy("`native-train import` makes them of other programs' weights")),
        }
    }

    /// The networks of a checkpoint's state.
    pub fn from_checkpoint(
        config: &TrainConfig,
        class_names: Vec<String>,
        mut tensors: HostTensors,
    ) -> Self {
        Self {
            class_names,
            generator: (config.generator.clone(), tensors.take_under("generator")),
            average: Some(tensors.take_under("ema")),
            discriminator: Some((
                config.discriminator.clone(),
                tensors.take_under("discriminator"),
            )),
        }
    }

    /// The generator of a model file: the average, whose statistics are those of its row without truncation (or
    /// of its first one).
    ///
    /// # Errors
    /// If a table of statistics is not `[rows, c]`.
    pub fn from_model(file: ModelFile) -> Result<Self> {
        let rows = &file.info.statistics.truncations;
        let off = |row: &Truncation| matches!(row, Truncation::Off);
        let row = rows.iter().position(off).unwrap_or_default();
        let mut tensors = file.tensors;
        for (name, table) in tensors.take_under("stats").0 {
            let &[count, width] = table.shape.as_slice() else {
                return Err(Error::tensor(format_args!("stats.{name}"))
                    .found(format_args!("{:?}", table.shape))
                    .expected("two dimensions: rows and channels"));
            };
            let values = table.values.get(row * width..(row + 1) * width);
            let values = values.ok_or_else(|| {
                Error::tensor(format_args!("stats.{name}"))
                    .found(format_args!("{count} rows"))
                    .expected(format_args!("{}, as the table of truncations", rows.len()))
            })?;
            let row = HostTensor {
                shape: vec![width],
                values: values.to_vec(),
            };
            let (layer, kind) = name.rsplit_once('.').unwrap_or((&name, ""));
            tensors.0.insert(format!("{layer}.stats.{kind}"), row);
        }
        Ok(Self {
            class_names: file.info.class_names,
            generator: (file.info.generator, tensors),
            average: None,
            discriminator: None,
        })
    }

    /// Whether a discriminator is among them; without one D starts anew.
    pub fn has_discriminator(&self) -> bool {
        self.discriminator.is_some()
    }

    /// What each class of a run starts from: the class of the same name; a new class from one whose name the run
    /// has not, drawn by the seed, each once before any is taken again.
    pub fn class_starts(&self, class_names: &[String], seed: u64) -> Vec<ClassStart> {
        let label = |name: &String| self.class_names.iter().position(|known| known == name);
        let same: Vec<Option<usize>> = class_names.iter().map(label).collect();
        let shuffled = permutation(seed, Stream::NewClasses, 0, self.class_names.len());
        let (taken, free): (Vec<usize>, Vec<usize>) = shuffled
            .into_iter()
            .map(|label| label as usize)
            .partition(|label| same.contains(&Some(*label)));
        let mut lent = free
            .into_iter()
            .chain(taken)
            .collect::<Vec<_>>()
            .into_iter()
            .cycle();
        same.into_iter()
            .map(|same| match same {
                Some(label) => ClassStart::Same(label),
                None => ClassStart::Borrowed(lent.next().unwrap_or_default()),
            })
            .collect()
    }

    /// Refuses networks that a recipe does not describe; their classes may differ.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the first key that differs, and both values.
    pub fn check(&self, config: &TrainConfig) -> Result<()> {
        same_keys("generator", &config.generator, &self.generator.0)?;
        if let Some((there, _)) = &self.discriminator {
            same_keys("discriminator", &config.discriminator, there)?;
        }
        let broken = |tensors: &HostTensors| {
            let mut values = tensors.0.iter();
            values.find_map(|(name, t)| {
                let value = t.values.iter().find(|value| !value.is_finite())?;
                Some((name.clone(), *value))
            })
        };
        let tensors = [Some(&self.generator.1), self.average.as_ref()];
        let discriminator = self.discriminator.as_ref().map(|(_, tensors)| tensors);
        match tensors
            .into_iter()
            .chain([discriminator])
            .flatten()
            .find_map(broken)
        {
            None => Ok(()),
            Some((name, value)) => Err(Error::not_finite(name)
                .found(value)
                .remedy("start from another file: this one is broken")),
        }
    }

    /// The state before the first step: these networks, with their classes rearranged by `starts`. Optimisers,
    /// counters and controls are new, and so is D if there is none; the average starts as theirs.
    ///
    /// # Errors
    /// As [`Pretrained::check`]; if a tensor is missing, surplus or of another shape.
    pub fn begin(
        self,
        config: &TrainConfig,
        starts: &[ClassStart],
        device: &Device,
    ) -> Result<TrainState> {
        self.check(config)?;
        let mut fresh = TrainState::new(config, device)?;
        let more = GeneratorConfig {
            classes: config.generator.classes + 1,
            ..config.generator.clone()
        };
        let axes = class_axes(&fresh.generator, &Generator::zeros(&more, device)?);
        let fit = |tensors| fit(fresh.generator.clone(), tensors, &axes, starts, device);
        let generator = fit(self.generator.1)?;
        let average = match self.average {
            Some(tensors) => fit(tensors)?,
            None => generator.clone(),
        };
        if let Some((_, tensors)) = self.discriminator {
            let more = DiscriminatorConfig {
                classes: config.discriminator.classes + 1,
                ..config.discriminator.clone()
            };
            let axes = class_axes(&fresh.discriminator, &Discriminator::zeros(&more, device)?);
            fresh.discriminator = self::fit(fresh.discriminator, tensors, &axes, starts, device)?;
        }
        fresh.ema = Ema {
            generator: average,
            initial_share: 0.0, // of weights that nobody trained
        };
        fresh.generator = generator;
        Ok(fresh)
    }
}

/// Refuses configurations that differ in more than their classes, and, as a model file has it folded in, spectral
/// norm.
fn same_keys<C: Serialize>(network: &str, recipe: &C, trained: &C) -> Result<()> {
    let fields = |config: &C| -> Result<BTreeMap<String, Value>> {
        sorted_json(config)
            .and_then(serde_json::from_value)
            .map_err(|error| Error::config(network).not_readable(error))
    };
    let (here, there) = (fields(recipe)?, fields(trained)?);
    let text = |value: Option<&Value>| value.map_or("not set".to_owned(), Value::to_string);
    for key in here.keys().chain(there.keys()) {
        let folded = key == "spectral_norm" && there.get(key) == Some(&Value::Bool(false));
        if key == "classes" || folded || here.get(key) == there.get(key) {
            continue;
        }
        return Err(Error::config(format_args!("{network}.{key}"))
            .found(text(here.get(key)))
            .expected(format_args!(
                "{}, as the trained network has it",
                text(there.get(key))
            ))
            .remedy("change the recipe: only the classes of a network to start from may differ"));
    }
    Ok(())
}

/// The axis of each tensor that counts classes, by the shapes of two networks that differ by one class.
fn class_axes<M: Module>(network: &M, with_one_more: &M) -> BTreeMap<String, usize> {
    let more = named_tensors(with_one_more);
    named_tensors(network)
        .into_iter()
        .filter_map(|(name, tensor)| {
            let shapes = tensor.shape.iter().zip(&more.get(&name)?.shape);
            let axis = shapes.enumerate().find(|(_, (a, b))| a != b)?.0;
            Some((name, axis))
        })
        .collect()
}

/// The network with trained tensors, its classes rearranged.
fn fit<M: Module>(
    network: M,
    mut trained: HostTensors,
    axes: &BTreeMap<String, usize>,
    starts: &[ClassStart],
    device: &Device,
) -> Result<M> {
    let labels: Vec<usize> = starts.iter().map(|start| start.label()).collect();
    for (name, axis) in axes {
        if let Some(tensor) = trained.0.remove(name) {
            let tensor = take_labels(name, &tensor, *axis, &labels)?;
            trained.0.insert(name.clone(), tensor);
        }
    }
    for (name, current) in named_tensors(&network) {
        let Some(layer) = name.strip_suffix(".u") else {
            continue;
        };
        // a model file has no vectors: spectral norm is folded in
        if trained.0.contains_key(&name) && !axes.contains_key(&name) {
            continue;
        }
        if let Some(weight) = trained.0.get(&format!("{layer}.weight"))
            && weight.shape.first() == current.shape.first()
        {
            let vector = left_vector(weight);
            trained.0.insert(name, vector);
        }
    }
    load_tensors(network, trained, device)
}

/// The tensor with these labels, in this order, along the axis that counts classes.
fn take_labels(
    name: &str,
    tensor: &HostTensor,
    axis: usize,
    labels: &[usize],
) -> Result<HostTensor> {
    let classes = tensor.shape.get(axis).copied().unwrap_or_default();
    if let Some(label) = labels.iter().find(|label| **label >= classes) {
        return Err(Error::tensor(name)
            .found(format_args!("{classes} classes"))
            .expected(format_args!("more than {label}, by its class names")));
    }
    let inner: usize = tensor.shape[axis + 1..].iter().product();
    let mut shape = tensor.shape.clone();
    shape[axis] = labels.len();
    let values = tensor
        .values
        .chunks_exact((classes * inner).max(1))
        .flat_map(|outer| {
            labels
                .iter()
                .map(move |l| &outer[l * inner..(l + 1) * inner])
        })
        .flatten()
        .copied()
        .collect();
    Ok(HostTensor { shape, values })
}

/// The left singular vector of the largest value of a weight as `[out, rest]`, by power steps.
fn left_vector(weight: &HostTensor) -> HostTensor {
    let out = weight.shape[0];
    let rest = weight.values.len() / out.max(1);
    let rows = || weight.values.chunks_exact(rest.max(1));
    let mut u = vec![1.0; out]; // not orthogonal to it but by chance
    for _ in 0..POWER_STEPS {
        let mut v = vec![0.0; rest]; // W^T u
        for (row, weight) in rows().zip(&u) {
            v.iter_mut()
                .zip(row)
                .for_each(|(v, w)| *v += f64::from(*w) * weight);
        }
        let v = unit(v);
        u = unit(
            rows()
                .map(|row| row.iter().zip(&v).map(|(w, v)| f64::from(*w) * v).sum())
                .collect(),
        );
    }
    HostTensor {
        shape: vec![out],
        values: u.into_iter().map(|value| value as f32).collect(),
    }
}

/// A vector divided by its length; 0 stays.
fn unit(mut vector: Vec<f64>) -> Vec<f64> {
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

#[cfg(test)]
mod tests {
    use pollster::FutureExt;

    use super::*;
    use crate::test_configs::{ARCHITECTURES, discriminator, generator};
    use crate::train::check_config;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn config(classes: usize) -> TrainConfig {
        let mut config = check_config(5);
        config.generator.classes = classes;
        config.discriminator.classes = classes;
        config
    }

    fn pretrained(config: &TrainConfig, class_names: &[&str]) -> (TrainState, Pretrained) {
        let state = TrainState::new(config, &Device::flex()).unwrap();
        let tensors = state.to_host().block_on().unwrap();
        let from = Pretrained::from_checkpoint(config, names(class_names), tensors);
        (state, from)
    }

    #[test]
    fn new_classes_borrow_those_that_the_run_has_not() {
        let (_, from) = pretrained(&config(3), &["a", "b", "c"]);
        let starts = from.class_starts(&names(&["b", "x", "y", "z"]), 1);
        assert_eq!(starts[0], ClassStart::Same(1));
        let mut lent: Vec<usize> = starts[1..3].iter().map(|start| start.label()).collect();
        lent.sort_unstable();
        assert_eq!(lent, [0, 2], "each of the others once");
        assert_eq!(
            starts[3],
            ClassStart::Borrowed(1),
            "then those of the run's own names"
        );
        assert_eq!(starts, from.class_starts(&names(&["b", "x", "y", "z"]), 1));
    }

    #[test]
    fn the_same_classes_begin_as_the_trained_networks_to_the_bit() {
        let config = config(3);
        let (state, from) = pretrained(&config, &["a", "b", "c"]);
        let mut other = config.clone();
        other.seed += 1;
        let starts = from.class_starts(&names(&["a", "b", "c"]), 7);
        let begun = from.begin(&other, &starts, &Device::flex()).unwrap();
        let host = |state: &TrainState| {
            let mut tensors = state.to_host().block_on().unwrap();
            tensors.0.remove("discriminator.embed.u"); // found anew
            tensors
        };
        assert_eq!(host(&begun), host(&state));
        assert_eq!((begun.g_step, begun.images_seen), (0, 0));
    }

    #[test]
    fn a_new_class_has_the_same_old_one_in_every_table() {
        for architecture in ARCHITECTURES {
            for embedding in [
                crate::config::ClassEmbedding::Shared { dim: 6 },
                crate::config::ClassEmbedding::PerLayer,
            ] {
                let mut config = config(5);
                config.generator = generator(architecture, 32);
                config.generator.class_embedding = embedding;
                config.discriminator = discriminator(architecture, 32);
                if config.validate().is_err() {
                    continue; // an embedding that the architecture does not have
                }
                let (state, from) = pretrained(&config, &["a", "b", "c", "d", "e"]);
                let mut fewer = config.clone();
                fewer.generator.classes = 2;
                fewer.discriminator.classes = 2;
                let starts = [ClassStart::Same(4), ClassStart::Borrowed(1)];
                let begun = from.begin(&fewer, &starts, &Device::flex()).unwrap();
                let whole = state.to_host().block_on().unwrap();
                let mut changed = 0;
                for (name, tensor) in begun.to_host().block_on().unwrap().0 {
                    let before = &whole.0[&name];
                    if before.shape == tensor.shape {
                        assert_eq!(tensor, *before, "{name}");
                    } else if !name.ends_with(".u") {
                        changed += 1;
                        let axis = (0..2)
                            .find(|a| before.shape[*a] != tensor.shape[*a])
                            .unwrap();
                        let expected = take_labels(&name, before, axis, &[4, 1]).unwrap();
                        assert_eq!(tensor, expected, "{name}");
                    }
                }
                assert!(
                    changed >= 3,
                    "{architecture:?}: G's table, the average's and D's"
                );
            }
        }
    }

    #[test]
    fn labels_are_taken_along_either_axis() {
        let tensor = HostTensor {
            shape: vec![2, 3],
            values: vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0],
        };
        let rows = take_labels("t", &tensor, 0, &[1]).unwrap();
        assert_eq!(
            (rows.shape, rows.values),
            (vec![1, 3], vec![10.0, 11.0, 12.0])
        );
        let columns = take_labels("t", &tensor, 1, &[2, 2, 0, 1]).unwrap();
        let expected = vec![2.0, 2.0, 0.0, 1.0, 12.0, 12.0, 10.0, 11.0];
        assert_eq!((columns.shape, columns.values), (vec![2, 4], expected));
        assert!(take_labels("t", &tensor, 0, &[2]).is_err());
    }

    #[test]
    fn the_vector_is_that_of_the_largest_singular_value() {
        // diag(3, 1) times a rotation of the input: left vectors are the axes
        let weight = HostTensor {
            shape: vec![2, 2],
            values: vec![3.0 * 0.6, 3.0 * 0.8, -0.8, 0.6],
        };
        let u = left_vector(&weight).values;
        assert!(
            (u[0].abs() - 1.0).abs() < 1e-6 && u[1].abs() < 1e-6,
            "{u:?}"
        );
    }

    #[test]
    fn other_networks_are_refused_with_both_values() {
        let trained = config(3);
        let (_, from) = pretrained(&trained, &["a", "b", "c"]);
        let mut wider = trained.clone();
        wider.generator.channels *= 2;
        let message = from.check(&wider).unwrap_err().to_string();
        assert!(message.contains("generator.channels"), "{message}");
        let [here, there] = [wider.generator.channels, trained.generator.channels];
        assert!(message.contains(&here.to_string()) && message.contains(&there.to_string()));
        let mut sharper = trained.clone();
        sharper.discriminator.attention = vec![8];
        let message = from.check(&sharper).unwrap_err().to_string();
        assert!(message.contains("discriminator.attention"), "{message}");
    }
}
