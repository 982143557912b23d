//! Data sets in and out: MEDS comes out as it went in, and OMOP beside it.

use crate::toy::{Toy, succeeds};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../chiasm-ingest/tests/fixtures").join(name);
    path.to_string_lossy().into_owned()
}

fn json(toy: &Toy, arguments: &[&str]) -> Value {
    let text = succeeds(&toy.chiasm(&[arguments, &["--json"]].concat()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_meds_set_comes_out_as_it_went_in() {
    let toy = Toy::new();
    let set = fixture("meds");
    let done = json(&toy, &["ingest", &set, "--store", "s"]);
    // Sixteen rows, three schemas of shards, three files of metadata.
    assert_eq!((&done["totals"]["events"], &done["totals"]["rejected"]), (&22.into(), &0.into()), "{done}");
    let again = json(&toy, &["ingest", &set, "--store", "s"]);
    assert_eq!(again["totals"]["events"], 0, "{again}");
    let out = json(&toy, &["export", "meds", "--store", "s", "--out", "out/set"]);
    assert_eq!(
        (&out["subjects"], &out["events"], &out["shards"], &out["codes"]),
        (&4.into(), &16.into(), &3.into(), &14.into()),
        "{out}"
    );
    assert_eq!((&out["left_out"], &out["sets"][0]), (&0.into(), &"plain|MEDS|fixture".into()), "{out}");
    let names: Vec<String> =
        files(&toy.path("out/set")).into_iter().map(|(p, _)| p.display().to_string()).collect();
    assert_eq!(
        names,
        [
            "data/held_out/0.parquet",
            "data/train/0.parquet",
            "data/tuning/0.parquet",
            "metadata/codes.parquet",
            "metadata/dataset.json",
            "metadata/subject_splits.parquet"
        ]
    );
    assert_eq!(
        toy.read("out/set/metadata/dataset.json"),
        std::fs::read_to_string(fixture("meds/metadata/dataset.json")).unwrap()
    );

    // Into another store, and out again: the same bytes.
    succeeds(&toy.chiasm(&["ingest", "out/set", "--store", "t"]));
    succeeds(&toy.chiasm(&["export", "meds", "--store", "t", "--out", "again"]));
    assert_eq!(files(&toy.path("out/set")), files(&toy.path("again")));
    // And both stores say the same of every row.
    let ask = |store: &str, what: &str| {
        let sql = format!(
            "SELECT {what} FROM events WHERE code NOT LIKE 'MEDS|%' ORDER BY time, code, numeric_value, text_value, unit, attributes"
        );
        json(&toy, &["query", "--store", store, &sql])
    };
    let what = "time, code, numeric_value, text_value, unit, modality";
    assert_eq!(ask("s", what), ask("t", what));
    // Whether a file of it is valid can be asked.
    let train = format!("{set}/data/train/0.parquet");
    let checked = succeeds(&toy.chiasm(&["check", &train, "out/set/data/train/0.parquet"]));
    assert_eq!(checked.matches("MEDS 0.4, valid").count(), 2, "{checked}");
}

#[test]
fn an_export_is_there_whole_or_not_at_all() {
    let toy = Toy::new();
    succeeds(&toy.chiasm(&["ingest", &fixture("meds"), "--store", "s"]));
    toy.write("full/letter.txt", "x");
    toy.refused(&toy.chiasm(&["export", "meds", "--store", "s", "--out", "full"]), &["full", "other files"]);
    assert_eq!(files(&toy.path("full")).len(), 1);
    toy.refused(&toy.chiasm(&["export", "meds", "--store", "none", "--out", "new"]), &["none"]);
    // A store that is damaged gives nothing, and leaves nothing.
    let events: Vec<PathBuf> =
        files(&toy.path("s")).into_iter().map(|(p, _)| p).filter(|p| p.starts_with("events")).collect();
    let last = toy.path("s").join(events.last().unwrap());
    let bytes = std::fs::read(&last).unwrap();
    std::fs::write(&last, &bytes[..bytes.len() / 2]).unwrap();
    toy.refused(&toy.chiasm(&["export", "meds", "--store", "s", "--out", "new/set"]), &["damaged"]);
    assert!(!toy.path("new/set").exists());
    assert_eq!(std::fs::read_dir(toy.path("new")).map_or(0, |d| d.count()), 0, "no part of it is left");
    std::fs::write(&last, &bytes).unwrap();
    std::fs::create_dir(toy.path("empty")).unwrap();
    succeeds(&toy.chiasm(&["export", "meds", "--store", "s", "--out", "empty"]));
    assert_eq!(files(&toy.path("empty")).len(), 6);
}

#[test]
fn omop_becomes_meds_and_stays_beside_a_set() {
    let toy = Toy::new();
    toy.write("omop/site.toml", "name = \"omop\"\ntitle = \"OMOP\"\n[ingest]\nzone = \"Europe/Berlin\"\n");
    let done = json(&toy, &["ingest", &fixture("omop"), "--site", "omop", "--store", "s"]);
    assert_eq!(done["formats"]["OMOP"], 10, "{done}");
    assert_eq!(done["totals"]["rejected"], 6, "{done}");
    let ask = |sql: &str| json(&toy, &["query", "--store", "s", sql]);
    let glucose = ask(
        "SELECT numeric_value AS v, unit FROM events WHERE code = 'LOINC|2345-7' AND numeric_value IS NOT NULL",
    );
    // 5.5 mmol/L are 99.1 mg/dL, the unit in which the store keeps glucose.
    assert!(
        (glucose[0]["v"].as_f64().unwrap() - 99.086).abs() < 0.01 && glucose[0]["unit"] == "mg/dL",
        "{glucose}"
    );
    // Nothing of a person's own numbers is in what queries see.
    assert!(!ask("SELECT * FROM events").to_string().contains("MRN-"));

    let out = json(&toy, &["export", "meds", "--store", "s", "--out", "omop.meds"]);
    assert_eq!((&out["subjects"], &out["shards"]), (&2.into(), &1.into()), "{out}");
    let about: Value = serde_json::from_str(&toy.read("omop.meds/metadata/dataset.json")).unwrap();
    assert_eq!((&about["dataset_name"], &about["etl_name"]), (&"omop".into(), &"chiasm".into()));
    assert_eq!(about["code_modifier_columns"][0], "unit");
    // A MEDS set beside it: its rows keep their numbers, the others theirs.
    succeeds(&toy.chiasm(&["ingest", &fixture("meds"), "--store", "s"]));
    let out = json(&toy, &["export", "meds", "--store", "s", "--out", "both", "--name", "both of them"]);
    assert_eq!(
        (&out["subjects"], &out["shards"], &out["renumbered"]),
        (&6.into(), &4.into(), &0.into()),
        "{out}"
    );
    assert!(toy.read("both/metadata/dataset.json").contains("both of them"));
    let checked = succeeds(&toy.chiasm(&[
        "check",
        "both/data/train/0.parquet",
        "both/data/other/0.parquet",
        "both/metadata/codes.parquet",
    ]));
    assert_eq!(checked.matches("valid").count(), 3, "{checked}");
    assert!(!checked.contains("meds.codes"), "{checked}");
}

#[test]
fn linked_patients_have_one_number_and_none_has_two() {
    let toy = Toy::new();
    // Two sets of one site with a subject of the same number, who are two people until somebody says otherwise.
    let copy = |name: &str| {
        for (file, bytes) in files(Path::new(&fixture("meds"))) {
            let text = String::from_utf8_lossy(&bytes).replace("\"fixture\"", &format!("\"{name}\""));
            let bytes = if file.ends_with("dataset.json") { text.into_bytes() } else { bytes };
            toy.write(&format!("{name}/{}", file.display()), bytes);
        }
    };
    copy("first");
    copy("second");
    succeeds(&toy.chiasm(&["ingest", "first", "--store", "s"]));
    succeeds(&toy.chiasm(&["ingest", "second", "--store", "s"]));
    let out = json(&toy, &["export", "meds", "--store", "s", "--out", "two"]);
    assert_eq!(
        (&out["subjects"], &out["events"], &out["renumbered"], &out["joined"]),
        (&8.into(), &32.into(), &4.into(), &0.into()),
        "{out}"
    );
    let rows = json(
        &toy,
        &[
            "query",
            "--store",
            "s",
            "SELECT DISTINCT record_id FROM events WHERE code = 'SNOMED|38341003' ORDER BY 1",
        ],
    );
    let records: Vec<String> = rows.as_array().unwrap().iter().map(|r| r["record_id"].to_string()).collect();
    succeeds(&toy.chiasm(&["link", "--store", "s", "--same", &records[0], &records[1]]));
    let out = json(&toy, &["export", "meds", "--store", "s", "--out", "linked"]);
    assert_eq!(
        (&out["subjects"], &out["events"], &out["renumbered"], &out["joined"]),
        (&7.into(), &32.into(), &3.into(), &1.into()),
        "{out}"
    );
}
