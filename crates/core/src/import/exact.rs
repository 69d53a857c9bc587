//! A `state_dict` that must hold exactly the tensors of a known network, for feature networks, whose
//! shapes never vary.

use std::collections::BTreeMap;

use super::foreign::Foreign;
use super::report::Fate;
use super::torch::TorchFile;
use crate::error::Result;
use crate::named::{HostTensor, HostTensors};

/// The expected tensors of a file of `torch.save`. `unused` lists the endings of names that may occur
/// too, and why they are ignored.
///
/// # Errors
/// If it is not such a file, or holds another network: the message names the first tensor that is missing or
/// of another shape, with both shapes, or else an unexpected tensor.
pub(crate) fn exact(
    bytes: &[u8],
    expected: &[(String, Vec<usize>)],
    unused: &[(&str, &'static str)],
) -> Result<HostTensors> {
    let file = TorchFile::open(bytes)?;
    let mut foreign = Foreign::new(file.root())?;
    let mut tensors = BTreeMap::new();
    for (name, shape) in expected {
        let values = foreign.take(name, shape, Fate::Used("the feature network"))?;
        let shape = shape.clone();
        tensors.insert(name.clone(), HostTensor { shape, values });
    }
    foreign.leave_endings(unused);
    foreign.finish()?;
    Ok(HostTensors(tensors))
}
