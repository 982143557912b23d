use super::metadata::shard_event;
use super::place::{Place, identity};
use super::schema::NAMED;
use super::{cells, terms};
use crate::columnar::{Columnar, allowance, cast};
use crate::feed::{Entry, Feed, Mention, Sink, Source};
use crate::refusals::Refusals;
use crate::{Budget, Error};
use arrow::array::{
    Array, ArrayRef, AsArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use chiasm_record::{Code, Event, Finding, Modality, Moment, Precision, Times};
use std::collections::HashMap;

/// Bytes of text after which an entry is full.
const FULL: usize = 16 << 20;
/// Bytes of one cell.
const CELL: usize = 16 << 20;
/// Codes whose meaning is remembered.
const REMEMBERED: usize = 1 << 16;
/// Times that a calendar has: the years -9999 to 9999, in microseconds since 1970.
const TIMES: std::ops::RangeInclusive<i64> = -377_705_116_800_000_000..=253_402_300_799_999_999;

/// Reads the rows of a shard.
pub(super) fn read(
    source: &Source,
    mut file: Columnar,
    place: &Place,
    feed: &Feed,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let authority = place.authority(feed);
    let extras = extras(source, &file)?;
    let origin = source.origin.as_str();
    let mut reading = Reading {
        origin,
        place,
        authority: &authority,
        known: HashMap::new(),
        refusals: Refusals::of(origin),
        budget: allowance(source)?,
        last: None,
        unsorted: 0,
        block: Block::default(),
        row: 0,
    };
    // The schema comes with the first rows, so that rows never stand without it.
    let (event, asset) = shard_event(&file, place, &authority)?;
    reading.block.schema = Some((event, asset));
    while let Some(batch) = file.next()? {
        let columns = Columns::of(origin, &batch, &extras)?;
        for i in 0..batch.num_rows() {
            reading.row(&columns, i, sink)?;
        }
        reading.give(sink)?;
    }
    reading.give(sink)?;
    reading.refusals.finish(sink)
}

/// The columns that MEDS does not name, and where they stand.
fn extras(source: &Source, file: &Columnar) -> Result<Vec<(String, usize)>, Error> {
    let mut extras = Vec::new();
    for (i, field) in file.schema.fields().iter().enumerate() {
        if NAMED.contains(&field.name().as_str()) {
            continue;
        }
        if !cells::supports(field.data_type()) {
            return Err(Error::UnsupportedType {
                place: format!("{}, column '{}'", source.origin, field.name()),
                expected: "a column of a type that can be kept",
                found: crate::columnar::kind(field.data_type()),
            });
        }
        extras.push((field.name().clone(), i));
    }
    Ok(extras)
}

/// The columns of some rows.
struct Columns<'a> {
    subject: Int64Array,
    time: TimestampMicrosecondArray,
    code: StringViewArray,
    single: Option<Float32Array>,
    double: Option<Float64Array>,
    text: Option<StringViewArray>,
    extras: Vec<(&'a str, Vec<Option<String>>)>,
}

impl<'a> Columns<'a> {
    fn of(origin: &str, batch: &RecordBatch, extras: &'a [(String, usize)]) -> Result<Self, Error> {
        let missing = || Error::Damaged {
            place: origin.to_owned(),
            expected: "the columns that the file's own description names",
            found: "others".to_owned(),
        };
        let column = |name: &str, to: &DataType| -> Result<Option<ArrayRef>, Error> {
            let Some(array) = batch.column_by_name(name) else { return Ok(None) };
            cast(array, to).map(Some).ok_or_else(missing)
        };
        let needed = |name: &str, to: &DataType| column(name, to)?.ok_or_else(missing);
        let numbers = batch.column_by_name("numeric_value");
        let is_double = numbers.is_some_and(|n| *n.data_type() == DataType::Float64);
        let (single, double) = if is_double {
            (None, column("numeric_value", &DataType::Float64)?)
        } else {
            (column("numeric_value", &DataType::Float32)?, None)
        };
        let mut kept = Vec::with_capacity(extras.len());
        for (name, at) in extras {
            kept.push((
                name.as_str(),
                cells::to_text(&format!("{origin}, column '{name}'"), batch.column(*at))?,
            ));
        }
        Ok(Self {
            subject: needed("subject_id", &DataType::Int64)?.as_primitive::<Int64Type>().clone(),
            time: needed("time", &DataType::Timestamp(TimeUnit::Microsecond, None))?
                .as_primitive::<TimestampMicrosecondType>()
                .clone(),
            code: needed("code", &DataType::Utf8View)?.as_string_view().clone(),
            single: single.map(|n| n.as_primitive::<Float32Type>().clone()),
            double: double.map(|n| n.as_primitive::<Float64Type>().clone()),
            text: column("text_value", &DataType::Utf8View)?.map(|t| t.as_string_view().clone()),
            extras: kept,
        })
    }

    fn extra(&self, name: &str, i: usize) -> Option<&str> {
        self.extras.iter().find(|(n, _)| *n == name).and_then(|(_, cells)| cells[i].as_deref())
    }
}

/// Rows that will be one entry.
#[derive(Default)]
struct Block {
    hash: blake3::Hasher,
    schema: Option<(Event, crate::feed::Asset)>,
    first: u64,
    rows: usize,
    bytes: usize,
    subjects: Vec<(i64, Vec<Event>)>,
    at: HashMap<i64, usize>,
}

struct Reading<'a> {
    origin: &'a str,
    place: &'a Place,
    authority: &'a str,
    known: HashMap<String, (Code, &'static str)>,
    refusals: Refusals,
    budget: Budget,
    last: Option<(i64, Option<i64>)>,
    unsorted: usize,
    block: Block,
    row: u64,
}

impl Reading<'_> {
    fn row(&mut self, columns: &Columns<'_>, i: usize, sink: &mut dyn Sink) -> Result<(), Error> {
        let row = self.row;
        self.row += 1;
        if self.block.rows == 0 {
            self.block.first = row;
        }
        let text = columns.text.as_ref().filter(|t| t.is_valid(i)).map(|t| t.value(i));
        let time = columns.time.is_valid(i).then(|| columns.time.value(i));
        let longest = columns.extras.iter().filter_map(|(_, c)| c[i].as_ref().map(String::len)).max();
        let broken = if columns.subject.is_null(i) {
            Some(("meds.subject_id", "expected a subject's number, found none"))
        } else if columns.code.is_null(i) {
            Some(("meds.code", "expected a code, found none"))
        } else if time.is_some_and(|t| !TIMES.contains(&t)) {
            Some(("meds.time", "expected a time that the calendar has"))
        } else if text.is_some_and(|t| t.len() > CELL)
            || columns.code.value(i).len() > CELL
            || longest.is_some_and(|n| n > CELL)
        {
            Some(("meds.size", "expected cells of at most 16 MiB, found a longer one"))
        } else {
            None
        };
        if let Some((rule, message)) = broken {
            return self.refusals.refuse(sink, format!("row {row}"), None, rule, message);
        }
        let text_bytes = columns.code.value(i).len() + text.map_or(0, str::len);
        let extra_bytes: usize =
            columns.extras.iter().filter_map(|(_, c)| c[i].as_ref().map(String::len)).sum();
        self.budget.spend((text_bytes + extra_bytes) as u64, self.origin)?;
        let subject = columns.subject.value(i);
        if self.last.is_some_and(|(last, before)| last == subject && before > time) {
            self.unsorted += 1;
        }
        self.last = Some((subject, time));
        let event = self.event(columns, i, row, time, text);
        self.keep(subject, event);
        if self.block.bytes >= FULL {
            self.give(sink)?;
        }
        Ok(())
    }

    fn event(
        &mut self,
        columns: &Columns<'_>,
        i: usize,
        row: u64,
        time: Option<i64>,
        text: Option<&str>,
    ) -> Event {
        let written = columns.code.value(i);
        let (code, modality) = self.meaning(written);
        let instant = |t: i64| Moment::new(t, t, Precision::Subsecond, None);
        let mut times = Times { happened: time.map(instant), known: None, recorded: None };
        if let Some(known) = columns.extra("known_time", i).and_then(microseconds) {
            times.known = Some(instant(known));
        }
        let modality = columns.extra("modality", i).filter(|m| !m.is_empty()).unwrap_or(modality);
        let mut event = Event::new(times, code, Modality::new(modality));
        event.text = text.map(str::to_owned);
        event.unit = columns.extra("unit", i).filter(|u| !u.is_empty()).map(str::to_owned);
        event.encounter = columns.extra("encounter", i).filter(|e| !e.is_empty()).map(str::to_owned);
        let attributes = &mut event.attributes;
        attributes.push(("meds".to_owned(), format!("{}#{row}", self.place.shard)));
        if event.code.as_str() != written {
            attributes.push(("meds.code".to_owned(), written.to_owned()));
        }
        let single = columns.single.as_ref().filter(|n| n.is_valid(i)).map(|n| n.value(i));
        if let Some(odd) = single.filter(|v| v.is_nan() && v.to_bits() != f32::NAN.to_bits()) {
            attributes.push(("meds.numeric_value".to_owned(), format!("{:08x}", odd.to_bits())));
        }
        let double = columns.double.as_ref().filter(|n| n.is_valid(i)).map(|n| n.value(i));
        event.value = single.map(|v| if v.is_nan() { f64::NAN } else { f64::from(v) }).or(double);
        for (name, cells) in &columns.extras {
            event.attributes.extend(cells[i].as_ref().map(|c| (format!("meds.{name}"), c.clone())));
        }
        event
    }

    fn meaning(&mut self, written: &str) -> (Code, &'static str) {
        if let Some(known) = self.known.get(written) {
            return known.clone();
        }
        let code = terms::common(written).unwrap_or_else(|| Code::verbatim(written));
        let modality = terms::modality(&code);
        if self.known.len() < REMEMBERED {
            self.known.insert(written.to_owned(), (code.clone(), modality));
        }
        (code, modality)
    }

    fn keep(&mut self, subject: i64, event: Event) {
        let block = &mut self.block;
        let mut add = |bytes: &[u8]| {
            block.hash.update(&(bytes.len() as u64).to_le_bytes());
            block.hash.update(bytes);
            block.bytes += bytes.len();
        };
        add(&subject.to_le_bytes());
        add(&event.times.happened.map_or(i64::MIN, Moment::start).to_le_bytes());
        add(event.code.as_str().as_bytes());
        // A missing value is no zero, a missing text no empty one.
        add(event.value.map_or(String::new(), |v| format!("{:x}", v.to_bits())).as_bytes());
        add(&[u8::from(event.text.is_some())]);
        add(event.text.as_deref().unwrap_or_default().as_bytes());
        for (name, value) in event.attributes.iter() {
            add(name.as_bytes());
            add(value.as_bytes());
        }
        block.rows += 1;
        let at = *block.at.entry(subject).or_insert_with(|| {
            block.subjects.push((subject, Vec::new()));
            block.subjects.len() - 1
        });
        block.subjects[at].1.push(event);
    }

    fn give(&mut self, sink: &mut dyn Sink) -> Result<(), Error> {
        let block = std::mem::take(&mut self.block);
        if block.rows == 0 && block.schema.is_none() {
            return Ok(());
        }
        let mut hash = block.hash;
        hash.update(self.authority.as_bytes());
        hash.update(self.place.shard.as_bytes());
        let rows = match block.rows {
            0 => String::new(),
            _ => format!("rows {}-{}", block.first, self.row.saturating_sub(1)),
        };
        let mention =
            |(subject, events)| Mention { identity: Some(identity(self.authority, subject)), events };
        let mut entry = Entry {
            key: [0; 32],
            place: rows,
            subjects: block.subjects.into_iter().map(mention).collect(),
            rows: Vec::new(),
            links: Vec::new(),
            assets: Vec::new(),
            findings: Vec::new(),
        };
        if let Some((event, asset)) = block.schema {
            hash.update(asset.id.bytes());
            entry.subjects.push(Mention { identity: None, events: vec![event] });
            entry.assets.push(asset);
        }
        entry.key = *hash.finalize().as_bytes();
        let unsorted = std::mem::take(&mut self.unsorted);
        if unsorted > 0 {
            let message = "rows earlier than the one before them of the same subject";
            entry.findings.push(Finding::new(self.origin, message.to_owned(), unsorted));
        }
        sink.entry(entry).map_err(|e| self.refusals.sunk(e))
    }
}

/// Microseconds of a time as [`cells::to_text`] writes it.
fn microseconds(text: &str) -> Option<i64> {
    let parts = crate::feed::Parts::iso(text)?;
    Feed::utc("").moment(&parts).map(Moment::start)
}
