//! Pythons with the packages that exported graphs and speed are compared with.

use std::env;
use std::path::PathBuf;

use crate::run::{command, output, run};
use crate::web::on_path;
use crate::workspace::Workspace;

/// A Python that imports some of PyPI's packages.
pub struct Python {
    /// Variable that names one; tests read it.
    pub variable: &'static str,
    directory: &'static str,
    packages: &'static [&'static str],
}

/// With what reads the files that are for other programs.
pub const READERS: Python = Python {
    variable: "BIGGAN_READERS_PYTHON",
    directory: "readers",
    packages: &["numpy", "onnxruntime", "tensorboard"],
};

/// With PyTorch, and what reads an ONNX graph.
pub const PYTORCH: Python = Python {
    variable: "BIGGAN_TORCH_PYTHON",
    directory: "pytorch",
    packages: &["numpy", "onnx", "torch"],
};

impl Python {
    /// The one that the variable names, or one in an environment of its own, which is made once; `None` if that fails,
    /// after saying what to do.
    pub fn find(&self, workspace: &Workspace) -> Option<PathBuf> {
        if let Some(named) = env::var_os(self.variable) {
            return Some(named.into());
        }
        let directory = workspace.tools().join(self.directory);
        let python = directory.join(if cfg!(windows) {
            "Scripts/python.exe"
        } else {
            "bin/python"
        });
        let root = &workspace.root;
        let program = python.to_string_lossy();
        let import = format!("import {}", self.packages.join(", "));
        let works = || output(command(root, &program, &["-c", &import])).is_some();
        let make = || {
            let target = directory.to_string_lossy();
            run(command(root, "python3", &["-m", "venv", &*target]))?;
            let mut pip = command(root, &program, &["-m", "pip", "install", "--quiet"]);
            pip.args(self.packages);
            run(pip)
        };
        if works() || (on_path("python3") && make().is_ok() && works()) {
            return Some(python);
        }
        let packages = self.packages.join(" and ");
        eprintln!("==> no Python with {packages}: what needs it is skipped");
        eprintln!("    set {} to one", self.variable);
        None
    }
}
