//! The EHR's Bulk Data export: FHIR R4 (4.0.1) resources as NDJSON, one file a type.
//!
//! # Source
//! HL7 FHIR R4, <https://hl7.org/fhir/R4/>; Bulk Data Access 2.0; Genomics Reporting 2.0.

mod clinical;
mod consent;
mod results;

pub(crate) use consent::consents;

use super::calendar::{DAY, END, System};
use super::case::{Case, LABEL};
use super::chart::Chart;
use super::json::{Json, object};

/// The types that are exported, a file each.
pub(crate) const TYPES: [&str; 14] = [
    "Patient",
    "Encounter",
    "Condition",
    "Observation",
    "MedicationRequest",
    "Procedure",
    "AllergyIntolerance",
    "DocumentReference",
    "DiagnosticReport",
    "ImagingStudy",
    "Specimen",
    "Consent",
    "Provenance",
    "ServiceRequest",
];

/// Whose numbers the EHR's are.
pub(crate) const MRN: &str = "https://ehr.synthetic.example/mrn";
/// Whose numbers the state's are.
pub(crate) const NATIONAL: &str = "https://nhi.synthetic.example/id";
/// Whose the numbers of orders are.
const ACCESSION: &str = "https://ehr.synthetic.example/accession";
const LOINC: &str = "http://loinc.org";
const SNOMED: &str = "http://snomed.info/sct";
const UCUM: &str = "http://unitsofmeasure.org";
const LOCAL: &str = "https://lis.synthetic.example/codes";

/// One patient's resources: lines per type, and how many.
#[derive(Debug, Default)]
pub(crate) struct Export {
    pub(crate) lines: [String; TYPES.len()],
    pub(crate) count: u64,
}

impl Export {
    /// Everything that the EHR exports of a patient.
    pub(crate) fn new(case: &Case<'_>) -> Self {
        let mut export = Self::default();
        for serial in 0..case.ehr.len() {
            export.add(patient(case, serial));
        }
        clinical::visits(case, &mut export);
        clinical::history(case, &mut export);
        clinical::documents(case, &mut export);
        results::panels(case, &mut export);
        results::studies(case, &mut export);
        results::genome(case, &mut export);
        consent::resources(case, &mut export);
        export
    }

    /// Adds a resource to the lines of its type.
    fn add(&mut self, resource: Json) {
        let Json::Object(members) = &resource else { return };
        let Some((_, Json::Text(kind))) = members.first() else { return };
        if let Some(at) = TYPES.iter().position(|t| t == kind) {
            resource.write(&mut self.lines[at]);
            self.lines[at].push('\n');
            self.count += 1;
        }
    }
}

/// The beginning of a resource: type, id, and a label that says what it is.
fn resource(case: &Case<'_>, kind: &str, id: String, recorded: i64) -> Json {
    object! {
        "resourceType": kind,
        "id": id,
        "meta": object! {
            "lastUpdated": time(case, recorded),
            "security": [object! {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST",
            }],
            "tag": [object! { "system": "urn:chiasm:synthetic", "code": "synthetic", "display": LABEL }],
        },
    }
}

fn time(case: &Case<'_>, at: i64) -> String {
    case.clocks.at(System::Ehr, at).fhir()
}

fn reference(kind: &str, id: &str) -> Json {
    object! { "reference": format!("{kind}/{id}") }
}

/// The id of the resource of a chart.
pub(crate) fn patient_id(chart: &Chart) -> String {
    format!("pat-{}", chart.id)
}

fn subject(case: &Case<'_>, visit: usize) -> Json {
    let chart = case.course.visits.get(visit).map_or(0, |v| v.chart);
    reference("Patient", &patient_id(&case.ehr[chart]))
}

fn encounter_id(case: &Case<'_>, visit: usize) -> String {
    format!("enc-{}-{visit}", case.tail())
}

fn encounter(case: &Case<'_>, visit: usize) -> Json {
    reference("Encounter", &encounter_id(case, visit))
}

fn coding(system: &str, code: &str, display: &str) -> Json {
    object! { "system": system, "code": code, "display": Some(display).filter(|d| !d.is_empty()) }
}

fn concept(system: &str, code: &str, display: &str) -> Json {
    object! { "coding": [coding(system, code, display)] }
}

/// A concept of HL7's own terminology.
fn term(system: &str, code: &str) -> Json {
    concept(&format!("http://terminology.hl7.org/CodeSystem/{system}"), code, "")
}

fn quantity(value: f64, unit: &str, code: &str) -> Json {
    object! { "value": value, "unit": unit, "system": UCUM, "code": code }
}

fn category(code: &str) -> [Json; 1] {
    [term("observation-category", code)]
}

fn accession(number: &str) -> Json {
    object! {
        "type": concept("http://terminology.hl7.org/CodeSystem/v2-0203", "ACSN", ""),
        "system": ACCESSION,
        "value": number,
    }
}

fn patient(case: &Case<'_>, serial: usize) -> Json {
    let chart = &case.ehr[serial];
    let id_type = |code: &str| concept("http://terminology.hl7.org/CodeSystem/v2-0203", code, "");
    let mrn = object! { "use": "usual", "type": id_type("MR"), "system": MRN, "value": chart.id.as_str() };
    let national = chart.national.as_deref().map(
        |number| object! { "use": "official", "type": id_type("NI"), "system": NATIONAL, "value": number },
    );
    let given = [Some(chart.given.as_str()), chart.second.as_deref()];
    let name = object! { "use": "official", "family": chart.family.as_str(), "given": given };
    // A surname given up is there where the EHR has the new one.
    let former = case.person.maiden.as_ref().filter(|m| **m != chart.family && serial == 0);
    let former = former.map(|m| object! { "use": "maiden", "family": m.as_str() });
    let telecom = [
        chart.phone.as_deref().map(|v| object! { "system": "phone", "value": v, "use": "home" }),
        chart.email.as_deref().map(|v| object! { "system": "email", "value": v }),
    ];
    let address = chart.home.as_ref().map(|home| {
        object! {
            "use": "home",
            "line": [format!("{} {}", home.street, home.number)],
            "city": home.town.as_str(),
            "state": home.state.as_str(),
            "postalCode": home.postcode.as_str(),
            "country": "DE",
        }
    });
    let merged = case.merged.filter(|_| serial == 1);
    let link = merged.map(|_| {
        object! { "other": reference("Patient", &patient_id(&case.ehr[0])), "type": "replaced-by" }
    });
    let recorded = merged.unwrap_or(case.course.visits.first().map_or(END, |v| v.start));
    let gender = match chart.female {
        Some(true) => "female",
        Some(false) => "male",
        None => "unknown",
    };
    resource(case, "Patient", patient_id(chart), recorded.min(END))
        .with("identifier", [Some(mrn), national])
        .with("active", merged.is_none())
        .with("name", [Some(name), former])
        .with("telecom", telecom.into_iter().flatten().collect::<Vec<_>>())
        .with("gender", gender)
        .with("birthDate", chart.birth.map(|b| b.to_string()))
        .with("deceasedDateTime", case.course.death.map(|d| time(case, d)))
        .with("address", address.map(|a| vec![a]))
        .with("link", link.map(|l| vec![l]))
}

/// When somebody recorded what they saw: minutes later.
fn soon(case: &Case<'_>, at: i64) -> i64 {
    at + 300 + (case.person.index % 7) as i64 * 60 + (at % DAY) % 540
}
