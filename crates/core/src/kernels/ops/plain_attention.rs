//! Attention in Burn's own operations, with a table of weights for each block of queries.

use core::ops::Range;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{Shape, Slice};

/// Largest table of attention weights computed at once, in bytes: browsers bind at most 128 MiB to
/// a buffer, and BigGAN-256 with attention at 128x128 has 256 MiB per image.
const MAX_TABLE_BYTES: usize = 64 << 20;

/// See [`crate::kernels::attention`]. In place of the sums it gives zeros: the gradient computes the softmax again.
/// (The sums would take five of Burn's operations.)
pub fn attention<B: Backend>(
    theta: FloatTensor<B>,
    phi: FloatTensor<B>,
    g: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let [n, _, queries] = theta.shape().dims();
    let none = B::float_zeros(
        Shape::new([n, queries]),
        &theta.device(),
        theta.dtype().into(),
    );
    (in_blocks::<B>(theta, phi, g, MAX_TABLE_BYTES), none)
}

/// `(dtheta, dphi, dg)` of [`attention`]; the formula is in `kernels::cpu::attention_grad`.
pub fn attention_grad<B: Backend>(
    theta: FloatTensor<B>,
    phi: FloatTensor<B>,
    g: FloatTensor<B>,
    y: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    grad_in_blocks::<B>([theta, phi, g], y, dy, MAX_TABLE_BYTES)
}

/// Ranges of queries whose table has at most `max_bytes`, or one query.
fn blocks<B: Backend>(
    theta: &FloatTensor<B>,
    phi: &FloatTensor<B>,
    max_bytes: usize,
) -> impl Iterator<Item = Range<usize>> {
    let [n, _, queries] = theta.shape().dims();
    let block = (max_bytes / (n * phi.shape()[2] * size_of::<f32>())).max(1);
    let firsts = (0..queries).step_by(block);
    firsts.map(move |first| first..(first + block).min(queries))
}

/// The queries of a block: a part of the last dimension.
fn columns<B: Backend>(x: &FloatTensor<B>, block: &Range<usize>) -> FloatTensor<B> {
    let dims = x.shape();
    let last = dims.num_dims() - 1;
    if block.len() == dims[last] {
        return x.clone();
    }
    let mut slices = vec![Slice::full(); last];
    slices.push(Slice::from(block.clone()));
    B::float_slice(x.clone(), &slices)
}

fn transpose<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_swap_dims(x, 1, 2)
}

/// The weights of a block of queries, `[n, block, keys]`.
fn weights<B: Backend>(theta: FloatTensor<B>, phi: FloatTensor<B>) -> FloatTensor<B> {
    B::softmax(B::float_matmul(transpose::<B>(theta), phi), 2)
}

fn in_blocks<B: Backend>(
    theta: FloatTensor<B>,
    phi: FloatTensor<B>,
    g: FloatTensor<B>,
    max_bytes: usize,
) -> FloatTensor<B> {
    let outputs = blocks::<B>(&theta, &phi, max_bytes).map(|block| {
        let weights = weights::<B>(columns::<B>(&theta, &block), phi.clone());
        B::float_matmul(g.clone(), transpose::<B>(weights)) // [n, c, block]
    });
    joined::<B>(outputs.collect())
}

fn grad_in_blocks<B: Backend>(
    [theta, phi, g]: [FloatTensor<B>; 3],
    y: FloatTensor<B>,
    dy: FloatTensor<B>,
    max_bytes: usize,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let mut dtheta = Vec::new();
    let mut sums: Option<[FloatTensor<B>; 2]> = None;
    for block in blocks::<B>(&theta, &phi, max_bytes) {
        let [theta, y, dy] = [&theta, &y, &dy].map(|x| columns::<B>(x, &block));
        let weights = weights::<B>(theta.clone(), phi.clone());
        let dweights = B::float_matmul(transpose::<B>(dy.clone()), g.clone());
        let mean = B::float_sum_dim(B::float_mul(dy.clone(), y), 1); // [n, 1, block]
        let centred = B::float_sub(dweights, transpose::<B>(mean));
        let dlogits = B::float_mul(weights.clone(), centred);
        dtheta.push(B::float_matmul(
            phi.clone(),
            transpose::<B>(dlogits.clone()),
        ));
        let some = [
            B::float_matmul(theta, dlogits), // [n, k, keys]
            B::float_matmul(dy, weights),    // [n, c, keys]
        ];
        sums = Some(match sums {
            None => some,
            Some([dphi, dg]) => {
                let [more_dphi, more_dg] = some;
                [B::float_add(dphi, more_dphi), B::float_add(dg, more_dg)]
            }
        });
    }
    let [dphi, dg] = sums.expect("attention has queries");
    (joined::<B>(dtheta), dphi, dg)
}

fn joined<B: Backend>(mut blocks: Vec<FloatTensor<B>>) -> FloatTensor<B> {
    if blocks.len() == 1 {
        return blocks.remove(0);
    }
    B::float_cat(blocks, 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use burn::backend::flex::FlexTensor;
    use burn::tensor::TensorData;

    fn waves(shape: &[usize], rate: f32) -> FlexTensor {
        let values: Vec<f32> = (0..shape.iter().product::<usize>())
            .map(|i| libm::sinf(i as f32 * rate))
            .collect();
        FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
    }

    /// The outputs and gradients for random values.
    fn all(max_bytes: usize) -> Vec<Vec<f32>> {
        let [theta, phi, g] = [([2, 3, 16], 0.7), ([2, 3, 4], 1.3), ([2, 5, 4], 0.3)]
            .map(|(shape, rate)| waves(&shape, rate));
        let dy = waves(&[2, 5, 16], 0.9);
        let inputs = [theta, phi, g];
        let [theta, phi, g] = inputs.clone();
        let y = in_blocks::<Flex>(theta, phi, g, max_bytes);
        assert_eq!(y.shape().dims(), [2, 5, 16]);
        let (dtheta, dphi, dg) = grad_in_blocks::<Flex>(inputs, y.clone(), dy, max_bytes);
        [y, dtheta, dphi, dg]
            .map(|t| t.to_contiguous().into_data().try_to_vec().unwrap())
            .to_vec()
    }

    #[test]
    fn blocks_of_queries_change_nothing() {
        let whole = all(1 << 20);
        // one query needs 2 images x 4 keys x 4 bytes: blocks of 1, 3 (with a rest) and 16
        for max_bytes in [1, 3 * 32, 16 * 32] {
            for (some, whole) in all(max_bytes).iter().flatten().zip(whole.iter().flatten()) {
                assert!((some - whole).abs() < 2e-6, "{max_bytes}: {some} {whole}");
            }
        }
    }
}
