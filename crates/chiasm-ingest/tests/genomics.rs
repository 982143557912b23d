//! Variants, matrices and phenopackets: public test files, real cases, hostile bytes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_ingest::feed::{Entry, Feed, Severity, Source};
use chiasm_ingest::{expression, phenopacket, vcf};
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder of data set `name`, or `None` with a loud word where it is not on this machine.
fn data(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("CHIASM_DATA").map_or(beside, PathBuf::from).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there; set CHIASM_DATA to the folder of data sets", folder.display());
    None
}

/// The files of a .tar.gz: their paths and contents.
fn members(archive: &Path) -> Vec<(String, Vec<u8>)> {
    let packed = std::fs::File::open(archive).unwrap();
    let mut archive = tar::Archive::new(GzDecoder::new(packed));
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        found.push((path, bytes));
    }
    found
}

#[test]
fn vcf_test_files_of_the_specification_are_accepted_and_refused() {
    let Some(folder) = data("conformance/vcf") else { return };
    let mut counts = [[0, 0], [0, 0]];
    let mut wrong = Vec::new();
    for (path, bytes) in members(&folder.join("vcf-4.1-4.2.tar.gz")) {
        if !path.ends_with(".vcf") {
            continue;
        }
        let version = usize::from(path.contains("4.2/"));
        let passes = path.contains("/passed/");
        counts[version][usize::from(!passes)] += 1;
        let checked = vcf::check(&Source::memory(path.clone(), bytes)).unwrap();
        if checked.is_valid() != passes {
            let errors: Vec<_> =
                checked.faults.iter().filter(|f| f.severity == Severity::Error).take(3).collect();
            wrong.push(format!("{path}: {errors:?}"));
        }
        for fault in checked.faults.iter().filter(|f| f.severity == Severity::Error) {
            let counted = fault.message.ends_with("more of this rule");
            assert!(fault.rule.starts_with("vcf."), "{path}: {fault:?}");
            assert!(fault.place.starts_with("line ") || counted, "{path}: {fault:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counts, [[25, 193], [25, 190]]);
}

#[test]
fn phenopackets_lose_no_term() {
    let Some(folder) = data("phenopackets") else { return };
    let mut index = csv::Reader::from_path(folder.join("index.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = index.records().map(Result::unwrap).collect();
    let count = |row: &csv::StringRecord, at: usize| row[at].parse::<usize>().unwrap();
    let counts: std::collections::HashMap<String, (usize, usize)> =
        rows.iter().map(|row| (row[0].to_owned(), (count(row, 5), count(row, 6)))).collect();
    let (mut cases, mut variants) = (0, 0);
    for (path, bytes) in members(&folder.join("cases.tar.gz")) {
        if !path.ends_with(".json") {
            continue;
        }
        cases += 1;
        assert!(phenopacket::recognises(&bytes[..bytes.len().min(4096)], &path), "{path}");
        let source = Source::memory(path.clone(), bytes);
        let checked = phenopacket::check(&source).unwrap();
        assert!(checked.is_valid(), "{path}: {:?}", checked.faults);
        let mut entries: Vec<Entry> = Vec::new();
        phenopacket::read(&source, &Feed::utc("site"), &mut entries).unwrap();
        assert_eq!((entries.len(), entries[0].subjects.len(), entries[0].assets.len()), (1, 1, 1), "{path}");
        let events = &entries[0].subjects[0].events;
        let features: Vec<_> = events.iter().filter(|e| e.modality.as_str() == "phenotypes").collect();
        let excluded = features.iter().filter(|e| e.text.as_deref() == Some("excluded")).count();
        let expected = counts.iter().find(|(name, _)| path.ends_with(name.as_str())).unwrap().1;
        assert_eq!((features.len() - excluded, excluded), *expected, "{path}");
        variants += events.iter().filter(|e| e.code.system() == Some("VCF")).count();
    }
    assert_eq!((cases, variants), (1004, 1096));
}

#[test]
fn tables_of_patients_are_no_expression_matrices() {
    let Some(folder) = data("transneo") else { return };
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let head = Source::file(&path).head(1 << 16).unwrap();
        seen += usize::from(path.to_string_lossy().ends_with(".tsv.gz"));
        assert!(!expression::recognises(&head, &path.to_string_lossy()), "{}", path.display());
    }
    assert_eq!(seen, 10);
}
