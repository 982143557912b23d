use super::event::Whole;
use super::patient;
use crate::feed::{Link, LinkKind};
use crate::json::Json;
use chiasm_linkage::{Identifier, IdentifierKind, Identity};

/// The members that name whom a resource is about.
const SUBJECT: [&str; 7] =
    ["subject", "patient", "beneficiary", "individual", "for", "candidate", "participant"];

/// Whom a resource is about; nobody where it names no patient.
pub(super) fn subjects(whole: &Whole<'_>) -> Vec<Identity> {
    if whole.kind == "Patient" {
        return vec![patient::identity(whole.resource, whole, None)];
    }
    let mut all: Vec<Identity> = Vec::new();
    let mut add = |identity: Identity| {
        if !all.iter().any(|other| other.key() == identity.key()) {
            all.push(identity);
        }
    };
    for name in SUBJECT {
        for item in whole.resource.each(name) {
            // Appointment and Task say it one step down.
            let reference = if name == "participant" { item.get("actor") } else { Some(item) };
            reference.and_then(|r| of_reference(r, whole)).into_iter().for_each(&mut add);
        }
    }
    if matches!(whole.kind, "Provenance" | "AuditEvent" | "Person") {
        let targets = [("target", None), ("entity", Some("what")), ("link", Some("target"))];
        for (name, inner) in targets {
            for item in whole.resource.each(name) {
                let reference = inner.map_or(Some(item), |inner| item.get(inner));
                reference.and_then(|r| of_reference(r, whole)).into_iter().for_each(&mut add);
            }
        }
    }
    all
}

/// The patient that a reference means; `None` where it means something else or says too little.
pub(super) fn of_reference(reference: &Json<'_>, whole: &Whole<'_>) -> Option<Identity> {
    let typed = reference.text_of("type");
    if typed.is_some_and(|t| t != "Patient" && !t.ends_with("/Patient")) {
        return None;
    }
    let by_identifier = reference.get("identifier").and_then(|i| identifier(i, &whole.site.authority));
    let Some(text) = reference.text_of("reference") else {
        return by_identifier.map(|i| Identity { identifiers: vec![i], ..Identity::default() });
    };
    if let Some(id) = text.strip_prefix('#') {
        let contained = whole.resource.each("contained").iter().find(|c| c.text_of("id") == Some(id))?;
        let is_patient = contained.text_of("resourceType") == Some("Patient");
        return is_patient.then(|| patient::identity(contained, whole, Some(id)));
    }
    if let Some((_, query)) = text.split_once("?identifier=").filter(|(kind, _)| *kind == "Patient") {
        let (system, value) = query.split_once('|').unwrap_or(("", query));
        return Some(Identity::of_key(
            authority(system, &whole.site.authority),
            value,
            IdentifierKind::MedicalRecord,
        ));
    }
    let target = whole.index.resolve(text, &whole.site.authority)?;
    if !matches!(target.kind.as_str(), "Patient" | "") {
        return None;
    }
    let mut identifiers = vec![target.identifier()];
    identifiers.extend(by_identifier);
    Some(Identity { identifiers, ..Identity::default() })
}

/// What a Patient or Person says of who is the same.
pub(super) fn links(whole: &Whole<'_>, known: &[Identity]) -> Vec<Link> {
    let Some(own) = known.first().and_then(Identity::key) else { return Vec::new() };
    match whole.kind {
        "Patient" => whole
            .resource
            .each("link")
            .iter()
            .filter_map(|link| {
                let other = of_reference(link.get("other")?, whole)?.identifiers.into_iter().next()?;
                let (kept, other) = match link.text_of("type") {
                    Some("replaced-by" | "refer") => (other, own.clone()),
                    _ => (own.clone(), other),
                };
                (kept != other).then_some(Link { kind: LinkKind::Same, kept, other })
            })
            .collect(),
        "Person" => known
            .iter()
            .skip(1)
            .filter_map(Identity::key)
            .map(|other| Link { kind: LinkKind::Same, kept: own.clone(), other: other.clone() })
            .collect(),
        _ => Vec::new(),
    }
}

/// An identifier with who gave it and what kind it is; `None` without a value.
pub(super) fn identifier(json: &Json<'_>, site: &str) -> Option<Identifier> {
    let value = json.text_of("value")?.trim();
    let system = json.text_of("system").unwrap_or_default();
    let codes: Vec<&str> = json
        .get("type")
        .map_or(&[][..], |t| t.each("coding"))
        .iter()
        .filter_map(|c| c.text_of("code"))
        .collect();
    let kind = match json.text_of("use") {
        Some("old" | "temp") => IdentifierKind::Other,
        usual => codes.iter().find_map(|c| of_type(c)).or_else(|| of_system(system)).unwrap_or_else(|| {
            let named = codes.is_empty() && !system.is_empty();
            let own = matches!(usual, Some("usual" | "official"));
            if named && own { IdentifierKind::MedicalRecord } else { IdentifierKind::Other }
        }),
    };
    (!value.is_empty()).then(|| Identifier {
        authority: authority(system, site),
        value: value.to_owned(),
        kind,
    })
}

/// Who gave a number: an OID without its `urn:oid:`, as HL7 v2 and DICOM write it, or the URI.
fn authority(system: &str, site: &str) -> String {
    let system = system.trim();
    let system = system.strip_prefix("urn:oid:").unwrap_or(system);
    if system.is_empty() { site.to_owned() } else { system.to_owned() }
}

/// By HL7 table 0203.
fn of_type(code: &str) -> Option<IdentifierKind> {
    match code {
        "MR" | "MRT" | "PI" | "PT" => Some(IdentifierKind::MedicalRecord),
        "SS" | "NI" | "SB" | "NH" | "HC" | "JHN" => Some(IdentifierKind::National),
        code if code.len() == 5 && code.starts_with("NN") => Some(IdentifierKind::National),
        "DL" | "PPN" | "AN" | "VN" | "MB" | "MA" | "MC" | "SN" | "PNT" => Some(IdentifierKind::Other),
        _ => None,
    }
}

fn of_system(system: &str) -> Option<IdentifierKind> {
    let national = matches!(
        system,
        "http://hl7.org/fhir/sid/us-ssn"
            | "urn:oid:2.16.840.1.113883.4.1"
            | "https://fhir.nhs.uk/Id/nhs-number"
            | "urn:oid:2.16.840.1.113883.2.1.4.1"
            | "http://fhir.de/sid/gkv/kvid-10"
            | "http://ns.electronichealth.net.au/id/hi/ihi/1.0"
            | "urn:oid:1.2.246.21"
    );
    national.then_some(IdentifierKind::National)
}
