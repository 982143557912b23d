//! Visits with what is measured and prescribed there, the history of illness, and notes.

use super::{
    Export, LOINC, SNOMED, category, coding, concept, encounter, encounter_id, quantity, reference, resource,
    soon, subject, term, time,
};
use crate::hospital::analytes::VITALS;
use crate::hospital::calendar::{DAY, END};
use crate::hospital::case::{Case, LABEL};
use crate::hospital::course::Setting;
use crate::hospital::dice::{Dice, Part};
use crate::hospital::json::{base64, object};

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const ICD10: &str = "http://hl7.org/fhir/sid/icd-10";
const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// Encounters and their vital signs.
pub(super) fn visits(case: &Case<'_>, export: &mut Export) {
    for (i, visit) in case.course.visits.iter().enumerate() {
        let (code, display) = match visit.setting {
            Setting::Clinic => ("AMB", "ambulatory"),
            Setting::Emergency => ("EMER", "emergency"),
            Setting::Ward => ("IMP", "inpatient encounter"),
        };
        let hospitalization =
            visit.fatal.then(|| object! { "dischargeDisposition": term("discharge-disposition", "exp") });
        export.add(
            resource(case, "Encounter", encounter_id(case, i), visit.end)
                .with("status", "finished")
                .with("class", coding(ACT, code, display))
                .with("subject", subject(case, i))
                .with("period", object! { "start": time(case, visit.start), "end": time(case, visit.end) })
                .with("hospitalization", hospitalization)
                .with("serviceProvider", object! { "display": LABEL }),
        );
        let measured = (visit.start + 600).min(visit.end);
        for (n, (vital, value)) in VITALS.iter().zip(&visit.vitals).enumerate().take(5) {
            let id = format!("vit-{}-{i}-{n}", case.tail());
            let code = concept(LOINC, vital.loinc, vital.display);
            export.add(
                resource(case, "Observation", id, soon(case, measured))
                    .with("status", "final")
                    .with("category", category("vital-signs"))
                    .with("code", code)
                    .with("subject", subject(case, i))
                    .with("encounter", encounter(case, i))
                    .with("effectiveDateTime", time(case, measured))
                    .with("issued", time(case, soon(case, measured)))
                    .with("valueQuantity", quantity(*value, vital.shown, vital.unit)),
            );
        }
        let parts = [5, 6].map(|n| {
            let vital = &VITALS[n];
            object! {
                "code": concept(LOINC, vital.loinc, vital.display),
                "valueQuantity": quantity(visit.vitals[n], vital.shown, vital.unit),
            }
        });
        export.add(
            resource(case, "Observation", format!("vit-{}-{i}-bp", case.tail()), soon(case, measured))
                .with("status", "final")
                .with("category", category("vital-signs"))
                .with("code", concept(LOINC, "85354-9", "Blood pressure panel with all children optional"))
                .with("subject", subject(case, i))
                .with("encounter", encounter(case, i))
                .with("effectiveDateTime", time(case, measured))
                .with("issued", time(case, soon(case, measured)))
                .with("component", parts),
        );
    }
}

/// What is on the problem list, prescribed, done, and not tolerated; smoking and performance status.
pub(super) fn history(case: &Case<'_>, export: &mut Export) {
    let (d, course) = (&case.disease, &case.course);
    let first = course.visits[0].start;
    let at_index = course.visits.iter().position(|v| v.start >= d.index - DAY).unwrap_or_default();
    let seen = course.visits[at_index].start;
    let proven = course.biopsy.filter(|_| d.malignant).map(|at| at + 5 * DAY);
    let known = course.death.unwrap_or(END);
    let conditions = [
        (true, "R91", "427359005", "Solitary nodule of lung", seen),
        (proven.is_some(), "C34.9", "254637007", "Non-small cell lung cancer", proven.unwrap_or(seen)),
        (d.diabetes, "E11", "44054006", "Diabetes mellitus type 2", first),
        (d.hypertension, "I10", "38341003", "Hypertensive disorder", first),
        (d.fibrillation, "I48", "49436004", "Atrial fibrillation", first),
        (d.kidney, "N18.3", "433144002", "Chronic kidney disease stage 3", first),
        (d.arthritis, "M06.9", "69896004", "Rheumatoid arthritis", first),
        (d.inflammation > 1.2, "J18.9", "233604007", "Pneumonia", seen),
    ];
    for (n, (_, icd, snomed, display, at)) in
        conditions.into_iter().enumerate().filter(|(_, c)| c.0 && c.4 < known)
    {
        let code =
            object! { "coding": [coding(SNOMED, snomed, display), coding(ICD10, icd, "")], "text": display };
        export.add(
            resource(case, "Condition", format!("con-{}-{n}", case.tail()), soon(case, at))
                .with("clinicalStatus", term("condition-clinical", "active"))
                .with("verificationStatus", term("condition-ver-status", "confirmed"))
                .with("category", [term("condition-category", "problem-list-item")])
                .with("code", code)
                .with("subject", subject(case, at_index))
                .with("onsetDateTime", case.clocks.day(at).to_string())
                .with("recordedDate", time(case, soon(case, at))),
        );
    }
    let drugs = [
        (d.diabetes, "6809", "metformin", first),
        (d.hypertension, "17767", "amlodipine", first),
        (d.fibrillation, "1364430", "apixaban", first),
        (d.arthritis, "8640", "prednisone", first),
        (d.inflammation > 0.8, "723", "amoxicillin", seen),
        (
            proven.is_some() && d.drivers.iter().any(|(i, _)| *i == 0),
            "1721560",
            "osimertinib",
            seen + 30 * DAY,
        ),
        (proven.is_some() && d.drivers.is_empty(), "1547545", "pembrolizumab", seen + 30 * DAY),
    ];
    for (n, (_, rxnorm, name, at)) in drugs.into_iter().enumerate().filter(|(_, c)| c.0 && c.3 < known) {
        export.add(
            resource(case, "MedicationRequest", format!("med-{}-{n}", case.tail()), at)
                .with("status", "active")
                .with("intent", "order")
                .with("medicationCodeableConcept", concept(RXNORM, rxnorm, name))
                .with("subject", subject(case, at_index))
                .with("authoredOn", time(case, at)),
        );
    }
    if let Some(at) = course.biopsy {
        export.add(
            resource(case, "Procedure", format!("pro-{}-0", case.tail()), at)
                .with("status", "completed")
                .with("code", concept(SNOMED, "78603008", "Needle biopsy of lung"))
                .with("subject", subject(case, at_index))
                .with("performedDateTime", time(case, at)),
        );
    }
    let mut dice = Dice::new(case.config.seed, case.person.index, Part::Wire);
    let allergies = [
        ("716186003", "No known allergy", 0.6),
        ("764146007", "Penicillin", 0.3),
        ("111088007", "Latex", 0.1),
    ];
    let draw = dice.unit();
    let (snomed, display, _) = allergies[if draw < 0.6 { 0 } else { 1 + usize::from(draw > 0.9) }];
    export.add(
        resource(case, "AllergyIntolerance", format!("all-{}", case.tail()), soon(case, first))
            .with("clinicalStatus", term("allergyintolerance-clinical", "active"))
            .with("verificationStatus", term("allergyintolerance-verification", "confirmed"))
            .with("code", concept(SNOMED, snomed, display))
            .with("patient", subject(case, 0))
            .with("recordedDate", time(case, soon(case, first))),
    );
    let smoking = if d.smoker { ("8517006", "Ex-smoker") } else { ("266919005", "Never smoked tobacco") };
    let social = |id: String, code, display| {
        resource(case, "Observation", id, soon(case, first))
            .with("status", "final")
            .with("category", category("social-history"))
            .with("code", concept(LOINC, code, display))
            .with("subject", subject(case, 0))
            .with("effectiveDateTime", time(case, first))
    };
    export.add(
        social(format!("smo-{}", case.tail()), "72166-2", "Tobacco smoking status")
            .with("valueCodeableConcept", concept(SNOMED, smoking.0, smoking.1)),
    );
    export.add(
        social(format!("eco-{}", case.tail()), "89247-1", "ECOG Performance Status score")
            .with("valueQuantity", quantity(f64::from(d.status), "{score}", "{score}")),
    );
}

/// Notes as documents, with who wrote them.
pub(super) fn documents(case: &Case<'_>, export: &mut Export) {
    for note in case.notes.iter().filter(|n| n.exported) {
        let id = format!("doc-{}", note.id);
        let attachment = object! {
            "contentType": "text/plain; charset=utf-8",
            "data": base64(note.text.as_bytes()),
            "creation": time(case, note.written),
        };
        export.add(
            resource(case, "DocumentReference", id.clone(), note.written)
                .with(
                    "identifier",
                    [object! { "system": "https://ehr.synthetic.example/note", "value": note.id.as_str() }],
                )
                .with("status", "current")
                .with("docStatus", "final")
                .with("type", concept(LOINC, "11506-3", "Progress note"))
                .with("subject", subject(case, note.visit))
                .with("date", time(case, note.written))
                .with("content", [object! { "attachment": attachment }])
                .with("context", object! { "encounter": [encounter(case, note.visit)] }),
        );
        let agent = object! {
            "type": term("provenance-participant-type", "author"),
            "who": object! { "display": "Synthetic clinician" },
        };
        export.add(
            resource(case, "Provenance", format!("prv-{}", note.id), note.written)
                .with("target", [reference("DocumentReference", &id)])
                .with("recorded", time(case, note.written))
                .with("agent", [agent]),
        );
    }
}
