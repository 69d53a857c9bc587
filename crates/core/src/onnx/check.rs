//! Whether bytes are a graph that a runtime can compute: what is written is read again before it replaces a file.

use std::collections::BTreeSet;

use prost::Message;

use super::IMAGE;
use super::proto::{DataType, GraphProto, ModelProto, TensorProto};
use crate::error::{Error, Result};

/// Reads an exported model again.
///
/// # Errors
/// If the bytes do not decode, a value is used before it is computed, computed twice or has the wrong number of bytes,
/// a constant is not finite, or there is no image.
pub fn check(bytes: &[u8]) -> Result<()> {
    let broken = |why: &dyn std::fmt::Display| Error::file("the ONNX model").not_readable(why);
    let model = ModelProto::decode(bytes).map_err(|error| broken(&error))?;
    let graph = model.graph.ok_or_else(|| broken(&"it has no graph"))?;
    values(&graph).map_err(|error| broken(&error))
}

/// Follows the nodes in their order.
fn values(graph: &GraphProto) -> std::result::Result<(), String> {
    let mut known: BTreeSet<&str> = graph.input.iter().map(|input| &*input.name).collect();
    for constant in &graph.initializer {
        whole(constant)?;
        if !known.insert(&constant.name) {
            return Err(format!("{} is there twice", constant.name));
        }
    }
    for node in &graph.node {
        let mut inputs = node.input.iter().filter(|input| !input.is_empty());
        if let Some(missing) = inputs.find(|input| !known.contains(&***input)) {
            return Err(format!("{} uses {missing}, which is not there", node.name));
        }
        for output in &node.output {
            if !known.insert(output) {
                return Err(format!("{output} is computed twice"));
            }
        }
    }
    match graph
        .output
        .iter()
        .all(|output| known.contains(&*output.name))
        && known.contains(IMAGE)
    {
        true => Ok(()),
        false => Err(format!("it does not compute {IMAGE}")),
    }
}

/// Whether a constant has the bytes of its shape, and finite values.
fn whole(constant: &TensorProto) -> std::result::Result<(), String> {
    let name = &constant.name;
    let size = match constant.data_type() {
        DataType::Float => size_of::<f32>(),
        DataType::Int64 => size_of::<i64>(),
        DataType::Undefined => return Err(format!("{name} has no type")),
    };
    let count: i64 = constant.dims.iter().product();
    let expected = count as usize * size;
    if constant.raw_data.len() != expected {
        return Err(format!(
            "{name} has {} bytes, expected {expected}",
            constant.raw_data.len()
        ));
    }
    let (floats, _) = constant.raw_data.as_chunks::<4>();
    let finite = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes).is_finite();
    match constant.data_type() == DataType::Float && !floats.iter().all(finite) {
        true => Err(format!("{name} has a value that is not finite")),
        false => Ok(()),
    }
}
