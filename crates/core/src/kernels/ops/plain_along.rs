//! Attention along a direction in Burn's own operations, with whole tables; the formulas are in
//! `kernels::cpu::attention_along` and `attention_along_grad`.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{Shape, Slice};

/// The first or the second half of the images.
fn half<B: Backend>(x: &FloatTensor<B>, which: usize) -> FloatTensor<B> {
    let n = x.shape()[0] / 2;
    B::float_slice(x.clone(), &[Slice::from(which * n..(which + 1) * n)])
}

fn transpose<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_swap_dims(x, 1, 2)
}

/// `a^T b`
fn inner<B: Backend>(a: &FloatTensor<B>, b: &FloatTensor<B>) -> FloatTensor<B> {
    B::float_matmul(transpose::<B>(a.clone()), b.clone())
}

/// Inputs and tables `[n, queries, keys]`.
struct Tables<B: Backend> {
    theta: [FloatTensor<B>; 2],
    phi: [FloatTensor<B>; 2],
    g: [FloatTensor<B>; 2],
    beta: FloatTensor<B>,
    /// `ds - m`
    apart: FloatTensor<B>,
}

impl<B: Backend> Tables<B> {
    fn new(theta: FloatTensor<B>, phi: FloatTensor<B>, g: FloatTensor<B>) -> Self {
        let [theta, phi, g] = [theta, phi, g].map(|both| [0, 1].map(|i| half::<B>(&both, i)));
        let beta = B::softmax(inner::<B>(&theta[0], &phi[0]), 2);
        let slope = B::float_add(
            inner::<B>(&theta[1], &phi[0]),
            inner::<B>(&theta[0], &phi[1]),
        );
        let mean = B::float_sum_dim(B::float_mul(beta.clone(), slope.clone()), 2);
        Self {
            theta,
            phi,
            g,
            beta,
            apart: B::float_sub(slope, mean),
        }
    }
}

/// `(y, kept)`; nothing is kept.
pub fn attention_along<B: Backend>(
    theta: FloatTensor<B>,
    phi: FloatTensor<B>,
    g: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let none = B::float_zeros(Shape::new([1]), &theta.device(), theta.dtype().into());
    let tables = Tables::<B>::new(theta, phi, g);
    let [g, h] = tables.g;
    let changed = B::float_mul(tables.beta.clone(), tables.apart);
    let y = B::float_add(
        B::float_matmul(h, transpose::<B>(tables.beta)),
        B::float_matmul(g, transpose::<B>(changed)),
    );
    (y, none)
}

/// Gradients of the three pairs.
pub fn attention_along_grad<B: Backend>(
    theta: FloatTensor<B>,
    phi: FloatTensor<B>,
    g: FloatTensor<B>,
    y: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let Tables {
        theta,
        phi,
        g,
        beta,
        apart,
    } = Tables::<B>::new(theta, phi, g);
    let over_keys = |x| B::float_sum_dim(x, 2);
    let by_values = g.map(|g| inner::<B>(&dy, &g)); // [n, queries, keys]
    let [by_g, by_h] = by_values;
    let mean = over_keys(B::float_mul(beta.clone(), by_g.clone()));
    let by_slope = B::float_mul(beta.clone(), B::float_sub(by_g, mean));
    let by_y = transpose::<B>(B::float_sum_dim(B::float_mul(dy.clone(), y), 1)); // [n, queries, 1]
    let by_logit = B::float_add(
        B::float_mul(by_slope.clone(), apart.clone()),
        B::float_mul(beta.clone(), B::float_sub(by_h, by_y)),
    );
    let both = |a, b| B::float_cat(vec![a, b], 0);
    let by_query = |phi: &FloatTensor<B>, table: &FloatTensor<B>| {
        B::float_matmul(phi.clone(), transpose::<B>(table.clone()))
    };
    let by_key = |theta: &FloatTensor<B>, table: &FloatTensor<B>| {
        B::float_matmul(theta.clone(), table.clone())
    };
    (
        both(
            B::float_add(by_query(&phi[0], &by_logit), by_query(&phi[1], &by_slope)),
            by_query(&phi[0], &by_slope),
        ),
        both(
            B::float_add(by_key(&theta[0], &by_logit), by_key(&theta[1], &by_slope)),
            by_key(&theta[0], &by_slope),
        ),
        both(
            by_key(&dy, &B::float_mul(beta.clone(), apart)),
            by_key(&dy, &beta),
        ),
    )
}
