//! A network as a table: parameters, cost and memory of each block.

use std::fmt;

use biggan::shape::NetworkShape;

/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;

/// A network's table, computed from shapes: nothing is built, so it is instant at every size.
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
    use std::path::{Path, PathBuf};

    use biggan::config::ClassEmbedding;

    use super::*;
    use crate::recipe::plan::Plan;
    use crate::run::plan_file;

    const CONFIGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs");

    /// Recipe files, with the name that each must have.
    fn recipes(directory: &Path, prefix: &str) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let name = format!("{prefix}{stem}");
            if path.is_dir() {
                found.extend(recipes(&path, &format!("{name}-")));
            } else {
                found.push((path, name));
            }
        }
        found
    }

    /// What `inspect --config` prints of every recipe.
    #[test]
    fn every_recipe_is_inspected() {
        let recipes = recipes(Path::new(CONFIGS), "");
        assert!(recipes.len() >= 23, "only {} recipes", recipes.len());
        for (path, name) in recipes {
            let plan = plan_file::read(&path, &[]).unwrap();
            // the file is named after the recipe
            assert_eq!(name, plan.name(), "{}", path.display());
            let text = crate::show::summary::plan(&plan).unwrap();
            for part in ["generator", "discriminator", "blocks.0", "total"] {
                assert!(text.contains(part), "{}: no {part}", path.display());
            }
        }
    }

    /// Brock et al. 2018, Table 1: batch, width and millions of parameters of G and D. The paper counts
    /// without the shared embedding: then all rows agree to the digit.
    #[test]
    fn rows_of_table_1_have_the_parameters_of_the_paper() {
        for (row, batch, channels, millions) in [
            (1, 256, 64, 81.5),
            (2, 512, 64, 81.5),
            (3, 1024, 64, 81.5),
            (4, 2048, 64, 81.5),
            (5, 2048, 96, 173.5),
            (6, 2048, 96, 160.6),
            (7, 2048, 96, 158.3),
            (8, 2048, 96, 158.3),
            (9, 2048, 64, 71.3),
        ] {
            let path = Path::new(CONFIGS).join(format!("table1/row{row}.toml"));
            let plan = plan_file::read(&path, &[]).unwrap();
            let train = plan.train();
            let widths = [train.generator.channels, train.discriminator.channels];
            assert_eq!(
                (train.batch_size, widths),
                (batch, [channels; 2]),
                "row {row}"
            );
            let embedding = match train.generator.class_embedding {
                ClassEmbedding::Shared { dim } => dim * train.generator.classes,
                ClassEmbedding::PerLayer => 0,
            };
            let g = NetworkShape::generator(&train.generator).unwrap();
            let d = NetworkShape::discriminator(&train.discriminator).unwrap();
            let counted = g.parameters() + d.parameters() - embedding as u64;
            let rounded = (counted as f64 / 1e5).round() / 10.0;
            assert_eq!(rounded, millions, "row {row}: {counted}");
        }
    }

    #[test]
    fn totals_are_those_of_the_shape() {
        let plan = Plan::parse(include_str!("../../../../configs/biggan128.toml"), &[]).unwrap();
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
