use super::{concept, genomics};
use crate::codes;
use crate::json::Json;

/// The modality of an Observation: its category, then what its code and content show.
pub(super) fn of_observation(observation: &Json<'_>) -> &'static str {
    if genomics::is_variant(observation) {
        return "genomics";
    }
    for category in observation.each("category") {
        for coding in category.each("coding") {
            match coding.text_of("code") {
                Some("laboratory" | "LAB") => return "labs",
                Some("vital-signs") => return "vitals",
                Some("imaging" | "RAD") => return "imaging",
                Some("procedure" | "therapy") => return "procedures",
                Some("GE" | "genomics") => return "genomics",
                Some("PAT" | "SP" | "CP" | "pathology") => return "pathology",
                Some("social-history" | "survey" | "exam" | "activity") => return "other",
                _ => {}
            }
        }
    }
    let Some(code) = observation.get("code") else { return "other" };
    if codes::VITALS.iter().any(|vital| concept::has(code, "LOINC", vital)) {
        return "vitals";
    }
    let measured = observation.get("valueQuantity").is_some() || observation.get("specimen").is_some();
    let loinc = concept::coded(code).is_some_and(|c| c.main.system() == Some("LOINC"));
    if measured && loinc { "labs" } else { "other" }
}

/// The modality of a DiagnosticReport by its category (HL7 table 0074), then by its content.
pub(super) fn of_report(report: &Json<'_>) -> &'static str {
    for category in report.each("category") {
        for coding in category.each("coding") {
            match coding.text_of("code") {
                Some("RAD" | "CT" | "NMR" | "NMS" | "OUS" | "RUS" | "VUS" | "XRC" | "CUS" | "RX") => {
                    return "imaging";
                }
                Some("PAT" | "SP" | "CP" | "CT-PATH" | "PF") => return "pathology",
                Some("GE" | "CG") => return "genomics",
                Some("LAB" | "HM" | "CH" | "MB" | "MYC" | "SR" | "TX" | "VR" | "BLB" | "IMM" | "OSL") => {
                    return "labs";
                }
                Some("LP29684-5") => return "imaging",
                Some("LP7839-6") => return "pathology",
                Some("LP29708-2" | "EC" | "EN") => return "procedures",
                _ => {}
            }
        }
    }
    if report.get("imagingStudy").is_some() {
        "imaging"
    } else if report.get("result").is_some() {
        "labs"
    } else {
        "notes"
    }
}
