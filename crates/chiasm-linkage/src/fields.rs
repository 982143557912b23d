use crate::Error;
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
    /// Both in one cell: `Given Family` or `Family, Given`.
    FullName,
    /// Date of birth.
    BirthDate,
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
        let kinds: Vec<FieldKind> = header.iter().enumerate().map(kind_of).collect();
        if kinds.iter().all(|kind| matches!(kind, FieldKind::Ignore | FieldKind::Authority)) {
            return Err(Error::NoFields { place: place.into(), found: found() });
        }
        Ok((kinds, findings))
    }
}

/// The kind that a column's name announces, `None` for an unknown name.
pub fn recognise(name: &str) -> Option<FieldKind> {
    let lower = name.trim().to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let joined = words.join("_");
    let stem = joined.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    KNOWN
        .iter()
        .find(|(_, names)| names.contains(&joined.as_str()) || names.contains(&stem))
        .map(|&(kind, _)| kind)
}

/// Names of columns by kind, in lower case with underscores; a number at the end is not part of the name.
const KNOWN: [(FieldKind, &[&str]); 17] = [
    (
        FieldKind::Ignore,
        &[
            "id",
            "rec_id",
            "record_id",
            "unique_id",
            "cluster",
            "cluster_id",
            "entity_id",
            "row",
            "row_id",
            "source_dataset",
        ],
    ),
    (
        FieldKind::GivenName,
        &[
            "given_name",
            "given_names",
            "givenname",
            "given",
            "first_name",
            "firstname",
            "first",
            "forename",
            "forenames",
            "fname",
            "vorname",
            "prenom",
            "nombre",
        ],
    ),
    (
        FieldKind::FamilyName,
        &[
            "family_name",
            "familyname",
            "family",
            "surname",
            "last_name",
            "lastname",
            "last",
            "lname",
            "nachname",
            "nom",
            "apellido",
            "apellidos",
        ],
    ),
    (FieldKind::FullName, &["full_name", "fullname", "name", "patient_name", "person_name"]),
    (
        FieldKind::BirthDate,
        &[
            "dob",
            "date_of_birth",
            "dateofbirth",
            "birth_date",
            "birthdate",
            "birthday",
            "birth",
            "patient_birth_date",
            "geburtsdatum",
        ],
    ),
    (
        FieldKind::Sex,
        &["sex", "gender", "administrative_sex", "administrative_gender", "patient_sex", "geschlecht"],
    ),
    (
        FieldKind::Postcode,
        &["postcode", "post_code", "postal_code", "postalcode", "zip", "zip_code", "zipcode", "plz"],
    ),
    (
        FieldKind::Street,
        &[
            "street",
            "street_name",
            "address",
            "address_line",
            "addressline",
            "addr",
            "street_address",
            "line",
            "strasse",
        ],
    ),
    (
        FieldKind::HouseNumber,
        &["street_number", "street_no", "house_number", "house_no", "house", "hausnummer"],
    ),
    (FieldKind::City, &["city", "town", "suburb", "locality", "municipality", "ort"]),
    (FieldKind::State, &["state", "county", "province", "region"]),
    (
        FieldKind::Phone,
        &[
            "phone",
            "phone_number",
            "phone_no",
            "telephone",
            "telephone_number",
            "tel",
            "mobile",
            "mobile_phone",
            "cell",
            "home_phone",
        ],
    ),
    (FieldKind::Email, &["email", "e_mail", "email_address", "mail"]),
    (
        FieldKind::NationalId,
        &[
            "national_id",
            "soc_sec_id",
            "social_security_number",
            "ssn",
            "nhs_number",
            "nhs_no",
            "nino",
            "chi_number",
            "medicare_number",
            "personal_number",
            "ahv",
        ],
    ),
    (
        FieldKind::MedicalRecord,
        &["mrn", "medical_record_number", "medical_record_no", "hospital_number", "chart_number"],
    ),
    (
        FieldKind::Authority,
        &["authority", "assigning_authority", "mrn_authority", "issuer", "issuer_of_patient_id"],
    ),
    (
        FieldKind::Other,
        &[
            "occupation",
            "religion",
            "marital_status",
            "ethnicity",
            "race",
            "birth_place",
            "place_of_birth",
            "mothers_maiden_name",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_names_that_tables_use() {
        for (name, kind) in [
            (" given_name", FieldKind::GivenName),
            ("First Name", FieldKind::GivenName),
            ("SURNAME", FieldKind::FamilyName),
            ("address_1", FieldKind::Street),
            ("address2", FieldKind::Street),
            ("soc_sec_id", FieldKind::NationalId),
            ("DOB", FieldKind::BirthDate),
            ("cluster", FieldKind::Ignore),
        ] {
            assert_eq!(recognise(name), Some(kind), "{name}");
        }
        assert_eq!(recognise("shoe size"), None);
    }

    #[test]
    fn the_first_column_is_never_evidence() {
        let (kinds, findings) = Fields::default().bind("t", &["surname", "given_name", "shoe"]).unwrap();
        assert_eq!(kinds, [FieldKind::Ignore, FieldKind::GivenName, FieldKind::Ignore]);
        assert_eq!(findings.len(), 1);
        assert!(matches!(Fields::default().bind("t", &["surname"]), Err(Error::NoFields { .. })));
        let told = Fields { columns: [("nick".to_owned(), FieldKind::GivenName)].into(), recognise: None };
        assert!(matches!(told.bind("t", &["id", "surname"]), Err(Error::NoSuchColumn { .. })));
    }
}
