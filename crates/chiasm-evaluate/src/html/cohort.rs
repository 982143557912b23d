use super::page::{Column, Html, Section, Table, items};
use crate::report::Report;
use crate::words::{count, fixed, percent, plain};
use std::collections::BTreeMap;

/// From the files to the patients evaluated, and doubts about the input.
pub(super) fn data(report: &Report) -> Section {
    let mut section = Section::new("data", "The data");
    if report.data_flow.is_empty() {
        section.absent("No data flow: the run did not record how many patients each step left.");
    } else {
        let columns = [
            ("step", Column::Text),
            ("left", Column::Number),
            ("left out", Column::Number),
            ("because", Column::Text),
        ];
        let mut table = Table::new("From the files to the patients evaluated.", &columns);
        for step in &report.data_flow {
            let dropped = if step.dropped == 0 { "–".to_owned() } else { count(step.dropped) };
            let reason = step.reason.as_deref().unwrap_or("");
            table.row(vec![
                Html::text(&step.step),
                Html::text(&count(step.n)),
                Html::text(&dropped),
                Html::text(reason),
            ]);
        }
        section.add(table);
    }
    if !report.modalities.is_empty() {
        let columns =
            [("modality", Column::Text), ("patients who have it", Column::Number), ("share", Column::Number)];
        let mut table = Table::new("Evidence at hand.", &columns).narrow();
        for modality in &report.modalities {
            let share = percent(modality.n as f64 / report.n.max(1) as f64, 0);
            table.row(vec![
                Html::text(&plain(&modality.name)),
                Html::text(&count(modality.n)),
                Html::text(&share),
            ]);
        }
        section.add(table);
    }
    if report.findings.is_empty() {
        section.absent("No findings: the input raised no doubt.");
    } else {
        let columns = [("where", Column::Text), ("what was seen", Column::Text), ("times", Column::Number)];
        let mut table = Table::new("Doubts about the input that did not stop the run.", &columns);
        for finding in &report.findings {
            table.row(vec![
                Html::text(&finding.place),
                Html::text(&finding.message),
                Html::text(&count(finding.count)),
            ]);
        }
        section.add(table);
    }
    section
}

/// How the data were split, the models trained and the fusion chosen.
pub(super) fn method(report: &Report) -> Section {
    let mut section = Section::new("method", "Method and protocol");
    let protocol = &report.protocol;
    if protocol.words.is_empty() {
        section.absent("The run recorded no protocol in words.");
    } else {
        section.add(items(&protocol.words));
    }
    let split = match protocol.outer_folds {
        0 => "One fixed split".to_owned(),
        folds => format!("{folds} outer folds, repeated {} times", protocol.repeats.max(1))
            .replace(", repeated 1 times", ""),
    };
    let inner = match protocol.inner_folds {
        0 => String::new(),
        folds => format!("; choices made in {folds} inner folds of the training data"),
    };
    section.say(&format!(
        "{split}{inner}; seed {}. {} configurations were tried over the whole run.",
        protocol.seed,
        count(report.configurations_tried)
    ));
    selection(&mut section, report);
    section.heading("Intended use");
    if report.intended_use.is_empty() {
        section.absent("The recipe states no intended use.");
    } else {
        section.say(&report.intended_use);
    }
    if !report.limits.is_empty() {
        section.heading("Limits").add(items(&report.limits));
    }
    section
}

/// How often each fusion won inside training, and its mean inner score.
fn selection(section: &mut Section, report: &Report) {
    if report.selection.is_empty() {
        section.absent("No choices per fold: the run chose its fusion once, or not at all.");
        return;
    }
    let mut names: BTreeMap<&str, (usize, f64, usize)> = BTreeMap::new();
    for fold in &report.selection {
        names.entry(&fold.chosen).or_default().0 += 1;
        for (name, score) in &fold.scores {
            let entry = names.entry(name).or_default();
            (entry.1, entry.2) = (entry.1 + score, entry.2 + 1);
        }
    }
    let columns = [
        ("model", Column::Text),
        ("folds that chose it", Column::Number),
        ("mean inner score", Column::Number),
    ];
    let mut table =
        Table::new("Which fusion the outer folds chose, each from its own training data alone.", &columns)
            .narrow();
    let mut rows: Vec<_> = names.into_iter().collect();
    rows.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    for (name, (chosen, sum, scored)) in rows {
        let mean = if scored == 0 { "–".to_owned() } else { fixed(sum / scored as f64, 3) };
        let class = if name == report.selected { "chosen" } else { "" };
        let times =
            if chosen == 0 { "–".to_owned() } else { format!("{chosen} of {}", report.selection.len()) };
        table.marked(class, vec![Html::text(&plain(name)), Html::text(&times), Html::text(&mean)]);
    }
    section.add(table);
}
