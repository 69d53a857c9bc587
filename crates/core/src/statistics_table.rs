//! The position of a truncation in a model's table of batch norm statistics.

use crate::error::{Error, Result};
use crate::truncation::{Truncation, TruncationKind};

/// Closer to a row than this share of the step to the next counts as on the row: thresholds such as
/// 0.14 = 7 * 0.02 do not divide exactly in binary.
const ON_A_ROW: f64 = 1e-6;

/// How a position between two rows is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowRule {
    /// Linear interpolation.
    #[default]
    Linear,
    /// What pytorch-pretrained-BigGAN computes (`model.py:113-133`), including its bugs: with
    /// `k + c = t / step` in floating point, row k has weight c and row k + 1 has weight 1 - c (the reverse of
    /// linear), and a t on a row whose division rounds up or down takes a neighbouring row (0.14, 0.28, 0.56
    /// the next; 0.58, 0.94 the previous).
    HfCompat,
}

/// A row, or a point between two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TablePosition {
    /// Lower row.
    pub row: usize,
    /// Upper row (equal to `row` when no interpolation is needed).
    pub next: usize,
    /// Weight of the upper row, 0 to 1.
    pub weight: f64,
}

impl TablePosition {
    fn on(row: usize) -> Self {
        Self {
            row,
            next: row,
            weight: 0.0,
        }
    }

    /// Finds a truncation in a table whose rows have these truncations, of the model's own kind.
    ///
    /// # Errors
    /// If the table is empty, or the rule is [`RowRule::HfCompat`] and the table is not Hugging Face's
    /// (thresholds 0 to 1 in even steps) or t is off or above 1.
    pub fn find(
        rows: &[Truncation],
        kind: TruncationKind,
        truncation: Truncation,
        rule: RowRule,
    ) -> Result<Self> {
        if rows.is_empty() {
            return Err(Error::file("the model's statistics table").found("empty"));
        }
        match rule {
            RowRule::Linear => Ok(linear(rows, kind, truncation)),
            RowRule::HfCompat => hf_compat(rows, truncation),
        }
    }

    /// The row of a table `[rows, channels]` at this position, interpolated in f64.
    pub(crate) fn row_of(self, table: &[f32], channels: usize) -> Vec<f32> {
        let at = |row: usize, c: usize| f64::from(table[row * channels + c]);
        (0..channels)
            .map(|c| {
                let (low, high) = (at(self.row, c), at(self.next, c));
                (low + (high - low) * self.weight) as f32
            })
            .collect()
    }
}

/// Rows may be in any order. Below the smallest threshold its row is taken; above the largest the
/// position is interpolated towards off, or clamped to the last row in a table without off.
fn linear(rows: &[Truncation], kind: TruncationKind, truncation: Truncation) -> TablePosition {
    let at = |truncation: Truncation| match truncation {
        Truncation::Off => kind.off_at(),
        Truncation::Threshold(t) => t.min(kind.off_at()),
    };
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| at(rows[a]).total_cmp(&at(rows[b])));
    let target = at(truncation);
    match order.iter().position(|&row| at(rows[row]) >= target) {
        None => TablePosition::on(order[order.len() - 1]),
        Some(0) => TablePosition::on(order[0]),
        Some(place) => {
            let (row, next) = (order[place - 1], order[place]);
            let (low, high) = (at(rows[row]), at(rows[next]));
            let weight = (target - low) / (high - low);
            if weight < ON_A_ROW {
                TablePosition::on(row)
            } else if weight > 1.0 - ON_A_ROW {
                TablePosition::on(next)
            } else {
                TablePosition { row, next, weight }
            }
        }
    }
}

fn hf_compat(rows: &[Truncation], truncation: Truncation) -> Result<TablePosition> {
    let step = 1.0 / (rows.len() - 1) as f64; // infinite for one row, which the next check refuses
    let even = rows.iter().enumerate().all(|(index, row)| {
        matches!(row, Truncation::Threshold(t) if (t - index as f64 * step).abs() < 1e-9)
    });
    if !even {
        return Err(Error::request("the model's statistics table")
            .found(format_args!("{} rows of other thresholds", rows.len()))
            .expected("thresholds 0 to 1 in even steps for hf_compat")
            .remedy("leave hf_compat out"));
    }
    let t = match truncation {
        Truncation::Threshold(t) if t > 0.0 && t <= 1.0 => t,
        other => {
            return Err(Error::request("the truncation for hf_compat")
                .found(other)
                .expected("above 0 and at most 1"));
        }
    };
    let quotient = t / step;
    let whole = libm::trunc(quotient);
    let share = quotient - whole;
    let row = whole as usize;
    Ok(if share == 0.0 {
        TablePosition::on(row)
    } else {
        TablePosition {
            row,
            next: row + 1,
            weight: 1.0 - share,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(rows: &[Truncation], t: Truncation) -> TablePosition {
        TablePosition::find(rows, TruncationKind::Resampling, t, RowRule::Linear).unwrap()
    }

    /// The published tables: 51 rows, 0 to 1.
    fn hf_rows() -> Vec<Truncation> {
        (0..51)
            .map(|k| Truncation::Threshold(f64::from(k) * 0.02))
            .collect()
    }

    fn hf_place(t: f64, rule: RowRule) -> TablePosition {
        let kind = TruncationKind::ScaledTruncatedNormal;
        TablePosition::find(&hf_rows(), kind, Truncation::Threshold(t), rule).unwrap()
    }

    #[test]
    fn between_rows_and_beyond_them() {
        let rows: Vec<Truncation> = std::iter::once(Truncation::Off)
            .chain([0.5, 1.0].map(Truncation::Threshold))
            .collect();
        let place = |t| place(&rows, t);
        assert_eq!(place(Truncation::Off), TablePosition::on(0));
        assert_eq!(place(Truncation::Threshold(0.2)), TablePosition::on(1));
        assert_eq!(place(Truncation::Threshold(8.0)), TablePosition::on(0));
        let middle = place(Truncation::Threshold(0.75));
        assert_eq!((middle.row, middle.next), (1, 2));
        assert!((middle.weight - 0.5).abs() < 1e-12);
        let beyond = place(Truncation::Threshold(2.5));
        assert_eq!((beyond.row, beyond.next), (2, 0));
        assert!((beyond.weight - 0.5).abs() < 1e-12);
    }

    #[test]
    fn one_row_serves_every_truncation() {
        for t in [Truncation::Off, Truncation::Threshold(0.1)] {
            assert_eq!(place(&[Truncation::Off], t), TablePosition::on(0));
        }
        let none = TablePosition::find(
            &[],
            TruncationKind::default(),
            Truncation::Off,
            RowRule::Linear,
        );
        assert!(none.is_err());
    }

    #[test]
    fn thresholds_on_a_row_of_a_long_table_take_that_row() {
        for k in 1..=50 {
            // as typed, not as multiplied
            let t: f64 = format!("{}.{:02}", k / 50, k * 2 % 100).parse().unwrap();
            assert_eq!(hf_place(t, RowRule::Linear), TablePosition::on(k), "{t}");
        }
        let between = hf_place(0.405, RowRule::Linear);
        assert_eq!((between.row, between.next), (20, 21));
        assert!((between.weight - 0.25).abs() < 1e-9);
        // a table without off ends at its last row
        let last = TablePosition::find(
            &hf_rows(),
            TruncationKind::ScaledTruncatedNormal,
            Truncation::Off,
            RowRule::Linear,
        );
        assert_eq!(last.unwrap(), TablePosition::on(50));
        assert_eq!(place(&hf_rows(), Truncation::Threshold(3.0)).row, 50);
    }

    #[test]
    fn hf_compat_repeats_the_rounding() {
        // the row with all but 1e-12 of the weight, from `math.modf(t / 0.02)` in Python
        let heaviest = |t: f64| {
            let found = hf_place(t, RowRule::HfCompat);
            assert!(
                found.weight < 1e-12 || found.weight > 1.0 - 1e-12,
                "{t}: {found:?}"
            );
            if found.weight > 0.5 {
                found.next
            } else {
                found.row
            }
        };
        for (t, row) in [(0.14, 8), (0.28, 15), (0.56, 29), (0.58, 28), (0.94, 46)] {
            assert_eq!(heaviest(t), row, "{t}");
        }
        for k in 1..=10 {
            assert_eq!(heaviest(f64::from(k) / 10.0), 5 * k as usize);
        }
    }

    #[test]
    fn hf_compat_repeats_the_reversed_weights() {
        let between = hf_place(0.405, RowRule::HfCompat);
        assert_eq!((between.row, between.next), (20, 21));
        assert!((between.weight - 0.75).abs() < 1e-9);
        let half = hf_place(0.41, RowRule::HfCompat);
        assert!((half.weight - hf_place(0.41, RowRule::Linear).weight).abs() < 1e-9);
    }

    #[test]
    fn hf_compat_refuses_other_tables_and_thresholds() {
        let kind = TruncationKind::ScaledTruncatedNormal;
        let refused = |rows: &[Truncation], t| {
            TablePosition::find(rows, kind, t, RowRule::HfCompat)
                .unwrap_err()
                .to_string()
        };
        let half = Truncation::Threshold(0.5);
        for rows in [
            vec![Truncation::Off],
            vec![half],
            vec![Truncation::Off, half],
        ] {
            let message = refused(&rows, half);
            assert!(message.contains("0 to 1 in even steps"), "{message}");
        }
        assert!(refused(&hf_rows(), Truncation::Off).contains("is off"));
        assert!(refused(&hf_rows(), Truncation::Threshold(1.5)).contains("is 1.5"));
    }
}
