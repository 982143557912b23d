//! From raw feeds to a timeline, as hospital IT meets it: ingest, query, link, quarantine, check.

use crate::toy::{Toy, succeeds};
use serde_json::Value;
use std::io::Write;

const SITE: &str = r#"
name = "st-mary"
title = "St Mary"
[ingest]
zone = "Europe/Berlin"
[ingest.codes]
"LAB|GLU" = "LOINC|2345-7"
[[ingest.tables]]
file = "lab.csv"
subject = { column = "mrn", authority = "st-mary/mrn", record_number = true, family = "name", birth = "dob" }
[[ingest.tables.events]]
code = "LAB"
code_column = "test"
modality = "labs"
value = "value"
unit_column = "unit"
time = { column = "drawn" }
known = { column = "issued" }
"#;

const LABS: &str = "mrn,name,dob,test,value,unit,drawn,issued\n\
    1,Byron,1815-12-10,GLU,90,mg/dL,2024-03-05T08:00,2024-03-05T10:00\n\
    1,Byron,1815-12-10,GLU,5.5,mmol/L,2024-03-06T08:00,2024-03-07T10:00\n\
    2,Babbage,1791-12-26,XYZ,3,foo/bar,2024-03-05T08:00,2024-03-05T09:00\n\
    3,broken\n";

fn json(toy: &Toy, arguments: &[&str]) -> Value {
    let text = succeeds(&toy.chiasm(&[arguments, &["--json"]].concat()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn filled() -> Toy {
    let toy = Toy::new();
    toy.write("st-mary/site.toml", SITE);
    toy.write("export/lab.csv", LABS);
    toy.write("export/notes.xyz", "of no format");
    toy
}

const INGEST: [&str; 6] = ["ingest", "export", "--site", "st-mary", "--store", "s"];

#[test]
fn what_is_read_can_be_asked() {
    let toy = filled();
    let done = json(&toy, &INGEST);
    assert_eq!((&done["totals"]["events"], &done["totals"]["rejected"]), (&3.into(), &2.into()), "{done}");
    assert_eq!(done["tally"]["unmapped"], serde_json::json!({ "LAB|XYZ": 1 }));
    assert_eq!(done["tally"]["converted"], 1);
    let ask = |sql: &str| json(&toy, &["query", "--store", "s", sql]);
    let glucose =
        ask("SELECT numeric_value AS v, unit FROM events WHERE code = 'LOINC|2345-7' ORDER BY time");
    let values: Vec<f64> = glucose.as_array().unwrap().iter().map(|r| r["v"].as_f64().unwrap()).collect();
    // 5.5 mmol/L of glucose (180.156 g/mol) are 99.1 mg/dL.
    assert!((values[0] - 90.0).abs() < 1e-9 && (values[1] - 99.086).abs() < 0.01, "{values:?}");
    assert!(glucose.as_array().unwrap().iter().all(|r| r["unit"] == "mg/dL"));

    // Nothing of a person is in what queries see.
    let tables = ["events", "links", "entries", "sources", "assets", "quarantine"];
    for table in tables {
        let all = ask(&format!("SELECT * FROM {table}")).to_string();
        assert!(!all.contains("Byron") && !all.contains("Babbage"), "{table}: {all}");
    }
    toy.refused(&toy.chiasm(&["query", "--store", "s", "SELECT * FROM identities"]), &["identities"]);

    // Again: nothing new. Another binding: read anew, and still nothing twice.
    let again = json(&toy, &INGEST);
    assert_eq!((&again["totals"]["events"], &again["unchanged"]), (&0.into(), &1.into()), "{again}");
}

#[test]
fn a_timeline_shows_what_was_known() {
    let toy = filled();
    succeeds(&toy.chiasm(&INGEST));
    let rows = json(
        &toy,
        &["query", "--store", "s", "SELECT subject_id, count(*) AS n FROM events GROUP BY 1 ORDER BY n DESC"],
    );
    let patient = rows[0]["subject_id"].to_string();
    let all = succeeds(&toy.chiasm(&["timeline", "--store", "s", "--patient", &patient]));
    assert!(all.contains("2024-03-05 08:00") && all.contains("+26h"), "{all}");
    let at = |when: &str| {
        let command = ["timeline", "--store", "s", "--patient", &patient, "--as-of", when];
        json(&toy, &command)["events"].as_array().unwrap().len()
    };
    // The same patient, by the source's own number.
    let by_number = ["timeline", "--store", "s", "--patient", "st-mary/mrn|1"];
    assert_eq!(succeeds(&toy.chiasm(&by_number)), all);
    let nobody = toy.chiasm(&["timeline", "--store", "s", "--patient", "st-mary/mrn|4711"]);
    toy.refused(&nobody, &["patient", "no record has that identifier"]);
    assert!(!String::from_utf8_lossy(&nobody.stderr).contains("4711"));
    // The first result came out at ten in Berlin: nine in Greenwich.
    assert_eq!(
        [at("2024-03-05T08:59:00Z"), at("2024-03-05T09:01:00Z"), at("2024-03-07T10:01:00+01:00")],
        [0, 1, 2]
    );
    toy.refused(&toy.chiasm(&["timeline", "--store", "s", "--patient", "1"]), &["patient", "1", "not known"]);
    toy.refused(
        &toy.chiasm(&["timeline", "--store", "s", "--patient", &patient, "--as-of", "yesterday"]),
        &["expected a time"],
    );
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    use std::process::Stdio;
    let toy = Toy::new();
    let mut command = toy.command();
    command.args(["recipe", "schema"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(141), ""));
}

#[test]
fn what_was_refused_is_kept_and_tried_again() {
    let toy = filled();
    succeeds(&toy.chiasm(&INGEST));
    let open = json(&toy, &["quarantine", "list", "--store", "s"]);
    let rules: Vec<&str> = open.as_array().unwrap().iter().map(|r| r["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["table.row", "format.unknown"], "{open}");
    assert_eq!(
        (&open[0]["place"], open[0]["offset"].as_i64()),
        (&"line 5".into(), LABS.find("3,broken").map(|o| o as i64))
    );
    let id = open[1]["id"].as_str().unwrap();
    succeeds(&toy.chiasm(&["quarantine", "show", &id[..8], "--store", "s", "--out", "part"]));
    assert_eq!(toy.read("part"), "of no format");
    toy.refused(&toy.chiasm(&["quarantine", "show", "zzz", "--store", "s"]), &["zzz"]);

    // The site learns what the file is.
    let more = "[[ingest.tables]]\nfile = \"notes.xyz\"\nsubject = { column = \"of no format\", authority = \"x\" }\n";
    toy.write("st-mary/site.toml", format!("{SITE}{more}"));
    let retried = json(&toy, &["quarantine", "retry", "--store", "s", "--site", "st-mary"]);
    assert_eq!((&retried["refused"], &retried["gone"]), (&1.into(), &1.into()), "{retried}");
}

#[test]
fn archives_are_read_inside_and_cannot_write_outside() {
    let toy = filled();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("deep/lab.csv", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(LABS.as_bytes()).unwrap();
    toy.write("good.zip", zip.finish().unwrap().into_inner());
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("../../stolen", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"x").unwrap();
    toy.write("bad.zip", zip.finish().unwrap().into_inner());
    let done = json(&toy, &["ingest", "good.zip", "bad.zip", "--site", "st-mary", "--store", "s"]);
    assert_eq!((&done["totals"]["events"], &done["totals"]["rejected"]), (&3.into(), &2.into()), "{done}");
    let open = json(&toy, &["quarantine", "list", "--store", "s"]);
    assert!(open.as_array().unwrap().iter().any(|r| r["rule"] == "file.outside"), "{open}");
    assert!(!toy.path("stolen").exists() && !toy.path("s/stolen").exists());
    let left = std::fs::read_dir(toy.path("s/tmp")).unwrap().count();
    assert_eq!(left, 0, "what was unpacked is removed");
}

#[test]
fn tables_of_people_are_linked() {
    let toy = Toy::new();
    let given = ["ada", "mary", "grace", "rosalind", "emmy", "sofia", "marie", "lise", "chien", "maria"];
    let family = ["byron", "somerville", "hopper", "franklin", "noether", "kovalevskaya", "curie", "meitner"];
    let mut table = String::from("id,given_name,surname,date_of_birth,postcode\n");
    // Draws that are the same every time: the top bits of a multiplied counter.
    let mut state = 1_u64;
    let mut draw = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for i in 0..400 {
        let (g, f) = (given[draw(10)], format!("{}{}", family[draw(8)], char::from(b'a' + draw(20) as u8)));
        let born = format!("19{:02}{:02}{:02}", 10 + draw(80), 1 + draw(12), 1 + draw(28));
        let postcode = 1000 + draw(900);
        table += &format!("{i},{g},{f},{born},{postcode}\n");
        if i < 100 {
            // The same person again, with a slip in the name.
            table += &format!("{i}-again,{g},{}x,{born},{postcode}\n", &f[..f.len() - 1]);
        }
    }
    toy.write("people.csv", table);
    let done = json(&toy, &["link", "--records", "people.csv", "--out", "pairs.csv"]);
    assert_eq!(done["records"], 500);
    let rows = toy.rows("pairs.csv");
    let likely: Vec<_> = rows.iter().filter(|r| r["probability"].parse::<f64>().unwrap() >= 0.5).collect();
    let right = likely.iter().filter(|r| {
        let plain = |id: &str| id.trim_end_matches("-again").to_owned();
        plain(&r["id_l"]) == plain(&r["id_r"])
    });
    assert_eq!((right.count(), likely.len()), (100, 100));
    assert!(rows.iter().all(|r| r.keys().any(|k| k.starts_with("weight_"))));
    toy.write("fields.toml", "[columns]\nnothing = \"given_name\"\n");
    let wrong = ["link", "--records", "people.csv", "--fields", "fields.toml", "--out", "pairs.csv"];
    toy.refused(&toy.chiasm(&wrong), &["nothing"]);
    toy.refused(&toy.chiasm(&["link", "--records", "nobody.csv", "--out", "pairs.csv"]), &["nobody.csv"]);
}

#[test]
fn check_ends_with_one_where_a_standard_is_broken() {
    let toy = Toy::new();
    let good =
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t5\t.\tA\tC\t.\tPASS\t.\n";
    toy.write("good.vcf", good);
    toy.write("bad.vcf", good.replace("\tA\t", "\tQ\t"));
    let output = toy.chiasm(&["check", "good.vcf"]);
    assert!(succeeds(&output).contains("VCF 4.2, valid"), "{output:?}");
    let output = toy.chiasm(&["check", "good.vcf", "bad.vcf", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let answers: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answers[0]["valid"], &answers[1]["valid"]), (&true.into(), &false.into()));
    assert!(answers[1]["faults"][0]["place"].as_str().unwrap().contains("line 3"), "{answers}");
    toy.refused(&toy.chiasm(&["check", "none.vcf"]), &["none.vcf"]);
}

#[test]
fn a_store_is_not_made_among_other_files() {
    let toy = filled();
    toy.write("full/letter.txt", "x");
    toy.refused(&toy.chiasm(&["ingest", "export", "--site", "st-mary", "--store", "full"]), &["other files"]);
    toy.refused(&toy.chiasm(&["ingest", "export", "--site", "nowhere", "--store", "s"]), &["nowhere"]);
    toy.refused(&toy.chiasm(&["ingest", "none", "--store", "s"]), &["none"]);
    toy.refused(&toy.chiasm(&["query", "--store", "nothing", "SELECT 1"]), &["no store"]);
}

#[test]
fn a_database_that_cannot_be_read_is_kept_with_the_way_out() {
    let toy = filled();
    toy.write("cdm.duckdb", "12345678DUCK and no more");
    let done = json(&toy, &["ingest", "cdm.duckdb", "--site", "st-mary", "--store", "store"]);
    assert_eq!((done["totals"]["rejected"].as_u64(), done["totals"]["events"].as_u64()), (Some(1), Some(0)));
    let open = json(&toy, &["quarantine", "list", "--store", "store"]);
    let message =
        open.as_array().unwrap().iter().find(|q| q["origin"].as_str().unwrap().ends_with("cdm.duckdb"));
    let message = message.unwrap()["message"].as_str().unwrap();
    // With DuckDB's program it is a damaged database, without it one that cannot be read here.
    assert!(message.contains("EXPORT DATABASE") || message.contains("installed DuckDB"), "{message}");
    let checked = toy.chiasm(&["check", "cdm.duckdb"]);
    assert_eq!(checked.status.code(), Some(1));
}

#[test]
fn a_database_is_read_as_its_tables() {
    let duckdb = |toy: &Toy, sql: &str| {
        let ran = std::process::Command::new("duckdb")
            .args(["-batch", "-no-init", "source.duckdb", "-c", sql])
            .current_dir(toy.path(""))
            .stdin(std::process::Stdio::null())
            .output();
        ran.ok().filter(|ran| ran.status.success())
    };
    let toy = filled();
    let sql = "CREATE SCHEMA cdm; CREATE TABLE cdm.person AS SELECT 7 AS person_id, 8507 AS gender_concept_id, \
               1950 AS year_of_birth, 0 AS race_concept_id, 0 AS ethnicity_concept_id; \
               CREATE TABLE cdm.\"o'dd\" AS SELECT 1 AS a";
    if duckdb(&toy, sql).is_none() {
        println!("SKIPPED: there is no duckdb on the PATH (pip install duckdb-cli)");
        return;
    }
    let done = json(&toy, &["ingest", "source.duckdb", "--site", "st-mary", "--store", "store"]);
    assert_eq!(done["formats"]["OMOP"].as_u64(), Some(1), "{done}");
    let sql = "SELECT text_value FROM events WHERE code = 'FHIR|Patient.gender'";
    assert_eq!(json(&toy, &["query", "--store", "store", sql])[0]["text_value"], "male");
    // One that somebody has open may hold more than the file says.
    toy.write("source.duckdb.wal", "x");
    toy.write("other/site.toml", SITE.replace("st-mary\"\ntitle", "other\"\ntitle"));
    let done = json(&toy, &["ingest", "source.duckdb", "--site", "other", "--store", "store"]);
    assert_eq!(done["totals"]["rejected"].as_u64(), Some(1), "{done}");
}

#[test]
fn changed_codes_reach_what_is_in_the_store() {
    let toy = filled();
    succeeds(&toy.chiasm(&INGEST));
    toy.write(
        "st-mary/site.toml",
        SITE.replace("[ingest.codes]", "[ingest.codes]\n\"LAB|XYZ\" = \"LOINC|2524-7\""),
    );
    let again = succeeds(&toy.chiasm(&["ingest", "export/lab.csv", "--site", "st-mary", "--store", "s"]));
    assert!(again.contains("chiasm normalise"), "{again}");
    let normalise = ["normalise", "--site", "st-mary", "--store", "s"];
    let done = json(&toy, &normalise);
    assert_eq!(done["changed"].as_u64(), Some(1), "{done}");
    let sql = "SELECT count(*) AS n FROM events WHERE code = 'LOINC|2524-7'";
    assert_eq!(json(&toy, &["query", "--store", "s", sql])[0]["n"].as_u64(), Some(1));
    assert_eq!(json(&toy, &normalise)["changed"].as_u64(), Some(0));
}
