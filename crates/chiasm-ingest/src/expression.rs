//! Expression matrices, genes by samples: GCT 1.2 and 1.3, and plain TSV.
//!
//! A matrix lies across its samples: a line is one gene of everybody. [`read`] turns it and hands over
//! one entry for each sample. What does not fit into memory at once is turned in blocks of samples, with
//! one pass over the file for each block.
//!
//! # Source
//! GCT, <https://software.broadinstitute.org/software/igv/GCT> (1.2) and
//! <https://clue.io/connectopedia/gct_format> (1.3). TSV has no standard; its rules are ours.

mod layout;
mod read;
mod recognise;
mod rows;

use crate::Error;
use crate::feed::{Checked, Severity, Source};
pub use read::read;
pub use recognise::recognises;
use rows::{Part, Seen, rows};

/// Faults that are told one by one.
const TOLD: usize = 100;

/// Checks a matrix: its size against what it says, cells in each row, numbers, names that stand twice.
///
/// A gene that stands twice is an error in GCT and a warning in TSV, where several Ensembl genes may
/// share a symbol.
///
/// # Errors
/// [`Error::MissingFile`] or [`Error::Io`] where it cannot be opened.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut checked = Checked::new("expression matrix", None);
    let (mut good, mut bad, mut missing, mut more) = (0u64, 0u64, 0u64, 0usize);
    let mut seen = Seen::default();
    let layout = rows(source, |layout, part| {
        let unique = if layout.version.is_some() { Severity::Error } else { Severity::Warning };
        let (severity, rule, place, message) = match part {
            Part::Metadata(..) => return Ok(()),
            Part::Row(row) => {
                good += 1;
                missing += row.values().filter(|v| matches!(v, Some(None))).count() as u64;
                if seen.first(row.gene) {
                    return Ok(());
                }
                let place = format!("line {}, column 1", row.line);
                (
                    unique,
                    "expression.gene.unique",
                    place,
                    "expected a gene that no line before has".to_owned(),
                )
            }
            Part::Broken(broken) => {
                bad += 1;
                (Severity::Error, broken.rule, broken.place(), broken.message)
            }
        };
        if checked.faults.len() < TOLD {
            checked.fault(severity, rule, place, message);
        } else {
            more += 1;
        }
        Ok(())
    })?;
    if more > 0 {
        checked.fault(Severity::Error, "expression.more", "", format!("{more} more faults"));
    }
    if let Some(layout) = layout {
        if let Some(version) = layout.version {
            checked.format = "GCT".to_owned();
            checked.version = Some(version.to_owned());
        }
        for (column, rule, message) in layout.sample_faults() {
            checked.fault(Severity::Error, rule, format!("line {}, column {column}", layout.line), message);
        }
        for (rule, message) in layout.size_faults(good + bad) {
            checked.fault(Severity::Error, rule, "line 2", message);
        }
        checked.content("samples", layout.samples.len());
    }
    checked.content("genes", good);
    checked.content("values missing", missing);
    checked.content("rows at fault", bad);
    Ok(checked)
}

#[cfg(test)]
mod tests;
