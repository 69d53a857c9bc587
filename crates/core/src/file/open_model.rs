//! A model whose weights are still the bytes of its file or parts.

use std::collections::BTreeMap;

use safetensors::tensor::TensorInfo;

use super::container::{OpenFile, ReadAt, SCALE, Values, open, open_at};
use super::model_file::{ModelFile, ModelInfo};
use super::quantised::{restored, scaled};
use super::shards::Index;
use crate::error::{Error, Result};
use crate::named::{HostTensor, HostTensors, TensorSource};

/// A model that has been checked but not read: tensors are widened to f32 when they are taken.
pub struct OpenModel<'a> {
    info: ModelInfo,
    files: Vec<OpenFile<Box<dyn Values + 'a>>>,
    /// Tensors that have not been taken, and the file that holds each.
    left: BTreeMap<String, (usize, TensorInfo)>,
}

impl<'a> OpenModel<'a> {
    /// Opens a model file.
    ///
    /// # Errors
    /// As [`ModelFile::decode`].
    pub fn file(bytes: &'a [u8]) -> Result<Self> {
        Self::whole(open(bytes)?)
    }

    /// Opens a model file that is read where it lies, a tensor at a time, so that it takes no memory as a whole.
    ///
    /// # Errors
    /// As [`ModelFile::decode`]; or if the file cannot be read.
    pub fn file_at(file: &'a dyn ReadAt) -> Result<Self> {
        Self::whole(open_at(file)?)
    }

    fn whole<V: Values + 'a>(file: OpenFile<V>) -> Result<Self> {
        // first: a foreign file is refused before its tensors take memory
        let info = ModelInfo::from_metadata(&file.metadata)?;
        Ok(Self::checked(info, vec![file]))
    }

    /// Opens a model from its index and all of its parts, by name.
    ///
    /// # Errors
    /// As [`ModelFile::decode_shards`].
    pub fn shards<B: AsRef<[u8]>>(index: &[u8], parts: &'a BTreeMap<String, B>) -> Result<Self> {
        let index = Index::read(index)?;
        let info = index.info()?;
        let files = index.parts()?.into_iter().map(|name| {
            let bytes = parts.get(name).ok_or_else(|| {
                Error::file(name)
                    .found("missing")
                    .remedy("give all parts that the index names")
            })?;
            index.open_part(name, bytes.as_ref())
        });
        let files = files.collect::<Result<Vec<_>>>()?;
        index.check_total(files.iter().map(|file| file.data.len()).sum())?;
        Ok(Self::checked(info, files))
    }

    fn checked<V: Values + 'a>(info: ModelInfo, files: Vec<OpenFile<V>>) -> Self {
        let entries = files.iter().enumerate().flat_map(|(number, file)| {
            let entries = file.entries.iter();
            entries.map(move |(name, info)| (name.clone(), (number, info.clone())))
        });
        Self {
            info,
            left: entries.collect(),
            files: files.into_iter().map(OpenFile::boxed).collect(),
        }
    }

    /// What the file says about the model.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// All of it, widened.
    ///
    /// # Errors
    /// If a tensor has another type than f32 and f16.
    pub fn read(self) -> Result<ModelFile> {
        let tensors = self
            .left
            .iter()
            .map(|(name, (file, info))| Ok((name.clone(), self.files[*file].tensor(name, info)?)));
        let tensors = HostTensors(tensors.collect::<Result<_>>()?);
        Ok(ModelFile {
            info: self.info,
            tensors: restored(tensors)?,
        })
    }
}

impl ModelFile {
    /// Reads and checks a model file.
    ///
    /// # Errors
    /// If it is truncated, of another format or version, or its config is not valid; the message
    /// names both values.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        OpenModel::file(bytes)?.read()
    }
}

impl TensorSource for OpenModel<'_> {
    fn take(&mut self, name: &str) -> Result<Option<HostTensor>> {
        let Some((file, info)) = self.left.remove(name) else {
            return Ok(None);
        };
        let tensor = self.files[file].tensor(name, &info)?;
        let scales = format!("{name}{SCALE}");
        match self.left.remove(&scales) {
            None => Ok(Some(tensor)),
            Some((file, info)) => {
                let scales = self.files[file].tensor(&scales, &info)?;
                scaled(name, tensor, &scales).map(Some)
            }
        }
    }

    fn left(&self) -> Option<&str> {
        self.left.keys().next().map(String::as_str)
    }
}
