//! A network as a table: what each block holds, costs and keeps.

use std::fmt;

use biggan::shape::NetworkShape;

/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;

/// A network's table. It is made of shapes alone: nothing is built, so it is instant at every size.
#[derive(Debug)]
pub struct NetworkTable<'a> {
    /// "generator" or "discriminator".
    pub network: &'a str,
    /// Its layers.
    pub shape: &'a NetworkShape,
}

impl fmt::Display for NetworkTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20} {:>14} {:>6} {:>12} {:>16} {:>16}",
            self.network, "channels", "pixels", "parameters", "multiply-adds", "activations"
        )?;
        for layer in &self.shape.layers {
            let [from, to] = layer.channels;
            writeln!(
                f,
                "  {:<18} {:>14} {:>6} {:>12} {:>14.2} M {:>12.2} MiB",
                layer.name,
                format!("{from} -> {to}"),
                layer.resolution,
                layer.parameters(),
                layer.multiply_adds as f64 / 1e6,
                layer.activation_bytes() as f64 / MIB,
            )?;
        }
        writeln!(
            f,
            "  {:<18} {:>14} {:>6} {:>12} {:>14.2} M {:>12.2} MiB",
            "total",
            "",
            "",
            self.shape.parameters(),
            self.shape.multiply_adds() as f64 / 1e6,
            self.shape.activation_bytes() as f64 / MIB,
        )
    }
}

/// What the columns mean, in one line below the tables.
pub const LEGEND: &str = "per image: multiply-adds of one forward pass, feature maps in f32 as training \
                          keeps them (sampling holds a few at a time)\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    /// What `inspect --config` prints of every recipe.
    #[test]
    fn every_recipe_is_inspected() {
        let configs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs");
        let mut seen = 0;
        for entry in std::fs::read_dir(configs).unwrap() {
            let path = entry.unwrap().path();
            let plan = Plan::read(&path, &[]).unwrap();
            // the file is named after the recipe
            assert_eq!(path.file_stem().unwrap().to_str(), Some(plan.name()));
            let text = crate::commands::inspect::plan(&plan).unwrap();
            for part in ["generator", "discriminator", "blocks.0", "total"] {
                assert!(text.contains(part), "{}: no {part}", path.display());
            }
            seen += 1;
        }
        assert!(seen >= 11, "only {seen} recipes");
    }

    #[test]
    fn totals_are_those_of_the_shape() {
        let plan = Plan::parse(include_str!("../../../configs/biggan128.toml"), &[]).unwrap();
        let shape = NetworkShape::generator(&plan.train().generator).unwrap();
        let table = NetworkTable {
            network: "generator",
            shape: &shape,
        };
        let text = table.to_string();
        let total = text.lines().last().unwrap();
        assert!(
            total.contains("total") && total.contains("70433988"),
            "{text}"
        );
    }
}
