//! PID: who the message is about.

use super::context::Context;
use super::field::Field;
use super::message::Fields;
use chiasm_linkage::{Address, BirthDate, Identifier, IdentifierKind, Identity, PersonName, Sex};

/// The authority of the number in PID-19, as FHIR names it.
const SOCIAL_SECURITY: &str = "http://hl7.org/fhir/sid/us-ssn";

/// The person in a PID segment.
///
/// The first medical record number of PID-3 leads: it is the record's key. Identifiers of older versions
/// (PID-2, PID-4), the account (PID-18) and the social security number (PID-19) follow.
pub(super) fn identity(pid: &Fields<'_>, context: &Context<'_>) -> Identity {
    let site = context.feed.site.as_str();
    let mut identifiers = Vec::new();
    let mut add = |id: Option<Identifier>| identifiers.extend(id.filter(|id| !identifiers.contains(id)));
    let all = |n: usize, default| {
        pid.get(n).repetitions().filter_map(move |cx| identifier(cx, site, default)).collect::<Vec<_>>()
    };
    let mut internal = all(3, IdentifierKind::MedicalRecord);
    internal.sort_by_key(|id| id.kind != IdentifierKind::MedicalRecord);
    let older = [all(2, IdentifierKind::Other), all(4, IdentifierKind::Other)].concat();
    for id in internal.into_iter().chain(older).chain(all(18, IdentifierKind::Other)) {
        add(Some(id));
    }
    add(pid.get(19).component(1).string().map(|value| Identifier {
        authority: SOCIAL_SECURITY.to_owned(),
        value,
        kind: IdentifierKind::National,
    }));

    let mut names: Vec<(bool, PersonName)> = [5, 9]
        .into_iter()
        .flat_map(|n| pid.get(n).repetitions().map(move |xpn| (n, xpn)))
        .filter_map(|(n, xpn)| {
            let legal = n == 5 && matches!(xpn.component(7).raw(), "" | "L" | "D");
            Some((!legal, name(xpn)?))
        })
        .collect();
    names.sort_by_key(|(later, _)| *later);
    let (phones, emails) = contacts(pid);
    Identity {
        identifiers,
        names: names.into_iter().map(|(_, name)| name).collect(),
        birth: birth(pid.get(7)),
        sex: match pid.get(8).component(1).raw().trim() {
            "F" | "f" => Some(Sex::Female),
            "M" | "m" => Some(Sex::Male),
            "O" | "A" | "X" => Some(Sex::Other),
            _ => None,
        },
        addresses: pid.get(11).repetitions().filter_map(address).collect(),
        phones,
        emails,
    }
}

/// An identifier (CX): its number, its authority (CX-4, else the site), its kind by table 0203.
pub(super) fn identifier(cx: Field<'_>, site: &str, default: IdentifierKind) -> Option<Identifier> {
    let value = cx.component(1).string()?;
    let authority = cx.component(4);
    let authority = authority.subcomponent(1).string().or_else(|| authority.subcomponent(2).string());
    let kind = match cx.component(5).raw().trim() {
        "" => default,
        "MR" | "MRT" | "PI" | "PT" | "PE" | "MC_MR" => IdentifierKind::MedicalRecord,
        "SS" | "NI" | "NH" | "HC" | "JHN" | "PN" | "CZ" => IdentifierKind::National,
        nation if nation.len() == 5 && nation.starts_with("NN") => IdentifierKind::National,
        _ => IdentifierKind::Other,
    };
    Some(Identifier { authority: authority.unwrap_or_else(|| site.to_owned()), value, kind })
}

fn name(xpn: Field<'_>) -> Option<PersonName> {
    let family = xpn.component(1);
    // FN: the whole surname first; where that is empty, prefix and own surname.
    let own = || {
        let parts: Vec<String> = [2, 3].iter().filter_map(|n| family.subcomponent(*n).string()).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    let family = family.subcomponent(1).string().or_else(own);
    let further = xpn.component(3).string().unwrap_or_default();
    let mut given: Vec<String> = xpn.component(2).string().into_iter().collect();
    given.extend(further.split_whitespace().map(str::to_owned));
    let suffix = xpn.component(4).string();
    (family.is_some() || !given.is_empty()).then_some(PersonName { given, family, suffix })
}

fn birth(field: Field<'_>) -> Option<BirthDate> {
    let text = field.component(1).text()?;
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let part = |at: usize, most: u8| {
        let value: u8 = digits.get(at..at + 2)?.parse().ok()?;
        (1..=most).contains(&value).then_some(value)
    };
    let year = digits.get(..4)?.parse().ok().filter(|y| *y > 0)?;
    let month = part(4, 12);
    Some(BirthDate { year, month, day: month.and_then(|_| part(6, 31)) })
}

fn address(xad: Field<'_>) -> Option<Address> {
    let street = xad.component(1);
    let house = || {
        let parts: Vec<String> = [3, 2].iter().filter_map(|n| street.subcomponent(*n).string()).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    let part = |n| xad.component(n).string();
    let found = Address {
        street: street.subcomponent(1).string().or_else(house),
        city: part(3),
        state: part(4),
        postcode: part(5),
        country: part(6),
    };
    (found != Address::default()).then_some(found)
}

/// Telephone numbers and mail addresses of PID-13, PID-14 and PID-40 (XTN).
fn contacts(pid: &Fields<'_>) -> (Vec<String>, Vec<String>) {
    let (mut phones, mut emails) = (Vec::new(), Vec::new());
    for xtn in [13, 14, 40].into_iter().flat_map(|n| pid.get(n).repetitions()) {
        let part = |n| xtn.component(n).string();
        let parts: Vec<String> = [5, 6, 7].iter().filter_map(|n| part(*n)).collect();
        let built = Some(parts.join(" ")).filter(|_| !parts.is_empty());
        let mail = part(4).filter(|m| m.contains('@'));
        let first = part(1);
        let written = first.clone().filter(|t| t.contains('@'));
        emails.extend(mail.or(written).filter(|m| !emails.contains(m)));
        let number = first.filter(|t| !t.contains('@')).or(built).or_else(|| part(12));
        phones.extend(number.filter(|n| n.bytes().any(|b| b.is_ascii_digit()) && !phones.contains(n)));
    }
    (phones, emails)
}
