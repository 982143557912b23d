//! Evidence as it comes out of a hospital's systems: one format's bytes in, [`Entry`]s out.
//!
//! Every format is a module of two functions, all shaped alike:
//!
//! - `read(&Source, &Feed, &mut dyn Sink)` hands over one [`Entry`] after the other, each with its events,
//!   its assets and the identity that it names, and whatever breaks a rule as [`Rejected`]. It never
//!   stops at a bad part: it goes on with the next.
//! - `check(&Source)` says what is in it and what is wrong with it, by the rules of its standard.
//!
//! A reader keeps codes, units and values as the source has them. What a local code means and what unit
//! it becomes is the site's to say, in one place for all formats.

mod block;
mod duckdb;
mod entry;
mod fault;
mod kind;
mod rows;
mod sink;
mod site;
mod source;
pub mod tabular;
mod time;
mod unpack;

pub(crate) use block::RowBlock;
pub use entry::{Asset, AssetBytes, Entry, Link, LinkKind, Mention};
pub use fault::{Checked, Fault, Severity};
pub use kind::FeedFormat;
pub use sink::{Rejected, Sink, SinkError};
pub use site::{SiteFault, SiteFeed};
pub use source::{ReadSeek, Source};
pub use time::{Feed, Parts};
pub use unpack::{Packing, unpack};
