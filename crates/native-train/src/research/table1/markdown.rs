//! The table as Markdown, generated from the results alone.

use std::fmt::Write;

use super::result::{Point, RowResult};
use super::rows::{BATCHES, ROWS};
use super::verdict::Results;

/// All tables of these results.
pub fn table(results: &[RowResult]) -> String {
    let results = Results(results);
    let mut text = String::from(
        "# The paper's Table 1 at a size that runs here\n\n\
         Made by `native-train table1`; do not edit. The same command goes on with rows that are missing.\n",
    );
    let Some(first) = results.0.first() else {
        return text + "\nNo row is there yet.\n";
    };
    text += &protocol(first, results);
    text += &main_table(results);
    text += &at_equal_steps(results);
    text += &over_truncations(results);
    text += &accuracies(results);
    text
}

fn protocol(first: &RowResult, results: Results<'_>) -> String {
    let (how, plan) = (&first.protocol, &first.plan);
    let passes = plan.run().images as f64 / how.real_images.max(1) as f64;
    let noise = match results.noise() {
        Some(noise) => format!(
            "Rows that differ by the seed alone differ by up to {:.1} % in their best distance; a \
             difference counts beyond that.",
            noise * 100.0
        ),
        None => "No two seeds of a row are there: every difference counts.".to_owned(),
    };
    format!(
        "\nAll rows: {data} at {resolution}x{resolution}, {images} real images seen by D ({passes:.2} passes \
         of the data), D twice a G step, Adam {lr}, average {decay} with a ramp. Frechet distance in the \
         features of {network} against all {reals} training images: {samples} samples of the averaged G for \
         the best and the last checkpoint, {few} for the choice among {count} checkpoints and for all \
         other scores; batch norm statistics of {standing} samples, truncation off, seed 0. Singular values \
         before spectral norm, at the end. {noise}\n\n",
        data = how.dataset,
        resolution = plan.train().generator.resolution,
        images = plan.run().images,
        lr = plan.train().adam_g.lr,
        decay = plan.train().ema.decay,
        network = how.classifier,
        reals = how.real_images,
        samples = how.samples,
        few = how.samples_on_the_way,
        count = first.points.len(),
        standing = how.statistics_samples,
    )
}

fn main_table(results: Results<'_>) -> String {
    let mut text = heading(&[
        "row",
        "what",
        "best FD",
        "at images (G step)",
        "last FD",
        "sigma0-2, G's first layer",
        "sigma0-2, D's last convolution",
        "the paper",
        "shows here",
    ]);
    for row in &ROWS {
        let Some(result) = results.of(row.name) else {
            continue;
        };
        let mut shows = results.verdict(row);
        if let Some(failure) = &result.failure {
            let first_line = failure.lines().next().unwrap_or_default();
            write!(shows, " (ended early: {first_line})").expect("a string takes all");
        }
        text += &line(&[
            row.name.to_owned(),
            row.about.to_owned(),
            frechet(result.best),
            place(result.best),
            frechet(result.last),
            sigmas(&result.spectra.generator_first),
            sigmas(&result.spectra.discriminator_last),
            row.claim
                .as_ref()
                .map_or("", |claim| claim.paper)
                .to_owned(),
            shows,
        ]);
    }
    text
}

/// The batches after as many G steps as the largest batch took, which is what the paper's Table 1 compares.
fn at_equal_steps(results: Results<'_>) -> String {
    let largest = BATCHES.iter().rev().find_map(|row| results.of(row));
    let Some(step) = largest.and_then(|result| result.points.last()) else {
        return String::new();
    };
    let mut text = format!(
        "\n## Batches after about {} G steps\n\nThe paper compares runs by steps, where a larger batch has \
         seen more images.\n\n",
        step.g_step
    );
    text += &heading(&["row", "G step", "images", "FD"]);
    let mut distances = Vec::new();
    for name in BATCHES {
        let points = results.of(name).map_or(&[][..], |result| &result.points);
        let Some(at) = points
            .iter()
            .min_by_key(|point| point.g_step.abs_diff(step.g_step))
        else {
            continue;
        };
        distances.push(at.frechet);
        text += &line(&[
            name.to_owned(),
            at.g_step.to_string(),
            at.images_seen.to_string(),
            format!("{:.2}", at.frechet),
        ]);
    }
    let falls = distances.windows(2).all(|pair| pair[1] < pair[0]);
    let shows = match distances.len() == BATCHES.len() {
        true if falls => "yes",
        true => "no",
        false => "needs all of these rows",
    };
    writeln!(text, "\nEach larger batch is better: {shows}.").expect("a string takes all");
    text
}

fn over_truncations(results: Results<'_>) -> String {
    let rows: Vec<&RowResult> = ROWS
        .iter()
        .filter_map(|row| results.of(row.name))
        .filter(|result| !result.truncations.is_empty())
        .collect();
    let Some(first) = rows.first() else {
        return String::new();
    };
    let mut text = format!(
        "\n## Truncation\n\nFrechet distance, and the share of values with |x| > 0.99, which is {:.1} % of the \
         real images' (their background is black). Without the orthogonal term: hierarchical.\n\n",
        first.protocol.real_saturated * 100.0
    );
    let mut names = vec!["truncation".to_owned()];
    names.extend(rows.iter().map(|result| result.row.clone()));
    text += &heading(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for (index, point) in first.truncations.iter().enumerate() {
        let mut cells = vec![point.truncation.to_string()];
        cells.extend(rows.iter().map(|result| {
            let point = result.truncations.get(index);
            point.map_or_else(String::new, |point| {
                format!("{:.2}, {:.1} %", point.frechet, point.saturated * 100.0)
            })
        }));
        text += &line(&cells);
    }
    text
}

fn accuracies(results: Results<'_>) -> String {
    let mut text = String::from(
        "\n## D's memory\n\nShare of real images with D(x) > 0 at the end: training images that D has seen, and \
         test images. The paper: 98 % and 50 to 55 %, after hundreds of passes of the data; it shows where \
         the first is higher by 10 % or more. (R3GAN's D only compares: its logits have no zero.)\n\n",
    );
    text += &heading(&["row", "training", "held out", "shows here"]);
    for row in &ROWS {
        let Some(found) = results.of(row.name).and_then(|result| result.accuracy) else {
            continue;
        };
        let shows = found.training - found.held_out >= 0.1;
        text += &line(&[
            row.name.to_owned(),
            format!("{:.1} %", found.training * 100.0),
            format!("{:.1} %", found.held_out * 100.0),
            if shows { "yes" } else { "no" }.to_owned(),
        ]);
    }
    text
}

fn heading(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    line(&names) + &line(&vec!["---".to_owned(); names.len()])
}

fn line(cells: &[String]) -> String {
    // a bar inside a cell would end it
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn frechet(point: Option<Point>) -> String {
    point.map_or_else(
        || "none".to_owned(),
        |point| format!("{:.2}", point.frechet),
    )
}

fn place(point: Option<Point>) -> String {
    point.map_or_else(String::new, |point| {
        format!("{} ({})", point.images_seen, point.g_step)
    })
}

fn sigmas(values: &[f32]) -> String {
    let values: Vec<String> = values.iter().map(|sigma| format!("{sigma:.2}")).collect();
    values.join(", ")
}

#[cfg(test)]
pub mod tests {
    use biggan::truncation::Truncation;

    use super::super::result::{Accuracy, Protocol, Spectra, TruncationPoint};
    use super::super::rows::by_name;
    use super::*;
    use crate::recipe::plan::Plan;

    /// A result with this best distance.
    pub fn result(row: &str, frechet: f64) -> RowResult {
        let recipe = include_str!("small.toml");
        let settings = by_name(row).unwrap().all_settings();
        let plan = Plan::parse(recipe, &settings).unwrap();
        let batch = plan.train().batch_size as u64;
        let at = |images: u64, frechet| Point {
            images_seen: images,
            g_step: images / 2 / batch,
            frechet,
        };
        let truncation = |truncation, saturated| TruncationPoint {
            truncation,
            frechet,
            saturated,
        };
        RowResult {
            row: row.to_owned(),
            failure: None,
            points: (1..=8)
                .map(|i| at(i * 5_120, frechet + 8.0 - i as f64))
                .collect(),
            best: Some(at(40_960, frechet)),
            last: Some(at(40_960, frechet)),
            spectra: Spectra::default(),
            accuracy: Some(Accuracy {
                training: 0.98,
                held_out: 0.55,
            }),
            truncations: vec![
                truncation(Truncation::Off, 0.5),
                truncation(Truncation::Threshold(0.04), 0.6),
            ],
            protocol: Protocol {
                classifier: "tiny".to_owned(),
                samples: 5000,
                samples_on_the_way: 2000,
                statistics_samples: 2048,
                dataset: "fashion-mnist".to_owned(),
                real_images: 60_000,
                real_saturated: 0.61,
            },
            train_secs: 100.0,
            plan,
        }
    }

    #[test]
    fn tables_hold_what_the_results_say() {
        assert!(table(&[]).contains("No row is there yet"));
        let mut all = vec![
            result("batch32", 20.0),
            result("batch16", 30.0),
            result("batch128", 15.0),
        ];
        all[1].failure = Some("loss_d is NaN|inf\nmore".to_owned());
        let text = table(&all);
        for part in [
            "40000 real images seen by D (0.67 passes",
            "| batch32 | baseline, batch 32 | 20.00 | 40960 (640) |",
            "ended early: loss_d is NaN\\|inf)",
            "needs row batch64",
            "## Batches after about 160 G steps",
            "| batch16 | 160 | 5120 | 37.00 |",
            "| batch128 | 160 | 40960 | 15.00 |",
            "Each larger batch is better: needs all of these rows.",
            "| 0.04 | 20.00, 60.0 % | 30.00, 60.0 % | 15.00, 60.0 % |",
            "| batch16 | 98.0 % | 55.0 % | yes |",
            "every difference counts",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        all.push(result("batch64", 17.0));
        let better = |all: &[RowResult]| table(all).contains("Each larger batch is better: yes.");
        assert!(better(&all));
        all[3]
            .points
            .iter_mut()
            .for_each(|point| point.frechet = 40.0);
        assert!(!better(&all));
    }
}
