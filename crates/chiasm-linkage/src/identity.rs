use serde::{Deserialize, Serialize};

/// Who a record says it is about, as its source wrote it.
///
/// The one type in the workspace that holds names, dates of birth and identifiers; its `Debug` prints
/// none of them.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// The source's own identifier first (its authority and value are the record's key), then others.
    pub identifiers: Vec<Identifier>,
    /// Names, the usual one first.
    pub names: Vec<PersonName>,
    /// Date of birth, as exact as the source gives it.
    pub birth: Option<BirthDate>,
    /// Administrative sex.
    pub sex: Option<Sex>,
    /// Addresses, the present one first.
    pub addresses: Vec<Address>,
    /// Telephone numbers as written.
    pub phones: Vec<String>,
    /// Mail addresses as written.
    pub emails: Vec<String>,
}

/// A number or name that somebody gave to a person.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identifier {
    /// Who gave it: a hospital's namespace, an OID, a URI. Values of two authorities never compare.
    pub authority: String,
    /// The number, as text: leading zeros count.
    pub value: String,
    /// What kind of number.
    #[serde(default)]
    pub kind: IdentifierKind,
}

/// What an identifier is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// A medical record number: unique within its authority.
    MedicalRecord,
    /// A number of the state, one for life: a social security or health service number.
    National,
    /// The key of a row or resource in one system.
    #[default]
    Source,
    /// An account, a visit, an insurance policy: may be shared or change.
    Other,
}

/// A person's name in parts.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct PersonName {
    /// Given names in order.
    pub given: Vec<String>,
    /// Family name with its particles.
    pub family: Option<String>,
    /// What follows the name: `Jr.`, `III` tell parent and child apart; a degree says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

/// A date of birth: year, and month and day where they are known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BirthDate {
    /// The year.
    pub year: i16,
    /// 1 to 12.
    pub month: Option<u8>,
    /// 1 to 31.
    pub day: Option<u8>,
}

/// Administrative sex as FHIR has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Neither.
    Other,
}

/// A postal address.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Street and house number.
    pub street: Option<String>,
    /// Town or suburb.
    pub city: Option<String>,
    /// State or county.
    pub state: Option<String>,
    /// Postcode as text.
    pub postcode: Option<String>,
    /// Country.
    pub country: Option<String>,
}

macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), " [redacted]"))
            }
        }
    )*};
}
redacted!(Identity, Identifier, PersonName, BirthDate, Address);

impl Identifier {
    /// Whether the value is what systems write where there is no number: `0`, `UNKNOWN`, `99999`. Two records that
    /// have it in common have nothing in common. What a data set calls its own rows is never one: a subject may be 0.
    pub fn is_filler(&self) -> bool {
        const WORDS: [&str; 16] = [
            "unknown",
            "unk",
            "none",
            "null",
            "nil",
            "na",
            "anon",
            "anonymous",
            "anonymized",
            "anonymised",
            "test",
            "pending",
            "notknown",
            "unbekannt",
            "nopatientid",
            "noid",
        ];
        let plain: String =
            self.value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let all = |digit: u8| plain.bytes().all(|b| b == digit);
        if self.kind == IdentifierKind::Source {
            return self.value.is_empty();
        }
        plain.is_empty()
            || WORDS.contains(&plain.as_str())
            || all(b'0')
            || plain.len() >= 5 && all(b'9')
            || plain.len() >= 7 && (b'1'..=b'8').any(all)
            || plain.len() >= 7 && "1234567890".starts_with(&plain)
    }
}

impl Identity {
    /// Somebody of whom the source says nothing but its own key.
    pub fn of_key(authority: impl Into<String>, value: impl Into<String>, kind: IdentifierKind) -> Self {
        let identifier = Identifier { authority: authority.into(), value: value.into(), kind };
        Self { identifiers: vec![identifier], ..Self::default() }
    }

    /// Whether it says anything of a person beyond numbers.
    pub fn describes(&self) -> bool {
        !self.names.is_empty() || self.birth.is_some()
    }

    /// The source's own identifier: what makes two entries one record.
    pub fn key(&self) -> Option<&Identifier> {
        self.identifiers.first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_no_number_is_told_from_numbers() {
        let filler = |value: &str| {
            Identity::of_key("h", value, IdentifierKind::MedicalRecord).identifiers[0].is_filler()
        };
        for none in
            ["", "0", "000", "00-00", "UNKNOWN", "N/A", "n.a.", "99999", "1111111", "123456789", "Anonymous"]
        {
            assert!(filler(none), "{none}");
        }
        assert!(!Identity::of_key("set", "0", IdentifierKind::Source).identifiers[0].is_filler());
        for number in ["1", "9", "11", "10", "4711", "999", "1234", "E0001", "P00019513", "123456780"] {
            assert!(!filler(number), "{number}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_person() {
        let mut person = Identity::of_key("hospital", "4711", IdentifierKind::MedicalRecord);
        person.names.push(PersonName {
            given: vec!["Ada".into()],
            family: Some("Byron".into()),
            ..PersonName::default()
        });
        person.birth = Some(BirthDate { year: 1815, month: Some(12), day: Some(10) });
        let shown = format!("{person:?} {:?} {:?} {:?}", person.identifiers, person.names, person.birth);
        for secret in ["4711", "Ada", "Byron", "1815", "hospital"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
