//! The other commands: help, data sets, recipes, the first run of a new user.

use crate::toy::{Toy, offline, succeeds};
use chiasm_pipeline::Report;
use std::time::{Duration, Instant};

#[test]
fn every_command_shows_an_example() {
    let toy = Toy::new();
    let commands: [&[&str]; 22] = [
        &["quickstart"],
        &["run"],
        &["predict"],
        &["explain"],
        &["report"],
        &["ingest"],
        &["listen"],
        &["pull", "dicomweb"],
        &["pull", "fhir"],
        &["synth", "hospital"],
        &["synth", "people"],
        &["link"],
        &["check"],
        &["timeline"],
        &["query"],
        &["quarantine", "list"],
        &["quarantine", "show"],
        &["quarantine", "retry"],
        &["data", "list"],
        &["data", "get"],
        &["recipe", "check"],
        &["recipe", "schema"],
    ];
    for command in commands {
        let help = succeeds(&toy.chiasm(&[command, &["--help"]].concat()));
        assert!(
            help.contains("Example:  chiasm ") || help.contains("Examples:\n  chiasm "),
            "{command:?}: {help}"
        );
        assert!(help.contains("Usage:"), "{command:?}");
    }
    assert!(succeeds(&toy.chiasm(&["--help"])).contains("chiasm quickstart"));
    assert!(succeeds(&toy.chiasm(&["--version"])).starts_with("chiasm "));
}

#[test]
fn a_misspelt_command_is_refused_with_the_right_one() {
    let toy = Toy::new();
    let output = toy.chiasm(&["predct"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("predict"));
}

#[test]
fn data_sets_are_listed_and_the_bundled_one_is_unpacked() {
    let toy = Toy::new();
    let list = succeeds(&toy.chiasm(&["data", "list"]));
    for name in ["gse7390", "hancock", "porpoise", "transneo"] {
        assert!(list.contains(name), "{list}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&succeeds(&toy.chiasm(&["data", "list", "--json"]))).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 4);
    assert!(json.as_array().unwrap().iter().all(|d| d["licence"].is_string() && d["citation"].is_string()));

    let said = succeeds(&toy.chiasm(&["data", "get", "gse7390", "--into", "sets"]));
    assert_eq!(said.trim(), "sets/gse7390");
    assert_eq!(toy.read("sets/gse7390/gse7390.csv").lines().count(), 199);
    toy.refused(
        &toy.chiasm(&["data", "get", "gse739", "--into", "sets"]),
        &["gse739", "did you mean 'gse7390'?"],
    );
}

#[test]
fn a_data_set_that_cannot_be_reached_fails_fast() {
    let toy = Toy::new();
    let start = Instant::now();
    let output = toy.chiasm(&["data", "get", "hancock", "--into", "sets"]);
    toy.refused(&output, &["cannot fetch https://"]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let half = if toy.path("sets").exists() { toy.files("sets") } else { Default::default() };
    assert!(half.is_empty(), "{half:?}");
}

#[test]
fn the_schema_of_recipes_is_json_and_knows_the_keys() {
    let toy = Toy::new();
    let schema: serde_json::Value =
        serde_json::from_str(&succeeds(&toy.chiasm(&["recipe", "schema"]))).unwrap();
    for key in ["modalities", "fusions", "split", "task", "seed"] {
        assert!(schema["properties"][key].is_object(), "no `{key}`");
    }
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn every_bundled_recipe_passes_its_check_by_name_and_by_path() {
    let toy = Toy::new();
    for entry in std::fs::read_dir(crate::toy::root().join("recipes")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(succeeds(&toy.chiasm(&["recipe", "check", name])).contains("nothing wrong"));
        succeeds(&toy.chiasm(&["recipe", "check", path.to_str().unwrap(), "--json"]));
    }
    let said = succeeds(&toy.chiasm(&["recipe", "check", "recipe", "--site", "site"]));
    assert_eq!(said.trim(), "toy-relapse on site toy: nothing wrong");
    toy.refused(
        &toy.chiasm(&["recipe", "check", "hancock-recurence"]),
        &["did you mean 'hancock-recurrence'?"],
    );
}

#[test]
fn quickstart_without_network_runs_on_the_bundled_cohort() {
    let empty = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_chiasm"));
    // One folder deeper, so that `../shared/data` is nobody's.
    let home = empty.path().join("home");
    std::fs::create_dir(&home).unwrap();
    command.arg("quickstart").current_dir(&home).env_remove("CHIASM_DATA");
    offline(&mut command);
    let output = command.output().unwrap();
    let said = succeeds(&output);
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(notes.contains("HANCOCK cannot be reached") && notes.contains("GSE7390"), "{notes}");
    for words in ["198 patients, 51 with the event", "clinical", "genes", "▸", "report.html"] {
        assert!(said.contains(words), "{said}");
    }
    let run = home.join("runs/quickstart/gse7390-metastasis");
    assert!(run.join("report.html").is_file());
    let report = Report::from_json(&std::fs::read_to_string(run.join("report.json")).unwrap()).unwrap();
    assert_eq!((report.n, report.events), (198, Some(51)));
}
