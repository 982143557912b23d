//! The table that ends a run on the terminal.

use crate::plots::svg::shorten;
use crate::report::{Measure, ModelKind, ModelResult, Report};
use crate::words::{count, fixed, measure, metric_name, plain, verdict_words};
use std::fmt::Write;

const WIDTH: usize = 100;
const NAME: usize = 26;
const VALUE: usize = 22;
const PLOT: usize = 34;

/// The models with metric, interval and a small plot, the chosen one marked, then the verdict in words.
///
/// Plain Unicode without colour, at most 100 columns wide, ending in a line break.
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    let events = report.events.map(|e| format!(", {} with the event", count(e))).unwrap_or_default();
    let name = shorten(&clean(&report.recipe), 50);
    let _ = writeln!(text, "{name} · {} patients{events}\n", count(report.n));
    if !report.models.is_empty() {
        models(&mut text, report);
    }
    for line in wrap(&clean(&verdict_words(report)), WIDTH) {
        let _ = writeln!(text, "{line}");
    }
    text
}

fn models(text: &mut String, report: &Report) {
    let value = |m: &ModelResult| m.metrics.get(&report.metric).copied();
    let axis = Axis::over(report.models.iter().filter_map(value));
    let digits =
        if report.models.iter().filter_map(value).any(|m| m.estimate.abs() >= 100.0) { 0 } else { 3 };
    let head = format!("{} (95 % interval)", clean(&metric_name(&report.metric)));
    let _ = writeln!(text, "  {:<NAME$} {:<10} {}", "model", "kind", shorten(&head, 50));
    let _ = writeln!(text, "{}", "─".repeat(WIDTH));
    for model in &report.models {
        let mark = if model.name == report.selected {
            "▸"
        } else if model.name == report.best_single {
            "·"
        } else {
            " "
        };
        let kind = match model.kind {
            ModelKind::Single => "single",
            ModelKind::Fusion => "fusion",
            ModelKind::Nested => "procedure",
            ModelKind::Reference => "reference",
        };
        let name = shorten(&clean(&plain(&model.name)), NAME);
        let number = shorten(&value(model).map_or("–".to_owned(), |m| measure(&m, digits)), VALUE);
        let plot = value(model).zip(axis.as_ref()).map(|(m, a)| a.draw(&m)).unwrap_or_default();
        let line = format!("{mark} {name:<NAME$} {kind:<10} {number:<VALUE$} {plot}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = writeln!(text, "{}", "─".repeat(WIDTH));
    let ends = axis.map(|axis| axis.ends(digits)).unwrap_or_default();
    let width = 2 + NAME + 1 + 11 + VALUE + 1;
    let _ = writeln!(text, "{:<width$}{ends}\n", "▸ chosen fusion   · best single modality");
}

/// A line of characters onto which intervals are drawn.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn over(measures: impl Iterator<Item = Measure>) -> Option<Self> {
        let values =
            measures.flat_map(|m| [Some(m.estimate), m.low, m.high]).flatten().filter(|v| v.is_finite());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        (low < high).then_some(Self { low, high })
    }

    fn place(&self, value: f64) -> usize {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        (share * (PLOT - 1) as f64).round() as usize
    }

    /// The values at both ends, as wide as the plot.
    fn ends(&self, digits: usize) -> String {
        let (low, high) = (fixed(self.low, digits), fixed(self.high, digits));
        let gap = PLOT.saturating_sub(low.chars().count() + high.chars().count());
        format!("{low}{:gap$}{high}", "")
    }

    fn draw(&self, m: &Measure) -> String {
        let mut cells = vec![' '; PLOT];
        if let (Some(low), Some(high)) = (m.low, m.high) {
            let (low, high) = (self.place(low), self.place(high));
            cells[low.min(high)..=low.max(high)].fill('─');
        }
        cells[self.place(m.estimate)] = '●';
        cells.into_iter().collect()
    }
}

/// Text without control characters, so that no name can steer the terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace().map(|w| shorten(w, width)) {
        let used = lines.last().map_or(0, |l| l.chars().count());
        match lines.last_mut() {
            Some(line) if used == 0 => line.push_str(&word),
            Some(line) if used + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}
