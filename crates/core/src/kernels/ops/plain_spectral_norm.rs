//! Spectral normalisation as a composition of Burn's own operations. The formulas are at
//! [`kernels::spectral_normalise`](crate::kernels::spectral_normalise).

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{Scalar, Shape};

/// `x / max(|x|, eps)` of a row or a column.
fn unit<B: Backend>(x: FloatTensor<B>, eps: f64) -> FloatTensor<B> {
    let square = B::float_sum(B::float_mul(x.clone(), x.clone()));
    let norm = B::float_clamp_min(B::float_sqrt(square), Scalar::from(eps));
    B::float_div(x, B::float_reshape(norm, Shape::new([1, 1])))
}

/// `(W / sigma, u', v, sigma)`; shapes `[out, rest]`, `[out]`, `[rest]` and `[1]`.
pub fn spectral_normalise<B: Backend>(
    weight: FloatTensor<B>,
    u: FloatTensor<B>,
    eps: f64,
) -> (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
) {
    let [out, rest] = weight.shape().dims();
    let u = B::float_reshape(u, Shape::new([1, out]));
    let v = unit::<B>(B::float_matmul(u, weight.clone()), eps); // [1, rest]
    let column = B::float_reshape(v.clone(), Shape::new([rest, 1]));
    let product = B::float_matmul(weight.clone(), column); // [out, 1]
    let next = unit::<B>(product.clone(), eps); // [out, 1]
    let sigma = B::float_sum(B::float_mul(product, next.clone()));
    let sigma = B::float_reshape(sigma, Shape::new([1]));
    let y = B::float_div(weight, B::float_reshape(sigma.clone(), Shape::new([1, 1])));
    let next = B::float_reshape(next, Shape::new([out]));
    (y, next, B::float_reshape(v, Shape::new([rest])), sigma)
}

/// `(dY - <dY, Y> u' v^T) / sigma`
pub fn spectral_normalise_grad<B: Backend>(
    y: FloatTensor<B>,
    u: FloatTensor<B>,
    v: FloatTensor<B>,
    sigma: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> FloatTensor<B> {
    let [out, rest] = y.shape().dims();
    let one = Shape::new([1, 1]);
    let dot = B::float_reshape(B::float_sum(B::float_mul(dy.clone(), y)), one.clone());
    let u = B::float_mul(B::float_reshape(u, Shape::new([out, 1])), dot);
    let outer = B::float_mul(u, B::float_reshape(v, Shape::new([1, rest])));
    B::float_div(B::float_sub(dy, outer), B::float_reshape(sigma, one))
}
