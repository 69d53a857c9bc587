//! A backend that was opened.

use burn::tensor::Device;
use wasm_bindgen::prelude::*;

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
    pub async fn open(backend: String) -> Result<Engine, JsError> {
        let device = crate::device::open(&backend).await?;
        Ok(Self { device })
    }

    /// Compares the device with the CPU backend on a tiny generator; JSON of the core's `SelfTest`.
    ///
    /// # Errors
    /// If the device cannot run it.
    #[wasm_bindgen(js_name = selfTest)]
    pub async fn self_test(&self) -> Result<String, JsError> {
        let outcome = biggan::self_test::self_test(&self.device).await?;
        Ok(serde_json::to_string(&outcome)?)
    }

    /// Puts a model file on the device.
    ///
    /// # Errors
    /// If the bytes are no whole model file of this version.
    pub fn load(&self, file: &[u8]) -> Result<Model, JsError> {
        Ok(Model::load(file, &self.device)?)
    }

    /// Three or more training steps with everything fixed, as a safetensors file, to compare with
    /// native ones.
    ///
    /// # Errors
    /// If the device fails.
    #[cfg(feature = "train")]
    #[wasm_bindgen(js_name = trainCheck)]
    pub async fn train_check(&self, seed: u64, steps: usize) -> Result<Vec<u8>, JsError> {
        let run = biggan::train::check_run(seed, steps, &self.device).await?;
        Ok(run.encode()?)
    }
}
