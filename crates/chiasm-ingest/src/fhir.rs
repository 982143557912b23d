//! FHIR R4 (4.0.1) in JSON: one resource, a Bundle of any type, or NDJSON as Bulk Data writes it; each may be
//! packed with gzip.
//!
//! A text is read piece by piece, a line or a Bundle's entry at a time, so memory does not grow with it; a
//! piece beyond [`LARGEST`] is rejected and passed over. One [`Entry`](crate::feed::Entry) is one resource
//! with what is contained in it. Its key is the hash of what it says (not of blanks or of the order of
//! members) and of whose it is, so that a resource sent twice changes nothing.
//!
//! # What becomes an event
//! Resources that say something of a patient at a time become events with their own code: the first coding
//! in the order LOINC, SNOMED CT, RxNorm, ICD, other; the others are attributes named `also`; a concept that
//! is text alone is `TEXT|` and the text. All other resource types become one event `FHIR|` and the type's
//! name, modality `other`. What was entered in error, refuted or not done becomes such an event too, never
//! one with its own code: nothing is to be learned from what was not.
//!
//! Each resource is kept whole, with its extensions and each number's digits: as the attribute `fhir` of its
//! last event, or as an asset (attribute `fhir_asset`) where it is about a person (Patient, Person,
//! RelatedPerson: names do not belong among events) or larger than [`IN_ATTRIBUTE`]. The last, because it is
//! known latest: a discharge must not be readable in an admission.
//!
//! # Source
//! HL7 FHIR R4 4.0.1; FHIR Bulk Data Access 2.0; HL7 Genomics Reporting 2.0.

mod check;
mod concept;
mod document;
mod event;
mod genomics;
mod identity;
mod kinds;
mod modality;
mod observation;
mod path;
mod patient;
mod reading;
mod reference;
mod schema;
mod stream;
mod study;
mod xml;

pub use check::check;
pub use event::IN_ATTRIBUTE;
pub use reading::read;
pub use stream::LARGEST;

/// Whether a text that begins with `head` and comes from a file called `name` is FHIR in JSON.
///
/// It is where an object begins and `resourceType` stands in it; by its name alone only where the head is
/// packed (`.ndjson.gz`).
pub fn recognises(head: &[u8], name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if head.starts_with(&[0x1f, 0x8b]) {
        return [".ndjson.gz", ".fhir.json.gz", ".fhir.gz"].iter().any(|end| name.ends_with(end));
    }
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let begins = head.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    let needle = b"\"resourceType\"";
    begins && (head.windows(needle.len()).any(|w| w == needle) || name.ends_with(".fhir.json"))
}

#[cfg(test)]
mod tests;
