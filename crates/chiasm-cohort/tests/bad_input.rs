//! Every wrong input gets an error that names the place, and never a patient's value.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use chiasm_cohort::{Assembled, CohortSpec, Error, Mode, Site, Sources, assemble, inputs};
use chiasm_record::{Content, FeatureKind, TaskKind};
use std::collections::BTreeMap;
use support::{spec, table};

const SITE: &str = r#"
name = "toy"
title = "Toy"
licence = "none"
citation = "none"
key = "id"
missing = ["NA"]
[tables.lab]
file = "lab.csv"
[tables.targets]
file = "targets.csv"
outcome_columns = ["died_of"]
[tables.mutations]
file = "mutations.csv"
repeats = "many"
census = "lab"
derive = [
  { name = "n", op = "count" },
  { name = "genes", op = "count", distinct = ["gene"] },
  { name = "clonal", op = "share", where = { clonal = ["yes"] } },
  { name = "depth", op = "mean", of = "depth" },
]
[modalities.lab]
columns = [
  { table = "lab", names = ["hb"], kind = "numeric", unit = "g/dL", range = [2, 25] },
  { table = "lab", names = ["stage"], kind = "ordered", order = ["I", "II", "III"] },
  { table = "lab", names = ["kind"], kind = "nominal" },
]
[modalities.dna]
columns = [{ table = "mutations", names = ["n", "genes", "clonal", "depth"], kind = "numeric" }]
[outcomes.death]
kind = "survival"
table = "targets"
time = "days"
unit = "d"
event = { column = "dead", yes = ["1"], no = ["0"] }
[folds.given]
files = "fold{fold}.csv"
count = 2
train = "train"
validation = "val"
"#;

const LAB: &str = "id,hb,stage,kind\na,12,I,x\nb,13.5,II,y\nc,NA,III,x\nd,11,I,y\n";
const TARGETS: &str = "id,days,dead,died_of\na,100,1,z\nb,200,0,\nc,300,1,z\nd,400,0,\n";
const MUTATIONS: &str = "id,gene,clonal,depth\na,TP53,yes,10\na,TP53,no,20\nb,TTN,yes,\n";

fn sources(lab: &str, targets: &str) -> Sources {
    let mut sources = Sources::new();
    sources.insert_table("lab", table("lab.csv", lab));
    sources.insert_table("targets", table("targets.csv", targets));
    sources.insert_table("mutations", table("mutations.csv", MUTATIONS));
    sources
}

fn toy() -> CohortSpec {
    spec(TaskKind::Survival, "death", None, &["lab", "dna"])
}

fn train(lab: &str, targets: &str) -> Result<Assembled, Error> {
    assemble(&Site::parse(SITE).unwrap(), &toy(), &sources(lab, targets), Mode::Train)
}

#[track_caller]
fn says(error: &Error, words: &[&str]) {
    let text = error.to_string();
    words.iter().for_each(|word| assert!(text.contains(word), "expected `{word}` in: {text}"));
}

#[test]
fn the_toy_itself_is_right() {
    let made = train(LAB, TARGETS).unwrap();
    assert_eq!((made.flow.included, made.flow.events), (4, Some(2)));
    let Content::Table(lab) = &made.examples.blocks()[0].content else { panic!("a table") };
    assert_eq!((lab.get(2, 0), lab.get(2, 1)), (None, Some(2.0)));
    assert_eq!(lab.features[2].kind, FeatureKind::Nominal(vec!["x".into(), "y".into()]));
    let Content::Table(dna) = &made.examples.blocks()[1].content else { panic!("a table") };
    let row = |row: usize| (0..4).map(|f| dna.get(row, f)).collect::<Vec<_>>();
    assert_eq!(row(0), [Some(2.0), Some(1.0), Some(0.5), Some(15.0)]);
    assert_eq!(row(1), [Some(1.0), Some(1.0), Some(1.0), None]);
    assert_eq!(row(2), [Some(0.0), Some(0.0), None, None], "in the census, without a row");
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let turned = "id,hb,stage,kind\nd,11,I,y\nc,NA,III,x\nb,13.5,II,y\na,12,I,x\n";
    let (one, two) = (train(LAB, TARGETS).unwrap(), train(turned, TARGETS).unwrap());
    // Missing cells are NaN inside, so compare what is printed.
    assert_eq!(format!("{:?}", one.examples), format!("{:?}", two.examples));
    assert_eq!(one.schema, two.schema);
}

#[test]
fn duplicate_and_empty_keys() {
    let error = train(&format!("{LAB}a,12,I,x\n"), TARGETS).unwrap_err();
    says(&error, &["lab.csv, line 6", "lab.csv, line 2", "`id`"]);
    says(&train(&format!("{LAB},12,I,x\n"), TARGETS).unwrap_err(), &["lab.csv, line 6", "empty"]);
}

#[test]
fn a_column_that_is_not_there_and_a_wrong_delimiter() {
    let error = train(&LAB.replace("stage", "stages"), TARGETS).unwrap_err();
    says(&error, &["lab.csv", "`stage`", "`stages`"]);
    let error = train(&LAB.replace(',', ";"), TARGETS).unwrap_err();
    says(&error, &["lab.csv", "`id`", "delimiter"]);
}

#[test]
fn text_and_numbers_that_are_not_finite() {
    for (bad, found) in
        [("secret", "found text"), ("12:5", "found text"), ("NaN", "not finite"), ("inf", "not finite")]
    {
        let error = train(&LAB.replace("13.5", bad), TARGETS).unwrap_err();
        says(&error, &["lab.csv, line 3", "`hb`", "expected a number", found]);
        assert!(!error.to_string().contains("secret"), "a patient's value is in the message");
    }
}

#[test]
fn a_code_outside_the_order() {
    let error = train(&LAB.replace("II,y", "IX,y"), TARGETS).unwrap_err();
    says(&error, &["lab.csv, line 3", "`stage`", "one of I, II, III"]);
    assert!(!error.to_string().contains("IX"));
}

#[test]
fn times_below_zero_or_missing_and_unknown_events() {
    says(
        &train(LAB, &TARGETS.replace("200", "-5")).unwrap_err(),
        &["targets.csv, line 3", "`days`", "a number below 0"],
    );
    says(
        &train(LAB, &TARGETS.replace("200", "")).unwrap_err(),
        &["targets.csv, line 3", "`days`", "nothing"],
    );
    says(
        &train(LAB, &TARGETS.replace("200,0", "200,7")).unwrap_err(),
        &["targets.csv, line 3", "`dead`", "one of 1, 0"],
    );
    let excluded = SITE.replace("kind = \"survival\"", "kind = \"survival\"\nnegative_time = \"exclude\"");
    let sources = sources(LAB, &TARGETS.replace("200", "-5"));
    let made = assemble(&Site::parse(&excluded).unwrap(), &toy(), &sources, Mode::Train).unwrap();
    assert_eq!((made.flow.included, made.flow.excluded["time below 0"]), (3, 1));
    let unknown = train(LAB, &TARGETS.replace("200,0", "200,NA")).unwrap();
    assert_eq!(unknown.flow.excluded["outcome not known"], 1);
}

#[test]
fn one_class_only() {
    says(
        &train(LAB, &TARGETS.replace(",1,z", ",0,z")).unwrap_err(),
        &["all 4 subjects have the same outcome"],
    );
}

#[test]
fn ids_that_do_not_join_are_listed() {
    let made = train(&format!("{LAB}stranger,12,I,x\n"), &format!("{TARGETS}bare,5,0,\n")).unwrap();
    assert_eq!(made.flow.seen, 6);
    assert_eq!(made.flow.excluded["not in the outcome table"], 1);
    assert_eq!(made.flow.excluded["without any modality"], 1);
    let listed = |id: &str| made.findings.iter().any(|f| f.subjects.iter().any(|s| s.as_str() == id));
    assert!(listed("stranger") && listed("bare"), "{:?}", made.findings);
    let other = TARGETS
        .replace("\na,", "\n1,")
        .replace("\nb,", "\n2,")
        .replace("\nc,", "\n3,")
        .replace("\nd,", "\n4,");
    says(&train(LAB, &other).unwrap_err(), &["no subject of", "targets.csv"]);
}

#[test]
fn implausible_values_are_missing_and_another_unit_is_doubted() {
    let made = train(&LAB.replace("13.5", "135"), TARGETS).unwrap();
    assert!(made.findings.iter().any(|f| f.place.contains("`hb`") && f.count == 1), "{:?}", made.findings);
    let rows = |f: fn(usize) -> String| (0..6).map(f).collect::<String>();
    let lab = format!("id,hb,stage,kind\n{}", rows(|i| format!("p{i},{},I,x\n", 120 + i)));
    let targets = format!("id,days,dead,died_of\n{}", rows(|i| format!("p{i},{i},{},\n", i % 2)));
    says(&train(&lab, &targets).unwrap_err(), &["`hb`", "6 of 6", "g/dL", "unit"]);
}

#[test]
fn a_missing_file_in_training() {
    let mut sources = Sources::new();
    sources.insert_table("targets", table("targets.csv", TARGETS));
    let error = assemble(&Site::parse(SITE).unwrap(), &toy(), &sources, Mode::Train).unwrap_err();
    says(&error, &["lab.csv", "missing"]);
}

#[test]
fn data_that_changed_since_training() {
    let site = Site::parse(SITE).unwrap();
    let schema = train(LAB, TARGETS).unwrap().schema;
    let stored = serde_json::to_string(&schema).unwrap();
    assert_eq!(serde_json::from_str::<chiasm_cohort::Schema>(&stored).unwrap(), schema);
    let predict =
        |site: &Site, lab: &str| assemble(site, &toy(), &sources(lab, TARGETS), Mode::Predict(&schema));

    let made = predict(&site, "id,hb,stage,kind\nnew,12,I,y\n").unwrap();
    assert_eq!(
        (made.examples.subjects().len(), made.examples.outcome()),
        (3, None),
        "new, and two of mutations.csv"
    );
    let error = predict(&site, "id,hb,stage,kind\nnew,12,I,hidden\n").unwrap_err();
    says(&error, &["lab.csv, line 2", "`kind`", "one of x, y", "training"]);
    assert!(!error.to_string().contains("hidden") && !error.to_string().contains("new"));
    says(&predict(&site, "id,hb,stage\nnew,12,I\n").unwrap_err(), &["lab.csv", "no column `kind`"]);
    let units = Site::parse(&SITE.replace("g/dL", "mmol/L")).unwrap();
    says(&predict(&units, LAB).unwrap_err(), &["`hb`", "unit `g/dL`", "unit `mmol/L`"]);
}

#[test]
fn a_subject_without_any_modality_is_kept_in_prediction() {
    let site =
        Site::parse(&SITE.replace("missing = [\"NA\"]", "missing = [\"NA\"]\nsubjects = \"lab\"")).unwrap();
    let mut spec = toy();
    spec.modalities.truncate(1);
    let made = assemble(&site, &spec, &sources(LAB, TARGETS), Mode::Train).unwrap();
    let sources = sources("id,hb,stage,kind\nnew,NA,,\n", TARGETS);
    let empty = assemble(&site, &spec, &sources, Mode::Predict(&made.schema)).unwrap();
    assert_eq!(empty.examples.subjects()[0].as_str(), "new");
    assert!(empty.examples.availability(0).is_empty());
}

#[test]
fn folds_that_are_no_partition() {
    let site = Site::parse(SITE).unwrap();
    let mut spec = toy();
    spec.folds = Some("given".into());
    let folds = |zero: &str, one: &str| {
        let mut sources = sources(LAB, TARGETS);
        sources.insert_table("folds.given.0", table("fold0.csv", zero));
        sources.insert_table("folds.given.1", table("fold1.csv", one));
        assemble(&site, &spec, &sources, Mode::Train)
    };
    let good = folds("train,val\nc,a\nd,b\n", "train,val\na,c\nb,d\n").unwrap();
    assert_eq!(good.folds, Some(vec![0, 0, 1, 1]));
    says(
        &folds("train,val\nc,a\na,b\n", "train,val\na,c\nb,d\n").unwrap_err(),
        &["`given`", "training and validation", "fold0.csv"],
    );
    says(&folds("train,val\nc,a\nd,b\n", "train,val\nb,a\nc,d\n").unwrap_err(), &["another fold too"]);
    says(
        &folds("train,val\nc,a\n,b\n", "train,val\na,c\nb,\n").unwrap_err(),
        &["1 of 4 subjects are in no fold"],
    );
    says(
        &folds("train,val\nc,a\n,b\n", "train,val\na,c\nb,d\n").unwrap_err(),
        &["not those of the other folds"],
    );
}

#[test]
fn an_outcome_is_never_an_input() {
    for (was, leak) in [
        ("{ table = \"lab\", names = [\"kind\"]", "{ table = \"targets\", names = [\"days\"]"),
        ("{ table = \"lab\", names = [\"kind\"]", "{ table = \"targets\", names = [\"died_of\"]"),
        ("{ table = \"lab\", names = [\"kind\"]", "{ table = \"targets\", names = [\"d*\"]"),
        (
            "{ table = \"lab\", names = [\"kind\"]",
            "{ table = \"targets\", names = [\"*\"], exclude = [\"days\", \"dead\"]",
        ),
    ] {
        let error = Site::parse(&SITE.replace(was, leak)).unwrap_err();
        assert!(matches!(error, Error::Leak { .. }), "{leak}: {error}");
    }
    let excluded = "{ table = \"targets\", names = [\"*\"], exclude = [\"days\", \"dead\", \"died_of\"]";
    Site::parse(&SITE.replace("{ table = \"lab\", names = [\"kind\"]", excluded)).unwrap();
    // The same file under another table's name is no way round.
    let twice =
        SITE.replace("[tables.mutations]", "[tables.again]\nfile = \"targets.csv\"\n[tables.mutations]");
    let twice =
        twice.replace("{ table = \"lab\", names = [\"kind\"]", "{ table = \"again\", names = [\"dead\"]");
    assert!(matches!(Site::parse(&twice).unwrap_err(), Error::Leak { .. }));
    // Nor is another spelling of its path, or one that a parameter makes the same.
    for file in ["./targets.csv", ".//./targets.csv"] {
        let spelt = twice
            .replace("[tables.again]\nfile = \"targets.csv\"", &format!("[tables.again]\nfile = \"{file}\""));
        assert!(matches!(Site::parse(&spelt).unwrap_err(), Error::Leak { .. }), "{file}");
    }
    let named =
        twice.replace("[tables.again]\nfile = \"targets.csv\"", "[tables.again]\nfile = \"{what}.csv\"");
    let site = Site::parse(&named).unwrap();
    let what = |value: &str| BTreeMap::from([("what".to_owned(), value.to_owned())]);
    let error = inputs(&site, &toy(), Mode::Train, &what("targets")).unwrap_err();
    says(&error, &["`again` and `targets` are one file", "`{what}.csv`"]);
    assert!(inputs(&site, &toy(), Mode::Train, &what("others")).is_ok());
    // Nor is a derived column.
    let derived =
        SITE.replace("file = \"targets.csv\"", "file = \"mutations.csv\"").replace("died_of", "depth");
    assert!(matches!(Site::parse(&derived).unwrap_err(), Error::Leak { .. }));
}

#[test]
fn a_site_with_a_mistake_says_where() {
    let error = Site::parse(&SITE.replace("citation =", "citatoin =")).unwrap_err();
    says(&error, &["line 5", "`citatoin`", "`citation`"]);
    let error = Site::parse(&SITE.replace("unit = \"d\"\nevent", "units = \"d\"\nevent")).unwrap_err();
    says(&error, &["`units`", "`unit`"]);
    let error = Site::parse(&SITE.replace("repeats = \"many\"", "repeats = \"mani\"")).unwrap_err();
    says(&error, &["`mani`", "`many`"]);
    let error =
        Site::parse(&SITE.replace("table = \"targets\"\ntime", "table = \"target\"\ntime")).unwrap_err();
    says(&error, &["outcomes.death", "`target`", "`targets`"]);
}

#[test]
fn a_spec_that_asks_for_what_is_not_there() {
    let site = Site::parse(SITE).unwrap();
    let ask = |change: fn(&mut CohortSpec)| {
        let mut spec = toy();
        change(&mut spec);
        assemble(&site, &spec, &sources(LAB, TARGETS), Mode::Train).unwrap_err()
    };
    says(&ask(|s| s.modalities[0].name = "labs".into()), &["no modality `labs`", "`lab`"]);
    says(&ask(|s| s.task.outcome = "deaths".into()), &["no outcome `deaths`", "`death`"]);
    says(&ask(|s| s.task.kind = TaskKind::Binary), &["horizon_years"]);
    says(&ask(|s| s.task.horizon_years = Some(1.0)), &["horizon_years"]);
    says(&ask(|s| s.task.kind = TaskKind::Regression), &["cannot answer"]);
    says(&ask(|s| s.modalities.clear()), &["no modality"]);
    says(&ask(|s| s.modalities[1].name = "lab".into()), &["twice"]);
}

#[test]
fn the_json_schemas_refuse_unknown_keys() {
    for schema in [schemars::schema_for!(Site), schemars::schema_for!(CohortSpec)] {
        let schema = serde_json::to_value(schema).unwrap();
        assert_eq!(schema["additionalProperties"], false);
        assert!(schema["properties"].as_object().unwrap().len() >= 5);
    }
}

#[test]
fn rows_of_one_subject_must_agree_where_the_site_says_so() {
    let site = SITE.replace("file = \"lab.csv\"", "file = \"lab.csv\"\nrepeats = \"identical\"");
    let made =
        |lab: &str| assemble(&Site::parse(&site).unwrap(), &toy(), &sources(lab, TARGETS), Mode::Train);
    assert_eq!(made(&format!("{LAB}a,12.0,I,x\n")).unwrap().flow.included, 4, "a repeated row counts once");
    says(
        &made(&format!("{LAB}a,12,II,x\n")).unwrap_err(),
        &["lab.csv, line 6", "`stage`", "lab.csv, line 2"],
    );
}

#[test]
fn every_kind_of_task_gets_its_outcome() {
    let more = r#"
[outcomes.group]
kind = "class"
table = "targets"
column = "g"
levels = ["low", "mid", "high"]
[outcomes.weight]
kind = "value"
table = "targets"
column = "w"
[outcomes.flags]
kind = "labels"
table = "targets"
columns = ["p", "q"]
yes = ["1"]
no = ["0"]
"#;
    let site = Site::parse(&format!("{SITE}{more}")).unwrap();
    let targets = "id,g,w,p,q,days,dead,died_of\na,high,1.5,1,0,1,1,\nb,low,2,0,0,1,0,\nc,mid,,1,1,1,0,\nd,NA,3,0,NA,1,0,\n";
    let made = |kind, outcome| {
        let spec = spec(kind, outcome, None, &["lab"]);
        assemble(&site, &spec, &sources(LAB, targets), Mode::Train)
    };
    use chiasm_record::Outcome as O;
    let group = made(TaskKind::MultiClass, "group").unwrap().examples;
    assert_eq!(
        (group.outcome(), &group.task().outputs[..]),
        (Some(&O::MultiClass(vec![2, 0, 1])), &["low", "mid", "high"].map(String::from)[..])
    );
    let weight = made(TaskKind::Regression, "weight").unwrap();
    assert_eq!(weight.examples.outcome(), Some(&O::Regression(vec![1.5, 2.0, 3.0])));
    assert_eq!(weight.flow.excluded["outcome not known"], 1);
    let flags = made(TaskKind::MultiLabel, "flags").unwrap().examples;
    assert_eq!(
        flags.outcome(),
        Some(&O::MultiLabel(vec![vec![true, false], vec![false, false], vec![true, true]]))
    );
    says(&made(TaskKind::Binary, "group").unwrap_err(), &["3 classes", "`positive`"]);
}
