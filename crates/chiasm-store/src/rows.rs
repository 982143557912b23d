//! The rows of the small tables.

use crate::columns::{Columns, Reader, Row};
use crate::{Error, RecordId, RowKey, Table};
use arrow::array::RecordBatch;

/// Makes a row type, its columns and the way back from one list.
macro_rules! rows {
    ($(#[$doc:meta])* $name:ident in $table:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($(#[$field_doc])* pub $field: rows!(@type $kind),)* }

        impl Row for $name {
            const TABLE: Table = Table::$table;

            fn batch(rows: &[&Self]) -> Result<RecordBatch, Error> {
                let columns = Columns::of(Self::TABLE);
                $(let columns = rows!(@put columns, rows, $field, $kind);)*
                columns.batch()
            }

            fn rows(batch: &RecordBatch) -> Result<Vec<Self>, Error> {
                let columns = Reader::of(Self::TABLE, batch);
                $(let $field = rows!(@column columns, $field, $kind);)*
                Ok((0..batch.num_rows()).map(|i| Self { $($field: rows!(@get $field, i, $kind),)* }).collect())
            }
        }
    };
    (@type text) => { String };
    (@type maybe_text) => { Option<String> };
    (@type long) => { i64 };
    (@type maybe_long) => { Option<i64> };
    (@type record) => { RecordId };
    (@type key) => { RowKey };
    (@type number) => { f64 };
    (@put $c:ident, $rows:ident, $f:ident, text) => { $c.text(stringify!($f), $rows.iter().map(|r| r.$f.as_str())) };
    (@put $c:ident, $rows:ident, $f:ident, maybe_text) => {
        $c.maybe_text(stringify!($f), $rows.iter().map(|r| r.$f.as_deref()))
    };
    (@put $c:ident, $rows:ident, $f:ident, long) => { $c.long(stringify!($f), $rows.iter().map(|r| r.$f)) };
    (@put $c:ident, $rows:ident, $f:ident, maybe_long) => {
        $c.maybe_long(stringify!($f), $rows.iter().map(|r| r.$f))
    };
    (@put $c:ident, $rows:ident, $f:ident, number) => {
        $c.maybe_number(stringify!($f), $rows.iter().map(|r| Some(r.$f)))
    };
    (@put $c:ident, $rows:ident, $f:ident, record) => { $c.long(stringify!($f), $rows.iter().map(|r| r.$f.0)) };
    (@put $c:ident, $rows:ident, $f:ident, key) => { $c.key(stringify!($f), $rows.iter().map(|r| &r.$f)) };
    (@column $c:ident, $f:ident, key) => { $c.key(stringify!($f))? };
    (@column $c:ident, $f:ident, text) => { $c.text(stringify!($f))? };
    (@column $c:ident, $f:ident, maybe_text) => { $c.text(stringify!($f))? };
    (@column $c:ident, $f:ident, number) => { $c.number(stringify!($f))? };
    (@column $c:ident, $f:ident, $long:ident) => { $c.long(stringify!($f))? };
    (@get $f:ident, $i:ident, text) => { $f($i).unwrap_or_default() };
    (@get $f:ident, $i:ident, long) => { $f($i).unwrap_or_default() };
    (@get $f:ident, $i:ident, number) => { $f($i).unwrap_or(f64::NAN) };
    (@get $f:ident, $i:ident, key) => { $f($i) };
    (@get $f:ident, $i:ident, record) => { RecordId($f($i).unwrap_or_default()) };
    (@get $f:ident, $i:ident, $maybe:ident) => { $f($i) };
}

rows! {
    /// Who a record says it is about: one row for each way in which its sources have put it.
    IdentityRow in Identities {
        /// The record.
        record_id: record,
        /// The site.
        source: text,
        /// The BLAKE3 hash of `identity`, in hexadecimal.
        hash: text,
        /// When the source said so, in microseconds since 1970-01-01T00:00Z; what has no time is the last word.
        told: maybe_long,
        /// A hash of what a person has one of (birth, sex), where it says any of that.
        facts: maybe_long,
        /// The identity as JSON. A patient's data.
        identity: text,
    }
}
rows! {
    /// An entry that was taken.
    EntryRow in Entries {
        /// The BLAKE3 hash of its content, in hexadecimal.
        key: text,
        /// The site.
        source: text,
        /// The file and the place in it.
        origin: text,
        /// How many events it had.
        events: long,
    }
}
rows! {
    /// A row of a table that was taken: the same row in a later export of that table is no other.
    TakenRow in Rows {
        /// 16 bytes of the BLAKE3 hash of its table and cells.
        key: key,
    }
}
rows! {
    /// A file that was read to its end.
    SourceRow in Sources {
        /// The BLAKE3 hash of its content and of the mapping that it was read with, in hexadecimal.
        key: text,
        /// The site.
        source: text,
        /// The file.
        origin: text,
        /// Its format.
        format: text,
        /// Its bytes.
        bytes: long,
        /// Entries taken.
        entries: long,
        /// Events in them.
        events: long,
        /// Parts that went to quarantine.
        rejected: long,
        /// Doubts, as a JSON list of findings.
        findings: text,
    }
}
rows! {
    /// Bytes beside the events.
    AssetRow in Assets {
        /// The BLAKE3 hash of the bytes, in hexadecimal; their file is `assets/ab/cdef...`.
        asset: text,
        /// The media type.
        media_type: text,
        /// How many bytes.
        bytes: long,
    }
}
rows! {
    /// Something that broke a rule, or (a later row of the same id) what became of it.
    QuarantineRow in Quarantine {
        /// The BLAKE3 hash of source, origin, place and content, in hexadecimal.
        id: text,
        /// The site.
        source: text,
        /// The file.
        origin: text,
        /// Where in the file.
        place: text,
        /// Bytes before it in the file, where that is known.
        offset: maybe_long,
        /// The format that it was read as.
        format: text,
        /// The rule that it breaks.
        rule: text,
        /// What is wrong.
        message: text,
        /// The asset that holds it, where it could be cut out.
        asset: maybe_text,
        /// `open`, or `taken` once a retry has read it.
        state: text,
    }
}
rows! {
    /// Which record is which patient.
    LinkRow in Links {
        /// The record.
        record_id: record,
        /// The patient.
        subject_id: long,
    }
}
rows! {
    /// Two records that are linked, or that a person should look at. Holds no value of a person, only how far
    /// two values agree.
    PairRow in Pairs {
        /// The one record.
        record_l: record,
        /// The other.
        record_r: record,
        /// The chance that they are one person.
        probability: number,
        /// `linked` or `review`.
        state: text,
        /// Why it is for a person to decide; empty where it is linked.
        reason: text,
        /// The weight of each field in bits, as a JSON list that begins with the prior.
        evidence: text,
    }
}
rows! {
    /// By how much two systems' clocks differ, as seen in what both tell of the same moments. Reported, never applied.
    ClockRow in Clocks {
        /// The system, in its site.
        system: text,
        /// The system that it is compared with.
        against: text,
        /// By how many seconds it is ahead: the median over what both tell.
        ahead_s: number,
        /// The interval that holds the median with 95 % certainty: its lower end,
        low_s: number,
        /// and its upper end.
        high_s: number,
        /// Half of the differences lie within so many seconds of the median.
        spread_s: number,
        /// How many moments both tell.
        pairs: long,
    }
}
rows! {
    /// What a source or a person said of who is who, in the order in which it was said.
    StatementRow in Statements {
        /// Counts statements from 1.
        number: long,
        /// `source` or `person`.
        by: text,
        /// The statement as JSON, as `chiasm-linkage` reads it. A patient's data.
        statement: text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_went_in() {
        let row = QuarantineRow {
            id: "ab".into(),
            source: "lab".into(),
            origin: "a.hl7".into(),
            place: "message 3".into(),
            offset: Some(1 << 40),
            format: "HL7".into(),
            rule: "hl7.msh".into(),
            message: "expected MSH".into(),
            asset: None,
            state: "open".into(),
        };
        let rows = vec![row.clone(), QuarantineRow { offset: None, asset: Some("cd".into()), ..row }];
        let batch = QuarantineRow::batch(&[&rows[0], &rows[1]]).unwrap();
        assert_eq!(QuarantineRow::rows(&batch).unwrap(), rows);
        let links = vec![LinkRow { record_id: RecordId(i64::MAX), subject_id: 3 }];
        assert_eq!(LinkRow::rows(&LinkRow::batch(&[&links[0]]).unwrap()).unwrap(), links);
        // Another table's columns are not taken for these.
        assert!(LinkRow::rows(&batch).is_err());
    }
}
