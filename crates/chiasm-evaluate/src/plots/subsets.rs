use super::axes::{Scale, range};
use super::svg::{Anchor, Svg, shorten};
use crate::report::{Report, SubsetResult};
use crate::words::{count, fixed, list, lower_is_better, measure, metric_name, plain, trimmed};
use std::cmp::Reverse;

/// The most rows that are drawn; `report.json` has them all.
pub(crate) const MOST_ROWS: usize = 64;

const ROW: f64 = 19.0;
const COLUMN: f64 = 27.0;
const HEAD: f64 = 92.0;
const PLOT: f64 = 480.0;
/// Opacity of the best cell: the most that keeps its number readable in light and in dark.
const STRONGEST: f64 = 0.58;

/// A row per subset of the modalities: which are shown, the metric as colour and as dot with whisker,
/// and the best single modality of the subset as a diamond.
pub(crate) fn subset_matrix(report: &Report) -> Option<String> {
    let rows = ordered(&report.subsets, lower_is_better(&report.metric));
    let values = rows.iter().flat_map(|s| [s.metric, s.best_single_metric]).flatten();
    let ends = range(values.flat_map(|m| [Some(m.estimate), m.low, m.high]).flatten())?;
    let shades = range(rows.iter().filter_map(|s| Some(s.metric?.estimate)))?;
    let names: Vec<&str> = report.modalities.iter().map(|m| m.name.as_str()).collect();
    let matrix = 18.0 + COLUMN * names.len() as f64;
    let cell = matrix + 8.0;
    let left = cell + 60.0;
    let x = Scale::new(ends, (left, left + PLOT));
    let shade = Scale::new(
        shades,
        if lower_is_better(&report.metric) { (STRONGEST, 0.08) } else { (0.08, STRONGEST) },
    );
    let gaps = rows.windows(2).filter(|w| w[0].modalities.len() != w[1].modalities.len()).count();
    let bottom = HEAD + ROW * rows.len() as f64 + 8.0 * gaps as f64;
    let mut svg = Svg::new(left + PLOT + 64.0, bottom + 46.0);

    for (i, name) in names.iter().enumerate() {
        svg.slanted(
            "label",
            (18.0 + COLUMN * (i as f64 + 0.5) - 3.0, HEAD - 10.0),
            &shorten(&plain(name), 16),
        );
    }
    svg.text("tick", (cell + 22.0, HEAD - 10.0), Anchor::Middle, &metric_name(&report.metric));
    svg.text("tick", (left + PLOT + 60.0, HEAD - 10.0), Anchor::End, "patients");
    for tick in x.ticks(8) {
        svg.line("grid", (x.at(tick), HEAD - 4.0), (x.at(tick), bottom));
        svg.text("tick", (x.at(tick), bottom + 16.0), Anchor::Middle, &trimmed(tick));
    }
    let mut y = HEAD + ROW / 2.0;
    for (i, row) in rows.iter().enumerate() {
        if i > 0 && rows[i - 1].modalities.len() != row.modalities.len() {
            y += 8.0;
        }
        draw_row(&mut svg, row, &names, (cell, y), &x, &shade, left + PLOT + 60.0);
        y += ROW;
    }
    let key = bottom + 36.0;
    svg.circle("dot fusion", (left + 6.0, key - 4.0), 4.0, "");
    svg.text(
        "legend",
        (left + 16.0, key),
        Anchor::Start,
        &format!("{}, 95 % interval", plain(&report.selected)),
    );
    svg.diamond("dot single", (left + 176.0, key - 4.0), 4.5, "");
    svg.text("legend", (left + 186.0, key), Anchor::Start, "best single of the subset");
    Some(svg.finish(
        "plot wide",
        "The metric for every subset of the modalities",
        "A row per subset: filled dots are the modalities shown, then the metric of the chosen fusion with its interval and of the best single modality.",
    ))
}

fn draw_row(
    svg: &mut Svg,
    row: &SubsetResult,
    names: &[&str],
    (cell, y): (f64, f64),
    x: &Scale,
    shade: &Scale,
    right: f64,
) {
    let inside = |i: usize| 18.0 + COLUMN * (i as f64 + 0.5);
    let shown: Vec<usize> =
        (0..names.len()).filter(|&i| row.modalities.iter().any(|m| m == names[i])).collect();
    if let (Some(&first), Some(&last)) = (shown.first(), shown.last()) {
        svg.line("link", (inside(first), y), (inside(last), y));
    }
    for i in 0..names.len() {
        let class = if shown.contains(&i) { "member" } else { "absent" };
        svg.circle(class, (inside(i), y), 4.5, "");
    }
    svg.text("tick", (right, y + 4.0), Anchor::End, &count(row.n));
    let Some(metric) = row.metric else {
        svg.text("tick", (cell + 22.0, y + 4.0), Anchor::Middle, "–");
        return;
    };
    let tip = format!(
        "{}: {}",
        list(&row.modalities.iter().map(|m| plain(m)).collect::<Vec<_>>()),
        measure(&metric, 3)
    );
    let strength = shade.within(metric.estimate);
    svg.rect("heat", (cell, y - ROW / 2.0 + 1.0), (44.0, ROW - 2.0), strength, &tip);
    svg.text("tick ink", (cell + 22.0, y + 4.0), Anchor::Middle, &fixed(metric.estimate, 3));
    if let (Some(low), Some(high)) = (metric.low, metric.high) {
        svg.line("whisker fusion", (x.at(low), y), (x.at(high), y));
    }
    if let (Some(single), Some(name)) = (row.best_single_metric, &row.best_single) {
        let tip = format!("{} alone: {}", plain(name), measure(&single, 3));
        svg.diamond("dot single", (x.at(single.estimate), y), 4.5, &tip);
    }
    svg.circle("dot fusion", (x.at(metric.estimate), y), 4.0, &tip);
}

/// Largest subsets first, inside a size the best metric first; at most [`MOST_ROWS`], singles among them.
fn ordered(subsets: &[SubsetResult], lower_is_better: bool) -> Vec<&SubsetResult> {
    let mut rows: Vec<&SubsetResult> = subsets.iter().collect();
    let goodness = |s: &SubsetResult| match s.metric {
        Some(m) if lower_is_better => -m.estimate,
        Some(m) => m.estimate,
        None => f64::NEG_INFINITY,
    };
    rows.sort_by(|a, b| {
        Reverse(a.modalities.len())
            .cmp(&Reverse(b.modalities.len()))
            .then(goodness(b).total_cmp(&goodness(a)))
    });
    if rows.len() > MOST_ROWS {
        let (singles, rest): (Vec<_>, Vec<_>) = rows.into_iter().partition(|s| s.modalities.len() == 1);
        let room = MOST_ROWS.saturating_sub(singles.len());
        rows = rest.into_iter().take(room).chain(singles).collect();
    }
    rows
}
