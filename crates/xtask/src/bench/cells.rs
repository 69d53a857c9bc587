//! What is measured.

/// A generator whose passes are timed.
#[derive(Debug, Clone, Copy)]
pub struct Network {
    pub architecture: &'static str,
    pub resolution: usize,
    pub channels: usize,
    /// Resolution of the attention; 0 without.
    pub attention: usize,
}

const fn plain(resolution: usize, channels: usize, attention: usize) -> Network {
    Network {
        architecture: "biggan",
        resolution,
        channels,
        attention,
    }
}

const fn deep(resolution: usize, channels: usize, attention: usize) -> Network {
    Network {
        architecture: "biggan_deep",
        ..plain(resolution, channels, attention)
    }
}

/// All of them, at [`BATCHES`] and [`THREADS`].
pub const NETWORKS: [Network; 9] = [
    plain(32, 16, 0),
    plain(32, 64, 0),
    plain(64, 32, 32),
    plain(128, 16, 64),
    plain(128, 32, 64),
    plain(128, 96, 64),
    plain(256, 32, 64),
    deep(128, 32, 64),
    deep(128, 128, 64),
];

/// Networks and images of a pass in a browser, with one thread.
pub const BROWSER: [(Network, usize); 5] = [
    (plain(32, 16, 0), 1),
    (plain(32, 16, 0), 16),
    (plain(32, 64, 0), 1),
    (plain(128, 16, 64), 1),
    (plain(128, 32, 64), 1),
];

/// Images of a pass.
pub const BATCHES: [usize; 2] = [1, 16];
/// Threads of both sides.
pub const THREADS: [usize; 2] = [1, 2];

impl Network {
    /// As in a table: `128 ch 96 (64)`, the attention in brackets.
    pub fn name(&self) -> String {
        let deep = if self.architecture == "biggan" {
            ""
        } else {
            "deep-"
        };
        let attention = match self.attention {
            0 => String::new(),
            at => format!(" ({at})"),
        };
        format!("{deep}{} ch {}{attention}", self.resolution, self.channels)
    }

    /// A name for a directory.
    pub fn slug(&self) -> String {
        self.name().replace(['(', ')'], "").replace(' ', "-")
    }
}

/// A round of training that is timed: two steps of D and one of G.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    pub resolution: usize,
    pub channels: usize,
    pub attention: usize,
    pub batch: usize,
    /// With R1 and R2.
    pub penalties: bool,
}

const fn round(resolution: usize, channels: usize, attention: usize, batch: usize) -> Round {
    Round {
        resolution,
        channels,
        attention,
        batch,
        penalties: false,
    }
}

/// All of them, with two threads.
pub const ROUNDS: [Round; 5] = [
    round(32, 16, 0, 64),
    round(32, 64, 0, 64),
    round(64, 16, 32, 32),
    round(128, 16, 64, 16),
    Round {
        penalties: true,
        ..round(64, 16, 32, 32)
    },
];

impl Round {
    /// As in a table.
    pub fn name(&self) -> String {
        let network = plain(self.resolution, self.channels, self.attention).name();
        let penalties = if self.penalties { ", R1 and R2" } else { "" };
        format!("{network}, batch {}{penalties}", self.batch)
    }

    /// The recipe of both sides (the core's `TrainConfig`).
    pub fn config(&self) -> String {
        let Self {
            resolution,
            channels,
            batch,
            ..
        } = self;
        let attention = match self.attention {
            0 => "[]".to_owned(),
            at => format!("[{at}]"),
        };
        let z_dim = 20 * (resolution.ilog2() - 1);
        let penalties = match self.penalties {
            true => r#""r1": {"gamma": 1}, "r2": {"gamma": 1}"#,
            false => "",
        };
        format!(
            r#"{{
  "generator": {{
    "resolution": {resolution}, "channels": {channels}, "z_dim": {z_dim}, "classes": 10,
    "class_embedding": {{"kind": "shared", "dim": 128}}, "hierarchical_z": true,
    "attention": {attention}, "bn_eps": 1e-5, "sn_eps": 1e-6
  }},
  "discriminator": {{
    "resolution": {resolution}, "channels": {channels}, "classes": 10,
    "attention": {attention}, "sn_eps": 1e-6
  }},
  "adam_g": {{"lr": 2e-4, "beta1": 0.0, "beta2": 0.999, "eps": 1e-8}},
  "adam_d": {{"lr": 2e-4, "beta1": 0.0, "beta2": 0.999, "eps": 1e-8}},
  "ema": {{"decay": 0.999}},
  "batch_size": {batch}, "d_steps": 2, "seed": 1,
  "techniques": {{{penalties}}}
}}
"#
        )
    }
}
