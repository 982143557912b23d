//! What a patient allows: consents of every kind, and what each says when it is flattened.

use super::{Export, resource, subject, term, time};
use crate::hospital::calendar::{BEGIN, DAY, END};
use crate::hospital::case::Case;
use crate::hospital::dice::{Dice, Part};
use crate::hospital::json::{Json, object};

const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const TYPES: &str = "http://hl7.org/fhir/resource-types";

/// The kinds, and how many patients in a hundred have each.
const KINDS: [(&str, f64); 12] = [
    ("permit_all", 34.0),
    ("deny_research", 10.0),
    ("permit_but_imaging", 9.0),
    ("treatment_only", 8.0),
    ("withdrawn", 8.0),
    ("expired", 7.0),
    ("no_genomics_for_a_year", 5.0),
    ("rejected", 4.0),
    ("one_registry", 5.0),
    ("entered_in_error", 2.0),
    ("nested_twice", 4.0),
    ("none", 4.0),
];

/// One rule of a consent, as it stands in it.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) permit: bool,
    /// A FHIR resource type, or empty: every kind of evidence.
    pub(crate) class: &'static str,
    /// A purpose of use, or empty: every purpose.
    pub(crate) purpose: &'static str,
    /// The organisation that it is about, or empty: everyone.
    pub(crate) actor: &'static str,
    pub(crate) from: Option<i64>,
    pub(crate) until: Option<i64>,
    /// How deep it is nested: 0 is the consent's own rule. A deeper one is an exception to the one above.
    pub(crate) depth: u8,
}

/// One consent.
#[derive(Clone, Debug)]
pub(crate) struct Agreement {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) status: &'static str,
    pub(crate) signed: i64,
    /// The root first, each exception after the rule that it is an exception to.
    pub(crate) rules: Vec<Rule>,
}

fn rule(permit: bool, class: &'static str, purpose: &'static str, depth: u8) -> Rule {
    Rule { permit, class, purpose, actor: "", from: None, until: None, depth }
}

/// A patient's consents, none or more.
pub(crate) fn consents(case: &Case<'_>) -> Vec<Agreement> {
    let mut dice = Dice::new(case.config.seed, case.person.index, Part::Consent);
    let mut left = dice.between(0.0, 100.0);
    let mut kind = "none";
    for (name, share) in KINDS {
        left -= share;
        if left < 0.0 {
            kind = name;
            break;
        }
    }
    let signed = case.course.visits[0].start - 1_800;
    let later = (signed + dice.whole(60, 500) * DAY).min(END - DAY);
    let agreement = |n: usize, status, signed, rules| Agreement {
        id: format!("cns-{}-{n}", case.tail()),
        kind,
        status,
        signed,
        rules,
    };
    let all = || rule(true, "", "", 0);
    let refuse = || vec![rule(false, "", "", 0), rule(true, "", "TREAT", 1)];
    match kind {
        "permit_all" => vec![agreement(0, "active", signed, vec![all()])],
        "deny_research" => vec![agreement(0, "active", signed, vec![all(), rule(false, "", "HRESCH", 1)])],
        "permit_but_imaging" => {
            vec![agreement(0, "active", signed, vec![all(), rule(false, "ImagingStudy", "", 1)])]
        }
        "treatment_only" => vec![agreement(0, "active", signed, refuse())],
        "withdrawn" => {
            vec![agreement(0, "inactive", signed, vec![all()]), agreement(1, "active", later, refuse())]
        }
        "expired" => {
            let until = Some(signed.max(BEGIN) + 365 * DAY);
            let root = Rule { from: Some(signed), until, ..all() };
            vec![agreement(0, "active", signed, vec![root])]
        }
        "no_genomics_for_a_year" => {
            let until = Some(signed + 365 * DAY);
            let no = Rule { from: Some(signed), until, ..rule(false, "MolecularSequence", "", 1) };
            vec![agreement(0, "active", signed, vec![all(), no])]
        }
        "rejected" => vec![agreement(0, "rejected", signed, vec![all()])],
        "one_registry" => {
            let only = Rule { actor: "synthetic-lung-registry", ..rule(true, "", "HRESCH", 1) };
            let mut rules = refuse();
            rules.push(only);
            vec![agreement(0, "active", signed, rules)]
        }
        "entered_in_error" => {
            let wrong = agreement(0, "entered-in-error", signed, refuse());
            vec![wrong, agreement(1, "active", signed + 3_600, vec![all()])]
        }
        "nested_twice" => {
            let rules = vec![
                all(),
                rule(false, "ImagingStudy", "", 1),
                rule(true, "ImagingStudy", "TREAT", 2),
                rule(false, "DocumentReference", "HRESCH", 1),
            ];
            vec![agreement(0, "active", signed, rules)]
        }
        _ => Vec::new(),
    }
}

pub(super) fn resources(case: &Case<'_>, export: &mut Export) {
    for consent in consents(case) {
        let Some((root, nested)) = consent.rules.split_first() else { continue };
        // R4: the root's own type is in the policy rule, and only exceptions have a type.
        let policy = if root.permit { "OPTIN" } else { "OPTOUT" };
        let provision = provision(case, root, nested);
        export.add(
            resource(case, "Consent", consent.id.clone(), consent.signed)
                .with("status", consent.status)
                .with("scope", term("consentscope", "patient-privacy"))
                .with("category", [super::concept(super::LOINC, "59284-0", "Patient Consent")])
                .with("patient", subject(case, 0))
                .with("dateTime", time(case, consent.signed))
                .with("policyRule", term("v3-ActCode", policy))
                .with("provision", provision),
        );
    }
}

/// A rule with the exceptions to it, which are those that follow until one as shallow as itself.
fn provision(case: &Case<'_>, rule: &Rule, after: &[Rule]) -> Json {
    let coding = |system: &str, code: &str| {
        (!code.is_empty()).then(|| vec![object! { "system": system, "code": code }])
    };
    let actor = (!rule.actor.is_empty()).then(|| {
        vec![object! {
            "role": term("v3-ParticipationType", "IRCP"),
            "reference": object! { "display": rule.actor },
        }]
    });
    let own = after.iter().position(|r| r.depth <= rule.depth).map_or(after, |end| &after[..end]);
    let nested: Vec<Json> = own
        .iter()
        .enumerate()
        .filter(|(_, r)| r.depth == rule.depth + 1)
        .map(|(i, r)| provision(case, r, &own[i + 1..]))
        .collect();
    let period = object! {
        "start": rule.from.map(|t| time(case, t)), "end": rule.until.map(|t| time(case, t)),
    };
    object! {
        "type": (rule.depth > 0).then_some(if rule.permit { "permit" } else { "deny" }),
        "period": period,
        "actor": actor,
        "purpose": coding(REASON, rule.purpose),
        "class": coding(TYPES, rule.class),
        "provision": nested,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hospital::calendar::Clocks;
    use crate::hospital::config::HospitalConfig;
    use std::collections::BTreeSet;

    #[test]
    fn consents_of_every_kind_are_made_and_exceptions_are_nested() {
        let (config, clocks) = (HospitalConfig::new(400, 2), Clocks::new(2));
        let mut kinds = BTreeSet::new();
        for patient in 0..400 {
            let case = Case::new(&config, &clocks, patient);
            for consent in consents(&case) {
                kinds.insert(consent.kind);
                if consent.kind == "nested_twice" {
                    let json = provision(&case, &consent.rules[0], &consent.rules[1..]);
                    let mut text = String::new();
                    json.write(&mut text);
                    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                    assert!(json["type"].is_null());
                    assert_eq!(json["provision"].as_array().unwrap().len(), 2);
                    assert_eq!(json["provision"][0]["provision"][0]["type"], "permit");
                    assert!(json["provision"][1]["provision"].is_null());
                }
            }
        }
        assert_eq!(kinds.len(), KINDS.len() - 1);
    }
}
