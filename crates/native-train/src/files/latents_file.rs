//! The user's own latents: `z` `[n, z_dim]` f32 with `y` `[n]` i64 or `class_vector` `[n, classes]` f32.

use anyhow::{Context, Result, bail, ensure};
use biggan::config::GeneratorConfig;
use biggan::file::not_safetensors;
use biggan::latent::{Latents, check_labels};
use biggan::sampler::MAX_SAMPLES;
use burn::tensor::Device;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// Reads the bytes of the file for a generator.
///
/// # Errors
/// If it is not a safetensors file, a tensor is missing or has another type or shape than the generator
/// takes, a label is out of range, or a value is not finite.
pub fn read_latents(bytes: &[u8], config: &GeneratorConfig, device: &Device) -> Result<Latents> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| not_safetensors(bytes, &error))?;
    let z = file
        .tensor("z")
        .context("tensor z is missing; give z [n, z_dim] in f32")?;
    let n = z.shape().first().copied().unwrap_or(0);
    ensure!(
        (1..=MAX_SAMPLES).contains(&n),
        "z has shape {:?}; give 1 to {MAX_SAMPLES} rows",
        z.shape()
    );
    let z = floats("z", &z, [n, config.z_dim])?;
    let class_weights = match (file.tensor("y"), file.tensor("class_vector")) {
        (Ok(_), Ok(_)) => bail!("both y and class_vector are given; give one of them"),
        (Ok(y), Err(_)) => one_hot(&y, n, config.classes)?,
        (Err(_), Ok(vector)) => floats("class_vector", &vector, [n, config.classes])?,
        (Err(_), Err(_)) => bail!(
            "the classes are missing; give y [{n}] in i64 or class_vector [{n}, {}] in f32",
            config.classes
        ),
    };
    let dims = [config.z_dim, config.classes];
    Ok(Latents::from_values(z, class_weights, dims, device))
}

fn floats(name: &str, view: &TensorView<'_>, shape: [usize; 2]) -> Result<Vec<f32>> {
    ensure!(
        view.dtype() == Dtype::F32 && view.shape() == shape,
        "{name} is {:?} {:?}, expected F32 {shape:?}",
        view.dtype(),
        view.shape()
    );
    let values: Vec<f32> = view
        .data()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    ensure!(
        values.iter().all(|value| value.is_finite()),
        "{name} holds values that are not finite"
    );
    Ok(values)
}

fn one_hot(y: &TensorView<'_>, n: usize, classes: usize) -> Result<Vec<f32>> {
    ensure!(
        y.dtype() == Dtype::I64 && y.shape() == [n],
        "y is {:?} {:?}, expected I64 [{n}]",
        y.dtype(),
        y.shape()
    );
    let mut weights = vec![0.0; n * classes];
    for (row, bytes) in y.data().chunks_exact(8).enumerate() {
        let mut word = [0; 8];
        word.copy_from_slice(bytes);
        let label = i64::from_le_bytes(word);
        let label = usize::try_from(label).ok().with_context(|| {
            format!(
                "class {label} is negative; classes are 0 to {}",
                classes - 1
            )
        })?;
        check_labels(&[label], classes)?;
        weights[row * classes + label] = 1.0;
    }
    Ok(weights)
}
