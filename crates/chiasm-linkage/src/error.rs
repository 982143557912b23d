/// What can be wrong with a request to link.
///
/// Messages carry places and names of columns, never what stands in a cell.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration names a column that the table lacks.
    #[error("{place}: expected a column \"{expected}\", found only {found}")]
    NoSuchColumn {
        /// The table.
        place: String,
        /// The name asked for.
        expected: String,
        /// The names there are.
        found: String,
    },
    /// Nothing in a table can be compared.
    #[error("{place}: expected at least one column that says who a record is about, found {found}")]
    NoFields {
        /// The table.
        place: String,
        /// The names there are.
        found: String,
    },
    /// Two tables have no kind of field in common.
    #[error("{place}: expected a kind of field that both tables have, found none")]
    NothingShared {
        /// The tables.
        place: String,
    },
    /// More tables than a linkage has sides.
    #[error("expected one table (to find duplicates) or two (to link), found {found}")]
    Tables {
        /// How many were given.
        found: usize,
    },
    /// An undo of something that never was, or is undone already.
    #[error("ledger: expected an entry in force at place {expected}, found none")]
    NoSuchEntry {
        /// The place asked for.
        expected: usize,
    },
    /// A key that cannot protect encodings.
    #[error("encoding key: expected at least {expected} bytes, found {found}")]
    WeakKey {
        /// The least length in bytes.
        expected: usize,
        /// The length given.
        found: usize,
    },
    /// A setting outside its range.
    #[error("{setting}: expected {expected}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// Its range.
        expected: &'static str,
    },
}
