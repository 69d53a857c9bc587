//! The generator as a graph; the layers are those of [`crate::model::Generator`] with stored statistics.

use super::graph::{Graph, Value, int, ints, text};
use super::norms::{self, Channels};
use super::weights::Weights;
use super::{CLASS_WEIGHTS, IMAGE, Z};
use crate::arch::{self, BOTTOM, BlockShape, RGB, bottleneck};
use crate::config::{ClassEmbedding, GeneratorConfig, Skip};
use crate::error::Result;

/// tanh of this is 1 in f32 (as in the network itself).
const TANH_LIMIT: f32 = 20.0;

/// Builds the layers one after another; each takes the names of values and returns that of its own.
pub struct Layers<'a> {
    pub graph: Graph,
    pub weights: Weights<'a>,
    pub config: &'a GeneratorConfig,
}

impl Layers<'_> {
    /// The whole network, from the inputs to the image.
    ///
    /// # Shapes
    /// - z: `[n, z_dim]`, class_weights: `[n, classes]`
    /// - image: `[n, 3, resolution, resolution]`
    ///
    /// # Errors
    /// If a tensor is missing, of another shape or not finite.
    pub fn network(&mut self) -> Result<()> {
        let config = self.config;
        let shapes = arch::generator_blocks(config)?;
        let class = match config.class_embedding {
            ClassEmbedding::Shared { dim } => {
                let weight = self.weight("shared.weight", &[config.classes, dim])?;
                self.graph
                    .node("MatMul", "shared", &[CLASS_WEIGHTS, &weight], vec![]) // [n, dim]
            }
            ClassEmbedding::PerLayer => CLASS_WEIGHTS.to_owned(), // [n, classes]
        };
        let (first, conditions) = self.conditions(&class, shapes.len());

        let channels = shapes[0].channels[0];
        let dims = [channels * BOTTOM * BOTTOM, config.linear_dim()?];
        let weight = self.weight("linear.weight", &dims)?;
        let bias = self.weight("linear.bias", &dims[..1])?;
        let inputs = [&*first, &weight, &bias];
        let flat = self
            .graph
            .node("Gemm", "linear", &inputs, vec![int("transB", 1)]); // [n, c 4 4]
        let side = BOTTOM as i64;
        let map = self
            .graph
            .ints("bottom.shape", &[-1, channels as i64, side, side]);
        let mut h = self.graph.node("Reshape", "bottom", &[&flat, &map], vec![]); // [n, c, 4, 4]
        for (index, (shape, condition)) in shapes.iter().zip(&conditions).enumerate() {
            let name = format!("blocks.{index}");
            let block = if config.architecture.is_deep() {
                Self::deep_block
            } else {
                Self::plain_block
            };
            h = block(self, &name, shape, &h, condition)?; // [n, c, 2h, 2w]
            if shape.attention {
                h = self.attention(&format!("{name}.attention"), shape, &h)?;
            }
        }
        let last = shapes[shapes.len() - 1].channels[1];
        let h = self.output_norm(last, &h)?;
        let rgb = self.conv("output_conv", [last, RGB], 3, &h)?; // [n, 3, r, r]
        let low = self.graph.floats("rgb.low".into(), &[], &[-TANH_LIMIT]);
        let high = self.graph.floats("rgb.high".into(), &[], &[TANH_LIMIT]);
        let clipped = self
            .graph
            .node("Clip", "clip", &[&rgb, &low, &high], vec![]);
        self.graph.node("Tanh", IMAGE, &[&clipped], vec![]);
        Ok(())
    }

    /// Input of the first layer and condition of each block: parts of z and the class.
    fn conditions(&mut self, class: &str, blocks: usize) -> (Value, Vec<Value>) {
        let config = self.config;
        let axis = || vec![int("axis", 1)];
        if config.architecture.is_deep() {
            let joined = self.graph.node("Concat", "condition", &[class, Z], axis());
            return (joined.clone(), vec![joined; blocks]);
        }
        if !config.hierarchical_z {
            return (Z.to_owned(), vec![class.to_owned(); blocks]);
        }
        let length = (config.z_dim / (blocks + 1)) as i64;
        let lengths = self.graph.ints("z.lengths", &vec![length; blocks + 1]);
        let chunks: Vec<Value> = (0..=blocks).map(|index| format!("z.{index}")).collect();
        let inputs = [Z, &*lengths];
        self.graph
            .nodes("Split", "z.chunks".into(), &inputs, axis(), chunks.clone());
        let conditions = chunks[1..].iter().enumerate().map(|(block, chunk)| {
            let name = format!("blocks.{block}.condition");
            self.graph.node("Concat", name, &[class, chunk], axis())
        });
        let conditions = conditions.collect();
        (chunks[0].clone(), conditions)
    }

    /// BN, ReLU, upsample, 3x3, BN, ReLU, 3x3; the shortcut is mapped by a 1x1 and upsampled, in this order.
    fn plain_block(
        &mut self,
        name: &str,
        shape: &BlockShape,
        x: &str,
        condition: &str,
    ) -> Result<Value> {
        let [channels_in, channels_out] = shape.channels;
        let layer = |layer: &str| format!("{name}.{layer}");
        let h = self.norm(&layer("bn1"), channels_in, x, condition)?; // [n, in, h, w]
        let h = self.upsample(&layer("up"), &h); // [n, in, 2h, 2w]
        let h = self.conv(&layer("conv1"), [channels_in, channels_out], 3, &h)?; // [n, out, 2h, 2w]
        let h = self.norm(&layer("bn2"), channels_out, &h, condition)?;
        let h = self.conv(&layer("conv2"), [channels_out, channels_out], 3, &h)?;
        let skip = self.conv(&layer("conv_sc"), shape.channels, 1, x)?; // [n, out, h, w]
        let skip = self.upsample(&layer("skip"), &skip);
        Ok(self.graph.node("Add", layer("sum"), &[&h, &skip], vec![]))
    }

    /// 1x1, (upsample,) 3x3, 3x3, 1x1 with BN and ReLU before each; the shortcut drops channels or has a 1x1.
    fn deep_block(
        &mut self,
        name: &str,
        shape: &BlockShape,
        x: &str,
        condition: &str,
    ) -> Result<Value> {
        let [channels_in, channels_out] = shape.channels;
        let hidden = bottleneck(channels_in);
        let layer = |layer: &str| format!("{name}.{layer}");
        let h = self.norm(&layer("bn1"), channels_in, x, condition)?; // [n, in, h, w]
        let h = self.conv(&layer("conv1"), [channels_in, hidden], 1, &h)?; // [n, in/4, h, w]
        let mut h = self.norm(&layer("bn2"), hidden, &h, condition)?;
        if shape.resamples {
            h = self.upsample(&layer("up"), &h); // [n, in/4, 2h, 2w]
        }
        let h = self.conv(&layer("conv2"), [hidden, hidden], 3, &h)?;
        let h = self.norm(&layer("bn3"), hidden, &h, condition)?;
        let h = self.conv(&layer("conv3"), [hidden, hidden], 3, &h)?;
        let h = self.norm(&layer("bn4"), hidden, &h, condition)?;
        let h = self.conv(&layer("conv4"), [hidden, channels_out], 1, &h)?; // [n, out, 2h, 2w]
        let mut skip = match self.config.architecture.skip() {
            Skip::Convolution => self.conv(&layer("conv_sc"), shape.channels, 1, x)?,
            Skip::Identity if channels_in == channels_out => x.to_owned(),
            Skip::Identity => {
                let [from, axis] = [("zero", 0), ("one", 1)].map(|(n, v)| self.graph.ints(n, &[v]));
                let to = self.graph.ints(&layer("kept.end"), &[channels_out as i64]);
                self.graph
                    .node("Slice", layer("kept"), &[x, &from, &to, &axis], vec![])
            }
        }; // [n, out, h, w]
        if shape.resamples {
            skip = self.upsample(&layer("skip"), &skip);
        }
        Ok(self.graph.node("Add", layer("sum"), &[&h, &skip], vec![]))
    }

    /// `x + gamma o(g(x) softmax(theta(x)^T phi(x))^T)`; gamma is folded into `o`.
    fn attention(&mut self, name: &str, shape: &BlockShape, x: &str) -> Result<Value> {
        let channels = shape.channels[1];
        let (eighth, half) = ((channels / 8).max(1), (channels / 2).max(1));
        let layer = |layer: &str| format!("{name}.{layer}");
        let theta = self.project(&layer("theta"), [channels, eighth], x)?; // [n, c/8, h, w]
        let phi = self.project(&layer("phi"), [channels, eighth], x)?;
        let g = self.project(&layer("g"), [channels, half], x)?;

        let theta = self.flat(&layer("theta.flat"), eighth, &theta);
        let queries = self.transposed(&layer("queries"), &theta); // [n, hw, c/8]
        let phi = self.pooled(&layer("phi.pooled"), &phi);
        let keys = self.flat(&layer("keys"), eighth, &phi); // [n, c/8, hw/4]
        let g = self.pooled(&layer("g.pooled"), &g);
        let g = self.flat(&layer("g.flat"), half, &g);
        let values = self.transposed(&layer("values"), &g); // [n, hw/4, c/2]

        let graph = &mut self.graph;
        let logits = graph.node("MatMul", layer("logits"), &[&queries, &keys], vec![]); // [n, hw, hw/4]
        let table = graph.node("Softmax", layer("table"), &[&logits], vec![int("axis", -1)]);
        let mixed = graph.node("MatMul", layer("mixed"), &[&table, &values], vec![]); // [n, hw, c/2]
        let mixed = self.transposed(&layer("mixed.flat"), &mixed);
        let side = shape.resolution as i64;
        let map = self
            .graph
            .ints(&layer("shape"), &[-1, half as i64, side, side]);
        let mixed = self
            .graph
            .node("Reshape", layer("map"), &[&mixed, &map], vec![]); // [n, c/2, h, w]

        let gamma = f64::from(self.weights.get(&layer("gamma"), &[1])?[0]);
        let o = self
            .weights
            .get(&layer("o.weight"), &[channels, half, 1, 1])?;
        let o: Vec<f32> = o.iter().map(|&o| (gamma * f64::from(o)) as f32).collect();
        let o = self
            .graph
            .floats(layer("o.weight"), &[channels, half, 1, 1], &o);
        let o = self
            .graph
            .node("Conv", layer("o"), &[&mixed, &o], conv_of(1)); // [n, c, h, w]
        Ok(self.graph.node("Add", layer("sum"), &[x, &o], vec![]))
    }

    /// `relu` of a class-conditional batch norm.
    fn norm(&mut self, name: &str, channels: usize, x: &str, condition: &str) -> Result<Value> {
        let dim = self.config.condition_dim()?;
        let (layout, shape) = match self.config.class_embedding {
            ClassEmbedding::Shared { .. } => (Channels::Rows, [channels, dim]),
            ClassEmbedding::PerLayer => (Channels::Columns, [dim, channels]),
        };
        let stats = self.weights.statistics(name, channels)?;
        let gain = self.weights.get(&format!("{name}.gain.weight"), &shape)?;
        let bias = self.weights.get(&format!("{name}.bias.weight"), &shape)?;
        let affine = norms::conditional(&stats, self.config.bn_eps, [gain, bias], layout);
        let axes = self.graph.ints("axes.pixels", &[2, 3]);
        let mut maps = Vec::new();
        for (part, affine) in ["scale", "shift"].into_iter().zip(affine) {
            let part = format!("{name}.{part}");
            let weight = self
                .graph
                .floats(format!("{part}.weight"), &shape, &affine.weight);
            let bias = self
                .graph
                .floats(format!("{part}.bias"), &[channels], &affine.bias);
            let transposed = i64::from(layout == Channels::Rows);
            let inputs = [condition, &weight, &bias];
            let part_of = vec![int("transB", transposed)];
            let value = self.graph.node("Gemm", part.as_str(), &inputs, part_of); // [n, c]
            let map = self
                .graph
                .node("Unsqueeze", format!("{part}.map"), &[&value, &axes], vec![]);
            maps.push(map); // [n, c, 1, 1]
        }
        Ok(self.scale_shift_relu(name, x, &maps[0], &maps[1]))
    }

    /// `relu` of the last batch norm, which has no condition.
    fn output_norm(&mut self, channels: usize, x: &str) -> Result<Value> {
        let name = "output_bn";
        let stats = self.weights.statistics(name, channels)?;
        let gain = self.weights.get("output_bn.gain", &[channels])?;
        let bias = self.weights.get("output_bn.bias", &[channels])?;
        let folded = norms::unconditional(&stats, self.config.last_bn_eps(), [gain, bias]);
        let [scale, shift] = ["scale", "shift"].map(|part| format!("{name}.{part}"));
        let map = [channels, 1, 1];
        let scale = self.graph.floats(scale, &map, &folded[0]);
        let shift = self.graph.floats(shift, &map, &folded[1]);
        Ok(self.scale_shift_relu(name, x, &scale, &shift))
    }

    fn scale_shift_relu(&mut self, name: &str, x: &str, scale: &str, shift: &str) -> Value {
        let graph = &mut self.graph;
        let scaled = graph.node("Mul", format!("{name}.scaled"), &[x, scale], vec![]);
        let shifted = graph.node("Add", format!("{name}.shifted"), &[&scaled, shift], vec![]);
        graph.node("Relu", name, &[&shifted], vec![])
    }

    /// A convolution with a bias that keeps the resolution.
    fn conv(
        &mut self,
        name: &str,
        [from, to]: [usize; 2],
        kernel: usize,
        x: &str,
    ) -> Result<Value> {
        let weight = self.weight(&format!("{name}.weight"), &[to, from, kernel, kernel])?;
        let bias = self.weight(&format!("{name}.bias"), &[to])?;
        Ok(self
            .graph
            .node("Conv", name, &[x, &weight, &bias], conv_of(kernel)))
    }

    /// A 1x1 without a bias.
    fn project(&mut self, name: &str, [from, to]: [usize; 2], x: &str) -> Result<Value> {
        let weight = self.weight(&format!("{name}.weight"), &[to, from, 1, 1])?;
        Ok(self.graph.node("Conv", name, &[x, &weight], conv_of(1)))
    }

    /// Each pixel four times.
    fn upsample(&mut self, name: &str, x: &str) -> Value {
        let scales = self
            .graph
            .floats("upsample.scales".into(), &[4], &[1.0, 1.0, 2.0, 2.0]);
        let nearest = vec![
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ];
        self.graph.node("Resize", name, &[x, "", &scales], nearest)
    }

    /// The largest of each 2x2 pixels.
    fn pooled(&mut self, name: &str, x: &str) -> Value {
        let square = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
        self.graph.node("MaxPool", name, &[x], square)
    }

    /// `[n, c, h, w]` as `[n, c, h w]`.
    fn flat(&mut self, name: &str, channels: usize, x: &str) -> Value {
        // 0 is the length as it is
        let shape = self
            .graph
            .ints(&format!("{name}.shape"), &[0, channels as i64, -1]);
        self.graph.node("Reshape", name, &[x, &shape], vec![])
    }

    /// The last two dimensions exchanged.
    fn transposed(&mut self, name: &str, x: &str) -> Value {
        self.graph
            .node("Transpose", name, &[x], vec![ints("perm", &[0, 2, 1])])
    }

    /// A tensor of the model as a constant of the same name.
    fn weight(&mut self, name: &str, shape: &[usize]) -> Result<Value> {
        let values = self.weights.get(name, shape)?;
        Ok(self.graph.floats(name.to_owned(), shape, values))
    }
}

/// Attributes of a convolution that keeps the resolution.
fn conv_of(kernel: usize) -> Vec<crate::onnx::proto::AttributeProto> {
    let (kernel, padding) = (kernel as i64, (kernel / 2) as i64);
    vec![
        ints("kernel_shape", &[kernel, kernel]),
        ints("pads", &[padding; 4]),
    ]
}
