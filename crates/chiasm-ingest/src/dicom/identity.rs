use super::dataset::Level;
use super::times::parts;
use crate::feed::Feed;
use chiasm_linkage::{Address, BirthDate, Identifier, IdentifierKind, Identity, PersonName, Sex};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// Retired in favour of a sequence, and still what most devices write.
const OTHER_PATIENT_IDS: Tag = Tag(0x0010, 0x1000);
/// The most further identifiers of one patient that are taken of one file.
const OTHERS: usize = 64;

/// Who an instance says it is about; `None` where it says nothing (a calibration, a palette).
///
/// Without a Patient ID the study's UID is the key: all its instances are of one patient, and of no
/// other.
pub(super) fn identity(root: Level<'_>, feed: &Feed) -> Option<Identity> {
    let mut identity = Identity {
        identifiers: identifiers(root, &feed.site),
        names: names(root),
        birth: root.first(tags::PATIENT_BIRTH_DATE).and_then(|d| birth(&d)),
        sex: match root.first(tags::PATIENT_SEX).as_deref() {
            Some("F") => Some(Sex::Female),
            Some("M") => Some(Sex::Male),
            Some("O") => Some(Sex::Other),
            _ => None,
        },
        addresses: addresses(root),
        phones: root.texts(tags::PATIENT_TELEPHONE_NUMBERS),
        emails: Vec::new(),
    };
    identity.phones.retain(|p| !p.is_empty());
    if identity == Identity::default() {
        return None;
    }
    if root.first(tags::PATIENT_ID).is_none() {
        let study = root.first(tags::STUDY_INSTANCE_UID)?;
        let key = Identifier { authority: "DICOM study".into(), value: study, kind: IdentifierKind::Source };
        identity.identifiers.insert(0, key);
    }
    Some(identity)
}

fn identifiers(root: Level<'_>, site: &str) -> Vec<Identifier> {
    let mut all = Vec::new();
    let mut add = |level: Level<'_>, kind| {
        if let Some(value) = level.first(tags::PATIENT_ID) {
            let qualified =
                || level.nested(tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE, tags::UNIVERSAL_ENTITY_ID);
            let authority = level.first(tags::ISSUER_OF_PATIENT_ID).or_else(qualified);
            all.push(Identifier { authority: authority.unwrap_or_else(|| site.to_owned()), value, kind });
        }
    };
    add(root, IdentifierKind::MedicalRecord);
    // A number with the name of its giver is a record number of another system; one without may be anything.
    for item in root.items(tags::OTHER_PATIENT_I_DS_SEQUENCE).take(OTHERS) {
        let named = item.find(tags::ISSUER_OF_PATIENT_ID).is_some()
            || item.find(tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE).is_some();
        add(item, if named { IdentifierKind::MedicalRecord } else { IdentifierKind::Other });
    }
    for value in root.texts(OTHER_PATIENT_IDS).into_iter().take(OTHERS) {
        all.push(Identifier { authority: site.to_owned(), value, kind: IdentifierKind::Other });
    }
    let mut seen: Vec<Identifier> = Vec::with_capacity(all.len());
    for identifier in all {
        let same = |i: &Identifier| i.authority == identifier.authority && i.value == identifier.value;
        if !identifier.value.is_empty() && !seen.iter().any(same) {
            seen.push(identifier);
        }
    }
    seen
}

/// All names in all their scripts, the usual one first.
fn names(root: Level<'_>) -> Vec<PersonName> {
    let of = |tag: Tag| root.texts(tag).into_iter().flat_map(|n| groups(&n));
    let all = of(tags::PATIENT_NAME).chain(of(tags::OTHER_PATIENT_NAMES)).chain(of(tags::PATIENT_BIRTH_NAME));
    let mut names = Vec::new();
    for name in all.take(OTHERS) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The alphabetic, ideographic and phonetic spelling of a name, those that are there.
fn groups(value: &str) -> Vec<PersonName> {
    value.split('=').take(3).filter_map(name).collect()
}

/// `family^given^middle^prefix^suffix`.
fn name(group: &str) -> Option<PersonName> {
    let part = |p: &str| Some(p.trim().to_owned()).filter(|p| !p.is_empty());
    let mut parts = group.split('^').map(part);
    let family = parts.next().flatten();
    let given: Vec<String> = parts.by_ref().take(2).flatten().collect();
    let suffix = parts.nth(1).flatten();
    (family.is_some() || !given.is_empty()).then_some(PersonName { given, family, suffix })
}

fn birth(date: &str) -> Option<BirthDate> {
    let parts = parts(date, None)?;
    let part =
        |p: Option<i8>, most: u8| p.and_then(|p| u8::try_from(p).ok()).filter(|p| (1..=most).contains(p));
    let (month, day) = (part(parts.month, 12), part(parts.day, 31));
    // Unknown months and days are written as zeros by some.
    (parts.year > 0).then_some(BirthDate { year: parts.year, month, day: day.filter(|_| month.is_some()) })
}

fn addresses(root: Level<'_>) -> Vec<Address> {
    let country = root.first(tags::COUNTRY_OF_RESIDENCE);
    let state = root.first(tags::REGION_OF_RESIDENCE);
    let mut all: Vec<Address> = root
        .texts(tags::PATIENT_ADDRESS)
        .into_iter()
        .filter(|a| !a.is_empty())
        .map(|street| Address { street: Some(street), ..Address::default() })
        .collect();
    if country.is_some() || state.is_some() {
        if all.is_empty() {
            all.push(Address::default());
        }
        (all[0].country, all[0].state) = (country, state);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_up_to_three_scripts() {
        let all = groups("Yamada^Tarou=山田^太郎=やまだ^たろう");
        let families: Vec<_> = all.iter().filter_map(|n| n.family.as_deref()).collect();
        assert_eq!(families, ["Yamada", "山田", "やまだ"]);
        let adams = &groups("Adams^John Robert^Quincy^Rev.^B.A.")[0];
        assert_eq!((adams.family.as_deref(), adams.given.len()), (Some("Adams"), 2));
        assert_eq!(adams.suffix.as_deref(), Some("B.A."));
        assert!(groups("^^^^").is_empty() && groups("").is_empty());
    }

    #[test]
    fn unknown_parts_of_a_date_of_birth_are_none() {
        let date = birth("19300000").map(|b| (b.year, b.month, b.day));
        assert_eq!(date, Some((1930, None, None)));
        assert!(birth("about 1930").is_none() && birth("00000000").is_none());
    }
}
