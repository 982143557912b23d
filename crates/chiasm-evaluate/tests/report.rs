//! The report as a reader gets it: golden text, well-formed and harmless HTML, a schema that holds.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use chiasm_evaluate::*;
use chiasm_record::{Finding, SubjectId, TaskKind};

#[test]
fn terminal_table_is_golden_and_fits_a_hundred_columns() {
    let report = support::binary(20);
    let table = terminal::table(&report);
    insta::assert_snapshot!("terminal_binary", table);
    for report in [report, support::survival(20), hostile(), Report::new("empty", TaskKind::Regression)] {
        for line in terminal::table(&report).lines() {
            assert!(line.chars().count() <= 100, "{line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}

#[test]
fn report_json_is_golden_and_reads_back() {
    for report in [support::binary(3), support::survival(3)] {
        assert_eq!(Report::from_json(&report.to_json().unwrap()).unwrap(), report);
        let newer = report.to_json().unwrap().replace("\"schema_version\": 1", "\"schema_version\": 99");
        let refused = Report::from_json(&newer).unwrap_err().to_string();
        assert!(refused.contains("found 99, expected 1"), "{refused}");
    }
    let mut report = support::binary(3);
    report.roc.truncate(2);
    report.roc.iter_mut().for_each(|c| c.points.truncate(3));
    report.subsets.truncate(3);
    report.decision_curve.truncate(3);
    report.kaplan_meier = support::survival(3).kaplan_meier;
    report.kaplan_meier.iter_mut().flat_map(|km| &mut km.groups).for_each(|g| g.points.truncate(2));
    insta::assert_snapshot!("json", report.to_json().unwrap());
}

#[test]
fn the_words_of_a_report_are_golden() {
    insta::assert_snapshot!("words_binary", verdict_words(&support::binary(3)));
    insta::assert_snapshot!("words_survival", verdict_words(&support::survival(3)));
}

#[test]
fn the_keys_that_others_rely_on_are_there() {
    let json: serde_json::Value = serde_json::from_str(&support::binary(3).to_json().unwrap()).unwrap();
    for key in [
        "task",
        "n",
        "events",
        "models",
        "selected",
        "best_single",
        "comparisons",
        "verdict",
        "subsets",
        "calibration",
        "subgroups",
        "attribution",
        "configurations_tried",
        "schema_version",
    ] {
        assert!(json.get(key).is_some(), "{key}");
    }
    assert_eq!(json["task"], "binary");
    assert_eq!(json["verdict"], "fusion_better");
    let attention = json["models"].as_array().unwrap().iter().find(|m| m["name"] == "attention").unwrap();
    assert_eq!(attention["kind"], "fusion");
    assert_eq!(attention["fusion"], "attention");
    assert_eq!(attention["metrics"]["auroc"]["estimate"], 0.787);
    let comparison = &json["comparisons"][0];
    for key in ["a", "b", "metric", "difference", "low", "high", "p", "p_holm", "test"] {
        assert!(comparison.get(key).is_some(), "{key}");
    }
}

#[test]
fn every_key_of_the_schema_is_explained() {
    let schema = report_schema();
    let mut unexplained = Vec::new();
    let mut check = |name: &str, object: &serde_json::Value| {
        for (key, value) in object["properties"].as_object().into_iter().flatten() {
            if value.get("description").is_none() && value.get("$ref").is_none() {
                unexplained.push(format!("{name}.{key}"));
            }
        }
    };
    check("Report", &schema);
    for (name, object) in schema["$defs"].as_object().unwrap() {
        check(name, object);
    }
    assert!(unexplained.is_empty(), "{unexplained:?}");
    let required: Vec<&str> =
        schema["required"].as_array().unwrap().iter().filter_map(|v| v.as_str()).collect();
    assert!(required.contains(&"models") && required.contains(&"verdict"));
}

#[test]
fn a_number_that_is_not_finite_is_refused_not_written() {
    let mut report = support::binary(3);
    report.comparisons[0].difference = f64::NAN;
    assert!(report.to_json().is_err());
    let nan = chiasm_record::Estimate { estimate: 0.7, low: f64::NAN, high: 0.9 };
    assert_eq!(Measure::new(nan), Measure::point(0.7));
    assert_eq!(Measure::point(f64::INFINITY), None);
}

#[test]
fn findings_lose_their_subjects() {
    let mut finding = Finding::new("blood.csv", "id in no other table", 1);
    finding.subjects.push(SubjectId::new("patient-17"));
    let json = serde_json::to_string(&ReportFinding::from(&finding)).unwrap();
    assert!(!json.contains("patient-17"), "{json}");
}

#[test]
fn html_is_one_file_without_script_or_network() {
    for report in [
        support::binary(1_000),
        support::survival(1_000),
        hostile(),
        Report::new("empty", TaskKind::MultiClass),
    ] {
        let page = html::render(&report);
        for forbidden in
            ["<script", "http:", "https:", "<link", "@import", "url(", "NaN", "inf\"", "<img", "onload"]
        {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        well_formed(&page);
        assert_eq!(page, html::render(&report), "not deterministic");
        assert!(page.len() < 600_000, "{}", page.len());
    }
}

#[test]
fn hostile_names_stay_text() {
    let page = html::render(&hostile());
    assert!(!page.contains(EVIL));
    assert!(page.contains("&lt;script&gt;alert(&quot;"));
}

#[test]
fn what_is_missing_is_said() {
    let page = html::render(&Report::new("empty", TaskKind::Binary));
    for sentence in [
        "No model is listed",
        "No comparison is listed",
        "No attribution",
        "No ROC curve",
        "No Kaplan-Meier curves",
        "No calibration curve",
        "No decision curve",
        "No thresholds",
        "No subsets",
        "No degradation curve",
        "No prediction sets",
        "No patterns",
        "No subgroups",
        "No data flow",
        "No findings",
        "no protocol",
        "no intended use",
        "no command",
    ] {
        assert!(page.contains(sentence), "{sentence}");
    }
    assert!(!page.contains("<svg"));
}

#[test]
fn every_drawing_and_table_has_a_name() {
    let page = html::render(&support::survival(50));
    let drawings = page.matches("<svg class=").count();
    assert!(drawings > 30);
    assert_eq!(page.matches("<desc>").count(), drawings);
    assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
}

#[test]
fn figures_that_are_not_finite_are_left_out_of_drawings() {
    let mut report = support::survival(30);
    report.degradation[2].fusion.estimate = f64::NAN;
    report.decision_curve[3].treat_all = f64::NEG_INFINITY;
    report.models[0].metrics.get_mut("c_index").unwrap().low = Some(f64::NAN);
    report.kaplan_meier.as_mut().unwrap().groups[0].points[3].survival = f64::NAN;
    report.attribution.as_mut().unwrap().shares[4][1] = Some(f64::INFINITY);
    report.attribution.as_mut().unwrap().modalities[1].mean_abs_share = f64::NAN;
    report.attribution.as_mut().unwrap().interactions[1].mean = f64::NAN;
    report.calibration.as_mut().unwrap().bins[1].predicted = f64::NAN;
    report.subsets[3].metric.as_mut().unwrap().estimate = f64::NAN;
    let page = html::render(&report);
    assert!(!page.contains("NaN"));
    for drawing in page.split("<svg").skip(1).filter_map(|part| part.split("</svg>").next()) {
        assert!(!drawing.contains("inf"), "{drawing}");
    }
}

const EVIL: &str = "<script>alert(\"x\")</script>";

/// The example with names that try to leave their place.
fn hostile() -> Report {
    let mut report = support::binary(5);
    let evil = |text: &mut String| *text = format!("{EVIL}'&\u{1b}[31m");
    report.models.iter_mut().for_each(|m| {
        evil(&mut m.name);
        m.modalities.iter_mut().for_each(evil);
    });
    report.modalities.iter_mut().for_each(|m| evil(&mut m.name));
    report.subsets.iter_mut().for_each(|s| s.modalities.iter_mut().for_each(evil));
    report.subgroups.iter_mut().for_each(|s| (evil(&mut s.partition), evil(&mut s.part)).0);
    report.findings.iter_mut().for_each(|f| (evil(&mut f.place), evil(&mut f.message)).0);
    report.data_flow.iter_mut().for_each(|f| evil(&mut f.step));
    report.comparisons.iter_mut().for_each(|c| (evil(&mut c.a), evil(&mut c.b), evil(&mut c.test)).0);
    report.thresholds.iter_mut().for_each(|t| evil(&mut t.rule));
    report.roc.iter_mut().for_each(|c| evil(&mut c.model));
    report.selection.iter_mut().for_each(|s| evil(&mut s.chosen));
    let attribution = report.attribution.as_mut().unwrap();
    evil(&mut attribution.scale);
    attribution.modalities.iter_mut().for_each(|m| {
        evil(&mut m.name);
        m.features.iter_mut().for_each(|f| evil(&mut f.name));
    });
    for text in [
        &mut report.recipe,
        &mut report.question,
        &mut report.intended_use,
        &mut report.software,
        &mut report.fingerprint,
        &mut report.reproduce,
        &mut report.selected,
        &mut report.best_single,
    ] {
        evil(text);
    }
    report.protocol.words.push(EVIL.into());
    report.limits.push(EVIL.into());
    report
}

/// Every element that opens closes, in order.
fn well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let markup = page.split('<').skip(1).filter_map(|part| part.split_once('>').map(|(tag, _)| tag));
    for tag in markup.filter(|tag| !tag.starts_with('!') && !tag.starts_with("meta") && !tag.ends_with('/')) {
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None => open.push(tag.split_whitespace().next().unwrap()),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
