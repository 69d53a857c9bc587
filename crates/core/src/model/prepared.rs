//! A generator prepared for inference on the CPU: what its weights alone decide is computed once.
//!
//! Spectral norm and attention's gamma are in the weights, which are arranged as the kernels read them; batch norm with
//! fixed statistics is a scale and a shift that depend on the condition alone, `scale = c Wg + s` and
//! `shift = c Wb + t`, and happens with its ReLU while the next convolution reads its input. The maps of a pass are kept
//! for the next. The formulas are those of [`Generator`] with [`NormMode::Stored`](crate::layers::NormMode), whose
//! pictures are the same up to the rounding of sums in another order.

use core::ops::Range;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, read_sync};

use super::Generator;
use crate::arch::{BOTTOM, RGB};
use crate::blocks::{DeepGeneratorBlock, GeneratorBlock, PlainGeneratorBlock};
use crate::config::GeneratorConfig;
use crate::error::Result;
use crate::kernels::inference::{self, Affine, Convolution, Norm};
use crate::layers::{
    BatchNorm, ConditionProjection, ConditionalBatchNorm, Conv2d, Linear, Normaliser, SelfAttention,
};
use crate::named::{TensorSource, load_part, read_values, refuse_left};

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

/// Memory of a pass, kept for the next.
#[derive(Debug, Default)]
struct Maps {
    /// Embedded classes.
    class: Vec<f32>,
    /// Of the linear layer, then the condition of each block.
    input: Vec<f32>,
    x: Vec<f32>,
    y: Vec<f32>,
    inner: [Vec<f32>; 2],
    skip: Vec<f32>,
    table: Vec<f32>,
    /// Queries, keys, values and what they make.
    attention: [Vec<f32>; 4],
}

/// At least `len` values, of which only the new ones are cleared.
fn room(values: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if values.len() < len {
        values.resize(len, 0.0);
    }
    &mut values[..len]
}

/// Some columns of a matrix.
struct Rows<'a> {
    values: &'a [f32],
    /// All of them.
    columns: Range<usize>,
}

/// Of each of `n` rows the first's columns and then the second's.
fn join(n: usize, parts: [(&Rows, Range<usize>); 2], to: &mut Vec<f32>) {
    to.clear();
    for row in 0..n {
        for (rows, columns) in &parts {
            let row = &rows.values[row * rows.columns.len()..][..rows.columns.len()];
            to.extend(&row[columns.clone()]);
        }
    }
}

/// Where the parts of a generator come from.
trait Parts {
    /// A part by its name, with its tensors.
    fn part<M: Module>(&mut self, name: &str, part: M) -> Result<M>;
}

/// From a generator that has them.
struct Whole;

impl Parts for Whole {
    fn part<M: Module>(&mut self, _: &str, part: M) -> Result<M> {
        Ok(part)
    }
}

/// From a file, one after another.
struct FromFile<'a>(&'a mut dyn TensorSource);

impl Parts for FromFile<'_> {
    fn part<M: Module>(&mut self, name: &str, part: M) -> Result<M> {
        load_part(name, part, self.0, &Device::flex())
    }
}

impl PreparedGenerator {
    /// Prepares a [folded](Generator::folded) generator of the CPU with its statistics. Its layers are dropped as they are
    /// prepared, so that both are never whole at once.
    ///
    /// # Panics
    /// If it is not folded.
    ///
    /// # Errors
    /// If the device cannot be read.
    pub fn new(mut generator: Generator) -> Result<Self> {
        let mut statistics = Vec::new();
        for (_, normaliser) in generator.normalisers_mut() {
            let (mean, variance) = (normaliser.mean.clone(), normaliser.variance.clone());
            statistics.push([read(mean)?, read(variance)?]);
        }
        let mut prepared = Self::of(generator, Whole)?;
        prepared.set_statistics(&statistics);
        Ok(prepared)
    }

    /// Prepares a generator of [`Generator::zeros`], folded, with the tensors of a file: each layer as it is read, so that the
    /// weights are in memory only as they are used. It has no statistics yet.
    ///
    /// # Panics
    /// If it is not folded.
    ///
    /// # Errors
    /// If a tensor is missing, unexpected or of another shape, or cannot be read.
    pub fn load(zeros: Generator, tensors: &mut dyn TensorSource) -> Result<Self> {
        let prepared = Self::of(zeros, FromFile(tensors))?;
        refuse_left(tensors)?;
        Ok(prepared)
    }

    fn of(generator: Generator, mut parts: impl Parts) -> Result<Self> {
        let config = generator.config().clone();
        assert!(
            !config.spectral_norm,
            "the generator to prepare is not folded"
        );
        let shared = match generator.shared {
            Some(shared) => {
                let shared = parts.part("shared", shared)?;
                Some(without_bias(read(shared.weight)?, config.classes))
            }
            None => None,
        };
        let dense = parts.part("linear", generator.linear)?;
        let bias = dense.bias.clone().map(read).transpose()?;
        let mut linear = transposed(dense)?;
        if let Some(bias) = bias {
            linear.bias = bias;
        }
        let mut side = BOTTOM;
        let mut blocks = Vec::new();
        for (index, block) in generator.blocks.into_iter().enumerate() {
            let block = Block::new(&format!("blocks.{index}"), block, side, &mut parts)?;
            side <<= usize::from(block.upsamples);
            blocks.push(block);
        }
        Ok(Self {
            shared,
            linear,
            blocks,
            last_norm: ScaleShift::unconditional(parts.part("output_bn", generator.output_bn)?)?,
            last: convolution(
                parts.part("output_conv", generator.output_conv)?,
                side,
                false,
            )?,
            config,
            maps: Maps::default(),
        })
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
        let Maps {
            class,
            input,
            x,
            y,
            inner,
            skip,
            table,
            attention,
        } = &mut self.maps;
        let class = match &self.shared {
            Some(shared) => {
                let class = room(class, n * shared.bias.len());
                shared.set(class_weights, class);
                class
            }
            None => class_weights,
        };
        let class = Rows {
            values: class,
            columns: 0..class.len() / n,
        };
        let z = Rows {
            values: z,
            columns: 0..self.config.z_dim,
        };
        // as in `Generator::forward`
        let stages = self.blocks.len() + 1;
        let (deep, chunk) = (
            self.config.architecture.is_deep(),
            self.config.z_dim / stages,
        );
        let chunk = |stage: usize| match (deep, self.config.hierarchical_z) {
            (true, _) => 0..self.config.z_dim,
            (false, true) => stage * chunk..(stage + 1) * chunk,
            (false, false) if stage == 0 => 0..self.config.z_dim,
            (false, false) => 0..0,
        };
        let of_first = if deep { class.columns.clone() } else { 0..0 };
        join(n, [(&class, of_first), (&z, chunk(0))], input);
        self.linear.set(input, room(x, n * self.linear.bias.len()));
        for (index, block) in self.blocks.iter().enumerate() {
            join(
                n,
                [(&class, class.columns.clone()), (&z, chunk(index + 1))],
                input,
            );
            block.forward(n, input, x, [y, skip, table], (inner, attention));
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

    /// Side of the images in pixels.
    pub fn side(&self) -> usize {
        self.config.resolution
    }

    /// Values of an image.
    pub fn image_len(&self) -> usize {
        RGB * self.side() * self.side()
    }
}

/// The layers of a block, prepared one after another.
struct Layers<'a, P> {
    /// Of the block.
    name: &'a str,
    parts: &'a mut P,
}

impl<P: Parts> Layers<'_, P> {
    fn norm(&mut self, name: &str, norm: ConditionalBatchNorm) -> Result<ScaleShift> {
        ScaleShift::new(self.part(name, norm)?)
    }

    fn convolution(
        &mut self,
        name: &str,
        conv: Conv2d,
        side: usize,
        upsamples: bool,
    ) -> Result<Convolution> {
        convolution(self.part(name, conv)?, side, upsamples)
    }

    fn attention(
        &mut self,
        attention: Option<SelfAttention>,
        side: usize,
    ) -> Result<Option<Attention>> {
        attention
            .map(|attention| Attention::new(self.part("attention", attention)?, side))
            .transpose()
    }

    fn part<M: Module>(&mut self, name: &str, part: M) -> Result<M> {
        self.parts.part(&format!("{}.{name}", self.name), part)
    }
}

impl Block {
    fn new(name: &str, block: GeneratorBlock, side: usize, parts: &mut impl Parts) -> Result<Self> {
        let layers = &mut Layers { name, parts };
        match block {
            GeneratorBlock::Plain(block) => Self::plain(layers, block, side),
            GeneratorBlock::Deep(block) => Self::deep(layers, block, side),
        }
    }

    fn plain(
        layers: &mut Layers<'_, impl Parts>,
        block: PlainGeneratorBlock,
        side: usize,
    ) -> Result<Self> {
        Ok(Self {
            side,
            upsamples: true,
            norms: vec![
                layers.norm("bn1", block.bn1)?,
                layers.norm("bn2", block.bn2)?,
            ],
            layers: vec![
                layers.convolution("conv1", block.conv1, side, true)?,
                layers.convolution("conv2", block.conv2, 2 * side, false)?,
            ],
            skip: Skip::Convolution(layers.convolution("conv_sc", block.conv_sc, side, false)?),
            attention: layers.attention(block.attention, 2 * side)?,
        })
    }

    fn deep(
        layers: &mut Layers<'_, impl Parts>,
        block: DeepGeneratorBlock,
        side: usize,
    ) -> Result<Self> {
        let upsamples = block.upsamples();
        let after = side << usize::from(upsamples);
        let [kept, _, _, _] = block.conv4.weight.lazy_shape().dims();
        let [_, of, _, _] = block.conv1.weight.lazy_shape().dims();
        Ok(Self {
            side,
            upsamples,
            norms: vec![
                layers.norm("bn1", block.bn1)?,
                layers.norm("bn2", block.bn2)?,
                layers.norm("bn3", block.bn3)?,
                layers.norm("bn4", block.bn4)?,
            ],
            layers: vec![
                layers.convolution("conv1", block.conv1, side, false)?,
                layers.convolution("conv2", block.conv2, side, upsamples)?,
                layers.convolution("conv3", block.conv3, after, false)?,
                layers.convolution("conv4", block.conv4, after, false)?,
            ],
            skip: match block.conv_sc {
                Some(conv) => Skip::Convolution(layers.convolution("conv_sc", conv, side, false)?),
                None => Skip::First { kept, of },
            },
            attention: layers.attention(block.attention, after)?,
        })
    }

    /// `x` to `y`: what is added first, then the layers on it.
    fn forward(
        &self,
        n: usize,
        condition: &[f32],
        x: &[f32],
        [y, skip, table]: [&mut Vec<f32>; 3],
        (inner, attended): (&mut [Vec<f32>; 2], &mut [Vec<f32>; 4]),
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
            attention.add(n, y, attended);
        }
    }
}

impl Attention {
    fn new(attention: SelfAttention, side: usize) -> Result<Self> {
        let [outputs, inputs, kernel, _] = attention.o.weight.dims();
        let gamma = read(attention.gamma)?[0];
        let mut o = read(attention.o.weight)?;
        o.iter_mut().for_each(|value| *value *= gamma);
        Ok(Self {
            side,
            theta: convolution(attention.theta, side, false)?,
            phi: convolution(attention.phi, side, false)?,
            g: convolution(attention.g, side, false)?,
            o: Convolution::new(&o, [outputs, inputs, kernel], None, side, false),
        })
    }

    /// Adds `gamma o(..)` to `x`.
    fn add(&self, n: usize, x: &mut [f32], maps: &mut [Vec<f32>; 4]) {
        let [theta, phi, g, attended] = maps;
        let apply = |conv: &Convolution, y: &mut Vec<f32>| {
            y.resize(conv.len(n), 0.0);
            conv.set(n, x, None, y);
        };
        apply(&self.theta, theta);
        apply(&self.phi, phi);
        apply(&self.g, g);
        attended.resize(g.len(), 0.0);
        inference::attention(n, self.side, [theta, phi, g], attended);
        self.o.add(n, attended, None, x);
    }
}

impl ScaleShift {
    fn new(norm: ConditionalBatchNorm) -> Result<Self> {
        let [mut gain, bias] = [projection(norm.gain)?, projection(norm.bias)?];
        gain.bias.fill(1.0);
        Ok(Self::of([gain, bias], &norm.stats))
    }

    fn unconditional(norm: BatchNorm) -> Result<Self> {
        let constant = |bias: Vec<f32>| Affine {
            weight: Vec::new(),
            bias,
        };
        let gain = constant(read(norm.gain)?);
        let bias = constant(read(norm.bias)?);
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
fn projection(projection: ConditionProjection) -> Result<Affine> {
    Ok(match projection {
        ConditionProjection::Linear(linear) => transposed(linear)?,
        ConditionProjection::Embedding(embedding) => {
            let inputs = embedding.weight.dims()[0];
            without_bias(read(embedding.weight)?, inputs)
        }
    })
}

/// The weight of a linear layer, `[in, out]`, with a constant part of zero.
fn transposed(linear: Linear) -> Result<Affine> {
    let [outputs, inputs] = linear.weight.dims();
    let rows = read(linear.weight)?;
    let weight = (0..inputs * outputs).map(|at| rows[at % outputs * inputs + at / outputs]);
    Ok(without_bias(weight.collect(), inputs))
}

fn without_bias(weight: Vec<f32>, inputs: usize) -> Affine {
    Affine {
        bias: vec![0.0; weight.len() / inputs],
        weight,
    }
}

fn convolution(conv: Conv2d, side: usize, upsamples: bool) -> Result<Convolution> {
    let [outputs, inputs, kernel, _] = conv.weight.dims();
    let bias = conv.bias.map(read).transpose()?;
    let shape = [outputs, inputs, kernel];
    Ok(Convolution::new(
        &read(conv.weight)?,
        shape,
        bias,
        side,
        upsamples,
    ))
}

/// The values of a tensor on the CPU, which are there at once.
fn read<const D: usize>(tensor: Param<Tensor<D>>) -> Result<Vec<f32>> {
    read_sync(read_values(tensor.into_value()))
}
