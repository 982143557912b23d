use super::Checker;
use crate::feed::Parts;
use crate::fhir::concept::has;
use crate::json::Json;
use chiasm_record::Precision;

/// The vital signs that R4 itself gives a profile: LOINC code, and the UCUM codes that its value may have.
/// Whoever uses such a code must keep the profile.
///
/// # Source
/// FHIR R4, Vital Signs Profile.
const SIGNS: [(&str, &[&str]); 10] = [
    ("85353-1", &[]),
    ("85354-9", &[]),
    ("9279-1", &["/min"]),
    ("8867-4", &["/min"]),
    ("2708-6", &["%"]),
    ("8310-5", &["Cel", "[degF]"]),
    ("8302-2", &["cm", "[in_i]"]),
    ("9843-4", &["cm", "[in_i]"]),
    ("29463-7", &["g", "kg", "[lb_av]"]),
    ("39156-5", &["kg/m2"]),
];

impl<'a> Checker<'a> {
    /// An Observation whose code is a vital sign's.
    pub(super) fn vital_sign(&mut self, json: &'a Json<'a>) {
        let Some(code) = json.get("code") else { return };
        let Some((loinc, units)) = SIGNS.iter().find(|(loinc, _)| has(code, "LOINC", loinc)) else { return };
        let category = json.each("category").iter().any(|c| {
            c.each("coding").iter().any(|c| {
                c.text_of("code") == Some("vital-signs")
                    && c.text_of("system")
                        == Some("http://terminology.hl7.org/CodeSystem/observation-category")
            })
        });
        if !category {
            self.error("fhir.vitals", "expected the category vital-signs, as the code is a vital sign's");
        }
        if json.get("subject").is_none() {
            self.error("fhir.vitals", "expected a subject, as the code is a vital sign's");
        }
        let effective = json.get("effectiveDateTime");
        if effective.is_none()
            && json.get("effectivePeriod").is_none()
            && json.get("_effectiveDateTime").is_none()
        {
            self.error(
                "fhir.vitals",
                "expected effectiveDateTime or effectivePeriod, as the code is a vital sign's",
            );
        }
        let parts = effective.and_then(Json::text).and_then(Parts::iso);
        if parts.is_some_and(|p| p.precision() < Precision::Day) {
            self.error("fhir.invariant", "vs-1: the time of a vital sign must be a day or finer");
        }
        let parted = json.get("component").is_some() || json.get("hasMember").is_some();
        let valued = json.members().iter().any(|(n, _)| n.starts_with("value"))
            || json.get("dataAbsentReason").is_some();
        if !parted && !valued {
            self.error("fhir.invariant", "vs-2: expected a value or a reason why there is none");
        }
        if !units.is_empty() {
            self.quantity_in(json, units);
        }
        if *loinc == "85354-9" {
            for (i, component) in json.each("component").iter().enumerate() {
                let pressure = |c: &Json<'_>| has(c, "LOINC", "8480-6") || has(c, "LOINC", "8462-4");
                if component.get("code").is_some_and(pressure) {
                    self.within(&format!(".component[{i}]"), |c| c.quantity_in(component, &["mm[Hg]"]));
                }
            }
        }
    }

    /// The value must be a whole Quantity in one of these units.
    fn quantity_in(&mut self, of: &'a Json<'a>, units: &[&str]) {
        let Some(quantity) = of.get("valueQuantity") else { return };
        self.within(".value.ofType(Quantity)", |c| {
            for part in ["value", "unit", "system", "code"] {
                if quantity.get(part).is_none() && quantity.get(&format!("_{part}")).is_none() {
                    c.error("fhir.vitals", format!("expected {part}, as the code is a vital sign's"));
                }
            }
            if quantity.text_of("code").is_some_and(|code| !units.contains(&code)) {
                c.within(".code", |c| c.error("fhir.vitals", format!("expected {}", units.join(" or "))));
            }
            if quantity.text_of("system").is_some_and(|s| s != "http://unitsofmeasure.org") {
                c.within(".system", |c| c.error("fhir.vitals", "expected http://unitsofmeasure.org"));
            }
        });
    }
}
