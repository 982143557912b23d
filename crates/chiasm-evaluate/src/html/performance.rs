use super::page::{Column, Html, Section, Table};
use super::verdict::task_name;
use crate::plots::{self, Whiskers};
use crate::report::{Calibration, Measure, Report};
use crate::words::{count, fixed, list, measure, metric_name, percent, plain, trimmed};
use chiasm_record::TaskKind;

/// The chosen fusion's performance: ROC, calibration, net benefit, survival by risk, thresholds.
pub(super) fn performance(report: &Report) -> Section {
    let mut section = Section::new("performance", "How well the chosen fusion does");
    let mut figures = Vec::new();
    let mut absent = Vec::new();
    let task = task_name(report.task);
    let yes_or_no = report.task == TaskKind::Binary;
    match plots::roc(report) {
        Some(drawing) => figures.push((
            drawing,
            "ROC: the further to the upper left, the better patients are ranked. Over the patients of all outer folds together; the AUROC compares those of the same fold.".to_owned(),
        )),
        None if yes_or_no => absent.push("No ROC curve: the run did not compute one.".to_owned()),
        None => absent
            .push(format!("No ROC curve: it belongs to yes-or-no questions, and this one asks for {task}.")),
    }
    match report.kaplan_meier.as_ref().and_then(plots::kaplan_meier) {
        Some(drawing) => figures.push((
            drawing,
            "Kaplan-Meier by thirds of predicted risk, in brackets the events of the patients.".to_owned(),
        )),
        None if report.task == TaskKind::Survival => {
            absent.push("No Kaplan-Meier curves: the run did not compute them.".to_owned());
        }
        None => absent.push(format!(
            "No Kaplan-Meier curves: they belong to time to an event, and this question asks for {task}."
        )),
    }
    match report.calibration.as_ref().and_then(plots::calibration) {
        Some(drawing) => figures.push((
            drawing,
            "Calibration: dots on the diagonal mean that predicted risks come true.".to_owned(),
        )),
        None => absent.push("No calibration curve: the run has no predicted risks in bins.".to_owned()),
    }
    match plots::decision(report) {
        Some(drawing) => figures
            .push((drawing, "Net benefit: where a line is highest, acting on it does most good.".to_owned())),
        None => absent.push("No decision curve: the run has no risks on which one could act.".to_owned()),
    }
    section.figures(&figures);
    for sentence in absent {
        section.absent(&sentence);
    }
    if let Some(figures) = &report.calibration {
        calibration(&mut section, figures, report.n);
    }
    thresholds(&mut section, report);
    section
}

fn calibration(section: &mut Section, figures: &Calibration, n: usize) {
    let columns = [
        ("patients who have exactly", Column::Text),
        ("patients", Column::Number),
        ("intercept (0 is perfect)", Column::Number),
        ("slope (1 is perfect)", Column::Number),
    ];
    let mut table = Table::new("Calibration, with 95 % intervals.", &columns);
    let show = |m: &Option<Measure>| Html::text(&m.map_or("–".to_owned(), |m| measure(&m, 2)));
    table.marked(
        "chosen",
        vec![Html::text("everyone"), Html::text(&count(n)), show(&figures.intercept), show(&figures.slope)],
    );
    for pattern in &figures.patterns {
        let names: Vec<String> = pattern.modalities.iter().map(|m| plain(m)).collect();
        table.row(vec![
            Html::text(&list(&names)),
            Html::text(&count(pattern.n)),
            show(&pattern.intercept),
            show(&pattern.slope),
        ]);
    }
    section.add(table);
}

fn thresholds(section: &mut Section, report: &Report) {
    if report.thresholds.is_empty() {
        section.absent("No thresholds: the run locked none on tuning data.");
        return;
    }
    let columns = [
        ("threshold", Column::Text),
        ("risk", Column::Number),
        ("sensitivity", Column::Number),
        ("specificity", Column::Number),
        ("PPV", Column::Number),
        ("NPV", Column::Number),
    ];
    let mut table = Table::new(
        "Thresholds locked on tuning data, judged on untouched data, with 95 % intervals.",
        &columns,
    );
    let show = |m: &Option<Measure>| Html::text(&m.map_or("–".to_owned(), |m| measure(&m, 2)));
    for t in &report.thresholds {
        table.row(vec![
            Html::text(&t.rule),
            Html::text(&trimmed(t.threshold)),
            show(&t.sensitivity),
            show(&t.specificity),
            show(&t.ppv),
            show(&t.npv),
        ]);
    }
    section.add(table);
}

/// The metric in parts of the cohort, as a forest plot.
pub(super) fn subgroups(report: &Report) -> Section {
    let mut section = Section::new("subgroups", "Parts of the cohort");
    if report.subgroups.is_empty() {
        section.absent("No subgroups: the recipe names none, or each was too small to judge.");
        return section;
    }
    let metric = metric_name(&report.metric);
    section.say(
        "The same model in parts of the cohort. Small parts have wide intervals: an interval that crosses the \
         dashed line is no sign of a difference, and no proof of equality.",
    );
    let columns = [
        ("part", Column::Text),
        ("patients", Column::Number),
        ("events", Column::Number),
        (metric.as_str(), Column::Number),
        ("", Column::Plot),
    ];
    let mut table =
        Table::new("The chosen fusion per part, with 95 % intervals; dashed line: everyone.", &columns);
    let value = |metrics: &std::collections::BTreeMap<String, Measure>| metrics.get(&report.metric).copied();
    let overall = report.model(&report.selected).and_then(|m| value(&m.metrics));
    let measures: Vec<Measure> =
        report.subgroups.iter().filter_map(|s| value(&s.metrics)).chain(overall).collect();
    let axis = Whiskers::over(&measures, overall.map(|m| m.estimate));
    let mut partition = "";
    for part in &report.subgroups {
        if part.partition != partition {
            partition = &part.partition;
            table.part(&plain(partition));
        }
        let main = value(&part.metrics);
        let name = format!("{} {}", part.partition, part.part);
        table.row(vec![
            Html::text(&part.part),
            Html::text(&count(part.n)),
            Html::text(&part.events.map_or("–".to_owned(), count)),
            Html::text(&main.map_or("too few".to_owned(), |m| measure(&m, 3))),
            Html::own(axis.as_ref().zip(main).map(|(a, m)| a.row("fusion", &name, &m)).unwrap_or_default()),
        ]);
    }
    if let Some(axis) = axis {
        let mut foot = vec![Html::default(); columns.len()];
        foot[4] = Html::own(axis.axis());
        table.foot(foot);
    }
    section.add(table);
    section
}

/// Coverage and abstention in one sentence.
pub(super) fn conformal_words(report: &Report) -> Option<String> {
    let sets = report.conformal.as_ref()?;
    Some(format!(
        "Prediction sets made to hold the truth for {} of patients held it for {}. The run gives no answer to {} \
         of patients, because their set is not a single answer.",
        percent(sets.confidence, 0),
        share(&sets.coverage),
        share(&sets.abstention_rate)
    ))
}

fn share(m: &Measure) -> String {
    match (m.low, m.high) {
        (Some(low), Some(high)) => {
            format!(
                "{} (95 % interval {} to {})",
                percent(m.estimate, 1),
                fixed(low * 100.0, 1),
                fixed(high * 100.0, 1)
            )
        }
        _ => percent(m.estimate, 1),
    }
}
