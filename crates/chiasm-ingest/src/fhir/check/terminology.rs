use super::Checker;
use super::primitive::is_absolute;
use crate::feed::Severity;
use crate::fhir::schema::{Member, Schema, Typed};
use crate::json::Json;

impl<'a> Checker<'a> {
    /// A code that must come from a value set.
    pub(super) fn binding(
        &mut self,
        value: Option<&'a Json<'a>>,
        member: &'static Member,
        typed: &'static Typed,
    ) {
        let Some(set) = member.binding else { return };
        let r4 = Schema::r4();
        let name = set.rsplit('/').next().unwrap_or(set);
        let Some(value) = value else {
            if r4.holds(set, None, "").is_some() {
                self.error("fhir.code", format!("expected a code of {name}, found none"));
            }
            return;
        };
        let in_set = |coding: &Json<'_>| {
            let code = coding.text_of("code").unwrap_or_default();
            r4.holds(set, Some(coding.text_of("system").unwrap_or_default()), code)
        };
        let good = match typed.name {
            "code" | "string" | "uri" => value.text().and_then(|code| r4.holds(set, None, code)),
            "Coding" => in_set(value),
            "CodeableConcept" => {
                let codings = value.each("coding");
                r4.holds(set, None, "").map(|_| codings.iter().any(|c| in_set(c) == Some(true)))
            }
            _ => None,
        };
        if good == Some(false) {
            self.error("fhir.code", format!("expected a code of {name}, found another"));
        }
    }

    /// A Coding's system and, where HL7 defines the system, its code.
    pub(super) fn coding(&mut self, json: &Json<'_>) {
        let (system, code) = (json.text_of("system"), json.text_of("code"));
        let Some(system) = system else {
            if code.is_some() {
                self.fault(
                    Severity::Warning,
                    "fhir.coding",
                    "a code without a system has no defined meaning",
                );
            }
            return;
        };
        if !is_absolute(system) {
            self.within(".system", |c| c.error("fhir.coding", "expected an absolute URI as system"));
        }
        if ["http://hl7.org/fhir/ValueSet/", "http://terminology.hl7.org/ValueSet/"]
            .iter()
            .any(|v| system.starts_with(v))
        {
            self.within(".system", |c| c.error("fhir.coding", "expected a code system, found a value set"));
        }
        let Some(code) = code else { return };
        if Schema::r4().defines(system, code) == Some(false) {
            // HL7 Terminology lives on beside R4: what is not in it may have come later.
            let severity =
                if system.starts_with("http://hl7.org/fhir/") { Severity::Error } else { Severity::Warning };
            self.within(".code", |c| {
                c.fault(severity, "fhir.coding", "the code system does not define this code")
            });
        }
    }
}
