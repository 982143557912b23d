use crate::clk::EncodedIdentity;
use crate::date::{self, DateOrder};
use crate::vocabulary::{ValueId, Vocabulary};
use crate::{FieldKind, IdentifierKind, Identity, Sex, normalise, placeholder};
use std::collections::{BTreeMap, BTreeSet};

/// The records to link as columns of numbers, one a value: what every later step works on.
///
/// Holds names and dates of birth, so it has no `Debug`.
pub struct Records {
    pub(crate) slots: Vec<Slot>,
    pub(crate) vocabularies: Vec<Vocabulary>,
    ids: Vec<Box<str>>,
    /// Where the second table begins; the number of records where there is one table.
    pub(crate) second: usize,
    pub(crate) tables: usize,
    /// Whether the values are Bloom filters.
    pub(crate) encoded: bool,
    /// Records under nobody's name or birthday ("BABY BOY", "John Doe", 1900-01-01).
    pub(crate) nameless: BTreeSet<u32>,
    /// Dates of birth that stand for none.
    null_dates: Vec<Box<str>>,
}

/// One column over all records.
pub(crate) struct Slot {
    pub(crate) kind: FieldKind,
    /// Which of the columns of its kind.
    pub(crate) ordinal: usize,
    /// What it is called in a list of weights.
    pub(crate) name: String,
    /// Values of one vocabulary can be compared across slots.
    pub(crate) vocabulary: usize,
    /// Shape: `[record]`.
    pub(crate) values: Vec<ValueId>,
}

/// Gathers records one by one, so that a table need never be in memory as text.
#[derive(Default)]
pub struct RecordsBuilder {
    columns: BTreeMap<(FieldKind, usize), (String, Vec<ValueId>)>,
    vocabularies: BTreeMap<FieldKind, Vocabulary>,
    ids: Vec<Box<str>>,
    second: Option<usize>,
    tables: usize,
    encoded: bool,
    /// Columns of [`FieldKind::Other`]: two of them compare where they have one name.
    others: Vec<String>,
    nameless: BTreeSet<u32>,
}

/// Kinds whose values are compared with each other share a vocabulary, named after one of them.
pub(crate) fn vocabulary_of(kind: FieldKind) -> FieldKind {
    match kind {
        FieldKind::FamilyName => FieldKind::GivenName,
        kind => kind,
    }
}

impl RecordsBuilder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { tables: 1, ..Self::default() }
    }

    /// What follows belongs to the second table.
    pub fn second_table(&mut self) {
        self.second = Some(self.ids.len());
        self.tables = 2;
    }

    /// Adds a record: its id and its cells as `(kind, name of the column, text)`. Cells of one kind are
    /// told apart by their order. An empty cell keeps its place.
    pub fn push<'a>(&mut self, id: &str, cells: impl IntoIterator<Item = (FieldKind, &'a str, &'a str)>) {
        self.ids.push(id.into());
        let mut seen: BTreeMap<FieldKind, usize> = BTreeMap::new();
        let cells: Vec<_> = cells.into_iter().collect();
        let has_house = cells.iter().any(|(kind, ..)| *kind == FieldKind::HouseNumber);
        let of = |wanted: FieldKind| cells.iter().filter(move |(kind, ..)| *kind == wanted);
        let authority = of(FieldKind::Authority).next().map(|cell| normalise::text(cell.2));
        // One column of record numbers without an authority is of one authority, whatever it is called.
        let told_apart = of(FieldKind::MedicalRecord).nth(1).is_some();
        let part = |wanted| of(wanted).next().map_or("", |cell| cell.2);
        let birth = [FieldKind::BirthYear, FieldKind::BirthMonth, FieldKind::BirthDay].map(part);
        let (mut given, mut family, mut suffix) = (Vec::new(), Vec::new(), "");
        for &(kind, name, raw) in &cells {
            if matches!(kind, FieldKind::GivenName | FieldKind::FamilyName | FieldKind::FullName)
                && suffix.is_empty()
            {
                suffix = normalise::suffix(raw);
            }
            if kind == FieldKind::Other {
                let ordinal = self.other(name);
                self.put(kind, ordinal, name, &normalise::text(normalise::whole(raw)));
                continue;
            }
            let mut put = |kind: FieldKind, value: &str| {
                let ordinal = seen.entry(kind).or_default();
                self.put(kind, *ordinal, name, value);
                *ordinal += 1;
            };
            match kind {
                FieldKind::Ignore
                | FieldKind::Authority
                | FieldKind::BirthMonth
                | FieldKind::BirthDay
                | FieldKind::Other => {}
                FieldKind::BirthYear => {
                    put(FieldKind::BirthDate, &date::joined(birth[0], birth[1], birth[2]));
                }
                FieldKind::FullName => {
                    let (own, of_family) = normalise::full_name(raw);
                    given.push((name, own));
                    family.push((name, of_family));
                }
                FieldKind::GivenName => given.push((name, normalise::name(raw))),
                FieldKind::FamilyName => family.push((name, normalise::name(raw))),
                FieldKind::NameSuffix => suffix = normalise::suffix(&format!("name {raw}")),
                FieldKind::Street if !has_house => {
                    let (street, house) = normalise::street(raw);
                    put(FieldKind::Street, &street);
                    put(FieldKind::HouseNumber, &house);
                }
                FieldKind::MedicalRecord => {
                    let number = normalise::code(raw);
                    let authority = authority.as_deref().unwrap_or(if told_apart { name } else { "" });
                    let value = if number.is_empty() { number } else { format!("{authority}\u{1f}{number}") };
                    put(kind, &value);
                }
                FieldKind::BirthDate => put(kind, &date::digits(raw, DateOrder::default())),
                FieldKind::Sex => put(kind, &normalise::sex(raw)),
                FieldKind::Phone => put(kind, &normalise::phone(raw)),
                FieldKind::Postcode => put(kind, &normalise::postcode(raw)),
                FieldKind::NationalId => put(kind, &normalise::code(raw)),
                FieldKind::HouseNumber => put(kind, &normalise::text(normalise::whole(raw))),
                FieldKind::Street | FieldKind::City | FieldKind::State | FieldKind::Email => {
                    put(kind, &normalise::text(raw));
                }
            }
        }
        self.put_names(given, family, suffix);
    }

    /// Adds the names of the last record, those that stand for none left out.
    fn put_names(&mut self, given: Vec<(&str, String)>, family: Vec<(&str, String)>, suffix: &str) {
        let ((given_in, given), (family_in, family)): ((Vec<_>, Vec<_>), (Vec<_>, Vec<_>)) =
            (given.into_iter().unzip(), family.into_iter().unzip());
        let names = placeholder::names(given, family);
        if names.nameless {
            self.nameless.insert((self.ids.len() - 1) as u32);
        }
        let all =
            [(FieldKind::GivenName, given_in, names.given), (FieldKind::FamilyName, family_in, names.family)];
        for (kind, columns, names) in all {
            for (ordinal, (column, name)) in columns.into_iter().zip(names).enumerate() {
                self.put(kind, ordinal, column, &name);
            }
        }
        if !suffix.is_empty() {
            self.put(FieldKind::NameSuffix, 0, "name suffix", suffix);
        }
    }

    /// The place of a column that is compared with the one of its own name alone.
    fn other(&mut self, name: &str) -> usize {
        let name = normalise::text(name);
        let known = self.others.iter().position(|other| *other == name);
        known.unwrap_or_else(|| {
            self.others.push(name);
            self.others.len() - 1
        })
    }

    fn put(&mut self, kind: FieldKind, ordinal: usize, name: &str, value: &str) {
        let row = self.ids.len() - 1;
        let id = self.vocabularies.entry(vocabulary_of(kind)).or_default().intern(value);
        let (_, values) =
            self.columns.entry((kind, ordinal)).or_insert_with(|| (name.to_owned(), Vec::new()));
        values.resize(row, 0);
        values.push(id);
    }

    /// Adds somebody as a source describes them. `id` is the record's key in the result.
    pub fn push_identity(&mut self, id: &str, identity: &Identity) {
        let births = identity.birth.map(|birth| date::digits_of(&birth));
        let mut numbers: Vec<(FieldKind, String)> = Vec::new();
        for identifier in &identity.identifiers {
            let number = normalise::code(&identifier.value);
            match identifier.kind {
                _ if number.is_empty() => {}
                IdentifierKind::National => numbers.push((FieldKind::NationalId, number)),
                IdentifierKind::MedicalRecord => {
                    let authority = normalise::text(&identifier.authority);
                    numbers.push((FieldKind::MedicalRecord, format!("{authority}\u{1f}{number}")));
                }
                IdentifierKind::Source | IdentifierKind::Other => {}
            }
        }
        self.push(id, []);
        let given = identity.names.first().map(|name| name.given.join(" ")).unwrap_or_default();
        let families = identity.names.iter().filter_map(|name| name.family.as_deref());
        let words = families.clone().chain([given.as_str()]);
        let behind = identity.names.iter().filter_map(|name| name.suffix.as_deref());
        let suffix = words.map(str::to_owned).chain(behind.map(|suffix| format!("name {suffix}")));
        let suffix = suffix.map(|raw| normalise::suffix(&raw)).find(|suffix| !suffix.is_empty());
        let told = |name: &str| Some(normalise::name(name)).filter(|name| !name.is_empty());
        self.put_names(
            told(&given).map(|name| ("given name", name)).into_iter().collect(),
            families.filter_map(told).map(|name| ("family name", name)).take(MOST_OF_A_KIND).collect(),
            suffix.unwrap_or(""),
        );
        let mut seen: BTreeMap<FieldKind, usize> = BTreeMap::new();
        let mut put = |kind: FieldKind, name: &str, value: &str| {
            let ordinal = seen.entry(kind).or_default();
            if !value.is_empty() && *ordinal < MOST_OF_A_KIND {
                self.put(kind, *ordinal, name, value);
                *ordinal += 1;
            }
        };
        put(FieldKind::BirthDate, "birth date", births.as_deref().unwrap_or(""));
        match identity.sex {
            Some(Sex::Female) => put(FieldKind::Sex, "sex", "f"),
            Some(Sex::Male) => put(FieldKind::Sex, "sex", "m"),
            Some(Sex::Other) => put(FieldKind::Sex, "sex", "o"),
            None => {}
        }
        if let Some(address) = identity.addresses.first() {
            let (street, house) = normalise::street(address.street.as_deref().unwrap_or(""));
            put(FieldKind::Street, "street", &street);
            put(FieldKind::HouseNumber, "house number", &house);
            put(FieldKind::City, "city", &normalise::text(address.city.as_deref().unwrap_or("")));
            put(FieldKind::State, "state", &normalise::text(address.state.as_deref().unwrap_or("")));
            put(
                FieldKind::Postcode,
                "postcode",
                &normalise::postcode(address.postcode.as_deref().unwrap_or("")),
            );
        }
        for phone in &identity.phones {
            put(FieldKind::Phone, "phone", &normalise::phone(phone));
        }
        for email in &identity.emails {
            put(FieldKind::Email, "email", &normalise::text(email));
        }
        for (kind, number) in &numbers {
            let name = if *kind == FieldKind::NationalId { "national id" } else { "medical record" };
            put(*kind, name, number);
        }
    }

    /// Adds somebody of whom only encodings are known. A builder takes either encodings or text.
    pub fn push_encoded(&mut self, id: &str, encoded: &EncodedIdentity) {
        self.encoded = true;
        self.push(id, []);
        for (kind, filter) in encoded.filters() {
            self.put(kind, 0, kind_name(kind), &filter);
        }
    }

    /// The records, ready to compare. Columns in which nobody has anything are dropped.
    pub fn finish(self) -> Records {
        let total = self.ids.len();
        let kinds: Vec<FieldKind> = self.vocabularies.keys().copied().collect();
        let mut vocabularies: Vec<Vocabulary> = self.vocabularies.into_values().collect();
        for (kind, vocabulary) in kinds.iter().zip(&mut vocabularies) {
            vocabulary.describe(*kind == FieldKind::GivenName);
        }
        let columns = self.columns.into_iter().filter(|(_, (_, values))| values.iter().any(|&v| v != 0));
        let slots = columns.map(|((kind, ordinal), (name, mut values))| {
            values.resize(total, 0);
            let vocabulary = kinds.iter().position(|&k| k == vocabulary_of(kind)).unwrap_or(0);
            Slot { kind, ordinal, name, vocabulary, values }
        });
        let mut slots: Vec<Slot> = slots.collect();
        let (mut null_dates, mut nameless): (Vec<Box<str>>, _) = (Vec::new(), self.nameless);
        for slot in slots.iter_mut().filter(|s| s.kind == FieldKind::BirthDate && !self.encoded) {
            let words = &vocabularies[slot.vocabulary];
            let null = placeholder::null_dates(slot, words);
            null_dates.extend(null.iter().map(|id| words.text(*id).into()));
            for (row, value) in (0..).zip(&mut slot.values).filter(|(_, value)| null.contains(value)) {
                *value = 0;
                nameless.insert(row);
            }
        }
        let second = self.second.unwrap_or(total);
        Records {
            slots,
            vocabularies,
            ids: self.ids,
            second,
            tables: self.tables,
            encoded: self.encoded,
            nameless,
            null_dates,
        }
    }
}

/// How many values of one kind (phones, record numbers) a record keeps.
const MOST_OF_A_KIND: usize = 3;

impl Records {
    /// Records as sources deliver them, each with its key. One pool: everybody is compared with everybody.
    pub fn from_identities<'a>(identities: impl IntoIterator<Item = (&'a str, &'a Identity)>) -> Self {
        let mut builder = RecordsBuilder::new();
        for (id, identity) in identities {
            builder.push_identity(id, identity);
        }
        builder.finish()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The id of record `row` as it stands in the source.
    pub fn id(&self, row: u32) -> &str {
        &self.ids[row as usize]
    }

    /// Whether two records may be linked at all: of different tables where there are two.
    pub(crate) fn comparable(&self, a: u32, b: u32) -> bool {
        a != b && (self.tables == 1 || (a as usize) < self.second && (b as usize) >= self.second)
    }

    /// Adds the only record of `other` as the last of these, field by field. Returns what [`Self::drop_last`]
    /// needs to leave no trace.
    pub(crate) fn push_last(&mut self, other: &Self) -> Vec<usize> {
        let sizes = self.vocabularies.iter().map(Vocabulary::len).collect();
        for slot in &mut self.slots {
            let known = other.slots.iter().find(|o| o.kind == slot.kind && o.ordinal == slot.ordinal);
            let text = known.map_or("", |o| other.vocabularies[o.vocabulary].text(o.values[0]));
            let null =
                slot.kind == FieldKind::BirthDate && self.null_dates.iter().any(|date| **date == *text);
            let text = if null { "" } else { text };
            let names = vocabulary_of(slot.kind) == FieldKind::GivenName;
            slot.values.push(self.vocabularies[slot.vocabulary].intern_described(text, names));
        }
        self.ids.push("".into());
        sizes
    }

    /// Takes the last record out again; says whether values went with it.
    pub(crate) fn drop_last(&mut self, sizes: &[usize]) -> bool {
        for slot in &mut self.slots {
            slot.values.pop();
        }
        self.ids.pop();
        let mut gone = false;
        for (vocabulary, &size) in self.vocabularies.iter_mut().zip(sizes) {
            gone |= vocabulary.len() > size;
            vocabulary.truncate(size);
        }
        gone
    }

    /// How many pairs of records there are to compare.
    pub fn pairs(&self) -> f64 {
        let n = self.len() as f64;
        if self.tables == 1 { n * (n - 1.0) / 2.0 } else { self.second as f64 * (n - self.second as f64) }
    }
}

/// What a kind of field is called where no column has a name.
fn kind_name(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::GivenName => "given name",
        FieldKind::FamilyName => "family name",
        FieldKind::BirthDate => "birth date",
        FieldKind::Sex => "sex",
        FieldKind::Postcode => "postcode",
        FieldKind::Street => "street",
        FieldKind::City => "city",
        FieldKind::NationalId => "national id",
        FieldKind::Phone => "phone",
        _ => "other",
    }
}
