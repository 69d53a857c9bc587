//! The averaged generator of a run as a model file.

use burn::tensor::Device;

use super::TrainState;
use crate::error::Result;
use crate::file::{DatasetInfo, Dtype, ModelFile, ModelInfo, Provenance, StatisticsTable, rounded};
use crate::model::Generator;
use crate::named::{HostTensors, is_statistic, load_tensors, named_tensors};
use crate::standing_stats::{StandingConfig, standing_table};
use crate::truncation::{Truncation, TruncationKind};

/// The truncation kind of exported models: the paper's.
pub const EXPORT_KIND: TruncationKind = TruncationKind::Resampling;

/// What a model file holds besides its weights.
#[derive(Debug, Clone)]
pub struct ModelCard {
    /// A name for each class.
    pub class_names: Vec<String>,
    /// What it was trained on.
    pub dataset: DatasetInfo,
    /// Program and version.
    pub program: String,
    /// Name of the recipe.
    pub recipe: String,
    /// Seed of the run.
    pub seed: u64,
}

/// The averaged generator with spectral norm folded and statistics for each truncation, computed from the
/// weights as stored. `on_row` is called with each truncation before its statistics are gathered.
///
/// # Errors
/// If a truncation is out of range or the device fails.
pub async fn averaged_model(
    state: &TrainState,
    card: ModelCard,
    truncations: Vec<Truncation>,
    standing: StandingConfig,
    dtype: Dtype,
    device: &Device,
    on_row: impl FnMut(Truncation),
) -> Result<ModelFile> {
    let generator = as_stored(&state.ema.generator.clone().folded(), dtype, device).await?;
    let statistics = standing_table(
        &generator,
        EXPORT_KIND,
        &truncations,
        standing,
        device,
        on_row,
    )
    .await?;
    let info = ModelInfo {
        generator: generator.config().clone(),
        class_names: card.class_names,
        class_ids: vec![],
        truncation_kind: EXPORT_KIND,
        statistics: StatisticsTable {
            truncations,
            samples: standing.passes * standing.batch_size,
        },
        dataset: card.dataset,
        provenance: Provenance {
            program: card.program,
            recipe: card.recipe,
            images_seen: state.images_seen,
            g_step: state.g_step,
            seed: card.seed,
            ema_initial_share: state.ema.initial_share,
            imported: None,
        },
        scores: std::collections::BTreeMap::new(),
    };
    ModelFile::from_generator(generator, info, &statistics).await
}

/// The generator with its weights rounded as they will be stored, so that the statistics match them.
async fn as_stored(generator: &Generator, dtype: Dtype, device: &Device) -> Result<Generator> {
    let tensors = HostTensors::read(named_tensors(generator)).await?;
    // running statistics are not stored: the model has tables of its own
    let tensors = rounded(&tensors, dtype, is_statistic)?;
    load_tensors(generator.clone(), tensors, device)
}
