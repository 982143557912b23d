use serde::{Deserialize, Serialize};

/// The tables of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// What happened: MEDS columns and more. Divided by bucket of records.
    Events,
    /// Who a record says it is about, as its sources wrote it. Never offered to queries.
    Identities,
    /// What was taken: a message, a resource, an instance, a block of rows, by the hash of its content.
    Entries,
    /// Rows of tables that were taken, by the hash of their cells. Never offered to queries.
    Rows,
    /// Files that were read to their end.
    Sources,
    /// Bytes beside the events.
    Assets,
    /// What broke a rule.
    Quarantine,
    /// Which record is which patient. Replaced as a whole by each linking.
    Links,
    /// Why records are linked, and which a person should look at. Replaced as a whole by each linking.
    Pairs,
    /// By how much the clocks of two systems differ. Replaced as a whole by each linking.
    Clocks,
    /// What sources and people said of who is who. Never offered to queries.
    Statements,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Events,
        Self::Identities,
        Self::Entries,
        Self::Rows,
        Self::Sources,
        Self::Assets,
        Self::Quarantine,
        Self::Links,
        Self::Pairs,
        Self::Clocks,
        Self::Statements,
    ];

    /// The table's folder, and its name in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Identities => "identities",
            Self::Entries => "entries",
            Self::Rows => "rows",
            Self::Sources => "sources",
            Self::Assets => "assets",
            Self::Quarantine => "quarantine",
            Self::Links => "links",
            Self::Pairs => "pairs",
            Self::Clocks => "clocks",
            Self::Statements => "statements",
        }
    }
}
