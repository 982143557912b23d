use super::{at, list, packets, parse, text};
use crate::Error;
use crate::feed::{Checked, Parts, Severity, Source};
use serde_json::Value;
use std::collections::HashSet;

const SEX: &[&str] = &["UNKNOWN_SEX", "FEMALE", "MALE", "OTHER_SEX"];
const PROGRESS: &[&str] = &["UNKNOWN_PROGRESS", "IN_PROGRESS", "COMPLETED", "SOLVED", "UNSOLVED"];
const STATUS: &[&str] = &["UNKNOWN_STATUS", "REJECTED", "CANDIDATE", "CONTRIBUTORY", "CAUSATIVE"];
const ACMG: &[&str] =
    &["NOT_PROVIDED", "BENIGN", "LIKELY_BENIGN", "UNCERTAIN_SIGNIFICANCE", "LIKELY_PATHOGENIC", "PATHOGENIC"];
const ACTIONABILITY: &[&str] = &["UNKNOWN_ACTIONABILITY", "NOT_ACTIONABLE", "ACTIONABLE"];
/// Faults that are told; the search ends there.
const TOLD: usize = 1_000;
const VITAL: &[&str] = &["UNKNOWN_STATUS", "ALIVE", "DECEASED"];

/// Checks a file against phenopacket-schema 2.0: required fields, words of closed lists, timestamps, and
/// (as warnings) ontologies that `metaData.resources` does not name.
///
/// # Errors
/// [`Error::TooLarge`] above 8 MiB, [`Error::Io`] where it cannot be read.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let (_, parsed) = parse(source)?;
    let mut checked = Checked::new("Phenopacket", None);
    match parsed {
        Err(message) => checked.fault(Severity::Error, "phenopacket.json", "", message),
        Ok(document) => {
            let version = text(&document, &["metaData", "phenopacketSchemaVersion"]);
            checked.version = version.map(str::to_owned);
            checked.content("phenopackets", packets(&document).count());
            let mut features = [0; 3];
            for (place, packet) in packets(&document) {
                one(&place, packet, &mut features, &mut checked);
            }
            let names = ["features observed", "features excluded", "interpretations"];
            for (name, count) in names.into_iter().zip(features) {
                checked.content(name, count);
            }
            if checked.faults.len() > TOLD {
                checked.faults.truncate(TOLD);
                checked.fault(
                    Severity::Error,
                    "phenopacket.more",
                    "",
                    "more faults than are told one by one",
                );
            }
        }
    }
    Ok(checked)
}

fn one(place: &str, packet: &Value, counts: &mut [usize; 3], checked: &mut Checked) {
    if checked.faults.len() > TOLD {
        return;
    }
    let mut need = |path: &[&str]| {
        if at(packet, path).is_none_or(|v| v.is_null() || v.as_str() == Some("")) {
            let place = format!("{place}{}{}", if place.is_empty() { "" } else { "." }, path.join("."));
            checked.fault(Severity::Error, "phenopacket.required", place, "expected a value, found none");
        }
    };
    for path in [
        &["id"][..],
        &["metaData"],
        &["metaData", "created"],
        &["metaData", "createdBy"],
        &["metaData", "resources"],
        &["metaData", "phenopacketSchemaVersion"],
    ] {
        need(path);
    }
    if packet.get("subject").is_some() {
        need(&["subject", "id"]);
    }
    let features = list(packet, "phenotypicFeatures");
    let excluded =
        features.iter().filter(|f| f.get("excluded").and_then(Value::as_bool) == Some(true)).count();
    counts[0] += features.len() - excluded;
    counts[1] += excluded;
    counts[2] += list(packet, "interpretations").len();
    let resources = packet.get("metaData").map_or(&[][..], |m| list(m, "resources"));
    let prefixes: HashSet<&str> = resources.iter().filter_map(|r| text(r, &["namespacePrefix"])).collect();
    let mut unknown = HashSet::new();
    walk(packet, place.to_owned(), &prefixes, &mut unknown, checked);
}

/// Goes through everything: each key has the same rule wherever it stands.
fn walk<'a>(
    value: &'a Value,
    place: String,
    prefixes: &HashSet<&str>,
    unknown: &mut HashSet<&'a str>,
    checked: &mut Checked,
) {
    if checked.faults.len() > TOLD {
        return;
    }
    let below = |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
    let required = |keys: &[&str], value: &Value, place: &str, checked: &mut Checked| {
        for key in keys.iter().filter(|key| value.get(key).is_none()) {
            let place = format!("{place}.{key}");
            checked.fault(Severity::Error, "phenopacket.required", place, "expected a value, found none");
        }
    };
    match value {
        Value::Array(list) => {
            let element = match place.rsplit('.').next().unwrap_or_default() {
                "phenotypicFeatures" => &["type"][..],
                "diseases" => &["term"],
                "measurements" => &["assay"],
                "biosamples" => &["id"],
                "interpretations" => &["id", "progressStatus"],
                "genomicInterpretations" => &["subjectOrBiosampleId", "interpretationStatus"],
                "resources" => &["id", "name", "url", "version", "namespacePrefix", "iriPrefix"],
                "files" => &["uri"],
                _ => &[],
            };
            for (i, one) in list.iter().enumerate() {
                let place = format!("{place}[{i}]");
                required(element, one, &place, checked);
                walk(one, place, prefixes, unknown, checked);
            }
        }
        Value::Object(map) => {
            for (key, one) in map {
                let place = below(key);
                let words = match key.as_str() {
                    "sex" => SEX,
                    "progressStatus" => PROGRESS,
                    "interpretationStatus" => STATUS,
                    "acmgPathogenicityClassification" => ACMG,
                    "therapeuticActionability" => ACTIONABILITY,
                    "status" if place.ends_with("vitalStatus.status") => VITAL,
                    _ => &[],
                };
                let word = one.as_str().unwrap_or_default();
                if !words.is_empty() && !words.contains(&word) {
                    checked.fault(
                        Severity::Error,
                        "phenopacket.word",
                        place.clone(),
                        "expected a word of the schema",
                    );
                }
                if matches!(key.as_str(), "timestamp" | "created" | "dateOfBirth")
                    && Parts::iso(word).is_none()
                {
                    checked.fault(
                        Severity::Error,
                        "phenopacket.time",
                        place.clone(),
                        "expected a time by ISO 8601",
                    );
                }
                if matches!(key.as_str(), "type" | "term" | "disease" | "assay" | "ontologyClass")
                    && one.is_object()
                {
                    required(&["id", "label"], one, &place, checked);
                    let prefix = text(one, &["id"]).and_then(|id| id.split_once(':')).map(|(p, _)| p);
                    if let Some(prefix) =
                        prefix.filter(|p| !prefixes.contains(p)).filter(|p| unknown.insert(p))
                    {
                        let message = format!("expected {prefix} among metaData.resources");
                        checked.fault(Severity::Warning, "phenopacket.prefix", place.clone(), message);
                    }
                }
                walk(one, place, prefixes, unknown, checked);
            }
        }
        _ => {}
    }
}
