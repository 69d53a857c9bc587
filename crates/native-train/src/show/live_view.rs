//! One frame of `native-train watch`: a run as text in a terminal.

use anyhow::Result;
use biggan::train::probe::Judgement;
use biggan::visible::visible;
use indicatif::{BinaryBytes, HumanCount};
use ratatui::backend::TestBackend;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{
    Axis, Block, Chart, Dataset, GraphType, LineGauge, Paragraph, Row, Table, Wrap,
};
use ratatui::{Frame, Terminal};

use crate::records::log_record::LogRecord;
use crate::run::run_view::{RunState, RunView, one_line};
use crate::show::report::chart::short;
use crate::show::time_left::time_left;

/// Colours of the first and the second line of a chart: D or real images, G or fakes.
const COLORS: [Color; 2] = [Color::Cyan, Color::Yellow];
/// Rows of the title, the bar and the facts.
const HEAD: u16 = 4;
/// Rows of the events with their border.
const EVENTS: u16 = 6;
/// Lines of the log that are drawn: the first steps of a run would flatten everything after them.
const LINES: usize = 200;

/// Draws a run.
pub fn draw(view: &RunView, frame: &mut Frame<'_>) {
    let [head, charts, tables, events] = Layout::vertical([
        Constraint::Length(HEAD),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Length(EVENTS),
    ])
    .areas(frame.area());
    draw_head(view, frame, head);
    let [losses, logits] = halves(charts);
    let records = &view.log.records;
    draw_chart(
        records,
        "loss",
        [("D", |r| r.loss_d), ("G", |r| r.loss_g)],
        frame,
        losses,
    );
    draw_chart(
        records,
        "mean D(x)",
        [("real", |r| r.d_real), ("fake", |r| r.d_fake)],
        frame,
        logits,
    );
    let [now, sigmas] = halves(tables);
    draw_now(view, frame, now);
    draw_singular_values(view, frame, sigmas);
    draw_events(view, frame, events);
}

fn halves(area: Rect) -> [Rect; 2] {
    Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(area)
}

fn draw_head(view: &RunView, frame: &mut Frame<'_>, area: Rect) {
    let [title, bar, facts, _] = Layout::vertical([Constraint::Length(1); 4]).areas(area);
    let color = match view.state {
        RunState::Running => Color::Cyan,
        RunState::Finished => Color::Green,
        RunState::Collapsed => Color::Red,
        RunState::Interrupted | RunState::NotStarted => Color::Yellow,
    };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let words = Line::from(vec![
        Span::styled(visible(&view.name()).into_owned(), bold),
        Span::raw("  "),
        Span::styled(view.state.word(), bold.fg(color)),
        Span::raw(format!("  {}", visible(&view.root.display().to_string()))),
    ]);
    frame.render_widget(words, title);
    let seen = view.images_seen();
    let gauge = |share: f64, of: String| {
        LineGauge::default()
            .ratio(share.clamp(0.0, 1.0))
            .label(format!("{} {of}", HumanCount(seen)))
            .filled_symbol("█")
            .unfilled_symbol("░")
            .filled_style(Style::new().fg(color))
    };
    match view.planned_images().filter(|&all| all > 0) {
        Some(all) => {
            let share = seen as f64 / all as f64;
            let of = format!("of {} images {:3.0} %", HumanCount(all), 100.0 * share);
            frame.render_widget(gauge(share, of), bar);
        }
        None => frame.render_widget(gauge(0.0, "images".into()), bar),
    }
    if let Some(last) = view.log.last() {
        let left = match (view.state, view.planned_images()) {
            (RunState::Running, Some(all)) => format!("{} left", time_left(last, all)),
            _ => "not running".to_owned(),
        };
        let memory = last.memory.map_or(String::new(), |memory| {
            let (now, peak) = (memory.resident_bytes, memory.peak_bytes);
            format!(
                "   memory {} (peak {})",
                BinaryBytes(now),
                BinaryBytes(peak)
            )
        });
        let speed = short(last.images_per_sec);
        let step = HumanCount(last.g_step);
        let text = format!("{speed} images/s   {left}   generator step {step}{memory}");
        frame.render_widget(Line::from(text), facts);
    }
}

type Of = fn(&LogRecord) -> f64;

fn draw_chart(
    records: &[LogRecord],
    title: &str,
    lines: [(&str, Of); 2],
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let records = &records[records.len().saturating_sub(LINES)..];
    let block = Block::bordered().title(format!(" {title}, last {} lines ", records.len()));
    let points = lines.map(|(_, of)| {
        let point = |r: &LogRecord| (r.images_seen as f64, of(r));
        let all = records.iter().map(point);
        all.filter(|p| p.1.is_finite()).collect::<Vec<_>>()
    });
    let mut all = points.iter().flatten();
    let Some(&first) = all.next() else {
        let waiting = Paragraph::new("no line in log.jsonl yet").block(block);
        frame.render_widget(waiting, area);
        return;
    };
    let bounds = all.fold([first, first], |[low, high], p| {
        [
            (low.0.min(p.0), low.1.min(p.1)),
            (high.0.max(p.0), high.1.max(p.1)),
        ]
    });
    let [(left, low), (right, high)] = bounds;
    let room = (0.05 * (high - low)).max(1e-6 * high.abs()).max(1e-9);
    let axis = |low: f64, high: f64| {
        Axis::default()
            .bounds([low, high])
            .labels([short(low), short(high)])
    };
    let datasets = lines.iter().zip(&points).zip(COLORS);
    let datasets = datasets.map(|(((name, of), points), color)| {
        let last = records.last().map_or(f64::NAN, of);
        Dataset::default()
            .name(format!("{name} {}", short(last)))
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(Style::new().fg(color))
            .data(points)
    });
    let half = Constraint::Percentage(50);
    let chart = Chart::new(datasets.collect())
        .hidden_legend_constraints((half, half))
        .block(block)
        .x_axis(axis(left, right.max(left + 1.0)))
        .y_axis(axis(low - room, high + room));
    frame.render_widget(chart, area);
}

fn draw_now(view: &RunView, frame: &mut Frame<'_>, area: Rect) {
    let mut rows = Vec::new();
    if let Some(last) = view.log.last() {
        let value = |value: Option<f64>| value.map_or("not measured".into(), short);
        let pair = |a: f64, b: f64| format!("{} {}", short(a), short(b));
        rows.push(("loss D, G", pair(last.loss_d, last.loss_g)));
        rows.push(("D(real), D(fake)", pair(last.d_real, last.d_fake)));
        let norms = [last.gradient_norm_d, last.gradient_norm_g].map(value);
        rows.push(("gradient D, G", norms.join(" ")));
    }
    if let Some(probe) = view.log.last_probe().and_then(|r| r.probe.as_ref()) {
        let words = |said: Option<Judgement>| {
            said.map_or("not measured".to_owned(), |said| {
                let share = match said.accuracy {
                    Some(share) => format!("{:.1} % of {}", 100.0 * share, said.images),
                    // the objective only compares logits
                    None => format!("{} images", said.images),
                };
                format!("{share}, mean {}", short(said.mean_logit))
            })
        };
        rows.push(("D right, training", words(probe.d_training)));
        rows.push(("D right, held out", words(probe.d_held_out)));
        rows.push(("D right, fakes", words(probe.d_fakes)));
    }
    let rows = rows.into_iter().map(|(a, b)| Row::new([a.to_owned(), b]));
    let widths = [Constraint::Length(17), Constraint::Fill(1)];
    let table = Table::new(rows, widths).block(Block::bordered().title(" now "));
    frame.render_widget(table, area);
}

fn draw_singular_values(view: &RunView, frame: &mut Frame<'_>, area: Rect) {
    let block = Block::bordered().title(" largest singular values ");
    let Some(probe) = view.log.last_probe().and_then(|r| r.probe.as_ref()) else {
        let text = "not watched; set run.watch_every_steps in the recipe";
        let note = Paragraph::new(text).wrap(Wrap { trim: true }).block(block);
        frame.render_widget(note, area);
        return;
    };
    let mut layers: Vec<(&String, &Vec<f32>)> = probe.singular_values.iter().collect();
    let first = |sigma: &[f32]| sigma.first().copied().unwrap_or_default();
    layers.sort_by(|a, b| first(b.1).total_cmp(&first(a.1)));
    let rows = layers.into_iter().map(|(name, sigma)| {
        let name = name.replace("generator.", "G ");
        let name = name.replace("discriminator.", "D ");
        let name = visible(name.strip_suffix(".weight").unwrap_or(&name)).into_owned();
        let sigma: Vec<String> = sigma.iter().map(|&v| short(f64::from(v))).collect();
        Row::new([name, sigma.join(" ")])
    });
    let widths = [Constraint::Fill(1), Constraint::Length(18)];
    frame.render_widget(Table::new(rows, widths).block(block), area);
}

fn draw_events(view: &RunView, frame: &mut Frame<'_>, area: Rect) {
    let problems = view.problems.iter().cloned();
    let collapses = view.collapses.iter().rev();
    let collapses = collapses.map(|c| format!("collapse at {} images", HumanCount(c.images_seen)));
    let events = view.events.iter().rev().map(one_line);
    let newest = [("checkpoint", &view.checkpoints), ("sheet", &view.sheets)];
    let newest = newest.into_iter().filter_map(|(what, files)| {
        let path = files.last()?.path.display();
        Some(format!("newest {what} {path}"))
    });
    let lines: Vec<Line<'_>> = problems
        .chain(collapses)
        .chain(events.take(3))
        .chain(newest)
        .map(|line| Line::from(visible(&line).into_owned()))
        .collect();
    let block = Block::bordered().title(" events, newest first ");
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// One frame as lines of text without colours.
///
/// # Errors
/// If the size is more than a terminal may have.
pub fn frame_text(view: &RunView, width: u16, height: u16) -> Result<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height))?;
    terminal.draw(|frame| draw(view, frame))?;
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for row in buffer.content.chunks(usize::from(width)) {
        let line: String = row.iter().map(|cell| cell.symbol()).collect();
        text += line.trim_end();
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(log: &str) -> (tempfile::TempDir, RunView) {
        let directory = tempfile::tempdir().unwrap();
        let plan = r#"{"name": "tiny\u001b[31m", "run": {"images": 1000}}"#;
        std::fs::write(directory.path().join("plan.json"), plan).unwrap();
        std::fs::write(directory.path().join("log.jsonl"), log).unwrap();
        let view = RunView::read(directory.path()).unwrap();
        (directory, view)
    }

    const LINE: &str = r#"{"g_step":5,"images_seen":500,"loss_d":1.25,"loss_g":0.5,"d_real":0.75,"d_fake":-0.5,"gradient_norm_d":3.5,"images_per_sec":20,"elapsed_secs":25,"watch":{"singular_values":{"generator.linear.weight":[2.5,1.5,1]},"d_training":{"images":8,"accuracy":0.875,"mean_logit":1.5}}}"#;

    #[test]
    fn a_frame_says_how_the_run_stands() {
        let (_directory, view) = view(&format!("{LINE}\n"));
        let text = frame_text(&view, 100, 30).unwrap();
        for part in [
            "tiny\\u001b[31m",
            "interrupted",
            "500 of 1,000 images  50 %",
            "20 images/s",
            "1.25 0.5",
            "3.5 not measured",
            "87.5 % of 8, mean 1.5",
            "G linear",
            "2.5 1.5 1",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn every_size_and_every_log_draws() {
        for log in [
            "",
            "{}\n",
            &LINE.replace("1.25", "null"),
            &format!("{LINE}\n"),
        ] {
            let (_directory, view) = view(log);
            for (width, height) in [(1, 1), (20, 5), (100, 30), (400, 100)] {
                frame_text(&view, width, height).unwrap();
            }
        }
    }
}
