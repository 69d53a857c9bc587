//! Additions to the plain step, each off by default: `[train.techniques]` of a recipe.

use serde::{Deserialize, Serialize};

use super::augment::AugmentConfig;
use super::gradient_penalty::GradientPenalty;
use super::lecam::LecamConfig;
use super::objective::Objective;
use super::sigma_clamp::SigmaClamp;
use super::top_k::TopKConfig;
use crate::error::{Error, Result};

/// Objective and regularisers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Techniques {
    /// What D and G minimise.
    pub objective: Objective,
    /// Gradient penalty on real images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r1: Option<GradientPenalty>,
    /// Gradient penalty on fakes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<GradientPenalty>,
    /// Bound of the largest singular value of G's weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma_clamp: Option<SigmaClamp>,
    /// Augmentation of the images before D.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augment: Option<AugmentConfig>,
    /// LeCam regularisation of D.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lecam: Option<LecamConfig>,
    /// G learns only from the fakes that D scores highest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<TopKConfig>,
    /// The first blocks of D, from the image on, whose weights stay as they are: for fine-tuning (Mo, Cho and Shin
    /// 2020, "Freeze the Discriminator").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze_d: Option<usize>,
    /// Images computed at a time, if the batch does not fit in memory: gradients are summed, and the memory of a step
    /// is that of a part.
    ///
    /// In both steps G's batch norm takes its statistics from a part, as in BigGAN-PyTorch's `num_D_accumulations` and
    /// `num_G_accumulations`: D is shown the fakes that G is trained with. Up to those statistics a step equals that of
    /// the whole batch: D's layers treat images independently, and singular vectors take one power step in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch: Option<usize>,
    /// Number of consecutive ranks that share batch norm's statistics; default all (as in the
    /// paper). The stored statistics are the means of the groups' statistics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bn_group: Option<usize>,
}

impl Techniques {
    /// Checks all of them against the batch size.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the key, its value and the remedy.
    pub fn validate(&self, batch_size: usize) -> Result<()> {
        for (key, penalty) in [("r1", &self.r1), ("r2", &self.r2)] {
            if let Some(penalty) = penalty {
                penalty.validate(key)?;
            }
        }
        if let Some(clamp) = &self.sigma_clamp {
            clamp.validate()?;
        }
        if let Some(augment) = &self.augment {
            augment.validate()?;
        }
        if let Some(lecam) = &self.lecam {
            lecam.validate()?;
        }
        if let Some(top_k) = &self.top_k {
            top_k.validate()?;
        }
        if self.bn_group == Some(0) {
            return Err(Error::config("techniques.bn_group")
                .found(0)
                .expected("1 or more ranks")
                .remedy("leave it out for all"));
        }
        let Some(part) = self.micro_batch else {
            return Ok(());
        };
        if part < 2 || !batch_size.is_multiple_of(part) {
            return Err(Error::config("techniques.micro_batch")
                .found(part)
                .expected(format_args!(
                    "2 or more, and a divisor of batch_size {batch_size}"
                )));
        }
        if self.top_k.is_some() {
            return Err(Error::config("techniques.top_k")
                .found("set")
                .expected(format_args!(
                    "unset: it ranks a whole batch, and micro_batch {part} shows G a part of it"
                ))
                .remedy("leave one of them out"));
        }
        Ok(())
    }

    /// Refuses a target of D's signs where logits have no zero.
    pub(super) fn check_boundary(&self) -> Result<()> {
        let target = self.augment.as_ref().and_then(|augment| augment.ada_target);
        match (target, self.objective.boundary()) {
            (Some(target), None) => Err(Error::config("augment.ada_target")
                .found(target)
                .expected(format_args!(
                    "unset with objective {}: only differences of its logits count, so that their signs say nothing",
                    self.objective.name()
                ))
                .remedy("leave it out, to augment every image, or choose another objective")),
            _ => Ok(()),
        }
    }

    /// Whether D's weight of this name learns: not in the blocks that stay, nor before them.
    pub(crate) fn learns(&self, name: &str) -> bool {
        let Some(frozen) = self.freeze_d else {
            return true;
        };
        let block = name
            .strip_prefix("blocks.")
            .and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        match block {
            Some(block) => block >= frozen,
            None => frozen == 0 || !name.starts_with("input_conv."),
        }
    }

    /// Ranges of a batch of `n` that are computed at a time.
    pub fn parts(&self, n: usize) -> Vec<std::ops::Range<usize>> {
        let part = self.micro_batch.unwrap_or(n).clamp(1, n.max(1));
        (0..n)
            .step_by(part)
            .map(|from| from..(from + part).min(n))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_both_values() {
        let with = |part| Techniques {
            micro_batch: Some(part),
            ..Techniques::default()
        };
        with(8).validate(64).unwrap();
        let message = with(7).validate(64).unwrap_err().to_string();
        assert!(message.contains('7') && message.contains("64"), "{message}");
        let unknown = serde_json::from_str::<Techniques>(r#"{"r3": 1}"#).unwrap_err();
        assert!(unknown.to_string().contains("r3"));
        let negative: Techniques = serde_json::from_str(r#"{"r1": {"gamma": -1.0}}"#).unwrap();
        let message = negative.validate(64).unwrap_err().to_string();
        assert!(message.contains("r1.gamma is -1"), "{message}");
    }

    #[test]
    fn a_target_of_signs_needs_a_boundary() {
        let with = |objective: &str| -> Result<()> {
            let json = format!(
                r#"{{"objective": "{objective}", "augment": {{"operations": ["flip"], "ada_target": 0.6}}}}"#
            );
            serde_json::from_str::<Techniques>(&json)
                .unwrap()
                .check_boundary()
        };
        for objective in ["hinge", "non_saturating", "least_squares"] {
            with(objective).unwrap();
        }
        for objective in ["wasserstein", "relativistic_pairing"] {
            let message = with(objective).unwrap_err().to_string();
            let names = message.contains("ada_target is 0.6") && message.contains(objective);
            assert!(names, "{message}");
        }
    }

    #[test]
    fn parts_cover_the_batch_once() {
        let techniques = Techniques {
            micro_batch: Some(4),
            ..Techniques::default()
        };
        assert_eq!(techniques.parts(10), [0..4, 4..8, 8..10]);
        assert_eq!(Techniques::default().parts(10), vec![0..10]);
    }
}
