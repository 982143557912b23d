//! The results that the shipped recipes give, kept beside them in `golden.json`.
//!
//! A recipe whose data are not here is skipped, loudly. The slow ones run with `CHIASM_GOLDEN=all`.
//! After a change that is meant to move the numbers, `CHIASM_BLESS=1` writes them anew: read the
//! difference before you commit it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_pipeline::Report;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How far a metric may move from one processor to another.
const TOLERANCE: f64 = 0.005;

#[test]
fn gse7390_metastasis() {
    check("gse7390-metastasis", "gse7390", true);
}

#[test]
fn transneo_pcr() {
    check("transneo-pcr", "transneo", true);
}

#[test]
fn gbmlgg_survival() {
    check("gbmlgg-survival", "porpoise", true);
}

#[test]
fn hancock_recurrence() {
    check("hancock-recurrence", "hancock", false);
}

#[test]
fn hancock_survival() {
    check("hancock-survival", "hancock", false);
}

#[test]
fn pancancer_survival() {
    check("pancancer-survival", "porpoise", false);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Where a site's files are on this machine.
fn data(site: &str) -> Option<PathBuf> {
    let bundled = root().join("sites").join(site).join("data");
    let named = std::env::var_os("CHIASM_DATA").map(|folder| PathBuf::from(folder).join(site));
    let beside = root().join("../shared/data").join(site);
    [Some(bundled), named, Some(beside)].into_iter().flatten().find(|path| path.is_dir())
}

fn check(recipe: &str, site: &str, fast: bool) {
    let all = std::env::var("CHIASM_GOLDEN").is_ok_and(|v| v == "all");
    if !fast && !all {
        eprintln!("SKIPPED: {recipe} takes long; CHIASM_GOLDEN=all runs it");
        return;
    }
    let Some(data) = data(site) else {
        eprintln!("SKIPPED: the data of {site} are not here; CHIASM_DATA names the folder that holds them");
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_chiasm"))
        .args(["run", recipe, "--quiet", "--data"])
        .arg(data)
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = std::fs::read_to_string(out.path().join("report.json")).unwrap();
    let found = summary(&Report::from_json(&report).unwrap());
    let path = root().join("recipes").join(recipe).join("golden.json");
    if std::env::var_os("CHIASM_BLESS").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        eprintln!("WRITTEN: {}", path.display());
        return;
    }
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; CHIASM_BLESS=1 writes it", path.display()));
    let expected: Value = serde_json::from_str(&text).unwrap();
    let mut differences = Vec::new();
    compare("", &expected, &found, &mut differences);
    assert!(differences.is_empty(), "{recipe} has moved from its golden.json: {differences:#?}");
}

/// What a report concludes, to three decimals.
fn summary(report: &Report) -> Value {
    let round = |x: f64| (x * 1000.0).round() / 1000.0;
    let modalities: Map<String, Value> =
        report.modalities.iter().map(|m| (m.name.clone(), json!(m.n))).collect();
    let models: Map<String, Value> = report
        .models
        .iter()
        .map(|m| {
            let metrics = m.metrics.iter().map(|(name, measure)| (name.clone(), json!(round(measure.estimate))));
            (m.name.clone(), Value::Object(metrics.collect()))
        })
        .collect();
    json!({
        "recipe": report.recipe,
        "n": report.n,
        "events": report.events,
        "modalities": modalities,
        "metric": report.metric,
        "models": models,
        "selected": report.selected,
        "best_single": report.best_single,
        "verdict": report.verdict.as_str(),
    })
}

fn compare(place: &str, expected: &Value, found: &Value, differences: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
                let none = Value::Null;
                let (a, b) = (a.get(key).unwrap_or(&none), b.get(key).unwrap_or(&none));
                compare(&format!("{place}/{key}"), a, b, differences);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            // Half a unit in the last place, twice, on top of what processors do.
            if (a - b).abs() > TOLERANCE + 0.001 {
                differences.push(format!("{place}: expected {a}, found {b}"));
            }
        }
        _ if expected != found => differences.push(format!("{place}: expected {expected}, found {found}")),
        _ => {}
    }
}
