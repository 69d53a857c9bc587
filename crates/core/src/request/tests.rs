//! What a request draws.

use burn::tensor::Tensor;

use super::*;
use crate::config::Architecture;
use crate::latent::LatentKey;
use crate::test_configs;
use crate::truncation::{Truncation, TruncationKind};

fn config() -> GeneratorConfig {
    test_configs::generator(Architecture::Biggan, 32)
}

fn point(z: Latent) -> Point {
    let classes = vec![ClassWeight {
        class: 1,
        weight: 2.0,
    }];
    Point { classes, z }
}

fn picture(z: Latent) -> Picture {
    Picture {
        from: point(z),
        to: None,
    }
}

fn asked(picture: Picture) -> Result<Latents> {
    latents(
        &[picture],
        &config(),
        LatentDistribution::NORMAL,
        &Device::flex(),
    )
}

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

fn z(picture: Picture) -> Vec<f32> {
    values(asked(picture).unwrap().z)
}

#[test]
fn an_unedited_picture_is_the_sample_of_its_seed() {
    let config = config();
    for truncation in [Truncation::Off, Truncation::Threshold(0.5)] {
        let distribution =
            LatentDistribution::new(config.latent, TruncationKind::Resampling, truncation).unwrap();
        let key = LatentKey {
            seed: 9,
            stream: Stream::Sample,
            step: 0,
            first: 4,
        };
        let mut unturned = Latent::of_seed(9, 4);
        unturned.chunks = vec![0.0];
        let pictures = [picture(unturned)];
        let found = latents(&pictures, &config, distribution, &Device::flex()).unwrap();
        assert_eq!(values(found.z), key.z(1, config.z_dim, distribution));
    }
}

#[test]
fn a_turned_chunk_leaves_the_others() {
    let config = config();
    let length = config.z_dim / config.z_chunks().unwrap();
    let base = z(picture(Latent::of_seed(1, 0)));
    let mut turned = Latent::of_seed(1, 0);
    turned.chunks = vec![0.0, 0.5];
    let found = z(picture(turned));
    for (place, (a, b)) in base.iter().zip(&found).enumerate() {
        assert_eq!(a != b, place / length == 1, "place {place}");
    }
}

/// Mean 0, variance 1, and the size of a step is its angle: corr(g, g') = cos a.
#[test]
fn edits_keep_the_distribution() {
    let config = config();
    let count = 4000;
    let of = |edit: &dyn Fn(&mut Latent)| -> Vec<f64> {
        let all = (0..count).flat_map(|index| {
            let mut latent = Latent::of_seed(3, index);
            edit(&mut latent);
            z(picture(latent))
        });
        all.map(f64::from).collect()
    };
    let base = of(&|_| {});
    let size = 0.25;
    let step = Step::Random { seed: 8, size };
    let chunks = vec![size; config.z_chunks().unwrap()];
    for found in [
        of(&|latent| latent.steps = vec![step.clone()]),
        of(&|latent| latent.chunks = chunks.clone()),
    ] {
        let n = found.len() as f64;
        let mean = found.iter().sum::<f64>() / n;
        let variance = found.iter().map(|v| v * v).sum::<f64>() / n;
        let product = base.iter().zip(&found).map(|(a, b)| a * b).sum::<f64>() / n;
        // five standard errors
        let (five, five_squares) = (5.0 / n.sqrt(), 5.0 * (2.0 / n).sqrt());
        assert!(mean.abs() < five, "{mean}");
        assert!((variance - 1.0).abs() < five_squares, "{variance}");
        let expected = (size * std::f64::consts::FRAC_PI_2).cos();
        assert!((product - expected).abs() < five_squares, "{product}");
    }
}

#[test]
fn the_way_between_two_points_begins_and_ends_there_and_stays_on_the_sphere() {
    let [from, to] = [2, 3].map(|seed| Latent::of_seed(seed, 0));
    let at = |at| {
        z(Picture {
            from: point(from.clone()),
            to: Some(Way {
                point: point(to.clone()),
                at,
            }),
        })
    };
    assert_eq!(at(0.0), z(picture(from.clone())));
    assert_eq!(at(1.0), z(picture(to.clone())));
    let length = |z: Vec<f32>| z.iter().map(|v| v * v).sum::<f32>().sqrt();
    let [start, middle, end] = [0.0, 0.5, 1.0].map(|place| length(at(place)));
    assert!(middle > 0.9 * start.min(end), "{start} {middle} {end}");
}

#[test]
fn a_cross_takes_each_chunk_from_one_of_the_parents() {
    let config = config();
    let chunks = config.z_chunks().unwrap();
    let length = config.z_dim / chunks;
    let mut parents = [Latent::of_seed(1, 0), Latent::of_seed(2, 5)];
    parents[1].steps = vec![Step::Random { seed: 4, size: 0.5 }];
    let [own, mates] = parents.clone().map(|parent| z(picture(parent)));
    let mut child = parents[0].clone();
    let places = vec![0.0, 1.0, 0.5];
    child.steps = vec![Step::Cross {
        mate: point(parents[1].clone()),
        classes: 0.0,
        chunks: places.clone(),
    }];
    let found = z(picture(child));
    for (place, &value) in found.iter().enumerate() {
        match places.get(place / length) {
            None | Some(0.0) => assert_eq!(value, own[place]),
            Some(1.0) => assert_eq!(value, mates[place]),
            _ => assert!(value != own[place] && value != mates[place]),
        }
    }
}

#[test]
fn requests_are_json() {
    let text = r#"{"from": {"classes": [{"class": 1, "weight": 2}], "z": {"seed": "18446744073709551615",
        "index": 3, "steps": [{"seed": 7, "size": 0.1}, {"mate": {"classes": [{"class": 0, "weight": 1}],
        "z": {"seed": "9", "steps": [{"seed": 1, "size": 1}]}}, "classes": 0, "chunks": [1, 0.5]}], "chunks": [0, -1]}}}"#;
    let read: Picture = serde_json::from_str(text).unwrap();
    assert_eq!(read.from.z.seed, u64::MAX);
    let again = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<Picture>(&again).unwrap(), read);
    for (change, to) in [
        ("\"chunks\"", "\"chunk\""),
        ("\"18446744073709551615\"", "\"-1\""),
    ] {
        assert!(serde_json::from_str::<Picture>(&text.replace(change, to)).is_err());
    }
    let half = text.replace(r#""seed": 7, "size": 0.1"#, r#""seed": 7"#);
    let error = serde_json::from_str::<Picture>(&half)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`seed` and `size`, or `mate`, `classes` and `chunks`"),
        "{error}"
    );
    // nesting without end is refused, not followed
    let deep = format!(
        "{}{}",
        r#"{"z": {"seed": 1, "steps": [{"chunks": [], "mate": "#.repeat(9999),
        "1"
    );
    assert!(serde_json::from_str::<Point>(&deep).is_err());
}

#[test]
fn classes_mix_by_weight_and_move_along_the_way() {
    let mut mixed = picture(Latent::of_seed(0, 0));
    mixed.from.classes.push(ClassWeight {
        class: 0,
        weight: 6.0,
    });
    mixed.to = Some(Way {
        point: point(Latent::of_seed(0, 0)),
        at: 0.5,
    });
    let weights = values(asked(mixed).unwrap().class_weights);
    assert_eq!(weights[..2], [0.375, 0.625]);
    assert_eq!(weights.iter().sum::<f32>(), 1.0);
}

#[test]
fn a_cross_moves_the_classes_towards_the_mates() {
    let mut mate = point(Latent::of_seed(1, 0));
    mate.classes[0].class = 0;
    let mut child = picture(Latent::of_seed(0, 0));
    child.from.z.steps = vec![Step::Cross {
        mate,
        classes: 0.25,
        chunks: vec![],
    }];
    let weights = values(asked(child).unwrap().class_weights);
    assert_eq!(weights[..2], [0.25, 0.75]);
}

#[test]
fn what_cannot_be_asked_for_is_named() {
    let refused = |change: &dyn Fn(&mut Picture), says: &str| {
        let mut changed = picture(Latent::of_seed(0, 0));
        change(&mut changed);
        let error = asked(changed).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    };
    refused(&|p| p.from.classes[0].class = 99, "class is 99");
    refused(
        &|p| p.from.classes[0].weight = -1.0,
        "weight of class 1 is -1",
    );
    refused(
        &|p| p.from.classes[0].weight = 0.0,
        "sum of the class weights is 0",
    );
    refused(&|p| p.from.classes.clear(), "mixed classes is 0");
    refused(
        &|p| p.from.z.chunks = vec![0.0; 50],
        "turned chunks of z is 50",
    );
    refused(&|p| p.from.z.chunks = vec![f64::NAN], "NaN");
    let step = Step::Random { seed: 0, size: 0.1 };
    refused(&|p| p.from.z.steps = vec![step.clone(); 257], "is 257");
    let cross = |steps: Vec<Step>, chunks: Vec<f64>| {
        let mut mate = Latent::of_seed(1, 0);
        mate.steps = steps;
        vec![Step::Cross {
            mate: point(mate),
            classes: 0.5,
            chunks,
        }]
    };
    refused(
        &|p| p.from.z.steps = cross(vec![step.clone(); 256], vec![1.0]),
        "lineage is 257",
    );
    refused(
        &|p| p.from.z.steps = cross(vec![], vec![0.0; 50]),
        "crossed chunks of z is 50",
    );
    refused(
        &|p| p.from.z.steps = cross(vec![], vec![1.0, f64::NAN]),
        "points is NaN",
    );
    refused(
        &|p| p.from.z.steps = cross(cross(vec![], vec![2.0]), vec![1.0]),
        "points is 2",
    );
    refused(
        &|p| {
            p.to = Some(Way {
                point: p.from.clone(),
                at: 1.5,
            });
        },
        "points is 1.5",
    );
}
