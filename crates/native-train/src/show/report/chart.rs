//! A chart of lines, usually over the images seen, as SVG by `plotters`. Text and axes take the colour of the
//! page's text (`currentColor`), so that one picture suits light and dark.

use std::ops::Range;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::thin::thin;

/// What is across in charts of a run.
pub const IMAGES_SEEN: &str = "real images seen";
/// Size in whole pixels, to which lines are rounded; a page shows it at half that size or less.
const SIZE: (u32, u32) = (960, 600);
/// Most points of a line.
const MAX_POINTS: usize = 1000;
/// Larger values are drawn as gaps: an axis cannot show them together with others.
const MAX_MAGNITUDE: f64 = 1e30;
/// Smallest value that a logarithmic axis shows.
const MIN_POSITIVE: f64 = 1e-12;
/// Height of letters.
const LETTERS: i32 = 34;

/// Colours that are distinguishable on white and on black, and by most colour-blind people.
pub const PALETTE: [RGBColor; 6] = [
    RGBColor(0x2f, 0x7f, 0xd0),
    RGBColor(0xe0, 0x8a, 0x00),
    RGBColor(0x1a, 0x9e, 0x77),
    RGBColor(0xd1, 0x49, 0x5b),
    RGBColor(0x9a, 0x66, 0xd0),
    RGBColor(0x7f, 0x7f, 0x7f),
];

/// One line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Its colour.
    pub color: RGBColor,
    /// Place across and value, in order; a value that is not finite is a gap.
    pub points: Vec<(f64, f64)>,
}

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Its title.
    pub title: String,
    /// What is across.
    pub across: &'static str,
    /// Unit of its values.
    pub unit: String,
    /// Whether the value axis is logarithmic; values of 0 and below are then gaps.
    pub logarithmic: bool,
    /// Values that the axis shows in any case.
    pub at_least: Vec<f64>,
    /// Its lines.
    pub lines: Vec<Line>,
}

impl Chart {
    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        !self.drawable().any(|(_, value)| value.is_some())
    }

    /// The picture.
    ///
    /// # Errors
    /// If `plotters` cannot draw it.
    pub fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            self.draw(&area)
                .map_err(|error| anyhow!("{}: {error}", self.title))?;
        }
        let label = super::escape::escape(&self.title);
        let scaled = format!("<svg role=\"img\" aria-label=\"{label}\" viewBox");
        // the page sets the size; black becomes the colour of its text
        Ok(svg
            .replacen(
                &format!("<svg width=\"{}\" height=\"{}\" viewBox", SIZE.0, SIZE.1),
                &scaled,
                1,
            )
            .replace("\"#000000\"", "\"currentColor\""))
    }

    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), String> {
        let (x, y) = self.ranges();
        let mut builder = ChartBuilder::on(area);
        builder
            .margin_top(20)
            .margin_right(32)
            .x_label_area_size(92)
            .y_label_area_size(128);
        let mut chart = builder.build_cartesian_2d(x, y).map_err(said)?;
        chart
            .configure_mesh()
            .label_style(("sans-serif", LETTERS))
            .axis_desc_style(("sans-serif", LETTERS))
            .axis_style(BLACK.mix(0.5))
            .bold_line_style(BLACK.mix(0.15))
            .light_line_style(TRANSPARENT)
            .x_labels(5)
            .y_labels(6)
            .x_label_formatter(&|images| short(*images))
            .y_label_formatter(&|place| short(self.value(*place)))
            .x_desc(self.across)
            .y_desc(&self.unit)
            .draw()
            .map_err(said)?;
        for line in &self.lines {
            for piece in self.pieces(&line.points) {
                if let [alone] = piece[..] {
                    let dot = Circle::new(alone, 5, line.color.filled());
                    chart.draw_series([dot]).map_err(said)?;
                } else {
                    let drawn = LineSeries::new(piece, line.color.stroke_width(3));
                    chart.draw_series(drawn).map_err(said)?;
                }
            }
        }
        area.present().map_err(said)
    }

    /// Position of a value on the axis; `None` if the axis cannot show it.
    fn place(&self, value: f64) -> Option<f64> {
        if self.logarithmic {
            let fits = (MIN_POSITIVE..=MAX_MAGNITUDE).contains(&value);
            return fits.then(|| value.log10());
        }
        (value.abs() <= MAX_MAGNITUDE).then_some(value)
    }

    /// The inverse of [`Chart::place`].
    fn value(&self, place: f64) -> f64 {
        if self.logarithmic {
            10f64.powf(place)
        } else {
            place
        }
    }

    fn drawable(&self) -> impl Iterator<Item = (f64, Option<f64>)> {
        let points = self.lines.iter().flat_map(|line| &line.points);
        points.map(|&(x, y)| (x, self.place(y)))
    }

    /// Runs of points without a gap, thinned, with their positions.
    fn pieces(&self, points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
        let thinned = thin(points, MAX_POINTS, |y| self.place(y).is_some());
        thinned
            .split(|&(_, y)| self.place(y).is_none())
            .filter(|piece| !piece.is_empty())
            .map(|piece| {
                let placed = piece.iter().filter_map(|&(x, y)| Some((x, self.place(y)?)));
                placed.collect()
            })
            .collect()
    }

    /// The range of the axes: all points and a margin.
    fn ranges(&self) -> (Range<f64>, Range<f64>) {
        let shown: Vec<(f64, f64)> = self.drawable().filter_map(|(x, y)| Some((x, y?))).collect();
        let (Some(x), Some(y)) = (
            span(shown.iter().map(|p| p.0)),
            span(
                shown
                    .iter()
                    .map(|p| p.1)
                    .chain(self.at_least.iter().copied()),
            ),
        ) else {
            return (0.0..1.0, 0.0..1.0);
        };
        let size = y.start.abs().max(y.end.abs());
        let room = (0.05 * (y.end - y.start)).max(1e-3 * size).max(1e-9);
        // a factor of 1.1 at least, so that labels differ
        let room = room.max(if self.logarithmic { 0.02 } else { 0.0 });
        (
            x.start..x.end.max(x.start + 1.0),
            y.start - room..y.end + room,
        )
    }
}

/// From the smallest to the largest number; `None` without numbers.
fn span(numbers: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    numbers
        .map(|n| n..n)
        .reduce(|all, one| all.start.min(one.start)..all.end.max(one.end))
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A number in few characters: 1.5M, 64k, 200, 0.25, 1e-5.
pub fn short(value: f64) -> String {
    let trimmed = |text: String| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    };
    let size = value.abs();
    match size {
        _ if value == 0.0 => "0".into(),
        _ if !(1e-3..1e13).contains(&size) => format!("{value:.1e}"),
        1e9.. => trimmed(format!("{:.2}", value / 1e9)) + "G",
        1e6.. => trimmed(format!("{:.2}", value / 1e6)) + "M",
        1e4.. => trimmed(format!("{:.1}", value / 1e3)) + "k",
        100.0.. => trimmed(format!("{value:.1}")),
        1.0.. => trimmed(format!("{value:.2}")),
        _ => trimmed(format!("{value:.4}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>, logarithmic: bool) -> Chart {
        Chart {
            title: "a <title>".into(),
            across: IMAGES_SEEN,
            unit: "unit".into(),
            logarithmic,
            at_least: vec![],
            lines: vec![Line {
                name: "line".into(),
                color: PALETTE[0],
                points,
            }],
        }
    }

    #[test]
    fn a_line_is_one_path_in_the_colours_of_the_page() {
        let svg = chart(vec![(0.0, 1.0), (1e6, 2.0), (2e6, 1.5)], false)
            .svg()
            .unwrap();
        assert!(svg.starts_with("<svg role=\"img\" aria-label=\"a &lt;title&gt;\" viewBox"));
        assert_eq!(svg.matches("stroke=\"#2F7FD0\"").count(), 1, "{svg}");
        assert!(svg.contains("currentColor") && !svg.contains("#000000"));
        assert!(svg.contains("real images seen") && svg.contains("1M"));
    }

    #[test]
    fn gaps_part_a_line_and_a_point_alone_is_a_dot() {
        let points = vec![(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 1.0)];
        let svg = chart(points, false).svg().unwrap();
        let drawn = "<polyline fill=\"none\" opacity=\"1\" stroke=\"#2F7FD0\"";
        assert_eq!(svg.matches(drawn).count(), 1, "{svg}");
        assert_eq!(svg.matches("<circle").count(), 1);
    }

    #[test]
    fn no_number_is_too_strange() {
        let strange = [
            0.0,
            -1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            1e29,
            -1e29,
            1e-11,
            1.0,
            1.0 + f64::EPSILON,
        ];
        for logarithmic in [false, true] {
            for &a in &strange {
                for &b in &strange {
                    let chart = chart(vec![(0.0, a), (0.0, b)], logarithmic);
                    assert!(chart.svg().unwrap().ends_with("</svg>\n"), "{a} {b}");
                }
            }
            assert!(chart(vec![], logarithmic).is_empty());
            chart(vec![], logarithmic).svg().unwrap();
        }
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (-1.5, "-1.5"),
            (200.0, "200"),
            (3200.0, "3200"),
            (64_000.0, "64k"),
            (1_250_000.0, "1.25M"),
            (1e-5, "1.0e-5"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
