//! The truncation curve as a picture: Frechet distance against Inception score, as in the paper,
//! with each threshold labelled.

use anyhow::{Result, anyhow};
use biggan::truncation::Truncation;
use plotters::prelude::*;

use super::curve::Row;

/// Width and height.
const SIZE: (u32, u32) = (720, 480);

/// The picture as SVG.
///
/// # Errors
/// If a score is not finite, or drawing fails.
pub fn svg(rows: &[Row], title: &str) -> Result<String> {
    // the line goes from off to the strongest truncation, whatever the order of the rows
    let mut sorted: Vec<&Row> = rows.iter().collect();
    let threshold = |row: &Row| match row.distribution.truncation() {
        Truncation::Off => f64::INFINITY,
        Truncation::Threshold(t) => t,
    };
    sorted.sort_by(|a, b| threshold(b).total_cmp(&threshold(a)));
    let points: Vec<(f64, f64, String)> = sorted
        .into_iter()
        .map(|row| {
            let label = row.distribution.to_string();
            (
                row.scores.inception_score.value,
                row.scores.frechet.value,
                label,
            )
        })
        .collect();
    let [Some(x), Some(y)] = [0, 1].map(|axis| {
        let values = points
            .iter()
            .map(|point| if axis == 0 { point.0 } else { point.1 });
        range(values)
    }) else {
        return Err(anyhow!(
            "a curve of scores that are not finite cannot be drawn"
        ));
    };
    let (across, up) = rows.first().map_or(("", ""), |row| {
        let scores = &row.scores;
        (
            scores.inception_score.name.as_str(),
            scores.frechet.name.as_str(),
        )
    });
    let mut text = String::new();
    draw(&mut text, &points, [x, y], [title, across, up])
        .map_err(|error| anyhow!("drawing the curve: {error}"))?;
    Ok(text)
}

/// From the smallest to the largest value with a margin; `None` if a value is not finite.
fn range(values: impl Iterator<Item = f64> + Clone) -> Option<std::ops::Range<f64>> {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let margin = ((high - low) * 0.08).max(high.abs() * 1e-3).max(1e-6);
    let all_finite = values.clone().all(f64::is_finite) && low <= high;
    all_finite.then_some(low - margin..high + margin)
}

fn draw(
    text: &mut String,
    points: &[(f64, f64, String)],
    [x, y]: [std::ops::Range<f64>; 2],
    [title, across, up]: [&str; 3],
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 16))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc(format!("{across} (more is better)"))
        .y_desc(format!("{up} (less is better)"))
        .axis_desc_style(("sans-serif", 14))
        .label_style(("sans-serif", 12))
        .draw()?;
    let line = points.iter().map(|(x, y, _)| (*x, *y));
    chart.draw_series(LineSeries::new(line, BLUE.stroke_width(2)))?;
    chart.draw_series(points.iter().map(|(x, y, label)| {
        EmptyElement::at((*x, *y))
            + Circle::new((0, 0), 4, BLUE.filled())
            + Text::new(label.clone(), (7, -14), ("sans-serif", 13).into_font())
    }))?;
    root.present()?;
    Ok(())
}
