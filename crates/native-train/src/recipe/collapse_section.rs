//! `[run.collapse]` of a recipe.

use biggan::Error;
use serde::{Deserialize, Serialize};

use crate::recipe::collapse_action::Action;

/// What counts as collapse, and the response. docs/collapse.md has the thresholds and their sources;
/// lines are those of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CollapseSection {
    /// Whether the detector runs.
    pub enabled: bool,
    /// What to do after returning to a good checkpoint.
    pub action: Action,
    /// Most actions before the run is given up.
    pub max_rollbacks: usize,
    /// Alarm above this multiple of the running median of a layer's largest singular value.
    pub sigma_ratio: f64,
    /// Lines of the running median.
    pub sigma_lines: usize,
    /// D's loss at or below this ..
    pub d_loss: f64,
    /// .. with logits at least this far apart (a quarter of it with least squares, whose targets are nearer) ..
    pub d_gap: f64,
    /// .. or with logits at most this far apart ..
    pub d_lost_gap: f64,
    /// .. or G's loss above this multiple of 1 + its running median ..
    pub g_loss_factor: f64,
    /// .. for this many lines.
    pub loss_lines: usize,
    /// Alarm below this share of the best variance between samples.
    pub variance_share: f64,
    /// Lines of the median of that variance.
    pub variance_lines: usize,
    /// Alarm above this multiple of the best Frechet distance of `[run.score]`.
    pub score_factor: f64,
}

impl Default for CollapseSection {
    fn default() -> Self {
        Self {
            enabled: true,
            action: Action::Stop,
            max_rollbacks: 3,
            sigma_ratio: 1.5,
            sigma_lines: 20,
            d_loss: 0.02,
            d_gap: 2.0,
            d_lost_gap: 0.02,
            g_loss_factor: 10.0,
            loss_lines: 10,
            variance_share: 0.2,
            variance_lines: 5,
            score_factor: 1.6,
        }
    }
}

impl CollapseSection {
    /// Checks the values.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](biggan::ErrorKind::Config) naming the key, its value and the range.
    pub fn validate(&self) -> Result<(), Error> {
        let refuse = |key: &str, value: &dyn std::fmt::Display, range: &str| {
            Err(Error::config(format_args!("run.collapse.{key}"))
                .found(value)
                .expected(range))
        };
        for (key, value) in [
            ("sigma_lines", self.sigma_lines),
            ("loss_lines", self.loss_lines),
            ("variance_lines", self.variance_lines),
        ] {
            // a median of fewer is meaningless; more would be held in memory
            if !(5..=100_000).contains(&value) {
                return refuse(key, &value, "5 to 100000");
            }
        }
        for (key, value) in [
            ("sigma_ratio", self.sigma_ratio),
            ("g_loss_factor", self.g_loss_factor),
            ("score_factor", self.score_factor),
        ] {
            if !(value > 1.0 && value.is_finite()) {
                return refuse(key, &value, "above 1");
            }
        }
        for (key, value) in [
            ("d_loss", self.d_loss),
            ("d_gap", self.d_gap),
            ("d_lost_gap", self.d_lost_gap),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return refuse(key, &value, "0 or more");
            }
        }
        if !(0.0..1.0).contains(&self.variance_share) {
            return refuse(
                "variance_share",
                &self.variance_share,
                "0 or more and below 1",
            );
        }
        self.action.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_the_key() {
        CollapseSection::default().validate().unwrap();
        for (json, part) in [
            (r#"{"sigma_ratio": 1.0}"#, "sigma_ratio is 1"),
            (r#"{"loss_lines": 4}"#, "loss_lines is 4"),
            (r#"{"variance_share": 1.5}"#, "variance_share is 1.5"),
            (r#"{"d_loss": -1.0}"#, "d_loss is -1"),
            (r#"{"score_factor": 0.9}"#, "score_factor is 0.9"),
            (
                r#"{"action": {"kind": "lower_rates", "factor_g": 2.0}}"#,
                "factor_g is 2",
            ),
            (
                r#"{"action": {"kind": "freeze_generator", "images": 0}}"#,
                "images is 0",
            ),
        ] {
            let section: CollapseSection = serde_json::from_str(json).unwrap();
            let message = section.validate().unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
        assert!(
            serde_json::from_str::<CollapseSection>(r#"{"action": {"kind": "pray"}}"#).is_err()
        );
    }
}
