//! The rows of the table as data: what each changes, what the paper says about it, and the rule that decides
//! whether that shows here.

/// A run of the table.
#[derive(Debug)]
pub struct Row {
    /// Its name, on the command line and in files.
    pub name: &'static str,
    /// Description.
    pub about: &'static str,
    /// The row that it builds on; `None` for the recipe itself.
    pub on: Option<&'static str>,
    /// `key=value` that it sets.
    pub settings: &'static [&'static str],
    /// The expected effect.
    pub claim: Option<Claim>,
    /// Whether it is also scored at several truncations.
    pub truncated: bool,
}

/// A claim of the paper, and how it is checked.
#[derive(Debug)]
pub struct Claim {
    /// In words, with the paper's numbers.
    pub paper: &'static str,
    /// When it shows.
    pub rule: Rule,
}

/// A comparison with another row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The best Frechet distance is lower.
    Better(&'static str),
    /// The best Frechet distance is higher.
    Worse(&'static str),
    /// sigma0 / sigma1 of G's first layer is lower at the end.
    BetterConditioned(&'static str),
    /// The share of saturated pixels at the lowest threshold exceeds that without truncation by less.
    LessSaturated(&'static str),
}

const fn row(
    name: &'static str,
    on: Option<&'static str>,
    about: &'static str,
    settings: &'static [&'static str],
) -> Row {
    Row {
        name,
        about,
        on,
        settings,
        claim: None,
        truncated: false,
    }
}

impl Row {
    const fn claims(self, paper: &'static str, rule: Rule) -> Self {
        let claim = Some(Claim { paper, rule });
        Self { claim, ..self }
    }

    const fn truncated(self) -> Self {
        Self {
            truncated: true,
            ..self
        }
    }
}

/// Rows that differ by the seed alone: their difference is noise.
pub const SEEDS: [[&str; 2]; 2] = [["batch32", "batch32-seed2"], ["ortho", "ortho-seed2"]];

/// Rows that differ by the batch alone, smallest first.
pub const BATCHES: [&str; 4] = ["batch16", "batch32", "batch64", "batch128"];

const ORTHO: Option<&str> = Some("ortho");
const BATCH32: Option<&str> = Some("batch32");

/// All rows, in the order of the table. A row comes after the row that it builds on.
pub const ROWS: [Row; 17] = [
    row("batch32", None, "baseline, batch 32", &[]),
    row(
        "batch32-seed2",
        BATCH32,
        "baseline, another seed",
        &["train.seed=2"],
    ),
    row(
        "batch16",
        BATCH32,
        "baseline, batch 16",
        &["train.batch_size=16"],
    )
    .claims(
        "half the batch is worse (512 to 256: FID 15.30 to 18.65)",
        Rule::Worse("batch32"),
    ),
    row(
        "batch64",
        BATCH32,
        "baseline, batch 64",
        &["train.batch_size=64"],
    )
    .claims(
        "twice the batch is better (256 to 512: FID 18.65 to 15.30)",
        Rule::Better("batch32"),
    ),
    row(
        "batch128",
        BATCH32,
        "baseline, batch 128",
        &["train.batch_size=128"],
    )
    .claims(
        "twice the batch is better (1024 to 2048: FID 14.88 to 12.39)",
        Rule::Better("batch64"),
    ),
    row(
        "wider",
        BATCH32,
        "baseline, width 12 instead of 8",
        &[
            "train.generator.channels=12",
            "train.discriminator.channels=12",
        ],
    )
    .claims(
        "1.5 times the width is better (64 to 96: FID 12.39 to 9.54)",
        Rule::Better("batch32"),
    ),
    row(
        "shared",
        BATCH32,
        "+ shared embedding",
        &["train.generator.class_embedding={ kind = \"shared\", dim = 128 }"],
    )
    .claims(
        "better, and faster (FID 9.54 to 9.18; 37 % fewer steps)",
        Rule::Better("batch32"),
    ),
    row(
        "hierarchical",
        Some("shared"),
        "+ hierarchical z",
        &["train.generator.hierarchical_z=true"],
    )
    .claims("better (FID 9.18 to 8.73)", Rule::Better("shared"))
    .truncated(),
    row(
        "ortho",
        Some("hierarchical"),
        "+ orthogonal term 1e-4: the whole BigGAN",
        &["train.orthogonal=1e-4"],
    )
    .claims(
        "truncation without saturation (16 % to 60 % of models); FID 8.73 to 8.51",
        Rule::LessSaturated("hierarchical"),
    )
    .truncated(),
    row(
        "ortho-seed2",
        ORTHO,
        "the whole BigGAN, another seed",
        &["train.seed=2"],
    )
    .truncated(),
    row(
        "deep",
        ORTHO,
        "BigGAN-deep, 2 blocks per stage, width 12",
        &[
            "train.generator.hierarchical_z=false",
            "train.generator.architecture=\"biggan_deep\"",
            "train.discriminator.architecture=\"biggan_deep\"",
            "train.generator.channels=12",
            "train.discriminator.channels=12",
        ],
    )
    .claims(
        "deeper with bottlenecks is better (FID 8.7 to 5.7)",
        Rule::Better("ortho"),
    ),
    row(
        "deeper",
        Some("deep"),
        "BigGAN-deep, 3 blocks per stage",
        &["train.generator.depth=3", "train.discriminator.depth=3"],
    )
    .claims(
        "depth helps once blocks are bottlenecks (2 per stage; 3 are not in the paper)",
        Rule::Better("deep"),
    ),
    row(
        "r1-1",
        ORTHO,
        "the whole BigGAN, R1 gamma 1",
        &["train.techniques.r1.gamma=1.0"],
    )
    .claims(
        "stability costs quality (IS 20 % lower at gamma 1)",
        Rule::Worse("ortho"),
    ),
    row(
        "r1-10",
        ORTHO,
        "the whole BigGAN, R1 gamma 10",
        &["train.techniques.r1.gamma=10.0"],
    )
    .claims(
        "a stronger penalty costs more (IS 45 % lower at gamma 10)",
        Rule::Worse("r1-1"),
    ),
    row(
        "clamp-fixed",
        ORTHO,
        "the whole BigGAN, sigma0 of G's weights clamped to 1",
        &["train.techniques.sigma_clamp={ kind = \"fixed\", sigma = 1.0 }"],
    )
    .claims(
        "better conditioned (but no cure for collapse)",
        Rule::BetterConditioned("ortho"),
    ),
    row(
        "clamp-ratio",
        ORTHO,
        "the whole BigGAN, sigma0 of G's weights clamped to 1.05 sigma1",
        &["train.techniques.sigma_clamp={ kind = \"ratio\", ratio = 1.05 }"],
    )
    .claims(
        "better conditioned (but no cure for collapse)",
        Rule::BetterConditioned("ortho"),
    ),
    row(
        "r3gan",
        ORTHO,
        "the whole BigGAN, R3GAN's objective with R1 and R2, gamma 1",
        &[
            "train.techniques.objective=\"relativistic_pairing\"",
            "train.techniques.r1.gamma=1.0",
            "train.techniques.r2.gamma=1.0",
        ],
    )
    .claims(
        "not in the paper; R3GAN: better without the tricks (on its own networks)",
        Rule::Better("ortho"),
    ),
];

/// The row of a name.
pub fn by_name(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

impl Row {
    /// All its settings, preceded by those of the rows it builds on.
    pub fn all_settings(&self) -> Vec<String> {
        let below = self.on.and_then(by_name);
        let mut all = below.map_or_else(Vec::new, Self::all_settings);
        all.extend(self.settings.iter().map(|&setting| setting.to_owned()));
        all
    }
}

impl Rule {
    /// The row that it is compared with.
    pub fn other(self) -> &'static str {
        match self {
            Self::Better(other)
            | Self::Worse(other)
            | Self::BetterConditioned(other)
            | Self::LessSaturated(other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::plan::Plan;

    #[test]
    fn every_row_is_a_plan_of_its_own_and_names_rows_that_are_there() {
        let recipe = include_str!("small.toml");
        let plans: Vec<Plan> = ROWS
            .iter()
            .map(|row| Plan::parse(recipe, &row.all_settings()).unwrap())
            .collect();
        for (index, row) in ROWS.iter().enumerate() {
            let before = |name: &str| ROWS[..index].iter().any(|row| row.name == name);
            assert!(row.on.is_none_or(before), "{}", row.name);
            let rule = row.claim.as_ref().map(|claim| claim.rule);
            assert!(rule.is_none_or(|rule| by_name(rule.other()).is_some()));
            for (other, plan) in plans.iter().enumerate() {
                assert_eq!(other == index, plans[index] == *plan, "{}", row.name);
            }
        }
        for name in SEEDS.concat().into_iter().chain(BATCHES) {
            assert!(by_name(name).is_some(), "{name}");
        }
    }
}
