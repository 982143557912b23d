//! A store as its users meet it: commits that show whole, content that comes twice, queries, other places.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_record::{Code, Event, Modality, Moment, Times};
use chiasm_store::{
    AssetRow, Commit, Committed, EntryRow, Error, EventRow, IdentityRow, LinkRow, Place, QuarantineRow,
    Reclaimed, RecordId, Store, Table, Taken, plan, plan_from_bytes, plan_to_bytes,
};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use std::sync::Arc;

const HOUR: i64 = 3_600_000_000;

fn places() -> (tempfile::TempDir, [Place; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let remote = Arc::new(object_store::memory::InMemory::new());
    let places = [Place::Folder(folder.path().join("store")), Place::Remote(remote)];
    (folder, places)
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn taken(name: &str, record: RecordId, events: i64) -> Taken {
    let event = |i: i64| {
        let mut event = Event::new(
            Times::happened(Moment::instant(i * HOUR)),
            Code::new("LOINC", "718-7"),
            Modality::new("labs"),
        );
        event.value = Some(i as f64);
        EventRow { record: Some(record), event, source: "lab".into(), origin: name.into() }
    };
    Taken {
        entry: EntryRow { key: hash(name), source: "lab".into(), origin: name.into(), events },
        events: (0..events).map(event).collect(),
        rows: Vec::new(),
        identities: vec![IdentityRow {
            record_id: record,
            source: "lab".into(),
            hash: hash(&format!("{record:?}")),
            told: None,
            facts: None,
            identity: "{}".into(),
        }],
        assets: Vec::new(),
        statements: Vec::new(),
    }
}

fn quarantined(name: &str, asset: Option<String>) -> QuarantineRow {
    QuarantineRow {
        id: hash(name),
        source: "lab".into(),
        origin: "a".into(),
        place: String::new(),
        offset: None,
        format: "HL7".into(),
        rule: "hl7.msh".into(),
        message: "expected MSH".into(),
        asset,
        state: "open".into(),
    }
}

fn commit(taken: Vec<Taken>) -> Commit {
    Commit { taken, ..Commit::default() }
}

#[test]
fn what_is_committed_is_there_once() {
    let (_folder, places) = places();
    for place in places {
        let mut store = Store::create(place.clone(), [1; 32]).unwrap();
        let (ann, bob) = (store.record("lab", "1"), store.record("lab", "2"));
        assert_ne!(ann, bob);
        let first = commit(vec![taken("a", ann, 3), taken("b", bob, 2), taken("a", ann, 3)]);
        let done = store.commit(&first).unwrap();
        assert_eq!(done, Committed { entries: 2, events: 5, repeated: 1 });
        // Again, by another process that has seen nothing.
        let mut other = Store::open(place.clone()).unwrap();
        assert_eq!(other.record("lab", "1"), ann);
        assert_eq!(other.commit(&first).unwrap(), Committed { entries: 0, events: 0, repeated: 3 });
        assert_eq!(other.manifest().commit, 1, "nothing new is no commit");
        let times: Vec<i64> =
            other.events(&[ann]).unwrap().iter().map(|r| r.event.times.happened.unwrap().start()).collect();
        assert_eq!(times, [0, HOUR, 2 * HOUR]);
        assert_eq!(other.events(&[bob]).unwrap().len(), 2);
        assert_eq!(other.scan::<IdentityRow>().map(|r| r.unwrap().len()).sum::<usize>(), 2);
    }
}

#[test]
fn a_reader_sees_the_state_that_it_opened() {
    let (_folder, places) = places();
    for place in places {
        let mut writer = Store::create(place.clone(), [1; 32]).unwrap();
        let ann = writer.record("lab", "1");
        writer.commit(&commit(vec![taken("a", ann, 3)])).unwrap();
        let mut reader = Store::open(place).unwrap();
        for i in 0..20 {
            writer.commit(&commit(vec![taken(&format!("b{i}"), ann, 1)])).unwrap();
        }
        assert!(writer.compact().unwrap() > 0);
        assert_eq!(reader.events(&[ann]).unwrap().len(), 3);
        reader.refresh().unwrap();
        assert_eq!(reader.events(&[ann]).unwrap().len(), 23);
        assert_eq!(reader.manifest().of(Table::Events).count(), 1);
        // Merging loses no key: the same content is still the same.
        assert_eq!(reader.commit(&commit(vec![taken("b7", ann, 1)])).unwrap().repeated, 1);
        assert_eq!(writer.commit(&commit(vec![taken("b7", ann, 1)])).unwrap().repeated, 1);
    }
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    Store::create(place.clone(), [1; 32]).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let place = place.clone();
            scope.spawn(move || {
                let mut store = Store::open(place).unwrap();
                let ann = store.record("lab", "1");
                for i in 0..10 {
                    // Half of what one writes another writes too.
                    let name = if i % 2 == 0 { format!("shared {i}") } else { format!("{writer} {i}") };
                    store.commit(&commit(vec![taken(&name, ann, 2)])).unwrap();
                }
            });
        }
    });
    let store = Store::open(place).unwrap();
    let ann = store.record("lab", "1");
    assert_eq!(store.events(&[ann]).unwrap().len(), 2 * (5 + 4 * 5));
    assert_eq!(store.manifest().rows(Table::Entries), 25);
}

/// Keys in merged parts are known to whoever merged them, whatever it had read before.
#[test]
fn who_merges_parts_knows_what_is_in_them() {
    let (_folder, places) = places();
    for place in places {
        let mut writer = Store::create(place.clone(), [1; 32]).unwrap();
        let ann = writer.record("lab", "1");
        let mut stale = Store::open(place.clone()).unwrap();
        assert!(!stale.has_entry(blake3::hash(b"b0").as_bytes()).unwrap());
        for i in 0..10 {
            writer.commit(&commit(vec![taken(&format!("b{i}"), ann, 1)])).unwrap();
        }
        // One that has read nothing yet, and one that has read an older state and is not told of the newer.
        let mut fresh = Store::open(place.clone()).unwrap();
        assert!(fresh.compact().unwrap() > 0);
        assert!(fresh.has_entry(blake3::hash(b"b0").as_bytes()).unwrap());
        for i in 10..20 {
            writer.commit(&commit(vec![taken(&format!("b{i}"), ann, 1)])).unwrap();
        }
        stale.refresh().unwrap();
        writer.commit(&commit(vec![taken("last", ann, 1)])).unwrap();
        assert!(stale.compact().unwrap() > 0);
        for name in ["b0", "b9", "b15", "last"] {
            assert!(stale.has_entry(blake3::hash(name.as_bytes()).as_bytes()).unwrap(), "{name}");
            assert_eq!(stale.commit(&commit(vec![taken(name, ann, 1)])).unwrap().repeated, 1, "{name}");
        }
        assert_eq!(Store::open(place).unwrap().events(&[ann]).unwrap().len(), 21);
    }
}

#[test]
fn merging_beside_writers_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    Store::create(place.clone(), [1; 32]).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let place = place.clone();
            scope.spawn(move || {
                let mut store = Store::open(place.clone()).unwrap();
                let ann = store.record("lab", "1");
                for i in 0..12 {
                    store.commit(&commit(vec![taken(&format!("{} {i}", writer % 2), ann, 2)])).unwrap();
                    if i % 3 == writer {
                        store.compact().unwrap();
                        Store::reclaim(&place).unwrap();
                    }
                }
            });
        }
    });
    assert!(Store::reclaim(&place).unwrap().parts > 0);
    let store = Store::open(place).unwrap();
    let ann = store.record("lab", "1");
    assert_eq!((store.events(&[ann]).unwrap().len(), store.manifest().rows(Table::Entries)), (48, 24));
}

#[test]
fn what_belongs_to_no_state_is_removed_when_nobody_looks() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    assert_eq!(Store::reclaim(&place).unwrap(), Reclaimed::default(), "there is no store");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let mut store = Store::create(place.clone(), [1; 32]).unwrap();
    let ann = store.record("lab", "1");
    let (kept, refused) = (store.put_asset(b"kept").unwrap(), store.put_asset(b"refused").unwrap());
    let orphan = store.put_asset(b"of an entry that was never committed").unwrap();
    for i in 0..20 {
        let mut entry = taken(&format!("b{i}"), ann, 1);
        let row = AssetRow { asset: kept.to_string(), media_type: "text/plain".into(), bytes: 4 };
        entry.assets.push(row);
        let quarantine = vec![quarantined(&i.to_string(), Some(refused.to_string()))];
        store.commit(&Commit { taken: vec![entry], quarantine, ..Commit::default() }).unwrap();
    }
    store.compact().unwrap();
    place.create("events/bucket=000/0123.parquet", b"half").unwrap();
    place.create("assets/notes.txt", b"somebody's own").unwrap();
    std::fs::create_dir(folder.path().join("tmp/unpacked-1")).unwrap();
    std::fs::write(folder.path().join("tmp/unpacked-1/member"), b"half").unwrap();
    assert_eq!(Store::reclaim(&place).unwrap(), Reclaimed::default(), "a store is open");
    drop(store);
    let done = Store::reclaim(&place).unwrap();
    assert!(done.parts > 40 && (done.assets, done.unfinished) == (1, 1), "{done:?}");
    assert_eq!(Store::reclaim(&place).unwrap(), Reclaimed::default());
    let store = Store::open(place.clone()).unwrap();
    assert_eq!(store.events(&[ann]).unwrap().len(), 20);
    assert_eq!(
        (&store.asset(&kept).unwrap()[..], &store.asset(&refused).unwrap()[..]),
        (&b"kept"[..], &b"refused"[..])
    );
    assert!(store.asset(&orphan).is_err());
    assert_eq!(
        store.manifest().parts.len(),
        place.list("").unwrap().iter().filter(|n| n.ends_with(".parquet")).count()
    );
    assert!(place.has("assets/notes.txt").unwrap(), "what we have not written is not ours to remove");
}

/// What a power failure may leave under the name of a part or an asset is no reason to lose it again.
#[test]
fn a_torn_file_under_the_right_name_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| Place::Folder(folder.path().join(name));
    let mut good = Store::create(place("good"), [1; 32]).unwrap();
    let ann = good.record("lab", "1");
    let id = good.put_asset(b"pixels").unwrap();
    good.commit(&commit(vec![taken("a", ann, 3)])).unwrap();
    for torn in [&b""[..], b"PAR1"] {
        let mut store = Store::create(place("torn"), [1; 32]).unwrap();
        for part in &good.manifest().parts {
            place("torn").create(&part.file, torn).unwrap();
        }
        place("torn").create(&chiasm_store::asset_name(&id), torn).unwrap();
        store.put_asset(b"pixels").unwrap();
        assert_eq!(&store.asset(&id).unwrap()[..], b"pixels");
        std::fs::write(folder.path().join("torn").join(chiasm_store::asset_name(&id)), torn).unwrap();
        std::fs::write(folder.path().join("film"), b"pixels").unwrap();
        drop(store);
        let mut store = Store::open(place("torn")).unwrap();
        store.put_asset_file(&folder.path().join("film"), &id).unwrap();
        assert_eq!(&store.asset(&id).unwrap()[..], b"pixels");
        assert_eq!(store.commit(&commit(vec![taken("a", ann, 3)])).unwrap().entries, 1);
        assert_eq!(Store::open(place("torn")).unwrap().events(&[ann]).unwrap().len(), 3);
        std::fs::remove_dir_all(folder.path().join("torn")).unwrap();
    }
}

#[test]
fn files_of_no_manifest_are_no_part_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    let mut store = Store::create(place.clone(), [1; 32]).unwrap();
    let ann = store.record("lab", "1");
    store.commit(&commit(vec![taken("a", ann, 3)])).unwrap();
    // What a killed program leaves: a part that no manifest names, and half a file.
    place.create("events/bucket=000/0123.parquet", b"half").unwrap();
    std::fs::write(folder.path().join("tmp/123-0"), b"half").unwrap();
    let mut store = Store::open(place).unwrap();
    assert_eq!(store.events(&[ann]).unwrap().len(), 3);
    assert_eq!(store.commit(&commit(vec![taken("b", ann, 1)])).unwrap().entries, 1);
}

#[test]
fn a_folder_that_cannot_be_written_gives_an_error_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    let mut store = Store::create(place.clone(), [1; 32]).unwrap();
    let ann = store.record("lab", "1");
    store.commit(&commit(vec![taken("a", ann, 3)])).unwrap();
    // A file where the folder of temporary files should be: as good as a full disk.
    std::fs::remove_dir_all(folder.path().join("tmp")).unwrap();
    std::fs::write(folder.path().join("tmp"), b"").unwrap();
    assert!(matches!(store.commit(&commit(vec![taken("b", ann, 1)])), Err(Error::Io { .. })));
    std::fs::remove_file(folder.path().join("tmp")).unwrap();
    assert_eq!(Store::open(place).unwrap().events(&[ann]).unwrap().len(), 3);
    assert_eq!(store.commit(&commit(vec![taken("b", ann, 1)])).unwrap().entries, 1);
}

#[test]
fn assets_are_named_by_their_content() {
    let (folder, places) = places();
    let file = folder.path().join("film.dcm");
    std::fs::write(&file, b"pixels").unwrap();
    for place in places {
        let mut store = Store::create(place, [1; 32]).unwrap();
        let id = store.put_asset(b"pixels").unwrap();
        assert_eq!(store.put_asset_file(&file, &id).unwrap(), 6);
        assert_eq!(&store.asset(&id).unwrap()[..], b"pixels");
        let other = chiasm_record::AssetId::new([3; 32]);
        assert!(matches!(store.put_asset_file(&file, &other), Err(Error::AssetChanged)));
        let ann = store.record("pacs", "1");
        let row = AssetRow { asset: id.to_string(), media_type: "application/dicom".into(), bytes: 6 };
        for name in ["a", "b"] {
            let mut entry = taken(name, ann, 1);
            entry.assets.push(row.clone());
            store.commit(&commit(vec![entry])).unwrap();
        }
        assert_eq!(store.manifest().rows(Table::Assets), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_see_patients_and_nobody_s_name() {
    let (_folder, places) = places();
    for place in places {
        let mut store = Store::create(place, [1; 32]).unwrap();
        // An empty store can be asked too.
        let sql = "SELECT subject_id, count(*) AS n, max(numeric_value) FROM events GROUP BY 1 ORDER BY n";
        assert_eq!(store.query(sql).await.unwrap().iter().map(|b| b.num_rows()).sum::<usize>(), 0);
        let [ann, bob, cid] = ["1", "2", "3"].map(|id| store.record("lab", id));
        let all = vec![taken("a", ann, 3), taken("b", bob, 2), taken("c", cid, 4)];
        let links = [ann, bob].map(|record_id| LinkRow { record_id, subject_id: ann.0 }).to_vec();
        store.commit(&Commit { taken: all, links: Some((links, Vec::new())), ..Commit::default() }).unwrap();
        let answer = store.query(sql).await.unwrap();
        let numbers = |column: usize| -> Vec<i64> {
            let cells = answer.iter().map(|b| b.column(column).as_primitive::<Int64Type>().values().to_vec());
            cells.flatten().collect()
        };
        assert_eq!((numbers(0), numbers(1)), (vec![cid.0, ann.0], vec![4, 5]));
        // Linking anew replaces all links; unlinking is linking without.
        store.commit(&Commit { links: Some((Vec::new(), Vec::new())), ..Commit::default() }).unwrap();
        let answer = store.query("SELECT count(DISTINCT subject_id) FROM events").await.unwrap();
        assert_eq!(answer[0].column(0).as_primitive::<Int64Type>().value(0), 3);
        for sql in [
            "SELECT * FROM identities",
            "SELECT * FROM statements",
            "CREATE TABLE x AS SELECT 1",
            "INSERT INTO entries VALUES ('a', 'b', 'c', 1)",
            "COPY events TO '/tmp/stolen.parquet'",
            "SET datafusion.execution.batch_size = 1",
            "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
            "SELECT * FROM '/etc/passwd'",
            "EXPLAIN ANALYZE COPY events TO '/tmp/stolen.parquet'",
            "CREATE VIEW x AS SELECT 1",
            "DROP VIEW events",
            "DELETE FROM events",
            "UPDATE entries SET source = 'a'",
            "PREPARE x AS SELECT 1",
            "SELECT * FROM read_parquet('/etc/passwd')",
            "SELECT 1; DROP VIEW events",
            "SELEC 1",
        ] {
            assert!(matches!(store.query(sql).await, Err(Error::Query(_))), "{sql}");
        }
    }
}

/// A cohort's question is a plan that another engine can take: written to bytes, read again by a session that
/// has the same tables, it gives the same answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_cohort_query_survives_serialisation() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(Place::Folder(folder.path().to_owned()), [1; 32]).unwrap();
    let [ann, bob] = ["1", "2"].map(|id| store.record("lab", id));
    let links = vec![LinkRow { record_id: bob, subject_id: ann.0 }];
    let all = vec![taken("a", ann, 30), taken("b", bob, 20)];
    store.commit(&Commit { taken: all, links: Some((links, Vec::new())), ..Commit::default() }).unwrap();
    let sql = "SELECT subject_id, code, avg(numeric_value) AS mean, count(*) AS n FROM events \
               WHERE known_time <= TIMESTAMP '1970-01-01T10:00:00' AND code LIKE 'LOINC|%' \
               GROUP BY subject_id, code HAVING count(*) > 1 ORDER BY subject_id";
    let context = store.session().await.unwrap();
    let asked = plan(&context, sql).await.unwrap();
    let bytes = plan_to_bytes(&asked).unwrap();
    let elsewhere = store.session().await.unwrap();
    let answer = plan_from_bytes(&elsewhere, &bytes).await.unwrap().collect().await.unwrap();
    let expected = asked.collect().await.unwrap();
    // The question of what was known at a time is one, too.
    let sql = "SELECT subject_id, numeric_value FROM (SELECT e.*, row_number() OVER (PARTITION BY e.code, e.time \
               ORDER BY e.known_time DESC NULLS LAST) AS report FROM events e WHERE e.known_time IS NULL \
               OR e.known_time <= TIMESTAMP '1970-01-01T10:00:00') WHERE report = 1 ORDER BY time";
    let known = plan(&context, sql).await.unwrap();
    let bytes = plan_to_bytes(&known).unwrap();
    let there = plan_from_bytes(&elsewhere, &bytes).await.unwrap().collect().await.unwrap();
    assert_eq!(there, known.collect().await.unwrap());
    assert_eq!(there.iter().map(|b| b.num_rows()).sum::<usize>(), 11);
    assert_eq!(answer, expected);
    assert_eq!(answer[0].column_by_name("n").unwrap().as_primitive::<Int64Type>().value(0), 22);
}

#[test]
fn other_programs_and_damage_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    assert!(matches!(Store::open(place.clone()), Err(Error::NoStore { .. })));
    let mut store = Store::create(place.clone(), [1; 32]).unwrap();
    let ann = store.record("lab", "1");
    let row = quarantined("q", None);
    let commit = Commit { taken: vec![taken("a", ann, 1)], quarantine: vec![row], ..Commit::default() };
    store.commit(&commit).unwrap();
    let part = store.manifest().of(Table::Events).next().unwrap().file.clone();
    std::fs::write(folder.path().join(part), b"PAR1 not PAR1").unwrap();
    assert!(matches!(store.events(&[ann]), Err(Error::Damaged { .. })));
    std::fs::write(folder.path().join("key"), b"short").unwrap();
    assert!(matches!(Store::open(place), Err(Error::Damaged { .. })));
}

/// Many parts of a bucket, each sorted, become one that is sorted too; rows of no time and of nobody come first.
#[test]
fn merging_keeps_the_order() {
    let (_folder, places) = places();
    for place in places {
        let mut store = Store::create(place, [1; 32]).unwrap();
        let records: Vec<RecordId> = (0..40).map(|i| store.record("lab", &i.to_string())).collect();
        let mut expected = 0;
        for i in 0..30i64 {
            let mut all = Vec::new();
            for (r, record) in records.iter().enumerate() {
                let mut entry = taken(&format!("{i} {r}"), *record, 1 + (i + r as i64) % 5);
                if r % 7 == 0 {
                    entry.events.iter_mut().for_each(|row| row.record = None);
                }
                if r % 5 == 0 {
                    entry.events.iter_mut().for_each(|row| row.event.times = Times::default());
                }
                expected += entry.events.len();
                all.push(entry);
            }
            store.commit(&commit(all)).unwrap();
        }
        let before: Vec<_> = records.iter().map(|r| store.events(&[*r]).unwrap()).collect();
        assert!(store.compact().unwrap() > 0);
        let after: Vec<_> = records.iter().map(|r| store.events(&[*r]).unwrap()).collect();
        assert_eq!(before, after);
        let mut rows = 0;
        for part in store.scan::<EventRow>() {
            let part = part.unwrap();
            rows += part.len();
            let keys = part.iter().map(|r| {
                (r.record, r.event.times.happened.map(Moment::start), r.event.code.as_str().to_owned())
            });
            assert!(keys.is_sorted());
        }
        assert_eq!(rows, expected);
        assert!(store.manifest().of(Table::Events).count() <= 16);
    }
}

/// Assets come from any thread; the next commit makes them durable.
#[test]
fn assets_are_put_from_any_thread() {
    let (folder, places) = places();
    let film = folder.path().join("film.dcm");
    std::fs::write(&film, b"pixels").unwrap();
    for place in places {
        let mut store = Store::create(place.clone(), [1; 32]).unwrap();
        let desk = store.desk().unwrap();
        let id = chiasm_record::AssetId::new(*blake3::hash(b"pixels").as_bytes());
        let other = chiasm_record::AssetId::new([3; 32]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for i in 0..20u8 {
                        desk.put(&[i; 9]).unwrap();
                    }
                    assert_eq!(desk.put_file(&film, &id).unwrap(), 6);
                    assert!(matches!(desk.put_file(&film, &other), Err(Error::AssetChanged)));
                });
            }
        });
        let ann = store.record("pacs", "1");
        store.commit(&commit(vec![taken("a", ann, 1)])).unwrap();
        for i in 0..20u8 {
            let id = chiasm_record::AssetId::new(*blake3::hash(&[i; 9]).as_bytes());
            assert_eq!(&store.asset(&id).unwrap()[..], [i; 9]);
        }
        assert_eq!(&store.asset(&id).unwrap()[..], b"pixels");
        if let Place::Folder(root) = &place {
            assert_eq!(std::fs::read_dir(root.join("tmp")).unwrap().count(), 0);
        }
    }
}

#[test]
fn links_are_refused_where_more_was_said_since_they_were_worked_out() {
    let (_folder, places) = places();
    for place in places {
        let mut store = Store::create(place.clone(), [1; 32]).unwrap();
        let (ann, bob) = (store.record("lab", "1"), store.record("lab", "2"));
        store.commit(&commit(vec![taken("a", ann, 1)])).unwrap();
        let links = |said| Commit {
            links: Some((vec![LinkRow { record_id: ann, subject_id: ann.0 }], vec![])),
            said: Some(said),
            ..Commit::default()
        };
        let said = store.said();
        // Somebody decides while the links are worked out.
        let mut other = Store::open(place.clone()).unwrap();
        other.commit(&Commit { decisions: vec!["{}".into()], ..Commit::default() }).unwrap();
        assert!(matches!(store.commit(&links(said)), Err(Error::Outdated)));
        assert_eq!(store.manifest().rows(Table::Links), 0);
        // Who arrives is no reason: they wait for the next time.
        let said = store.said();
        other.commit(&commit(vec![taken("b", bob, 2)])).unwrap();
        store.commit(&links(said)).unwrap();
        assert_eq!(store.manifest().rows(Table::Links), 1);
    }
}

#[test]
fn a_row_is_taken_once_whoever_brings_it() {
    let (_folder, places) = places();
    for place in places {
        let mut store = Store::create(place.clone(), [1; 32]).unwrap();
        let mut other = Store::open(place).unwrap();
        let ann = store.record("lab", "1");
        let block = |name: &str, rows: [u8; 3]| {
            let mut block = taken(name, ann, 3);
            block.rows = rows.map(|row| ([row; 16], 1)).to_vec();
            commit(vec![block])
        };
        let events = |done: Committed| (done.entries, done.events, done.repeated);
        assert_eq!(events(store.commit(&block("a", [1, 2, 3])).unwrap()), (1, 3, 0));
        // The other has not seen that, and learns of it when it commits.
        assert_eq!(events(other.commit(&block("b", [2, 3, 4])).unwrap()), (1, 1, 0));
        assert_eq!(events(store.commit(&block("c", [4, 1, 2])).unwrap()), (0, 0, 1));
        let found = store.events(&[ann]).unwrap();
        assert_eq!((found.len(), store.manifest().rows(Table::Rows)), (4, 4));
        // Of the second block the third row's event, which happened at its third hour.
        let last =
            found.iter().filter(|row| row.origin == "b").map(|row| row.event.value).collect::<Vec<_>>();
        assert_eq!(last, [Some(2.0)]);
    }
}
