//! What users of the crates see before they have the repository: documentation, examples, packages.

use std::path::Path;

use anyhow::Result;

use crate::run::{command, run};
use crate::workspace::Workspace;

/// Packages that can be published.
const PUBLISHED: [&str; 2] = ["biggan", "native-train"];
const FIXTURE: &str = "tests/fixtures/aj-32";

/// Runs the programs in the documentation.
///
/// `features` are those of the tests: other ones would compile Burn again.
pub fn documented_programs(workspace: &Workspace, features: &[&str]) -> Result<()> {
    let mut tests = command(&workspace.root, "cargo", &["test", "--doc"]);
    tests.args(["--workspace", "--locked"]).args(features);
    run(tests)
}

/// Runs the examples of the core crate as their comments say.
pub fn examples(workspace: &Workspace, features: &[&str]) -> Result<()> {
    let mut build = command(&workspace.root, "cargo", &["build", "--examples"]);
    build.args(["--workspace", "--locked"]).args(features);
    run(build)?;
    let out = workspace.target.join("examples");
    std::fs::create_dir_all(&out)?;
    let example = |name: &str, args: &[&Path]| {
        let program = workspace.target.join("debug/examples").join(name);
        let mut example = command(&workspace.root, &program.to_string_lossy(), &[]);
        example.args(args);
        run(example)
    };
    let trained = out.join("trained.safetensors");
    let imported = out.join("imported.safetensors");
    let fixture = Path::new(FIXTURE);
    let config = fixture.join("config.json");
    example("train", &[&trained])?;
    example("import", &[&fixture.join("G.pth"), &config, &imported])?;
    let sheet = out.join("sheet.png");
    example("sample", &[&trained, Path::new("vertical"), &sheet])
}

/// Lists what each package would publish, which fails where a manifest cannot be published.
pub fn packages(workspace: &Workspace) -> Result<()> {
    for package in PUBLISHED {
        let list = ["package", "--list", "--allow-dirty", "--package", package];
        run(command(&workspace.root, "cargo", &list))?;
    }
    Ok(())
}
