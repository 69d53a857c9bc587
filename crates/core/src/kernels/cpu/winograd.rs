//! 3x3 convolutions by Winograd's minimal filtering F(2x2, 3x3): 16 multiply-adds for four outputs in place of 36
//! (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", sec. 4.1).
//!
//! `y = A^T [(G g G^T) * (B^T d B)] A` for each tile of 2x2 outputs, with `d` its 4x4 inputs and `*` value by value,
//! summed over the input channels: 16 matrix products. On the grid of tiles, an image is four, one a parity of row and
//! column, so that each value of `d` is a shifted view of one of them and the outputs of a tile are the four parities
//! again: whole registers of tiles are transformed at once.

use super::conv_shape::ConvShape;
use super::correlate::{Place, Product, Weights};
use super::grid::Grid;
use super::instruction_sets::kernels;
use super::kept::Kept;
use super::parallel::{Output, for_each, with_scratch};
use super::source::{Norm, Source};
use super::taps::Tap;
use super::unpack::{Target, UnpackArgs};
use super::winograd_tiles::{TileInputs, TileOutputs};

/// Values of a transformed tile.
const VALUES: usize = 16;
/// Channels below which the transforms cost more than they save.
const MIN_CHANNELS: usize = 16;
/// Width in pixels below which they do: rows of tiles no longer fill the registers, and 16 weights take longer to
/// read than nine.
const MIN_WIDTH: usize = 32;
/// Most tiles of an item; its transformed inputs are kept in the second and third cache.
const TILES: usize = 200;
/// Most tiles times input channels of an item.
const TILE_CHANNELS: usize = 200 * 128;
/// Fewest tiles of an item: three registers of 16.
const MIN_TILES: usize = 48;
/// Panels of outputs that are computed together: their products and the inputs of a value fill the second cache.
const PANELS: usize = 3;

/// Whether a convolution is computed in this way.
pub fn pays(shape: ConvShape) -> bool {
    let even = shape.height.is_multiple_of(2) && shape.width.is_multiple_of(2);
    let large = shape.width >= MIN_WIDTH && shape.inputs.min(shape.outputs) >= MIN_CHANNELS;
    shape.kernel == 3 && even && large
}

/// `G g G^T` of all kernels of a weight `[outputs, inputs, 3, 3]`.
pub fn weights(outputs: usize, inputs: usize, weight: &[f32]) -> Weights {
    let mut values: [_; VALUES] = core::array::from_fn(|_| Vec::with_capacity(outputs * inputs));
    for kernel in weight.as_chunks::<9>().0 {
        let half = |[a, b, c]: [f32; 3]| [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c];
        let rows: [[f32; 3]; 3] =
            core::array::from_fn(|y| core::array::from_fn(|x| kernel[3 * y + x]));
        let columns: [[f32; 4]; 3] = core::array::from_fn(|x| half(rows.map(|row| row[x])));
        for i in 0..4 {
            for (j, value) in half(columns.map(|column| column[i]))
                .into_iter()
                .enumerate()
            {
                values[4 * i + j].push(value);
            }
        }
    }
    let taps = |rows: usize| (0..rows).map(|row| Tap { row, dy: 0, dx: 0 }).collect();
    let products: Vec<Product> = values
        .into_iter()
        .map(|weight| Product {
            taps: taps(inputs),
            weight,
        })
        .collect();
    Weights::whole_rows(&products, inputs, outputs)
}

/// As [`super::conv::conv2d`], where it [`pays`].
pub fn conv3x3(shape: ConvShape, x: &[f32], weights: &Weights, bias: Option<&[f32]>) -> Vec<f32> {
    let out = Output::new(shape.images * shape.outputs * shape.height * shape.width);
    conv3x3_on(shape, (x, None), weights, bias, Target::set(&out));
    // SAFETY: the tasks cover every tile and output and so every row of every image.
    unsafe { out.finish() }
}

/// [`conv3x3`] of values that are normalised first, to a place.
pub fn conv3x3_on(
    shape: ConvShape,
    (x, norm): (&[f32], Option<Norm>),
    weights: &Weights,
    bias: Option<&[f32]>,
    to: Target,
) {
    let kernels = kernels();
    let tiles = (TILE_CHANNELS / shape.inputs.max(1)).clamp(MIN_TILES, TILES);
    let grid = Grid::new(shape.images, shape.height / 2, shape.width / 2, 1).in_items_of(tiles);
    let source = Source::halved(x, shape.inputs).normed(norm);
    let packed = grid.packed();
    let pitch = grid.dense_pitch(kernels.lanes);
    let parts = weights.parts(grid.items());
    for_each(grid.items() * parts, |task| {
        let (panels, part) = weights.part(task % parts, parts);
        if part.is_empty() {
            return;
        }
        with_scratch(|first, second, starts| {
            let item = grid.item(task / parts);
            let (image, inputs) = first
                .take(4 * packed.pitch + VALUES * shape.inputs * pitch)
                .split_at_mut(4 * packed.pitch);
            grid.starts(item, kernels.lanes, starts);
            for channel in 0..shape.inputs {
                grid.pack(source, 4 * channel..4 * channel + 4, item, packed, image);
                let args = TileInputs {
                    // SAFETY: inside the packed image
                    image: unsafe { image.as_ptr().add(packed.origin) },
                    pitch: packed.pitch,
                    stride: grid.stride(),
                    step: grid.step(),
                    starts,
                    out: inputs[channel * pitch..].as_mut_ptr(),
                    out_pitch: shape.inputs * pitch,
                };
                // SAFETY: a start is in the item and a tap at most a row and a pixel away, for which, and for the
                // rounding to a register, `Grid::packed` leaves room, as `pitch` does.
                unsafe { (kernels.tile_inputs)(&args) };
            }
            let offsets: Kept<usize> = (0..weights.block_rows).map(|row| row * pitch).collect();
            let dense: Kept<usize> = (0..starts.len()).map(|v| v * kernels.lanes).collect();
            let block = PANELS * kernels.tiles[0].rows;
            let products = second.take(VALUES * block * pitch);
            for panels in panels.chunks(PANELS) {
                let outputs = panels[0].row..weights.end(panels).min(part.end);
                for value in 0..VALUES {
                    for rows in weights.blocks() {
                        let mut place = Place {
                            offsets: &offsets,
                            image: &inputs[(value * shape.inputs + rows.start) * pitch..],
                            starts: &dense,
                            out: &mut products[value * block * pitch..][..block * pitch],
                            pitch,
                        };
                        // SAFETY: `pitch` has room for whole registers, in both.
                        unsafe { weights.multiply(value, &rows, panels, &mut place) };
                    }
                }
                for output in 0..outputs.len() {
                    let args = TileOutputs {
                        values: products[output * pitch..].as_mut_ptr(),
                        pitch: block * pitch,
                        len: dense.len() * kernels.lanes,
                    };
                    // SAFETY: as above.
                    unsafe { (kernels.tile_outputs)(&args) };
                }
                let results = UnpackArgs {
                    grid,
                    item,
                    outputs: shape.outputs,
                    part: outputs,
                    bias,
                    // the four parities
                    result: &products[..4 * block * pitch],
                    block,
                    pitch,
                    to,
                };
                // SAFETY: the kernels are those of an instruction set that this machine has.
                unsafe { (kernels.unpack)(results) };
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::super::conv::{direct, direct_weights};
    use super::*;

    /// Of the largest value; about 1e-6 is seen.
    const TOLERANCE: f32 = 2e-5;

    fn waves(len: usize, rate: f32) -> Vec<f32> {
        (0..len)
            .map(|i| libm::sinf(rate * i as f32 + 0.001 * (i * i % 977) as f32))
            .collect()
    }

    /// The largest difference to the sum over nine taps, and the largest value.
    fn compare(shape: ConvShape) -> [f32; 2] {
        let ConvShape {
            images,
            inputs,
            outputs,
            height,
            width,
            ..
        } = shape;
        let x = waves(images * inputs * height * width, 0.7);
        let weight = waves(outputs * inputs * 9, 1.3);
        let bias = waves(outputs, 0.3);
        let expected = direct(shape, &x, &direct_weights(shape, &weight), Some(&bias));
        let y = conv3x3(shape, &x, &weights(outputs, inputs, &weight), Some(&bias));
        assert_eq!(y.len(), expected.len());
        let largest =
            |values: &mut dyn Iterator<Item = f32>| values.fold(0.0, |a: f32, b| a.max(b.abs()));
        let differences = &mut y.iter().zip(&expected).map(|(a, b)| a - b);
        [largest(differences), largest(&mut expected.iter().copied())]
    }

    #[test]
    fn tiles_are_convolutions() {
        for [images, inputs, outputs, height, width] in [
            [1, 1, 1, 2, 2],
            [3, 2, 9, 4, 4],
            [5, 17, 33, 8, 8],
            [2, 16, 24, 6, 10],
            [1, 40, 19, 16, 64],
            [2, 5, 3, 34, 32],
            [1, 300, 7, 2, 96],
            [9, 16, 16, 4, 8],
        ] {
            let shape = ConvShape {
                images,
                inputs,
                outputs,
                height,
                width,
                kernel: 3,
            };
            let [difference, largest] = compare(shape);
            assert!(
                difference <= TOLERANCE * largest,
                "{images} {inputs} {outputs} {height} {width}: {difference} of {largest}"
            );
        }
    }

    #[test]
    fn one_kernel_by_hand() {
        // sixteen values of a kernel of ones: rows and columns (1, 3/2, 1/2, 1)
        let sums = [1.0, 1.5, 0.5, 1.0];
        let weights = weights(1, 1, &[1.0; 9]);
        for (value, (_, values)) in weights.products.iter().enumerate() {
            assert_eq!(values[0], sums[value / 4] * sums[value % 4]);
        }
    }

    #[test]
    fn odd_sides_few_channels_and_small_images_are_left_to_the_sum_over_taps() {
        let pays = |inputs, height, width, kernel| {
            pays(ConvShape {
                images: 1,
                inputs,
                outputs: 64,
                height,
                width,
                kernel,
            })
        };
        assert!(pays(64, 32, 32, 3));
        for other in [
            pays(8, 32, 32, 3),
            pays(64, 31, 32, 3),
            pays(64, 32, 33, 3),
            pays(64, 16, 16, 3),
            pays(64, 32, 32, 1),
        ] {
            assert!(!other);
        }
    }
}
