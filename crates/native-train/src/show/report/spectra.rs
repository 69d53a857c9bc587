//! Spectra by layer, as in figures 3 and 4 of BigGAN: the largest singular values of every weight of a
//! network over the run, one line per layer, and one chart each for sigma0, sigma1 and sigma2.

use std::collections::BTreeSet;

use plotters::style::{Color, HSLColor, RGBColor};

use super::chart::{Chart, IMAGES_SEEN, Line};
use crate::records::log_record::LogRecord;

/// Names of the logged values, largest first.
const VALUES: [&str; 3] = ["σ₀", "σ₁", "σ₂"];

/// Charts of `generator` or `discriminator`, the largest value first; those without values left out.
pub fn of(records: &[LogRecord], network: &str) -> Vec<Chart> {
    let layers = layers(records, network);
    let mut charts = Vec::new();
    for (place, value) in VALUES.iter().enumerate() {
        let lines = layers.iter().enumerate().map(|(index, layer)| Line {
            name: layer.clone(),
            color: color(index, layers.len()),
            points: points(records, &format!("{network}.{layer}"), place),
        });
        charts.push(Chart {
            across: IMAGES_SEEN,
            title: format!("{value} of every layer of the {network}"),
            unit: (*value).to_owned(),
            logarithmic: true,
            at_least: vec![],
            lines: lines.filter(|line| !line.points.is_empty()).collect(),
        });
    }
    charts.retain(|chart| !chart.is_empty());
    charts
}

fn points(records: &[LogRecord], name: &str, place: usize) -> Vec<(f64, f64)> {
    let point = |record: &LogRecord| {
        let sigma = record.probe.as_ref()?.singular_values.get(name)?;
        Some((record.images_seen as f64, f64::from(*sigma.get(place)?)))
    };
    records.iter().filter_map(point).collect()
}

/// Names of the logged layers, in the order of a forward pass.
fn layers(records: &[LogRecord], network: &str) -> Vec<String> {
    let dotted = format!("{network}.");
    let names: BTreeSet<&str> = records
        .iter()
        .filter_map(|record| record.probe.as_ref())
        .flat_map(|watch| watch.singular_values.keys())
        .filter_map(|name| name.strip_prefix(&dotted))
        .collect();
    let mut layers: Vec<String> = names.into_iter().map(str::to_owned).collect();
    layers.sort_by_key(|layer| order(network, layer));
    layers
}

/// Sort key: layers before the blocks, the blocks by number, layers after them.
fn order(network: &str, layer: &str) -> (u8, Vec<(u64, String)>) {
    let first: &[&str] = match network {
        "generator" => &["shared", "linear"],
        _ => &["input_conv"],
    };
    let part = layer.split('.').next().unwrap_or_default();
    let place = match part {
        part if first.contains(&part) => 0,
        "blocks" => 1,
        _ => 2,
    };
    let key = |word: &str| (word.parse().unwrap_or(u64::MAX), word.to_owned());
    (place, layer.split('.').map(key).collect())
}

/// From blue for the first layer to red for the last one, of middle lightness.
fn color(index: usize, count: usize) -> RGBColor {
    let share = index as f64 / count.saturating_sub(1).max(1) as f64;
    let (red, green, blue) = HSLColor(0.64 * (1.0 - share), 0.75, 0.48)
        .to_backend_color()
        .rgb;
    RGBColor(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::probe_record::ProbeRecord;

    #[test]
    fn layers_stand_in_the_order_of_a_pass() {
        let names = [
            "generator.linear.weight",
            "generator.blocks.10.conv1.weight",
            "generator.blocks.2.conv1.weight",
            "generator.output_conv.weight",
            "discriminator.blocks.0.conv1.weight",
        ];
        let probe = ProbeRecord {
            singular_values: names.map(|name| (name.to_owned(), vec![2.0, 1.0])).into(),
            ..ProbeRecord::default()
        };
        let line = r#"{"g_step":1,"images_seen":64,"loss_d":1,"loss_g":0,"d_real":0,"d_fake":0,"images_per_sec":9,"elapsed_secs":1}"#;
        let mut record: LogRecord = serde_json::from_str(line).unwrap();
        record.probe = Some(probe);
        let charts = of(&[record], "generator");
        assert_eq!(charts.len(), 2, "no third value was logged");
        let lines: Vec<&str> = charts[0].lines.iter().map(|l| l.name.as_str()).collect();
        assert_eq!(
            lines,
            [
                "linear.weight",
                "blocks.2.conv1.weight",
                "blocks.10.conv1.weight",
                "output_conv.weight"
            ]
        );
        assert_eq!(charts[1].lines[0].points, [(64.0, 1.0)]);
        assert_ne!(charts[0].lines[0].color, charts[0].lines[3].color);
    }
}
