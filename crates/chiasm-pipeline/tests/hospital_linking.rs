//! The synthetic hospital's records against its truth: nobody is taken for somebody else, most people are found
//! whole, and the clocks that are wrong are seen to be wrong by as much as they are.
//!
//! `tools/linkage_hospital.py` is the same at any size, and says where recall is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use chiasm_pipeline::Silent;
use chiasm_pipeline::evidence::linking::{Clock, link_store};
use chiasm_pipeline::evidence::{ingest::ingest, site::IngestSite, store};
use chiasm_store::{EventRow, IdentityRow, LinkRow, RecordId};
use chiasm_synth::hospital::{HospitalConfig, generate};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The authority under which the store has a record of the truth.
fn place(source: &str, authority: &str, kind: &str) -> Option<String> {
    match (source, kind) {
        ("ehr", "resource") => Some("synthetic-hospital/Patient".to_owned()),
        ("hl7" | "pacs", "mrn") => Some(authority.to_owned()),
        (_, "sample" | "record" | "device") => Some("synthetic-hospital|sample".to_owned()),
        _ => None,
    }
}

/// Who each record is, and the people who have two charts in one system.
fn truth(folder: &Path, store: &store::Store) -> (BTreeMap<RecordId, String>, BTreeSet<String>) {
    let table = chiasm_ingest::read_table(&folder.join("truth/truth.parquet")).unwrap();
    let column = |name: &str| table.column(name).unwrap();
    let [source, authority, identifier, kind, person, defects] =
        ["source", "authority", "identifier", "kind", "person", "defects"].map(column);
    let (mut who, mut twice) = (BTreeMap::new(), BTreeSet::new());
    for row in 0..table.rows {
        let text = |c: &chiasm_record::Column| c.cells.text(row).into_owned();
        if let Some(authority) = place(&text(source), &text(authority), &text(kind)) {
            who.insert(store.record(&authority, &text(identifier)), text(person));
        }
        if text(defects).contains("duplicate_chart") {
            twice.insert(text(person));
        }
    }
    (who, twice)
}

fn ahead(folder: &Path, system: &str) -> f64 {
    let text = std::fs::read_to_string(folder.join("truth/clocks.csv")).unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix(system)?.strip_prefix(',')).unwrap();
    line.parse().unwrap()
}

#[test]
fn people_are_found_whole_and_nobody_is_taken_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let exports = folder.path().join("hospital");
    let config = HospitalConfig { film_side: 64, ct_side: 64, ct_images: 2, ..HospitalConfig::new(240, 11) };
    generate(&config.heavy(60), &exports, &mut |_, _| {}).unwrap();
    let site = IngestSite::open(exports.to_str().unwrap()).unwrap();
    let mut store = store::create(&folder.path().join("store"), [7; 32]).unwrap();
    let sources = ["ehr", "hl7", "pacs", "lims", "devices"].map(|name| exports.join(name));
    ingest(&sources, &site, &mut store, &Silent).unwrap();
    let done = link_store(&mut store, &Silent).unwrap();

    let (who, twice) = truth(&exports, &store);
    let mut subject: BTreeMap<RecordId, i64> = BTreeMap::new();
    for rows in store.scan::<IdentityRow>() {
        subject.extend(rows.unwrap().into_iter().map(|r| (r.record_id, r.record_id.0)));
    }
    for rows in store.scan::<LinkRow>() {
        subject.extend(rows.unwrap().into_iter().map(|r| (r.record_id, r.subject_id)));
    }
    let nobody = subject.keys().filter(|r| !who.contains_key(r)).count();
    assert_eq!(nobody, 0, "records that the truth does not know");
    let mut persons: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    // Two charts of one system are for a person to decide: two numbers of one authority are never joined unasked.
    let ([mut right, mut all], [mut whole, mut alone]) = ([0_usize; 2], [0_usize; 2]);
    for (a, s) in &subject {
        persons.entry(*s).or_default().insert(&who[a]);
        for (_, t) in subject.range(..*a).filter(|(b, _)| who[*b] == who[a]) {
            (all, right) = (all + 1, right + usize::from(s == t));
            if !twice.contains(&who[a]) {
                (alone, whole) = (alone + 1, whole + usize::from(s == t));
            }
        }
    }
    let mixed: Vec<_> = persons.values().filter(|p| p.len() > 1).collect();
    assert!(mixed.is_empty(), "two people in one patient: {mixed:?}");
    let recall = whole as f64 / alone as f64;
    assert!(recall >= 0.98, "recall {recall:.4} of {alone} pairs of people with one chart a system");
    let recall = right as f64 / all as f64;
    assert!(recall >= 0.85, "recall {recall:.4} of {all} pairs");
    assert!(done.ordered > 100 && done.unknown == 0, "{done:?}");

    // The laboratory's and the scanners' clocks, against the EHR's, which is right.
    for (system, words) in [("lis", "HL7 LIS"), ("pacs", "DICOM")] {
        let of = |c: &&Clock| {
            let both = [&c.system, &c.against];
            both.iter().any(|s| s.contains(words)) && both.iter().any(|s| s.ends_with("FHIR"))
        };
        let clock = done.clocks.iter().find(of).unwrap_or_else(|| panic!("{system}: {:?}", done.clocks));
        let sign = if clock.system.contains(words) { 1.0 } else { -1.0 };
        let planted = ahead(&exports, system) * sign;
        assert!(clock.low_s <= planted && planted <= clock.high_s, "{system} {planted}: {clock:?}");
        assert!(clock.differs() && clock.high_s - clock.low_s <= 2.0, "{clock:?}");
    }
    let ecg =
        done.clocks.iter().find(|c| c.system.contains("waveform") || c.against.contains("waveform")).unwrap();
    let sign = if ecg.system.contains("waveform") { 1.0 } else { -1.0 };
    let planted = ahead(&exports, "ecg") * sign;
    assert!(ecg.low_s <= planted && planted <= ecg.high_s, "ecg {planted}: {ecg:?}");
    assert!(store.scan::<EventRow>().next().is_some());
}
