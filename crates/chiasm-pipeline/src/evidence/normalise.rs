//! Local codes and units into common ones, in one place for all formats.

use chiasm_ingest::feed::SiteFeed;
use chiasm_ingest::units;
use chiasm_record::{Code, Event};
use serde::Serialize;
use std::collections::BTreeMap;

/// Code systems that need no binding: everybody's.
const COMMON: [&str; 20] = [
    "LOINC", "SNOMED", "RxNorm", "ICD10CM", "ICD10", "ICD9CM", "CPT", "HCPCS", "NDC", "ATC", "CVX", "UCUM", "HP",
    "OMIM", "HGNC", "DICOM", "DCM", "VCF", "MAF", "SYMBOL",
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
}

/// A site's bindings on their way over events.
pub(crate) struct Normalise<'a> {
    site: &'a SiteFeed,
    pub tally: Tally,
}

impl<'a> Normalise<'a> {
    pub fn of(site: &'a SiteFeed) -> Self {
        Self { site, tally: Tally::default() }
    }

    /// Gives an event its common code and unit; what the source said stays as attributes.
    pub fn event(&mut self, event: &mut Event) {
        let local = event.code.as_str();
        match self.site.codes.get(local) {
            Some(common) => {
                event.attributes.push(("local_code".to_owned(), local.to_owned()));
                event.code = Code::verbatim(common.as_str());
            }
            None if event.code.system().is_some_and(|s| !COMMON.contains(&s)) => {
                *self.tally.unmapped.entry(local.to_owned()).or_default() += 1;
            }
            None => {}
        }
        let Some(sent) = event.unit.take() else { return };
        let spelt = self.site.spellings.get(&sent).map_or(sent.as_str(), String::as_str);
        let Some(ucum) = units::ucum(spelt) else {
            *self.tally.unknown_units.entry(sent.clone()).or_default() += 1;
            event.unit = Some(sent);
            return;
        };
        if ucum != sent {
            event.attributes.push(("unit_as_sent".to_owned(), sent));
        }
        event.unit = Some(ucum.clone());
        let wanted = self.site.units.get(event.code.as_str()).map(String::as_str);
        let wanted = wanted.or_else(|| units::usual(event.code.as_str())).filter(|w| *w != ucum);
        let (Some(wanted), Some(value)) = (wanted, event.value) else { return };
        let loinc = event.code.as_str().strip_prefix("LOINC|");
        match units::convert(value, &ucum, wanted, loinc) {
            Ok(converted) => {
                event.attributes.push(("value_as_sent".to_owned(), value.to_string()));
                if !event.attributes.iter().any(|(n, _)| n == "unit_as_sent") {
                    event.attributes.push(("unit_as_sent".to_owned(), ucum));
                }
                (event.value, event.unit) = (Some(converted), Some(wanted.to_owned()));
                self.tally.converted += 1;
            }
            Err(_) => self.tally.not_converted += 1,
        }
    }
}
