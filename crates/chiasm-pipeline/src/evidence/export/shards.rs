use super::columns::Layout;
use super::numbers::Numbers;
use super::survey::Survey;
use crate::{Error, Progress};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chiasm_ingest::meds::restored;
use chiasm_record::Moment;
use chiasm_store::{EventRow, RecordId, Store};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Events in memory at a time, unless one patient has more.
const TOGETHER: u64 = 200_000;
/// Events of a shard, of patients whom no MEDS set has put into one.
const SHARD: u64 = 1_000_000;
/// Rows that are encoded together.
const BATCH: usize = 1 << 14;
/// Rows of a row group.
const ROW_GROUP: usize = 1 << 17;

/// Writes `data/`; says how many rows into how many files.
///
/// # Errors
/// Where the store cannot be read or the files not be written.
pub(super) fn write(
    store: &Store,
    survey: &Survey,
    numbers: &Numbers,
    layout: &Layout,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<(u64, usize), Error> {
    let data = folder.join("data");
    fs::create_dir_all(&data).map_err(|source| Error::Write { path: data.clone(), source })?;
    let order = order(survey, numbers);
    let shards = order.iter().map(|m| m.shard.as_str()).collect::<BTreeSet<_>>().len();
    progress.begin("writing", order.len());
    let (mut rows, mut open): (u64, Option<(&str, Writer)>) = (0, None);
    let mut rest = &order[..];
    while !rest.is_empty() {
        let mut events = 0;
        let many = rest.iter().take_while(|m| {
            let first = events == 0;
            events += m.events;
            first || events <= TOGETHER
        });
        let (now, later) = rest.split_at(many.count().max(1));
        rest = later;
        let found = fetch(store, survey, now)?;
        for (member, events) in now.iter().zip(&found) {
            if open.as_ref().is_none_or(|(shard, _)| *shard != member.shard) {
                if let Some((_, writer)) = open.take() {
                    writer.close()?;
                }
                open = Some((member.shard.as_str(), Writer::create(&data, &member.shard, &layout.schema)?));
            }
            let numbered: Vec<(i64, &EventRow)> = events.iter().map(|e| (member.number, e)).collect();
            for rows in numbered.chunks(BATCH) {
                if let Some((_, writer)) = &mut open {
                    writer.write(&layout.batch(rows)?)?;
                }
            }
            rows += events.len() as u64;
            progress.advance();
        }
    }
    if let Some((_, writer)) = open {
        writer.close()?;
    }
    Ok((rows, shards))
}

/// A patient on the way into its shard.
struct Member {
    shard: String,
    number: i64,
    patient: i64,
    events: u64,
}

/// All patients by shard and number.
fn order(survey: &Survey, numbers: &Numbers) -> Vec<Member> {
    let mut order = Vec::with_capacity(survey.patients.len());
    let number = |patient: &i64| numbers.of.get(patient).copied().unwrap_or(*patient);
    let mut others: Vec<(i64, i64, u64)> = Vec::new();
    for (patient, of) in &survey.patients {
        match &of.shard {
            Some(shard) => {
                let (shard, number) = (shard.clone(), number(patient));
                order.push(Member { shard, number, patient: *patient, events: of.events });
            }
            None => others.push((number(patient), *patient, of.events)),
        }
    }
    others.sort_unstable();
    // Names that no set has used: numbers, in a folder of their own beside a set's.
    let prefix = if order.is_empty() { "" } else { "other/" };
    let used: BTreeSet<String> = order.iter().map(|m| m.shard.to_owned()).collect();
    let mut names = (0..).map(|n: u64| format!("{prefix}{n}")).filter(|n| !used.contains(n));
    let (mut name, mut full) = (String::new(), u64::MAX);
    for (number, patient, events) in others {
        if full.saturating_add(events) > SHARD {
            name = names.next().unwrap_or_default();
            full = 0;
        }
        full += events;
        order.push(Member { shard: name.clone(), number, patient, events });
    }
    order.sort_unstable_by(|a, b| (&a.shard, a.number).cmp(&(&b.shard, b.number)));
    order
}

/// The events of some patients, each patient's in order.
fn fetch(store: &Store, survey: &Survey, members: &[Member]) -> Result<Vec<Vec<EventRow>>, Error> {
    let at: BTreeMap<i64, usize> = members.iter().enumerate().map(|(i, m)| (m.patient, i)).collect();
    let records: Vec<RecordId> = members
        .iter()
        .filter_map(|m| survey.patients.get(&m.patient))
        .flat_map(|p| p.records.iter().copied())
        .collect();
    let mut found: Vec<Vec<EventRow>> = members.iter().map(|_| Vec::new()).collect();
    for event in store.events(&records)? {
        let patient = event.record.and_then(|r| survey.patient_of.get(&r));
        if let Some(i) = patient.and_then(|p| at.get(p)) {
            found[*i].push(event);
        }
    }
    for events in &mut found {
        // Without a time first; what was in one MEDS file stays in its order, and comes before what was not.
        events.sort_by_cached_key(|row| {
            let time = row.event.times.happened.map(Moment::start);
            let meds = restored(&row.event).map(|m| (m.row, m.shard.to_owned()));
            let own = (row.event.code.as_str().to_owned(), row.source.clone(), row.origin.clone());
            (time, meds.is_none(), meds, own)
        });
    }
    Ok(found)
}

/// A shard that is being written.
struct Writer {
    path: PathBuf,
    inner: ArrowWriter<File>,
}

impl Writer {
    fn create(data: &Path, shard: &str, schema: &SchemaRef) -> Result<Self, Error> {
        let path = data.join(format!("{shard}.parquet"));
        let fault = |source| Error::Write { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(data)).map_err(fault)?;
        let file = File::create(&path).map_err(fault)?;
        let inner = writer(file, schema, &path)?;
        Ok(Self { path, inner })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.inner.write(batch).map_err(|e| unwritten(&self.path, e))
    }

    fn close(self) -> Result<(), Error> {
        self.inner.close().map(|_| ()).map_err(|e| unwritten(&self.path, e))
    }
}

/// A writer of Parquet as the standard's tools read it.
pub(super) fn writer(file: File, schema: &SchemaRef, path: &Path) -> Result<ArrowWriter<File>, Error> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_created_by("chiasm".to_owned())
        .build();
    ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(|e| unwritten(path, e))
}

pub(super) fn unwritten(path: &Path, error: parquet::errors::ParquetError) -> Error {
    Error::Write { path: path.to_owned(), source: std::io::Error::other(error) }
}
