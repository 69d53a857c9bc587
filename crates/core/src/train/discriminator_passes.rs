//! D's passes over the fakes and the reals of a step.

use burn::module::Module;
use burn::tensor::Tensor;

use super::augment::augmented;
use super::gradient_penalty::{AtImages, Unaugmented, half_square};
use super::gradients::{Gradient, named_gradients};
use crate::layers::Updates;
use crate::model::Discriminator;

/// One pass over the batches with a gradient penalty, and one over the others; each takes the same power step.
#[derive(Debug)]
pub(super) struct Passes {
    live: Discriminator,
    /// Images of the fakes and of the reals, and whether a penalty acts on them.
    batches: [(usize, bool); 2],
    penalised: Option<AtImages>,
    /// Logits with their graph.
    others: Option<Tensor<2>>,
}

impl Passes {
    /// The passes over fakes and reals, images without autodiff.
    ///
    /// # State
    /// The next singular vectors go to `updates`.
    pub fn new(
        discriminator: &Discriminator,
        batches: [Unaugmented<'_>; 2],
        penalised: [bool; 2],
        updates: &mut Updates,
    ) -> Self {
        let live = discriminator.clone().train();
        let lens = batches.each_ref().map(|batch| batch.images.dims()[0]);
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for (batch, acts) in batches.into_iter().zip(penalised) {
            if acts { &mut with } else { &mut without }.push(batch);
        }
        let others = (!without.is_empty()).then(|| {
            let images = without
                .iter()
                .map(|batch| augmented(batch.images.clone(), batch.augment));
            let images = Tensor::cat(images.collect(), 0).autodiff();
            let classes = without.into_iter().map(|batch| batch.class_weights);
            let classes = Tensor::cat(classes.collect(), 0).autodiff();
            live.forward(images, classes, updates)
        });
        Self {
            batches: [0, 1].map(|which| (lens[which], penalised[which])),
            penalised: (!with.is_empty()).then(|| AtImages::new(discriminator, &with, updates)),
            others,
            live,
        }
    }

    /// Logits of fakes and of reals, `[n, 1]`, without autodiff.
    pub fn logits(&self) -> [Tensor<2>; 2] {
        let penalised = self.penalised.as_ref().map(|at| at.logits.clone());
        let others = self.others.clone().map(Tensor::without_autodiff);
        let mut firsts = [0, 0];
        self.batches.map(|(len, acts)| {
            let logits = if acts { &penalised } else { &others };
            let first = &mut firsts[usize::from(acts)];
            let logits = logits.clone().expect("a pass over the batch");
            *first += len;
            logits.narrow(0, *first - len, len)
        })
    }

    /// `E || grad_x D ||^2 / 2` of fakes and of reals, `[1]`, where a penalty acts.
    pub fn penalties(&self) -> [Option<Tensor<1>>; 2] {
        let all = self.penalised.iter().flat_map(|at| &at.image_gradients);
        let mut values = all.map(half_square);
        self.batches
            .map(|(_, acts)| acts.then(|| values.next()).flatten())
    }

    /// The gradient of the objective, given its derivatives by the logits, plus that of each penalty times its
    /// strength.
    pub fn gradients(self, by_logits: [Tensor<2>; 2], strengths: [f64; 2]) -> Gradient {
        let of = |acts: bool| {
            let some = by_logits.iter().zip(self.batches);
            let some = some.filter(|(_, (_, acts_on))| *acts_on == acts);
            Tensor::cat(some.map(|(factors, _)| factors.clone()).collect(), 0)
        };
        let others = self
            .others
            .clone()
            .map(|logits| (logits * of(false).autodiff()).sum());
        let strengths: Vec<f64> = self
            .batches
            .iter()
            .zip(strengths)
            .filter_map(|((_, acts), strength)| acts.then_some(strength))
            .collect();
        let factors = self.penalised.is_some().then(|| of(true));
        let penalised = self
            .penalised
            .zip(factors)
            .map(|(at, factors)| at.along(&self.live, factors, &strengths));
        let total = others.into_iter().chain(penalised);
        let total = total.reduce(|a, b| a + b).expect("a step has images");
        named_gradients(&self.live, total.backward())
    }
}
