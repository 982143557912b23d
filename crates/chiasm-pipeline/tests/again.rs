//! What comes again: exports that grew, corrections that are taken back, signals that arrive after their header,
//! bindings that changed. What is new is taken, once, and what was there stays.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_pipeline::Silent;
use chiasm_pipeline::evidence::ingest::{Ingested, ingest};
use chiasm_pipeline::evidence::linking::link_store;
use chiasm_pipeline::evidence::normalise::normalise;
use chiasm_pipeline::evidence::{site::IngestSite, store};
use chiasm_store::{EventRow, Store};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

const SITE: &str = r#"
name = "icu"
[ingest]
[[ingest.tables]]
file = "*lab.csv"
subject = { column = "stay", authority = "icu/stay" }
[[ingest.tables.events]]
code = "LAB"
code_column = "name"
modality = "labs"
value = "result"
unit_column = "unit"
time = { column = "time" }
"#;

struct Ward {
    folder: tempfile::TempDir,
    store: Store,
    site: IngestSite,
}

impl Ward {
    fn new(site: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = store::create(&folder.path().join("store"), [7; 32]).unwrap();
        Self { folder, store, site: IngestSite::parse(site, "a test").unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn take(&mut self, path: &Path) -> Ingested {
        ingest(&[path.to_owned()], &self.site, &mut self.store, &Silent).unwrap()
    }

    fn events(&self) -> Vec<EventRow> {
        self.store.scan::<EventRow>().flat_map(Result::unwrap).collect()
    }
}

/// Rows of a table of results: stay, name and value are small numbers, so that some rows are the same.
fn table(rows: &[(u8, u8, u8)]) -> String {
    let row = |(stay, name, value): &(u8, u8, u8)| {
        format!("{stay},n{name},{value},mmol/L,2024-03-05T{:02}:00:00\n", value % 24)
    };
    "stay,name,result,unit,time\n".to_owned() + &rows.iter().map(row).collect::<String>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// However often a growing table is exported, in whatever order of rows and under whatever name, the store has
    /// the rows of the largest export, each as often as it stands there.
    #[test]
    fn a_table_that_grows_is_taken_once(
        rows in prop::collection::vec((0_u8..4, 0_u8..4, 0_u8..30), 1..40),
        cuts in prop::collection::vec((0_usize..40, 0_usize..40), 1..4),
        together in any::<bool>(),
    ) {
        let mut ward = Ward::new(SITE);
        let mut exports: Vec<(usize, usize)> = cuts.iter().map(|(n, turn)| ((*n).min(rows.len()), *turn)).collect();
        exports.push((rows.len(), 0));
        for (i, (n, turn)) in exports.iter().enumerate() {
            let mut part = rows[..*n].to_vec();
            part.rotate_left((*turn).min(*n));
            let path = ward.path(&format!("exports/{i}-lab.csv"));
            fs::write(&path, table(&part)).unwrap();
            if !together {
                ward.take(&path);
            }
        }
        let folder = ward.folder.path().join("exports");
        ward.take(&folder);
        let mut found: Vec<String> =
            ward.events().iter().map(|r| format!("{}{:?}", r.event.code, r.event.value)).collect();
        let mut wanted: Vec<String> =
            rows.iter().map(|(_, name, value)| format!("LAB|n{name}{:?}", Some(f64::from(*value)))).collect();
        found.sort();
        wanted.sort();
        prop_assert_eq!(found, wanted);
    }
}

#[test]
fn a_long_table_that_grew_costs_what_is_new_in_it() {
    let mut ward = Ward::new(SITE);
    let row = |i: usize| format!("{},n{},{i},mmol/L,2024-03-05T12:00:00\n", i % 50, i % 7);
    let head = "stay,name,result,unit,time\n".to_owned();
    let text = |n: usize| head.clone() + &(0..n).map(row).collect::<String>();
    let path = ward.path("lab.csv");
    fs::write(&path, text(5000)).unwrap();
    assert_eq!(ward.take(&path).totals.events, 5000);
    fs::write(&path, text(5300)).unwrap();
    let done = ward.take(&path).totals;
    assert_eq!((done.events, ward.events().len()), (300, 5300));
    // New rows at the beginning move all others.
    fs::write(&path, head.clone() + &row(9000) + &text(5300)[head.len()..]).unwrap();
    assert_eq!(ward.take(&path).totals.events, 1);
}

#[test]
fn rows_of_two_sites_or_of_other_columns_are_other_rows() {
    let mut ward = Ward::new(SITE);
    let path = ward.path("lab.csv");
    fs::write(&path, table(&[(1, 1, 5)])).unwrap();
    assert_eq!(ward.take(&path).totals.events, 1);
    ward.site = IngestSite::parse(&SITE.replace("\"icu\"", "\"ward\""), "a test").unwrap();
    assert_eq!(ward.take(&path).totals.events, 1);
    // A wider pattern for its files is no other table.
    ward.site = IngestSite::parse(&SITE.replace("*lab.csv", "*ab.csv"), "a test").unwrap();
    assert_eq!(ward.take(&path).totals.events, 0);
    fs::write(&path, table(&[(1, 1, 5)]).replace("result,unit", "unit,result")).unwrap();
    assert_eq!(ward.take(&path).totals.events, 1);
}

#[test]
fn a_correction_that_is_taken_back_counts() {
    let message = |control: u8, time: &str, birth: &str| {
        format!("MSH|^~\\&|A|H|||{time}||ADT^A08|{control}|P|2.5\rPID|||7^^^H^MR||DOE^ANN||{birth}|F\r")
    };
    let said = [
        message(1, "20240101", "19500101"),
        message(2, "20240201", "19600202"),
        message(3, "20240301", "19500101"),
    ];
    // All in one file.
    let mut ward = Ward::new("name = \"H\"\n[ingest]\n");
    let path = ward.path("all.hl7");
    fs::write(&path, said.concat()).unwrap();
    ward.take(&path);
    assert_eq!(newest(&ward.store), ["1950"]);
    // The last one sent holds. (Not for 0, 2, 1: the third says nothing that is not known, and is not written.)
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0], [1, 0, 2]] {
        let mut ward = Ward::new("name = \"H\"\n[ingest]\n");
        for i in order {
            let path = ward.path(&format!("{i}.hl7"));
            fs::write(&path, &said[i]).unwrap();
            ward.take(&path);
        }
        // Somebody else with the birth date that holds, who is the same person by name, birth and sex.
        let other = ward.path("other.hl7");
        fs::write(&other, message(9, "20240401", "19500101").replace("7^^^H^MR", "8^^^K^MR")).unwrap();
        ward.take(&other);
        let newest: Vec<String> = newest(&ward.store);
        assert_eq!(newest, ["1950", "1950"], "{order:?}");
        link_store(&mut ward.store, &Silent).unwrap();
    }
}

/// The year of birth that each record's sources said last.
fn newest(store: &Store) -> Vec<String> {
    let mut last: std::collections::BTreeMap<i64, (i64, String)> = std::collections::BTreeMap::new();
    for row in store.scan::<chiasm_store::IdentityRow>().flat_map(Result::unwrap) {
        let json: serde_json::Value = serde_json::from_str(&row.identity).unwrap();
        let told = row.told.unwrap();
        let year = json["birth"]["year"].to_string();
        let known = last.entry(row.record_id.0).or_insert((i64::MIN, String::new()));
        if told >= known.0 {
            *known = (told, year);
        }
    }
    last.into_values().map(|(_, year)| year).collect()
}

#[test]
fn voxels_that_arrive_after_their_header_are_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../chiasm-ingest/tests/fixtures/signals");
    let header = fixtures.join("pair.hdr");
    let mut ward = Ward::new("name = \"H\"\n[ingest]\n");
    let put = |from: &Path, ward: &Ward| {
        fs::copy(from, ward.path(&format!("mri/{}", from.file_name().unwrap().to_str().unwrap()))).unwrap();
    };
    put(&header, &ward);
    let folder = ward.folder.path().join("mri");
    let first = ward.take(&folder);
    assert_eq!((first.totals.events, first.totals.rejected), (0, 1));
    put(&header.with_extension("img"), &ward);
    assert!(ward.take(&folder).totals.events > 0);
    assert_eq!(ward.take(&folder).unchanged, 1);
}

#[test]
fn changed_bindings_reach_what_was_taken() {
    let mut ward = Ward::new(SITE);
    let path = ward.path("lab.csv");
    fs::write(&path, table(&[(1, 1, 5), (1, 2, 6)])).unwrap();
    ward.take(&path);
    let bound =
        SITE.replace("[[ingest.tables]]", "codes = { \"LAB|n1\" = \"LOINC|2345-7\" }\n[[ingest.tables]]");
    ward.site = IngestSite::parse(&bound, "a test").unwrap();
    // Reading again changes nothing, and doubles nothing.
    let done = ward.take(&path);
    assert_eq!((done.totals.entries, done.totals.repeated), (0, 1));
    let done = normalise(&mut ward.store, &ward.site).unwrap();
    assert_eq!((done.events, done.changed, done.tally.converted), (2, 1, 1));
    let events = ward.events();
    let glucose = events.iter().find(|r| r.event.code.as_str() == "LOINC|2345-7").unwrap();
    assert!((glucose.event.value.unwrap() - 90.078).abs() < 0.01, "{:?}", glucose.event.value);
    assert_eq!(glucose.event.attribute("local_code"), Some("LAB|n1"));
    assert_eq!(events.len(), 2);
    assert_eq!(normalise(&mut ward.store, &ward.site).unwrap().changed, 0, "it is done already");
    // And back.
    ward.site = IngestSite::parse(SITE, "a test").unwrap();
    assert_eq!(normalise(&mut ward.store, &ward.site).unwrap().changed, 1);
    assert_eq!(normalise(&mut ward.store, &ward.site).unwrap().changed, 0);
    assert!(ward.events().iter().all(|r| r.event.unit.as_deref() == Some("mmol/L")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_sent_as_a_whole_is_kept_and_not_offered() {
    let mut ward = Ward::new("name = \"H\"\n[ingest]\n");
    let path = ward.path("a.json");
    let text = r#"{"resourceType":"Observation","id":"1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"718-7"}]},
        "subject":{"reference":"Patient/7","display":"Ann Secretive"},"effectiveDateTime":"2024-03-05","valueQuantity":{"value":13}}"#;
    fs::write(&path, text).unwrap();
    ward.take(&path);
    let events = ward.events();
    assert!(events[0].event.attribute("fhir").unwrap().contains("Secretive"));
    let answer = ward.store.query("SELECT * FROM events").await.unwrap();
    let shown = store::to_json(&answer).unwrap();
    assert!(shown.contains("Observation/1") && !shown.contains("Secretive"), "{shown}");
    for sql in ["SELECT as_sent FROM events", "SELECT key FROM rows"] {
        assert!(ward.store.query(sql).await.is_err(), "{sql}");
    }
}
