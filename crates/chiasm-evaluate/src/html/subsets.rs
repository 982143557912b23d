use super::page::{Column, Html, Section, Table};
use super::performance::conformal_words;
use crate::plots;
use crate::report::Report;
use crate::words::{count, list, lower_is_better, measure, metric_name, percent, plain};

/// The chosen fusion on every subset of the modalities, and under random missingness.
pub(super) fn subsets(report: &Report) -> Section {
    let mut section = Section::new("subsets", "With less evidence");
    match plots::subset_matrix(report) {
        Some(drawing) => {
            let side = if lower_is_better(&report.metric) { "right" } else { "left" };
            section.say(&format!(
                "The same trained fusion, shown only some of the modalities. A dot {side} of its diamond means that \
                 the subset's best single modality did better."
            ));
            let shown = report.subsets.len().min(plots::MOST_SUBSETS);
            let all = report.subsets.len();
            let caption = if shown < all {
                format!("{shown} of {all} subsets, largest first; all of them are in report.json.")
            } else {
                format!("All {all} non-empty subsets, largest first, best first within a size.")
            };
            section.figures(&[(drawing, caption)]);
        }
        None => {
            section.absent("No subsets: the run did not judge the fusion on subsets of its modalities.");
        }
    }
    match plots::degradation(&report.degradation, report) {
        Some(drawing) => {
            let caption =
                "Each modality of each patient is hidden with this probability; at least one is kept."
                    .to_owned();
            section.figures(&[(drawing, caption)]);
        }
        None => {
            section.absent("No degradation curve: the run did not hide evidence at random.");
        }
    }
    section
}

/// Who lacks what, and how the model does for them.
pub(super) fn missing(report: &Report) -> Section {
    let mut section = Section::new("missing", "Who lacks what");
    if let Some(words) = conformal_words(report) {
        section.say(&words);
    } else {
        section.absent("No prediction sets: the run did not compute them, so it never abstains for doubt.");
    }
    if report.patterns.is_empty() {
        section.absent("No patterns of missing modalities are listed: the run did not count them.");
        return section;
    }
    let metric = metric_name(&report.metric);
    let mut columns: Vec<(String, Column)> =
        report.modalities.iter().map(|m| (plain(&m.name), Column::Text)).collect();
    columns.insert(0, ("patients".to_owned(), Column::Text));
    columns.extend([
        ("events".to_owned(), Column::Number),
        (metric, Column::Number),
        ("covered".to_owned(), Column::Number),
        ("no answer".to_owned(), Column::Number),
    ]);
    let columns: Vec<(&str, Column)> = columns.iter().map(|(name, c)| (name.as_str(), *c)).collect();
    let mut table =
        Table::new("The patients by which modalities they really have, with 95 % intervals.", &columns);
    for pattern in &report.patterns {
        let mut cells = vec![Html::text(&count(pattern.n))];
        for modality in &report.modalities {
            let has = pattern.modalities.contains(&modality.name);
            cells.push(Html::own(if has {
                "<span class=\"has\" role=\"img\" aria-label=\"present\">●</span>"
            } else {
                "<span class=\"lacks\" role=\"img\" aria-label=\"missing\">○</span>"
            }));
        }
        let share = |s: Option<f64>| Html::text(&s.map_or("–".to_owned(), |s| percent(s, 0)));
        cells.extend([
            Html::text(&pattern.events.map_or("–".to_owned(), count)),
            Html::text(&pattern.metric.map_or("too few".to_owned(), |m| measure(&m, 3))),
            share(pattern.coverage),
            share(pattern.abstention_rate),
        ]);
        table.row(cells);
    }
    section.add(table);
    let nothing = report.patterns.iter().filter(|p| p.modalities.is_empty()).map(|p| p.n).sum::<usize>();
    if nothing > 0 {
        let names: Vec<String> = report.modalities.iter().map(|m| plain(&m.name)).collect();
        section.say(&format!(
            "{} patients have none of {}: they get no answer.",
            count(nothing),
            list(&names)
        ));
    }
    section
}
