//! Gradients of a network, by the names of its parameters.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use crate::named::path_name;

/// Gradients by parameter name, flat.
pub type Gradient = BTreeMap<String, Tensor<1>>;

/// Values of a gradient that a device adds in f32; the host adds the rest in f64.
const STRETCH: usize = 1024;

/// Sums of squares over stretches of a gradient, `[stretches]`, without autodiff, for
/// [`gradient_norm`]. `None` for a gradient without values.
pub fn squares(gradient: &Gradient) -> Option<Tensor<1>> {
    let sums = gradient.values().flat_map(|values| {
        let len = values.dims()[0];
        let whole = len / STRETCH;
        let squared = values.clone() * values.clone();
        let rows = (whole > 0).then(|| {
            let rows = squared.clone().narrow(0, 0, whole * STRETCH);
            rows.reshape([whole, STRETCH]).sum_dim(1).reshape([whole])
        });
        let rest = len - whole * STRETCH;
        let rest = (rest > 0).then(|| squared.narrow(0, whole * STRETCH, rest).sum());
        rows.into_iter().chain(rest)
    });
    let sums: Vec<Tensor<1>> = sums.collect();
    (!sums.is_empty()).then(|| Tensor::cat(sums, 0))
}

/// Euclidean norm of a whole gradient from its [`squares`], added in f64.
pub fn gradient_norm(squares: &[f32]) -> f64 {
    squares.iter().map(|&s| f64::from(s)).sum::<f64>().sqrt()
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn the_norm_is_that_of_all_values() {
        let device = Device::flex();
        let tensor = |len: usize, value: f32| {
            Tensor::<1>::from_data(TensorData::new(vec![value; len], [len]), &device)
        };
        // 3^2 * 2500 + 4^2 * 1024 + 5^2 * 7, over complete and incomplete stretches
        let gradient = Gradient::from([
            ("a".to_owned(), tensor(2500, 3.0)),
            ("b".to_owned(), tensor(STRETCH, -4.0)),
            ("c".to_owned(), tensor(7, 5.0)),
        ]);
        let sums = squares(&gradient).unwrap();
        assert_eq!(sums.dims(), [3 + 1 + 1]);
        let norm = gradient_norm(&sums.into_data().try_to_vec::<f32>().unwrap());
        assert_eq!(norm, (22_500.0f64 + 16_384.0 + 175.0).sqrt());
        assert!(squares(&Gradient::new()).is_none());
    }
}
