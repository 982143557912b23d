use crate::{Error, Progress};
use chiasm_ingest::meds::{METADATA, SHARD, restored};
use chiasm_record::AssetId;
use chiasm_store::{EventRow, LinkRow, RecordId, Store};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What a store holds, seen once from end to end before anything is written.
#[derive(Default)]
pub(super) struct Survey {
    /// By the store's own number.
    pub patients: BTreeMap<i64, Patient>,
    /// Which patient a record is.
    pub patient_of: HashMap<RecordId, i64>,
    /// Records that MEDS rows are about.
    pub meds_records: HashSet<RecordId>,
    /// The MEDS sets, in the order in which they were taken.
    pub sets: Vec<String>,
    /// The schema of each shard of a set, in the order in which they were taken.
    pub schemas: Vec<AssetId>,
    /// Files of `metadata/`: name, set, asset, in the order in which they were taken.
    pub files: Vec<(String, String, AssetId)>,
    /// Codes as they will be written, with words for those of other sources.
    pub codes: BTreeMap<String, Option<String>>,
    /// Where events of other sources came from.
    pub others: BTreeSet<String>,
    /// Events about nobody.
    pub left_out: u64,
}

/// One patient.
#[derive(Default)]
pub(super) struct Patient {
    pub records: BTreeSet<RecordId>,
    pub events: u64,
    /// The shard of its MEDS rows, the first by name where there are several.
    pub shard: Option<String>,
}

impl Survey {
    /// Looks at all of a store.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn of(store: &Store, progress: &dyn Progress) -> Result<Self, Error> {
        let mut links: HashMap<RecordId, i64> = HashMap::new();
        for rows in store.scan::<LinkRow>() {
            links.extend(rows?.into_iter().map(|l| (l.record_id, l.subject_id)));
        }
        let mut survey = Self::default();
        progress.begin("looking", 1);
        store.each(&mut |rows: Vec<EventRow>| rows.iter().for_each(|row| survey.event(&links, row)))?;
        progress.advance();
        Ok(survey)
    }

    fn event(&mut self, links: &HashMap<RecordId, i64>, row: &EventRow) {
        let event = &row.event;
        let Some(record) = row.record else {
            match (event.code.system(), event.attribute("meds.set"), event.asset) {
                (Some(METADATA), Some(set), Some(asset)) => self.metadata(event.code.as_str(), set, asset),
                _ => self.left_out += 1,
            }
            return;
        };
        let subject = links.get(&record).copied().unwrap_or(record.0);
        self.patient_of.entry(record).or_insert(subject);
        let patient = self.patients.entry(subject).or_default();
        patient.events += 1;
        patient.records.insert(record);
        match restored(event) {
            Some(meds) => {
                self.meds_records.insert(record);
                if !self.codes.contains_key(meds.code) {
                    self.codes.insert(meds.code.to_owned(), None);
                }
                if is_path(meds.shard) && patient.shard.as_deref().is_none_or(|s| meds.shard < s) {
                    patient.shard = Some(meds.shard.to_owned());
                }
            }
            None => {
                if !self.others.contains(&row.source) {
                    self.others.insert(row.source.clone());
                }
                let code = event.code.as_str();
                let known = self.codes.get(code);
                if known.is_none_or(Option::is_none) {
                    let words = event.attribute("words").or_else(|| event.attribute("name"));
                    if known.is_none() || words.is_some() {
                        self.codes.insert(code.to_owned(), words.map(str::to_owned));
                    }
                }
            }
        }
    }

    fn metadata(&mut self, code: &str, set: &str, asset: AssetId) {
        if !self.sets.iter().any(|s| s == set) {
            self.sets.push(set.to_owned());
        }
        if code == SHARD {
            if !self.schemas.contains(&asset) {
                self.schemas.push(asset);
            }
        } else {
            let name = code.rsplit('|').next().unwrap_or(code);
            self.files.push((name.to_owned(), set.to_owned(), asset));
        }
    }

    /// The newest files of that name, one of each set, in the sets' order.
    pub fn newest(&self, name: &str) -> Vec<(&str, AssetId)> {
        let of = |set: &String| self.files.iter().rev().find(|(n, s, _)| n == name && s == set);
        self.sets.iter().filter_map(of).map(|(_, set, asset)| (set.as_str(), *asset)).collect()
    }

    /// Whether all of it came from one MEDS set.
    pub fn is_one_set(&self) -> bool {
        self.sets.len() == 1 && self.others.is_empty()
    }
}

/// Whether a shard's name is a plain path below `data/`.
fn is_path(shard: &str) -> bool {
    let plain = |p: &str| !matches!(p, "" | "." | "..") && !p.contains(['\\', '\0', ':']);
    shard.len() <= 400 && shard.split('/').all(plain)
}
