//! PyTorch's Adam: moments by the order of the parameters (PyTorch `torch/optim/optimizer.py`,
//! `state_dict`, and `adam.py`).

use std::collections::BTreeMap;

use super::report::{Fate, ReportLine};
use super::torch::{Node, TensorView};
use crate::error::{Error, Result};
use crate::named::{HostTensor, HostTensors};

/// Moments of an optimiser, and its steps.
#[derive(Debug, Default)]
pub(super) struct Moments {
    /// `first.<name>` and `second.<name>`, flat.
    pub tensors: HostTensors,
    /// Steps taken.
    pub time: usize,
    /// What the file says about itself.
    pub remark: String,
}

/// Reads the state of an optimiser over the parameters of a network.
///
/// `lines` is the report of the network's import: PyTorch numbers parameters in the order of the
/// `state_dict` without its buffers (both walk the modules alike).
///
/// # Errors
/// If it is not a state of Adam, or does not match the parameters; the message names the parameter.
pub(super) fn moments(root: Node<'_, '_>, lines: &[ReportLine]) -> Result<Moments> {
    let parameters: Vec<(&str, &[usize])> = lines
        .iter()
        .filter_map(|line| match &line.fate {
            Fate::Stored { name, .. } if is_parameter(name) => {
                Some((name.as_str(), line.shape.as_slice()))
            }
            _ => None,
        })
        .collect();
    let broken = |problem: String| Error::File(format!("optimiser: {problem}"));
    let groups = root.get("param_groups").and_then(Node::items);
    let Some([group]) = groups.as_deref() else {
        return Err(broken("not one group of parameters".into()));
    };
    let order = group.get("params").and_then(Node::items);
    let order: Option<Vec<i64>> =
        order.and_then(|order| order.into_iter().map(Node::integer).collect());
    let order = order.ok_or_else(|| broken("no list of parameters".into()))?;
    if order.len() != parameters.len() {
        return Err(broken(format!(
            "{} parameters, the network has {}; does it belong to these weights?",
            order.len(),
            parameters.len()
        )));
    }
    let state = root
        .get("state")
        .and_then(Node::entries)
        .ok_or_else(|| broken("no state".into()))?;
    let by_id: BTreeMap<i64, Node<'_, '_>> = state
        .into_iter()
        .filter_map(|(id, entry)| Some((id.integer()?, entry)))
        .collect();
    let mut moments = Moments::default();
    let mut time = None;
    for (id, (name, shape)) in order.iter().zip(parameters) {
        // a parameter that never had a gradient has no entry
        let Some(entry) = by_id.get(id) else { continue };
        if entry.get("max_exp_avg_sq").is_some() {
            return Err(broken(
                "AMSGrad is not Adam; train with a fresh optimiser".into(),
            ));
        }
        let steps = steps(*entry)
            .ok_or_else(|| broken(format!("the steps of {name} are not a whole number")))?;
        if *time.get_or_insert(steps) != steps {
            return Err(broken(format!(
                "{name} has {steps} steps, others have {}",
                time.unwrap_or_default()
            )));
        }
        for (key, prefix) in [("exp_avg", "first"), ("exp_avg_sq", "second")] {
            let tensor = entry.get(key).and_then(Node::tensor);
            let values = tensor
                .ok_or_else(|| broken(format!("no {key} of {name}")))
                .and_then(|tensor| read(tensor, shape, key, name))?;
            let tensor = HostTensor {
                shape: vec![values.len()],
                values,
            };
            moments.tensors.0.insert(format!("{prefix}.{name}"), tensor);
        }
    }
    moments.time = time.unwrap_or(0);
    moments.remark = format!(
        "Adam after {} steps: moments of {} parameters{}",
        moments.time,
        moments.tensors.0.len() / 2,
        constants(*group)
    );
    Ok(moments)
}

/// Whether a name is a weight, and not state that passes change.
fn is_parameter(name: &str) -> bool {
    !(name.ends_with(".u") || name.contains(".stats."))
}

/// Steps of an entry: an integer, or since PyTorch 1.12 a tensor.
fn steps(entry: Node<'_, '_>) -> Option<usize> {
    let step = entry.get("step")?;
    let steps = match step.tensor() {
        Some(tensor) if tensor.len() == 1 => f64::from(tensor.to_f32().ok()?[0]),
        Some(_) => return None,
        None => step.number()?,
    };
    // f32 counts exactly up to 2^24, which no published run reaches
    (steps >= 0.0 && steps.fract() == 0.0 && steps <= f64::from(1 << 24)).then_some(steps as usize)
}

fn read(tensor: &TensorView<'_>, shape: &[usize], key: &str, name: &str) -> Result<Vec<f32>> {
    let name = || format!("{key} of {name}");
    if tensor.shape() != shape {
        return Err(Error::tensor(
            name(),
            format!("has shape {:?}, the parameter {shape:?}", tensor.shape()),
        ));
    }
    let values = tensor
        .to_f32()
        .map_err(|problem| Error::tensor(name(), problem))?;
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::tensor(name(), format!("holds {value}"))),
        None => Ok(values),
    }
}

/// Learning rate and constants, in words: the recipe's are used.
fn constants(group: Node<'_, '_>) -> String {
    let number = |key: &str| group.get(key).and_then(Node::number);
    let betas = group.get("betas").and_then(Node::items);
    let betas: Option<Vec<f64>> =
        betas.and_then(|betas| betas.into_iter().map(Node::number).collect());
    match (number("lr"), betas.as_deref(), number("eps")) {
        (Some(lr), Some([beta1, beta2]), Some(eps)) => format!(
            "; it ran with lr {lr}, betas {beta1} and {beta2}, eps {eps}, the recipe's are used now"
        ),
        _ => String::new(),
    }
}
