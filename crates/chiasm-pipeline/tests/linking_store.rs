//! Linking a store while others write to it, and records whose number was given out again.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use chiasm_linkage::{BirthDate, Identifier, IdentifierKind, Identity, PersonName, Sex};
use chiasm_pipeline::evidence::linking::{Word, decide, link_store, review};
use chiasm_pipeline::{Progress, Silent, evidence::store};
use chiasm_store::{Commit, EntryRow, IdentityRow, LinkRow, RecordId, Store, Taken};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn number(authority: &str, value: String) -> Identifier {
    Identifier { authority: authority.into(), value, kind: IdentifierKind::MedicalRecord }
}

/// Person `n` as one hospital has them.
fn person(n: u32, hospital: &str) -> Identity {
    let given = ["Ada", "Grace", "Emmy", "Rosa", "Lise", "Peter", "James", "Robert"][n as usize % 8];
    let family = ["Byron", "Hopper", "Noether", "Franklin", "Meitner", "Klein", "Weber"][n as usize / 8 % 7];
    let birth = BirthDate {
        year: 1930 + (n * 7 % 60) as i16,
        month: Some(1 + (n % 12) as u8),
        day: Some(1 + (n * 5 % 28) as u8),
    };
    Identity {
        identifiers: vec![
            number(hospital, format!("{hospital}{n:04}")),
            Identifier {
                kind: IdentifierKind::National,
                ..number("state", format!("{:09}", 104_729 * (n + 1)))
            },
        ],
        names: vec![PersonName { given: vec![given.into()], family: Some(family.into()), suffix: None }],
        birth: Some(birth),
        sex: Some(if n % 8 < 5 { Sex::Female } else { Sex::Male }),
        ..Identity::default()
    }
}

/// Puts descriptions into a store; gives the numbers of their records.
fn put(store: &mut Store, name: &str, all: &[Identity]) -> Vec<RecordId> {
    let row = |identity: &Identity| {
        let key = identity.key().unwrap();
        let json = serde_json::to_string(identity).unwrap();
        let record_id = store.record(&key.authority, &key.value);
        IdentityRow {
            record_id,
            source: "site".into(),
            hash: hash(&json),
            told: None,
            facts: None,
            identity: json,
        }
    };
    let identities: Vec<IdentityRow> = all.iter().map(row).collect();
    let records = identities.iter().map(|row| row.record_id).collect();
    let entry = EntryRow { key: hash(name), source: "site".into(), origin: name.into(), events: 0 };
    let taken = Taken { entry, events: vec![], rows: vec![], identities, assets: vec![], statements: vec![] };
    store.commit(&Commit { taken: vec![taken], ..Commit::default() }).unwrap();
    records
}

fn subjects(store: &Store) -> BTreeMap<RecordId, i64> {
    store.scan::<LinkRow>().flat_map(Result::unwrap).map(|row| (row.record_id, row.subject_id)).collect()
}

/// Forty people whom two hospitals know.
fn hospitals(folder: &Path) -> (Store, Vec<RecordId>, Vec<RecordId>) {
    let mut store = store::create(folder, [7; 32]).unwrap();
    let of = |hospital: &str| (0..40).map(|n| person(n, hospital)).collect::<Vec<_>>();
    let (north, south) = (put(&mut store, "north", &of("north")), put(&mut store, "south", &of("south")));
    (store, north, south)
}

/// Does something in the middle of the work, the first time or each time.
struct Meanwhile<F: Fn(usize) + Sync> {
    begun: AtomicUsize,
    act: F,
}

impl<F: Fn(usize) + Sync> Progress for Meanwhile<F> {
    fn begin(&self, _what: &str, _parts: usize) {
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    fn advance(&self) {
        (self.act)(self.begun.load(Ordering::SeqCst));
    }

    fn say(&self, _message: &str) {}
}

#[test]
fn what_is_decided_while_records_are_linked_is_in_force_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store");
    let (mut store, north, south) = hospitals(&place);
    link_store(&mut store, &Silent).unwrap();
    assert_eq!(subjects(&store)[&north[3]], subjects(&store)[&south[3]]);
    let (one, other) = (north[3].0, south[3].0);
    let once = AtomicUsize::new(0);
    let deciding = Meanwhile {
        begun: AtomicUsize::new(0),
        act: |_| {
            if once.fetch_add(1, Ordering::SeqCst) == 0 {
                decide(&mut store::open(&place).unwrap(), one, other, Word::Different, &Silent).unwrap();
            }
        },
    };
    let done = link_store(&mut store, &deciding).unwrap();
    assert_eq!((done.decisions, deciding.begun.load(Ordering::SeqCst)), (1, 2));
    let apart = |store: &Store| {
        let subjects = subjects(store);
        let of = |r: i64| subjects.get(&RecordId(r)).copied().unwrap_or(r);
        of(one) != of(other)
    };
    assert!(apart(&store) && apart(&store::open(&place).unwrap()));
}

#[test]
fn linking_gives_up_clearly_where_more_is_said_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store");
    let (mut store, north, south) = hospitals(&place);
    link_store(&mut store, &Silent).unwrap();
    let before = subjects(&store);
    let word = format!(
        r#"{{"record_l":{},"record_r":{},"decision":"different"}}"#,
        north[3].0.min(south[3].0),
        north[3].0.max(south[3].0)
    );
    let deciding = Meanwhile {
        begun: AtomicUsize::new(0),
        act: |_| {
            let decisions = vec![word.clone()];
            store::open(&place).unwrap().commit(&Commit { decisions, ..Commit::default() }).unwrap();
        },
    };
    let error = link_store(&mut store, &deciding).unwrap_err().to_string();
    assert!(error.contains("link again"), "{error}");
    assert_eq!(subjects(&store::open(&place).unwrap()), before, "the links that were there stay");
    // Who arrives meanwhile waits for the next time.
    let arriving = Meanwhile {
        begun: AtomicUsize::new(0),
        act: |time| {
            let n = 100 + time as u32;
            put(&mut store::open(&place).unwrap(), &format!("late {n}"), &[person(n, "north")]);
        },
    };
    assert_eq!(link_store(&mut store, &arriving).unwrap().records, 80);
    assert_eq!(link_store(&mut store, &Silent).unwrap().records, 81);
}

#[test]
fn a_number_that_was_given_out_again_is_reported_and_joins_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, north, south) = hospitals(&folder.path().join("store"));
    // North gives number 5 to person 22 as well, whom South knows too.
    let mut again = person(22, "north");
    again.identifiers[0].value = "north0005".into();
    assert_eq!(put(&mut store, "again", &[again]), [north[5]]);
    let done = link_store(&mut store, &Silent).unwrap();
    assert_eq!(done.reused, 1);
    let subjects = subjects(&store);
    let of = |record: RecordId| subjects.get(&record).copied().unwrap_or(record.0);
    let three = [of(north[5]), of(south[5]), of(south[22])];
    assert!(three[0] != three[1] && three[1] != three[2] && three[0] != three[2], "{three:?}");
    assert_eq!(of(north[22]), of(south[22]));
    let list = review(&store).unwrap();
    let own: Vec<_> = list.iter().filter(|row| row.record_l == row.record_r).collect();
    assert_eq!((own.len(), own[0].record_l, own[0].reason.as_str()), (1, north[5], "reused_number"));
    assert!(own[0].evidence.contains("two people") && !own[0].evidence.contains("Noether"));
    let pairs = list.iter().filter(|row| row.record_l != row.record_r && row.reason == "reused_number");
    assert!(pairs.count() >= 2);
}
