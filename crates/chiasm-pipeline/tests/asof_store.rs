//! Through the store: whatever the order, the batches, the repeats and the late corrections in which events came,
//! the examples of an index time are those of what was known then; by `Store::events` and by SQL alike.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use chiasm_cohort::Examples;
use chiasm_cohort::asof::{AsOf, EventFeature, Statistic, block};
use chiasm_record::{Code, Content, Event, Modality, Moment, Precision, SubjectId, Task, TaskKind, Times};
use chiasm_store::{Commit, EntryRow, EventRow, LinkRow, Place, RecordId, Store, Taken};
use std::collections::BTreeMap;
use std::sync::Arc;

const HOUR: i64 = 3_600_000_000;
const PATIENTS: usize = 6;
/// The documented question, word for word.
const DOCS: &str = include_str!("../../../docs/store.md");

/// Numbers that a seed decides.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        (1..items.len()).rev().for_each(|i| items.swap(i, self.below(i + 1)));
    }
}

fn event(draw: &mut Draw) -> Event {
    let hour = draw.below(48) as i64;
    let happened = match draw.below(4) {
        0 => Moment::new(hour / 24 * 24 * HOUR, (hour / 24 + 1) * 24 * HOUR - 1, Precision::Day, Some(0)),
        _ => Moment::instant(hour * HOUR),
    };
    let late = |draw: &mut Draw| Moment::instant((hour + draw.below(30) as i64) * HOUR);
    let known = (draw.below(3) > 0).then(|| late(draw));
    let recorded = (draw.below(2) > 0).then(|| late(draw));
    let code = ["L|a", "L|b", "V|x"][draw.below(3)];
    let mut event = Event::new(
        Times { happened: Some(happened), known, recorded },
        Code::verbatim(code),
        Modality::new("any"),
    );
    event.value = Some(draw.below(9) as f64 - 4.0);
    event.unit = Some(["mg/dL", "mmol/L"][draw.below(2)].to_owned());
    event.specimen = (draw.below(3) == 0).then(|| "s".to_owned());
    match draw.below(4) {
        0 => event.with("filler", Some("f")).with("sub_id", Some(draw.below(2).to_string())),
        1 => event.with("resource", Some(format!("Observation/{}", draw.below(3)))),
        _ => event,
    }
}

fn features() -> Vec<EventFeature> {
    use Statistic::{Count, First, HoursSince, Last, Max, Mean, Min, Slope};
    let of = |code: &str, statistic: Statistic| EventFeature {
        name: format!("{code} {statistic:?}"),
        code: code.to_owned(),
        statistic,
        unit: None,
    };
    let all = [Last, First, Mean, Min, Max, Count, Slope, HoursSince];
    ["L|a", "L|*", "V|x"].iter().flat_map(|code| all.map(|s| of(code, s))).collect()
}

fn cells(index: &[i64], events: &[Vec<Event>]) -> Vec<Vec<Option<u64>>> {
    let rows: Vec<(AsOf, &[Event])> =
        index.iter().zip(events).map(|(at, e)| (AsOf { index: *at, lookback: None }, &e[..])).collect();
    let features = features();
    let block = block(Modality::new("any"), &features, &rows);
    let names = (0..index.len()).map(|i| SubjectId::new(i.to_string())).collect();
    let task = Task { kind: TaskKind::Binary, outputs: vec!["dead".to_owned()] };
    let examples = Examples::new(task, names, vec![block], None, Vec::new()).unwrap();
    let Content::Table(grid) = &examples.blocks()[0].content else { panic!("a table") };
    (0..grid.rows())
        .map(|r| (0..features.len()).map(|f| grid.get(r, f).map(f64::to_bits)).collect())
        .collect()
}

fn entry(name: String, record: RecordId, event: Event) -> Taken {
    let key = blake3::hash(name.as_bytes()).to_hex().to_string();
    let row = EventRow { record: Some(record), event, source: "s".into(), origin: name.clone() };
    Taken {
        entry: EntryRow { key, source: "s".into(), origin: name, events: 1 },
        events: vec![row],
        rows: Vec::new(),
        identities: Vec::new(),
        assets: Vec::new(),
        statements: Vec::new(),
    }
}

/// The documented question for these patients, its rows as events by patient.
async fn asked(store: &Store, subjects: &[i64], index: &[i64]) -> BTreeMap<i64, Vec<Event>> {
    let from = DOCS.find("    WITH asked").unwrap();
    let text = &DOCS[from..from + DOCS[from..].find("WHERE report = 1").unwrap()];
    let times: Vec<String> = subjects
        .iter()
        .zip(index)
        .map(|(s, at)| {
            let hour = at / HOUR;
            format!("({s}, TIMESTAMP '1970-01-{:02}T{:02}:00:00')", 1 + hour / 24, hour % 24)
        })
        .collect();
    let sql = text.replace("(1, TIMESTAMP '2024-03-05T12:00:00')", &times.join(", ")) + "WHERE report = 1";
    assert!(sql.contains(&times[0]));
    let mut found: BTreeMap<i64, Vec<Event>> = BTreeMap::new();
    for batch in store.query(&sql).await.unwrap() {
        for row in 0..batch.num_rows() {
            let subject = column(&batch, "subject_id").as_primitive::<Int64Type>().value(row);
            found.entry(subject).or_default().push(of_row(&batch, row));
        }
    }
    found
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a dyn Array {
    batch.column_by_name(name).unwrap().as_ref()
}

fn of_row(batch: &RecordBatch, row: usize) -> Event {
    let time = |name: &str| {
        let cells = column(batch, name).as_primitive::<TimestampMicrosecondType>();
        cells.is_valid(row).then(|| cells.value(row))
    };
    let text = |name: &str| {
        let cells = arrow::compute::cast(column(batch, name), &arrow::datatypes::DataType::Utf8).unwrap();
        let cells = cells.as_string::<i32>();
        cells.is_valid(row).then(|| cells.value(row).to_owned())
    };
    let happened = time("time").map(|t| Moment::new(t, time("time_end").unwrap(), Precision::Second, None));
    let times = Times { happened, known: time("known_time").map(Moment::instant), recorded: None };
    let mut event = Event::new(times, Code::verbatim(text("code").unwrap()), Modality::new("any"));
    let value = column(batch, "numeric_value").as_primitive::<Float64Type>();
    event.value = value.is_valid(row).then(|| value.value(row));
    (event.unit, event.specimen) = (text("unit"), text("specimen"));
    event.with("resource", text("result_id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_of_a_store_know_nothing_of_the_future() {
    for seed in 0..30 {
        let mut draw = Draw(seed * 77 + 1);
        let place = Place::Remote(Arc::new(object_store::memory::InMemory::new()));
        let mut store = Store::create(place, [seed as u8; 32]).unwrap();
        // A patient has one or two records.
        let records: Vec<Vec<RecordId>> = (0..PATIENTS)
            .map(|p| (0..1 + draw.below(2)).map(|r| store.record("s", &format!("{p}-{r}"))).collect())
            .collect();
        let subjects: Vec<i64> = records.iter().map(|r| r.iter().map(|r| r.0).min().unwrap()).collect();
        let index: Vec<i64> = (0..PATIENTS).map(|_| draw.below(72) as i64 * HOUR).collect();
        let (mut known, mut entries) = (vec![Vec::new(); PATIENTS], Vec::new());
        for n in 0..300 {
            let patient = draw.below(PATIENTS);
            let record = records[patient][draw.below(records[patient].len())];
            let event = event(&mut draw);
            let asof = AsOf { index: index[patient], lookback: None };
            if asof.sees(&event) {
                known[patient].push(event.clone());
            }
            // Sometimes corrected after everything was asked, sometimes sent twice, sometimes under another name.
            if draw.below(4) == 0 {
                let mut corrected = event.clone();
                corrected.times.known = Some(Moment::instant(index[patient] + HOUR));
                corrected.value = Some(99.0);
                entries.push(entry(format!("{n} corrected"), record, corrected));
            }
            for name in ["", "", " again"].iter().take(1 + draw.below(3)) {
                entries.push(entry(format!("{n}{name}"), record, event.clone()));
            }
        }
        draw.shuffle(&mut entries);
        while !entries.is_empty() {
            let taken = entries.split_off(entries.len().saturating_sub(1 + draw.below(60)));
            store.commit(&Commit { taken, ..Commit::default() }).unwrap();
            if draw.below(3) == 0 {
                store.compact().unwrap();
            }
        }
        let link = |(records, subject): (&Vec<RecordId>, &i64)| {
            records.iter().map(|r| LinkRow { record_id: *r, subject_id: *subject }).collect::<Vec<_>>()
        };
        let links = records.iter().zip(&subjects).flat_map(link).collect();
        store.commit(&Commit { links: Some((links, Vec::new())), ..Commit::default() }).unwrap();

        let expected = cells(&index, &known);
        let stored: Vec<Vec<Event>> = records
            .iter()
            .map(|r| store.events(r).unwrap().into_iter().map(|row| row.event).collect())
            .collect();
        assert_eq!(cells(&index, &stored), expected, "events of the store, seed {seed}");
        let mut by_sql = asked(&store, &subjects, &index).await;
        let by_sql: Vec<Vec<Event>> = subjects.iter().map(|s| by_sql.remove(s).unwrap_or_default()).collect();
        assert_eq!(cells(&index, &by_sql), expected, "SQL, seed {seed}");
        assert!(expected.iter().flatten().any(Option::is_some));
    }
}
