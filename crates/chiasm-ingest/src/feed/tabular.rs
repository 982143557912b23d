//! Exports of tables as a site binds them: subject, time, code, value by column. Long: what a binding says and does.
//!
//! A table of long form has a code column and a row for each value; one of wide form has a column for each
//! code. Both are a list of [`EventBinding`]s, of which every row is asked for each.

use super::rows::{Row, Rows, TooLong};
use super::site::SiteFault;
use super::{Feed, Parts, Rejected, RowBlock, Sink, Source};
use crate::Error;
use chiasm_linkage::{BirthDate, Identifier, IdentifierKind, Identity, PersonName, Sex};
use chiasm_record::{Code, Event, Modality, Moment, Precision, Times};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One export of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableFeed {
    /// The end of the file's path; one `*` stands for any name: `lab.csv`, `set-a/*.txt`.
    pub file: String,
    /// What separates the cells; a comma unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Marks that mean "missing". An empty cell always does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Whose row it is.
    pub subject: SubjectBinding,
    /// What is said of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventBinding>,
}

/// Whose row it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubjectBinding {
    /// The column with the source's key.
    pub column: Option<String>,
    /// In place of a column: the key is the file's name without its extension.
    pub file_name: bool,
    /// Who gave that key.
    pub authority: String,
    /// Whether the key is a medical record number: unique for a person within its authority.
    pub record_number: bool,
    /// Further identifiers: column to authority. They are record numbers: one value, one person.
    pub record_numbers: BTreeMap<String, String>,
    /// Column of given names.
    pub given: Option<String>,
    /// Column of family names.
    pub family: Option<String>,
    /// Column of dates of birth, `YYYY-MM-DD` or `YYYYMMDD`.
    pub birth: Option<String>,
    /// Column of sex.
    pub sex: Option<String>,
    /// Cells that mean female, beside `F`, `female` and the like.
    pub female: Vec<String>,
    /// Cells that mean male, beside `M`, `male` and the like.
    pub male: Vec<String>,
    /// Column of postcodes.
    pub postcode: Option<String>,
}

/// What a row says of its subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBinding {
    /// The code for every row, as `system|code`; or, with `code_column`, the system alone.
    pub code: String,
    /// The column whose cells are codes: long form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_column: Option<String>,
    /// The kind of evidence.
    pub modality: String,
    /// Column of values: a number becomes the value, anything else the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Column of texts, read where `value` is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Column of units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_column: Option<String>,
    /// The unit of every row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// When it happened; nothing for what is always so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeBinding>,
    /// When it became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<TimeBinding>,
    /// When it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<TimeBinding>,
    /// Column of encounters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter: Option<String>,
    /// Columns to keep as attributes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
}

/// How a column says when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeBinding {
    /// The column.
    pub column: String,
    /// In which form.
    #[serde(default)]
    pub form: TimeForm,
    /// The date and time from which offsets count, `YYYY-MM-DDThh:mm:ss`: a source that gives none has no
    /// calendar, and this one is as good as another; only differences mean something then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
}

/// The forms in which tables write times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeForm {
    /// ISO 8601, the time as far as it is written.
    #[default]
    Iso,
    /// `YYYYMMDDhhmmss`, as far as it is written.
    Compact,
    /// Minutes from the anchor, perhaps negative.
    Minutes,
    /// Hours and minutes from the anchor, `hh:mm`, hours beyond 23 allowed.
    Clock,
}

impl TableFeed {
    /// Whether a file of that path is this table.
    pub fn fits(&self, path: &str) -> bool {
        let mut own = path.rsplit(['/', '!']).filter(|p| !p.is_empty());
        self.file.rsplit('/').all(|wanted| {
            own.next().is_some_and(|name| match wanted.split_once('*') {
                Some((start, end)) => {
                    name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
                }
                None => name == wanted,
            })
        })
    }

    /// Whether every part says one thing.
    pub(super) fn check(&self) -> Result<(), SiteFault> {
        const TAKEN: [&str; 3] = ["local_code", "unit_as_sent", "value_as_sent"];
        let fault =
            |message: &str| SiteFault { key: format!("tables ({})", self.file), message: message.to_owned() };
        if self.subject.column.is_some() == self.subject.file_name {
            return Err(fault("expected the subject's key in a column or in the file's name, one of them"));
        }
        if self.subject.authority.is_empty() {
            return Err(fault("expected subject.authority: who gave the key"));
        }
        for event in &self.events {
            if event.attributes.iter().any(|name| TAKEN.contains(&name.as_str())) {
                return Err(fault(
                    "expected attributes of other names than local_code, unit_as_sent, value_as_sent, which say what the bindings changed",
                ));
            }
            for time in [&event.time, &event.known, &event.recorded].into_iter().flatten() {
                let counts = matches!(time.form, TimeForm::Minutes | TimeForm::Clock);
                let anchored = time.anchor.as_deref().and_then(Parts::iso).is_some();
                if counts != anchored {
                    return Err(fault("expected an anchor with offsets, and none with dates"));
                }
            }
        }
        Ok(())
    }
}

/// Reads a table as its binding says, a block of rows at a time.
///
/// # Errors
/// [`Error::UnsupportedType`] where a column of the binding is not there; [`Error::Damaged`] where the text
/// is none; [`Error::Sink`].
pub fn read(source: &Source, table: &TableFeed, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let place = source.origin.as_str();
    let delimiter = table.delimiter.and_then(|d| u8::try_from(d).ok()).unwrap_or(b',');
    let unread = |source| Error::Io { path: place.into(), source };
    let mut rows = Rows::new(source.open()?, delimiter);
    let columns = match rows.next().map_err(unread)? {
        Some(Ok(header)) => Columns::of(place, header, table)?,
        Some(Err(TooLong { .. })) => {
            let found = "a first line that does not end".to_owned();
            return Err(Error::Damaged { place: place.to_owned(), expected: "delimited text", found });
        }
        None => return Err(Error::Empty { place: place.to_owned(), expected: "a line of names" }),
    };
    let stem = place.rsplit(['/', '!']).find(|p| !p.is_empty()).unwrap_or(place);
    let stem = stem.split('.').next().unwrap_or(stem).to_owned();
    // Exports of one table may have other names: what its columns are and mean is what it is.
    let mut names = vec![feed.site.as_str(), table.subject.authority.as_str()];
    names.push(if table.subject.file_name { &stem } else { "" });
    names.extend(table.events.iter().map(|event| event.code.as_str()));
    names.extend(columns.names.iter().map(String::as_str));
    let mut block = RowBlock::of(&names);
    while let Some(row) = rows.next().map_err(unread)? {
        let (line, offset, rule, message) = match row {
            Ok(row) if row.len() == columns.width => match columns.events(row, feed) {
                Ok(events) => {
                    let key = match columns.subject {
                        Some(column) => columns.cell(row, column),
                        None => Some(stem.clone()),
                    };
                    match key {
                        Some(key) => {
                            let identity = columns.identity(row, &key, &mut block);
                            block.add(row.line, row.cells(), identity, events);
                        }
                        None => block.find("rows without the subject's key", 1),
                    }
                    if block.is_full() {
                        block.give(place, sink).map_err(|e| sunk(place, e))?;
                    }
                    continue;
                }
                Err(message) => (row.line, row.offset, "table.time", message),
            },
            Ok(row) => {
                let message = format!("expected {} cells, found {}", columns.width, row.len());
                (row.line, row.offset, "table.row", message)
            }
            Err(TooLong { line, offset }) => {
                (line, offset, "table.row", "expected a row, found one without end".to_owned())
            }
        };
        let rejected = Rejected {
            place: format!("line {line}"),
            offset: Some(offset),
            rule: rule.to_owned(),
            message,
            bytes: None,
        };
        sink.reject(rejected).map_err(|e| sunk(place, e))?;
    }
    block.give(place, sink).map_err(|e| sunk(place, e))
}

fn sunk(place: &str, source: super::SinkError) -> Error {
    Error::Sink { place: place.to_owned(), source }
}

/// A table's binding with the positions of its columns.
struct Columns<'a> {
    table: &'a TableFeed,
    /// How many there are.
    width: usize,
    /// What they are called.
    names: Vec<String>,
    subject: Option<usize>,
    at: BTreeMap<&'a str, usize>,
    events: Vec<&'a EventBinding>,
}

impl<'a> Columns<'a> {
    fn of(place: &str, header: &Row, table: &'a TableFeed) -> Result<Self, Error> {
        let subject = &table.subject;
        let mut names: Vec<&'a String> = Vec::new();
        names
            .extend([&subject.column, &subject.given, &subject.family, &subject.birth].into_iter().flatten());
        names.extend([&subject.sex, &subject.postcode].into_iter().flatten());
        names.extend(subject.record_numbers.keys());
        for event in &table.events {
            names.extend([&event.code_column, &event.value, &event.text].into_iter().flatten());
            names.extend([&event.unit_column, &event.encounter].into_iter().flatten());
            names.extend(
                [&event.time, &event.known, &event.recorded].into_iter().flatten().map(|t| &t.column),
            );
            names.extend(&event.attributes);
        }
        let plain = |cell: &[u8]| {
            let text = String::from_utf8_lossy(cell);
            text.trim_start_matches(char::from_u32(0xfeff).unwrap_or(' ')).trim().to_owned()
        };
        let header: Vec<String> = header.cells().map(plain).collect();
        let mut at = BTreeMap::new();
        for name in names {
            let position = header.iter().position(|h| h == name).ok_or_else(|| Error::UnsupportedType {
                place: place.to_owned(),
                expected: "the columns that the site's [ingest] binds",
                found: format!("no column '{name}'"),
            })?;
            at.insert(name.as_str(), position);
        }
        let position = |name: &Option<String>| name.as_ref().and_then(|n| at.get(n.as_str()).copied());
        let (width, events) = (header.len(), table.events.iter().collect());
        Ok(Self { table, width, names: header, subject: position(&subject.column), events, at })
    }

    fn cell(&self, row: &Row, column: usize) -> Option<String> {
        let text = String::from_utf8_lossy(row.get(column)?);
        let text = text.trim();
        (!text.is_empty() && !self.table.missing.iter().any(|m| m == text)).then(|| text.to_owned())
    }

    fn named(&self, row: &Row, name: &Option<String>) -> Option<String> {
        self.cell(row, *self.at.get(name.as_ref()?.as_str())?)
    }

    fn identity(&self, row: &Row, key: &str, block: &mut RowBlock) -> Identity {
        let binding = &self.table.subject;
        let kind = if binding.record_number { IdentifierKind::MedicalRecord } else { IdentifierKind::Source };
        let mut identity = Identity::of_key(binding.authority.as_str(), key, kind);
        for (column, authority) in &binding.record_numbers {
            if let Some(value) = self.at.get(column.as_str()).and_then(|c| self.cell(row, *c)) {
                let (authority, kind) = (authority.clone(), IdentifierKind::MedicalRecord);
                identity.identifiers.push(Identifier { authority, value, kind });
            }
        }
        let (given, family) = (self.named(row, &binding.given), self.named(row, &binding.family));
        if given.is_some() || family.is_some() {
            identity.names.push(PersonName { given: given.into_iter().collect(), family, suffix: None });
        }
        if let Some(text) = self.named(row, &binding.birth) {
            match Parts::iso(&text).or_else(|| Parts::compact(&text)) {
                Some(parts) => {
                    let part = |p: Option<i8>| p.and_then(|p| u8::try_from(p).ok());
                    identity.birth =
                        Some(BirthDate { year: parts.year, month: part(parts.month), day: part(parts.day) });
                }
                None => block.find("dates of birth that are none", 1),
            }
        }
        if let Some(text) = self.named(row, &binding.sex) {
            let is = |marks: &[String], usual: &[&str]| {
                marks.contains(&text) || usual.iter().any(|u| u.eq_ignore_ascii_case(&text))
            };
            identity.sex = if is(&binding.female, &["f", "female", "w"]) {
                Some(Sex::Female)
            } else if is(&binding.male, &["m", "male"]) {
                Some(Sex::Male)
            } else {
                block.find("cells of sex that the site does not name", 1);
                None
            };
        }
        if let Some(postcode) = self.named(row, &binding.postcode) {
            let postcode = Some(postcode);
            identity.addresses.push(chiasm_linkage::Address { postcode, ..Default::default() });
        }
        identity
    }

    /// The events of a row, or what is wrong with their times: an event whose time was lost would count as known
    /// at every time.
    fn events(&self, row: &Row, feed: &Feed) -> Result<Vec<Event>, String> {
        self.events.iter().filter_map(|binding| self.event(binding, row, feed).transpose()).collect()
    }

    fn event(&self, binding: &EventBinding, row: &Row, feed: &Feed) -> Result<Option<Event>, String> {
        let code = match &binding.code_column {
            None => Code::verbatim(binding.code.as_str()),
            column => match self.named(row, column) {
                Some(code) => Code::new(&binding.code, &code),
                None => return Ok(None),
            },
        };
        let value = self.named(row, &binding.value);
        let text = self.named(row, &binding.text);
        // Nothing is said where the columns that say it are empty.
        if value.is_none() && text.is_none() && (binding.value.is_some() || binding.text.is_some()) {
            return Ok(None);
        }
        let when = |time: &Option<TimeBinding>| {
            let Some(time) = time else { return Ok(None) };
            let cell = self.at.get(time.column.as_str()).and_then(|column| self.cell(row, *column));
            let Some(cell) = cell else { return Ok(None) };
            let unread = || format!("expected a time in column '{}', found something else", time.column);
            time.moment(&cell, feed).map(Some).ok_or_else(unread)
        };
        let times = Times {
            happened: when(&binding.time)?,
            known: when(&binding.known)?,
            recorded: when(&binding.recorded)?,
        };
        let bound = [&binding.time, &binding.known, &binding.recorded].into_iter().flatten().next();
        if let Some(time) = bound.filter(|_| times.usable_from().is_none()) {
            return Err(format!("expected a time in column '{}', found none", time.column));
        }
        let mut event = Event::new(times, code, Modality::new(binding.modality.as_str()));
        let number = value.as_deref().and_then(|v| v.parse::<f64>().ok()).filter(|v| v.is_finite());
        event.value = number;
        event.text = if number.is_some() { text } else { value.or(text) };
        event.unit = self.named(row, &binding.unit_column).or_else(|| binding.unit.clone());
        event.encounter = self.named(row, &binding.encounter);
        for name in &binding.attributes {
            event = event.with(name, self.at.get(name.as_str()).and_then(|c| self.cell(row, *c)));
        }
        Ok(Some(event))
    }
}

impl TimeBinding {
    fn moment(&self, cell: &str, feed: &Feed) -> Option<Moment> {
        let minutes: i64 = match self.form {
            TimeForm::Iso => return feed.moment(&Parts::iso(cell)?),
            TimeForm::Compact => return feed.moment(&Parts::compact(cell)?),
            TimeForm::Minutes => cell.parse().ok()?,
            TimeForm::Clock => {
                let (hours, minutes) = cell.split_once(':')?;
                hours.parse::<i64>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)?
            }
        };
        const MINUTE: i64 = 60_000_000;
        let anchor = feed.moment(&Parts::iso(self.anchor.as_ref()?)?)?;
        let start = minutes.checked_mul(MINUTE)?.checked_add(anchor.start())?;
        Some(Moment::new(start, start.checked_add(MINUTE - 1)?, Precision::Minute, anchor.offset()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Entry;
    use crate::feed::site::SiteFeed;

    const SITE: &str = r#"
zone = "America/New_York"
[[tables]]
file = "lab.csv"
missing = ["NA"]
subject = { column = "stay", authority = "icu/stay", record_numbers = { person = "icu/person" }, sex = "gender" }
[[tables.events]]
code = "LAB"
code_column = "name"
modality = "labs"
value = "result"
unit_column = "unit"
encounter = "stay"
attributes = ["type"]
time = { column = "offset", form = "minutes", anchor = "2000-01-01T00:00:00" }
[[tables]]
file = "set-a/*.txt"
subject = { file_name = true, authority = "set-a" }
[[tables.events]]
code = "P2012"
code_column = "Parameter"
modality = "vitals"
value = "Value"
time = { column = "Time", form = "clock", anchor = "2000-01-01T00:00:00" }
"#;

    fn read_all(name: &str, text: &str) -> (Vec<Entry>, Vec<Rejected>) {
        let site: SiteFeed = toml::from_str(SITE).unwrap();
        let feed = site.feed("icu").unwrap();
        let mut sink = (Vec::new(), Vec::new());
        let source = Source::memory(name, text.as_bytes().to_vec());
        read(&source, site.table(name).unwrap(), &feed, &mut sink).unwrap();
        sink
    }

    #[test]
    fn a_long_table_becomes_events_of_its_subjects() {
        let text = "stay,person,gender,name,result,unit,type,offset\n\
                    1,p,Female,sodium,140,mmol/L,1,-30\n\
                    1,p,Female,culture,positive,,2,10\n\
                    2,q,,sodium,NA,mmol/L,1,5\n\
                    ,q,,sodium,3,mmol/L,1,5\n\
                    broken\n";
        let (entries, rejected) = read_all("x/lab.csv", text);
        assert_eq!(entries.len(), 1);
        let offset = text.find("broken").unwrap() as u64;
        assert_eq!((rejected.len(), rejected[0].place.as_str()), (1, "line 6"));
        assert_eq!(rejected[0].offset, Some(offset));
        let [one, also, two] = &entries[0].subjects[..] else { panic!("{:?}", entries[0].subjects) };
        let identity = one.identity.as_ref().unwrap();
        assert_eq!((identity.sex, identity.identifiers.len()), (Some(Sex::Female), 2));
        assert_eq!(identity.key(), also.identity.as_ref().unwrap().key());
        let (sodium, culture) = (&one.events[0], &also.events[0]);
        assert_eq!((sodium.code.as_str(), sodium.value), ("LAB|sodium", Some(140.0)));
        assert_eq!((sodium.unit.as_deref(), sodium.attribute("type")), (Some("mmol/L"), Some("1")));
        // Midnight of the first of January in New York, less half an hour.
        assert_eq!(sodium.times.happened.unwrap().start(), (946_702_800 - 1_800) * 1_000_000);
        assert_eq!((culture.value, culture.text.as_deref()), (None, Some("positive")));
        assert!(two.events.is_empty());
        assert_eq!(entries[0].findings[0].message, "rows without the subject's key");
    }

    #[test]
    fn a_row_whose_time_cannot_be_read_is_no_event_of_all_times() {
        let text = "stay,person,gender,name,result,unit,type,offset\n\
                    1,p,Female,sodium,140,mmol/L,1,soon\n\
                    1,p,Female,sodium,141,mmol/L,1,\n\
                    1,p,Female,sodium,142,mmol/L,1,10\n";
        let (entries, rejected) = read_all("lab.csv", text);
        let places: Vec<_> = rejected.iter().map(|r| (r.rule.as_str(), r.place.as_str())).collect();
        assert_eq!(places, [("table.time", "line 2"), ("table.time", "line 3")]);
        assert_eq!(entries[0].events(), 1);
    }

    #[test]
    fn a_file_can_be_the_subject() {
        let (entries, _) = read_all("set-a.tar.gz!/set-a/132539.txt", "Time,Parameter,Value\n47:30,HR,88\n");
        let mention = &entries[0].subjects[0];
        assert_eq!(mention.identity.as_ref().unwrap().key().unwrap().value, "132539");
        let start = mention.events[0].times.happened.unwrap().start();
        assert_eq!(start, (946_702_800 + 47 * 3600 + 30 * 60) * 1_000_000);
    }

    #[test]
    fn the_same_rows_have_the_same_key_and_others_do_not() {
        let text = "Time,Parameter,Value\n00:30,HR,88\n";
        let key = |name, text| read_all(name, text).0[0].key;
        assert_eq!(key("set-a/1.txt", text), key("other/set-a/1.txt", text));
        assert_ne!(key("set-a/1.txt", text), key("set-a/2.txt", text));
        assert_ne!(key("set-a/1.txt", text), key("set-a/1.txt", "Time,Parameter,Value\n00:30,H,R88\n"));
    }

    #[test]
    fn a_binding_that_says_nothing_is_refused() {
        for (old, new, key) in [
            ("column = \"stay\", ", "", "column or in the file"),
            (", anchor = \"2000-01-01T00:00:00\" }\n[[tables]]", "}\n[[tables]]", "anchor"),
            ("America/New_York", "Nowhere", "zone"),
        ] {
            assert!(SITE.contains(old), "{old}");
            let site: SiteFeed = toml::from_str(&SITE.replacen(old, new, 1)).unwrap();
            let fault = site.feed("icu").unwrap_err().to_string();
            assert!(fault.contains(key), "{fault}");
        }
        let site: SiteFeed = toml::from_str(SITE).unwrap();
        let source = Source::memory("lab.csv", b"stay,name\n1,x\n".to_vec());
        let error = read(&source, &site.tables[0], &Feed::utc("icu"), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("no column"), "{error}");
    }
}
