//! Batch norms folded into one scale and one shift per channel.
//!
//! With stored statistics `m`, `v` and `r = 1 / sqrt(v + eps)`,
//!
//! ```text
//! (x - m) r (1 + Wg c) + Wb c  =  x scale + shift
//! scale = (r Wg) c + r           shift = (Wb - m r Wg) c - m r
//! ```
//!
//! so that each is one linear layer in the condition `c`. Folded in f64, then rounded to f32.

use super::weights::Statistics;

/// Where in a matrix the channel of an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// Rows: a linear layer's `[c, dim]`.
    Rows,
    /// Columns: an embedding's `[classes, c]`.
    Columns,
}

/// A linear layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// Of the layout of the matrices that it was folded from.
    pub weight: Vec<f32>,
    /// `[c]`
    pub bias: Vec<f32>,
}

/// `1 / sqrt(variance + eps)` and the mean times it, per channel.
fn rates(stats: &Statistics, eps: f64) -> (Vec<f64>, Vec<f64>) {
    let rate = stats
        .variance
        .iter()
        .map(|&v| 1.0 / (f64::from(v) + eps).sqrt());
    let rate: Vec<f64> = rate.collect();
    let means = stats.mean.iter().zip(&rate);
    let means = means.map(|(&mean, rate)| f64::from(mean) * rate).collect();
    (rate, means)
}

/// Scale and shift of a class-conditional batch norm from the matrices of its gain and bias.
pub fn conditional(
    stats: &Statistics,
    eps: f64,
    [gain, bias]: [&[f32]; 2],
    channels: Channels,
) -> [Affine; 2] {
    let (rate, means) = rates(stats, eps);
    let count = rate.len();
    let per_channel = gain.len() / count;
    let channel = |index: usize| match channels {
        Channels::Rows => index / per_channel,
        Channels::Columns => index % count,
    };
    let elements = || gain.iter().zip(bias).enumerate();
    let scale = elements().map(|(i, (&gain, _))| f64::from(gain) * rate[channel(i)]);
    let shift =
        elements().map(|(i, (&gain, &bias))| f64::from(bias) - f64::from(gain) * means[channel(i)]);
    [
        Affine {
            weight: scale.map(|value| value as f32).collect(),
            bias: rate.iter().map(|&value| value as f32).collect(),
        },
        Affine {
            weight: shift.map(|value| value as f32).collect(),
            bias: means.iter().map(|&value| -value as f32).collect(),
        },
    ]
}

/// Scale and shift `[c]` of a batch norm with a gain and bias of its own.
pub fn unconditional(stats: &Statistics, eps: f64, [gain, bias]: [&[f32]; 2]) -> [Vec<f32>; 2] {
    let (rate, means) = rates(stats, eps);
    let scale = gain.iter().zip(&rate);
    let shift = gain.iter().zip(bias).zip(&means);
    [
        scale
            .map(|(&gain, rate)| (f64::from(gain) * rate) as f32)
            .collect(),
        shift
            .map(|((&gain, &bias), mean)| (f64::from(bias) - f64::from(gain) * mean) as f32)
            .collect(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two channels: r = 1/2 and 1, m r = 1 and -3.
    fn stats() -> Statistics {
        Statistics {
            mean: vec![2.0, -3.0],
            variance: vec![3.0, 0.0],
        }
    }

    #[test]
    fn a_conditional_norm_by_hand() {
        // one number of the condition; gain weights 10 and 20, bias weights 5 and 6
        let [scale, shift] =
            conditional(&stats(), 1.0, [&[10.0, 20.0], &[5.0, 6.0]], Channels::Rows);
        assert_eq!(
            (scale.weight, scale.bias),
            (vec![5.0, 20.0], vec![0.5, 1.0])
        );
        assert_eq!(
            (shift.weight, shift.bias),
            (vec![-5.0, 66.0], vec![-1.0, 3.0])
        );
    }

    #[test]
    fn the_channels_of_an_embedding_are_its_columns() {
        let (gain, bias) = ([1.0, 2.0, 3.0, 4.0], [0.0; 4]);
        let [columns, _] = conditional(&stats(), 1.0, [&gain, &bias], Channels::Columns);
        assert_eq!(columns.weight, [0.5, 2.0, 1.5, 4.0]);
        let [rows, _] = conditional(&stats(), 1.0, [&gain, &bias], Channels::Rows);
        assert_eq!(rows.weight, [0.5, 1.0, 3.0, 4.0]);
    }

    #[test]
    fn the_last_norm_by_hand() {
        let [scale, shift] = unconditional(&stats(), 1.0, [&[2.0, 3.0], &[7.0, 8.0]]);
        assert_eq!((scale, shift), (vec![1.0, 3.0], vec![5.0, 17.0]));
    }
}
