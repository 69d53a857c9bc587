//! A generator as ONNX, for other programs: ONNX Runtime, browsers' `onnxruntime-web`, and so on.
//!
//! | | name | shape | |
//! |---|---|---|---|
//! | input | `z` | `[n, z_dim]` | drawn as the model's `doc_string` says |
//! | input | `class_weights` | `[n, classes]` | one-hot for a label, or a mixture |
//! | output | `image` | `[n, 3, resolution, resolution]` | in [-1, 1] |
//!
//! All are f32, and n is chosen at each call. Spectral norm and the batch norm statistics of one truncation are folded
//! into the weights; the operators are those of opset 17. Nearest upsampling and the 3x3 after it are two nodes, as in
//! the paper's figure 15; the 1x1 of a shortcut comes before its upsampling, with which it commutes.

mod check;
mod description;
mod generator;
mod graph;
mod norms;
mod proto;
#[cfg(test)]
mod tests;
mod weights;

use prost::Message;

use self::generator::Layers;
use self::graph::Graph;
use self::proto::{ModelProto, OperatorSetIdProto};
use self::weights::Weights;
use crate::error::{Error, Result};
use crate::file::ModelFile;
use crate::statistics_table::{RowRule, TablePosition};
use crate::truncation::{LatentDistribution, Truncation};

pub use self::check::check;

/// Version of the operators.
pub const OPSET: i64 = 17;
/// Version of the format that came with these operators (ONNX 1.12).
const IR_VERSION: i64 = 8;
/// Most bytes of a protobuf message.
const MAX_BYTES: usize = i32::MAX as usize;
/// Name of the latents.
const Z: &str = "z";
/// Name of the classes.
const CLASS_WEIGHTS: &str = "class_weights";
/// Name of the result.
const IMAGE: &str = "image";

/// The generator of a model as the bytes of an ONNX file, with the batch norm statistics of a truncation: the position
/// in the model's table is the one that [`crate::sampler::Sampler`] takes.
///
/// # Errors
/// If the truncation is out of range, a tensor is missing, of another shape or not finite, spectral norm is not folded
/// into the weights, or the file would exceed the 2 GiB of a protobuf message.
pub fn encode(model: &ModelFile, truncation: Truncation) -> Result<Vec<u8>> {
    let bytes = message(model, truncation)?;
    if bytes.encoded_len() > MAX_BYTES {
        return Err(Error::memory("the ONNX model")
            .found(format_args!("{} bytes", bytes.encoded_len()))
            .expected(format_args!(
                "at most {MAX_BYTES}, the largest protobuf message"
            )));
    }
    Ok(bytes.encode_to_vec())
}

fn message(model: &ModelFile, truncation: Truncation) -> Result<ModelProto> {
    let info = &model.info;
    let config = &info.generator;
    config.validate()?;
    if config.spectral_norm {
        return Err(Error::file("generator.spectral_norm of the model")
            .found(true)
            .expected("false: folded into the weights")
            .remedy("export the model again"));
    }
    let distribution = LatentDistribution::new(config.latent, info.truncation_kind, truncation)?;
    let place = TablePosition::find(
        &info.statistics.truncations,
        info.truncation_kind,
        distribution.truncation(),
        RowRule::Linear,
    )?;
    let mut graph = Graph::new("generator");
    let drawn = description::drawn_from(config.latent, distribution);
    graph.input(
        Z,
        config.z_dim,
        &format!("drawn independently from {drawn}"),
    );
    graph.input(
        CLASS_WEIGHTS,
        config.classes,
        "one-hot, or weights that sum to 1",
    );
    let mut layers = Layers {
        graph,
        weights: Weights::new(model, place),
        config,
    };
    layers.network()?;
    let mut graph = layers.graph;
    let side = config.resolution;
    graph.output(IMAGE, &[crate::arch::RGB, side, side], "RGB in [-1, 1]");
    Ok(ModelProto {
        ir_version: IR_VERSION,
        producer_name: "biggan".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: description::text(info, distribution),
        graph: Some(graph.finish()),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
        metadata_props: description::metadata(info, distribution)?,
    })
}
