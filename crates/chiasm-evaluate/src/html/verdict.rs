use super::page::Html;
use crate::report::{Report, Verdict};
use crate::words::{count, fixed, measure, metric_name, plain, verdict_words};
use chiasm_record::TaskKind;

/// The question, and on whom it was answered.
pub(super) fn header(report: &Report) -> String {
    let question = if report.question.is_empty() { plain(&report.recipe) } else { report.question.clone() };
    let mut facts = vec![task_name(report.task).to_owned()];
    if let Some(horizon) = report.horizon {
        facts.push(format!("judged at {} years", crate::words::trimmed(horizon)));
    }
    if !report.software.is_empty() {
        facts.push(report.software.clone());
    }
    if !report.fingerprint.is_empty() {
        facts.push(format!("run {}", report.fingerprint.chars().take(12).collect::<String>()));
    }
    format!(
        "<header>\n<p class=\"kicker\">{}</p>\n<h1>{}</h1>\n<p class=\"facts\">{}</p>\n</header>\n",
        Html::text(&report.recipe),
        Html::text(&question),
        Html::text(&facts.join(" · "))
    )
}

/// The verdict in words, with the figures that it rests on.
pub(super) fn verdict(report: &Report) -> String {
    let (class, badge) = match report.verdict {
        Verdict::FusionBetter => ("better", "Fusion better"),
        Verdict::NoGain => ("same", "No gain"),
        Verdict::FusionWorse => ("worse", "Fusion worse"),
        Verdict::Inconclusive => ("open", "Inconclusive"),
    };
    let mut figures = vec![("patients".to_owned(), count(report.n), String::new())];
    if let Some(events) = report.events {
        let share = 100.0 * events as f64 / report.n.max(1) as f64;
        figures.push(("with the event".to_owned(), count(events), format!("{share:.0} %")));
    }
    for name in [&report.selected, &report.best_single] {
        if let Some(m) = report.model(name).and_then(|m| m.metrics.get(&report.metric)) {
            let interval = measure(m, 2);
            let interval = interval.split_once(' ').map(|(_, i)| i.to_owned()).unwrap_or_default();
            let label = format!("{}, {}", metric_name(&report.metric), plain(name));
            figures.push((label, fixed(m.estimate, 2), interval));
        }
    }
    let figures: String = figures
        .iter()
        .map(|(label, value, note)| {
            format!(
                "<div><dt>{}</dt><dd>{} <small>{}</small></dd></div>",
                Html::text(label),
                Html::text(value),
                Html::text(note)
            )
        })
        .collect();
    format!(
        "<section class=\"verdict {class}\" aria-label=\"Verdict\">\n<p class=\"badge\">{badge}</p>\n\
         <p class=\"words\">{}</p>\n<dl class=\"figures-row\">{figures}</dl>\n</section>\n",
        Html::text(&verdict_words(report))
    )
}

/// The kind of question in words.
pub(super) fn task_name(task: TaskKind) -> &'static str {
    match task {
        TaskKind::Binary => "yes or no",
        TaskKind::MultiClass => "one of several classes",
        TaskKind::MultiLabel => "several yes-or-no labels",
        TaskKind::Regression => "a number",
        TaskKind::Survival => "time to an event",
    }
}
