//! A plan and its networks as lines of text.

use std::fmt::Write;

use anyhow::Result;
use biggan::config::GeneratorConfig;
use biggan::shape::NetworkShape;
use biggan::visible::visible;

use super::parameters::{LEGEND, NetworkTable};
use crate::recipe::plan::Plan;

/// The networks of a plan, from their shapes alone.
///
/// # Errors
/// If its networks cannot be built.
pub fn plan(plan: &Plan) -> Result<String> {
    let config = plan.train();
    let mut text = String::new();
    row(&mut text, "recipe", plan.name());
    row(&mut text, "data set", &plan.data().dataset);
    generator(&mut text, &config.generator);
    let batch = format!(
        "{} images, {} discriminator steps per generator step",
        config.batch_size, config.d_steps
    );
    row(&mut text, "batch", &batch);
    let g = NetworkShape::generator(&config.generator)?;
    let d = NetworkShape::discriminator(&config.discriminator)?;
    let state = format!(
        "{:.1} MiB of weights, moments and average",
        config.cost()?.state_bytes as f64 / 1_048_576.0
    );
    row(&mut text, "state", &state);
    text += &table("generator", &g);
    text += &table("discriminator", &d);
    text += LEGEND;
    Ok(text)
}

/// The table of a network.
pub fn table(network: &str, shape: &NetworkShape) -> String {
    NetworkTable { network, shape }.to_string()
}

/// Appends the lines of a generator.
pub fn generator(text: &mut String, config: &GeneratorConfig) {
    let shape = format!(
        "{}, {1}x{1} pixels, width {2}, z {3}{4}{5}, attention at {6:?}",
        config.architecture.name(),
        config.resolution,
        config.channels,
        config.z_dim,
        if config.latent.is_normal() {
            String::new()
        } else {
            format!(" {}", config.latent)
        },
        if config.hierarchical_z {
            " hierarchical"
        } else {
            ""
        },
        config.attention
    );
    row(text, "generator", &shape);
    row(text, "classes", &config.classes.to_string());
}

/// Appends a named line.
pub fn row(text: &mut String, name: &str, value: &str) {
    let value = visible(value);
    writeln!(text, "{name:<12} {value}").expect("a string takes all");
}
