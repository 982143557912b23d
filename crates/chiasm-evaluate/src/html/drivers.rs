use super::page::{Column, Html, Section, Table};
use crate::plots;
use crate::report::{AttributionSummary, Report};
use crate::words::{count, fixed, plain, trimmed};

/// What drives the prediction: shares per modality, interactions, features.
pub(super) fn drivers(report: &Report) -> Section {
    let mut section = Section::new("drivers", "What drives the prediction");
    let Some(figures) = &report.attribution else {
        section.absent("No attribution: the run did not compute what its predictions rest on.");
        return section;
    };
    section.say(
        "How far each modality moved each patient's prediction (its Shapley value). A patient's shares add up \
         to the difference between the prediction and what would be said of someone of whom nothing is known. \
         This describes the model, not the disease: a large share is not a cause.",
    );
    if let Some(error) = figures.sampling_error {
        section.say(&format!(
            "The shares were estimated by sampling; their standard error is {}.",
            trimmed(error)
        ));
    }
    match plots::shares(figures) {
        Some(drawing) => {
            let caption = format!(
                "{} patients, one dot per modality that they have. Right: the mean of the absolute shares.",
                count(figures.shares.len())
            );
            section.figures(&[(drawing, caption)]);
        }
        None => {
            section.absent("No shares are drawn: the attribution lists no modality.");
        }
    }
    section.add("<div class=\"columns\">\n<div>");
    acquiring(&mut section, figures);
    section.add("</div>\n<div>");
    match plots::interactions(figures) {
        Some(drawing) => {
            section.heading("What pairs say only together").figures(&[(
                drawing,
                "Mean interaction per pair; colour by its mean absolute value. Above 0, the two together raise \
                 the prediction more than the sum of their parts."
                    .to_owned(),
            )]);
        }
        None => {
            section.absent("No interactions are drawn: there is none above zero, or only one modality.");
        }
    }
    section.add("</div>\n</div>\n");
    features(&mut section, figures);
    section
}

fn acquiring(section: &mut Section, figures: &AttributionSummary) {
    if figures.modalities.iter().all(|m| m.value_of_acquiring.is_none()) {
        section.absent(
            "What to order next is not shown: the run did not estimate the value of missing modalities.",
        );
        return;
    }
    let columns =
        [("if missing, acquire", Column::Text), ("expected move", Column::Number), ("", Column::Plot)];
    let mut table = Table::new("Expected move of the prediction.", &columns);
    let mut rows: Vec<_> =
        figures.modalities.iter().filter_map(|m| Some((m, m.value_of_acquiring?))).collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    let most = rows.first().map_or(0.0, |r| r.1);
    for (modality, value) in rows {
        table.row(vec![
            Html::text(&plain(&modality.name)),
            Html::text(&fixed(value, 3)),
            Html::own(plots::strength_bar(value, most, &modality.name)),
        ]);
    }
    section
        .heading("What to order next")
        .say(&format!(
            "How far a prediction would likely move ({}) if a missing modality were acquired, estimated from \
             patients who have it.",
            figures.scale
        ))
        .add(table);
}

fn features(section: &mut Section, figures: &AttributionSummary) {
    const MOST: usize = 6;
    let shown = figures.modalities.iter().filter(|m| !m.features.is_empty());
    let most = shown.clone().flat_map(|m| &m.features).map(|f| f.mean_abs_share).fold(0.0, f64::max);
    if most <= 0.0 {
        section
            .absent("No features are listed: the experts inside the modalities give no share per feature.");
        return;
    }
    section.heading("Inside the modalities");
    let columns = [
        ("feature", Column::Text),
        ("mean |share|", Column::Number),
        ("", Column::Plot),
        ("higher values", Column::Text),
    ];
    section.add("<div class=\"columns\">\n");
    for modality in shown {
        let left_out = modality.features.len().saturating_sub(MOST);
        let more = if left_out > 0 { format!("; {left_out} more in report.json") } else { String::new() };
        let mut table = Table::new(&format!("{}{more}", plain(&modality.name)), &columns);
        for feature in modality.features.iter().take(MOST) {
            let direction = match feature.direction {
                Some(d) if d > 0.1 => "raise it",
                Some(d) if d < -0.1 => "lower it",
                Some(_) => "no one way",
                None => "–",
            };
            table.row(vec![
                Html::text(&feature.name),
                Html::text(&fixed(feature.mean_abs_share, 3)),
                Html::own(plots::strength_bar(feature.mean_abs_share, most, &feature.name)),
                Html::text(direction),
            ]);
        }
        section.add(table);
    }
    section.add("</div>\n");
}
