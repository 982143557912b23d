//! Which patient of a store is meant.

use crate::Error;
use chiasm_linkage::Identity;
use chiasm_store::{IdentityRow, LinkRow, RecordId, Store};
use std::collections::BTreeSet;

/// The patient's number (`subject_id`) that `name` stands for: the number itself, or an identifier of a source
/// as `authority|value`, such as `st-mary/mrn|12345`.
///
/// The store knows identifiers by their hash alone, so all identities are looked through: for a person at a
/// terminal, not for a program.
///
/// # Errors
/// [`Error::Unknown`] where nobody, or more than one patient, has that identifier. It does not repeat it.
pub fn subject(store: &Store, name: &str) -> Result<i64, Error> {
    let unknown = |hint: String| Error::Unknown { what: "patient", name: "as given".to_owned(), hint };
    let Some((authority, value)) = name.rsplit_once('|') else {
        return name.parse().map_err(|_| {
            unknown("; expected the patient's number, or an identifier as 'authority|value'".to_owned())
        });
    };
    let mut records = BTreeSet::new();
    for rows in store.scan::<IdentityRow>() {
        for row in rows? {
            let said: Identity = serde_json::from_str(&row.identity).map_err(Error::json("an identity"))?;
            if said.identifiers.iter().any(|i| i.authority == authority && i.value == value) {
                records.insert(row.record_id);
            }
        }
    }
    let patients = patients(store, &records)?;
    match patients.iter().collect::<Vec<_>>()[..] {
        [one] => Ok(*one),
        [] => Err(unknown("; no record has that identifier".to_owned())),
        _ => {
            let all: Vec<String> = patients.iter().map(i64::to_string).collect();
            Err(unknown(format!("; several patients have that identifier: {}", all.join(", "))))
        }
    }
}

/// The patients that records belong to; a record that no link names is a patient of its own.
fn patients(store: &Store, records: &BTreeSet<RecordId>) -> Result<BTreeSet<i64>, Error> {
    let (mut patients, mut alone) = (BTreeSet::new(), records.clone());
    for rows in store.scan::<LinkRow>() {
        for row in rows? {
            if alone.remove(&row.record_id) {
                patients.insert(row.subject_id);
            }
        }
    }
    patients.extend(alone.iter().map(|r| r.0));
    Ok(patients)
}
