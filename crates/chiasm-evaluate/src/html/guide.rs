use super::page::{Html, Section};
use crate::report::{Report, Verdict};
use chiasm_record::TaskKind;

/// What the words and numbers of this page mean, as far as they occur.
pub(super) fn how_to_read(report: &Report) -> Section {
    let mut section = Section::new("guide", "How to read this");
    let verdict = match report.verdict {
        Verdict::FusionBetter => {
            "The fusion did better than the best single modality, by more than chance explains."
        }
        Verdict::NoGain => "Any gain of the fusion over the best single modality is too small to matter.",
        Verdict::FusionWorse => {
            "The fusion did worse than the best single modality, by more than chance explains."
        }
        Verdict::Inconclusive => {
            "The data leave open whether fusion helps. That is not a proof that it does not."
        }
    };
    let mut terms = vec![
        ("The verdict", verdict),
        (
            "95 % interval",
            "The range of values that the data are compatible with. Two overlapping intervals do not show that two \
             models are equal; look at the comparison of both.",
        ),
        (
            "Best single modality",
            "The one kind of evidence that did best inside the training data. It is what a fusion has to beat.",
        ),
    ];
    match report.task {
        TaskKind::Survival => terms.extend([
            (
                "C-index",
                "Of two patients who can be compared, how often the one with the earlier event had the higher \
                 predicted risk: .5 is chance, 1 is perfect. Uno's C allows for early loss to follow-up.",
            ),
            ("Integrated Brier score", "Mean squared error of predicted survival over time: lower is better."),
            (
                "Kaplan-Meier by thirds",
                "How many stayed free of the event in each third of predicted risk. Lines far apart mean that the \
                 model separates patients.",
            ),
        ]),
        TaskKind::Regression => terms.push(("R²", "Share of the outcome's variance that is explained: 1 is perfect, 0 is the mean.")),
        _ => terms.extend([
            (
                "AUROC",
                "How often a patient with the event gets a higher predicted risk than one without: .5 is chance, 1 is perfect.",
            ),
            ("AUPRC", "Mean precision over all thresholds; chance is the share of patients with the event."),
            ("Brier score", "Mean squared error of the predicted risks: lower is better."),
        ]),
    }
    if report.calibration.is_some() {
        terms.push((
            "Calibration",
            "Whether of those given a risk of 20 %, 20 % have the event. Slope below 1: risks are too extreme; \
             intercept above 0: risks are too low.",
        ));
    }
    if !report.decision_curve.is_empty() {
        terms.push((
            "Net benefit",
            "True positives minus false positives, weighted by how much harm the chosen threshold accepts for one \
             true positive.",
        ));
    }
    terms.push((
        "What this page cannot say",
        "How the model does at another hospital, whether acting on it helps patients, and why a patient has the \
         disease. It judges predictions on the patients listed here.",
    ));
    let list: String = terms
        .iter()
        .map(|(term, words)| format!("<dt>{}</dt><dd>{}</dd>\n", Html::text(term), Html::text(words)))
        .collect();
    section.add(format_args!("<dl class=\"terms\">\n{list}</dl>\n"));
    section
}

/// The command that makes the run again.
pub(super) fn reproduce(report: &Report) -> Section {
    let mut section = Section::new("reproduce", "Reproduce");
    if report.reproduce.is_empty() {
        section.absent("The run recorded no command.");
    } else {
        section.say("The same data, recipe and seed give the same bytes in report.json.");
        section.add(format_args!("<pre><code>{}</code></pre>\n", Html::text(&report.reproduce)));
    }
    if !report.fingerprint.is_empty() {
        section.add(format_args!(
            "<p class=\"facts\">Fingerprint of recipe, site, data and seed: <code>{}</code></p>\n",
            Html::text(&report.fingerprint)
        ));
    }
    section
}
