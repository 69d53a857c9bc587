//! The files of the project, as bytes: models that ship and checkpoints of runs.
//!
//! Both are safetensors with a JSON header in `__metadata__`; reading never executes anything and
//! checks sizes before it takes memory (the safetensors reader validates every offset).

mod container;
mod model_file;

pub use container::{Dtype, StoredTensors, decode, encode, encode_with, weights_dtype};
pub use model_file::{
    DatasetInfo, FORMAT, FORMAT_VERSION, ModelFile, ModelInfo, Provenance, StatisticsTable,
};
