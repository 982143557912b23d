//! Many small parts into few large ones, a batch of rows at a time.

use crate::parts::{Draft, Encoded, builder, damaged};
use crate::place::Place;
use crate::{Error, Part, Table};
use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{Int64Type, Schema, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Parts with fewer rows and bytes than this are merged...
const SMALL: (u64, u64) = (1 << 18, 16 << 20);
/// ...once there are as many of them...
const MANY: usize = 8;
/// ...into parts of at most this many rows and bytes, which fit into memory; from so many parts at most.
const LARGE: (u64, u64, usize) = (1 << 20, 64 << 20, 64);
/// Rows of a part in memory.
const BATCH: usize = 1 << 9;

/// Merges small parts of the same table and bucket; says how many went into others.
pub(crate) fn merge(place: &Place, all: &mut Vec<Part>) -> Result<usize, Error> {
    let mut small: BTreeMap<(Table, Option<u32>), Vec<Vec<Part>>> = BTreeMap::new();
    for part in all.iter() {
        let runs = small.entry((part.table, part.bucket)).or_insert_with(|| vec![Vec::new()]);
        if part.rows >= SMALL.0 || part.bytes >= SMALL.1 {
            // What was said before it stays before it. Events have an order of their own.
            if part.table != Table::Events {
                runs.push(Vec::new());
            }
        } else if let Some(run) = runs.last_mut() {
            run.push(part.clone());
        }
    }
    let groups: Vec<Vec<Part>> =
        small.into_values().flatten().filter(|run| run.len() >= MANY).flat_map(chunks).collect();
    let mut merged = Vec::with_capacity(groups.len());
    for groups in groups.chunks(rayon::current_num_threads()) {
        // Opened and written by this thread: a remote place may need the runtime that it runs in.
        let open: Vec<Vec<Open>> = groups
            .iter()
            .map(|group| group.iter().map(|p| Open::of(place, p)).collect())
            .collect::<Result<_, _>>()?;
        let encoded: Vec<Encoded> = open.into_par_iter().map(one).collect::<Result<_, _>>()?;
        for encoded in encoded {
            merged.push(encoded.publish(place)?);
        }
    }
    for (group, part) in groups.iter().zip(merged) {
        let gone: HashSet<&str> = group.iter().map(|p| p.file.as_str()).collect();
        // The merged part stands where the first of them stood: the order of parts is that of time.
        let at = all.iter().position(|p| gone.contains(p.file.as_str())).unwrap_or(all.len());
        all.retain(|p| !gone.contains(p.file.as_str()));
        all.insert(at.min(all.len()), part);
    }
    Ok(groups.iter().map(Vec::len).sum())
}

/// Groups of neighbouring parts that are one [`LARGE`] part together.
fn chunks(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let mut groups: Vec<Vec<Part>> = Vec::new();
    let (mut rows, mut bytes, mut count) = (u64::MAX, 0, 0);
    for part in parts {
        if rows.saturating_add(part.rows) > LARGE.0 || bytes + part.bytes > LARGE.1 || count == LARGE.2 {
            groups.push(Vec::new());
            (rows, bytes, count) = (0, 0, 0);
        }
        (rows, bytes, count) = (rows + part.rows, bytes + part.bytes, count + 1);
        if let Some(group) = groups.last_mut() {
            group.push(part);
        }
    }
    groups.retain(|g| g.len() > 1);
    groups
}

/// A part that is being read.
struct Open<'a> {
    part: &'a Part,
    schema: Arc<Schema>,
    reader: ParquetRecordBatchReader,
}

impl<'a> Open<'a> {
    fn of(place: &Place, part: &'a Part) -> Result<Self, Error> {
        let builder = builder(place, part)?.with_batch_size(BATCH);
        let schema = builder.schema().clone();
        let reader = builder.build().map_err(|e| damaged(part, e))?;
        Ok(Self { part, schema, reader })
    }
}

/// One part with the rows of all: events in their order, others one part after the other.
fn one(parts: Vec<Open<'_>>) -> Result<Encoded, Error> {
    let Some(first) = parts.first() else {
        return Err(Error::Rows { place: "merging".to_owned(), source: "no parts".into() });
    };
    let (table, bucket) = (first.part.table, first.part.bucket);
    let mut draft = Draft::new(table, first.schema.clone())?;
    if table == Table::Events {
        interleave(parts.into_iter().map(Run::new).collect::<Result<_, _>>()?, &mut draft)?;
    } else {
        for Open { part, reader, .. } in parts {
            for batch in reader {
                draft.push(&batch.map_err(|e| damaged(part, e))?)?;
            }
        }
    }
    draft.finish(bucket)
}

/// A sorted part on its way into another.
struct Run<'a> {
    part: &'a Part,
    reader: ParquetRecordBatchReader,
    keys: Option<Keys>,
    /// The number of its batch in the list of those that are used.
    batch: usize,
    at: usize,
}

/// The columns that events are sorted by, and the batch that they are of.
struct Keys {
    batch: RecordBatch,
    record: Int64Array,
    time: TimestampMicrosecondArray,
    code: StringArray,
}

/// Where a row stands among others.
type Key<'a> = (Option<i64>, Option<i64>, &'a str);

impl Keys {
    fn at(&self, row: usize) -> Key<'_> {
        let record = self.record.is_valid(row).then(|| self.record.value(row));
        let time = self.time.is_valid(row).then(|| self.time.value(row));
        (record, time, self.code.value(row))
    }
}

impl<'a> Run<'a> {
    fn new(open: Open<'a>) -> Result<Self, Error> {
        let mut run = Self { part: open.part, reader: open.reader, keys: None, batch: usize::MAX, at: 0 };
        run.load()?;
        Ok(run)
    }

    /// The next batch of the part, if there is one.
    fn load(&mut self) -> Result<(), Error> {
        (self.keys, self.batch, self.at) = (None, usize::MAX, 0);
        for batch in self.reader.by_ref() {
            let batch = batch.map_err(|e| damaged(self.part, e))?;
            if batch.num_rows() == 0 {
                continue;
            }
            let column = |name| {
                batch.column_by_name(name).ok_or_else(|| damaged(self.part, format!("no column {name}")))
            };
            let other = || damaged(self.part, "columns of other types");
            let record = column("record_id")?.as_primitive_opt::<Int64Type>().ok_or_else(other)?.clone();
            let time = column("time")?.as_primitive_opt::<TimestampMicrosecondType>();
            let time = time.ok_or_else(other)?.clone();
            let code = column("code")?.as_string_opt::<i32>().ok_or_else(other)?.clone();
            self.keys = Some(Keys { batch, record, time, code });
            break;
        }
        Ok(())
    }

    fn key(&self) -> Option<Key<'_>> {
        self.keys.as_ref().map(|k| k.at(self.at))
    }
}

/// Rows of sorted runs into a draft, in order; equal ones in the order of the runs.
fn interleave(mut runs: Vec<Run<'_>>, draft: &mut Draft) -> Result<(), Error> {
    let mut used: Vec<RecordBatch> = Vec::new();
    let mut rows: Vec<(usize, usize)> = Vec::with_capacity(8 * BATCH);
    loop {
        // The run whose row comes first, and the row after which another's turn comes.
        let mut first: Option<(Key<'_>, usize)> = None;
        let mut second = first;
        for (i, run) in runs.iter().enumerate() {
            let Some(key) = run.key().map(|k| (k, i)) else { continue };
            if first.is_none_or(|f| key < f) {
                (first, second) = (Some(key), first);
            } else if second.is_none_or(|s| key < s) {
                second = Some(key);
            }
        }
        let Some((_, i)) = first else { break };
        let Some(keys) = &runs[i].keys else { break };
        let from = runs[i].at;
        let mut to = from + 1;
        while to < keys.record.len() && second.is_none_or(|s| (keys.at(to), i) < s) {
            to += 1;
        }
        let (ended, batch) = (to == keys.record.len(), keys.batch.clone());
        let run = &mut runs[i];
        if run.batch == usize::MAX {
            run.batch = used.len();
            used.push(batch);
        }
        rows.extend((from..to).map(|row| (run.batch, row)));
        run.at = to;
        if ended {
            run.load()?;
        }
        if rows.len() >= 8 * BATCH {
            flush(&mut used, &mut rows, draft)?;
            runs.iter_mut().for_each(|r| r.batch = usize::MAX);
        }
    }
    flush(&mut used, &mut rows, draft)
}

fn flush(
    used: &mut Vec<RecordBatch>,
    rows: &mut Vec<(usize, usize)>,
    draft: &mut Draft,
) -> Result<(), Error> {
    if !rows.is_empty() {
        let batches: Vec<&RecordBatch> = used.iter().collect();
        let sorted = interleave_record_batch(&batches, rows)
            .map_err(|e| Error::Rows { place: Table::Events.name().to_owned(), source: e.into() })?;
        draft.push(&sorted)?;
    }
    used.clear();
    rows.clear();
    Ok(())
}
