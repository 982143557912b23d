use super::place::Place;
use super::{BATCH, check::valid_dataset};
use crate::Error;
use crate::columnar::Columnar;
use crate::feed::{Asset, AssetBytes, Entry, Feed, Sink, Source};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use chiasm_record::{AssetId, Code, Event, Modality, Times};
use parquet::arrow::ArrowWriter;

/// The code system of the files in `metadata/`: `MEDS|codes.parquet`, `MEDS|dataset.json`.
pub const METADATA: &str = "MEDS";
/// The code of a shard's schema; the asset is a Parquet file of the same columns and no row.
pub const SHARD: &str = "MEDS|shard";
/// Bytes of a metadata file.
const LARGEST: u64 = 256 << 20;

/// The event of a shard's schema, and the schema.
///
/// # Errors
/// [`Error::UnsupportedType`] where Parquet has no such column.
pub(super) fn shard_event(file: &Columnar, place: &Place, authority: &str) -> Result<(Event, Asset), Error> {
    let fault = |e: parquet::errors::ParquetError| Error::UnsupportedType {
        place: place.shard.clone(),
        expected: "columns that Parquet can write",
        found: e.to_string(),
    };
    let writer = ArrowWriter::try_new(Vec::new(), file.schema.clone(), None).map_err(fault)?;
    let asset = Asset::memory("application/vnd.apache.parquet", writer.into_inner().map_err(fault)?);
    let event = about_set(Code::verbatim(SHARD), authority, &asset.id).with("meds.shard", Some(&place.shard));
    Ok((event, asset))
}

fn about_set(code: Code, authority: &str, asset: &AssetId) -> Event {
    let mut event = Event::new(Times::default(), code, Modality::new("metadata"));
    event.asset = Some(*asset);
    event.with("meds.set", Some(authority))
}

/// Keeps a Parquet file of `metadata/` as it is.
pub(super) fn keep(
    source: &Source,
    name: &str,
    mut file: Columnar,
    place: &Place,
    feed: &Feed,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    // What cannot be read to its end is not kept as if it could.
    while file.next()?.is_some() {}
    whole(source, name, "application/vnd.apache.parquet", place, feed, sink)
}

/// Keeps `dataset.json` as it is.
pub(super) fn dataset(source: &Source, place: &Place, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    valid_dataset(source)?;
    whole(source, "dataset.json", "application/json", place, feed, sink)
}

fn whole(
    source: &Source,
    name: &str,
    media_type: &str,
    place: &Place,
    feed: &Feed,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let bytes = source.bytes(LARGEST)?;
    let id = AssetId::new(*blake3::hash(&bytes).as_bytes());
    let bytes = match source.path() {
        Some(path) => AssetBytes::File(path.to_owned()),
        None => AssetBytes::Memory(bytes),
    };
    let authority = place.authority(feed);
    let event = about_set(Code::new(METADATA, name), &authority, &id);
    let key = [name.as_bytes(), b"\0", authority.as_bytes(), b"\0", id.bytes()].concat();
    let mut entry = Entry::of(*blake3::hash(&key).as_bytes(), "", None, vec![event]);
    entry.assets.push(Asset { id, media_type: media_type.to_owned(), bytes });
    sink.entry(entry).map_err(|e| Error::Sink { place: source.origin.clone(), source: e })
}

/// The columns of a Parquet file that was kept: a shard's schema, `codes.parquet`.
///
/// # Errors
/// [`Error::Damaged`].
pub fn parquet_schema(name: &str, bytes: Bytes) -> Result<SchemaRef, Error> {
    Ok(Columnar::open(&Source::memory(name, bytes), BATCH)?.schema)
}

/// The rows of a Parquet file that was kept, some at a time, in the types of [`parquet_schema`] but for text, which
/// comes as views.
///
/// # Errors
/// [`Error::Damaged`].
pub fn parquet_rows(name: &str, bytes: Bytes) -> Result<Vec<RecordBatch>, Error> {
    let mut file = Columnar::open(&Source::memory(name, bytes), BATCH)?;
    let mut rows = Vec::new();
    while let Some(batch) = file.next()? {
        rows.push(batch);
    }
    Ok(rows)
}
