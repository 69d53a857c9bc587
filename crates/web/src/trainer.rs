//! A training on a device.

use biggan::train::{Pictures, ProbeReport, Session, ShortRecipe, TrainingImages, Which};
use burn::tensor::Device;
use serde::Serialize;
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::error::Thrown;

/// The program that models name as their maker.
const PROGRAM: &str = concat!("biggan-web ", env!("CARGO_PKG_VERSION"));

/// Name of the recipe in checkpoints and models.
const RECIPE: &str = "browser";

/// A training that is driven step by step.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Trainer {
    session: Session,
}

impl Trainer {
    /// A training at its beginning, from trained networks if there are any.
    pub(crate) fn start(
        recipe: &str,
        networks: Option<&[u8]>,
        images: TrainingImages,
        device: &Device,
    ) -> biggan::Result<Self> {
        let recipe = recipe_of(recipe)?;
        let classes = images.class_names().len();
        let cost = recipe.config(images.resolution(), classes)?.cost()?;
        // a GPU holds the feature maps itself
        take_room(match *device == Device::flex() {
            true => cost.peak_bytes(),
            false => cost.weight_bytes,
        })?;
        let device = device.clone();
        let session = match networks {
            None => Session::start(recipe, images, device)?,
            Some(networks) => Session::start_from(networks, recipe, images, device)?,
        };
        Ok(Self { session })
    }
}

/// Allocates the memory that a run needs and frees it again: wasm memory never shrinks, so it has its final size from
/// the start and does not grow through fragmentation.
fn take_room(bytes: u64) -> biggan::Result<()> {
    let mut room = Vec::<u8>::new();
    let taken = usize::try_from(bytes).is_ok_and(|bytes| room.try_reserve_exact(bytes).is_ok());
    // otherwise the compiler would remove the unused allocation
    std::hint::black_box(&room);
    match taken {
        true => Ok(()),
        false => Err(biggan::Error::memory("the memory for training")
            .found("less than it takes")
            .expected(format_args!("{bytes} bytes"))
            .remedy("choose a smaller width, batch or resolution")),
    }
}

fn recipe_of(json: &str) -> biggan::Result<ShortRecipe> {
    serde_json::from_str(json)
        .map_err(|error| biggan::Error::config("the recipe").not_readable(error))
}

/// The memory that a run needs, before anything is built: JSON of the core's `Cost`.
///
/// # Errors
/// If the recipe cannot be built.
#[wasm_bindgen(js_name = trainingNeed)]
pub fn training_need(recipe: &str, resolution: usize, classes: usize) -> Result<String, Thrown> {
    let config = recipe_of(recipe)?.config(resolution, classes)?;
    Ok(serde_json::to_string(&config.cost()?)?)
}

#[wasm_bindgen]
impl Trainer {
    /// Continues from a checkpoint of the same images and networks.
    ///
    /// # Errors
    /// If it is not one, or of others; the state is then unchanged.
    pub fn resume(&mut self, checkpoint: &[u8]) -> Result<(), Thrown> {
        Ok(self.session.resume(checkpoint)?)
    }

    /// Takes a step of `"both"`, `"d"` or `"g"`; JSON of the core's `RoundReport`.
    ///
    /// # Errors
    /// If the device fails or training diverged.
    pub async fn step(&mut self, which: String) -> Result<String, Thrown> {
        let which: Which = serde_json::from_value(which.into())?;
        Ok(serde_json::to_string(&self.session.step(which).await?)?)
    }

    /// Counters of the state; JSON of the core's `RoundReport`.
    ///
    /// # Errors
    /// If an earlier step failed.
    pub fn counters(&self) -> Result<String, Thrown> {
        Ok(serde_json::to_string(&self.session.counters()?)?)
    }

    /// Probes the networks: `per_class` images of every class, and `scored` reals and fakes.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn probe(&self, per_class: usize, scored: usize) -> Result<Probe, Thrown> {
        let report = self.session.probe(per_class, scored).await?;
        Ok(Probe { report })
    }

    /// The whole state as a checkpoint file, which `native-train --resume` reads as well: it names the images as
    /// a packed data set, and as long a run as it takes to learn from them.
    ///
    /// # Errors
    /// If a value is not finite, or the device fails.
    pub async fn checkpoint(&self) -> Result<Vec<u8>, Thrown> {
        let images = 200 * self.session.images().len() as u64;
        let plan = json!({
            "name": RECIPE,
            "data": { "dataset": "packed" },
            "run": {
                "images": images,
                "checkpoint_every_images": images / 10 + 1,
                "sample_every_images": images / 10 + 1,
                "log_every_steps": 50,
            },
        });
        Ok(self
            .session
            .checkpoint(serde_json::from_value(plan)?)
            .await?)
    }

    /// The averaged generator as a model file.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn model(&self) -> Result<Vec<u8>, Thrown> {
        Ok(self.session.model(PROGRAM, RECIPE).await?)
    }

    /// The images as a `train.pack` for `native-train`.
    ///
    /// # Errors
    /// If the images cannot be written.
    #[wasm_bindgen(js_name = packedImages)]
    pub fn packed_images(&self) -> Result<Vec<u8>, Thrown> {
        Ok(self.session.images().packed()?)
    }
}

/// What a probe found.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Probe {
    report: ProbeReport,
}

/// Classes, and D's logits where it was asked.
#[derive(Serialize)]
struct Judged<'a> {
    classes: &'a [usize],
    scores: &'a [f32],
}

impl<'a> From<&'a Pictures> for Judged<'a> {
    fn from(pictures: &'a Pictures) -> Self {
        Self {
            classes: &pictures.classes,
            scores: &pictures.scores,
        }
    }
}

#[wasm_bindgen]
impl Probe {
    /// Classes and scores of `grid`, `real` and `fake`, and the largest singular value of every weight, as
    /// JSON.
    ///
    /// # Errors
    /// If they cannot be written as JSON.
    pub fn info(&self) -> Result<String, Thrown> {
        #[derive(Serialize)]
        struct Info<'a> {
            grid: Judged<'a>,
            real: Judged<'a>,
            fake: Judged<'a>,
            sigmas: &'a std::collections::BTreeMap<String, f32>,
        }
        let ProbeReport {
            grid,
            real,
            fake,
            sigmas,
        } = &self.report;
        Ok(serde_json::to_string(&Info {
            grid: grid.into(),
            real: real.into(),
            fake: fake.into(),
            sigmas,
        })?)
    }

    /// RGBA bytes of the images of `grid`, `real` and `fake`, one after another.
    pub fn rgba(&self) -> Vec<u8> {
        let ProbeReport {
            grid, real, fake, ..
        } = &self.report;
        [grid, real, fake].map(|all| all.rgba.concat()).concat()
    }
}
