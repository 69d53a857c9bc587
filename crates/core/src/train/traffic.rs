//! What a round sends: the sums over ranks in its steps, computed from shapes.

use super::TrainConfig;
use crate::error::Result;
use crate::shape::NetworkShape;

/// Sums over ranks of a round (`d_steps` steps of D and one of G), each as its number of f32 values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundTraffic {
    /// Tables of batch norm's moments, `[ranks, 2 channels]` forward, one per layer and pass of G.
    pub moments: Vec<usize>,
    /// Sums of batch norm's backward pass, `[2 channels]`, one per layer.
    pub norm_gradients: Vec<usize>,
    /// Logits.
    pub logits: Vec<usize>,
    /// Buckets of gradients.
    pub gradients: Vec<usize>,
    /// Values of penalties, and running statistics if groups have their own.
    pub other: Vec<usize>,
}

impl RoundTraffic {
    /// The traffic of a round on `ranks` ranks, of which `norm` share batch norm's statistics; penalties are
    /// counted in every step.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn count(config: &TrainConfig, ranks: usize, norm: usize) -> Result<Self> {
        let g = NetworkShape::generator(&config.generator)?;
        let d = NetworkShape::discriminator(&config.discriminator)?;
        let techniques = &config.techniques;
        let norms: Vec<usize> = g
            .layers
            .iter()
            .flat_map(|layer| layer.norms.clone())
            .collect();
        let parts = techniques.parts(config.batch_size);
        let shared = norm > 1;
        let d_steps = config.d_steps;
        let passes = if shared {
            (d_steps + 1) * parts.len()
        } else {
            0
        };
        let backward = if shared { parts.len() } else { 0 };
        let tables = norms.iter().map(|channels| norm * 2 * channels);
        let sums = norms.iter().map(|channels| 2 * channels);
        let logits = |columns: usize| parts.iter().map(move |part| columns * part.len());
        let columns = if techniques.objective.pairs() { 2 } else { 1 };
        let penalties = [&techniques.r1, &techniques.r2];
        let penalties = penalties.into_iter().flatten().count();
        let statistics = match norm < ranks {
            true => vec![2 * norms.iter().sum::<usize>(); d_steps + 1],
            false => vec![],
        };
        Ok(Self {
            moments: repeat(tables, passes),
            norm_gradients: repeat(sums, backward),
            logits: repeat(logits(2), d_steps)
                .into_iter()
                .chain(logits(columns))
                .collect(),
            gradients: repeat(bucket_lens(&d).into_iter(), d_steps)
                .into_iter()
                .chain(bucket_lens(&g))
                .collect(),
            other: [vec![1; penalties * d_steps], statistics].concat(),
        })
    }

    /// Number of sums, and of values in them.
    pub fn total(&self) -> [u64; 2] {
        let all = || {
            let small = self.moments.iter().chain(&self.norm_gradients);
            small
                .chain(&self.logits)
                .chain(&self.gradients)
                .chain(&self.other)
        };
        [all().count() as u64, all().map(|&len| len as u64).sum()]
    }
}

fn repeat(values: impl Iterator<Item = usize>, times: usize) -> Vec<usize> {
    values.collect::<Vec<_>>().repeat(times)
}

/// The buckets of a network's gradients: parameters in the order of their names.
fn bucket_lens(network: &NetworkShape) -> Vec<usize> {
    let tensors = network.layers.iter().flat_map(|layer| &layer.tensors);
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort();
    let lens: Vec<usize> = tensors
        .iter()
        .map(|(_, shape)| shape.iter().product())
        .collect();
    let of = |bucket: std::ops::Range<usize>| lens[bucket].iter().sum();
    super::reduce::buckets(&lens).into_iter().map(of).collect()
}
