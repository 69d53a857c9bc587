//! Linear layer and class embedding, with optional spectral norm.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::init::Initialiser;
use super::{Updates, spectral_norm};

/// `y = x W^T + b`.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[out, in]`, not normalised.
    pub weight: Param<Tensor<2>>,
    /// `[out]`
    pub bias: Option<Param<Tensor<1>>>,
    /// Left singular vector `[out]`; `None` if the weight is not normalised.
    pub u: Option<Param<Tensor<1>>>,
    #[module(skip)]
    sn_eps: f64,
}

impl Linear {
    /// A linear layer with orthogonal weight and zero bias.
    pub fn new(
        init: &mut Initialiser<'_>,
        [dim_in, dim_out]: [usize; 2],
        bias: bool,
        sn_eps: Option<f64>,
    ) -> Self {
        Self {
            weight: init.orthogonal([dim_out, dim_in]),
            bias: bias.then(|| init.constant([dim_out], 0.0)),
            u: sn_eps.map(|_| init.unit_vector(dim_out)),
            sn_eps: sn_eps.unwrap_or_default(),
        }
    }

    /// # Shapes
    /// - x: `[n, in]`
    /// - returns `[n, out]`
    pub fn forward(&self, x: Tensor<2>, updates: &mut Updates) -> Tensor<2> {
        let y = x.matmul(self.effective_weight(updates).transpose());
        match &self.bias {
            Some(bias) => y + bias.val().unsqueeze(),
            None => y,
        }
    }

    /// The weight as used: divided by its spectral norm where there is one.
    pub fn effective_weight(&self, updates: &mut Updates) -> Tensor<2> {
        spectral_norm::effective_weight(&self.weight, self.u.as_ref(), self.sn_eps, updates)
    }

    /// Folds the spectral norm into the weight, for inference.
    pub fn fold(&mut self) {
        let folded = self.effective_weight(&mut Updates::default());
        self.weight = Param::from_tensor(folded);
        self.u = None;
    }
}

/// One row per class, mixed by class weights.
///
/// Classes are given as weights `[n, classes]`, one-hot for a plain label: the same product handles labels
/// and mixtures of classes, and its gradient needs no scatter.
#[derive(Module, Debug)]
pub struct Embedding {
    /// `[classes, dim]`, not normalised.
    pub weight: Param<Tensor<2>>,
    /// Left singular vector `[classes]`; `None` if the weight is not normalised.
    pub u: Option<Param<Tensor<1>>>,
    #[module(skip)]
    sn_eps: f64,
}

impl Embedding {
    /// An embedding with orthogonal weight.
    pub fn new(
        init: &mut Initialiser<'_>,
        [classes, dim]: [usize; 2],
        sn_eps: Option<f64>,
    ) -> Self {
        Self {
            weight: init.orthogonal([classes, dim]),
            u: sn_eps.map(|_| init.unit_vector(classes)),
            sn_eps: sn_eps.unwrap_or_default(),
        }
    }

    /// # Shapes
    /// - class_weights: `[n, classes]`
    /// - returns `[n, dim]`
    pub fn forward(&self, class_weights: Tensor<2>, updates: &mut Updates) -> Tensor<2> {
        let u = self.u.as_ref();
        let weight = spectral_norm::effective_weight(&self.weight, u, self.sn_eps, updates);
        class_weights.matmul(weight)
    }
}
