//! `chiasm run`: what it leaves behind, that it is the same every time, and that it goes on after a stop.

use crate::toy::{RUN, Toy, succeeds};
use chiasm_pipeline::Report;
use std::time::{Duration, Instant};

#[test]
fn a_run_leaves_its_folder_whole() {
    let toy = Toy::new();
    let said = succeeds(&toy.run());
    for words in ["clinical", "stacked", "▸", "Report: run/report.html"] {
        assert!(said.contains(words), "{said}");
    }
    let files = toy.files("run");
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    for name in [
        "checkpoint/model.json",
        "checkpoint/reference.json",
        "findings.json",
        "folds/repeat1-fold1.json",
        "folds/repeat2-fold3.json",
        "predictions.parquet",
        "recipe.toml",
        "report.html",
        "report.json",
        "run.json",
        "schema.json",
        "site.toml",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    assert!(!names.iter().any(|n| n.ends_with(".part")), "{names:?}");
    assert_eq!(&files["predictions.parquet"][..4], b"PAR1");

    let text = toy.read("run/report.json");
    let report = Report::from_json(&text).unwrap();
    // 79 of the 80 have something; the last is on the roster alone.
    assert_eq!((report.n, report.recipe.as_str(), report.metric.as_str()), (79, "toy-relapse", "auroc"));
    let there: Vec<(&str, usize)> = report.modalities.iter().map(|m| (m.name.as_str(), m.n)).collect();
    assert_eq!(there, [("clinical", 79), ("labs", 64), ("genes", 68)]);
    assert_eq!(report.subsets.len(), 7);
    assert!(report.configurations_tried > 0);
    for model in &report.models {
        let auroc = model.metrics["auroc"];
        assert!(
            auroc.low.unwrap() <= auroc.estimate && auroc.estimate <= auroc.high.unwrap(),
            "{}",
            model.name
        );
    }
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
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
    ] {
        assert!(!json[key].is_null(), "report.json has no `{key}`");
    }
    for key in ["name", "modalities", "fusion", "metrics"] {
        assert!(json["models"][0].get(key).is_some(), "models[] has no `{key}`");
    }
    for key in ["a", "b", "metric", "difference", "low", "high", "p", "p_holm"] {
        assert!(json["comparisons"][0].get(key).is_some(), "comparisons[] has no `{key}`");
    }
    let verdicts = ["fusion_better", "no_gain", "fusion_worse", "inconclusive"];
    assert!(verdicts.contains(&json["verdict"].as_str().unwrap()));
}

#[test]
fn the_page_needs_nothing_from_outside() {
    let toy = Toy::trained();
    let page = toy.read("run/report.html").to_lowercase();
    for part in
        ["<script src", "<link", "@import", "url(http", "src=\"http", "src='http", "<iframe", "fetch("]
    {
        assert!(!page.contains(part), "the page has `{part}`");
    }
    for part in ["<svg", "toy-relapse", "</html>"] {
        assert!(page.contains(part), "the page lacks `{part}`");
    }
    let said = succeeds(&toy.chiasm(&["report", "run"]));
    assert!(said.contains("run/report.html"), "{said}");
    let before = toy.bytes("run/report.html");
    toy.remove("run/report.html");
    succeeds(&toy.chiasm(&["report", "run"]));
    assert_eq!(toy.bytes("run/report.html"), before, "rebuilt from report.json alone");
}

#[test]
fn no_patient_is_named_outside_the_rows_about_patients() {
    let toy = Toy::trained();
    let about_patients = ["predictions.parquet", "findings.json"];
    for (name, bytes) in toy.files("run") {
        let named = String::from_utf8_lossy(&bytes).contains(crate::toy::SECRET);
        assert!(!named || about_patients.contains(&name.as_str()), "{name} names a patient");
    }
}

#[test]
fn the_same_run_gives_the_same_bytes_on_any_number_of_threads() {
    let toy = Toy::new();
    // A network among the fusions: it is trained with tensors and drawn at random.
    let net = "\n[[fusions]]\nkind = \"net\"\nname = \"attention\"\nnet = { kind = \"attention\", width = 8, layers = 1, heads = 2, epochs = 2 }\n";
    toy.write("recipe/recipe.toml", toy.read("recipe/recipe.toml") + net);
    toy.edit("recipe/recipe.toml", "repeats = 2", "repeats = 1");
    for (threads, out) in [("1", "one"), ("2", "two"), ("5", "five")] {
        let mut command = toy.command();
        command.args(RUN).env("RAYON_NUM_THREADS", threads);
        succeeds(&command.output().unwrap());
        std::fs::rename(toy.path("run"), toy.path(out)).unwrap();
    }
    let one = toy.files("one");
    for out in ["two", "five"] {
        for (name, bytes) in toy.files(out) {
            assert!(one[&name] == bytes, "{name} differs with {out} threads");
        }
    }
}

#[test]
fn a_finished_run_is_not_run_again() {
    let toy = Toy::trained();
    let before = toy.files("run");
    let changed = |name: &str| std::fs::metadata(toy.path(name)).unwrap().modified().unwrap();
    let fold = changed("run/folds/repeat1-fold1.json");
    succeeds(&toy.run());
    assert_eq!(changed("run/folds/repeat1-fold1.json"), fold, "a finished fold was written again");
    assert!(toy.files("run") == before);
}

#[test]
fn a_stopped_run_goes_on_with_the_same_result() {
    let toy = Toy::trained();
    let whole = toy.files("run");
    for name in [
        "report.json",
        "report.html",
        "predictions.parquet",
        "checkpoint/model.json",
        "folds/repeat2-fold2.json",
    ] {
        toy.remove(&format!("run/{name}"));
    }
    // A fold that a power cut left damaged is made anew.
    toy.write("run/folds/repeat1-fold2.json", b"{\"rows\": [1,");
    // So is one that can be read but lacks a part.
    let name = "run/folds/repeat1-fold3.json";
    let mut fold: serde_json::Value = serde_json::from_str(&toy.read(name)).unwrap();
    fold["subsets"].as_array_mut().unwrap().pop();
    toy.write(name, fold.to_string());
    succeeds(&toy.run());
    assert!(toy.files("run") == whole);
}

#[test]
fn a_killed_run_goes_on_with_the_same_result() {
    let toy = Toy::trained();
    let whole = toy.files("run");
    std::fs::remove_dir_all(toy.path("run")).unwrap();
    let mut child = toy.command().args(RUN).stdout(std::process::Stdio::null()).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while !toy.path("run/folds/repeat1-fold2.json").exists() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(toy.path("run/folds/repeat1-fold1.json").exists());
    succeeds(&toy.run());
    let left: std::collections::BTreeMap<_, _> =
        toy.files("run").into_iter().filter(|(name, _)| !name.ends_with(".part")).collect();
    assert!(left == whole);
}

#[test]
fn another_run_does_not_overwrite_a_folder() {
    let toy = Toy::trained();
    let before = toy.files("run");
    toy.edit("recipe/recipe.toml", "seed = 11", "seed = 12");
    let refused = toy.run();
    toy.refused(&refused, &["run", "another recipe, site, data or seed"]);
    assert!(toy.files("run") == before);
}

#[test]
fn an_unfinished_run_does_not_answer() {
    let toy = Toy::trained();
    toy.remove("run/report.json");
    toy.refused(&toy.chiasm(&["report", "run"]), &["run/report.json", "not finished"]);
    toy.remove("run/checkpoint/model.json");
    toy.refused(&toy.predict(), &["run/checkpoint/model.json"]);
    toy.refused(&toy.chiasm(&["report", "data"]), &["data is not a run"]);
}

#[test]
fn a_damaged_checkpoint_is_told() {
    let toy = Toy::trained();
    let bytes = toy.bytes("run/checkpoint/model.json");
    toy.write("run/checkpoint/model.json", &bytes[..bytes.len() / 2]);
    toy.refused(&toy.predict(), &["run/checkpoint is damaged"]);
}

#[test]
fn json_on_standard_output_is_the_report() {
    let toy = Toy::new();
    let mut arguments = RUN.to_vec();
    arguments.push("--json");
    let said = succeeds(&toy.chiasm(&arguments));
    assert_eq!(said.trim(), toy.read("run/report.json").trim());
}
