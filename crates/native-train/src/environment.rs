//! What commands may know about the process's environment.

use std::path::PathBuf;

/// What a command may know about the process; nothing below `main` reads the environment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Directory of fetched data sets.
    pub data_home: Option<PathBuf>,
}

impl Environment {
    /// From the process's variables: `$XDG_DATA_HOME/biggan`, otherwise `~/.local/share/biggan`.
    pub fn from_process() -> Self {
        let directory = |variable| {
            std::env::var_os(variable)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let data_home = directory("XDG_DATA_HOME")
            .or_else(|| directory("HOME").map(|home| home.join(".local/share")))
            .map(|data| data.join("biggan"));
        Self { data_home }
    }
}
