use crate::Error;
use crate::headers::recognise;
use chiasm_record::Finding;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a column says about a person, and so how two of its values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// First names.
    GivenName,
    /// Surname with its particles.
    FamilyName,
    /// Generation: `Jr.`, `Sr.`, `II`, `III`. It may as well stand behind a name.
    NameSuffix,
    /// Both in one cell: `Given Family` or `Family, Given`.
    FullName,
    /// Date of birth.
    BirthDate,
    /// Year of birth, where year, month and day stand in columns of their own.
    BirthYear,
    /// Month of birth.
    BirthMonth,
    /// Day of the month of birth.
    BirthDay,
    /// Administrative sex.
    Sex,
    /// Postcode.
    Postcode,
    /// A line of the address without the house number, or with it where no column has it.
    Street,
    /// Number of the house in its street.
    HouseNumber,
    /// Town or suburb.
    City,
    /// State or county.
    State,
    /// Telephone number.
    Phone,
    /// Mail address.
    Email,
    /// A number of the state, one for life.
    NationalId,
    /// Medical record number, unique within its authority.
    MedicalRecord,
    /// The authority of the medical record number in the same row.
    Authority,
    /// Anything else that is equal or is not.
    Other,
    /// No evidence: never read.
    Ignore,
}

/// Which column is what, where its name does not say so: the content of a `--fields FILE.toml`.
///
/// ```toml
/// [columns]
/// vorname_rufname = "given_name"
/// stammnummer = "medical_record"
/// remarks = "ignore"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// Kind by column name, as it stands in the header.
    pub columns: BTreeMap<String, FieldKind>,
    /// Whether columns not named above are recognised by their names. Default: yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recognise: Option<bool>,
}

impl Fields {
    /// What each column is. The first is the record's id and no evidence whatever it is called.
    ///
    /// Columns that nobody recognises are left out and reported.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`] where the configuration names a column that is not there,
    /// [`Error::NoFields`] where nothing is left to compare.
    pub fn bind(&self, place: &str, header: &[&str]) -> Result<(Vec<FieldKind>, Vec<Finding>), Error> {
        let found = || header.iter().map(|name| name.trim()).collect::<Vec<_>>().join(", ");
        let lacking = self.columns.keys().find(|name| !header.iter().any(|h| h.trim() == name.trim()));
        if let Some(name) = lacking {
            return Err(Error::NoSuchColumn { place: place.into(), expected: name.clone(), found: found() });
        }
        let mut findings = Vec::new();
        let kind_of = |(column, name): (usize, &&str)| {
            let name = name.trim();
            if column == 0 {
                return FieldKind::Ignore;
            }
            let told = self.columns.iter().find(|(told, _)| told.trim() == name).map(|(_, &kind)| kind);
            let known =
                || if self.recognise.unwrap_or(true) { recognise(name) } else { Some(FieldKind::Ignore) };
            told.or_else(known).unwrap_or_else(|| {
                let message = format!("column \"{name}\" is of no known kind and was left out");
                findings.push(Finding::new(place, message, 1));
                FieldKind::Ignore
            })
        };
        let mut kinds: Vec<FieldKind> = header.iter().enumerate().map(kind_of).collect();
        settle(&mut kinds);
        if kinds.iter().all(|kind| matches!(kind, FieldKind::Ignore | FieldKind::Authority)) {
            return Err(Error::NoFields { place: place.into(), found: found() });
        }
        Ok((kinds, findings))
    }
}

/// What a name means beside the others: `name` is the given name beside a surname, and says nothing
/// new beside both; parts of a date of birth say nothing new beside the whole.
fn settle(kinds: &mut [FieldKind]) {
    let has = |kinds: &[FieldKind], kind| kinds.contains(&kind);
    let whole = match (has(kinds, FieldKind::GivenName), has(kinds, FieldKind::FamilyName)) {
        (false, false) => FieldKind::FullName,
        (false, true) => FieldKind::GivenName,
        (true, false) => FieldKind::FamilyName,
        (true, true) => FieldKind::Ignore,
    };
    let parts = !has(kinds, FieldKind::BirthDate) && has(kinds, FieldKind::BirthYear);
    for kind in kinds {
        match kind {
            FieldKind::FullName => *kind = whole,
            FieldKind::BirthYear | FieldKind::BirthMonth | FieldKind::BirthDay if !parts => {
                *kind = FieldKind::Ignore;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_column_is_never_evidence() {
        let (kinds, findings) = Fields::default().bind("t", &["surname", "given_name", "shoe"]).unwrap();
        assert_eq!(kinds, [FieldKind::Ignore, FieldKind::GivenName, FieldKind::Ignore]);
        assert_eq!(findings.len(), 1);
        assert!(matches!(Fields::default().bind("t", &["surname"]), Err(Error::NoFields { .. })));
        let told = Fields { columns: [("nick".to_owned(), FieldKind::GivenName)].into(), recognise: None };
        assert!(matches!(told.bind("t", &["id", "surname"]), Err(Error::NoSuchColumn { .. })));
    }

    #[test]
    fn a_name_means_what_the_others_leave_it() {
        use FieldKind::{BirthDate, BirthYear, FamilyName, FullName, GivenName, Ignore};
        for (header, expected) in [
            (vec!["id", "name"], vec![Ignore, FullName]),
            (vec!["id", "name", "surname"], vec![Ignore, GivenName, FamilyName]),
            (vec!["id", "Name", "Vorname"], vec![Ignore, FamilyName, GivenName]),
            (vec!["id", "first_name", "last_name", "full_name"], vec![Ignore, GivenName, FamilyName, Ignore]),
            (vec!["id", "dob", "birth_year"], vec![Ignore, BirthDate, Ignore]),
            (vec!["id", "name", "birth_year"], vec![Ignore, FullName, BirthYear]),
        ] {
            assert_eq!(Fields::default().bind("t", &header).unwrap().0, expected, "{header:?}");
        }
    }
}
