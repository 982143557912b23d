//! Recipes and sites that cannot be used: the file, the line, the key, the nearest right word.

use crate::toy::Toy;

/// Both `recipe check` and `run` refuse it.
#[track_caller]
fn refused(toy: &Toy, words: &[&str]) {
    toy.refused(&toy.chiasm(&["recipe", "check", "recipe", "--site", "site"]), words);
    toy.refuses_at_once(words);
}

#[test]
fn an_unknown_key_with_the_nearest() {
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "inner_folds = 3", "inner_fold = 3");
    refused(&toy, &["recipe/recipe.toml, line 7", "`inner_fold`", "did you mean 'inner_folds'?"]);
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "shrinkage = [10, 100]", "shrinkge = [10, 100]");
    refused(&toy, &["recipe/recipe.toml, line", "`shrinkge`", "did you mean 'shrinkage'?"]);
    let toy = Toy::new();
    toy.edit("site/site.toml", "levels = [", "level = [");
    refused(&toy, &["site/site.toml", "`level`", "`levels`"]);
}

#[test]
fn a_missing_key_and_a_wrong_type() {
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "seed = 11\n", "");
    refused(&toy, &["recipe/recipe.toml", "missing field `seed`"]);
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "seed = 11", "seed = \"eleven\"");
    refused(&toy, &["recipe/recipe.toml, line 6", "expected u64"]);
    let toy = Toy::new();
    toy.write("recipe/recipe.toml", "name = [");
    refused(&toy, &["recipe/recipe.toml, line 1"]);
}

#[test]
fn a_fusion_of_one_modality() {
    let toy = Toy::new();
    let text = toy.read("recipe/recipe.toml");
    let (before, rest) = text.split_once("[[modalities]]\nname = \"labs\"").unwrap();
    let (_, after) = rest.split_once("[[fusions]]").unwrap();
    toy.write("recipe/recipe.toml", format!("{before}[[fusions]]{after}"));
    refused(&toy, &["modalities: found 1, expected at least 2"]);
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "name = \"concat\"", "name = \"concat\"\nmodalities = [\"labs\"]");
    refused(&toy, &["fusions.concat", "a fusion of one modality is none"]);
}

#[test]
fn modalities_and_outcomes_that_the_site_lacks() {
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "name = \"labs\"", "name = \"lab\"");
    refused(&toy, &["no modality `lab`", "`labs`"]);
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "outcome = \"relapse\"", "outcome = \"relaps\"");
    refused(&toy, &["no outcome `relaps`", "`relapse`"]);
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "name = \"concat\"", "name = \"concat\"\nmodalities = [\"labs\", \"gene\"]");
    refused(&toy, &["fusions.concat", "'gene'", "did you mean 'genes'?"]);
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "subgroups = [\"sex\"]", "subgroups = [\"sx\"]");
    refused(&toy, &["subgroup `sx`", "`sex`"]);
}

#[test]
fn a_label_that_is_also_an_input() {
    let toy = Toy::new();
    toy.edit(
        "site/site.toml",
        "[modalities.labs]\ncolumns = [",
        "[modalities.labs]\ncolumns = [\n  { table = \"targets\", names = [\"relapse\"], kind = \"nominal\" },",
    );
    refused(&toy, &["modalities.labs", "`relapse` of table `targets`", "outcome"]);
    // By a pattern, and by another name of the same file.
    let toy = Toy::new();
    toy.edit("site/site.toml", "[tables.genes]\n", "[tables.again]\nfile = \"targets.csv\"\n[tables.genes]\n");
    toy.edit(
        "site/site.toml",
        "[modalities.labs]\ncolumns = [",
        "[modalities.labs]\ncolumns = [\n  { table = \"again\", names = [\"d*\"], kind = \"numeric\" },",
    );
    refused(&toy, &["modalities.labs", "of table `again`", "outcome"]);
}

#[test]
fn numbers_out_of_bounds() {
    for (from, to, words) in [
        ("confidence = 0.8", "confidence = 1.0", "confidence: found 1"),
        ("margin = 0.02", "margin = 0", "margin: found 0"),
        ("inner_folds = 3", "inner_folds = 1", "inner_folds: found 1"),
        ("\nfolds = 3", "\nfolds = 1", "split: found 1 folds"),
        ("penalties = [1, 10]", "penalties = []", "modalities.labs: penalties"),
        ("penalties = [1, 10]", "penalties = [-1]", "modalities.labs: penalties"),
        ("penalties = [1, 10]", "penalties = [nan]", "modalities.labs: penalties"),
        ("trees = 20", "trees = 0", "modalities.genes: trees"),
        ("shrinkage = [10, 100]", "shrinkage = []", "fusions.stacked: shrinkage"),
        ("name = \"concat\"", "name = \"labs\"", "the name 'labs' is taken"),
        ("seed = 11", "seed = 11\nhorizon_years = 2", "only a survival question"),
    ] {
        let toy = Toy::new();
        toy.edit("recipe/recipe.toml", from, to);
        toy.refused(&toy.chiasm(&["recipe", "check", "recipe", "--site", "site"]), &["recipe/recipe.toml", words]);
    }
}

#[test]
fn a_task_that_the_outcome_cannot_answer() {
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "kind = \"binary\"", "kind = \"regression\"");
    toy.refuses_at_once(&["outcome `relapse` cannot answer"]);
}

#[test]
fn parameters_that_nobody_declared() {
    let toy = Toy::new();
    let run = |set: &str| {
        toy.chiasm(&["run", "recipe", "--site", "site", "--data", "data", "--out", "run", "--set", set])
    };
    toy.refused(&run("canser=luad"), &["parameter 'canser' is not known", "there are none"]);
    let output = run("cancer");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("KEY=VALUE"));
    let output = toy.chiasm(&["run", "pancancer-survival", "--data", "data", "--out", "run", "--set", "canser=luad"]);
    toy.refused(&output, &["parameter 'canser' is not known", "did you mean 'cancer'?"]);
    // A value is a part of a file's name, no way out of the folder.
    let output = toy.chiasm(&["run", "pancancer-survival", "--data", "data", "--out", "run", "--set", "cancer=../../etc/x"]);
    toy.refused(&output, &["cancer"]);
    assert!(!toy.path("run").exists());
}

#[test]
fn a_parameter_that_the_site_needs_and_the_recipe_lacks() {
    let toy = Toy::new();
    toy.edit("site/site.toml", "file = \"genes.csv\"", "file = \"{cancer}.csv\"");
    refused(&toy, &["site/site.toml", "parameter 'cancer'"]);
}

#[test]
fn a_site_whose_file_leaves_the_data_folder() {
    for file in ["../secret.csv", "/etc/passwd", "a/../../secret.csv"] {
        let toy = Toy::new();
        toy.write("secret.csv", toy.bytes("data/genes.csv"));
        toy.edit("site/site.toml", "file = \"genes.csv\"", &format!("file = \"{file}\""));
        refused(&toy, &["genes", "data folder"]);
    }
}

#[test]
fn errors_as_json() {
    let toy = Toy::new();
    let output = toy.chiasm(&["recipe", "check", "nowhere", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json["error"].as_str().unwrap().contains("nowhere"));
}
