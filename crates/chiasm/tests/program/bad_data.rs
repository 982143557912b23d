//! Data that cannot be learned from: exit code 2, the place, what was expected, never a patient's value.

use crate::toy::{SECRET, Toy, id, succeeds};

#[test]
fn a_missing_file() {
    let toy = Toy::new();
    toy.remove("data/labs.tsv");
    toy.refuses_at_once(&["labs.tsv", "no such file"]);
}

#[test]
fn a_missing_folder() {
    let toy = Toy::new();
    let output = toy.chiasm(&["run", "recipe", "--site", "site", "--data", "dta", "--out", "run"]);
    toy.refused(&output, &["dta is not there", "--data"]);
}

#[test]
fn a_wrong_delimiter() {
    let toy = Toy::new();
    toy.write("data/genes.csv", toy.read("data/genes.csv").replace(',', ";"));
    toy.refuses_at_once(&["genes.csv", "expected columns separated by", "comma", "semicolon"]);
}

#[test]
fn a_duplicate_key() {
    let toy = Toy::new();
    let text = toy.read("data/clinical.csv");
    let second = text.lines().nth(1).unwrap().to_owned();
    toy.write("data/clinical.csv", format!("{text}{second}\n"));
    toy.refuses_at_once(&[
        "clinical.csv, line 81",
        "column `id`",
        "clinical.csv, line 2",
        "one row a subject",
    ]);
}

#[test]
fn an_empty_key() {
    let toy = Toy::new();
    toy.set_cell("data/clinical.csv", 9, "id", "");
    toy.refuses_at_once(&["clinical.csv, line 9", "`id` is empty"]);
}

#[test]
fn a_key_in_no_other_table_is_counted_and_listed() {
    let toy = Toy::new();
    toy.write("data/labs.tsv", toy.read("data/labs.tsv") + "stranger-1\t12\t3\nstranger-2\t11\t4\n");
    let output = toy.run();
    succeeds(&output);
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(notes.contains("labs.tsv: ids that are not in targets.csv or roster.csv (2)"), "{notes}");
    assert!(toy.read("run/report.json").contains("ids that are not in"));
    let findings: serde_json::Value = serde_json::from_str(&toy.read("run/findings.json")).unwrap();
    let listed = findings.as_array().unwrap().iter().find(|f| f["place"] == "labs.tsv").unwrap();
    assert_eq!(listed["subjects"], serde_json::json!(["stranger-1", "stranger-2"]));
    assert!(!notes.contains("stranger") && !notes.contains(SECRET), "ids belong in the file: {notes}");
}

#[test]
fn keys_that_join_nowhere() {
    let toy = Toy::new();
    toy.set_column("data/targets.csv", "id", |line, _| format!("other-{line}"));
    toy.edit("site/site.toml", "subjects = \"roster\"\n", "");
    toy.refuses_at_once(&["targets.csv", "are the key columns the same identifiers?"]);
}

#[test]
fn a_column_that_is_not_in_the_file() {
    let toy = Toy::new();
    toy.edit("site/site.toml", "names = [\"crp\"]", "names = [\"crpp\"]");
    toy.refuses_at_once(&["labs.tsv", "no column `crpp`", "`crp`"]);
    let toy = Toy::new();
    toy.edit("data/targets.csv", "id,relapse", "id,relaps");
    toy.refuses_at_once(&["targets.csv", "no column `relapse`", "`relaps`"]);
}

#[test]
fn a_ragged_row() {
    let toy = Toy::new();
    let text = toy.read("data/genes.csv");
    toy.write("data/genes.csv", format!("{text}{SECRET}-x,1,2\n"));
    let line = text.lines().count() + 1;
    toy.refuses_at_once(&[&format!("genes.csv, line {line}"), "expected 5 cells", "found 3"]);
}

#[test]
fn text_in_a_numeric_column() {
    let toy = Toy::new();
    toy.set_cell("data/labs.tsv", 5, "hb", SECRET);
    toy.refuses_at_once(&["labs.tsv, line 5", "column `hb`", "expected a number, found text"]);
}

#[test]
fn numbers_that_are_not_finite() {
    for cell in ["NaN", "inf", "-Infinity", "1e999"] {
        let toy = Toy::new();
        toy.set_cell("data/genes.csv", 7, "g2", cell);
        toy.refuses_at_once(&["genes.csv, line 7", "column `g2`", "expected a number", "not finite"]);
    }
}

#[test]
fn a_code_outside_the_order() {
    let toy = Toy::new();
    toy.set_cell("data/clinical.csv", 4, "stage", SECRET);
    toy.refuses_at_once(&["clinical.csv, line 4", "column `stage`", "one of I, II, III"]);
}

#[test]
fn another_unit() {
    let toy = Toy::new();
    toy.set_column("data/labs.tsv", "hb", |_, text| (text.parse::<f64>().unwrap() * 10.0).to_string());
    toy.refuses_at_once(&["labs.tsv, column `hb`", "plausible range [2, 25]", "`g/dL`"]);
}

#[test]
fn a_modality_that_a_training_fold_lacks() {
    let toy = Toy::new();
    let text = toy.read("data/genes.csv");
    let only: Vec<&str> = text.lines().take(2).collect();
    toy.write("data/genes.csv", only.join("\n"));
    toy.refuses_to_run(&["repeat 1, fold", "genes"]);
}

#[test]
fn a_modality_that_is_empty_is_left_out_and_one_alone_is_no_fusion() {
    let toy = Toy::new();
    toy.write("data/genes.csv", "id,g1,g2,g3,g4\n");
    let output = toy.run();
    succeeds(&output);
    assert!(toy.read("run/report.json").contains("modality `genes`"));
    let toy = Toy::new();
    toy.write("data/genes.csv", "id,g1,g2,g3,g4\n");
    toy.write("data/labs.tsv", "id\thb\tcrp\n");
    toy.refuses_to_run(&["data of 1 modality", "at least 2"]);
}

#[test]
fn one_class_only() {
    let toy = Toy::new();
    toy.set_column("data/targets.csv", "relapse", |_, _| "yes".into());
    toy.refuses_at_once(&["all 79 subjects have the same outcome"]);
}

#[test]
fn one_class_only_inside_a_fold() {
    let toy = Toy::new();
    // Three events fill three outer folds; the two that are left cannot fill three inner ones.
    toy.set_column("data/targets.csv", "relapse", |line, _| if line < 5 { "yes" } else { "no" }.into());
    toy.refuses_to_run(&["3 folds", "2 subjects"]);
}

#[test]
fn more_folds_than_events() {
    let toy = Toy::new();
    toy.set_column("data/targets.csv", "relapse", |line, _| if line < 5 { "yes" } else { "no" }.into());
    toy.edit("recipe/recipe.toml", "\nfolds = 3", "\nfolds = 4");
    toy.refuses_at_once(&["impossible split", "4 folds", "3 subjects"]);
}

#[test]
fn given_folds_that_the_site_lacks() {
    let toy = Toy::new();
    toy.edit(
        "recipe/recipe.toml",
        "kind = \"repeated_k_fold\"\nfolds = 3\nrepeats = 2",
        "kind = \"given\"\nname = \"published\"",
    );
    toy.refuses_at_once(&["no folds `published`"]);
}

#[test]
fn labels_of_another_code() {
    let toy = Toy::new();
    toy.set_cell("data/targets.csv", 6, "relapse", SECRET);
    toy.refuses_at_once(&["targets.csv, line 6", "column `relapse`", "one of no, yes"]);
}

fn survival() -> Toy {
    let toy = Toy::new();
    toy.edit(
        "recipe/recipe.toml",
        "kind = \"binary\"\noutcome = \"relapse\"",
        "kind = \"survival\"\noutcome = \"death\"",
    );
    toy.edit("recipe/recipe.toml", "seed = 11", "seed = 11\nhorizon_years = 2");
    toy
}

#[test]
fn a_time_below_zero() {
    let toy = survival();
    toy.set_cell("data/targets.csv", 3, "days", "-4");
    toy.refuses_at_once(&["targets.csv, line 3", "column `days`", "a time of 0 or more", "below 0"]);
}

#[test]
fn a_time_that_is_missing() {
    for cell in ["", "NA"] {
        let toy = survival();
        toy.set_cell("data/targets.csv", 3, "days", cell);
        toy.refuses_at_once(&["targets.csv, line 3", "column `days`", "a time of 0 or more", "nothing"]);
    }
}

#[test]
fn a_horizon_that_nobody_was_followed_to() {
    let toy = survival();
    toy.edit("recipe/recipe.toml", "horizon_years = 2", "horizon_years = 60");
    toy.refuses_at_once(&["horizon_years: found 60", "some subject was followed"]);
}

#[test]
fn no_event_at_all() {
    let toy = survival();
    toy.set_column("data/targets.csv", "dead", |_, _| "0".into());
    toy.refuses_at_once(&["all 79 subjects have the same outcome"]);
}

#[test]
fn too_few_subjects() {
    let toy = Toy::new();
    let text = toy.read("data/targets.csv");
    let few: Vec<&str> = text.lines().take(4).collect();
    toy.write("data/targets.csv", few.join("\n"));
    toy.refuses_to_run(&["impossible split"]);
    let kept = toy.read("data/targets.csv");
    assert!(kept.contains(&id(0)));
}
