//! An open backend.

use burn::tensor::Device;
use wasm_bindgen::prelude::*;

use crate::error::Thrown;

#[cfg(feature = "sample")]
use crate::model::Model;

/// A device that runs models.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    device: Device,
}

#[wasm_bindgen]
impl Engine {
    /// Opens a backend, `"cpu"` or `"webgpu"`.
    ///
    /// # Errors
    /// If the backend is not in this build or the browser gives no device.
    pub async fn open(backend: String) -> Result<Engine, Thrown> {
        let device = crate::device::open(&backend).await?;
        Ok(Self { device })
    }

    /// Compares the device with the CPU backend on a tiny generator; JSON of the core's `SelfTest`.
    ///
    /// # Errors
    /// If the device cannot run it.
    #[wasm_bindgen(js_name = selfTest)]
    pub async fn self_test(&self) -> Result<String, Thrown> {
        let outcome = biggan::self_test::self_test(&self.device).await?;
        Ok(serde_json::to_string(&outcome)?)
    }

    /// Loads a model file onto the device.
    ///
    /// # Errors
    /// If the bytes are not a complete model file of this version.
    #[cfg(feature = "sample")]
    pub fn load(&self, file: &[u8]) -> Result<Model, Thrown> {
        Ok(Model::load(file, &self.device)?)
    }

    /// As `load`, of a file of some bytes of which `read(start, end)` gives those of a range, at once: the file is never
    /// in memory as a whole.
    ///
    /// # Errors
    /// As `load`; or if `read` throws.
    #[cfg(feature = "sample")]
    #[wasm_bindgen(js_name = loadAt)]
    pub fn load_at(&self, bytes: usize, read: js_sys::Function) -> Result<Model, Thrown> {
        let file = crate::file_at::FileAt { bytes, read };
        Ok(Model::load_at(&file, &self.device)?)
    }

    /// Loads a model onto the device from its index and its parts; `names[i]` is the name of `parts[i]`.
    ///
    /// # Errors
    /// If the index or a part is invalid, or a part is missing.
    #[cfg(feature = "sample")]
    #[wasm_bindgen(js_name = loadShards)]
    pub fn load_shards(
        &self,
        index: &[u8],
        names: Vec<String>,
        parts: Vec<js_sys::Uint8Array>,
    ) -> Result<Model, Thrown> {
        let parts = parts.into_iter().map(|part| part.to_vec());
        let parts = names.into_iter().zip(parts).collect();
        Ok(Model::load_shards(index, &parts, &self.device)?)
    }

    /// Loads PyTorch weights onto the device: those of pytorch-pretrained-BigGAN,
    /// BigGAN-PyTorch or PyTorch-StudioGAN. `config` is the text of the program's own config.
    ///
    /// # Errors
    /// If the file is from none of them, or the config is missing or contradicts the weights.
    #[cfg(feature = "sample")]
    pub fn import(&self, weights: &[u8], config: Option<String>) -> Result<Model, Thrown> {
        Ok(Model::import(weights, config.as_deref(), &self.device)?)
    }

    /// Training steps with everything fixed, as a safetensors file, to compare with native
    /// steps.
    ///
    /// # Errors
    /// If the device fails.
    #[cfg(feature = "train")]
    #[wasm_bindgen(js_name = trainCheck)]
    pub async fn train_check(&self, seed: u64, steps: usize) -> Result<Vec<u8>, Thrown> {
        let run = biggan::train::check_run(seed, steps, &self.device).await?;
        Ok(run.encode()?)
    }

    /// Starts a run on images: RGB bytes, image after image, row by row, each with a class. `recipe`
    /// is the JSON of the core's `ShortRecipe`; `networks` are the bytes of a model or a checkpoint whose networks it
    /// starts from.
    ///
    /// # Errors
    /// If the recipe cannot be built, or images or networks do not match it.
    #[cfg(feature = "train")]
    #[expect(clippy::too_many_arguments, reason = "wasm-bindgen passes no struct")]
    pub fn train(
        &self,
        recipe: &str,
        networks: Option<Vec<u8>>,
        name: String,
        class_names: Vec<String>,
        resolution: usize,
        pixels: &[u8],
        labels: Vec<u16>,
    ) -> Result<crate::trainer::Trainer, Thrown> {
        let images =
            biggan::train::TrainingImages::new(name, class_names, resolution, pixels, labels)?;
        Ok(crate::trainer::Trainer::start(
            recipe,
            networks.as_deref(),
            images,
            &self.device,
        )?)
    }
}
