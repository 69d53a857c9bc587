//! The effect of the actions against collapses on training.

use biggan::train::TrainConfig;

use crate::recipe::collapse_action::Action;
use crate::records::intervention::Intervention;

/// The plan in effect after `interventions` at `images_seen`: the recipe with the actions applied in order.
pub fn effective(
    recipe: &TrainConfig,
    interventions: &[Intervention],
    images_seen: u64,
) -> TrainConfig {
    let mut train = recipe.clone();
    for (number, intervention) in (1..).zip(interventions) {
        match intervention.action {
            Action::LowerRates { factor_g, factor_d } => {
                train.adam_g.lr *= factor_g;
                train.adam_d.lr *= factor_d;
            }
            Action::OtherSeed => train.seed = recipe.seed.wrapping_add(number),
            Action::Stop | Action::FreezeGenerator { .. } => {}
        }
    }
    if is_frozen(interventions, images_seen) {
        train.adam_g.lr = 0.0;
    }
    train
}

/// Whether G is frozen at `images_seen`.
pub fn is_frozen(interventions: &[Intervention], images_seen: u64) -> bool {
    interventions.last().is_some_and(|last| match last.action {
        Action::FreezeGenerator { images } => {
            let since = images_seen.checked_sub(last.back_to_images);
            since.is_some_and(|since| since < images)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::plan::Plan;
    use crate::records::alarm::Alarm;
    use crate::records::alarm::Signal;

    const FASHION: &str = include_str!("../../../../../configs/fashion32.toml");

    fn after(actions: &[Action], images_seen: u64) -> TrainConfig {
        let plan = Plan::parse(FASHION, &[]).unwrap();
        let all: Vec<Intervention> = actions
            .iter()
            .map(|&action| Intervention {
                alarm: Alarm::not_finite(7, 2000, 1900, "loss_g"),
                back_to_images: 1000,
                action,
            })
            .collect();
        assert!(all.iter().all(|i| i.alarm.signal == Signal::NotFinite));
        effective(plan.train(), &all, images_seen)
    }

    #[test]
    fn actions_add_up() {
        let lower = Action::LowerRates {
            factor_g: 0.5,
            factor_d: 0.9,
        };
        let recipe = after(&[], 0);
        assert_eq!(after(&[Action::Stop], 0), recipe);
        let twice = after(&[lower, Action::Stop, lower], 0);
        assert!((twice.adam_g.lr - recipe.adam_g.lr * 0.25).abs() < 1e-12);
        assert!((twice.adam_d.lr - recipe.adam_d.lr * 0.81).abs() < 1e-12);
        let seeds: Vec<u64> = [&[Action::OtherSeed][..], &[Action::OtherSeed; 2]]
            .map(|actions| after(actions, 0).seed)
            .to_vec();
        assert_eq!(seeds, [recipe.seed + 1, recipe.seed + 2]);
        let freeze = Action::FreezeGenerator { images: 500 };
        assert_eq!(after(&[freeze], 1499).adam_g.lr, 0.0);
        assert_eq!(after(&[freeze], 1500), recipe);
    }
    #[test]
    fn a_kind_alone_is_an_action_with_its_defaults() {
        let read = |json: &str| serde_json::from_str::<Action>(json);
        let lower = Action::LowerRates {
            factor_g: 0.5,
            factor_d: 1.0,
        };
        assert_eq!(read("\"lower_rates\"").unwrap(), lower);
        assert_eq!(read("{\"kind\": \"lower_rates\"}").unwrap(), lower);
        let written = serde_json::to_string(&lower).unwrap();
        assert_eq!(read(&written).unwrap(), lower, "{written}");
        for (wrong, part) in [
            ("\"pray\"", "freeze_generator"),
            ("7", "an action such as"),
            ("{\"kind\": \"freeze_generator\", \"factor\": 3}", "images"),
        ] {
            let message = read(wrong).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
