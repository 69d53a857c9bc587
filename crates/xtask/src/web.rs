//! The package for browsers and the page.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::model;
use crate::run::{command, run, step};
use crate::setup::{WASM, wasm_bindgen};
use crate::workspace::Workspace;

/// A build of the package: a page fetches the one that it needs.
pub struct Build {
    pub name: &'static str,
    package: &'static str,
    features: &'static str,
}

/// All builds, starting with the one that every page needs.
pub const BUILDS: [Build; 6] = [
    Build {
        name: "sample-cpu",
        package: "biggan-web",
        features: "sample",
    },
    Build {
        name: "sample-cpu-relaxed",
        package: "biggan-web",
        features: "sample,relaxed-simd",
    },
    Build {
        name: "pictures",
        package: "biggan-pictures",
        features: "web",
    },
    Build {
        name: "train-cpu",
        package: "biggan-web",
        features: "train",
    },
    Build {
        name: "sample-webgpu",
        package: "biggan-web",
        features: "sample,webgpu",
    },
    Build {
        name: "train-webgpu",
        package: "biggan-web",
        features: "train,webgpu",
    },
];

/// The core of a build for the GPU is small rather than fast: its CPU kernels only compute the self-test there, since
/// a page that draws on the CPU fetches the build for the CPU.
const SMALL_CORE: &str = "package.biggan.opt-level='z'";

/// Builds everything into www/dist.
pub fn web(workspace: &Workspace, release: bool) -> Result<()> {
    for build in &BUILDS {
        step(&format!("wasm, {} build", build.name), || {
            let wasm = build.compile(workspace, "wasm")?;
            let wasm = build.bind(workspace, &wasm)?;
            if release {
                build.optimise(workspace, &wasm)?;
            }
            say_size(&wasm)
        })?;
    }
    step("page", || {
        run(npm(workspace, "build", model::find_or_make(workspace)?))
    })
}

/// The builds that draw on the CPU, as they are released.
pub fn for_the_cpu(workspace: &Workspace) -> Result<()> {
    let [plain, relaxed, ..] = &BUILDS;
    for build in [plain, relaxed] {
        let wasm = build.compile(workspace, "wasm")?;
        build.optimise(workspace, &build.bind(workspace, &wasm)?)?;
    }
    Ok(())
}

/// An npm script of the page, with its model.
pub fn npm(workspace: &Workspace, script: &str, model: PathBuf) -> Command {
    let mut npm = command(&workspace.www(), "npm", &["run", script]);
    npm.env("BIGGAN_MODEL", model);
    npm
}

impl Build {
    /// Compiles the wasm file in one of Cargo's profiles.
    pub fn compile(&self, workspace: &Workspace, profile: &str) -> Result<PathBuf> {
        let mut cargo = command(&workspace.root, "cargo", &["build", "--lib", "--locked"]);
        cargo.args(["--package", self.package, "--target", WASM]);
        cargo.args(["--profile", profile, "--no-default-features"]);
        cargo.args(["--features", self.features]);
        if self.features.contains("webgpu") {
            cargo.args(["--config", &format!("profile.{profile}.{SMALL_CORE}")]);
        }
        run(cargo)?;
        let built = workspace.target.join(WASM).join(profile);
        Ok(built.join(format!("{}.wasm", self.package.replace('-', "_"))))
    }

    /// Creates the file that browsers load, and its module, in www/pkg.
    pub fn bind(&self, workspace: &Workspace, wasm: &Path) -> Result<PathBuf> {
        let out = workspace.www().join("pkg").join(self.name);
        let bindgen = wasm_bindgen(workspace)?;
        let mut bindgen = command(&workspace.root, &bindgen.to_string_lossy(), &[]);
        bindgen.arg(wasm).arg(&out);
        run(bindgen)?;
        Ok(out.join("biggan_web_bg.wasm"))
    }

    /// Makes the file smaller in place, without changing its speed.
    fn optimise(&self, workspace: &Workspace, wasm: &Path) -> Result<()> {
        let mut optimiser = command(&workspace.www(), "npx", &["--yes", "--package", BINARYEN]);
        optimiser.args([
            "wasm-opt",
            "-Os",
            "--enable-simd",
            "--enable-bulk-memory",
            "--enable-nontrapping-float-to-int",
            "--enable-sign-ext",
            "--enable-mutable-globals",
            "--enable-reference-types",
            "--enable-multivalue",
            "--strip-debug",
        ]);
        if self.features.contains("relaxed-simd") {
            optimiser.arg("--enable-relaxed-simd");
        }
        optimiser.arg(wasm).arg("-o").arg(wasm);
        run(optimiser)
    }
}

fn say_size(wasm: &Path) -> Result<()> {
    let bytes = fs::metadata(wasm)
        .with_context(|| format!("{} is missing", wasm.display()))?
        .len();
    eprintln!("    {}: {:.2} MB", wasm.display(), bytes as f64 / 1e6);
    Ok(())
}

/// Binaryen's optimiser, in a version that is known to work: Debian's 108 writes a file that browsers
/// refuse, since it confuses the table of JavaScript objects with that of functions.
const BINARYEN: &str = "binaryen@132.0.0";

/// Whether a program is in a directory of `PATH`.
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(AsRef::<OsStr>::as_ref(&path)).any(|dir| dir.join(program).is_file())
}
