//! Pairs that a person should look at, and what speaks for and against each.

use crate::Error;
use chiasm_linkage::{Evidence, Guard, Linkage, Records, waterfall_svg, waterfall_text};
use chiasm_store::{PairRow, Store};
use serde::Deserialize;

/// The prior, the weight of each field, and what a file contradicts, as JSON.
pub(crate) fn evidence(
    records: &Records,
    found: &Linkage,
    guard: &Guard<'_>,
    left: u32,
    right: u32,
) -> Result<String, Error> {
    let mut lines = vec![serde_json::json!({ "prior": found.prior_bits() })];
    for weight in found.evidence(records, left, right) {
        lines.push(serde_json::to_value(weight).map_err(Error::json("evidence"))?);
    }
    for conflict in guard.conflicts(left, right) {
        lines.push(serde_json::json!({ "conflict": conflict.words() }));
    }
    serde_json::to_string(&lines).map_err(Error::json("evidence"))
}

/// The pairs that a person should look at, the likeliest first.
///
/// # Errors
/// Where the store cannot be read.
pub fn review(store: &Store) -> Result<Vec<PairRow>, Error> {
    let mut rows = all_pairs(store)?;
    rows.retain(|r| r.state == "review");
    rows.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    Ok(rows)
}

fn all_pairs(store: &Store) -> Result<Vec<PairRow>, Error> {
    let mut rows = Vec::new();
    for part in store.scan::<PairRow>() {
        rows.extend(part?);
    }
    Ok(rows)
}

/// What speaks for and against two records being one person.
pub struct Why {
    /// The pair, with its state and reason.
    pub pair: PairRow,
    /// For a terminal.
    pub text: String,
    /// As a picture.
    pub svg: String,
}

/// Why two records are linked, or are for a person to look at.
///
/// # Errors
/// [`Error::Unknown`] where the last linking neither linked nor doubted them.
pub fn why(store: &Store, one: i64, other: i64) -> Result<Why, Error> {
    let mine = |r: &PairRow| [(one, other), (other, one)].contains(&(r.record_l.0, r.record_r.0));
    let found = all_pairs(store)?.into_iter().find(mine).ok_or_else(|| Error::Unknown {
        what: "pair of records",
        name: format!("{one} {other}"),
        hint: "; the last `chiasm link` neither linked nor doubted them directly".to_owned(),
    })?;
    let told = Told::of(&found)?;
    let mut text = waterfall_text(told.prior, &told.weights);
    for conflict in &told.conflicts {
        text.push_str(&format!("against: {conflict}\n"));
    }
    Ok(Why { text, svg: waterfall_svg(told.prior, &told.weights), pair: found })
}

/// What stands in a pair's evidence.
pub struct Told {
    /// Bits before any field.
    pub prior: f64,
    /// What each field says.
    pub weights: Vec<Evidence>,
    /// What a file of one says against the other.
    pub conflicts: Vec<String>,
}

impl Told {
    /// Reads a pair's evidence.
    ///
    /// # Errors
    /// [`Error::Json`] where it is not what linking writes.
    pub fn of(pair: &PairRow) -> Result<Self, Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Line {
            Prior { prior: f64 },
            Weight { field: String, level: String, weight: f32 },
            Conflict { conflict: String },
        }
        let lines: Vec<Line> = serde_json::from_str(&pair.evidence).map_err(Error::json("evidence"))?;
        let mut told = Self { prior: 0.0, weights: Vec::new(), conflicts: Vec::new() };
        for line in lines {
            match line {
                Line::Prior { prior } => told.prior = prior,
                Line::Weight { field, level, weight } => told.weights.push(Evidence { field, level, weight }),
                Line::Conflict { conflict } => told.conflicts.push(conflict),
            }
        }
        Ok(told)
    }

    /// What speaks for and what against, each with its bits, the strongest first: `surname: exact +9.5`.
    pub fn sides(&self) -> [Vec<String>; 2] {
        let mut weights: Vec<&Evidence> = self.weights.iter().filter(|e| e.weight != 0.0).collect();
        weights.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        let (pro, contra): (Vec<_>, Vec<_>) = weights.into_iter().partition(|e| e.weight > 0.0);
        let words = |all: Vec<&Evidence>| -> Vec<String> {
            all.iter().map(|e| format!("{}: {} {:+.1}", e.field, e.level, e.weight)).collect()
        };
        let mut against = words(contra);
        against.extend(self.conflicts.iter().cloned());
        [words(pro), against]
    }
}
