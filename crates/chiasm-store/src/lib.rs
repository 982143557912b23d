//! Evidence on disk: events in Parquet by bucket of records, assets by the hash of their content, and a
//! manifest that names what belongs to it. SQL over it by DataFusion.
//!
//! - [`Place`]: where the files are, a folder or an object store.
//! - [`Manifest`]: one state of the store. [`Store::commit`] makes the next one, whole or not at all.
//! - [`EventRow`] and the other rows: the tables' columns, to Arrow and back.
//! - [`Store::events`], [`Store::scan`], [`Store::query`]: what readers ask.
//!
//! Events are kept by the record that they came with ([`RecordId`]); which record is which patient is a
//! table of its own, so linking and unlinking never rewrite evidence.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod assets;
mod columns;
mod disk;
mod error;
mod event_row;
mod fresh;
mod hold;
mod input;
mod known;
mod manifest;
mod merge;
mod parts;
mod place;
mod query;
mod reclaim;
mod rewrite;
mod rows;
mod said;
mod seen;
mod store;
mod table;

pub use assets::{AssetDesk, name as asset_name};
pub use columns::Row;
pub use error::Error;
pub use event_row::{EventRow, RecordId};
pub use known::{Known, RowKey};
pub use manifest::{Manifest, Part, VERSION};
pub use place::Place;
pub use query::{plan, plan_from_bytes, plan_to_bytes};
pub use reclaim::Reclaimed;
pub use rows::{
    AssetRow, ClockRow, EntryRow, IdentityRow, LinkRow, PairRow, QuarantineRow, SourceRow, StatementRow,
    TakenRow,
};
pub use store::{Commit, Committed, Store, Taken};
pub use table::Table;
