use super::concept::{self, Coded};
use super::event::{Kept, Whole};
use super::identity::identifier;
use super::reference::Target;
use crate::json::Json;
use chiasm_linkage::{Address, BirthDate, Identifier, IdentifierKind, Identity, PersonName, Sex};
use chiasm_record::{Code, Event, Finding, Times};

/// Who a Patient resource says it is; `contained` is its fragment where it lies in another.
pub(super) fn identity(patient: &Json<'_>, whole: &Whole<'_>, contained: Option<&str>) -> Identity {
    let mut identifiers = Vec::new();
    identifiers.extend(own_key(patient, whole, contained));
    for json in patient.each("identifier") {
        let found = identifier(json, &whole.site.authority);
        identifiers.extend(found.filter(|i| !identifiers.contains(i)));
    }
    let mut names: Vec<(u8, PersonName)> =
        patient.each("name").iter().filter_map(|n| Some((rank(n), name(n)?))).collect();
    names.sort_by_key(|(rank, _)| *rank);
    let mut addresses: Vec<(u8, Address)> =
        patient.each("address").iter().map(|a| (rank(a), address(a))).collect();
    addresses.sort_by_key(|(rank, _)| *rank);
    let telecom = |systems: &[&str]| -> Vec<String> {
        let points = patient.each("telecom").iter();
        let of = points.filter(|p| p.text_of("system").is_some_and(|s| systems.contains(&s)));
        of.filter_map(|p| p.text_of("value")).map(str::to_owned).collect()
    };
    Identity {
        identifiers,
        names: names.into_iter().map(|(_, n)| n).collect(),
        birth: patient.text_of("birthDate").and_then(birth),
        sex: match patient.text_of("gender") {
            Some("female") => Some(Sex::Female),
            Some("male") => Some(Sex::Male),
            Some("other") => Some(Sex::Other),
            _ => None,
        },
        addresses: addresses.into_iter().map(|(_, a)| a).collect(),
        phones: telecom(&["phone", "sms"]),
        emails: telecom(&["email"]),
    }
}

/// The record's key: the server and the logical id, or the Bundle's name for it, or the container's.
fn own_key(patient: &Json<'_>, whole: &Whole<'_>, contained: Option<&str>) -> Option<Identifier> {
    let id = patient.text_of("id");
    if let Some(fragment) = contained {
        let authority = format!("{}/Patient", whole.site.authority);
        let value = format!("{}#{fragment}", whole.name()?);
        return Some(Identifier { authority, value, kind: IdentifierKind::Source });
    }
    let target = match (id, whole.site.full_url) {
        (Some(id), _) => {
            Target { authority: whole.site.authority.clone(), kind: "Patient".to_owned(), id: id.to_owned() }
        }
        (None, Some(url)) => {
            let found = whole.index.resolve(url, &whole.site.authority)?;
            Target { kind: "Patient".to_owned(), ..found }
        }
        (None, None) => return None,
    };
    Some(target.identifier())
}

/// What is in use comes first, what was comes last.
fn rank(part: &Json<'_>) -> u8 {
    match part.text_of("use") {
        Some("usual") => 0,
        Some("official" | "home") => 1,
        Some("old" | "maiden" | "temp" | "billing") => 3,
        _ => 2,
    }
}

fn name(json: &Json<'_>) -> Option<PersonName> {
    let given: Vec<String> =
        json.each("given").iter().filter_map(Json::text).map(|g| g.trim().to_owned()).collect();
    let family = json.text_of("family").map(|f| f.trim().to_owned()).filter(|f| !f.is_empty());
    if !given.is_empty() || family.is_some() {
        let suffix: Vec<&str> = json.each("suffix").iter().filter_map(Json::text).map(str::trim).collect();
        let suffix = Some(suffix.join(" ")).filter(|s| !s.is_empty());
        return Some(PersonName { given, family, suffix });
    }
    let text = json.text_of("text")?.trim();
    let (given, family) = match text.split_once(',') {
        Some((family, given)) => (given, family),
        None => text.rsplit_once(' ').unwrap_or(("", text)),
    };
    let given = given.split_whitespace().map(str::to_owned).collect();
    let family = Some(family.trim().to_owned()).filter(|f| !f.is_empty())?;
    Some(PersonName { given, family: Some(family), suffix: None })
}

fn address(json: &Json<'_>) -> Address {
    let part = |name: &str| json.text_of(name).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    let lines: Vec<&str> = json.each("line").iter().filter_map(Json::text).map(str::trim).collect();
    let street = Some(lines.join(", ")).filter(|s| !s.is_empty());
    let known = part("city").is_some() || part("postalCode").is_some();
    Address {
        street: street.or_else(|| part("text").filter(|_| !known)),
        city: part("city"),
        state: part("state"),
        postcode: part("postalCode"),
        country: part("country"),
    }
}

fn birth(text: &str) -> Option<BirthDate> {
    let mut parts = text.trim().split('-');
    let year = parts.next().filter(|y| y.len() == 4)?.parse().ok()?;
    let mut next = |most: u8| match parts.next() {
        Some(part) => Some(Some(part.parse().ok().filter(|n| (1..=most).contains(n))?)),
        None => Some(None),
    };
    Some(BirthDate { year, month: next(12)?, day: next(31)? })
}

/// Birth, death and what a Patient resource says of the kind of person; names are none of it.
pub(super) fn events(whole: &Whole<'_>, kept: &mut Kept) {
    let patient = whole.resource;
    let times = |happened| Times { happened, known: None, recorded: whole.recorded() };
    let event = |code: Code, happened| Event::new(times(happened), code, whole.modality("demographics"));
    if let Some(moment) = patient.text_of("birthDate").and_then(|t| whole.moment(t)) {
        kept.events.push(event(Code::verbatim("MEDS_BIRTH"), Some(moment)));
    }
    let dead = patient.text_of("deceasedDateTime").and_then(|t| whole.moment(t));
    if dead.is_some() || patient.get("deceasedBoolean").and_then(Json::boolean) == Some(true) {
        if dead.is_some() || whole.recorded().is_some() {
            kept.events.push(event(Code::verbatim("MEDS_DEATH"), dead));
        } else {
            // Without any time it would count as known at every time, before it happened too.
            let message = "a death without a date and without meta.lastUpdated is left out";
            kept.findings.push(Finding::new("Patient.deceasedBoolean", message, 1));
        }
    }
    if let Some(gender) = patient.text_of("gender") {
        let mut sex = event(Code::new("FHIR", "Patient.gender"), None);
        sex.text = Some(gender.to_owned());
        kept.events.push(sex);
    }
    let languages = patient.each("communication").iter().filter_map(|c| c.get("language"));
    let coded =
        languages.map(|l| ("language", l)).chain(patient.get("maritalStatus").map(|m| ("maritalStatus", m)));
    for (name, json) in coded {
        if let Some(coded) = concept::coded(json) {
            kept.events.push(said(event(Code::new("FHIR", &format!("Patient.{name}")), None), &coded));
        }
    }
    for extension in patient.each("extension") {
        let Some(url) = extension.text_of("url") else { continue };
        let name = url.rsplit('/').next().unwrap_or(url);
        if !matches!(name, "us-core-race" | "us-core-ethnicity" | "us-core-birthsex") {
            continue;
        }
        let inner = extension.each("extension").iter().filter_map(|e| e.get("valueCoding"));
        for coding in inner.chain(extension.get("valueCode")) {
            let base = event(Code::new("FHIR", &format!("Patient.{name}")), None);
            match (concept::coded(coding), coding.text()) {
                (Some(coded), _) => kept.events.push(said(base, &coded)),
                (None, Some(code)) => kept.events.push(Event { text: Some(code.to_owned()), ..base }),
                (None, None) => {}
            }
        }
    }
    if kept.events.is_empty() {
        kept.events.push(event(Code::new("FHIR", "Patient"), None));
    }
}

fn said(mut event: Event, coded: &Coded) -> Event {
    coded.as_value(&mut event);
    event
}
