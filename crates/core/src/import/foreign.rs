//! The tensors of a foreign file, with a record of what became of each: nothing is lost silently.

use std::collections::BTreeMap;

use super::report::{Fate, ReportLine};
use super::torch::{Node, TensorView};
use super::wrapper::{AVERAGED, wrapper};
use crate::error::{Error, Result};

/// The tensors of a `state_dict`.
#[derive(Debug)]
pub(super) struct Foreign<'f, 'a> {
    tensors: Vec<(&'a str, &'f TensorView<'a>)>,
    fates: Vec<Option<Fate>>,
    by_name: BTreeMap<&'a str, usize>,
}

impl<'f, 'a> Foreign<'f, 'a> {
    /// The tensors of a dictionary. What all names begin with only because the network was wrapped (`module.`, of
    /// PyTorch's DataParallel) is dropped.
    ///
    /// # Errors
    /// If it is not a dictionary of tensors, or a name occurs twice.
    pub fn new(state_dict: Node<'f, 'a>) -> Result<Self> {
        let mut tensors = state_dict.state_dict()?;
        let wrapper = wrapper(tensors.iter().map(|(name, _)| *name));
        for (name, _) in &mut tensors {
            // the count of averages stands outside
            if *name != AVERAGED {
                *name = &name[wrapper..];
            }
        }
        let mut by_name = BTreeMap::new();
        for (index, (name, _)) in tensors.iter().enumerate() {
            if by_name.insert(*name, index).is_some() {
                return Err(Error::tensor(*name).found("in the file twice"));
            }
        }
        let mut foreign = Self {
            fates: vec![None; tensors.len()],
            tensors,
            by_name,
        };
        foreign.leave(AVERAGED, "number of averaged models");
        Ok(foreign)
    }

    /// Names in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.tensors.iter().map(|(name, _)| *name)
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&'f [usize]> {
        Some(self.tensors[*self.by_name.get(name)?].1.shape())
    }

    /// Reads a tensor of a known shape and records what becomes of it.
    ///
    /// # Errors
    /// If it is missing, has another shape, an unreadable type or a value that is not finite; the
    /// message names it, both shapes and where it would go.
    pub fn take(&mut self, name: &str, shape: &[usize], fate: Fate) -> Result<Vec<f32>> {
        let goal = || match &fate {
            Fate::Stored { name, .. } => name.clone(),
            Fate::Used(purpose) | Fate::Left(purpose) => (*purpose).to_owned(),
        };
        let Some(&index) = self.by_name.get(name) else {
            return Err(Error::tensor(name)
                .found("missing from the file")
                .expected(format_args!("for {}", goal())));
        };
        let (name, tensor) = self.tensors[index];
        if !same_shape(tensor.shape(), shape) {
            return Err(Error::tensor(name)
                .found(format_args!("{:?}", tensor.shape()))
                .expected(format_args!("{shape:?} for {}", goal())));
        }
        let values = tensor
            .to_f32()
            .map_err(|problem| Error::tensor(name).found(problem))?;
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(Error::tensor(name).found(value).expected("finite values"));
        }
        self.fates[index] = Some(fate);
        Ok(values)
    }

    /// Records why a tensor is ignored, if the file has it.
    pub fn leave(&mut self, name: &str, reason: &'static str) {
        if let Some(&index) = self.by_name.get(name) {
            self.fates[index] = Some(Fate::Left(reason));
        }
    }

    /// Records why tensors are ignored: all with these endings that are neither used nor ignored yet.
    pub fn leave_endings(&mut self, endings: &[(&str, &'static str)]) {
        for ((name, _), fate) in self.tensors.iter().zip(&mut self.fates) {
            if fate.is_none() {
                let known = endings.iter().find(|(ending, _)| name.ends_with(ending));
                *fate = known.map(|(_, reason)| Fate::Left(reason));
            }
        }
    }

    /// The record.
    ///
    /// # Errors
    /// If a tensor is neither used nor ignored; the message names it.
    pub fn finish(self) -> Result<Vec<ReportLine>> {
        self.tensors
            .into_iter()
            .zip(self.fates)
            .map(|((name, tensor), fate)| {
                let shape = tensor.shape().to_vec();
                let fate = fate.ok_or_else(|| {
                    Error::tensor(name).found(format_args!(
                        "{shape:?}, with no place in the network that the config describes"
                    ))
                })?;
                Ok(ReportLine {
                    name: name.to_owned(),
                    shape,
                    fate,
                })
            })
            .collect()
    }
}

/// Equal up to dimensions of 1: in BigGAN-PyTorch singular vectors are `[1, n]` and gamma has
/// no dimensions.
fn same_shape(found: &[usize], expected: &[usize]) -> bool {
    let long =
        |shape: &[usize]| -> Vec<usize> { shape.iter().copied().filter(|&dim| dim != 1).collect() };
    found == expected || (expected.len() == 1 && long(found) == long(expected))
}
