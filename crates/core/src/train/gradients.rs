//! Gradients of a network, by the names of its parameters.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use crate::named::path_name;

/// Gradients by parameter name, flat.
pub type Gradient = BTreeMap<String, Tensor<1>>;

/// `sum <- sum + factor part`.
pub(super) fn add_scaled(sum: &mut Gradient, part: Gradient, factor: f64) {
    for (name, gradient) in part {
        let gradient = match factor {
            1.0 => gradient,
            factor => gradient * factor,
        };
        let gradient = match sum.remove(&name) {
            Some(before) => before + gradient,
            None => gradient,
        };
        sum.insert(name, gradient);
    }
}

/// Gradients of a module's trainable parameters, flat, by name.
pub(crate) fn named_gradients<M: Module>(module: &M, mut gradients: Gradients) -> Gradient {
    struct Collect<'a> {
        path: Vec<String>,
        gradients: &'a mut Gradients,
        found: Gradient,
    }
    impl ModuleVisitor for Collect<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = param.val().grad_remove(self.gradients) {
                let len = gradient.dims().iter().product::<usize>();
                self.found
                    .insert(path_name(&self.path), gradient.reshape([len]));
            }
        }
    }
    let mut collect = Collect {
        path: Vec::new(),
        gradients: &mut gradients,
        found: Gradient::new(),
    };
    module.visit(&mut collect);
    collect.found
}
