use super::recognise::{is_gene_column, unquoted};
use super::rows::{Broken, line};
use crate::lines::Lines;
use std::collections::HashSet;

/// Columns that a matrix may have.
const COLUMNS: usize = 1 << 20;
/// Bytes of the line of names.
const LONGEST: usize = 16 << 20;
/// Lines about the samples that a GCT 1.3 may have.
const METADATA: usize = 1 << 10;

/// What stands where.
#[derive(Default)]
pub(super) struct Layout {
    /// Of GCT; `None` for TSV.
    pub version: Option<&'static str>,
    /// The number of the line of names.
    pub line: u64,
    /// The samples' names, column by column.
    pub samples: Vec<String>,
    /// Columns before the first sample.
    pub skip: usize,
    /// The column, from 0, of a second name of the gene.
    pub name: Option<usize>,
    /// Lines about the samples, before the first gene.
    pub metadata: usize,
    /// Genes and samples as the file says.
    declared: Option<(u64, u64)>,
}

impl Layout {
    /// Reads the lines before the first gene or metadata.
    pub fn read(lines: &mut Lines) -> Result<Self, Broken> {
        let expected =
            |number, what: &str| Broken::at(number, "expression.header", format!("expected {what}"));
        let mut gct = None;
        let mut sizes: Option<Vec<u64>> = None;
        loop {
            let number = lines.number + 1;
            let Some(text) = line(lines, LONGEST)? else {
                return Err(expected(number, "a line of column names"));
            };
            match (number, text.trim_end()) {
                (1, "#1.2") => gct = Some("1.2"),
                (1, "#1.3") => gct = Some("1.3"),
                (_, trimmed) if gct.is_some() && sizes.is_none() => {
                    let found: Option<Vec<u64>> =
                        trimmed.split('\t').take(5).map(|c| c.parse().ok()).collect();
                    let count = if gct == Some("1.2") { 2 } else { 4 };
                    sizes = found.filter(|f| f.len() == count);
                    if sizes.is_none() {
                        return Err(expected(number, &format!("{count} whole numbers")));
                    }
                }
                (_, trimmed) if gct.is_none() && (trimmed.is_empty() || trimmed.starts_with('#')) => {}
                _ => return Self::of(text, number, gct, &sizes.unwrap_or_default()),
            }
        }
    }

    fn of(text: &str, line: u64, version: Option<&'static str>, sizes: &[u64]) -> Result<Self, Broken> {
        if text.bytes().filter(|&b| b == b'\t').count() >= COLUMNS {
            let message = format!("expected at most {COLUMNS} columns");
            return Err(Broken::at(line, "expression.header", message));
        }
        let cells: Vec<&str> = text.split('\t').map(unquoted).collect();
        let size = |at: usize| sizes.get(at).map_or(0, |&n| usize::try_from(n).unwrap_or(usize::MAX));
        let skip = match version {
            Some("1.2") => 2,
            Some(_) => size(2).saturating_add(1),
            None => 1 + cells.iter().skip(1).take_while(|c| is_gene_column(c)).count(),
        };
        let name = match version {
            Some("1.3") => cells.iter().take(skip).skip(1).position(|c| c.to_lowercase().contains("symbol")),
            _ => (skip > 1).then_some(0),
        };
        let metadata = size(3);
        if cells.len() <= skip || metadata > METADATA {
            let message = format!(
                "expected {skip} columns, then samples, and at most {METADATA} lines about them; found {} columns",
                cells.len()
            );
            return Err(Broken::at(line, "expression.header", message));
        }
        Ok(Self {
            version,
            line,
            samples: cells.iter().skip(skip).map(|&c| c.to_owned()).collect(),
            skip,
            name: name.map(|at| at + 1),
            metadata,
            declared: sizes.first().copied().zip(sizes.get(1).copied()),
        })
    }

    /// Samples without a name or with one that an earlier column has: column from 1, rule, message.
    pub fn sample_faults(&self) -> Vec<(usize, &'static str, &'static str)> {
        let mut seen = HashSet::new();
        let mut faults = Vec::new();
        for (at, name) in self.samples.iter().enumerate() {
            if name.is_empty() {
                faults.push((self.skip + at + 1, "expression.sample.name", "expected a sample's name"));
            } else if !seen.insert(name) {
                let message = "expected a sample that no column before has";
                faults.push((self.skip + at + 1, "expression.sample.unique", message));
            }
        }
        faults.truncate(super::TOLD);
        faults
    }

    /// Whether the file has `genes` rows and as many samples as it says.
    pub fn size_faults(&self, genes: u64) -> Vec<(&'static str, String)> {
        let Some((rows, columns)) = self.declared else { return Vec::new() };
        let found = [
            ("expression.size.rows", "genes", rows, genes),
            ("expression.size.columns", "samples", columns, self.samples.len() as u64),
        ];
        let wrong = found.into_iter().filter(|(.., said, found)| said != found);
        wrong
            .map(|(rule, what, said, found)| (rule, format!("expected {said} {what}, found {found}")))
            .collect()
    }
}
