//! The convolutions of Inception v3 by name, as torchvision (`models/inception.py`) and pytorch-fid 0.3.0
//! (`inception.py`) have them.

/// A convolution without bias, followed by batch norm and ReLU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Name in the `state_dict`, e.g. `Mixed_5b.branch5x5_1`.
    pub name: String,
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Step in both directions.
    pub stride: usize,
    /// Zeros above and below, left and right.
    pub padding: [usize; 2],
}

/// Channels after the last block: the features.
pub const FEATURES: usize = 2048;
/// Classes of the network of 2015: ImageNet's 1000 and 8 that no image has.
pub const CLASSES: usize = 1008;

/// All convolutions in the order of the network.
pub fn layers() -> Vec<Layer> {
    let mut list = List {
        block: String::new(),
        layers: Vec::new(),
    };
    list.block("");
    list.strided("Conv2d_1a_3x3", [3, 32], 3, 2);
    list.strided("Conv2d_2a_3x3", [32, 32], 3, 1);
    list.same("Conv2d_2b_3x3", [32, 64], [3, 3]);
    list.same("Conv2d_3b_1x1", [64, 80], [1, 1]);
    list.strided("Conv2d_4a_3x3", [80, 192], 3, 1);
    for (block, channels, pool) in [("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)] {
        list.a(block, channels, pool);
    }
    list.b("6a", 288);
    for (block, narrow) in [("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)] {
        list.c(block, 768, narrow);
    }
    list.d("7a", 768);
    list.e("7b", 1280);
    list.e("7c", FEATURES);
    list.layers
}

struct List {
    block: String,
    layers: Vec<Layer>,
}

impl List {
    fn block(&mut self, name: &str) {
        self.block = name.to_owned();
    }

    fn push(
        &mut self,
        name: &str,
        channels: [usize; 2],
        kernel: [usize; 2],
        stride: usize,
        pad: bool,
    ) {
        let name = match self.block.as_str() {
            "" => name.to_owned(),
            block => format!("Mixed_{block}.{name}"),
        };
        self.layers.push(Layer {
            name,
            channels,
            kernel,
            stride,
            padding: if pad { kernel.map(|k| k / 2) } else { [0, 0] },
        });
    }

    /// Keeps height and width.
    fn same(&mut self, name: &str, channels: [usize; 2], kernel: [usize; 2]) {
        self.push(name, channels, kernel, 1, true);
    }

    /// Without padding.
    fn strided(&mut self, name: &str, channels: [usize; 2], kernel: usize, stride: usize) {
        self.push(name, channels, [kernel, kernel], stride, false);
    }

    /// 35x35: 64 + 64 + 96 + `pool` channels.
    fn a(&mut self, block: &str, channels: usize, pool: usize) {
        self.block(block);
        self.same("branch1x1", [channels, 64], [1, 1]);
        self.same("branch5x5_1", [channels, 48], [1, 1]);
        self.same("branch5x5_2", [48, 64], [5, 5]);
        self.same("branch3x3dbl_1", [channels, 64], [1, 1]);
        self.same("branch3x3dbl_2", [64, 96], [3, 3]);
        self.same("branch3x3dbl_3", [96, 96], [3, 3]);
        self.same("branch_pool", [channels, pool], [1, 1]);
    }

    /// 35x35 to 17x17: 384 + 96 + `channels`.
    fn b(&mut self, block: &str, channels: usize) {
        self.block(block);
        self.strided("branch3x3", [channels, 384], 3, 2);
        self.same("branch3x3dbl_1", [channels, 64], [1, 1]);
        self.same("branch3x3dbl_2", [64, 96], [3, 3]);
        self.strided("branch3x3dbl_3", [96, 96], 3, 2);
    }

    /// 17x17: four times 192 channels, `narrow` between the factors of the 7x7.
    fn c(&mut self, block: &str, channels: usize, narrow: usize) {
        self.block(block);
        let (row, column) = ([1, 7], [7, 1]);
        self.same("branch1x1", [channels, 192], [1, 1]);
        self.same("branch7x7_1", [channels, narrow], [1, 1]);
        self.same("branch7x7_2", [narrow, narrow], row);
        self.same("branch7x7_3", [narrow, 192], column);
        self.same("branch7x7dbl_1", [channels, narrow], [1, 1]);
        self.same("branch7x7dbl_2", [narrow, narrow], column);
        self.same("branch7x7dbl_3", [narrow, narrow], row);
        self.same("branch7x7dbl_4", [narrow, narrow], column);
        self.same("branch7x7dbl_5", [narrow, 192], row);
        self.same("branch_pool", [channels, 192], [1, 1]);
    }

    /// 17x17 to 8x8: 320 + 192 + `channels`.
    fn d(&mut self, block: &str, channels: usize) {
        self.block(block);
        self.same("branch3x3_1", [channels, 192], [1, 1]);
        self.strided("branch3x3_2", [192, 320], 3, 2);
        self.same("branch7x7x3_1", [channels, 192], [1, 1]);
        self.same("branch7x7x3_2", [192, 192], [1, 7]);
        self.same("branch7x7x3_3", [192, 192], [7, 1]);
        self.strided("branch7x7x3_4", [192, 192], 3, 2);
    }

    /// 8x8: 320 + 768 + 768 + 192 channels.
    fn e(&mut self, block: &str, channels: usize) {
        self.block(block);
        self.same("branch1x1", [channels, 320], [1, 1]);
        self.same("branch3x3_1", [channels, 384], [1, 1]);
        self.same("branch3x3_2a", [384, 384], [1, 3]);
        self.same("branch3x3_2b", [384, 384], [3, 1]);
        self.same("branch3x3dbl_1", [channels, 448], [1, 1]);
        self.same("branch3x3dbl_2", [448, 384], [3, 3]);
        self.same("branch3x3dbl_3a", [384, 384], [1, 3]);
        self.same("branch3x3dbl_3b", [384, 384], [3, 1]);
        self.same("branch_pool", [channels, 192], [1, 1]);
    }
}

/// Names and shapes of all tensors of the `state_dict`, in its order.
pub fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut all = Vec::new();
    for layer in layers() {
        let Layer {
            name,
            channels: [inputs, outputs],
            kernel: [h, w],
            ..
        } = layer;
        all.push((format!("{name}.conv.weight"), vec![outputs, inputs, h, w]));
        for part in ["weight", "bias", "running_mean", "running_var"] {
            all.push((format!("{name}.bn.{part}"), vec![outputs]));
        }
    }
    all.push(("fc.weight".to_owned(), vec![CLASSES, FEATURES]));
    all.push(("fc.bias".to_owned(), vec![CLASSES]));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tensors_are_those_of_pytorch_fid() {
        let text = include_str!("../../../../../tests/fixtures/inception/shapes.json");
        let theirs: std::collections::BTreeMap<String, Vec<usize>> =
            serde_json::from_str(text).unwrap();
        let ours = tensors();
        assert_eq!(ours.len(), theirs.len());
        for (name, shape) in ours {
            assert_eq!(theirs.get(&name), Some(&shape), "{name}");
        }
    }
}
