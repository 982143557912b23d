//! FHIR: HL7's own R4 examples come back without loss and without a fault, and the verdicts on the tests of
//! HL7's validator are its own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_ingest::feed::{Checked, Entry, Feed, Rejected, Severity, Source};
use chiasm_ingest::fhir;
use chiasm_ingest::json::{Document, Json};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The files of an archive in `conformance/fhir`, or `None` with a loud word where it is not there.
fn archive(name: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("CHIASM_DATA").map_or(beside, PathBuf::from).join("conformance/fhir");
    let Ok(packed) = std::fs::read(folder.join(name)) else {
        eprintln!("SKIPPED: {name} is not there; set CHIASM_DATA to the folder of data sets");
        return None;
    };
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(&packed[..]));
    let mut files = BTreeMap::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().trim_start_matches("./").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if !bytes.is_empty() {
            files.insert(path, bytes);
        }
    }
    Some(files)
}

fn errors(checked: &Checked) -> Vec<String> {
    let errors = checked.faults.iter().filter(|f| f.severity == Severity::Error);
    errors.map(|f| format!("{} {}: {}", f.rule, f.place, f.message)).collect()
}

#[test]
fn examples_come_back_without_loss() {
    let Some(files) = archive("r4-examples.tar.gz") else { return };
    let mut count = 0;
    for (name, bytes) in files.iter().filter(|(n, _)| n.ends_with(".json")) {
        let once = Document::parse(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let written = once.root.to_text();
        assert_eq!(Document::parse(written.as_bytes()).unwrap().root, once.root, "{name}");
        // Every character of every number is in it, in the order of the file.
        let mut sink: (Vec<Entry>, Vec<Rejected>) = Default::default();
        fhir::read(&Source::memory(name.as_str(), bytes.clone()), &Feed::utc("hl7"), &mut sink).unwrap();
        assert!(sink.1.is_empty(), "{name}: {:?}", sink.1);
        assert!(!sink.0.is_empty(), "{name}");
        for entry in &sink.0 {
            kept_whole(entry, name);
        }
        count += 1;
    }
    eprintln!("{count} examples come back without loss");
    assert!(count > 60, "{count}");
}

/// Each entry holds its resource as it came: in its last event or in an asset.
fn kept_whole(entry: &Entry, name: &str) {
    let last = entry.subjects[0].events.last().unwrap();
    let inline = last.attribute("fhir").map(|t| t.as_bytes().to_vec());
    let asset = || {
        let id = last.attribute("fhir_asset").unwrap();
        let found = entry.assets.iter().find(|a| a.id.to_string() == id).unwrap();
        match &found.bytes {
            chiasm_ingest::feed::AssetBytes::Memory(bytes) => bytes.to_vec(),
            chiasm_ingest::feed::AssetBytes::File(_) => panic!("{name}: an asset in a file"),
        }
    };
    let text = inline.unwrap_or_else(asset);
    let document = Document::parse(&text).unwrap();
    assert!(matches!(document.root, Json::Object(_)), "{name}");
}

#[test]
fn examples_keep_the_standard() {
    let Some(files) = archive("r4-examples.tar.gz") else { return };
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, bytes) in files.iter().filter(|(n, _)| n.ends_with(".json") || n.ends_with(".xml")) {
        let checked = fhir::check(&Source::memory(name.as_str(), bytes.clone())).unwrap();
        count += 1;
        let found = errors(&checked);
        if !found.is_empty() {
            wrong.push(format!("{name}: {found:#?}"));
        }
    }
    eprintln!("{} of {count} examples have no error", count - wrong.len());
    assert!(wrong.len() <= WRONG_EXAMPLES, "{}", wrong.join("\n"));
}

/// Examples that truly break a rule: bundle-questionnaire (items without linkId), codesystem-example (the code
/// chol-mass twice), devicemetric-example (a DeviceDefinition as parent), deviceusestatement-example (a
/// Procedure as reason), medicationrequest0301 (a Practitioner as dispenser).
const WRONG_EXAMPLES: usize = 5;

/// How many of the validator's verdicts (an error or none) must be met, and how many places of its errors.
const AGREE: usize = 109;

#[test]
fn verdicts_are_those_of_the_validator() {
    let Some(files) = archive("validator-r4.tar.gz") else { return };
    let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let (mut agree, mut total, mut placed, mut places) = (0, 0, 0, 0);
    for case in manifest["test-cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let outcome: serde_json::Value =
            serde_json::from_slice(&files[&format!("outcomes/{}", case["java"].as_str().unwrap())]).unwrap();
        let issues = outcome["issue"].as_array().cloned().unwrap_or_default();
        let bad: Vec<_> =
            issues.iter().filter(|i| matches!(i["severity"].as_str(), Some("error" | "fatal"))).collect();
        let file = case["file"].as_str().unwrap();
        let source = Source::memory(file, files[&format!("input/{file}")].clone());
        let found = match fhir::check(&source) {
            Ok(checked) => checked,
            Err(e) => panic!("{name}: {e}"),
        };
        let errors = errors(&found);
        total += 1;
        if errors.is_empty() == bad.is_empty() {
            agree += 1;
        } else {
            eprintln!("DIFFERS {name}: expected {} errors, found {errors:#?}", bad.len());
            for issue in bad.iter().take(3) {
                eprintln!("    {} {}", issue["expression"][0], issue["details"]["text"]);
            }
        }
        let ours: Vec<&str> =
            found.faults.iter().filter(|f| f.severity == Severity::Error).map(|f| f.place.as_str()).collect();
        for issue in bad {
            let place = plain(issue["expression"][0].as_str().unwrap_or_default());
            places += 1;
            placed += usize::from(ours.iter().any(|o| plain(o) == place));
        }
    }
    eprintln!("{agree} of {total} verdicts agree; {placed} of {places} places of errors are found");
    assert!(agree >= AGREE, "{agree} of {total}");
}

/// A place without what the validator writes for readers: `/*Patient/1*/`, `[url='...']`, the line before it.
fn plain(place: &str) -> String {
    let mut out = String::new();
    let mut rest = place.rsplit_once(": ").map_or(place, |(_, p)| p);
    while let Some(at) = rest.find("/*") {
        out.push_str(&rest[..at]);
        rest = rest[at..].find("*/").map_or("", |end| &rest[at + end + 2..]);
    }
    out.push_str(rest);
    let cut = out.find("[url=").map(|at| (at, out[at..].find(']').map_or(out.len(), |e| at + e + 1)));
    if let Some((from, to)) = cut {
        out.replace_range(from..to, "");
    }
    out
}
