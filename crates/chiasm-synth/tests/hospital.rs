//! What a synthetic hospital must be: the same bytes from the same seed, valid files, and a truth that is
//! complete.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use arrow::array::{Array, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use chiasm_synth::hospital::{HospitalConfig, Summary, generate};
use dicom_object::{Tag, open_file};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn hospital(config: &HospitalConfig, threads: usize) -> (TempDir, Summary) {
    let folder = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let mut told = Vec::new();
    let out = folder.path().join("out");
    let summary = pool.install(|| generate(config, &out, &mut |done, all| told.push((done, all)))).unwrap();
    assert_eq!(told.last(), Some(&(config.patients, config.patients)));
    (folder, summary)
}

/// Every file below a folder, by its path.
fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, path);
            }
        }
    }
    found
}

fn hashes(folder: &Path) -> BTreeMap<String, blake3::Hash> {
    files(folder).into_iter().map(|(n, p)| (n, blake3::hash(&std::fs::read(p).unwrap()))).collect()
}

fn table(path: &Path) -> Vec<RecordBatch> {
    let file = std::fs::File::open(path).unwrap();
    ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect()
}

fn column<T: Array + Clone + 'static>(batch: &RecordBatch, name: &str) -> T {
    batch.column_by_name(name).unwrap().as_any().downcast_ref::<T>().unwrap().clone()
}

/// Lines of NDJSON of a type.
fn resources(out: &Path, kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(out.join(format!("ehr/{kind}.0000.ndjson"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn messages(out: &Path, feed: &str) -> Vec<Vec<Vec<String>>> {
    let text = std::fs::read_to_string(out.join(format!("hl7/{feed}/00000.hl7"))).unwrap();
    let mut messages: Vec<Vec<Vec<String>>> = Vec::new();
    for segment in text.split_terminator('\r') {
        if segment.starts_with("MSH") {
            messages.push(Vec::new());
        }
        messages.last_mut().unwrap().push(segment.split('|').map(str::to_owned).collect());
    }
    messages
}

#[test]
fn the_same_seed_makes_the_same_bytes_whatever_the_threads() {
    let config = HospitalConfig::new(60, 42);
    let (one, summary) = hospital(&config, 1);
    let (four, again) = hospital(&config, 4);
    assert_eq!(summary, again);
    let hashes = [one, four].map(|f| self::hashes(&f.path().join("out")));
    assert!(hashes[0].len() > 300);
    assert_eq!(hashes[0], hashes[1]);
    let (other, _) = hospital(&HospitalConfig::new(60, 43), 2);
    assert_ne!(self::hashes(&other.path().join("out")), hashes[0]);
}

#[test]
fn a_patient_is_the_same_however_many_there_are() {
    let (few, _) = hospital(&HospitalConfig::new(20, 7), 2);
    let (many, _) = hospital(&HospitalConfig::new(40, 7), 2);
    let (few, many) = (few.path().join("out"), many.path().join("out"));
    let (a, b) = (hashes(&few), hashes(&many));
    for (name, hash) in &a {
        // Files of one patient are the same; shared ones begin alike or hold the same messages.
        if ["pacs/", "lims/vcf", "lims/slides", "devices/ecg", "devices/act"]
            .iter()
            .any(|p| name.starts_with(p))
        {
            assert_eq!(b.get(name), Some(hash), "{name}");
        } else if name.starts_with("ehr/") || name.ends_with(".csv") {
            let (less, more) =
                (std::fs::read(few.join(name)).unwrap(), std::fs::read(many.join(name)).unwrap());
            assert!(more.starts_with(&less), "{name}");
        }
    }
    for feed in ["adt", "oru", "orm", "mdm"] {
        let all: BTreeSet<_> = messages(&many, feed).into_iter().collect();
        assert!(messages(&few, feed).into_iter().all(|m| all.contains(&m)), "{feed}");
    }
    let persons = [few, many].map(|out| table(&out.join("truth/persons.parquet")).remove(0));
    assert_eq!(persons[0], persons[1].slice(0, 20));
}

#[test]
fn sizes_are_obeyed_and_move_nothing_else() {
    let small = HospitalConfig::new(30, 5).heavy(3);
    let (light, summary) = hospital(&small, 2);
    let (heavy, _) = hospital(&HospitalConfig::new(30, 5), 2);
    let (light, heavy) = (light.path().join("out"), heavy.path().join("out"));
    let (a, b) = (hashes(&light), hashes(&heavy));
    assert!(summary.instances > 0 && a.len() < b.len());
    for kind in ["Patient", "Encounter", "Condition", "DocumentReference", "Consent"] {
        let name = format!("ehr/{kind}.0000.ndjson");
        let same = |v: &[Value]| v.iter().map(|r| r["id"].clone()).collect::<Vec<_>>();
        if kind != "Condition" {
            assert_eq!(same(&resources(&light, kind)), same(&resources(&heavy, kind)), "{name}");
        }
    }
    for name in a.keys().filter(|n| n.starts_with("devices/ecg")) {
        let patient: u64 = name.rsplit("ECG").next().unwrap()[..7].parse().unwrap();
        assert!(patient < 3 && a[name] == b[name]);
    }
    let taken = generate(&small, &light, &mut |_, _| {});
    assert!(taken.is_err(), "a folder with something in it is left alone");
    let impossible = HospitalConfig { visits: f64::NAN, ..small };
    assert!(generate(&impossible, &light.join("new"), &mut |_, _| {}).is_err());
}

#[test]
fn resources_hold_together_and_say_that_they_are_synthetic() {
    let (folder, summary) = hospital(&HospitalConfig::new(80, 3), 2);
    let out = folder.path().join("out");
    let mut all = BTreeMap::new();
    for name in files(&out.join("ehr")).keys() {
        let kind = name.split('.').next().unwrap();
        for resource in resources(&out, kind) {
            assert_eq!(resource["resourceType"], kind);
            assert_eq!(resource["meta"]["security"][0]["code"], "HTEST");
            let id = format!("{kind}/{}", resource["id"].as_str().unwrap());
            assert!(id.len() <= kind.len() + 65);
            assert!(all.insert(id, resource).is_none());
        }
    }
    assert_eq!(all.len() as u64, summary.resources);
    let kinds: BTreeSet<&str> = all.keys().filter_map(|id| id.split('/').next()).collect();
    assert_eq!(kinds.len(), 14, "{kinds:?}");
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("reference").and_then(Value::as_str));
                members.values().for_each(|v| references(v, found));
            }
            Value::Array(values) => values.iter().for_each(|v| references(v, found)),
            _ => {}
        }
    }
    for resource in all.values() {
        let mut found = Vec::new();
        references(resource, &mut found);
        for reference in found {
            assert!(all.contains_key(reference), "{reference}");
        }
    }
    let note = all.values().find(|r| r["resourceType"] == "DocumentReference").unwrap();
    let data = note["content"][0]["attachment"]["data"].as_str().unwrap();
    assert!(data.len() > 400 && data.len() % 4 == 0);
}

#[test]
fn laboratory_and_ehr_tell_of_one_result_in_two_units_and_on_two_clocks() {
    let (folder, _) = hospital(&HospitalConfig::new(80, 3), 2);
    let out = folder.path().join("out");
    let skew: i64 = std::fs::read_to_string(out.join("truth/clocks.csv"))
        .unwrap()
        .lines()
        .find_map(|l| l.strip_prefix("lis,").map(|v| v.parse().unwrap()))
        .unwrap();
    assert!((60..=240).contains(&skew.abs()));
    let mut ehr = BTreeMap::new();
    for r in resources(&out, "Observation") {
        if r["category"][0]["coding"][0]["code"] == "laboratory"
            && r["id"].as_str().unwrap().starts_with("lab-")
        {
            ehr.insert(r["id"].as_str().unwrap()[4..].to_owned(), r);
        }
    }
    let (mut pairs, mut converted, mut corrected) = (0, 0, 0);
    for message in messages(&out, "oru") {
        let obr = message.iter().find(|s| s[0] == "OBR").unwrap();
        let number = obr[2].split('^').next().unwrap();
        for obx in message.iter().filter(|s| s[0] == "OBX") {
            let parts: Vec<&str> = obx[3].split('^').collect();
            let local = if parts.len() > 3 { parts[3] } else { parts[0] };
            let Some(resource) = ehr.get(&format!("{number}-{local}")) else { continue };
            if resource["status"] == "corrected" && obx[11] != "C" {
                continue;
            }
            corrected += usize::from(obx[11] == "C");
            pairs += 1;
            let (here, there): (f64, f64) =
                (resource["valueQuantity"]["value"].as_f64().unwrap(), obx[5].parse().unwrap());
            let factor = match local {
                "GLUS" => 0.05551,
                "CREA" => 88.42,
                "CRPQ" => 10.0,
                _ => continue,
            };
            converted += 1;
            let room = 0.5 * factor * if local == "GLUS" { 1.0 } else { 0.01 }
                + 0.5 * if local == "CREA" { 1.0 } else { 0.1 };
            assert!((here - there * factor).abs() <= room, "{local} {here} {there}");
            // The wall clocks differ by the skew alone.
            let wall: String = resource["effectiveDateTime"].as_str().unwrap()[..19]
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            let second = |t: &str| -> i64 {
                let n = |from: usize, to: usize| t[from..to].parse::<i64>().unwrap();
                (n(6, 8) * 24 + n(8, 10)) * 3600 + n(10, 12) * 60 + n(12, 14)
            };
            let apart = second(&obr[7]) - second(&wall);
            if wall[..8] == obr[7][..8] && !["20230326", "20231029"].contains(&&wall[..8]) {
                assert_eq!(apart, skew);
            }
        }
    }
    assert!(pairs > 300 && converted > 60 && corrected > 0, "{pairs} {converted} {corrected}");
}

#[test]
fn everything_in_every_export_is_in_the_truth() {
    let (folder, summary) = hospital(&HospitalConfig::new(120, 9), 2);
    let out = folder.path().join("out");
    let mut truth: BTreeMap<(String, String, String), i64> = BTreeMap::new();
    for batch in table(&out.join("truth/truth.parquet")) {
        let text = |name| column::<StringArray>(&batch, name);
        let (source, authority, identifier) = (text("source"), text("authority"), text("identifier"));
        let person = column::<Int64Array>(&batch, "person");
        for i in 0..batch.num_rows() {
            let key =
                (source.value(i).to_owned(), authority.value(i).to_owned(), identifier.value(i).to_owned());
            let before = truth.insert(key.clone(), person.value(i));
            assert!(before.is_none_or(|p| p == person.value(i)), "{key:?}");
        }
    }
    assert_eq!(truth.len() as u64, summary.records);
    let who = |source: &str, authority: &str, identifier: &str| {
        let key = (source.to_owned(), authority.to_owned(), identifier.to_owned());
        *truth.get(&key).unwrap_or_else(|| panic!("{key:?} is not in the truth"))
    };
    for patient in resources(&out, "Patient") {
        let number = &patient["identifier"][0];
        let a = who("ehr", number["system"].as_str().unwrap(), number["value"].as_str().unwrap());
        assert_eq!(a, who("ehr", "Patient", patient["id"].as_str().unwrap()));
    }
    let mut merged = 0;
    for feed in ["adt", "oru", "orm", "mdm"] {
        for message in messages(&out, feed) {
            let numbers = message.iter().filter_map(|s| match s[0].as_str() {
                "PID" => Some(&s[3]),
                "MRG" => Some(&s[1]),
                _ => None,
            });
            let numbers = numbers.flat_map(|s| s.split('~')).map(|cx| cx.split('^').collect::<Vec<_>>());
            let numbers = numbers.filter(|cx| cx[4] == "MR");
            let people: BTreeSet<i64> = numbers.map(|cx| who("hl7", cx[3], cx[0])).collect();
            assert_eq!(people.len(), 1);
            merged += usize::from(message.iter().any(|s| s[0] == "MRG"));
        }
    }
    assert!(merged > 0);
    let mut instances = 0;
    for path in files(&out.join("pacs")).values() {
        let object = open_file(path).unwrap();
        let text = |group, element| {
            let value = object.element(Tag(group, element)).unwrap().to_str().unwrap();
            value.trim_end_matches(['\0', ' ']).to_owned()
        };
        let person = who("pacs", &text(0x10, 0x21), &text(0x10, 0x20));
        assert_eq!(person, who("pacs", "CHIASM_EHR", &text(8, 0x50)));
        assert_eq!(person, who("pacs", "DICOM", &text(0x20, 0xd)));
        assert_eq!(text(8, 0x80), "CHIASM SYNTHETIC HOSPITAL");
        assert_eq!(text(0x20, 0x4000), "CHIASM SYNTHETIC HOSPITAL");
        let pixels = object.element(Tag(0x7fe0, 0x10)).unwrap().to_bytes().unwrap();
        let side: usize = object.element(Tag(0x28, 0x10)).unwrap().to_int().unwrap();
        assert_eq!(pixels.len(), side * side * 2);
        instances += 1;
    }
    assert_eq!(instances, summary.instances);
    let mut samples = 0;
    let csv = |name: &str| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(out.join(name)).unwrap();
        text.lines().skip(1).map(|l| l.split(',').map(str::to_owned).collect()).collect()
    };
    for row in csv("lims/specimens.csv") {
        assert_eq!(who("lims", "CHIASM_LIMS", &row[0]), who("lims", &row[4], &row[3]));
        let bytes = std::fs::read(out.join("lims").join(&row[2])).unwrap();
        if row[1] == "slide" {
            let mut slide = tiff::decoder::Decoder::new(std::io::Cursor::new(&bytes)).unwrap();
            assert_eq!((slide.dimensions().unwrap(), slide.chunk_dimensions()), ((512, 512), (256, 256)));
            let image = slide.read_image().unwrap();
            let mean = match &image {
                tiff::decoder::DecodingResult::U8(v) => {
                    v.iter().map(|x| f64::from(*x)).sum::<f64>() / v.len() as f64
                }
                _ => panic!("not 8 bits"),
            };
            assert!((140.0..240.0).contains(&mean), "{mean}");
            slide.next_image().unwrap();
            assert_eq!((slide.dimensions().unwrap(), slide.more_images()), ((256, 256), false));
        } else {
            let mut text = String::new();
            flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
            assert!(text.starts_with("##fileformat=VCFv4.2\n##fileDate=20"));
            assert!(text.contains("\n##source=CHIASM SYNTHETIC HOSPITAL"));
            assert!(text.contains(&format!("FORMAT\t{}\n", row[0])));
            assert!(text.lines().filter(|l| !l.starts_with('#')).all(|l| l.split('\t').count() == 10));
        }
        samples += 1;
    }
    for row in csv("devices/enrolment.csv") {
        assert_eq!(who("devices", "CHIASM_DEVICES", &row[0]), who("hl7", &row[4], &row[3]));
        assert!(out.join("devices").join(&row[2]).is_file());
        samples += 1;
    }
    assert_eq!(samples, summary.samples);
}

#[test]
fn what_is_missing_is_missing_by_the_rule_alone_and_has_what_the_exports_have() {
    let (folder, summary) = hospital(&HospitalConfig::new(400, 1).heavy(150), 2);
    let out = folder.path().join("out");
    let batch = table(&out.join("truth/persons.parquet")).remove(0);
    let yes = |name: &str| -> Vec<bool> {
        column::<BooleanArray>(&batch, name).iter().map(Option::unwrap_or_default).collect()
    };
    for evidence in ["labs", "notes", "film", "ct", "slide", "genome", "ecg", "actigraphy"] {
        let (rule, has) = (yes(&format!("rule_{evidence}")), yes(&format!("has_{evidence}")));
        assert!(rule.iter().zip(&has).all(|(rule, has)| *rule || !has), "{evidence}");
        let light = ["labs", "notes"].contains(&evidence);
        let of = if light { 400 } else { 150 };
        assert!(has[of..].iter().all(|h| !h), "{evidence}");
        // Death, and visits without blood drawn, take away a few more.
        let kept =
            has.iter().filter(|h| **h).count() as f64 / rule[..of].iter().filter(|r| **r).count() as f64;
        assert!(kept > 0.8, "{evidence} {kept}");
    }
    let ecgs = files(&out.join("devices/ecg")).len() as u64 / 2;
    assert_eq!(ecgs, yes("has_ecg").iter().filter(|h| **h).count() as u64);
    // A lesion is written for each study, with a diameter that follows from the person's own.
    let (mut lesions, mut planted) = (0, 0);
    for batch in table(&out.join("truth/events.parquet")) {
        let code = column::<StringArray>(&batch, "code");
        let value = column::<Float64Array>(&batch, "value");
        planted += batch.num_rows() as u64;
        lesions += (0..batch.num_rows())
            .filter(|&i| code.value(i) == "lesion" && (2.0..=90.0).contains(&value.value(i)))
            .count() as u64;
    }
    assert_eq!(planted, summary.planted);
    assert!(lesions >= resources(&out, "ImagingStudy").len() as u64);
}
