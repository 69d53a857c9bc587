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
    let groups = root.get("param_groups").and_then(Node::items);
    let Some([group]) = groups.as_deref() else {
        return Err(broken("param_groups").expected("one group"));
    };
    let order = group.get("params").and_then(Node::items);
    let order: Option<Vec<i64>> =
        order.and_then(|order| order.into_iter().map(Node::integer).collect());
    let order = order.ok_or_else(|| broken("params").expected("a list"))?;
    if order.len() != parameters.len() {
        return Err(broken("the number of parameters")
            .found(order.len())
            .expected(format_args!("{}, as in the network", parameters.len()))
            .remedy("give the optimiser of these weights"));
    }
    let state = root
        .get("state")
        .and_then(Node::entries)
        .ok_or_else(|| broken("state").found("missing"))?;
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
            return Err(broken("the optimiser")
                .found("AMSGrad")
                .expected("Adam")
                .remedy("train with a fresh optimiser"));
        }
        let steps = steps(*entry)
            .ok_or_else(|| broken(format_args!("steps of {name}")).expected("a whole number"))?;
        if *time.get_or_insert(steps) != steps {
            return Err(broken(format_args!("steps of {name}"))
                .found(steps)
                .expected(format_args!("{}, as of others", time.unwrap_or_default())));
        }
        for (key, prefix) in [("exp_avg", "first"), ("exp_avg_sq", "second")] {
            let tensor = entry.get(key).and_then(Node::tensor);
            let values = tensor
                .ok_or_else(|| broken(format_args!("{key} of {name}")).found("missing"))
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

fn broken(name: impl std::fmt::Display) -> Error {
    Error::file(name).within("optimiser")
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
        return Err(Error::tensor(name())
            .found(format_args!("{:?}", tensor.shape()))
            .expected(format_args!("{shape:?}, as the parameter")));
    }
    let values = tensor
        .to_f32()
        .map_err(|problem| Error::tensor(name()).found(problem))?;
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::tensor(name()).found(value).expected("finite values")),
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
