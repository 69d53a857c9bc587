//! The time of a round on a cluster: a model with a few parameters, fitted to measurements or assumed.
//!
//! A sum of `n` bytes over `p` processes takes `2 log2(p) a + 2 (p - 1) / p n b`, with latency `a` per message and time
//! `b` per byte, by recursive halving and doubling (Rabenseifner 2004; Thakur, Rabenseifner and Gropp 2005, sec. 4.5).
//! On machines with several GPUs values are summed within each machine first, then between machines.

use std::fmt::Write;

use anyhow::Result;
use biggan::train::{RoundTraffic, TrainConfig};

/// A network between processes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// Seconds per message.
    pub latency: f64,
    /// Bytes per second.
    pub bandwidth: f64,
}

impl Link {
    /// Seconds of a sum of so many bytes over `p` processes.
    pub fn sum(self, p: usize, bytes: f64) -> f64 {
        let p = p as f64;
        2.0 * p.log2() * self.latency + 2.0 * (p - 1.0) / p * bytes / self.bandwidth
    }

    /// The link that fits measured sums best, by bytes and seconds: least squares of the relative error.
    pub fn fit(p: usize, measured: &[(f64, f64)]) -> Self {
        // t = x u + y v with u = 2 log2 p and v = 2 (p - 1) / p bytes; both sides divided by t
        let p = p as f64;
        let rows = measured
            .iter()
            .map(|&(bytes, secs)| [2.0 * p.log2() / secs, 2.0 * (p - 1.0) / p * bytes / secs]);
        let [mut uu, mut uv, mut vv, mut u1, mut v1] = [0.0; 5];
        for [u, v] in rows {
            uu += u * u;
            uv += u * v;
            vv += v * v;
            u1 += u;
            v1 += v;
        }
        let determinant = uu * vv - uv * uv;
        Self {
            latency: ((u1 * vv - v1 * uv) / determinant).max(0.0),
            bandwidth: determinant / (v1 * uu - u1 * uv),
        }
    }
}

/// GPUs in machines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cluster {
    /// GPUs per machine.
    pub gpus_a_machine: usize,
    /// Operations per second that training reaches on a GPU; a multiply-add counts as two.
    pub flops: f64,
    /// Within a machine.
    pub inside: Link,
    /// Between machines: a machine's whole connection.
    pub between: Link,
}

impl Cluster {
    /// Seconds of a sum of so many values over `gpus`.
    pub fn sum(&self, gpus: usize, values: usize) -> f64 {
        let bytes = (values * size_of::<f32>()) as f64;
        let inside = gpus.min(self.gpus_a_machine);
        let machines = gpus.div_ceil(self.gpus_a_machine);
        let mut secs = if inside > 1 {
            self.inside.sum(inside, bytes)
        } else {
            0.0
        };
        if machines > 1 {
            secs += self.between.sum(machines, bytes);
        }
        secs
    }
}

/// Seconds of a round, by purpose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoundTime {
    /// Arithmetic of the rank with most images.
    pub compute: f64,
    /// Sums of gradients.
    pub gradients: f64,
    /// Sums of batch norm, forward and back.
    pub norm: f64,
    /// Everything else, such as logits.
    pub other: f64,
}

impl RoundTime {
    /// The time of a round of a recipe on `gpus` GPUs; nothing overlaps, as in the program.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn predict(config: &TrainConfig, cluster: &Cluster, gpus: usize) -> Result<Self> {
        let images = config.batch_size.div_ceil(gpus) as f64;
        let cost = config.cost()?;
        let norm = config.techniques.bn_group.unwrap_or(gpus);
        let traffic = RoundTraffic::count(config, gpus, norm)?;
        let sums = |lens: &[usize], gpus| lens.iter().map(|&n| cluster.sum(gpus, n)).sum::<f64>();
        let alone = gpus == 1;
        let of = |lens: &[usize], gpus| if alone { 0.0 } else { sums(lens, gpus) };
        Ok(Self {
            compute: 2.0 * cost.multiply_adds as f64 * images / cluster.flops,
            gradients: of(&traffic.gradients, gpus),
            norm: of(&traffic.moments, norm) + of(&traffic.norm_gradients, norm),
            other: of(&traffic.logits, gpus) + of(&traffic.other, gpus),
        })
    }

    /// The total.
    pub fn total(&self) -> f64 {
        self.compute + self.gradients + self.norm + self.other
    }
}

/// Rounds by GPUs and line rate between machines, of which sums reach a share, as a table in Markdown.
///
/// # Errors
/// If the configuration is not valid.
pub fn table(
    config: &TrainConfig,
    cluster: &Cluster,
    gpus: &[usize],
    gbits: &[f64],
    line_share: f64,
) -> Result<String> {
    let mut text = String::from(
        "| GPUs | machines | Gbit/s | images per GPU | compute | gradients | batch norm | other | round | images/s | efficiency |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let alone = RoundTime::predict(config, cluster, 1)?.total();
    let seen = (config.d_steps * config.batch_size) as f64;
    for &gpus in gpus {
        let machines = gpus.div_ceil(cluster.gpus_a_machine);
        // within a machine the lines between machines do not matter
        let lines = if machines == 1 {
            &gbits[..gbits.len().min(1)]
        } else {
            gbits
        };
        for &gbit in lines {
            let bandwidth = line_share * gbit * 1e9 / 8.0;
            let between = Link {
                bandwidth,
                ..cluster.between
            };
            let time = RoundTime::predict(
                config,
                &Cluster {
                    between,
                    ..*cluster
                },
                gpus,
            )?;
            let total = time.total();
            let line = if machines == 1 {
                "-".to_owned()
            } else {
                gbit.to_string()
            };
            let ms = |secs: f64| format!("{:.0} ms", 1e3 * secs);
            writeln!(
                text,
                "| {gpus} | {machines} | {line} | {} | {} | {} | {} | {} | {} | {:.0} | {:.0} % |",
                config.batch_size.div_ceil(gpus),
                ms(time.compute),
                ms(time.gradients),
                ms(time.norm),
                ms(time.other),
                ms(total),
                seen / total,
                100.0 * alone / (gpus as f64 * total),
            )?;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_finds_the_link_again() {
        let link = Link {
            latency: 2e-5,
            bandwidth: 1.25e9,
        };
        let sizes = [4.0, 4e3, 4e5, 4e7];
        let measured: Vec<_> = sizes.iter().map(|&n| (n, link.sum(3, n))).collect();
        let found = Link::fit(3, &measured);
        assert!(
            (found.latency / link.latency - 1.0).abs() < 1e-6,
            "{found:?}"
        );
        assert!(
            (found.bandwidth / link.bandwidth - 1.0).abs() < 1e-6,
            "{found:?}"
        );
    }

    #[test]
    fn sums_by_hand() {
        let link = |latency, bandwidth| Link { latency, bandwidth };
        let cluster = Cluster {
            gpus_a_machine: 2,
            flops: 1e12,
            inside: link(1.0, 4.0),
            between: link(10.0, 2.0),
        };
        // 2 log2(2) + 2 (1/2) 8 bytes / 4; then the same between two machines at 10 and 2
        assert_eq!(cluster.sum(2, 2), 2.0 + 2.0);
        assert_eq!(cluster.sum(4, 2), 4.0 + 20.0 + 4.0);
        assert_eq!(cluster.sum(1, 2), 0.0);
    }
}
