//! The project's files, as bytes: models that ship and checkpoints of runs.
//!
//! Both are safetensors with a JSON header in `__metadata__`; reading never executes anything and
//! checks sizes before it allocates memory (the safetensors reader validates every offset). The same
//! content always gives the same bytes.

mod container;
mod digests;
mod first_bytes;
mod label_rows;
mod model_file;
mod open_model;
mod pack;
mod quantised;
mod shards;

#[doc(hidden)] // for readers of safetensors of their own: native-train
pub use container::not_safetensors;
pub use container::{Dtype, ReadAt, StoredTensors, decode, encode, encode_with, read_metadata};
pub use first_bytes::FirstBytes;
pub use label_rows::LabelRows;
pub use model_file::{
    DataSource, DatasetInfo, FORMAT, FORMAT_VERSION, ImportedFrom, LISTING, ModelFile, ModelInfo,
    Provenance, StatisticsTable,
};
pub use open_model::OpenModel;
pub use pack::{Pack, PackWriter};
pub use quantised::rounded;
pub use shards::{INDEX_SUFFIX, check_part_name, part_names, sha256_hex};
