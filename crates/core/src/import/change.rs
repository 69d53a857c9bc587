//! Differences of layout between a foreign tensor and ours.

use crate::arch::BOTTOM;

/// What has to be done to a foreign tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Change {
    /// Nothing.
    #[default]
    None,
    /// `[dim, classes]` becomes `[classes, dim]`.
    Transposed,
    /// Columns `[z, class]` become `[class, z]`.
    ClassFirst {
        /// Length of z.
        z: usize,
    },
    /// Rows `(y, x, channel)` of the 4x4 feature map become `(channel, y, x)`.
    ChannelsFirst,
    /// Both of the above.
    ClassAndChannelsFirst {
        /// Length of z.
        z: usize,
    },
    /// The first rows are kept.
    FirstRows {
        /// Rows of the foreign tensor.
        of: usize,
    },
}

impl Change {
    /// In words; empty for nothing.
    pub fn describe(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Transposed => "transposed",
            Self::ClassFirst { .. } => "columns [z, class] -> [class, z]",
            Self::ChannelsFirst => "rows (y, x, c) -> (c, y, x)",
            Self::ClassAndChannelsFirst { .. } => {
                "columns [z, class] -> [class, z], rows (y, x, c) -> (c, y, x)"
            }
            Self::FirstRows { .. } => "the first 3 outputs kept",
        }
    }

    /// Shape of the foreign tensor that becomes ours.
    pub fn foreign_shape(self, ours: &[usize]) -> Vec<usize> {
        let mut shape = ours.to_vec();
        match self {
            Self::Transposed => shape.reverse(),
            Self::FirstRows { of } => shape[0] = of,
            _ => {}
        }
        shape
    }

    /// The values in our layout.
    ///
    /// `values` are of [`Change::foreign_shape`] of `ours`, row-major.
    pub fn apply(self, mut values: Vec<f32>, ours: &[usize]) -> Vec<f32> {
        let rows = ours[0];
        let columns = ours[1..].iter().product::<usize>();
        match self {
            Self::None => values,
            Self::Transposed => (0..rows * columns)
                .map(|at| values[at % columns * rows + at / columns])
                .collect(),
            Self::ClassFirst { z } => {
                values
                    .chunks_exact_mut(columns)
                    .for_each(|row| row.rotate_left(z));
                values
            }
            Self::ChannelsFirst => {
                let pixels = BOTTOM * BOTTOM;
                let channels = rows / pixels;
                let mut moved = Vec::with_capacity(values.len());
                for row in 0..rows {
                    let theirs = row % pixels * channels + row / pixels;
                    moved.extend_from_slice(&values[theirs * columns..(theirs + 1) * columns]);
                }
                moved
            }
            Self::ClassAndChannelsFirst { z } => {
                let rotated = Self::ClassFirst { z }.apply(values, ours);
                Self::ChannelsFirst.apply(rotated, ours)
            }
            Self::FirstRows { .. } => {
                values.truncate(rows * columns);
                values
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(n: usize) -> Vec<f32> {
        (0..n).map(|i| i as f32).collect()
    }

    #[test]
    fn by_hand() {
        let transposed = Change::Transposed;
        assert_eq!(transposed.foreign_shape(&[3, 2]), [2, 3]);
        assert_eq!(
            transposed.apply(count(6), &[3, 2]),
            [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]
        );
        // z of 1, class of 2: [z, a, b] -> [a, b, z]
        let class_first = Change::ClassFirst { z: 1 };
        assert_eq!(
            class_first.apply(count(6), &[2, 3]),
            [1.0, 2.0, 0.0, 4.0, 5.0, 3.0]
        );
        let first = Change::FirstRows { of: 5 };
        assert_eq!(first.foreign_shape(&[3, 2]), [5, 2]);
        assert_eq!(first.apply(count(10), &[3, 2]), count(6));
    }

    #[test]
    fn channels_come_before_pixels() {
        // 2 channels: row p * 2 + c there is row c * 16 + p here
        let bias = Change::ChannelsFirst.apply(count(32), &[32]);
        assert_eq!(bias[0], 0.0);
        assert_eq!(bias[1], 2.0);
        assert_eq!(bias[16], 1.0);
        assert_eq!(bias[31], 31.0);
        let weight = Change::ChannelsFirst.apply(count(64), &[32, 2]);
        assert_eq!(&weight[32..34], &[2.0, 3.0]);
    }
}
