use super::*;
use crate::feed::{Entry, FeedFormat, Rejected, Severity};
use chiasm_linkage::{Identity, Sex};
use chiasm_record::{Event, Precision};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/omop")
}

fn berlin() -> Feed {
    Feed::new("s", "Europe/Berlin").unwrap()
}

fn read_at(path: &Path) -> (Vec<Entry>, Vec<Rejected>) {
    let mut sink = (Vec::new(), Vec::new());
    let source = Source::file(path);
    let head = source.head(1 << 16).unwrap();
    assert_eq!(FeedFormat::of(&head, &source.origin), Some(FeedFormat::Omop), "{path:?}");
    super::read(&source, &berlin(), &mut sink).unwrap();
    sink
}

/// Events with their persons, what was refused (place, rule), and the entries.
type Found = (Vec<(i64, Event)>, Vec<(String, String)>, Vec<Entry>);

fn read_all(name: &str) -> Found {
    let (entries, rejected) = read_at(&folder().join(name));
    let mut events = Vec::new();
    for mention in entries.iter().flat_map(|e| &e.subjects) {
        let key = mention.identity.as_ref().and_then(Identity::key).unwrap();
        assert_eq!(key.authority, "s|OMOP");
        events.extend(mention.events.iter().map(|e| (key.value.parse().unwrap(), e.clone())));
    }
    (events, rejected.into_iter().map(|r| (r.place, r.rule)).collect(), entries)
}

#[test]
fn persons_have_a_birth_a_sex_and_no_name() {
    let (events, rejected, entries) = read_all("PERSON.csv");
    let rules: Vec<&str> = rejected.iter().map(|(_, r)| r.as_str()).collect();
    assert_eq!(rules, ["omop.person.duplicate", "omop.type", "omop.birth"]);
    let identity = entries[0].subjects[0].identity.as_ref().unwrap();
    assert!(identity.names.is_empty() && identity.sex == Some(Sex::Female));
    assert_eq!((identity.birth.unwrap().year, identity.birth.unwrap().day), (1950, Some(5)));
    assert_eq!(identity.identifiers[1].value, "MRN-1");
    let birth = &events[0].1;
    assert_eq!(
        (birth.code.as_str(), birth.times.happened.unwrap().precision()),
        ("MEDS_BIRTH", Precision::Day)
    );
    // Columns of the site's own stay; the source's number is nobody's attribute.
    assert_eq!(birth.attribute("favourite_colour"), Some("green"));
    assert_eq!((birth.attribute("care_site_id"), birth.attribute("provider_id")), (Some("9"), Some("7")));
    assert!(events.iter().all(|(_, e)| !format!("{e:?}").contains("MRN-")));
    let race = events.iter().find(|(_, e)| e.code.as_str() == "CDM|race").unwrap();
    assert_eq!((race.1.text.as_deref(), race.1.attribute("value_code")), (Some("White"), Some("Race|5")));
    let year = events.iter().find(|(p, e)| *p == 2 && e.code.as_str() == "MEDS_BIRTH").unwrap();
    assert_eq!(year.1.times.happened.unwrap().precision(), Precision::Year);
}

#[test]
fn concepts_become_codes_and_an_end_is_an_event_of_its_own() {
    let (events, rejected, _) = read_all("condition_occurrence.csv");
    let rules: Vec<(&str, &str)> = rejected.iter().map(|(p, r)| (p.as_str(), r.as_str())).collect();
    assert_eq!(rules, [("line 6", "omop.date"), ("line 7", "omop.concept"), ("line 8", "omop.row")]);
    let codes: Vec<&str> = events.iter().map(|(_, e)| e.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "SNOMED|44054006",
            "CDM|condition_occurrence.end",
            "ICD10CM|E11.9",
            "OMOP_SOURCE|local/X",
            "OMOP|777"
        ]
    );
    let (begins, ends) = (&events[0].1, &events[1].1);
    assert_eq!(begins.attribute("words"), Some("Type 2 diabetes mellitus"));
    assert_eq!(begins.attribute("condition_source_value"), Some("E11.9"));
    assert_eq!(begins.attribute("condition_source_concept"), Some("ICD10CM|E11.9"));
    assert_eq!((begins.encounter.as_deref(), begins.modality.as_str()), (Some("100"), "conditions"));
    // Midnight sharp is a day; nothing of the end is known at the beginning.
    assert_eq!(begins.times.happened.unwrap().precision(), Precision::Day);
    assert_eq!((begins.attribute("stop_reason"), begins.attribute("condition_end_date")), (None, None));
    assert_eq!(
        (ends.attribute("stop_reason"), ends.attribute("code")),
        (Some("better"), Some("SNOMED|44054006"))
    );
    assert!(ends.times.happened > begins.times.happened);
}

#[test]
fn measurements_have_values_units_and_ranges() {
    let (events, rejected, entries) = read_all("measurement.csv");
    assert!(rejected.is_empty(), "{rejected:?}");
    let [glucose, rate, coded, odd] = &events[..] else { panic!("{events:?}") };
    let glucose = &glucose.1;
    assert_eq!(
        (glucose.code.as_str(), glucose.value, glucose.unit.as_deref()),
        ("LOINC|2345-7", Some(5.5), Some("mmol/L"))
    );
    assert_eq!(
        (glucose.attribute("comparator"), glucose.attribute("reference_range")),
        (Some("<"), Some("3.9..5.5"))
    );
    assert_eq!(glucose.attribute("value_source_value"), Some("<5.5"));
    // Half past nine in Berlin.
    let when = glucose.times.happened.unwrap();
    assert_eq!(
        (when.start(), when.precision(), when.offset()),
        (1_583_051_400_000_000, Precision::Second, Some(3600))
    );
    assert_eq!((rate.1.modality.as_str(), rate.1.value), ("vitals", Some(72.0)));
    assert_eq!(
        (coded.1.text.as_deref(), coded.1.attribute("value_code")),
        (Some("Positive"), Some("LOINC|LA6576-8"))
    );
    assert_eq!((odd.1.value, odd.1.attribute("value_as_number")), (None, Some("many")));
    assert!(entries.iter().flat_map(|e| &e.findings).any(|f| f.message.contains("values as numbers")));
}

#[test]
fn a_table_of_pandas_is_read_alike() {
    let (events, rejected, entries) = read_all("drug_exposure.parquet");
    assert!(rejected.is_empty(), "{rejected:?}");
    let drug = &events[0].1;
    assert_eq!((drug.code.as_str(), drug.encounter.as_deref()), ("RxNorm|6809", Some("100")));
    assert_eq!(
        (drug.attribute("quantity"), drug.attribute("route_concept")),
        (Some("14.0"), Some("SNOMED|26643006"))
    );
    assert_eq!(
        (drug.attribute("route_concept_id"), drug.attribute("drug_source_value")),
        (Some("4132161"), Some("metformin 500"))
    );
    assert_eq!(drug.times.happened.unwrap().precision(), Precision::Second);
    assert_eq!(events[1].1.code.as_str(), "CDM|drug_exposure.end");
    // The second ends on the day that it begins: one event.
    assert_eq!(events.len(), 3);
    assert!(entries[0].findings.iter().any(|f| f.message.contains("neither text")));
}

#[test]
fn other_tables_are_read_as_what_they_are() {
    let (visit, _, _) = read_all("visit_occurrence.csv");
    let [begins, ends] = &visit[..] else { panic!("{visit:?}") };
    assert_eq!((begins.1.code.as_str(), begins.1.encounter.as_deref()), ("Visit|IP", Some("100")));
    assert_eq!(
        (begins.1.attribute("discharged_to_concept_id"), ends.1.attribute("discharged_to_concept_id")),
        (None, Some("8536"))
    );
    let (note, _, _) = read_all("note.csv");
    assert_eq!(note[0].1.text.as_deref(), Some("No fever, \"well\".\nSecond line"));
    assert_eq!((note[0].1.modality.as_str(), note[0].1.attribute("note_title")), ("notes", Some("Progress")));
    let (death, _, _) = read_all("death.csv");
    assert_eq!(
        (death[0].1.code.as_str(), death[0].1.attribute("cause_concept")),
        ("MEDS_DEATH", Some("SNOMED|44054006"))
    );
    let (period, _, _) = read_all("observation_period.csv");
    assert_eq!((period[0].1.code.as_str(), period.len()), ("CDM|observation_period", 2));
    for (file, words) in [("provider.csv", "refer to"), ("CONCEPT.csv", "codes of other tables")] {
        let (events, _, entries) = read_all(file);
        assert!(events.is_empty() && entries[0].findings[0].message.contains(words), "{entries:?}");
    }
}

#[test]
fn without_a_concept_table_the_numbers_stay() {
    let alone = tempfile::tempdir().unwrap();
    let path = alone.path().join("Measurement.CSV");
    std::fs::copy(folder().join("measurement.csv"), &path).unwrap();
    let (entries, _) = read_at(&path);
    let event = &entries[0].subjects[0].events[0];
    assert_eq!((event.code.as_str(), event.unit.as_deref()), ("OMOP|3004501", Some("mmol/l")));
    assert!(entries[0].findings.iter().any(|f| f.message.contains("no CONCEPT table")));
}

#[test]
fn check_knows_the_rules() {
    let checked = |name: &str| check(&Source::file(&folder().join(name))).unwrap();
    for (file, rules) in [
        ("visit_occurrence.csv", vec!["omop.concept"]),
        ("CONCEPT.csv", vec![]),
        ("PERSON.csv", vec!["omop.birth", "omop.key", "omop.type"]),
        ("condition_occurrence.csv", vec!["omop.concept", "omop.date", "omop.required", "omop.row"]),
        ("measurement.csv", vec!["omop.concept", "omop.type"]),
        ("drug_exposure.parquet", vec!["omop.concept"]),
    ] {
        let checked = checked(file);
        let mut found: Vec<&str> = checked
            .faults
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .map(|f| f.rule.as_str())
            .collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, rules, "{file}: {checked:?}");
    }
    let odd = tempfile::tempdir().unwrap();
    let path = odd.path().join("death.csv");
    std::fs::write(&path, "person_id,death_datetime\n1,2020-01-01\n").unwrap();
    let checked = check(&Source::file(&path)).unwrap();
    assert_eq!(checked.faults[0].rule, "omop.column", "{checked:?}");
    let mut sink: (Vec<Entry>, Vec<Rejected>) = Default::default();
    let error = super::read(&Source::file(&path), &berlin(), &mut sink).unwrap_err().to_string();
    assert!(error.contains("death_date"), "{error}");
}

#[test]
fn a_quote_that_nobody_closes_does_not_fill_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("death.csv");
    let mut text = b"person_id,death_date\n1,2020-01-01\n2,\"".to_vec();
    text.resize(40 << 20, b'x');
    std::fs::write(&path, text).unwrap();
    let mut sink: (Vec<Entry>, Vec<Rejected>) = Default::default();
    let error = super::read(&Source::file(&path), &berlin(), &mut sink).unwrap_err().to_string();
    assert!(error.contains("16 MiB"), "{error}");
}

#[test]
fn whatever_a_cell_holds_is_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, header) in [
        (
            "measurement.csv",
            "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,measurement_type_concept_id,value_as_number",
        ),
        (
            "person.csv",
            "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,race_concept_id,ethnicity_concept_id",
        ),
    ] {
        let path = folder.path().join(name);
        let odd = [
            "",
            "0",
            "-1",
            "9223372036854775808",
            "1e400",
            "NaN",
            "inf",
            "0000-00-00",
            "9999-12-31",
            "99999-01-01",
            "-0001-01-01",
            "2020-01-01T99:99:99",
            "1.0",
            "1.5",
            "\u{feff}",
            "NA",
            "\\N",
            "é",
            "\"\"\"\"",
        ];
        let width = header.split(',').count();
        let mut text = format!("{header}\n");
        for (i, cell) in odd.iter().enumerate() {
            for at in 0..width {
                let cells: Vec<String> = (0..width)
                    .map(|c| {
                        if c == at {
                            (*cell).to_owned()
                        } else {
                            odd[(i * 7 + c) % odd.len()].replace("\u{feff}", "2020")
                        }
                    })
                    .collect();
                text += &format!("{}\n", cells.join(","));
            }
        }
        std::fs::write(&path, text).unwrap();
        let (entries, rejected) = read_at(&path);
        assert!(!entries.is_empty() || !rejected.is_empty());
        let _ = check(&Source::file(&path)).unwrap();
    }
}
