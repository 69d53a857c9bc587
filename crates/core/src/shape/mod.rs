//! Networks as shapes: the tensors, cost and memory of a configuration, without building anything.
//!
//! Tests compare the names and shapes with networks that are built, and the counts with those that
//! are published.

mod cost;
mod discriminator;
mod generator;
#[cfg(test)]
mod tests;

pub use cost::Cost;

/// A whole network, layer by layer in the order of the forward pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkShape {
    /// Layers and blocks.
    pub layers: Vec<LayerShape>,
}

/// One layer, one block, or the self-attention after a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerShape {
    /// Path in the module: "linear", "blocks.3", "blocks.3.attention".
    pub name: String,
    /// Values or feature maps in and out.
    pub channels: [usize; 2],
    /// Side of the output in pixels; 1 for a vector.
    pub resolution: usize,
    /// Learnable tensors: path in the module, and shape.
    pub tensors: Vec<(String, Vec<usize>)>,
    /// Products of convolutions, linear layers and attention for one image, forward. A 3x3 next to a
    /// change of resolution counts in full (the kernels need 4/9 of it); the 1x1 of a shortcut
    /// counts at the lower resolution, where it is computed.
    pub multiply_adds: u64,
    /// Values of all feature maps of one image, forward, which training keeps for the gradient.
    /// Sampling holds only a few of them at a time.
    pub activations: u64,
    /// Channels of each batch norm.
    pub norms: Vec<usize>,
    /// Values of the singular vectors of its weights, which spectral norm keeps.
    pub vectors: u64,
}

impl LayerShape {
    /// Number of learnable values.
    pub fn parameters(&self) -> u64 {
        self.tensors.iter().map(|(_, shape)| count(shape)).sum()
    }

    /// Bytes of [`LayerShape::activations`] in f32.
    pub fn activation_bytes(&self) -> u64 {
        self.activations * size_of::<f32>() as u64
    }

    fn new(name: impl Into<String>, channels: [usize; 2], resolution: usize) -> Self {
        Self {
            name: name.into(),
            channels,
            resolution,
            tensors: Vec::new(),
            multiply_adds: 0,
            activations: 0,
            norms: Vec::new(),
            vectors: 0,
        }
    }

    /// A layer that is one convolution.
    fn of_conv(name: &str, channels: [usize; 2], kernel: usize, side: usize) -> Self {
        let mut layer = Self::new(name, channels, side);
        layer.conv("", channels, kernel, true, side);
        layer
    }

    /// A layer that is one linear map; its output has `side * side` positions.
    fn of_linear(name: &str, [dim_in, dim_out]: [usize; 2], bias: bool, side: usize) -> Self {
        let mut layer = Self::new(name, [dim_in, dim_out / (side * side)], side);
        layer.tensor("weight", &[dim_out, dim_in]);
        if bias {
            layer.tensor("bias", &[dim_out]);
        }
        layer.vectors += dim_out as u64;
        layer.multiply_adds += (dim_in * dim_out) as u64;
        layer.map(dim_out, 1);
        layer
    }

    /// A layer that is one embedding.
    fn of_embedding(name: &str, [classes, dim]: [usize; 2]) -> Self {
        let mut layer = Self::new(name, [classes, dim], 1);
        layer.tensor("weight", &[classes, dim]);
        layer.multiply_adds += (classes * dim) as u64;
        layer.map(dim, 1);
        layer
    }

    /// Self-attention over `channels` feature maps (see [`crate::layers::SelfAttention`]).
    fn of_attention(block: &str, channels: usize, side: usize) -> Self {
        let mut layer = Self::new(format!("{block}.attention"), [channels, channels], side);
        let (eighth, half) = ((channels / 8).max(1), (channels / 2).max(1));
        layer.conv("theta", [channels, eighth], 1, false, side);
        layer.conv("phi", [channels, eighth], 1, false, side);
        layer.conv("g", [channels, half], 1, false, side);
        layer.map(eighth + half, side / 2); // phi and g pooled
        let table = area(side) * area(side / 2); // queries x keys
        layer.multiply_adds += table * (eighth + half) as u64;
        layer.activations += 2 * table; // scores and weights
        layer.map(half, side);
        layer.conv("o", [half, channels], 1, false, side);
        layer.tensor("gamma", &[1]);
        layer.map(channels, side);
        layer
    }

    fn tensor(&mut self, name: &str, shape: &[usize]) {
        self.tensors
            .push((format!("{}.{name}", self.name), shape.to_vec()));
    }

    /// Counts a feature map of the pass.
    fn map(&mut self, channels: usize, side: usize) {
        self.activations += channels as u64 * area(side);
    }

    /// Counts a convolution with an output of `side * side` pixels; `name` is empty if it is the layer itself.
    fn conv(
        &mut self,
        name: &str,
        [channels_in, channels_out]: [usize; 2],
        kernel: usize,
        bias: bool,
        side: usize,
    ) {
        let dot = if name.is_empty() { "" } else { "." };
        let weight = [channels_out, channels_in, kernel, kernel];
        self.tensor(&format!("{name}{dot}weight"), &weight);
        if bias {
            self.tensor(&format!("{name}{dot}bias"), &[channels_out]);
        }
        self.vectors += channels_out as u64;
        self.multiply_adds += count(&weight) * area(side);
        self.map(channels_out, side);
    }
}

impl NetworkShape {
    /// Number of learnable values.
    pub fn parameters(&self) -> u64 {
        self.layers.iter().map(LayerShape::parameters).sum()
    }

    /// Products for one image, forward; see [`LayerShape::multiply_adds`].
    pub fn multiply_adds(&self) -> u64 {
        self.layers.iter().map(|layer| layer.multiply_adds).sum()
    }

    /// Bytes of all feature maps of one image in f32; see [`LayerShape::activations`].
    pub fn activation_bytes(&self) -> u64 {
        self.layers.iter().map(LayerShape::activation_bytes).sum()
    }

    /// Path and shape of every learnable tensor.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &[usize])> {
        let tensors = self.layers.iter().flat_map(|layer| &layer.tensors);
        tensors.map(|(name, shape)| (name.as_str(), shape.as_slice()))
    }
}

/// Positions of a map; in u64, since a browser's usize has 32 bits.
fn area(side: usize) -> u64 {
    (side as u64).pow(2)
}

fn count(shape: &[usize]) -> u64 {
    shape.iter().map(|&dim| dim as u64).product()
}
