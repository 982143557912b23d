//! Coded fields (CE, CWE, CNE): a code, its text and its system, and the same once more in another.

use super::context::Context;
use super::field::Field;
use chiasm_record::Code;

/// A coded field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Coded {
    /// The code that is most useful: in a system that everybody knows, where there are two.
    pub(super) code: Option<Code>,
    /// The other one.
    pub(super) alternate: Option<Code>,
    /// The text.
    pub(super) text: Option<String>,
}

impl Coded {
    /// Reads one repetition of a coded field.
    pub(super) fn of(field: Field<'_>, context: &Context<'_>) -> Self {
        let part = |n| field.component(n).string();
        let code = |at: usize| {
            let code = part(at)?;
            Some(Code::new(&system(part(at + 2).as_deref().unwrap_or_default(), &context.facility), &code))
        };
        let (first, second) = (code(1), code(4));
        let text = part(9).or_else(|| part(2)).or_else(|| part(5));
        let known = |c: &Option<Code>| c.as_ref().and_then(Code::system).is_some_and(is_standard);
        let (code, alternate) = match (first, second) {
            (None, second) => (second, None),
            (first, second) if known(&second) && !known(&first) => (second, first),
            pair => pair,
        };
        Self { code, alternate, text }
    }

    /// The code, or the text under the sender's name where there is only that.
    pub(super) fn or_text(&self, context: &Context<'_>) -> Option<Code> {
        let text = || Some(Code::new(&context.facility, self.text.as_deref()?));
        self.code.clone().or_else(text)
    }

    /// How a value of this code reads: its text, else the code.
    pub(super) fn shown(&self) -> Option<String> {
        self.text.clone().or_else(|| self.code.as_ref().map(|c| c.code().to_owned()))
    }
}

/// HL7's names for systems (table 0396) and what senders write for them, to the short names used here.
const SYSTEMS: [(&str, &str); 36] = [
    ("LN", "LOINC"),
    ("LOINC", "LOINC"),
    ("SCT", "SNOMED"),
    ("SCT2", "SNOMED"),
    ("SNOMED", "SNOMED"),
    ("SNOMEDCT", "SNOMED"),
    ("SNOMED-CT", "SNOMED"),
    ("SNM", "SNOMED"),
    ("I10", "ICD10"),
    ("ICD10", "ICD10"),
    ("ICD-10", "ICD10"),
    ("I10C", "ICD10CM"),
    ("I10CM", "ICD10CM"),
    ("ICD10CM", "ICD10CM"),
    ("ICD-10-CM", "ICD10CM"),
    ("I10P", "ICD10PCS"),
    ("ICD10PCS", "ICD10PCS"),
    ("I9", "ICD9CM"),
    ("I9C", "ICD9CM"),
    ("I9CDX", "ICD9CM"),
    ("ICD9", "ICD9CM"),
    ("ICD-9", "ICD9CM"),
    ("ICD9CM", "ICD9CM"),
    ("I9CP", "ICD9PCS"),
    ("C4", "CPT"),
    ("CPT", "CPT"),
    ("CPT4", "CPT"),
    ("CPT-4", "CPT"),
    ("HCPCS", "HCPCS"),
    ("HCPT", "HCPCS"),
    ("RXNORM", "RxNorm"),
    ("NDC", "NDC"),
    ("CVX", "CVX"),
    ("ATC", "ATC"),
    ("DCM", "DCM"),
    ("UCUM", "UCUM"),
];

/// The system that a name in CE-3 stands for; `facility` for local codes (`L`, `99xxx`, no name).
pub(super) fn system(name: &str, facility: &str) -> String {
    let name = name.trim();
    if name.is_empty() || name.eq_ignore_ascii_case("L") {
        return facility.to_owned();
    }
    if let Some((_, short)) = SYSTEMS.iter().find(|(hl7, _)| hl7.eq_ignore_ascii_case(name)) {
        return (*short).to_owned();
    }
    if name.starts_with("99") { format!("{facility}/{name}") } else { name.to_owned() }
}

fn is_standard(system: &str) -> bool {
    SYSTEMS.iter().any(|(_, short)| *short == system)
}
