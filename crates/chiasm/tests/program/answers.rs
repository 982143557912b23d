//! `chiasm predict` and `chiasm explain`: any subset of the modalities gives an answer, none gives an
//! abstention, and shares sum to what they explain.

use crate::toy::{FILES, MODALITIES, SUBJECTS, Toy, id, succeeds};
use std::collections::BTreeMap;

const NOTHING: &str = "at least one modality required";

fn number(row: &BTreeMap<String, String>, column: &str) -> Option<f64> {
    let text = &row[column];
    (!text.is_empty()).then(|| text.parse().unwrap())
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn explain(toy: &Toy, subject: &str) -> serde_json::Value {
    let said = succeeds(&toy.chiasm(&["explain", "run", "--data", "data", "--subject", subject, "--json"]));
    serde_json::from_str(&said).unwrap()
}

#[test]
fn answers_have_the_documented_columns_and_shares_that_sum() {
    let toy = Toy::trained();
    // Labels are not needed, and not looked at.
    toy.remove("data/targets.csv");
    succeeds(&toy.predict());
    let header = toy.read("answers.csv").lines().next().unwrap().to_owned();
    let expected = "subject,prediction,low,high,abstain_reason,present,attr_clinical,attr_labs,attr_genes,voi_clinical,voi_labs,voi_genes";
    assert_eq!(header, expected);
    let rows = toy.rows("answers.csv");
    assert_eq!(rows.len(), SUBJECTS);
    let base = explain(&toy, &id(0))["prediction"]["attribution"][0]["base"].as_f64().unwrap();
    for row in &rows {
        let (Some(p), Some(low), Some(high)) =
            (number(row, "prediction"), number(row, "low"), number(row, "high"))
        else {
            assert_eq!((row["abstain_reason"].as_str(), row["present"].as_str()), (NOTHING, ""));
            assert_eq!(row["subject"], id(SUBJECTS - 1));
            assert!(MODALITIES.iter().all(|m| row[&format!("attr_{m}")].is_empty()));
            continue;
        };
        assert!(0.0 <= low && low <= p && p <= high && high <= 1.0, "{row:?}");
        let present: Vec<&str> = row["present"].split('+').collect();
        let mut sum = 0.0;
        for m in MODALITIES {
            let (share, value) = (number(row, &format!("attr_{m}")), number(row, &format!("voi_{m}")));
            assert_eq!(share.is_some(), present.contains(&m), "{row:?}");
            assert!(value.is_none() || (!present.contains(&m) && value >= Some(0.0)), "{row:?}");
            sum += share.unwrap_or(0.0);
        }
        assert!((logit(p) - base - sum).abs() < 1e-5, "{} against {sum}", logit(p) - base);
    }
    assert_eq!(rows.iter().filter(|r| r["prediction"].is_empty()).count(), 1);
    assert!(rows.iter().any(|r| !r["voi_labs"].is_empty()), "no value of the missing labs anywhere");
}

#[test]
fn every_subset_of_the_files_gives_answers() {
    let toy = Toy::trained();
    toy.remove("data/targets.csv");
    let kept: Vec<(String, Vec<u8>)> =
        FILES.iter().map(|f| (format!("data/{f}"), toy.bytes(&format!("data/{f}")))).collect();
    succeeds(&toy.predict());
    let has: BTreeMap<String, String> =
        toy.rows("answers.csv").into_iter().map(|r| (r["subject"].clone(), r["present"].clone())).collect();
    for subset in 1..8usize {
        for (bit, (name, bytes)) in kept.iter().enumerate() {
            if subset >> bit & 1 == 1 {
                toy.write(name, bytes);
            } else if toy.path(name).exists() {
                toy.remove(name);
            }
        }
        let output = toy.predict();
        succeeds(&output);
        let notes = String::from_utf8_lossy(&output.stderr);
        let missing = 3 - subset.count_ones() as usize;
        assert_eq!(notes.matches("the file is missing").count(), missing, "{notes}");
        for row in toy.rows("answers.csv") {
            let all: Vec<&str> = has[&row["subject"]].split('+').collect();
            let seen: Vec<&str> = MODALITIES
                .into_iter()
                .enumerate()
                .filter(|(bit, m)| subset >> bit & 1 == 1 && all.contains(m))
                .map(|(_, m)| m)
                .collect();
            assert_eq!(row["present"], seen.join("+"));
            assert_eq!(row["prediction"].is_empty(), seen.is_empty(), "{row:?}");
            assert_eq!(row["abstain_reason"] == NOTHING, seen.is_empty(), "{row:?}");
        }
    }
}

#[test]
fn one_modality_file_alone_is_enough() {
    let toy = Toy::trained();
    for name in ["roster.csv", "clinical.csv", "genes.csv", "targets.csv"] {
        toy.remove(&format!("data/{name}"));
    }
    succeeds(&toy.predict());
    let rows = toy.rows("answers.csv");
    assert_eq!(rows.len(), 64);
    assert!(rows.iter().all(|r| r["present"] == "labs" && !r["prediction"].is_empty()));
}

#[test]
fn what_others_have_changes_nobodys_answer() {
    let toy = Toy::trained();
    succeeds(&toy.predict());
    let all = toy.rows("answers.csv");
    for name in FILES {
        let text = toy.read(&format!("data/{name}"));
        let few: Vec<&str> = text.lines().take(6).collect();
        toy.write(&format!("data/{name}"), few.join("\n"));
    }
    succeeds(&toy.predict());
    for row in toy.rows("answers.csv").iter().filter(|r| r["present"] == "clinical+labs+genes") {
        assert!(all.contains(row), "{row:?}");
    }
}

#[test]
fn explain_says_what_drove_it_and_what_is_missing() {
    let toy = Toy::trained();
    let told = succeeds(&toy.chiasm(&["explain", "run", "--data", "data", "--subject", &id(4)]));
    for words in ["relapse:", "What drove it", "clinical", "genes", "age", "Missing", "labs"] {
        assert!(told.contains(words), "expected `{words}` in: {told}");
    }
    let json = explain(&toy, &id(4));
    assert_eq!(json["modalities"], serde_json::json!(MODALITIES));
    assert_eq!(json["missing"][0]["modality"], "labs");
    let p = json["prediction"]["value"][0].as_f64().unwrap();
    let attribution = &json["prediction"]["attribution"][0];
    let sum: f64 =
        attribution["shares"].as_array().unwrap().iter().map(|s| s["share"].as_f64().unwrap()).sum();
    assert!((logit(p) - attribution["base"].as_f64().unwrap() - sum).abs() < 1e-5);

    let nobody = succeeds(&toy.chiasm(&["explain", "run", "--data", "data", "--subject", &id(SUBJECTS - 1)]));
    assert!(nobody.contains(NOTHING), "{nobody}");
    let output = toy.chiasm(&["explain", "run", "--data", "data", "--subject", "nobody"]);
    toy.refused(&output, &["subject 'nobody' is not known", "80 subjects"]);
}

#[test]
fn a_number_outside_its_range_is_noted_and_taken_as_missing() {
    let toy = Toy::trained();
    toy.set_cell("data/labs.tsv", 2, "hb", "99");
    let output = toy.predict();
    succeeds(&output);
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(notes.contains("note: data/labs.tsv, column `hb`: outside the plausible range"), "{notes}");
}

#[test]
fn an_empty_data_folder_is_refused() {
    let toy = Toy::trained();
    std::fs::create_dir(toy.path("empty")).unwrap();
    let output = toy.chiasm(&["predict", "run", "--data", "empty", "--out", "answers.csv"]);
    toy.refused(&output, &["no file of any modality"]);
    let output = toy.chiasm(&["predict", "run", "--data", "elsewhere", "--out", "answers.csv"]);
    toy.refused(&output, &["elsewhere is not there", "--data"]);
}
