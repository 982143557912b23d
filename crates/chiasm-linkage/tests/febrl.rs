//! Known data with known answers: F1 at probability 0.5 against what Splink 5.0.0 reaches on the same records.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_linkage::{ClusterConfig, FieldKind, Fields, LinkConfig, Records, RecordsBuilder, link, persons};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// The file, or `None` with a loud word where it is not on this machine.
fn data(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let file = std::env::var_os("CHIASM_DATA").map_or(beside, PathBuf::from).join("febrl").join(name);
    if file.is_file() {
        return Some(file);
    }
    eprintln!("SKIPPED: {} is not there; set CHIASM_DATA to the folder of data sets", file.display());
    None
}

/// The records and, for each, whose it is: the id up to its second hyphen, or the column `truth`.
fn read(file: &Path, without: &[&str], truth: Option<&str>) -> (Records, Vec<String>) {
    let mut builder = RecordsBuilder::new();
    let mut people = Vec::new();
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    let (mut kinds, _) = Fields::default().bind("febrl", &names).unwrap();
    for (kind, name) in kinds.iter_mut().zip(&names) {
        if without.contains(name) {
            *kind = FieldKind::Ignore;
        }
    }
    let told = truth.map(|name| names.iter().position(|n| *n == name).unwrap());
    for row in reader.records().map(Result::unwrap) {
        builder.push(
            &row[0],
            kinds.iter().zip(&names).zip(&row).map(|((kind, name), cell)| (*kind, *name, cell)),
        );
        let person = row[0].splitn(3, '-').take(2).collect::<Vec<_>>().join("-");
        people.push(told.map_or(person, |column| row[column].to_owned()));
    }
    (builder.finish(), people)
}

/// F1 at 0.5.
fn f1(records: &Records, people: &[String]) -> f64 {
    let linkage = link(records, &LinkConfig::default());
    let mut sizes: HashMap<&str, u64> = HashMap::new();
    people.iter().for_each(|person| *sizes.entry(person).or_default() += 1);
    let all: u64 = sizes.values().map(|n| n * (n - 1) / 2).sum();
    let found: Vec<_> = linkage.pairs.iter().filter(|pair| pair.probability >= 0.5).collect();
    let right = found.iter().filter(|p| people[p.left as usize] == people[p.right as usize]).count();
    2.0 * right as f64 / (found.len() as u64 + all) as f64
}

#[test]
fn febrl3_beats_splink() {
    let Some(file) = data("dataset3.csv") else { return };
    let (records, people) = read(&file, &[], None);
    assert!(f1(&records, &people) >= 0.9990, "Splink: 0.9961");
    let (records, people) = read(&file, &["soc_sec_id"], None);
    assert!(f1(&records, &people) >= 0.9985, "Splink: 0.9757");
}

#[test]
fn febrl1_and_2_are_all_but_solved() {
    for name in ["dataset1.csv", "dataset2.csv"] {
        let Some(file) = data(name) else { return };
        let (records, people) = read(&file, &["soc_sec_id"], None);
        assert!(f1(&records, &people) >= 0.999, "{name}");
    }
}

#[test]
fn few_fields_with_many_errors() {
    let Some(file) = data("splink_fake_1000.csv") else { return };
    let (records, people) = read(&file, &["cluster"], Some("cluster"));
    assert!(f1(&records, &people) >= 0.96);
}

#[test]
fn persons_of_febrl3_are_pure() {
    let Some(file) = data("dataset3.csv") else { return };
    let (records, people) = read(&file, &["soc_sec_id"], None);
    let linkage = link(&records, &LinkConfig::default());
    let persons = persons(&records, &linkage, &BTreeMap::new(), ClusterConfig::default());
    for group in persons.groups() {
        assert!(
            group.iter().all(|&row| people[row as usize] == people[group[0] as usize]),
            "two people in one person"
        );
    }
    // A birthday or first name typed wrong may be another member's of the household: such pairs are for review.
    assert!(persons.links.len() > 1_850, "{} of 3,000 duplicates linked", persons.links.len());
}
