use super::concept::{self, Coded};
use super::event::{Kept, Whole};
use super::{document, observation, patient, study};
use crate::json::Json;
use chiasm_record::{Code, Event, Moment, Times};

/// How one resource type becomes an event.
struct Kind {
    name: &'static str,
    modality: &'static str,
    /// Members that hold its code, the first that is there.
    code: &'static [&'static str],
    /// Members (or stems of choices) that say when it happened.
    happened: &'static [&'static str],
    /// Members that say when it became known.
    known: &'static [&'static str],
    /// What else is worth a name.
    attributes: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "Condition",
        modality: "conditions",
        code: &["code"],
        happened: &["onset"],
        known: &["recordedDate", "assertedDate"],
        attributes: &[
            "clinicalStatus",
            "verificationStatus",
            "category",
            "severity",
            "bodySite",
            "stage.summary",
            "onsetAge",
            "onsetString",
            "onsetRange",
        ],
    },
    Kind {
        name: "MedicationRequest",
        modality: "medications",
        code: &["medicationCodeableConcept"],
        happened: &["authoredOn"],
        known: &[],
        attributes: &[
            "status",
            "intent",
            "category",
            "priority",
            "dosageInstruction.text",
            "dosageInstruction.route",
            "dosageInstruction.doseAndRate.doseQuantity",
            "dosageInstruction.timing.code",
            "dosageInstruction.asNeededBoolean",
            "reasonCode",
        ],
    },
    Kind {
        name: "MedicationAdministration",
        modality: "medications",
        code: &["medicationCodeableConcept"],
        happened: &["effective"],
        known: &[],
        attributes: &[
            "status",
            "category",
            "dosage.text",
            "dosage.route",
            "dosage.site",
            "dosage.method",
            "dosage.rateQuantity",
            "dosage.rateRatio",
            "reasonCode",
        ],
    },
    Kind {
        name: "MedicationStatement",
        modality: "medications",
        code: &["medicationCodeableConcept"],
        happened: &["effective"],
        known: &["dateAsserted"],
        attributes: &[
            "status",
            "category",
            "dosage.text",
            "dosage.route",
            "dosage.doseAndRate.doseQuantity",
            "reasonCode",
        ],
    },
    Kind {
        name: "MedicationDispense",
        modality: "medications",
        code: &["medicationCodeableConcept"],
        happened: &["whenHandedOver", "whenPrepared"],
        known: &[],
        attributes: &["status", "category", "daysSupply", "dosageInstruction.text"],
    },
    Kind {
        name: "Immunization",
        modality: "medications",
        code: &["vaccineCode"],
        happened: &["occurrence"],
        known: &["recorded"],
        attributes: &["status", "lotNumber", "site", "route", "doseQuantity", "reasonCode"],
    },
    Kind {
        name: "Procedure",
        modality: "procedures",
        code: &["code"],
        happened: &["performed"],
        known: &[],
        attributes: &["status", "category", "bodySite", "outcome", "complication", "reasonCode"],
    },
    Kind {
        name: "AllergyIntolerance",
        modality: "allergies",
        code: &["code", "reaction.substance"],
        happened: &["onset"],
        known: &["recordedDate"],
        attributes: &[
            "clinicalStatus",
            "verificationStatus",
            "type",
            "category",
            "criticality",
            "reaction.manifestation",
            "reaction.severity",
        ],
    },
    Kind {
        name: "Specimen",
        modality: "labs",
        code: &["type"],
        happened: &["collection.collectedDateTime", "collection.collectedPeriod"],
        known: &["receivedTime"],
        attributes: &[
            "status",
            "accessionIdentifier.value",
            "identifier.value",
            "parent",
            "collection.bodySite",
            "collection.method",
        ],
    },
    Kind {
        name: "Consent",
        modality: "consents",
        code: &[],
        happened: &["dateTime"],
        known: &[],
        attributes: &["status", "scope", "category", "policyRule", "provision.type", "provision.period"],
    },
    Kind {
        name: "Provenance",
        modality: "provenance",
        code: &[],
        happened: &["occurred"],
        known: &["recorded"],
        attributes: &["target", "activity", "agent.who", "entity.what"],
    },
    Kind {
        name: "FamilyMemberHistory",
        modality: "other",
        code: &[],
        happened: &["date"],
        known: &[],
        attributes: &[
            "status",
            "relationship",
            "sex",
            "condition.code",
            "condition.onsetAge",
            "deceasedBoolean",
        ],
    },
    Kind {
        name: "Coverage",
        modality: "demographics",
        code: &[],
        happened: &["period"],
        known: &[],
        attributes: &["status", "type", "relationship"],
    },
    Kind {
        name: "MolecularSequence",
        modality: "genomics",
        code: &[],
        happened: &[],
        known: &[],
        attributes: &["type", "coordinateSystem", "referenceSeq.referenceSeqId", "variant.observedAllele"],
    },
    Kind {
        name: "ServiceRequest",
        modality: "other",
        code: &[],
        happened: &["authoredOn"],
        known: &[],
        attributes: &["status", "intent", "code", "identifier.value", "occurrenceDateTime"],
    },
];

/// What a resource of any other type may have.
const ANY: Kind = Kind {
    name: "",
    modality: "other",
    code: &[],
    happened: &[],
    known: &[],
    attributes: &["status", "code", "type", "category"],
};

/// The events of a resource.
pub(super) fn events(whole: &Whole<'_>, kept: &mut Kept) {
    if whole.is_denied() {
        let times = Times { recorded: whole.recorded(), ..Times::default() };
        let mut event = whole.plain_event(times, "other");
        whole.attributes(whole.resource, &["status", "verificationStatus", "code"], &mut event);
        kept.events.push(event);
        return;
    }
    match whole.kind {
        "Patient" => patient::events(whole, kept),
        "Observation" => observation::events(whole, kept),
        "Encounter" => encounter(whole, kept),
        "DiagnosticReport" => document::report(whole, kept),
        "DocumentReference" => document::reference(whole, kept),
        "Composition" => document::composition(whole, kept),
        "Media" => document::media(whole, kept),
        "ImagingStudy" => study::events(whole, kept),
        kind => of_table(whole, KINDS.iter().find(|k| k.name == kind).unwrap_or(&ANY), kept),
    }
}

/// The first time that stands at one of `members`.
fn first(whole: &Whole<'_>, members: &[&str]) -> Option<Moment> {
    members.iter().find_map(|member| match member.rsplit_once('.') {
        Some((outer, inner)) => {
            let outer: Vec<&str> = outer.split('.').collect();
            whole.time(whole.resource.at(&outer)?.get(inner)?)
        }
        None => whole.choice(whole.resource, member),
    })
}

fn of_table(whole: &Whole<'_>, kind: &Kind, kept: &mut Kept) {
    let (known, recorded) = (first(whole, kind.known), whole.recorded());
    // A later version says what was not known when the first was recorded.
    let revised = whole.resource.get("meta").and_then(|m| m.text_of("versionId")).is_some_and(|v| v != "1");
    let known = match (known, recorded) {
        (Some(known), Some(recorded)) if revised && recorded.end() > known.end() => Some(recorded),
        (known, _) => known,
    };
    let times = Times { happened: first(whole, kind.happened), known, recorded };
    let coded = kind.code.iter().find_map(|path| {
        let path: Vec<&str> = path.split('.').collect();
        whole.resource.at(&path).and_then(concept::coded)
    });
    let coded = coded.or_else(|| medication(whole));
    let mut event = match &coded {
        Some(coded) => whole.event(times, coded, kind.modality),
        None => whole.plain_event(times, kind.modality),
    };
    whole.attributes(whole.resource, kind.attributes, &mut event);
    let dose = whole.resource.at(&["dosage", "dose"]).or_else(|| whole.resource.get("quantity"));
    if let Some(dose) = dose.filter(|_| kind.modality == "medications") {
        event.value = dose.get("value").and_then(Json::number);
        event.unit = concept::unit(dose);
    }
    kept.events.push(event);
    if whole.kind == "Condition" {
        abatement(whole, times, coded, kept);
    }
}

/// The code of a medication that is referred to: contained, or by its name alone.
fn medication(whole: &Whole<'_>) -> Option<Coded> {
    let reference = whole.resource.get("medicationReference")?;
    let text = reference.text_of("reference").unwrap_or_default();
    if let Some(id) = text.strip_prefix('#') {
        let contained = whole.resource.each("contained").iter().find(|c| c.text_of("id") == Some(id));
        if let Some(coded) = contained.and_then(|c| c.get("code")).and_then(concept::coded) {
            return Some(coded);
        }
    }
    let words = reference.text_of("display").filter(|d| !d.trim().is_empty());
    if let Some(words) = words {
        return Some(Coded {
            main: concept::of_text(words),
            also: Vec::new(),
            words: Some(words.to_owned()),
        });
    }
    let id = whole.id_of(Some(reference))?;
    Some(Coded { main: Code::new("Medication", &id), also: Vec::new(), words: None })
}

/// A condition's end is an event of its own: it is not known when it begins.
fn abatement(whole: &Whole<'_>, times: Times, coded: Option<Coded>, kept: &mut Kept) {
    let Some(ended) = whole.choice(whole.resource, "abatement") else { return };
    let times = Times { happened: Some(ended), known: None, ..times };
    let mut event = whole.plain_event(times, "conditions");
    event.code = Code::new("FHIR", "Condition.abatement");
    event.attributes.extend(coded.map(|c| ("code".to_owned(), c.main.to_string())));
    kept.events.push(event);
}

/// An encounter begins and ends: two events, so that nothing of its end is known at its beginning.
fn encounter(whole: &Whole<'_>, kept: &mut Kept) {
    let encounter = whole.resource;
    let at = |name| encounter.at(&["period", name]).and_then(Json::text).and_then(|t| whole.moment(t));
    let times = |happened| Times { happened, known: None, recorded: whole.recorded() };
    let class = encounter.get("class").and_then(concept::coded);
    let mut begins: Event = match &class {
        Some(class) => whole.event(times(at("start")), class, "encounters"),
        None => whole.plain_event(times(at("start")), "encounters"),
    };
    whole.attributes(
        encounter,
        &["status", "type", "serviceType", "priority", "reasonCode", "hospitalization.admitSource", "partOf"],
        &mut begins,
    );
    kept.events.push(begins);
    if let Some(end) = at("end") {
        let mut ends = whole.plain_event(times(Some(end)), "encounters");
        ends.code = Code::new("FHIR", "Encounter.end");
        whole.attributes(encounter, &["hospitalization.dischargeDisposition", "length"], &mut ends);
        kept.events.push(ends);
    }
}
