//! A data folder that changed since training: refused where it matters, named by place.

use crate::toy::{SECRET, Toy, succeeds};

#[test]
fn an_unknown_category() {
    let toy = Toy::trained();
    toy.set_cell("data/clinical.csv", 3, "sex", &format!("{SECRET}x"));
    toy.refused(
        &toy.predict(),
        &["clinical.csv, line 3", "column `sex`", "one of f, m (the codes of training)"],
    );
    let toy = Toy::trained();
    toy.set_cell("data/clinical.csv", 3, "stage", &format!("{SECRET}x"));
    toy.refused(&toy.predict(), &["clinical.csv, line 3", "column `stage`", "one of I, II, III"]);
}

#[test]
fn a_missing_column() {
    let toy = Toy::trained();
    toy.edit("data/labs.tsv", "\tcrp", "\tCRP2");
    toy.refused(&toy.predict(), &["labs.tsv", "no column `crp`", "`CRP2`"]);
    let toy = Toy::trained();
    toy.edit("data/genes.csv", ",g3,", ",h3,");
    toy.refused(&toy.predict(), &["genes.csv", "no column `g3`"]);
}

#[test]
fn another_unit() {
    let toy = Toy::trained();
    toy.set_column("data/labs.tsv", "hb", |_, text| (text.parse::<f64>().unwrap() * 10.0).to_string());
    toy.refused(&toy.predict(), &["labs.tsv, column `hb`", "plausible range [2, 25]", "`g/dL`"]);
}

#[test]
fn values_far_from_those_of_training_are_told_of() {
    let toy = Toy::trained();
    let told = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!told(&toy.predict()).contains("training subjects"));
    for column in ["g2", "g3"] {
        toy.set_column("data/genes.csv", column, |_, text| {
            text.parse::<f64>().map_or(text.to_owned(), |v| (v + 1000.0).to_string())
        });
    }
    let answered = toy.predict();
    succeeds(&answered);
    let told = told(&answered);
    assert!(
        told.contains("modality `genes`") && told.contains("g2, g3") && told.contains("another unit"),
        "{told}"
    );
}

#[test]
fn a_cell_that_cannot_be_read() {
    let toy = Toy::trained();
    toy.set_cell("data/labs.tsv", 2, "hb", &format!("{SECRET}12"));
    toy.refused(&toy.predict(), &["labs.tsv, line 2", "column `hb`", "a number", "text"]);
    let arguments = ["explain", "run", "--data", "data", "--subject", "x"];
    toy.refused(&toy.chiasm(&arguments), &["labs.tsv, line 2"]);
}

#[test]
fn a_site_edited_inside_the_run() {
    let toy = Toy::trained();
    toy.edit("run/site.toml", "unit = \"g/dL\"", "unit = \"g/L\"");
    toy.refused(&toy.predict(), &["modality `labs`", "column `hb`", "unit `g/dL`", "unit `g/L`"]);
}

#[test]
fn more_columns_and_rows_in_another_order_change_nothing() {
    let toy = Toy::trained();
    succeeds(&toy.predict());
    let before = toy.bytes("answers.csv");
    let text = toy.read("data/genes.csv");
    let mut lines: Vec<String> = text.lines().map(|l| format!("{l},0")).collect();
    lines[0] = text.lines().next().unwrap().to_owned() + ",g9";
    lines[1..].reverse();
    toy.write("data/genes.csv", lines.join("\n"));
    succeeds(&toy.predict());
    assert_eq!(toy.bytes("answers.csv"), before);
}

#[test]
fn training_goes_no_further_on_changed_data() {
    let toy = Toy::trained();
    toy.set_cell("data/labs.tsv", 2, "hb", "12.34");
    let before = toy.files("run");
    toy.refused(&toy.run(), &["run holds a run of another recipe, site, data or seed"]);
    assert!(toy.files("run") == before);
}
