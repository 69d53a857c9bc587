//! Whether the paper's claims show in the rows: computed, never judged by hand.

use super::result::{RowResult, TruncationPoint};
use super::rows::{Row, Rule, SEEDS};

/// The finished rows.
#[derive(Debug, Clone, Copy)]
pub struct Results<'a>(pub &'a [RowResult]);

impl<'a> Results<'a> {
    /// The result of a row.
    pub fn of(self, row: &str) -> Option<&'a RowResult> {
        self.0.iter().find(|result| result.row == row)
    }

    /// The lowest Frechet distance of a row.
    fn best(self, row: &str) -> Option<f64> {
        self.of(row)?.best.map(|best| best.frechet)
    }

    /// Largest relative difference between the best distances of rows that differ by the seed alone;
    /// `None` until there is such a pair.
    pub fn noise(self) -> Option<f64> {
        let differences = SEEDS.iter().filter_map(|[one, other]| {
            let [a, b] = [self.best(one)?, self.best(other)?];
            Some((a - b).abs() / a.min(b))
        });
        differences.reduce(f64::max)
    }

    /// Whether a row's claim shows, in words; empty without a claim.
    pub fn verdict(self, row: &Row) -> String {
        let Some(claim) = &row.claim else {
            return String::new();
        };
        let compared = self.compare(row.name, claim.rule);
        compared.unwrap_or_else(|| format!("needs row {}", claim.rule.other()))
    }

    fn compare(self, row: &str, rule: Rule) -> Option<String> {
        let other = rule.other();
        let noise = self.noise().unwrap_or(0.0);
        Some(match rule {
            Rule::Better(_) | Rule::Worse(_) => {
                let [own, than] = [self.best(row)?, self.best(other)?];
                let word = match rule {
                    Rule::Worse(_) => word(than, own, noise),
                    _ => word(own, than, noise),
                };
                format!("{word}: {own:.2} against {than:.2} of {other}")
            }
            Rule::BetterConditioned(_) => {
                let [own, than] = [self.condition(row)?, self.condition(other)?];
                let word = yes_or_no(own < than);
                format!("{word}: sigma0 / sigma1 {own:.3} against {than:.3} of {other}")
            }
            Rule::LessSaturated(_) => {
                let [own, than] = [self.saturation(row)?, self.saturation(other)?];
                let word = yes_or_no(own < than);
                format!(
                    "{word}: {:+.1} % saturated at the lowest threshold against {:+.1} % of {other}",
                    own * 100.0,
                    than * 100.0
                )
            }
        })
    }

    /// sigma0 / sigma1 of G's first layer.
    fn condition(self, row: &str) -> Option<f64> {
        let sigma = &self.of(row)?.spectra.generator_first;
        Some(f64::from(*sigma.first()?) / f64::from(*sigma.get(1)?))
    }

    /// Saturated share at the lowest threshold, beyond that without truncation.
    fn saturation(self, row: &str) -> Option<f64> {
        let all: &[TruncationPoint] = &self.of(row)?.truncations;
        Some(all.last()?.saturated - all.first()?.saturated)
    }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// Whether `lower` is below `higher` by more than the noise.
fn word(lower: f64, higher: f64, noise: f64) -> &'static str {
    if (lower - higher).abs() / lower.min(higher) <= noise {
        "within the noise of seeds"
    } else {
        yes_or_no(lower < higher)
    }
}

#[cfg(test)]
mod tests {
    use super::super::markdown::tests::result;
    use super::super::rows::by_name;
    use super::*;

    fn verdict(results: &[RowResult], row: &str) -> String {
        Results(results).verdict(by_name(row).unwrap())
    }

    #[test]
    fn differences_count_beyond_those_of_seeds() {
        let mut all = vec![
            result("batch32", 20.0),
            result("batch16", 30.0),
            result("batch64", 10.0),
            result("wider", 19.0),
        ];
        assert_eq!(
            verdict(&all, "wider"),
            "yes: 19.00 against 20.00 of batch32"
        );
        all.push(result("batch32-seed2", 22.0));
        assert_eq!(Results(&all).noise(), Some(0.1));
        assert!(verdict(&all, "wider").starts_with("within the noise"));
        assert_eq!(
            verdict(&all, "batch16"),
            "yes: 30.00 against 20.00 of batch32"
        );
        assert!(verdict(&all, "batch64").starts_with("yes"));
        all[2].best = all[1].best;
        assert!(verdict(&all, "batch64").starts_with("no: 30.00"));
        assert_eq!(verdict(&all, "shared"), "needs row batch32");
        assert_eq!(verdict(&all, "batch32"), "");
    }

    #[test]
    fn spectra_and_saturation_are_compared() {
        let mut all = vec![
            result("hierarchical", 9.0),
            result("ortho", 9.0),
            result("clamp-ratio", 9.0),
        ];
        all[1].spectra.generator_first = vec![3.0, 1.5, 1.0];
        all[2].spectra.generator_first = vec![1.05, 1.0, 1.0];
        all[0].truncations[1].saturated = 0.9;
        assert_eq!(
            verdict(&all, "clamp-ratio"),
            "yes: sigma0 / sigma1 1.050 against 2.000 of ortho"
        );
        assert_eq!(
            verdict(&all, "ortho"),
            "yes: +10.0 % saturated at the lowest threshold against +40.0 % of hierarchical"
        );
    }
}
