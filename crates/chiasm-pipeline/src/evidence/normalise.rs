//! Local codes and units into common ones, in one place for all formats.

use super::site::IngestSite;
use crate::Error;
use chiasm_ingest::feed::SiteFeed;
use chiasm_ingest::units;
use chiasm_record::{Code, Event};
use chiasm_store::Store;
use serde::Serialize;
use std::collections::BTreeMap;

/// Code systems that need no binding: everybody's.
const COMMON: [&str; 29] = [
    "LOINC",
    "SNOMED",
    "RxNorm",
    "ICD10CM",
    "ICD10",
    "ICD9CM",
    "CPT",
    "HCPCS",
    "NDC",
    "ATC",
    "CVX",
    "UCUM",
    "HP",
    "OMIM",
    "HGNC",
    "DICOM",
    "DCM",
    "VCF",
    "MAF",
    "SYMBOL",
    "ENSEMBL",
    "HL7",
    "FHIR",
    "WAVEFORM",
    "WEARABLE",
    "ACTIGRAPHY",
    "IMAGE",
    "MEDS",
    "CDM",
];

/// What was found while normalising, for the report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Codes of a source's own that no binding names, with how often they came.
    pub unmapped: BTreeMap<String, u64>,
    /// Units that are no UCUM and that no binding names, with how often they came.
    pub unknown_units: BTreeMap<String, u64>,
    /// Values that were converted to another unit.
    pub converted: u64,
    /// Values whose unit could not be converted to the one that the site wants.
    pub not_converted: u64,
    /// By modality: events that say neither when they happened nor when they became known, so that they count as
    /// known at any time. What is so from birth is not counted.
    pub undated: BTreeMap<String, u64>,
}

impl Tally {
    /// Adds what was found elsewhere.
    pub(crate) fn add(&mut self, other: Self) {
        for (code, n) in other.unmapped {
            *self.unmapped.entry(code).or_default() += n;
        }
        for (unit, n) in other.unknown_units {
            *self.unknown_units.entry(unit).or_default() += n;
        }
        for (modality, n) in other.undated {
            *self.undated.entry(modality).or_default() += n;
        }
        self.converted += other.converted;
        self.not_converted += other.not_converted;
    }
}

/// A site's bindings on their way over events.
#[derive(Clone, Copy)]
pub(crate) struct Normalise<'a> {
    site: &'a SiteFeed,
}

impl<'a> Normalise<'a> {
    pub fn of(site: &'a SiteFeed) -> Self {
        Self { site }
    }

    /// Gives an event back the code, unit and value that its source sent.
    fn undo(event: &mut Event) {
        let [code, unit, value] =
            ["local_code", "unit_as_sent", "value_as_sent"].map(|name| event.attributes.take(name));
        if let Some(code) = code {
            event.code = Code::verbatim(code.as_str());
        }
        event.unit = unit.or(event.unit.take());
        event.value = value.and_then(|v| v.parse().ok()).or(event.value);
    }

    /// Gives an order's numbers their common givers, and its accession number where that is another by this site's rule.
    /// Once, when it is read.
    pub fn order(&self, event: &mut Event) {
        let giver = |name: &str| matches!(name, "placer_authority" | "filler_authority");
        if event.attributes.iter().any(|(name, _)| giver(name)) {
            let common = |(name, value)| (name, if giver(name) { self.site.authority(value) } else { value });
            event.attributes = event.attributes.iter().map(common).collect();
        }
        if self.site.accession_is_placer && event.attribute("accession").is_none() {
            let placer = event.attribute("placer").map(str::to_owned);
            event.attributes.extend(placer.map(|number| ("accession".to_owned(), number)));
        }
    }

    /// Gives an event its common code and unit; what the source said stays as attributes.
    pub fn event(&self, event: &mut Event, tally: &mut Tally) {
        if event.times.usable_from().is_none() && event.modality.as_str() != "demographics" {
            *tally.undated.entry(event.modality.as_str().to_owned()).or_default() += 1;
        }
        let local = event.code.as_str();
        match self.site.codes.get(local) {
            Some(common) => {
                event.attributes.push(("local_code".to_owned(), local.to_owned()));
                event.code = Code::verbatim(common.as_str());
            }
            None if event.code.system().is_some_and(|s| !COMMON.contains(&s)) => {
                *tally.unmapped.entry(local.to_owned()).or_default() += 1;
            }
            None => {}
        }
        let Some(sent) = event.unit.take() else { return };
        let spelt = self.site.spellings.get(&sent).map_or(sent.as_str(), String::as_str);
        let Some(ucum) = units::ucum(spelt) else {
            *tally.unknown_units.entry(sent.clone()).or_default() += 1;
            event.unit = Some(sent);
            return;
        };
        if ucum != sent {
            event.attributes.push(("unit_as_sent".to_owned(), sent));
        }
        event.unit = Some(ucum.clone());
        let wanted = self.site.units.get(event.code.as_str()).map(String::as_str);
        let wanted = wanted.or_else(|| usual(event.code.as_str())).filter(|w| *w != ucum);
        let (Some(wanted), Some(value)) = (wanted, event.value) else { return };
        let loinc = event.code.as_str().strip_prefix("LOINC|");
        match units::convert(value, &ucum, wanted, loinc) {
            Ok(converted) => {
                event.attributes.push(("value_as_sent".to_owned(), value.to_string()));
                if !event.attributes.iter().any(|(n, _)| n == "unit_as_sent") {
                    event.attributes.push(("unit_as_sent".to_owned(), ucum));
                }
                (event.value, event.unit) = (Some(converted), Some(wanted.to_owned()));
                tally.converted += 1;
            }
            Err(_) => tally.not_converted += 1,
        }
    }
}

/// What a site's bindings changed in a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Normalised {
    /// The site's events.
    pub events: u64,
    /// Of them, those whose code, unit or value is another now.
    pub changed: u64,
    /// Codes, units.
    pub tally: Tally,
}

/// Gives the events of a site that are in a store the codes and units that its bindings name now.
///
/// # Errors
/// Where the store cannot be read or written; nothing has changed then.
pub fn normalise(store: &mut Store, site: &IngestSite) -> Result<Normalised, Error> {
    let bindings = Normalise::of(&site.bindings);
    let (mut events, mut tally) = (0, Tally::default());
    let changed = store.rewrite(&mut |row| {
        if row.source != site.name {
            return false;
        }
        events += 1;
        let mut anew = row.event.clone();
        Normalise::undo(&mut anew);
        bindings.event(&mut anew, &mut tally);
        anew.attributes.sort();
        let bound =
            |e: &Event| (e.code.clone(), e.value.map(f64::to_bits), e.unit.clone(), e.attributes.clone());
        let changed = bound(&anew) != bound(&row.event);
        row.event = anew;
        changed
    })?;
    Ok(Normalised { events, changed, tally })
}

/// The unit in which values of a code are usually kept, in UCUM: the example unit of LOINC's own table for that
/// code. A glucose that is sent in mmol/L under the code of the mass concentration is the same glucose.
///
/// # Source
/// LOINC 2.78, field EXAMPLE_UCUM_UNITS, of the tests that intensive care and oncology order most.
fn usual(code: &str) -> Option<&'static str> {
    let unit = match code.strip_prefix("LOINC|")? {
        // Glucose, urea nitrogen, creatinine, bilirubin (total, direct), calcium, magnesium, phosphate, cholesterol
        // (total, HDL, LDL), triglycerides, uric acid.
        "2345-7" | "2339-0" | "41653-7" | "3094-0" | "2160-0" | "1975-2" | "1968-7" | "17861-6"
        | "19123-9" | "2777-1" | "2093-3" | "2085-9" | "13457-7" | "2089-1" | "2571-8" | "3084-1" => "mg/dL",
        // The same by amount of substance.
        "14749-6" | "22664-7" | "2000-8" | "2601-3" | "14879-1" | "14647-2" | "14646-4" | "22748-8"
        | "14927-8" | "2524-7" | "2951-2" | "2823-3" | "2075-0" | "1963-8" | "2028-9" => "mmol/L",
        "14682-9" | "14631-6" | "14933-6" => "umol/L",
        // Haemoglobin, albumin, total protein.
        "718-7" | "1751-7" | "2885-2" => "g/dL",
        "4544-3" | "2708-6" | "4548-4" => "%",
        "6690-2" | "777-3" => "10*3/uL",
        "789-8" => "10*6/uL",
        "8310-5" => "Cel",
        "29463-7" => "kg",
        "8302-2" => "cm",
        "8480-6" | "8462-4" => "mm[Hg]",
        "8867-4" | "9279-1" => "/min",
        "1988-5" => "mg/L",
        _ => return None,
    };
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_record::{Modality, Times};

    fn normalised(site: &str, code: &str, value: f64, unit: &str) -> (Event, Tally) {
        let site: SiteFeed = toml::from_str(site).unwrap();
        let mut tally = Tally::default();
        let mut event = Event::new(Times::default(), Code::verbatim(code), Modality::new("labs"));
        (event.value, event.unit) = (Some(value), Some(unit.to_owned()));
        Normalise::of(&site).event(&mut event, &mut tally);
        (event, tally)
    }

    #[test]
    fn one_code_has_one_unit() {
        let (event, tally) = normalised("", "LOINC|2345-7", 5.5, "mmol/l");
        // 180.156 g/mol
        assert!((event.value.unwrap() - 99.0858).abs() < 1e-3, "{:?}", event.value);
        assert_eq!((event.unit.as_deref(), event.attribute("value_as_sent")), (Some("mg/dL"), Some("5.5")));
        assert_eq!((event.attribute("unit_as_sent"), tally.converted), (Some("mmol/l"), 1));
        let (event, _) =
            normalised("units = { \"LOINC|2345-7\" = \"mmol/L\" }", "LOINC|2345-7", 5.5, "mmol/L");
        assert_eq!((event.value, event.attributes.len()), (Some(5.5), 0));
    }

    #[test]
    fn what_bindings_did_can_be_undone() {
        let site = "codes = { \"L|K\" = \"LOINC|2345-7\" }\nspellings = { \"mmol%\" = \"mmol/L\" }";
        for (code, unit) in
            [("L|K", "mmol%"), ("LOINC|2345-7", "mmol/L"), ("LOINC|2345-7", "mg/dl"), ("L|X", "blobs")]
        {
            let (mut event, _) = normalised(site, code, 5.3, unit);
            Normalise::undo(&mut event);
            let sent = (event.code.as_str(), event.value, event.unit.as_deref(), event.attributes.len());
            assert_eq!(sent, (code, Some(5.3), Some(unit), 0));
        }
    }

    #[test]
    fn what_is_not_known_stays_and_is_counted() {
        let (event, tally) = normalised("codes = { \"L|K\" = \"LOINC|2823-3\" }", "L|X", 1.0, "blobs");
        assert_eq!((event.code.as_str(), event.unit.as_deref()), ("L|X", Some("blobs")));
        assert_eq!((tally.unmapped["L|X"], tally.unknown_units["blobs"]), (1, 1));
        let (event, tally) = normalised("codes = { \"L|K\" = \"LOINC|2823-3\" }", "L|K", 4.0, "mmol/L");
        assert_eq!((event.code.as_str(), event.attribute("local_code")), ("LOINC|2823-3", Some("L|K")));
        assert!(tally.unmapped.is_empty());
        assert_eq!(tally.undated["labs"], 1);
        // Kilograms are no concentration: the value stays as it was sent.
        let (event, tally) = normalised("", "LOINC|2345-7", 5.0, "kg");
        assert_eq!((event.value, event.unit.as_deref(), tally.not_converted), (Some(5.0), Some("kg"), 1));
    }
}
