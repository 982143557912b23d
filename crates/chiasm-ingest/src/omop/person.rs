use super::concepts::Concepts;
use super::event::{self, Broken, Cells};
use crate::feed::Feed;
use chiasm_linkage::{BirthDate, Identifier, IdentifierKind, Identity, Sex};
use chiasm_record::{Code, Event, Modality, Times};

/// Concept ids of gender (vocabulary Gender).
const MALE: i64 = 8507;
const FEMALE: i64 = 8532;

/// The person whose row it is, by the number alone.
pub(super) fn identity(person: i64, feed: &Feed) -> Identity {
    Identity::of_key(format!("{}|OMOP", feed.site), person.to_string(), IdentifierKind::Source)
}

/// What a row of PERSON says: who it is, without a name, and when born and what sex.
pub(super) fn events(
    cells: &Cells<'_>,
    person: i64,
    concepts: &Concepts,
    feed: &Feed,
) -> Result<(Identity, Vec<Event>), Broken> {
    let mut identity = identity(person, feed);
    // The number that the source's own system gave. It need not be one for one person, so it makes no link alone.
    identity.identifiers.extend(cells.get("person_source_value").map(|value| Identifier {
        authority: format!("{}|OMOP person_source_value", feed.site),
        value: value.to_owned(),
        kind: IdentifierKind::Source,
    }));
    let year = cells.id("year_of_birth").and_then(|y| i16::try_from(y).ok());
    let part = |name: &str, most: u8| {
        cells.id(name).and_then(|n| u8::try_from(n).ok()).filter(|n| (1..=most).contains(n))
    };
    let (month, day) = (part("month_of_birth", 12), part("day_of_birth", 31));
    identity.birth = year.map(|year| BirthDate { year, month, day: day.filter(|_| month.is_some()) });
    let gender = cells.id("gender_concept_id");
    let source = cells.get("gender_source_value").unwrap_or_default();
    identity.sex = match gender {
        Some(FEMALE) => Some(Sex::Female),
        Some(MALE) => Some(Sex::Male),
        _ if ["f", "female", "w"].iter().any(|s| s.eq_ignore_ascii_case(source)) => Some(Sex::Female),
        _ if ["m", "male"].iter().any(|s| s.eq_ignore_ascii_case(source)) => Some(Sex::Male),
        _ => None,
    };

    let demographics = || Modality::new("demographics");
    let mut events = Vec::new();
    let born = event::birth(cells, feed);
    if born.is_none() {
        return Err(("omop.birth", "expected a year of birth, and month and day that are some".to_owned()));
    }
    let times = Times { happened: born, ..Times::default() };
    let mut birth = Event::new(times, Code::verbatim("MEDS_BIRTH"), demographics());
    for (name, cell) in cells.names.iter().zip(cells.cells) {
        // The source's own number is the identity's and no attribute: it may be a medical record number.
        let said = matches!(name.as_str(), "person_id" | "person_source_value" | "birth_datetime")
            || name.ends_with("_of_birth");
        if !said && cells.get(name).is_some() {
            event::attribute(name, cell, concepts, &mut birth);
        }
    }
    events.push(birth);
    // The code that FHIR's Patient gives it, so that sex is one thing whoever says it.
    let mut sex = Event::new(Times::default(), Code::new("FHIR", "Patient.gender"), demographics());
    sex.text = match identity.sex {
        Some(Sex::Female) => Some("female".to_owned()),
        Some(Sex::Male) => Some("male".to_owned()),
        _ => None,
    };
    if sex.text.is_some() {
        events.push(sex);
    }
    for (column, name) in [("race_concept_id", "race"), ("ethnicity_concept_id", "ethnicity")] {
        let Some(id) = cells.concept(column) else { continue };
        let code = concepts.code(id);
        let mut said = Event::new(Times::default(), Code::new(event::CDM, name), demographics())
            .with("value_code", Some(code.as_str()));
        said.text = Some(concepts.get(id).map_or_else(|| code.to_string(), |c| c.words.clone()));
        events.push(said);
    }
    Ok((identity, events))
}
