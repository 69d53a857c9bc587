//! A generator prepared for inference on the CPU: what its weights alone decide is computed once.
//!
//! Spectral norm and attention's gamma are in the weights, which are arranged as the kernels read them; batch norm with
//! fixed statistics is a scale and a shift that depend on the condition alone, `scale = c Wg + s` and
//! `shift = c Wb + t`, and happens with its ReLU while the next convolution reads its input. The maps of a pass are kept
//! for the next. The formulas are those of [`Generator`] with [`NormMode::Stored`](crate::layers::NormMode), whose
//! pictures are the same up to the rounding of sums in another order.

use burn::tensor::Tensor;

use super::Generator;
use crate::arch::{BOTTOM, RGB};
use crate::blocks::{DeepGeneratorBlock, GeneratorBlock, PlainGeneratorBlock};
use crate::config::GeneratorConfig;
use crate::error::Result;
use crate::kernels::inference::{self, Affine, Convolution, Norm};
use crate::layers::{
    BatchNorm, ConditionProjection, ConditionalBatchNorm, Conv2d, Linear, Normaliser, SelfAttention,
};
use crate::named::read_values;

/// See the module.
#[derive(Debug)]
pub struct PreparedGenerator {
    config: GeneratorConfig,
    /// `[classes, dim]` of a shared embedding.
    shared: Option<Affine>,
    linear: Affine,
    blocks: Vec<Block>,
    last_norm: ScaleShift,
    last: Convolution,
    maps: Maps,
}

/// A residual block: layers in their order, each after its normalisation.
#[derive(Debug)]
struct Block {
    side: usize,
    upsamples: bool,
    norms: Vec<ScaleShift>,
    layers: Vec<Convolution>,
    skip: Skip,
    attention: Option<Attention>,
}

/// What is added to a block's last convolution, before upsampling.
#[derive(Debug)]
enum Skip {
    Convolution(Convolution),
    /// The first feature maps of this many.
    First {
        kept: usize,
        of: usize,
    },
}

#[derive(Debug)]
struct Attention {
    side: usize,
    theta: Convolution,
    phi: Convolution,
    g: Convolution,
    /// With gamma.
    o: Convolution,
}

/// A normaliser's two projections and what the statistics make of them.
#[derive(Debug)]
struct ScaleShift {
    /// Of 1 + gain and of bias, each `[condition, channels]`, and their constant parts.
    projections: [Affine; 2],
    eps: f64,
    /// `[condition, 2 channels]`
    folded: Affine,
}

/// Memory of a pass.
#[derive(Debug, Default)]
struct Maps {
    x: Vec<f32>,
    y: Vec<f32>,
    inner: [Vec<f32>; 2],
    skip: Vec<f32>,
    table: Vec<f32>,
}

/// At least `len` values, of which only the new ones are cleared.
fn room(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() < len {
        values.resize(len, 0.0);
    }
    &mut values[..len]
}

impl PreparedGenerator {
    /// Prepares a [folded](Generator::folded) generator with its statistics.
    ///
    /// # Panics
    /// If it is not folded.
    ///
    /// # Errors
    /// If the device cannot be read.
    pub async fn new(generator: &Generator) -> Result<Self> {
        let config = generator.config().clone();
        assert!(
            !config.spectral_norm,
            "the generator to prepare is not folded"
        );
        let shared = match &generator.shared {
            Some(shared) => Some(without_bias(
                read(shared.weight.val()).await?,
                config.classes,
            )),
            None => None,
        };
        let mut blocks = Vec::new();
        let mut side = BOTTOM;
        for block in &generator.blocks {
            let block = Block::new(block, side).await?;
            side <<= usize::from(block.upsamples);
            blocks.push(block);
        }
        let mut linear = transposed(&generator.linear).await?;
        if let Some(bias) = &generator.linear.bias {
            linear.bias = read(bias.val()).await?;
        }
        let mut prepared = Self {
            shared,
            linear,
            blocks,
            last_norm: ScaleShift::unconditional(&generator.output_bn).await?,
            last: convolution(&generator.output_conv, side, false).await?,
            config,
            maps: Maps::default(),
        };
        let mut statistics = Vec::new();
        for (_, normaliser) in generator.clone().normalisers_mut() {
            let (mean, variance) = (normaliser.mean.val(), normaliser.variance.val());
            statistics.push([read(mean).await?, read(variance).await?]);
        }
        prepared.set_statistics(&statistics);
        Ok(prepared)
    }

    /// Means and variances, in the order of [`Generator::normalisers_mut`].
    pub fn set_statistics(&mut self, statistics: &[[Vec<f32>; 2]]) {
        let norms = self.blocks.iter_mut().flat_map(|block| &mut block.norms);
        for (norm, [mean, variance]) in norms.chain([&mut self.last_norm]).zip(statistics) {
            norm.fold(mean, variance);
        }
    }

    /// Images of latents, one after the other.
    ///
    /// # Shapes
    /// - z: `[n, z_dim]`, class_weights: `[n, classes]`
    /// - images_pm1: `[n, 3, r, r]` in [-1, 1], written
    pub fn forward(&mut self, z: &[f32], class_weights: &[f32], images_pm1: &mut [f32]) {
        inference::together(|| self.pass(z, class_weights, images_pm1));
    }

    fn pass(&mut self, z: &[f32], class_weights: &[f32], images_pm1: &mut [f32]) {
        let n = z.len() / self.config.z_dim;
        let mut embedded = Vec::new();
        let class = match &self.shared {
            Some(shared) => {
                embedded.resize(n * shared.bias.len(), 0.0);
                shared.set(class_weights, &mut embedded);
                &*embedded
            }
            None => class_weights,
        };
        let (first, conditions) = self.inputs(n, z, class);
        let Maps {
            x,
            y,
            inner,
            skip,
            table,
        } = &mut self.maps;
        self.linear.set(&first, room(x, n * self.linear.bias.len()));
        for (block, condition) in self.blocks.iter().zip(&conditions) {
            block.forward(n, condition, x, [y, skip, table], inner);
            core::mem::swap(x, y);
        }
        let channels = self.last_norm.channels();
        let table = room(table, n * 2 * channels);
        for row in table.chunks_exact_mut(2 * channels) {
            row.copy_from_slice(&self.last_norm.folded.bias);
        }
        self.last.set(n, x, Some(Norm(table)), images_pm1);
        inference::tanh(images_pm1);
    }

    /// The input of the linear layer, and the condition of each block, as [`Generator`]'s.
    fn inputs(&self, n: usize, z: &[f32], class: &[f32]) -> (Vec<f32>, Vec<Vec<f32>>) {
        let z_dim = self.config.z_dim;
        let joined = |chunk: &dyn Fn(usize) -> core::ops::Range<usize>| -> Vec<f32> {
            let dim = class.len() / n;
            let rows = class.chunks_exact(dim).zip(z.chunks_exact(z_dim));
            rows.enumerate()
                .flat_map(|(row, (class, z))| class.iter().chain(&z[chunk(row)]).copied())
                .collect()
        };
        let blocks = self.blocks.len();
        if self.config.architecture.is_deep() {
            let joined = joined(&|_| 0..z_dim);
            return (joined.clone(), vec![joined; blocks]);
        }
        if !self.config.hierarchical_z {
            return (z.to_vec(), vec![class.to_vec(); blocks]);
        }
        let length = z_dim / (blocks + 1);
        let first = z.chunks_exact(z_dim).flat_map(|z| &z[..length]).copied();
        let conditions =
            (1..=blocks).map(|index| joined(&|_| index * length..(index + 1) * length));
        (first.collect(), conditions.collect())
    }

    /// Side of the images in pixels.
    pub fn side(&self) -> usize {
        self.config.resolution
    }

    /// Values of an image.
    pub fn image_len(&self) -> usize {
        RGB * self.side() * self.side()
    }
}

impl Block {
    async fn new(block: &GeneratorBlock, side: usize) -> Result<Self> {
        match block {
            GeneratorBlock::Plain(block) => Self::plain(block, side).await,
            GeneratorBlock::Deep(block) => Self::deep(block, side).await,
        }
    }

    async fn plain(block: &PlainGeneratorBlock, side: usize) -> Result<Self> {
        Ok(Self {
            side,
            upsamples: true,
            norms: vec![
                ScaleShift::new(&block.bn1).await?,
                ScaleShift::new(&block.bn2).await?,
            ],
            layers: vec![
                convolution(&block.conv1, side, true).await?,
                convolution(&block.conv2, 2 * side, false).await?,
            ],
            skip: Skip::Convolution(convolution(&block.conv_sc, side, false).await?),
            attention: Attention::new(block.attention.as_ref(), 2 * side).await?,
        })
    }

    async fn deep(block: &DeepGeneratorBlock, side: usize) -> Result<Self> {
        let upsamples = block.upsamples();
        let after = side << usize::from(upsamples);
        let [kept, of] = [block.conv4.weight.dims()[0], block.conv1.weight.dims()[1]];
        Ok(Self {
            side,
            upsamples,
            norms: vec![
                ScaleShift::new(&block.bn1).await?,
                ScaleShift::new(&block.bn2).await?,
                ScaleShift::new(&block.bn3).await?,
                ScaleShift::new(&block.bn4).await?,
            ],
            layers: vec![
                convolution(&block.conv1, side, false).await?,
                convolution(&block.conv2, side, upsamples).await?,
                convolution(&block.conv3, after, false).await?,
                convolution(&block.conv4, after, false).await?,
            ],
            skip: match &block.conv_sc {
                Some(conv) => Skip::Convolution(convolution(conv, side, false).await?),
                None => Skip::First { kept, of },
            },
            attention: Attention::new(block.attention.as_ref(), after).await?,
        })
    }

    /// `x` to `y`: what is added first, then the layers on it.
    fn forward(
        &self,
        n: usize,
        condition: &[f32],
        x: &[f32],
        [y, skip, table]: [&mut Vec<f32>; 3],
        inner: &mut [Vec<f32>; 2],
    ) {
        let (last, before) = self.layers.split_last().expect("a block has layers");
        let y = room(y, last.len(n));
        let area = self.side * self.side;
        let skipped: &mut [f32] = match self.upsamples {
            true => room(skip, last.len(n) / 4),
            false => &mut *y,
        };
        match &self.skip {
            Skip::Convolution(conv) => conv.set(n, x, None, skipped),
            Skip::First { kept, of } => {
                let rows = x.chunks_exact(of * area);
                for (to, from) in skipped.chunks_exact_mut(kept * area).zip(rows) {
                    to.copy_from_slice(&from[..kept * area]);
                }
            }
        }
        let [from, to] = inner;
        for (index, (layer, norm)) in before.iter().zip(&self.norms).enumerate() {
            let table = norm.table(n, condition, table);
            let x = if index == 0 { x } else { &**from };
            layer.set(n, x, Some(table), room(to, layer.len(n)));
            core::mem::swap(from, to);
        }
        let table = self.norms[before.len()].table(n, condition, table);
        match self.upsamples {
            true => last.set_with_upsampled(n, from, Some(table), skip, y),
            false => last.add(n, from, Some(table), y),
        }
        if let Some(attention) = &self.attention {
            attention.add(n, y);
        }
    }
}

impl Attention {
    async fn new(attention: Option<&SelfAttention>, side: usize) -> Result<Option<Self>> {
        let Some(attention) = attention else {
            return Ok(None);
        };
        let [outputs, inputs, kernel, _] = attention.o.weight.dims();
        let gamma = read(attention.gamma.val()).await?[0];
        let mut o = read(attention.o.weight.val()).await?;
        o.iter_mut().for_each(|value| *value *= gamma);
        Ok(Some(Self {
            side,
            theta: convolution(&attention.theta, side, false).await?,
            phi: convolution(&attention.phi, side, false).await?,
            g: convolution(&attention.g, side, false).await?,
            o: Convolution::new(&o, [outputs, inputs, kernel], None, side, false),
        }))
    }

    /// Adds `gamma o(..)` to `x`.
    fn add(&self, n: usize, x: &mut [f32]) {
        let apply = |conv: &Convolution| {
            let mut y = vec![0.0; conv.len(n)];
            conv.set(n, x, None, &mut y);
            y
        };
        let [theta, phi, g] = [&self.theta, &self.phi, &self.g].map(apply);
        let attended = inference::attention(n, self.side, [&theta, &phi, &g]);
        self.o.add(n, &attended, None, x);
    }
}

impl ScaleShift {
    async fn new(norm: &ConditionalBatchNorm) -> Result<Self> {
        let [mut gain, bias] = [projection(&norm.gain).await?, projection(&norm.bias).await?];
        gain.bias.fill(1.0);
        Ok(Self::of([gain, bias], &norm.stats))
    }

    async fn unconditional(norm: &BatchNorm) -> Result<Self> {
        let constant = |bias: Vec<f32>| Affine {
            weight: Vec::new(),
            bias,
        };
        let gain = constant(read(norm.gain.val()).await?);
        let bias = constant(read(norm.bias.val()).await?);
        Ok(Self::of([gain, bias], &norm.stats))
    }

    fn of(projections: [Affine; 2], stats: &Normaliser) -> Self {
        Self {
            projections,
            eps: stats.eps(),
            folded: Affine::default(),
        }
    }

    fn channels(&self) -> usize {
        self.projections[0].bias.len()
    }

    /// `scale = gain / sqrt(variance + eps)`, `shift = bias - mean scale`, in f64.
    fn fold(&mut self, mean: &[f32], variance: &[f32]) {
        let eps = self.eps;
        let inverse = |channel: usize| 1.0 / libm::sqrt(f64::from(variance[channel]) + eps);
        let channels = self.channels();
        let [gain, bias] = &self.projections;
        let row = |gain: &[f32], bias: &[f32], to: &mut Vec<f32>| {
            let scale = |channel: usize| f64::from(gain[channel]) * inverse(channel);
            let shift = |c: usize| f64::from(bias[c]) - f64::from(mean[c]) * scale(c);
            to.extend((0..channels).map(|c| scale(c) as f32));
            to.extend((0..channels).map(|c| shift(c) as f32));
        };
        let mut folded = Affine::default();
        let rows = gain.weight.chunks_exact(channels);
        for (gain, bias) in rows.zip(bias.weight.chunks_exact(channels)) {
            row(gain, bias, &mut folded.weight);
        }
        row(&gain.bias, &bias.bias, &mut folded.bias);
        self.folded = folded;
    }

    /// The scales and shifts of `n` images.
    fn table<'a>(&self, n: usize, condition: &[f32], table: &'a mut Vec<f32>) -> Norm<'a> {
        let table = room(table, n * self.folded.bias.len());
        self.folded.set(condition, table);
        Norm(table)
    }
}

/// A projection of the condition, `[condition, channels]`, without a constant part.
async fn projection(projection: &ConditionProjection) -> Result<Affine> {
    Ok(match projection {
        ConditionProjection::Linear(linear) => transposed(linear).await?,
        ConditionProjection::Embedding(embedding) => {
            let inputs = embedding.weight.dims()[0];
            without_bias(read(embedding.weight.val()).await?, inputs)
        }
    })
}

/// The weight of a linear layer, `[in, out]`, with a constant part of zero.
async fn transposed(linear: &Linear) -> Result<Affine> {
    let [outputs, inputs] = linear.weight.dims();
    let rows = read(linear.weight.val()).await?;
    let weight = (0..inputs * outputs).map(|at| rows[at % outputs * inputs + at / outputs]);
    Ok(without_bias(weight.collect(), inputs))
}

fn without_bias(weight: Vec<f32>, inputs: usize) -> Affine {
    Affine {
        bias: vec![0.0; weight.len() / inputs],
        weight,
    }
}

async fn convolution(conv: &Conv2d, side: usize, upsamples: bool) -> Result<Convolution> {
    let [outputs, inputs, kernel, _] = conv.weight.dims();
    let bias = match &conv.bias {
        Some(bias) => Some(read(bias.val()).await?),
        None => None,
    };
    let shape = [outputs, inputs, kernel];
    Ok(Convolution::new(
        &read(conv.weight.val()).await?,
        shape,
        bias,
        side,
        upsamples,
    ))
}

async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    read_values(tensor).await
}
