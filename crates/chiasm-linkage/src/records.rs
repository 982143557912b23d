use crate::clk::EncodedIdentity;
use crate::date::{self, DateOrder};
use crate::vocabulary::{ValueId, Vocabulary};
use crate::{Error, FieldKind, Fields, IdentifierKind, Identity, Sex, normalise};
use chiasm_record::{Finding, Table};
use std::collections::BTreeMap;

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
        let authority =
            cells.iter().find(|(kind, ..)| *kind == FieldKind::Authority).map(|c| normalise::text(c.2));
        for (kind, name, raw) in cells {
            let mut put = |kind: FieldKind, value: &str| {
                let ordinal = seen.entry(kind).or_default();
                self.put(kind, *ordinal, name, value);
                *ordinal += 1;
            };
            match kind {
                FieldKind::Ignore | FieldKind::Authority => {}
                FieldKind::FullName => {
                    let (given, family) = normalise::full_name(raw);
                    put(FieldKind::GivenName, &given);
                    put(FieldKind::FamilyName, &family);
                }
                FieldKind::Street if !has_house => {
                    let (street, house) = normalise::street(raw);
                    put(FieldKind::Street, &street);
                    put(FieldKind::HouseNumber, &house);
                }
                FieldKind::MedicalRecord => {
                    let number = normalise::code(raw);
                    let authority = authority.as_deref().unwrap_or(name);
                    let value = if number.is_empty() { number } else { format!("{authority}\u{1f}{number}") };
                    put(kind, &value);
                }
                FieldKind::GivenName | FieldKind::FamilyName => put(kind, &normalise::name(raw)),
                FieldKind::BirthDate => put(kind, &date::digits(raw, DateOrder::DayFirst)),
                FieldKind::Sex => put(kind, &normalise::sex(raw)),
                FieldKind::Phone => put(kind, &normalise::phone(raw)),
                FieldKind::Postcode | FieldKind::NationalId => put(kind, &normalise::code(raw)),
                FieldKind::Street
                | FieldKind::HouseNumber
                | FieldKind::City
                | FieldKind::State
                | FieldKind::Email
                | FieldKind::Other => put(kind, &normalise::text(raw)),
            }
        }
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
        let given = identity.names.first().map(|name| name.given.join(" "));
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
        let mut seen: BTreeMap<FieldKind, usize> = BTreeMap::new();
        let mut put = |kind: FieldKind, name: &str, value: &str| {
            let ordinal = seen.entry(kind).or_default();
            if !value.is_empty() && *ordinal < MOST_OF_A_KIND {
                self.put(kind, *ordinal, name, value);
                *ordinal += 1;
            }
        };
        put(FieldKind::GivenName, "given name", &normalise::name(given.as_deref().unwrap_or("")));
        for name in &identity.names {
            put(FieldKind::FamilyName, "family name", &normalise::name(name.family.as_deref().unwrap_or("")));
        }
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
            put(FieldKind::Postcode, "postcode", &normalise::code(address.postcode.as_deref().unwrap_or("")));
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
        let slots = slots.collect();
        let second = self.second.unwrap_or(total);
        Records { slots, vocabularies, ids: self.ids, second, tables: self.tables, encoded: self.encoded }
    }
}

/// How many values of one kind (phones, record numbers) a record keeps.
const MOST_OF_A_KIND: usize = 3;

impl Records {
    /// One table (to find its duplicates) or two (to link the first to the second).
    ///
    /// The first column of each is the id. Only kinds of field that all tables have are compared.
    ///
    /// # Errors
    /// [`Error::Tables`] for another number of tables, [`Error::NothingShared`] where two have no kind of
    /// field in common, and those of [`Fields::bind`].
    pub fn from_tables(tables: &[&Table], fields: &Fields) -> Result<(Self, Vec<Finding>), Error> {
        if !matches!(tables.len(), 1 | 2) {
            return Err(Error::Tables { found: tables.len() });
        }
        let mut builder = RecordsBuilder::new();
        let mut findings = Vec::new();
        let mut bound = Vec::new();
        for table in tables {
            let header: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
            let (kinds, doubts) = fields.bind(&table.origin, &header)?;
            findings.extend(doubts);
            bound.push(kinds);
        }
        if let [first, second] = bound.as_slice() {
            let shared = |kind: &FieldKind| *kind != FieldKind::Ignore && second.contains(kind);
            if !first.iter().any(shared) {
                let place = format!("{} and {}", tables[0].origin, tables[1].origin);
                return Err(Error::NothingShared { place });
            }
        }
        for (number, (table, kinds)) in tables.iter().zip(&bound).enumerate() {
            if number == 1 {
                builder.second_table();
            }
            let orders: Vec<DateOrder> = (table.columns.iter().zip(kinds))
                .map(|(column, kind)| match kind {
                    FieldKind::BirthDate => {
                        let cells: Vec<_> = (0..table.rows).map(|row| column.cells.text(row)).collect();
                        DateOrder::of_column(cells.iter().map(AsRef::as_ref))
                    }
                    _ => DateOrder::default(),
                })
                .collect();
            for row in 0..table.rows {
                let mut texts: Vec<_> = table.columns.iter().map(|c| c.cells.text(row)).collect();
                for (text, (kind, &order)) in texts.iter_mut().zip(kinds.iter().zip(&orders)) {
                    if *kind == FieldKind::BirthDate {
                        *text = date::digits(text, order).into();
                    }
                }
                let cells = (kinds.iter().zip(&table.columns).zip(&texts))
                    .map(|((kind, column), text)| (*kind, column.name.trim(), text.as_ref()));
                builder.push(texts[0].trim(), cells);
            }
        }
        Ok((builder.finish(), findings))
    }

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
