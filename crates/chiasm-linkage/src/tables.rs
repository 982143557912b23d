//! Plain tables to records.

use crate::date::{self, DateOrder};
use crate::{Error, FieldKind, Fields, Records, RecordsBuilder, normalise};
use chiasm_record::{Finding, Table};

impl Records {
    /// One table (to find its duplicates) or two (to link the first to the second).
    ///
    /// The first column of each is the id. Only kinds of field that all tables have are compared.
    ///
    /// # Errors
    /// [`Error::Tables`] for another number of tables, [`Error::NothingShared`] where two have no kind of
    /// field in common, and those of [`Fields::bind`].
    pub fn from_tables(tables: &[&Table], fields: &Fields) -> Result<(Self, Vec<Finding>), Error> {
        if !matches!(tables.len(), 1 | 2) {
            return Err(Error::Tables { found: tables.len() });
        }
        let mut builder = RecordsBuilder::new();
        let mut findings = Vec::new();
        let mut bound = Vec::new();
        for table in tables {
            let header: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
            let (kinds, doubts) = fields.bind(&table.origin, &header)?;
            findings.extend(doubts);
            bound.push(kinds);
        }
        if let [first, second] = bound.as_slice() {
            let shared = |kind: &FieldKind| *kind != FieldKind::Ignore && second.contains(kind);
            if !first.iter().any(shared) {
                let place = format!("{} and {}", tables[0].origin, tables[1].origin);
                return Err(Error::NothingShared { place });
            }
        }
        let names: Vec<&str> = tables[0].columns.iter().map(|c| c.name.as_str()).collect();
        let zeros = leading_zeros(tables, &bound);
        for (number, (table, kinds)) in tables.iter().zip(&bound).enumerate() {
            if number == 1 {
                builder.second_table();
            }
            let orders: Vec<DateOrder> = (table.columns.iter().zip(kinds))
                .map(|(column, kind)| match kind {
                    FieldKind::BirthDate => {
                        let cells: Vec<_> = (0..table.rows).map(|row| column.cells.text(row)).collect();
                        DateOrder::of_column(cells.iter().map(AsRef::as_ref))
                    }
                    _ => DateOrder::default(),
                })
                .collect();
            let columns = in_order(&names, table);
            for row in 0..table.rows {
                let mut texts: Vec<_> = table.columns.iter().map(|c| c.cells.text(row)).collect();
                for (text, (kind, &order)) in texts.iter_mut().zip(kinds.iter().zip(&orders)) {
                    if *kind == FieldKind::BirthDate {
                        *text = date::digits(text, order).into();
                    } else if zeros.contains(kind) {
                        *text = text.trim_start().trim_start_matches('0').to_owned().into();
                    }
                }
                let cells =
                    columns.iter().map(|&c| (kinds[c], table.columns[c].name.trim(), texts[c].as_ref()));
                builder.push(texts[0].trim(), cells);
            }
        }
        Ok((builder.finish(), findings))
    }
}

/// The columns of a table, those that the first table names too in its order: `address_1` of both is the same line
/// wherever it stands.
fn in_order(first: &[&str], table: &Table) -> Vec<usize> {
    let plain = |name: &str| normalise::text(name);
    let first: Vec<String> = first.iter().map(|name| plain(name)).collect();
    let mut columns: Vec<usize> = (0..table.columns.len()).collect();
    let place = |c: usize| first.iter().position(|name| *name == plain(&table.columns[c].name));
    columns.sort_by_key(|&c| (place(c).unwrap_or(usize::MAX), c));
    columns
}

/// The kinds of number that one of two tables writes without zeros at the front because a program took them for
/// numbers: they are compared without.
fn leading_zeros(tables: &[&Table], bound: &[Vec<FieldKind>]) -> Vec<FieldKind> {
    let with = |table: &Table, kinds: &[FieldKind], wanted: FieldKind| {
        let mut columns = table.columns.iter().zip(kinds).filter(|(_, kind)| **kind == wanted);
        columns.any(|(column, _)| {
            (0..table.rows).any(|row| column.cells.text(row).trim_start().starts_with('0'))
        })
    };
    let differ = |kind: &FieldKind| {
        let told: Vec<bool> =
            tables.iter().zip(bound).map(|(table, kinds)| with(table, kinds, *kind)).collect();
        told.windows(2).any(|pair| pair[0] != pair[1])
    };
    [FieldKind::Postcode, FieldKind::NationalId, FieldKind::HouseNumber].into_iter().filter(differ).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_record::{Cells, Column};

    fn table(origin: &str, rows: &[&[&str]]) -> Table {
        let column = |c: usize| Column {
            name: rows[0][c].to_owned(),
            cells: Cells::Text(rows[1..].iter().map(|row| row[c].into()).collect()),
        };
        let columns = (0..rows[0].len()).map(column).collect();
        Table { origin: origin.to_owned(), columns, rows: rows.len() - 1, lines: Vec::new() }
    }

    /// The values of every field of a record, by the field's name.
    fn said(records: &Records, row: usize) -> Vec<(String, String)> {
        let of = |slot: &crate::records::Slot| {
            let text = records.vocabularies[slot.vocabulary].text(slot.values[row]);
            (slot.name.clone(), text.to_owned())
        };
        records.slots.iter().map(of).filter(|(_, text)| !text.is_empty()).collect()
    }

    #[test]
    fn the_order_and_the_spelling_of_columns_make_no_difference() {
        let one = table(
            "a",
            &[
                &[
                    "id",
                    "First Name",
                    "Surname",
                    "dob",
                    "address_1",
                    "address_2",
                    "postcode",
                    "race",
                    "religion",
                ],
                &["1", "Ada", "Byron", "10/12/1815", "Elm Street", "Flat B", "0801", "x", "y"],
                &["2", "Ann", "Bird", "25/01/1820", "Oak Street", "Flat C", "2602", "x", "z"],
            ],
        );
        let two = table(
            "b",
            &[
                &["key", "religion", " address_2", " address_1", "zip", " birthDate", "last", "first"],
                &["9", "y", " flat b", " elm street", "801.0", " 1815-12-10", "BYRON", " ada"],
            ],
        );
        let (records, findings) = Records::from_tables(&[&one, &two], &Fields::default()).unwrap();
        assert_eq!((records.len(), findings.len(), records.id(2)), (3, 0, "9"));
        let mut first = said(&records, 0);
        first.retain(|(name, _)| name != "race");
        assert_eq!(first, said(&records, 2));
        assert_eq!(first.len(), 7, "{first:?}");
    }

    #[test]
    fn two_tables_without_a_common_field_are_refused() {
        let (one, two) =
            (table("a", &[&["id", "surname"], &["1", "x"]]), table("b", &[&["id", "zip"], &["1", "2"]]));
        assert!(matches!(
            Records::from_tables(&[&one, &two], &Fields::default()),
            Err(Error::NothingShared { .. })
        ));
        assert!(matches!(Records::from_tables(&[], &Fields::default()), Err(Error::Tables { found: 0 })));
    }
}
