//! A module as named, flat tensors: for optimisers, averages, files and comparisons.
//!
//! Names are the module path joined by dots ("blocks.0.conv1.weight"); the order is that of the
//! module's fields and is the same in every process.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::{Error, Result};

/// A tensor of any rank, flattened.
#[derive(Debug, Clone)]
pub struct FlatTensor {
    /// Values, `[shape.product()]`.
    pub values: Tensor<1>,
    /// Shape in the module.
    pub shape: Vec<usize>,
    /// Whether the optimiser may change it (weights), or only passes do (statistics, vectors).
    pub trainable: bool,
}

/// Named tensors in alphabetical order.
pub type NamedTensors = BTreeMap<String, FlatTensor>;

/// Named tensors on the host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostTensors(pub BTreeMap<String, HostTensor>);

/// One f32 tensor on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostTensor {
    /// Shape.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub values: Vec<f32>,
}

#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn under(name: &str) -> Self {
        Self(
            name.split('.')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }
    fn enter(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }
    fn exit(&mut self) {
        self.0.pop();
    }
    fn name(&self) -> String {
        path_name(&self.0)
    }
}

/// Whether a name is a weight's, not that of state which only passes change: statistics of
/// batch norm and the vectors of spectral norm.
fn is_trainable(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    !matches!(last, "u" | "mean" | "variance")
}

/// Whether a name of G is the shared class embedding's, which weight regularisers exempt
/// (BigGAN-PyTorch `train_fns.py:75-80`).
#[cfg(feature = "train")]
pub(crate) fn is_shared_embedding(name: &str) -> bool {
    name.starts_with("shared.")
}

/// Whether a name of G is a running statistic of batch norm.
#[cfg(feature = "train")]
pub(crate) fn is_statistic(name: &str) -> bool {
    name.ends_with(".mean") || name.ends_with(".variance")
}

impl FlatTensor {
    /// A trainable weight of two or more dimensions as `[out, rest]`; `None` for other tensors.
    pub fn as_matrix(&self) -> Option<Tensor<2>> {
        if self.shape.len() < 2 || !self.trainable {
            return None;
        }
        let [out, len] = [self.shape[0], self.shape.iter().product()];
        Some(self.values.clone().reshape([out, len / out]))
    }
}

/// A module path as a name, without enum variants ("Linear", "Embedding").
pub(crate) fn path_name(path: &[String]) -> String {
    path.iter()
        .filter(|part| !part.starts_with(char::is_uppercase))
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(".")
}

/// All tensors of a module, without autodiff.
pub fn named_tensors<M: Module>(module: &M) -> NamedTensors {
    struct Collect {
        path: Path,
        found: NamedTensors,
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.enter(name);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val().without_autodiff();
            let shape = value.dims().to_vec();
            self.found.insert(
                self.path.name(),
                FlatTensor {
                    values: value.reshape([shape.iter().product::<usize>()]),
                    shape,
                    trainable: is_trainable(&self.path.name()),
                },
            );
        }
    }
    let mut collect = Collect {
        path: Path::default(),
        found: NamedTensors::new(),
    };
    module.visit(&mut collect);
    collect.found
}

/// The module with each tensor replaced by what `change` returns for its name and value.
///
/// # Errors
/// The first error of `change`; the module is then lost, so keep a clone.
pub fn map_tensors<M: Module>(
    module: M,
    change: impl FnMut(&str, FlatTensor) -> Result<Tensor<1>>,
) -> Result<M> {
    struct Change<F> {
        path: Path,
        change: F,
        error: Option<Error>,
    }
    impl<F: FnMut(&str, FlatTensor) -> Result<Tensor<1>>> ModuleMapper for Change<F> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.enter(name);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.exit();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if self.error.is_some() {
                return param;
            }
            let value = param.val();
            let dims = value.dims();
            let flat = FlatTensor {
                values: value.reshape([dims.iter().product::<usize>()]),
                shape: dims.to_vec(),
                trainable: is_trainable(&self.path.name()),
            };
            match (self.change)(&self.path.name(), flat) {
                Ok(values) => param.map(|_| values.reshape(dims)),
                Err(error) => {
                    self.error = Some(error);
                    param
                }
            }
        }
    }
    let mut change = Change {
        path: Path::default(),
        change,
        error: None,
    };
    let module = module.map(&mut change);
    match change.error {
        None => Ok(module),
        Some(error) => Err(error),
    }
}

/// A source of tensors that are taken one at a time, each once.
pub trait TensorSource {
    /// Removes a tensor, if there is one of that name.
    ///
    /// # Errors
    /// If its bytes cannot be read.
    fn take(&mut self, name: &str) -> Result<Option<HostTensor>>;

    /// The name of a tensor that has not been taken.
    fn left(&self) -> Option<&str>;
}

impl TensorSource for HostTensors {
    fn take(&mut self, name: &str) -> Result<Option<HostTensor>> {
        Ok(self.0.remove(name))
    }

    fn left(&self) -> Option<&str> {
        self.0.keys().next().map(String::as_str)
    }
}

/// The module with every tensor taken from `tensors`, moved to `device`. Each is freed on the host as it
/// is moved, so that a network is never held twice.
///
/// # Errors
/// If a tensor is missing, unexpected or of another shape; the message names it and both shapes.
pub fn load_tensors<M: Module>(
    module: M,
    mut tensors: impl TensorSource,
    device: &Device,
) -> Result<M> {
    let module = load_part("", module, &mut tensors, device)?;
    refuse_left(&tensors)?;
    Ok(module)
}

/// As [`load_tensors`] for a part of a network, of that name; other tensors stay.
///
/// # Errors
/// If a tensor is missing or of another shape; the message names it and both shapes.
pub fn load_part<M: Module>(
    part: &str,
    module: M,
    tensors: &mut dyn TensorSource,
    device: &Device,
) -> Result<M> {
    struct Load<'a> {
        path: Path,
        tensors: &'a mut dyn TensorSource,
        device: &'a Device,
        error: Option<Error>,
    }
    impl Load<'_> {
        fn value<const D: usize>(&mut self, shape: [usize; D]) -> Result<Tensor<D>> {
            let name = self.path.name();
            let tensor = self
                .tensors
                .take(&name)?
                .ok_or_else(|| Error::tensor(&name).found("missing from the file"))?;
            if tensor.shape != shape {
                return Err(Error::tensor(name)
                    .found(format_args!("{:?}", tensor.shape))
                    .expected(format_args!("{shape:?}, by the config")));
            }
            Ok(tensor.into_device(self.device).reshape(shape))
        }
    }
    impl ModuleMapper for Load<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.enter(name);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.exit();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if self.error.is_some() {
                return param;
            }
            match self.value(param.lazy_shape().dims()) {
                Ok(value) => {
                    let id = param.id;
                    param.transform_for_load(value, id)
                }
                Err(error) => {
                    self.error = Some(error);
                    param
                }
            }
        }
    }
    let mut load = Load {
        path: Path::under(part),
        tensors,
        device,
        error: None,
    };
    let module = module.map(&mut load);
    match load.error {
        None => Ok(module),
        Some(error) => Err(error),
    }
}

/// Refuses tensors that no part of a network took.
///
/// # Errors
/// If there is one; the message names it.
pub fn refuse_left(tensors: &dyn TensorSource) -> Result<()> {
    match tensors.left() {
        None => Ok(()),
        Some(name) => Err(Error::tensor(name)
            .found("in the file but not in the network that the config describes")),
    }
}

impl HostTensor {
    /// The values as a flat tensor on a device.
    pub fn into_device(self, device: &Device) -> Tensor<1> {
        let len = self.values.len();
        Tensor::from_data(TensorData::new(self.values, [len]), device)
    }
}

impl HostTensors {
    /// Reads tensors from their device.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn read(tensors: NamedTensors) -> Result<Self> {
        let mut host = BTreeMap::new();
        for (name, tensor) in tensors {
            let values = read_values(tensor.values).await?;
            host.insert(
                name,
                HostTensor {
                    shape: tensor.shape,
                    values,
                },
            );
        }
        Ok(Self(host))
    }

    /// Adds all of `other` under `prefix.`.
    pub fn extend_under(&mut self, prefix: &str, other: Self) {
        self.0.extend(
            other
                .0
                .into_iter()
                .map(|(name, t)| (format!("{prefix}.{name}"), t)),
        );
    }

    /// Removes and returns all under `prefix.`, without the prefix.
    #[must_use]
    pub fn take_under(&mut self, prefix: &str) -> Self {
        let dotted = format!("{prefix}.");
        let (under, rest) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|(name, _)| name.starts_with(&dotted));
        self.0 = rest;
        let under: BTreeMap<String, HostTensor> = under;
        Self(
            under
                .into_iter()
                .map(|(name, t)| (name[dotted.len()..].to_owned(), t))
                .collect(),
        )
    }
}

/// Reads a tensor as f32, row-major. Asynchronous, since a browser has no other way.
///
/// # Errors
/// If the device fails.
pub async fn read_values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let data = tensor.into_data_async().await.map_err(|error| {
        Error::device("a tensor").found(format_args!("not readable: {error:?}"))
    })?;
    data.try_to_vec::<f32>().map_err(|error| {
        Error::device("a tensor").found(format_args!("not readable as f32: {error:?}"))
    })
}
