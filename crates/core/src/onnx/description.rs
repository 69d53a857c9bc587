//! What the graph does not say: for people, and for programs that draw z.

use super::proto::StringStringEntryProto;
use crate::error::{Error, Result};
use crate::file::ModelInfo;
use crate::latent_kind::LatentKind;
use crate::truncation::{LatentDistribution, SCALED_CUT, Truncation, TruncationKind};

/// What a coordinate of z must be drawn from.
pub fn drawn_from(latent: LatentKind, distribution: LatentDistribution) -> String {
    use {Truncation::Threshold, TruncationKind as Kind};
    let normal = match (distribution.kind(), distribution.truncation()) {
        (_, Truncation::Off) => "N(0, 1)".to_owned(),
        (Kind::Resampling, Threshold(t)) => format!("N(0, 1), redrawn until |z| <= {t}"),
        (Kind::ScaledTruncatedNormal, Threshold(t)) => {
            format!("{t} times a draw of N(0, 1), which is redrawn until |z| <= {SCALED_CUT}")
        }
        (Kind::ScaledNormal, Threshold(t)) => format!("{t} times a draw of N(0, 1)"),
    };
    match latent {
        LatentKind::Normal => normal,
        LatentKind::Uniform => "the uniform distribution on [-1, 1]".to_owned(),
        LatentKind::Bernoulli => "0 or 1, equally likely".to_owned(),
        LatentKind::CensoredNormal => format!("max(z, 0) with z from {normal}"),
        LatentKind::SignedBernoulli => "-1 or 1, equally likely".to_owned(),
        LatentKind::Categorical => "-1, 0 or 1, equally likely".to_owned(),
        LatentKind::SparseNormal => "0 or a draw of N(0, 1), equally likely".to_owned(),
        LatentKind::NormalAndBernoulli => {
            "N(0, 1) at even places, 0 or 1 equally likely at odd places".to_owned()
        }
    }
}

/// The model in a few sentences.
pub fn text(info: &ModelInfo, distribution: LatentDistribution) -> String {
    let config = &info.generator;
    format!(
        "Generator of a BigGAN (architecture {}, {side}x{side}, width {}), trained on {}. z [n, {}]: every coordinate \
         is drawn independently from {}; the batch norm statistics are those for this distribution. class_weights \
         [n, {}]: 1 for the class and 0 elsewhere, or weights of a mixture that sum to 1. image [n, 3, {side}, {side}]: \
         RGB in [-1, 1].",
        config.architecture.name(),
        config.channels,
        info.dataset.name,
        config.z_dim,
        drawn_from(config.latent, distribution),
        config.classes,
        side = config.resolution,
    )
}

/// The metadata: what a program needs to draw z and to name classes, and where the model comes from.
///
/// # Errors
/// If the names cannot be written.
pub fn metadata(
    info: &ModelInfo,
    distribution: LatentDistribution,
) -> Result<Vec<StringStringEntryProto>> {
    let list = |names: &[String]| {
        serde_json::to_string(names).map_err(|error| Error::file("class names").not_writable(error))
    };
    let mut entries = vec![
        ("class_names", list(&info.class_names)?),
        ("latent", info.generator.latent.name().to_owned()),
        ("truncation_kind", distribution.kind().name().to_owned()),
        ("truncation", distribution.truncation().to_string()),
        (
            "architecture",
            info.generator.architecture.name().to_owned(),
        ),
        ("dataset", info.dataset.name.clone()),
        ("trained_by", info.provenance.program.clone()),
        ("recipe", info.provenance.recipe.clone()),
        ("images_seen", info.provenance.images_seen.to_string()),
    ];
    if !info.class_ids.is_empty() {
        entries.push(("class_ids", list(&info.class_ids)?));
    }
    if let Some(imported) = &info.provenance.imported {
        entries.push(("imported_from", imported.source.clone()));
    }
    let entry = |(key, value): (&str, String)| StringStringEntryProto {
        key: key.to_owned(),
        value,
    };
    Ok(entries.into_iter().map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latent_is_described() {
        let kinds = TruncationKind::ALL;
        let said = |latent, kind, truncation| {
            drawn_from(
                latent,
                LatentDistribution::new(latent, kind, truncation).unwrap(),
            )
        };
        let half = Truncation::Threshold(0.5);
        let normals = kinds.map(|kind| said(LatentKind::Normal, kind, half));
        assert_eq!(
            normals,
            [
                "N(0, 1), redrawn until |z| <= 0.5",
                "0.5 times a draw of N(0, 1), which is redrawn until |z| <= 2",
                "0.5 times a draw of N(0, 1)",
            ]
        );
        // that kind has no off: its largest threshold is meant
        let off = said(LatentKind::Normal, kinds[1], Truncation::Off);
        assert!(off.starts_with("1 times"), "{off}");
        let mut all = LatentKind::ALL.map(|latent| said(latent, kinds[0], Truncation::Off));
        all.sort();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
    }
}
