use super::page::{Column, Html, Section, Table};
use crate::plots::Whiskers;
use crate::report::{Comparison, Measure, ModelKind, ModelResult, Report};
use crate::words::{bare_p, fixed, list, lower_is_better, measure, metric_name, plain};
use std::collections::BTreeSet;

/// Every model with its metrics.
pub(super) fn models(report: &Report) -> Section {
    let mut section = Section::new("models", "The models");
    if report.models.is_empty() {
        section.absent("No model is listed: the run evaluated none.");
        return section;
    }
    section.say(
        "Each modality alone, each way of fusing them, and any reference, all judged on patients that the \
         model had not seen in training.",
    );
    let metric = metric_name(&report.metric);
    let others = other_metrics(report);
    let other_names: Vec<String> = others.iter().map(|m| metric_name(m)).collect();
    let mut columns = vec![
        ("model", Column::Text),
        ("reads", Column::Text),
        (metric.as_str(), Column::Number),
        ("", Column::Plot),
    ];
    columns.extend(other_names.iter().map(|name| (name.as_str(), Column::Number)));
    let direction = if lower_is_better(&report.metric) { "lower" } else { "higher" };
    let mut table = Table::new(
        &format!("{metric} with 95 % interval ({direction} is better); dashed line: best single modality."),
        &columns,
    );
    let value = |m: &ModelResult| m.metrics.get(&report.metric).copied();
    let measures: Vec<Measure> = report.models.iter().filter_map(value).collect();
    let reference = report.model(&report.best_single).and_then(value).map(|m| m.estimate);
    let axis = Whiskers::over(&measures, reference);
    let mut kind = None;
    for model in &report.models {
        if kind != Some(model.kind) {
            kind = Some(model.kind);
            table.part(kind_name(model.kind));
        }
        let main = value(model);
        let class = if model.name == report.selected {
            "fusion"
        } else if model.name == report.best_single {
            "single"
        } else {
            "other"
        };
        let mut cells = vec![
            name_cell(report, model),
            Html::text(&reads(report, model)),
            Html::text(&main.map_or("–".to_owned(), |m| measure(&m, 3))),
            Html::own(
                axis.as_ref().zip(main).map(|(a, m)| a.row(class, &model.name, &m)).unwrap_or_default(),
            ),
        ];
        cells.extend(
            others
                .iter()
                .map(|o| Html::text(&model.metrics.get(o).map_or("–".to_owned(), |m| fixed(m.estimate, 3)))),
        );
        table.marked(if model.name == report.selected { "chosen" } else { "" }, cells);
    }
    if let Some(axis) = axis {
        let mut foot = vec![Html::default(); columns.len()];
        foot[3] = Html::own(axis.axis());
        table.foot(foot);
    }
    section.add(table);
    section
}

fn kind_name(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::Single => "One modality alone",
        ModelKind::Fusion => "Fusions",
        ModelKind::Nested => "The whole procedure, choice of fusion included",
        ModelKind::Reference => "References",
    }
}

fn name_cell(report: &Report, model: &ModelResult) -> Html {
    let mark = if model.name == report.selected {
        " <span class=\"tag\">chosen</span>"
    } else if model.name == report.best_single {
        " <span class=\"tag quiet\">best single</span>"
    } else {
        ""
    };
    Html::own(format!("{}{mark}", Html::text(&plain(&model.name))))
}

fn reads(report: &Report, model: &ModelResult) -> String {
    match model.modalities.len() {
        n if n == report.modalities.len() && n > 1 => format!("all {n}"),
        1 if model.modalities[0] == model.name => String::new(),
        _ => list(&model.modalities.iter().map(|m| plain(m)).collect::<Vec<_>>()),
    }
}

/// The metrics beside the main one: at most four, those that most readers know first.
fn other_metrics(report: &Report) -> Vec<String> {
    const KNOWN: [&str; 12] = [
        "auroc",
        "c_index",
        "uno_c",
        "auprc",
        "accuracy",
        "r2",
        "rmse",
        "mae",
        "brier",
        "ibs",
        "log_loss",
        "calibration_slope",
    ];
    let has = |key: &str| report.models.iter().any(|m| m.metrics.contains_key(key));
    KNOWN.iter().filter(|m| **m != report.metric && has(m)).take(4).map(|m| (*m).to_owned()).collect()
}

/// The paired comparisons.
pub(super) fn comparisons(report: &Report) -> Section {
    let mut section = Section::new("comparisons", "The comparisons");
    if report.comparisons.is_empty() {
        section.absent("No comparison is listed: the run had fewer than two models to compare.");
        return section;
    }
    section.say(
        "The same patients under two models, so the difference is not blurred by who they are. p values are \
         two-sided; Holm's correction allows for the number of comparisons made.",
    );
    let columns = [
        ("first against second", Column::Text),
        ("difference", Column::Number),
        ("", Column::Plot),
        ("p", Column::Number),
        ("p, Holm", Column::Number),
    ];
    let tests: BTreeSet<&str> = report.comparisons.iter().map(|c| c.test.as_str()).collect();
    let caption = format!(
        "Difference in {} (first minus second) with 95 % interval; dashed line: no difference. Test: {}.",
        metric_name(&report.metric),
        tests.into_iter().collect::<Vec<_>>().join(", ")
    );
    let mut table = Table::new(&caption, &columns);
    let difference = |c: &Comparison| Measure { estimate: c.difference, low: c.low, high: c.high };
    let measures: Vec<Measure> = report.comparisons.iter().map(difference).collect();
    let axis = Whiskers::over(&measures, Some(0.0));
    let deciding = report.deciding_comparison();
    for c in &report.comparisons {
        let name = format!("{} against {}", plain(&c.a), plain(&c.b));
        let decides = deciding.is_some_and(|d| std::ptr::eq(d, c));
        let tag = if decides { " <span class=\"tag\">decides</span>" } else { "" };
        let p = |p: Option<f64>| Html::text(&p.map_or("–".to_owned(), bare_p));
        let class = if decides { "fusion" } else { "other" };
        table.marked(
            if decides { "chosen" } else { "" },
            vec![
                Html::own(format!("{}{tag}", Html::text(&name))),
                Html::text(&measure(&difference(c), 3)),
                Html::own(axis.as_ref().map(|a| a.row(class, &name, &difference(c))).unwrap_or_default()),
                p(c.p),
                p(c.p_holm),
            ],
        );
    }
    if let Some(axis) = axis {
        let mut foot = vec![Html::default(); columns.len()];
        foot[2] = Html::own(axis.axis());
        table.foot(foot);
    }
    section.add(table);
    section
}
