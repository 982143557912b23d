//! What laboratory, radiology and genetics report to the EHR.

use super::{
    ACCESSION, Export, LOCAL, LOINC, SNOMED, UCUM, accession, category, coding, concept, encounter, quantity,
    reference, resource, subject, term, time,
};
use crate::hospital::calendar::DAY;
use crate::hospital::case::Case;
use crate::hospital::disease::{DRIVERS, Evidence};
use crate::hospital::json::{Json, base64, object};
use crate::hospital::notes::report;
use crate::hospital::pacs;

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";

/// Specimens, results and reports of the panels that the EHR shows.
pub(super) fn panels(case: &Case<'_>, export: &mut Export) {
    for (i, visit) in case.course.visits.iter().enumerate() {
        let Some(panel) = visit.panel.as_ref().filter(|p| p.in_ehr) else { continue };
        let specimen = format!("spe-{}", panel.accession);
        export.add(
            resource(case, "Specimen", specimen.clone(), panel.received)
                .with("accessionIdentifier", accession(&panel.accession))
                .with("status", "available")
                .with("type", concept(SNOMED, "119297000", "Blood specimen"))
                .with("subject", subject(case, i))
                .with("receivedTime", time(case, panel.received))
                .with("collection", object! { "collectedDateTime": time(case, panel.drawn) }),
        );
        let mut results = Vec::new();
        for lab in &panel.results {
            let analyte = lab.analyte;
            let id = format!("lab-{}-{}", panel.accession, analyte.local);
            results.push(reference("Observation", &id));
            let (status, issued) = match lab.mistake {
                Some((_, at)) => ("corrected", at),
                None => ("final", panel.issued),
            };
            let code = object! {
                "coding": [
                    coding(LOINC, analyte.loinc, analyte.display),
                    coding(LOCAL, analyte.local, ""),
                ],
            };
            let (low, high) = analyte.range;
            let range = object! {
                "low": quantity(low, analyte.unit, analyte.unit),
                "high": quantity(high, analyte.unit, analyte.unit),
            };
            export.add(
                resource(case, "Observation", id, issued)
                    .with("status", status)
                    .with("category", category("laboratory"))
                    .with("code", code)
                    .with("subject", subject(case, i))
                    .with("encounter", encounter(case, i))
                    .with("effectiveDateTime", time(case, panel.drawn))
                    .with("issued", time(case, issued))
                    .with("valueQuantity", quantity(lab.value, analyte.unit, analyte.unit))
                    .with("specimen", reference("Specimen", &specimen))
                    .with("referenceRange", [range]),
            );
        }
        export.add(
            resource(case, "DiagnosticReport", format!("rep-{}", panel.accession), panel.issued)
                .with("identifier", [accession(&panel.accession)])
                .with("status", "final")
                .with("category", [term("v2-0074", "LAB")])
                .with("code", concept(LOINC, "11502-2", "Laboratory report"))
                .with("subject", subject(case, i))
                .with("encounter", encounter(case, i))
                .with("effectiveDateTime", time(case, panel.drawn))
                .with("issued", time(case, panel.issued))
                .with("specimen", [reference("Specimen", &specimen)])
                .with("result", results),
        );
    }
}

/// Orders, imaging studies and their reports.
pub(super) fn studies(case: &Case<'_>, export: &mut Export) {
    let mut earlier = None;
    for study in &case.course.studies {
        let ct = study.kind == Evidence::Ct;
        let (modality, loinc, display) = match ct {
            true => ("CT", "24627-2", "CT Chest"),
            false => ("CR", "36643-5", "XR Chest 2 Views"),
        };
        let order = format!("ord-{}", study.accession);
        let visit = study.visit;
        export.add(
            resource(case, "ServiceRequest", order.clone(), study.ordered)
                .with("identifier", [accession(&study.accession)])
                .with("status", "completed")
                .with("intent", "order")
                .with("code", concept(LOINC, loinc, display))
                .with("subject", subject(case, visit))
                .with("authoredOn", time(case, study.ordered)),
        );
        let instances: Vec<Json> = (0..pacs::instances(case.config, study))
            .map(|n| {
                object! {
                    "uid": pacs::instance(case.config.seed, case.person.index, study, n),
                    "sopClass": object! {
                        "system": "urn:ietf:rfc:3986",
                        "code": format!("urn:oid:{}", pacs::sop_class(study)),
                    },
                    "number": (n + 1) as f64,
                }
            })
            .collect();
        let count = instances.len() as f64;
        let series = object! {
            "uid": study.series.as_str(),
            "number": 1.0,
            "modality": coding(DCM, modality, ""),
            "numberOfInstances": count,
            "bodySite": coding(SNOMED, "51185008", "Thoracic structure"),
            "instance": instances,
        };
        let uid = object! { "system": "urn:dicom:uid", "value": format!("urn:oid:{}", study.uid) };
        export.add(
            resource(case, "ImagingStudy", format!("img-{}", study.accession), study.acquired)
                .with("identifier", [uid, accession(&study.accession)])
                .with("status", "available")
                .with("modality", [coding(DCM, modality, "")])
                .with("subject", subject(case, visit))
                .with("encounter", encounter(case, visit))
                .with("started", time(case, study.acquired))
                .with("basedOn", [reference("ServiceRequest", &order)])
                .with("numberOfSeries", 1.0)
                .with("numberOfInstances", count)
                .with("series", [series]),
        );
        let text = report(&case.disease, study.acquired, ct, earlier.filter(|_| ct));
        export.add(
            resource(case, "DiagnosticReport", format!("rep-{}", study.accession), study.reported)
                .with("identifier", [accession(&study.accession)])
                .with("basedOn", [reference("ServiceRequest", &order)])
                .with("status", "final")
                .with("category", [term("v2-0074", "RAD")])
                .with("code", concept(LOINC, loinc, display))
                .with("subject", subject(case, visit))
                .with("effectiveDateTime", time(case, study.acquired))
                .with("issued", time(case, study.reported))
                .with("imagingStudy", [reference("ImagingStudy", &format!("img-{}", study.accession))])
                .with(
                    "presentedForm",
                    [object! {
                        "contentType": "text/plain; charset=utf-8", "data": base64(text.as_bytes()),
                    }],
                ),
        );
        if ct {
            earlier = Some(study.acquired);
        }
    }
}

/// The variants found in the tumour, after Genomics Reporting's Variant profile.
pub(super) fn genome(case: &Case<'_>, export: &mut Export) {
    let Some(taken) = case.course.sequenced else { return };
    let issued = taken + 14 * DAY;
    let specimen = format!("spe-{}", case.sample('T'));
    export.add(
        resource(case, "Specimen", specimen.clone(), taken)
            .with("accessionIdentifier", object! { "system": ACCESSION, "value": case.sample('T') })
            .with("status", "available")
            .with("type", concept(SNOMED, "119376003", "Tissue specimen"))
            .with("subject", subject(case, 0))
            .with("collection", object! { "collectedDateTime": time(case, taken) }),
    );
    for (i, fraction) in &case.disease.drivers {
        let driver = &DRIVERS[*i];
        let part = |loinc: &str, display: &str| object! { "code": concept(LOINC, loinc, display) };
        let frequency = object! {
            "value": crate::hospital::analytes::round(*fraction, 3), "system": UCUM, "code": "1",
        };
        let hgvs = |code: &str| concept("http://varnomen.hgvs.org", code, "");
        let position = object! { "value": f64::from(driver.position) };
        export.add(
            resource(case, "Observation", format!("var-{}-{}", case.tail(), driver.gene), issued)
                .with("status", "final")
                .with("category", [term("observation-category", "laboratory"), term("v2-0074", "GE")])
                .with("code", concept(LOINC, "69548-6", "Genetic variant assessment"))
                .with("subject", subject(case, 0))
                .with("effectiveDateTime", time(case, taken))
                .with("issued", time(case, issued))
                .with("valueCodeableConcept", concept(LOINC, "LA9633-4", "Present"))
                .with("specimen", reference("Specimen", &specimen))
                .with(
                    "component",
                    [
                        part("48018-6", "Gene studied [ID]").with(
                            "valueCodeableConcept",
                            concept("http://www.genenames.org/geneId", driver.hgnc, driver.gene),
                        ),
                        part("48004-6", "DNA change (c.HGVS)")
                            .with("valueCodeableConcept", hgvs(driver.coding)),
                        part("48005-3", "Amino acid change (pHGVS)")
                            .with("valueCodeableConcept", hgvs(driver.protein)),
                        part("81254-5", "Genomic allele start-end")
                            .with("valueRange", object! { "low": position }),
                        part("69547-8", "Genomic ref allele [ID]").with("valueString", driver.reference),
                        part("69551-0", "Genomic alt allele [ID]").with("valueString", driver.alternate),
                        part("81258-6", "Sample variant allelic frequency [NFr]")
                            .with("valueQuantity", frequency),
                    ],
                ),
        );
    }
}
