//! What a store holds, told in an order that does not depend on how it came, and what a power failure leaves.
#![cfg(unix)]

use chiasm_store::{
    AssetRow, EntryRow, EventRow, IdentityRow, Place, QuarantineRow, Row, SourceRow, StatementRow, Store,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The key that a test's stores share, so that their record numbers are the same.
pub const KEY: [u8; 32] = [7; 32];

pub fn open(store: &Path) -> Store {
    Store::open(Place::Folder(store.to_owned())).unwrap()
}

/// Every row of every table that ingest writes, sorted; how often each stands there.
pub fn content(store: &Path) -> BTreeMap<&'static str, BTreeMap<String, usize>> {
    let store = open(store);
    let mut all = BTreeMap::new();
    all.insert("entries", rows(&store, |r: EntryRow| format!("{r:?}")));
    all.insert("events", rows(&store, |r: EventRow| format!("{r:?}")));
    all.insert("identities", rows(&store, |r: IdentityRow| format!("{:?} {}", r.record_id, r.hash)));
    all.insert("assets", rows(&store, |r: AssetRow| format!("{r:?}")));
    all.insert("statements", rows(&store, |r: StatementRow| r.statement));
    // A file read in several goes counts its entries anew, and a refused part may be refused again.
    all.insert("sources", once(rows(&store, |r: SourceRow| r.key)));
    all.insert("quarantine", once(rows(&store, |r: QuarantineRow| format!("{} {}", r.id, r.state))));
    for row in store.scan::<AssetRow>().flat_map(Result::unwrap) {
        whole(&store, &row.asset);
    }
    for asset in store.scan::<QuarantineRow>().flat_map(Result::unwrap).filter_map(|r| r.asset) {
        whole(&store, &asset);
    }
    all
}

/// An asset's bytes are those that its name says.
fn whole(store: &Store, asset: &str) {
    let bytes = fs::read(root(store).join("assets").join(&asset[..2]).join(&asset[2..])).unwrap();
    assert_eq!(blake3::hash(&bytes).to_hex().as_str(), asset, "a torn asset is part of the store");
}

fn root(store: &Store) -> PathBuf {
    let Place::Folder(root) = store.place() else { panic!("not a folder") };
    root.clone()
}

fn rows<R: Row>(store: &Store, show: impl Fn(R) -> String) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for row in store.scan::<R>().flat_map(Result::unwrap) {
        *found.entry(show(row)).or_default() += 1;
    }
    found
}

fn once(rows: BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    rows.into_keys().map(|row| (row, 1)).collect()
}

/// Fails with the table, not with its rows.
#[track_caller]
pub fn same(store: &Path, expected: &BTreeMap<&'static str, BTreeMap<String, usize>>) {
    let found = content(store);
    for (table, rows) in expected {
        let (lost, more): (BTreeSet<_>, BTreeSet<_>) = (
            rows.keys().filter(|r| !found[table].contains_key(*r)).collect(),
            found[table].keys().filter(|r| !rows.contains_key(*r)).collect(),
        );
        assert!(lost.is_empty() && more.is_empty(), "{table}: {} lost, {} more", lost.len(), more.len());
        let twice = rows.iter().filter(|(row, n)| found[table][*row] != **n).count();
        assert_eq!(twice, 0, "{table}: rows that are there more often, or less");
    }
}

/// What may be torn when the power fails: files that no state names. Each is cut or altered.
pub fn tear(store: &Path, dice: &mut Dice) -> usize {
    let opened = open(store);
    // Somebody may still read an older state.
    let mut named = BTreeSet::new();
    for manifest in files(&store.join("manifest")) {
        let state: serde_json::Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
        named.extend(
            state["parts"].as_array().unwrap().iter().map(|p| store.join(p["file"].as_str().unwrap())),
        );
    }
    let mut assets: BTreeSet<String> =
        opened.scan::<AssetRow>().flat_map(Result::unwrap).map(|r| r.asset).collect();
    assets.extend(opened.scan::<QuarantineRow>().flat_map(Result::unwrap).filter_map(|r| r.asset));
    let mut torn = 0;
    for table in ["tmp", "events", "entries", "identities", "assets", "sources", "quarantine", "statements"] {
        for file in files(&store.join(table)) {
            let asset =
                file.strip_prefix(store.join("assets")).ok().map(|f| f.to_string_lossy().replace('/', ""));
            if named.contains(&file) || asset.is_some_and(|a| assets.contains(&a)) {
                continue;
            }
            if fs::metadata(&file).unwrap().nlink() > 1 {
                continue; // a manifest or a key that has its name already, and was made durable before
            }
            let mut bytes = fs::read(&file).unwrap();
            match dice.below(3) {
                0 => bytes.truncate(dice.below(bytes.len() as u64 + 1) as usize),
                1 => bytes.clear(),
                _ => {
                    if let Some(byte) = bytes.first_mut() {
                        *byte ^= 0x55;
                    }
                }
            }
            fs::write(&file, bytes).unwrap();
            torn += 1;
        }
    }
    torn
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// SplitMix64, so that a test that failed fails again in the same way.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }
}

/// How many kills a test shall make.
pub fn kills() -> u64 {
    std::env::var("CHIASM_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(10)
}
