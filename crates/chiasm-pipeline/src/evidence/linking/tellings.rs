//! What events tell of orders: which record names which number, when, and by which system's clock.

use crate::Error;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use chiasm_store::{RecordId, Store, Table};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// The columns that are looked at.
const COLUMNS: [&str; 9] = [
    "record_id",
    "time",
    "time_precision",
    "code",
    "numeric_value",
    "unit",
    "modality",
    "source",
    "attributes",
];

/// What happened at the time of a telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// The order was given.
    Ordered,
    /// The picture was taken, the blood drawn, the recording begun.
    Taken,
}

/// What an order is for: a laboratory and a radiology may count from the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Domain {
    Any,
    Imaging,
    Labs,
}

impl Domain {
    /// Whether two tellings of one number can be of one order.
    pub fn fits(self, other: Self) -> bool {
        self == other || self == Self::Any || other == Self::Any
    }
}

/// Which number of an order it is: a ward and a laboratory may both give out 100234.
///
/// # Source
/// HL7 v2 chapter 4 (ORC-2 is the placer's number, ORC-3 the filler's); IHE Radiology SWF and DICOM PS3.3 C.7.2.1 (the
/// accession number is what the department that fills the order numbers it by, and stands in OBR-18 and IPC-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// Accession and filler's number: the department's own.
    Filler,
    /// The number of who ordered.
    Placer,
    /// A number of which nobody says what it is.
    Plain,
    /// A study's UID.
    Study,
}

/// Somebody's order as one system tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Telling {
    pub record: RecordId,
    /// Number of the system.
    pub system: usize,
    pub role: Role,
    pub domain: Domain,
    /// Number of who gave out the number, where that is said.
    pub authority: Option<u32>,
    /// Whether it comes from a file that shows the patient.
    pub file: bool,
    /// Microseconds since 1970-01-01T00:00Z; the earliest where it is told several times.
    pub at: Option<i64>,
    /// Whether the time is known to the second.
    pub exact: bool,
}

impl Telling {
    /// Whether two tellings of one number can be of one order.
    pub fn fits(&self, other: &Self) -> bool {
        self.domain.fits(other.domain)
            && self.authority.zip(other.authority).is_none_or(|(one, two)| one == two)
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Tellings {
    /// Names of the systems.
    pub systems: Vec<String>,
    /// The numbers of orders, each with its tellings; numbers of one site and kind alone are the same number.
    pub orders: BTreeMap<(Kind, String), Vec<Telling>>,
    /// Recordings that several systems time, by record.
    pub recordings: BTreeMap<RecordId, Vec<Telling>>,
    /// The days on which files show the patient of a record, with an age in years where they say one.
    pub shown: BTreeMap<RecordId, Vec<(i64, Option<f64>)>>,
}

/// One text or several.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Texts {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn all(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    fn first(&self) -> Option<&str> {
        self.all().first().map(String::as_str)
    }
}

/// What is wanted of an event's attributes.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    accession: Texts,
    placer: Texts,
    filler: Texts,
    placer_authority: Texts,
    filler_authority: Texts,
    identifier: Texts,
    study_uid: Texts,
    sop_class_uid: Texts,
    station: Texts,
    sender: Texts,
    resource: Texts,
}

/// One event on its way.
struct Row<'a> {
    record: RecordId,
    at: Option<i64>,
    exact: bool,
    modality: &'a str,
    code: &'a str,
    site: &'a str,
}

/// Keys of tellings that are already there, so that of many only the earliest is kept.
type Place = (u32, RecordId, usize, Role, Option<u32>);

#[derive(Default)]
struct Gathering {
    systems: HashMap<String, usize>,
    numbers: HashMap<(Kind, String), u32>,
    authorities: HashMap<String, u32>,
    tellings: HashMap<Place, Telling>,
    recordings: HashMap<(RecordId, usize), Telling>,
    shown: BTreeMap<RecordId, Vec<(i64, Option<f64>)>>,
}

/// Looks through all events of a store.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn tellings(store: &Store) -> Result<Tellings, Error> {
    let mut gathering = Gathering::default();
    store.columns(Table::Events, &COLUMNS, &mut |batch| gathering.batch(batch))?;
    let Gathering { systems, numbers, tellings, recordings, shown, .. } = gathering;
    let mut names = vec![String::new(); systems.len()];
    systems.into_iter().for_each(|(name, at)| names[at] = name);
    let numbers: HashMap<u32, (Kind, String)> = numbers.into_iter().map(|(text, at)| (at, text)).collect();
    let mut done = Tellings { systems: names, shown, ..Tellings::default() };
    for ((number, ..), telling) in tellings {
        if let Some(text) = numbers.get(&number) {
            done.orders.entry(text.clone()).or_default().push(telling);
        }
    }
    for ((record, _), telling) in recordings {
        done.recordings.entry(record).or_default().push(telling);
    }
    done.orders.values_mut().chain(done.recordings.values_mut()).for_each(|all| all.sort_unstable());
    done.shown
        .values_mut()
        .for_each(|all| all.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.is_some().cmp(&b.1.is_some()))));
    Ok(done)
}

impl Gathering {
    fn batch(&mut self, batch: &RecordBatch) {
        let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        let records = batch.column_by_name("record_id").and_then(|c| c.as_primitive_opt::<Int64Type>());
        let times =
            batch.column_by_name("time").and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
        let values = batch.column_by_name("numeric_value").and_then(|c| c.as_primitive_opt::<Float64Type>());
        let (Some(records), Some(times), Some(values)) = (records, times, values) else { return };
        let columns = ["time_precision", "code", "unit", "modality", "source", "attributes"].map(text);
        let [Some(precisions), Some(codes), Some(units), Some(modalities), Some(sites), Some(attributes)] =
            columns
        else {
            return;
        };
        for i in (0..batch.num_rows()).filter(|i| records.is_valid(*i)) {
            let row = Row {
                record: RecordId(records.value(i)),
                at: times.is_valid(i).then(|| times.value(i)),
                exact: precisions.is_valid(i) && matches!(precisions.value(i), "second" | "subsecond"),
                modality: modalities.value(i),
                code: codes.value(i),
                site: sites.value(i),
            };
            if row.code == "DICOM|PatientAge" && values.is_valid(i) && units.is_valid(i) {
                let years = age(values.value(i), units.value(i));
                self.show(&row, years);
            }
            let json = if attributes.is_valid(i) { attributes.value(i) } else { "{}" };
            // Most events name neither a number nor a recording.
            let names = ["accession", "placer", "filler", "study_uid", "\"identifier\""];
            let recording = matches!(row.modality, "waveforms" | "wearables");
            if recording || names.iter().any(|name| json.contains(name)) {
                self.event(&row, &serde_json::from_str(json).unwrap_or_default());
            }
        }
    }

    fn show(&mut self, row: &Row<'_>, years: Option<f64>) {
        let Some(at) = row.at else { return };
        let day = at.div_euclid(86_400_000_000);
        let known = self.shown.entry(row.record).or_default();
        if !known.contains(&(day, years)) {
            known.push((day, years));
        }
    }

    fn event(&mut self, row: &Row<'_>, told: &Told) {
        let resource = told.resource.first();
        let is = |kind: &str| resource.is_some_and(|name| name.contains(kind));
        let file = told.sop_class_uid.first().is_some();
        let (system, role, domain) = if file {
            let station = told.station.first().map_or(String::new(), |name| format!(" {name}"));
            (format!("DICOM{station}"), Role::Taken, Domain::Imaging)
        } else if is("ServiceRequest/") {
            ("FHIR".to_owned(), Role::Ordered, Domain::Any)
        } else if resource.is_some() {
            let domain = match row.modality {
                _ if is("ImagingStudy/") => Domain::Imaging,
                "labs" => Domain::Labs,
                _ => Domain::Any,
            };
            ("FHIR".to_owned(), Role::Taken, domain)
        } else if let Some(sender) = told.sender.first() {
            let role = if row.modality == "orders" { Role::Ordered } else { Role::Taken };
            let domain = if row.modality == "labs" { Domain::Labs } else { Domain::Any };
            (format!("HL7 {sender}"), role, domain)
        } else {
            let system = row.code.split_once('|').map_or("", |(system, _)| system);
            let recorder = matches!(system, "WAVEFORM" | "ACTIGRAPHY");
            let name =
                if recorder { format!("{} recorder", system.to_lowercase()) } else { "table".to_owned() };
            (name, Role::Taken, Domain::Any)
        };
        let own = !file && resource.is_none() && told.sender.first().is_none();
        let count = self.systems.len();
        let system = *self.systems.entry(format!("{} {system}", row.site)).or_insert(count);
        let telling = Telling {
            record: row.record,
            system,
            role,
            domain,
            authority: None,
            file,
            at: row.at,
            exact: row.exact && row.at.is_some(),
        };
        if file {
            self.show(row, None);
        }
        if own && matches!(row.modality, "waveforms" | "wearables") {
            let known = self.recordings.entry((row.record, system)).or_insert(telling);
            keep_earliest(known, telling);
        }
        let kinds = [
            (Kind::Filler, &told.accession, None),
            (Kind::Filler, &told.filler, told.filler_authority.first()),
            (Kind::Placer, &told.placer, told.placer_authority.first()),
            (Kind::Plain, &told.identifier, None),
        ];
        let numbers = kinds.into_iter().flat_map(|(kind, texts, authority)| {
            let numbers = texts.all().iter().filter(|n| telling_number(n));
            numbers.map(move |n| (kind, format!("{}\u{1f}{}", row.site, n.trim()), authority))
        });
        // A study's UID is unique everywhere.
        let studies = told.study_uid.all().iter().map(|uid| (Kind::Study, uid.clone(), None));
        for (kind, number, authority) in numbers.chain(studies) {
            let number = numbered(&mut self.numbers, (kind, number));
            let authority = authority.map(|name| numbered(&mut self.authorities, name.to_owned()));
            let telling = Telling { authority, ..telling };
            let known = self.tellings.entry((number, row.record, system, role, authority)).or_insert(telling);
            keep_earliest(known, telling);
        }
    }
}

/// The number of something, new or known.
fn numbered<K: Eq + std::hash::Hash>(known: &mut HashMap<K, u32>, what: K) -> u32 {
    let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
    *known.entry(what).or_insert(next)
}

fn keep_earliest(known: &mut Telling, telling: Telling) {
    if known.at.is_none() || telling.at.is_some_and(|at| known.at.is_some_and(|before| at < before)) {
        (known.at, known.exact) = (telling.at, telling.exact);
    }
}

/// Whether a text can be an order's number: not "1", "none" or "0000".
fn telling_number(text: &str) -> bool {
    let text = text.trim();
    let mut letters = text.bytes();
    let first = letters.next();
    text.len() >= 4 && text.bytes().any(|b| b.is_ascii_digit()) && letters.any(|b| Some(b) != first)
}

/// An age in years.
fn age(value: f64, unit: &str) -> Option<f64> {
    let years = match unit {
        "a" => value,
        "mo" => value / 12.0,
        "wk" => value * 7.0 / 365.2425,
        "d" => value / 365.2425,
        _ => return None,
    };
    Some(years)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_no_number() {
        for (text, yes) in
            [("B0001234567", true), ("1", false), ("none", false), ("0000000", false), (" 123456 ", true)]
        {
            assert_eq!(telling_number(text), yes, "{text}");
        }
        assert_eq!((age(45.0, "a"), age(6.0, "mo"), age(1.0, "h")), (Some(45.0), Some(0.5), None));
    }
}
