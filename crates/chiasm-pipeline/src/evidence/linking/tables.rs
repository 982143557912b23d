//! Who is who in plain tables.

use crate::{Error, folder};
use chiasm_linkage::{Fields, LinkConfig, Linkage, Records, link};
use chiasm_record::Finding;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What linking plain tables found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkedTables {
    /// Records.
    pub records: usize,
    /// Pairs written.
    pub pairs: usize,
    /// Of them, those with a probability of at least one half.
    pub likely: usize,
    /// Columns that are no evidence, and other doubts.
    pub findings: Vec<Finding>,
}

/// Finds the duplicates of one table, or links one table to another, and writes the pairs as CSV: the ids as
/// they stand, the probability, and the weight of each field in bits.
///
/// # Errors
/// Where a table cannot be read, has no field that is known, or `out` cannot be written.
pub fn link_tables(
    tables: &[PathBuf],
    fields: Option<&Path>,
    least: f64,
    out: &Path,
) -> Result<LinkedTables, Error> {
    let fields: Fields = match fields {
        None => Fields::default(),
        Some(path) => {
            let fault = |source| Error::Read { path: path.to_owned(), source };
            let text = std::fs::read_to_string(path).map_err(fault)?;
            toml::from_str(&text)
                .map_err(|e| Error::Recipe { place: path.display().to_string(), message: e.to_string() })?
        }
    };
    let read: Vec<_> = tables.iter().map(|path| chiasm_ingest::read_table(path)).collect::<Result<_, _>>()?;
    let (records, findings) = Records::from_tables(&read.iter().collect::<Vec<_>>(), &fields)?;
    drop(read);
    let found = link(&records, &LinkConfig { least, ..LinkConfig::default() });
    folder::write_whole(out, &to_csv(&records, &found)?)?;
    Ok(LinkedTables {
        records: records.len(),
        pairs: found.pairs.len(),
        likely: found.pairs.iter().filter(|p| p.probability >= 0.5).count(),
        findings,
    })
}

fn to_csv(records: &Records, found: &Linkage) -> Result<Vec<u8>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fault =
        |e: csv::Error| Error::Write { path: PathBuf::from("pairs"), source: std::io::Error::other(e) };
    let mut header: Option<Vec<String>> = None;
    for pair in &found.pairs {
        let evidence = found.evidence(records, pair.left, pair.right);
        if header.is_none() {
            let mut names: Vec<String> =
                ["id_l", "id_r", "probability", "weight"].map(str::to_owned).to_vec();
            names.extend(evidence.iter().map(|e| format!("weight_{}", e.field)));
            writer.write_record(&names).map_err(fault)?;
            header = Some(names);
        }
        let mut row = vec![
            records.id(pair.left).to_owned(),
            records.id(pair.right).to_owned(),
            format!("{:.6}", pair.probability),
            format!("{:.3}", pair.total),
        ];
        row.extend(evidence.iter().map(|e| format!("{:.3}", e.weight)));
        writer.write_record(&row).map_err(fault)?;
    }
    if header.is_none() {
        writer.write_record(["id_l", "id_r", "probability", "weight"]).map_err(fault)?;
    }
    writer.into_inner().map_err(|e| Error::Write { path: PathBuf::from("pairs"), source: e.into_error() })
}
