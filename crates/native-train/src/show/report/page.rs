//! The page: facts, curves, spectra, scores, sheets, checkpoints and the plan, as HTML.

use std::fmt::Write;

use anyhow::Result;
use indicatif::{BinaryBytes, HumanCount, HumanDuration};
use serde_json::{Map, Value};

use super::chart::{Chart, short};
use super::escape::escape;
use super::{curves, pictures, spectra};
use crate::recipe::plan;
use crate::run::run_view::{self, RunFile, RunState, RunView};

const STYLE: &str = include_str!("page.css");

/// Last events that are shown.
const EVENTS: usize = 50;

/// The page of a run.
///
/// # Errors
/// If a chart cannot be drawn.
pub fn page(view: &RunView) -> Result<String> {
    let name = escape(&view.name());
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{name}: report of a run</title><style>{STYLE}</style></head><body>\n\
         <header><h1>{name}</h1><p class=\"verdict {}\">{}</p>",
        view.state.word().replace(' ', "-"),
        escape(&verdict(view))
    );
    for problem in &view.problems {
        write!(html, "<p class=\"problem\">{}</p>", escape(problem))?;
    }
    html += "</header>\n<main>\n";
    collapses(&mut html, view)?;
    section(
        &mut html,
        "Scores",
        &curves::of_scores(&comparable(view)),
        &protocol(view),
    )?;
    sheets(&mut html, view)?;
    let records = &view.log.records;
    if records.is_empty() {
        html += "<section><h2>Curves</h2><p>log.jsonl has no line yet: one comes every \
                 run.log_every_steps generator steps.</p></section>";
    }
    section(&mut html, "Curves", &curves::of_records(records), "")?;
    for (network, note) in [
        (
            "generator",
            "BigGAN fig. 3a: at collapse σ₀ of a few layers of G, above all the first, explodes; \
             before it, most layers grow smoothly.",
        ),
        (
            "discriminator",
            "BigGAN fig. 3b: spectra of D are noisy; their σ₀ grows through training and jumps at \
             collapse.",
        ),
    ] {
        let charts = spectra::of(records, network);
        let title = format!("Spectra of the {network}, before spectral norm");
        section(&mut html, &title, &charts, note)?;
        if let Some(first) = charts.first() {
            html += "<section class=\"layers\">";
            legend(&mut html, first)?;
            html += "</section>";
        }
    }
    if !records.is_empty() && view.log.last_probe().is_none() {
        html += "<section><h2>Spectra</h2><p>The run has no probes; set \
                 run.watch_every_steps in the recipe.</p></section>";
    }
    events(&mut html, view)?;
    checkpoints(&mut html, view)?;
    plan_table(&mut html, view)?;
    html += "</main></body></html>\n";
    Ok(html)
}

/// What became of the run, in one sentence.
fn verdict(view: &RunView) -> String {
    let count = |images: u64| HumanCount(images).to_string();
    let mut text = view.state.word().to_owned();
    if view.state != RunState::NotStarted {
        let seen = count(view.images_seen());
        match view.planned_images() {
            Some(all) => write!(text, ": {seen} of {} images seen", count(all)),
            None => write!(text, ": {seen} images seen"),
        }
        .expect("a string takes all");
    }
    if let Some(last) = view.log.last() {
        let mean = last.images_seen as f64 / last.elapsed_secs;
        let took = std::time::Duration::try_from_secs_f64(last.elapsed_secs).unwrap_or_default();
        write!(
            text,
            ", {} generator steps in {}; {} images/s on average, {} at last",
            count(last.g_step),
            HumanDuration(took),
            short(mean),
            short(last.images_per_sec)
        )
        .expect("a string takes all");
    }
    if let Some(collapse) = view.collapses.last() {
        let images = count(collapse.images_seen);
        write!(text, "; collapse found at {images} images").expect("a string takes all");
    }
    text
}

/// The scores of the newest one's protocol: others are no points of the same curve.
fn comparable(view: &RunView) -> Vec<Map<String, Value>> {
    let protocol = |score: &Map<String, Value>| score.get("protocol").cloned();
    let newest = view.scores.last().and_then(protocol);
    let same = |score: &&Map<String, Value>| protocol(score) == newest;
    view.scores.iter().filter(same).cloned().collect()
}

/// The protocol of the newest score, and what it leaves out.
fn protocol(view: &RunView) -> String {
    let fields = view.scores.last().into_iter().flatten();
    let words = fields.filter_map(|(_, value)| value.as_str());
    let mut text = words.collect::<Vec<_>>().join("; ");
    let others = view.scores.len() - comparable(view).len();
    if others > 0 {
        text += &format!("; {others} scores of another protocol are not drawn");
    }
    text
}

fn section(html: &mut String, title: &str, charts: &[Chart], note: &str) -> Result<()> {
    if charts.is_empty() {
        return Ok(());
    }
    write!(html, "<section><h2>{}</h2>", escape(title))?;
    if !note.is_empty() {
        write!(html, "<p>{}</p>", escape(note))?;
    }
    html.push_str("<div class=\"charts\">\n");
    for chart in charts {
        let title = escape(&chart.title);
        write!(html, "<figure><figcaption>{title}</figcaption>")?;
        // the layers of a network have one legend for all their charts
        if chart.lines.len() <= super::chart::PALETTE.len() {
            legend(html, chart)?;
        }
        write!(html, "{}</figure>", chart.svg()?)?;
    }
    html.push_str("</div></section>\n");
    Ok(())
}

/// Colours, names and last values of the lines.
fn legend(html: &mut String, chart: &Chart) -> Result<()> {
    html.push_str("<ul class=\"legend\">");
    for line in &chart.lines {
        let (red, green, blue) = (line.color.0, line.color.1, line.color.2);
        let last = line.points.last().map_or(f64::NAN, |point| point.1);
        write!(
            html,
            "<li><i style=\"background:rgb({red},{green},{blue})\"></i>{} <b>{}</b></li>",
            escape(&line.name),
            short(last)
        )?;
    }
    html.push_str("</ul>");
    Ok(())
}

fn collapses(html: &mut String, view: &RunView) -> Result<()> {
    for collapse in &view.collapses {
        let images = HumanCount(collapse.images_seen);
        write!(html, "<section><h2>Collapse at {images} images</h2>")?;
        table(html, &["finding", "value"], &collapse.findings)?;
        html.push_str("<div class=\"sheets\">\n");
        for file in &collapse.pictures {
            let name = file.path.file_stem().unwrap_or_default();
            picture(html, file, &name.to_string_lossy())?;
        }
        html.push_str("</div></section>\n");
    }
    Ok(())
}

fn sheets(html: &mut String, view: &RunView) -> Result<()> {
    if view.sheets.is_empty() {
        return Ok(());
    }
    html.push_str(
        "<section><h2>Samples over time</h2><p>The averaged generator, one row a class, the same z at \
         every time.</p><div class=\"sheets\">\n",
    );
    for file in pictures::choose(&view.sheets) {
        let images = HumanCount(file.images_seen);
        picture(html, file, &format!("{images} images"))?;
    }
    html.push_str("</div></section>\n");
    Ok(())
}

/// A picture with its caption, or why there is none.
fn picture(html: &mut String, file: &RunFile, caption: &str) -> Result<()> {
    let caption = escape(caption);
    html.push_str("<figure>");
    match pictures::data_uri(file) {
        Ok(uri) => write!(html, "<img src=\"{uri}\" alt=\"samples, {caption}\">")?,
        Err(error) => {
            let words = format!("{}: {error:#}", file.path.display());
            write!(html, "<p class=\"problem\">{}</p>", escape(&words))?;
        }
    }
    write!(html, "<figcaption>{caption}</figcaption></figure>")?;
    Ok(())
}

fn events(html: &mut String, view: &RunView) -> Result<()> {
    if view.events.is_empty() {
        return Ok(());
    }
    html.push_str("<section><h2>Events</h2><ul>");
    for event in view.events.iter().rev().take(EVENTS) {
        write!(html, "<li>{}</li>", escape(&run_view::one_line(event)))?;
    }
    html.push_str("</ul></section>\n");
    Ok(())
}

fn checkpoints(html: &mut String, view: &RunView) -> Result<()> {
    html.push_str("<section><h2>Checkpoints</h2>");
    if view.checkpoints.is_empty() {
        html.push_str("<p>None yet.</p>");
    } else {
        let rows: Vec<(String, String)> = view
            .checkpoints
            .iter()
            .map(|file| {
                let name = file.path.file_name().unwrap_or_default();
                let name = name.to_string_lossy().into_owned();
                let images = HumanCount(file.images_seen);
                let size = BinaryBytes(file.bytes);
                (name, format!("{images} images, {size}"))
            })
            .collect();
        table(html, &["file", "images seen, size"], &rows)?;
    }
    html.push_str("</section>\n");
    Ok(())
}

fn plan_table(html: &mut String, view: &RunView) -> Result<()> {
    html.push_str("<section><h2>Plan</h2>");
    let flat = plan::flat(view.plan.clone().unwrap_or(Value::Null));
    let rows: Vec<(String, String)> = flat
        .into_iter()
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, value)| (key, run_view::shown(&value)))
        .collect();
    if rows.is_empty() {
        html.push_str("<p>plan.json is missing or cannot be read.</p>");
    } else {
        table(html, &["key", "value"], &rows)?;
    }
    html.push_str("</section>\n");
    Ok(())
}

fn table(html: &mut String, head: &[&str; 2], rows: &[(String, String)]) -> Result<()> {
    let [a, b] = head;
    write!(
        html,
        "<div class=\"table\"><table><tr><th>{a}</th><th>{b}</th></tr>"
    )?;
    for (a, b) in rows {
        write!(
            html,
            "<tr><td>{}</td><td>{}</td></tr>",
            escape(a),
            escape(b)
        )?;
    }
    html.push_str("</table></div>");
    Ok(())
}
