//! What a MEDS code says: MEDS leaves the vocabulary open, and sets write `LOINC//2345-7`, `SNOMED/3950001`,
//! `LAB//50912//mg/dL`, `MEDS_BIRTH`.

use crate::codes;
use chiasm_record::Code;

/// A code of a system that everybody knows, as `system|code`; `None` for any other, which stays as it is.
pub(super) fn common(code: &str) -> Option<Code> {
    let (system, rest) = code.split_once('/')?;
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    // Two letters stand for too much, and a third part for something else.
    if system.len() < 3 || rest.is_empty() || rest.contains(['/', '|']) {
        return None;
    }
    Some(Code::new(codes::known(system)?, rest))
}

/// The kind of evidence that a code stands for, as well as it can be said.
pub(super) fn modality(code: &Code) -> &'static str {
    match code.system() {
        Some("LOINC") if codes::VITALS.contains(&code.code()) => return "vitals",
        Some("LOINC") => return "labs",
        Some("RxNorm" | "NDC" | "ATC" | "CVX" | "DMD") => return "medications",
        Some("ICD10PCS" | "ICD9PCS" | "CPT" | "HCPCS" | "OPCS4") => return "procedures",
        Some(system) if system.starts_with("ICD") => return "conditions",
        Some("VCF" | "MAF" | "HGVS") => return "genomics",
        _ => {}
    }
    let word = code.as_str().split(['/', '|']).next().unwrap_or_default().to_ascii_uppercase();
    let begins = |words: &[&str]| words.iter().any(|w| word.starts_with(w));
    if begins(&[
        "MEDS_",
        "GENDER",
        "SEX",
        "RACE",
        "ETHNIC",
        "DEMOGRAPHIC",
        "MARITAL",
        "LANGUAGE",
        "DOB",
        "DEATH",
        "BIRTH",
    ]) {
        "demographics"
    } else if begins(&["LAB"]) {
        "labs"
    } else if begins(&["VITAL", "HR", "SPO2", "BLOOD PRESSURE", "BMI", "WEIGHT", "HEIGHT", "EGFR"]) {
        if word.starts_with("EGFR") { "labs" } else { "vitals" }
    } else if begins(&["DIAGNOS", "CONDITION", "DX", "PROBLEM"]) {
        "conditions"
    } else if begins(&["MEDICATION", "DRUG", "PRESCRI", "INFUSION", "PHARMACY", "RX"]) {
        "medications"
    } else if begins(&["PROCEDURE", "PX", "SURGERY"]) {
        "procedures"
    } else if begins(&["HOSPITAL_", "ICU_", "ED_", "ADMI", "DISCHARGE", "TRANSFER", "VISIT", "ENCOUNTER"]) {
        "encounters"
    } else if begins(&["NOTE", "REPORT"]) {
        "notes"
    } else if begins(&["IMAG", "RADIOLOGY"]) {
        "imaging"
    } else {
        "other"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_systems_are_found_and_others_stay() {
        for (code, found, kind) in [
            ("LOINC//2345-7", Some("LOINC|2345-7"), "labs"),
            ("LOINC/8867-4", Some("LOINC|8867-4"), "vitals"),
            ("CPT4/99213", Some("CPT|99213"), "procedures"),
            ("ICD10CM//E11.9", Some("ICD10CM|E11.9"), "conditions"),
            ("RxNorm/1049221", Some("RxNorm|1049221"), "medications"),
            ("LAB//50912//mg/dL", None, "labs"),
            ("LOINC//2345-7//mg/dL", None, "other"),
            ("DIAGNOSIS//ICD//10//E119", None, "conditions"),
            ("HOSPITAL_ADMISSION//EMERGENCY", None, "encounters"),
            ("MEDS_BIRTH", None, "demographics"),
            ("LOINC//", None, "other"),
            ("", None, "other"),
        ] {
            let common = common(code);
            assert_eq!(common.as_ref().map(Code::as_str), found, "{code}");
            assert_eq!(modality(&common.unwrap_or_else(|| Code::verbatim(code))), kind, "{code}");
        }
        assert_eq!(modality(&Code::verbatim("LOINC|718-7")), "labs");
    }
}
