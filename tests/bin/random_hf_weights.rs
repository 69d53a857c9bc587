//! A random BigGAN-deep in the layout of pytorch-pretrained-BigGAN, of any size: to measure the
//! importer without the published weights.
//!
//!     cargo run -p biggan-tests --bin random_hf_weights -- DIRECTORY [RESOLUTION WIDTH]
//!
//! writes `pytorch_model.bin` and `config.json` (512 and 128 are the published ones' largest).

use std::error::Error;

use biggan::arch::{self, BlockShape, bottleneck};
use biggan::config::{Architecture, ClassEmbedding, GeneratorConfig};

#[path = "../support/torch_writer.rs"]
mod torch_writer;

use torch_writer::{Item, TorchWriter, ZipOptions};

const Z: usize = 128;
const CLASSES: usize = 1000;
const ROWS: usize = 51;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let directory = args.get(1).ok_or("give a directory")?;
    let number = |place: usize, default| args.get(place).map_or(Ok(default), |text| text.parse());
    let (resolution, width): (usize, usize) = (number(2, 512)?, number(3, 128)?);
    let config = GeneratorConfig {
        architecture: Architecture::BigganDeep,
        depth: None,
        resolution,
        channels: width,
        latent: biggan::latent_kind::LatentKind::Normal,
        z_dim: Z,
        classes: CLASSES,
        class_embedding: ClassEmbedding::Shared { dim: Z },
        hierarchical_z: false,
        attention: vec![64],
        spectral_norm: true,
        bn_eps: 1e-4,
        output_bn_eps: None,
        sn_eps: 1e-4,
        bn_momentum: 0.1,
    };
    let blocks = arch::generator_blocks(&config)?;
    let mut weights = Weights::default();
    weights.plain("embeddings.weight", &[Z, CLASSES]);
    weights.normalised("generator.gen_z", &[16 * 16 * width, 2 * Z], true);
    let mut layer = 0;
    let mut attention = 0;
    for shape in &blocks {
        weights.block(&format!("generator.layers.{layer}"), shape);
        layer += 1;
        if shape.attention {
            attention = layer;
            weights.attention(&format!("generator.layers.{layer}"), shape.channels[1]);
            layer += 1;
        }
    }
    weights.plain("generator.bn.weight", &[width]);
    weights.plain("generator.bn.bias", &[width]);
    weights.statistics("generator.bn", width);
    weights.normalised("generator.conv_to_rgb", &[width, width, 3, 3], true);

    let layers: Vec<(bool, usize, usize)> = blocks
        .iter()
        .map(|shape| {
            (
                shape.resamples,
                shape.channels[0] / width,
                shape.channels[1] / width,
            )
        })
        .collect();
    let json = serde_json::json!({
        "output_dim": resolution, "z_dim": Z, "class_embed_dim": Z, "channel_width": width,
        "num_classes": CLASSES, "layers": layers, "attention_layer_position": attention,
        "eps": 1e-4, "n_stats": ROWS,
    });
    let Weights {
        writer, tensors, ..
    } = weights;
    let bytes = writer.zip(&Item::Ordered(tensors), ZipOptions::default());
    std::fs::create_dir_all(directory)?;
    let directory = std::path::Path::new(directory);
    std::fs::write(directory.join("config.json"), json.to_string())?;
    std::fs::write(directory.join("pytorch_model.bin"), &bytes)?;
    println!("{} bytes", bytes.len());
    Ok(())
}

#[derive(Default)]
struct Weights {
    writer: TorchWriter,
    tensors: Vec<(String, Item)>,
    state: u32,
}

impl Weights {
    /// About -1 to 1 (a linear congruential generator: any noise does).
    fn noise(&mut self) -> f32 {
        self.state = self
            .state
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.state >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn add(&mut self, name: String, shape: &[usize], values: &[f32]) {
        let tensor = self.writer.f32(shape, values);
        self.tensors.push((name, tensor));
    }

    fn plain(&mut self, name: &str, shape: &[usize]) {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| self.noise()).collect();
        self.add(name.to_owned(), shape, &values);
    }

    /// A weight with its singular vectors: both are constant, so that sigma is far from 0.
    fn normalised(&mut self, name: &str, shape: &[usize], bias: bool) {
        let rows = shape[0];
        let rest: usize = shape[1..].iter().product();
        let scale = (1.0 / (rows * rest) as f32).sqrt();
        if bias {
            self.add(format!("{name}.bias"), &[rows], &vec![0.0; rows]);
        }
        let values: Vec<f32> = (0..rows * rest)
            .map(|_| scale * (1.0 + self.noise()))
            .collect();
        self.add(format!("{name}.weight_orig"), shape, &values);
        for (vector, len) in [("weight_u", rows), ("weight_v", rest)] {
            let unit = vec![1.0 / (len as f32).sqrt(); len];
            self.add(format!("{name}.{vector}"), &[len], &unit);
        }
    }

    fn statistics(&mut self, name: &str, channels: usize) {
        let table = [ROWS, channels];
        self.add(
            format!("{name}.running_means"),
            &table,
            &vec![0.0; ROWS * channels],
        );
        self.add(
            format!("{name}.running_vars"),
            &table,
            &vec![1.0; ROWS * channels],
        );
    }

    fn block(&mut self, name: &str, shape: &BlockShape) {
        let [channels_in, channels_out] = shape.channels;
        let hidden = bottleneck(channels_in);
        let norms = [channels_in, hidden, hidden, hidden];
        for (index, channels) in norms.into_iter().enumerate() {
            let bn = format!("{name}.bn_{index}");
            self.statistics(&bn, channels);
            self.normalised(&format!("{bn}.scale"), &[channels, 2 * Z], false);
            self.normalised(&format!("{bn}.offset"), &[channels, 2 * Z], false);
        }
        let convs = [
            [hidden, channels_in, 1, 1],
            [hidden, hidden, 3, 3],
            [hidden, hidden, 3, 3],
            [channels_out, hidden, 1, 1],
        ];
        for (index, shape) in convs.iter().enumerate() {
            self.normalised(&format!("{name}.conv_{index}"), shape, true);
        }
    }

    fn attention(&mut self, name: &str, channels: usize) {
        self.add(format!("{name}.gamma"), &[1], &[0.5]);
        for (conv, shape) in [
            ("theta", [channels / 8, channels, 1, 1]),
            ("phi", [channels / 8, channels, 1, 1]),
            ("g", [channels / 2, channels, 1, 1]),
            ("o_conv", [channels, channels / 2, 1, 1]),
        ] {
            self.normalised(&format!("{name}.snconv1x1_{conv}"), &shape, false);
        }
    }
}
