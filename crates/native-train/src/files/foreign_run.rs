//! The files of another program's training run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use biggan::import::{Source, TrainingFiles};

use crate::input_file;

/// Paths of the files of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFiles {
    generator: PathBuf,
    average: Option<PathBuf>,
    discriminator: PathBuf,
    generator_optimiser: Option<PathBuf>,
    discriminator_optimiser: Option<PathBuf>,
}

/// Their bytes.
#[derive(Debug)]
pub struct RunBytes {
    generator: Vec<u8>,
    average: Option<Vec<u8>>,
    discriminator: Vec<u8>,
    generator_optimiser: Option<Vec<u8>>,
    discriminator_optimiser: Option<Vec<u8>>,
}

/// Finds the files in a directory: `G.pth`, `G_ema.pth`, `D.pth`, `G_optim.pth`, `D_optim.pth` of
/// BigGAN-PyTorch (`utils.py:687-708`), with `_<suffix>` after the name if given, or
/// `model=G-<suffix>-weights-step=N.pth` and so on of StudioGAN (`misc.py:386-404`).
///
/// # Errors
/// If G or D is missing, or there are several.
pub fn find(source: Source, directory: &Path, suffix: Option<&str>) -> Result<RunFiles> {
    let path = |part: &str| one(directory, source, part, suffix);
    let needed = |part: &str| {
        path(part)?.with_context(|| {
            format!(
                "{} has no {}; --training takes the directory of a run",
                directory.display(),
                pattern(source, part, suffix)
            )
        })
    };
    Ok(RunFiles {
        generator: needed("G")?,
        average: path("G_ema")?,
        discriminator: needed("D")?,
        generator_optimiser: path("G_optim")?,
        discriminator_optimiser: path("D_optim")?,
    })
}

/// Prefix and suffix of a file's name, for StudioGAN with the step in between.
fn pattern(source: Source, part: &str, suffix: Option<&str>) -> String {
    match (source, suffix) {
        (Source::Studiogan, suffix) => {
            format!("model={part}-{}-weights-step=*.pth", suffix.unwrap_or("*"))
        }
        (_, Some(suffix)) => format!("{part}_{suffix}.pth"),
        (_, None) => format!("{part}.pth"),
    }
}

fn one(
    directory: &Path,
    source: Source,
    part: &str,
    suffix: Option<&str>,
) -> Result<Option<PathBuf>> {
    let plain = directory.join(match suffix {
        Some(suffix) => format!("{part}_{suffix}.pth"),
        None => format!("{part}.pth"),
    });
    if source != Source::Studiogan || plain.is_file() {
        return Ok(plain.is_file().then_some(plain));
    }
    let start = match suffix {
        Some(suffix) => format!("model={part}-{suffix}-"),
        None => format!("model={part}-"),
    };
    let named = || directory.display().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(named)? {
        let path = entry.with_context(named)?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.starts_with(&start) && name.ends_with(".pth") {
            found.push(path);
        }
    }
    if found.len() > 1 {
        bail!(
            "{} has {} files {}; choose with --suffix best or --suffix current",
            directory.display(),
            found.len(),
            pattern(source, part, suffix)
        );
    }
    Ok(found.pop())
}

impl RunFiles {
    /// Reads them.
    ///
    /// # Errors
    /// If one cannot be read; the message names it.
    pub fn read(&self) -> Result<RunBytes> {
        let read = |path: &PathBuf| input_file::read("weights", path);
        let maybe = |path: &Option<PathBuf>| path.as_ref().map(read).transpose();
        Ok(RunBytes {
            generator: read(&self.generator)?,
            average: maybe(&self.average)?,
            discriminator: read(&self.discriminator)?,
            generator_optimiser: maybe(&self.generator_optimiser)?,
            discriminator_optimiser: maybe(&self.discriminator_optimiser)?,
        })
    }
}

impl RunBytes {
    /// As the importer takes them.
    pub fn files(&self) -> TrainingFiles<'_> {
        TrainingFiles {
            generator: &self.generator,
            average: self.average.as_deref(),
            discriminator: &self.discriminator,
            generator_optimiser: self.generator_optimiser.as_deref(),
            discriminator_optimiser: self.discriminator_optimiser.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_the_names_of_each_program() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let touch = |name: &str| std::fs::write(root.join(name), b"").unwrap();
        for name in [
            "G_best0.pth",
            "G_ema_best0.pth",
            "D_best0.pth",
            "G_optim_best0.pth",
        ] {
            touch(name);
        }
        let found = find(Source::BigganPytorch, root, Some("best0")).unwrap();
        assert_eq!(found.generator, root.join("G_best0.pth"));
        assert_eq!(found.average, Some(root.join("G_ema_best0.pth")));
        assert_eq!(found.discriminator_optimiser, None);
        let message = find(Source::BigganPytorch, root, None)
            .unwrap_err()
            .to_string();
        assert!(message.contains("no G.pth"), "{message}");

        for name in ["G", "D"] {
            touch(&format!("model={name}-best-weights-step=10.pth"));
            touch(&format!("model={name}-current-weights-step=12.pth"));
        }
        let found = find(Source::Studiogan, root, Some("current")).unwrap();
        assert!(
            found
                .generator
                .ends_with("model=G-current-weights-step=12.pth")
        );
        assert_eq!(found.average, None);
        let message = find(Source::Studiogan, root, None).unwrap_err().to_string();
        assert!(message.contains("--suffix best"), "{message}");
    }
}
