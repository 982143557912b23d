//! No feature of an Example depends on an Event that was known after its index time: shuffled, delayed, repeated,
//! corrected at will.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_cohort::Examples;
use chiasm_cohort::asof::{AsOf, EventFeature, Statistic, block};
use chiasm_record::{Code, Content, Event, Modality, Moment, Precision, SubjectId, Task, TaskKind, Times};
use proptest::prelude::*;

const HOUR: i64 = 3_600_000_000;

const STATISTICS: [Statistic; 8] = [
    Statistic::Last,
    Statistic::First,
    Statistic::Mean,
    Statistic::Min,
    Statistic::Max,
    Statistic::Count,
    Statistic::Slope,
    Statistic::HoursSince,
];

/// Two modalities; the second takes whatever begins so, in one unit.
fn features() -> [(Modality, Vec<EventFeature>); 2] {
    let feature = |code: &str, unit: Option<&str>| {
        let (code, unit) = (code.to_owned(), unit.map(str::to_owned));
        STATISTICS.map(move |statistic| EventFeature {
            name: format!("{code} {statistic:?}"),
            code: code.clone(),
            statistic,
            unit: unit.clone(),
        })
    };
    let labs = ["L|a", "L|b"].into_iter().flat_map(|c| feature(c, None)).collect();
    let vitals = feature("V|*", Some("mg/dL")).into_iter().collect();
    [(Modality::new("labs"), labs), (Modality::new("vitals"), vitals)]
}

/// Examples of subjects that have events and an index time each.
fn examples(subjects: &[(i64, Vec<Event>)]) -> Examples {
    let rows: Vec<(AsOf, &[Event])> = subjects
        .iter()
        .map(|(index, events)| (AsOf { index: *index, lookback: None }, &events[..]))
        .collect();
    let blocks = features().map(|(modality, features)| block(modality, &features, &rows)).into();
    let names = (0..subjects.len()).map(|i| SubjectId::new(format!("p{i}"))).collect();
    let task = Task { kind: TaskKind::Binary, outputs: vec!["dead".to_owned()] };
    Examples::new(task, names, blocks, None, Vec::new()).unwrap()
}

/// Everything that a learner could see of them.
fn cells(examples: &Examples) -> Vec<(usize, Vec<Option<u64>>)> {
    (0..examples.len())
        .map(|row| {
            let of = |content: &Content| match content {
                Content::Table(grid) => {
                    (0..grid.features.len()).map(|f| grid.get(row, f).map(f64::to_bits)).collect::<Vec<_>>()
                }
                Content::Bag(_) => panic!("a table"),
            };
            let all = examples.blocks().iter().flat_map(|b| of(&b.content)).collect();
            (examples.blocks().iter().filter(|b| b.present[row]).count(), all)
        })
        .collect()
}

/// An independent reading of the rule: whether an event was known at an index time.
fn was_known(event: &Event, index: i64) -> bool {
    let Times { happened, known, recorded } = event.times;
    match (known, recorded, happened) {
        (Some(known), _, happened) => known.end() <= index && happened.is_none_or(|h| h.start() <= index),
        (None, recorded, happened) => [recorded, happened].into_iter().flatten().all(|m| m.end() <= index),
    }
}

fn moment() -> impl Strategy<Value = Moment> {
    (0..60i64, prop::bool::ANY).prop_map(|(hour, date)| match date {
        // A date alone is the whole day.
        true => Moment::new(hour / 24 * 24 * HOUR, (hour / 24 + 1) * 24 * HOUR - 1, Precision::Day, None),
        false => Moment::instant(hour * HOUR),
    })
}

fn event() -> impl Strategy<Value = Event> {
    let times = (prop::option::of(moment()), prop::option::of(moment()), prop::option::of(moment()));
    let said = ("(L\\|[abc])|(V\\|[xy])", prop::option::of(-3..4i32), 0..2usize, prop::option::of(0..2u8));
    (times, said).prop_map(|((happened, known, recorded), (code, value, unit, specimen))| {
        let mut event =
            Event::new(Times { happened, known, recorded }, Code::verbatim(code), Modality::new("any"));
        event.value = value.map(f64::from);
        event.unit = Some(["mg/dL", "mmol/L"][unit].to_owned());
        event.specimen = specimen.map(|s| s.to_string());
        event
    })
}

/// What a store, a queue or a late clerk may do to the events of one subject.
fn disturbed(mut events: Vec<Event>, seed: u64) -> Vec<Event> {
    let mut state = seed | 1;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    for _ in 0..draw(6) {
        if let Some(event) = events.get(draw(events.len())).cloned() {
            events.push(event);
        }
    }
    for i in (1..events.len()).rev() {
        events.swap(i, draw(i + 1));
    }
    events
}

fn delayed(events: &[Event], by: &[i64]) -> Vec<Event> {
    let late = |(event, hours): (&Event, &i64)| {
        let mut event = event.clone();
        let known = event.times.usable_from().map_or(0, |(at, _)| at);
        if *hours > 0 {
            event.times.known = Some(Moment::instant(known + hours * HOUR));
        }
        event
    };
    events.iter().zip(by.iter().chain(std::iter::repeat(&0))).map(late).collect()
}

type Subject = (i64, Vec<Event>, Vec<i64>, u64);

fn subjects() -> impl Strategy<Value = Vec<Subject>> {
    let one = (
        (0..60i64).prop_map(|h| h * HOUR),
        prop::collection::vec(event(), 0..20),
        prop::collection::vec(0..40i64, 0..20),
        any::<u64>(),
    );
    prop::collection::vec(one, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Examples of everything that was ever said, in any order, some of it late and some of it twice, are those
    /// of what was known at each subject's index time.
    #[test]
    fn examples_know_nothing_of_the_future(subjects in subjects()) {
        let all: Vec<(i64, Vec<Event>)> = subjects
            .iter()
            .map(|(index, events, late, seed)| (*index, disturbed(delayed(events, late), *seed)))
            .collect();
        let known: Vec<(i64, Vec<Event>)> = subjects
            .iter()
            .map(|(index, events, late, _)| {
                let mut known = delayed(events, late);
                known.retain(|e| was_known(e, *index));
                (*index, known)
            })
            .collect();
        prop_assert_eq!(cells(&examples(&all)), cells(&examples(&known)));
    }

    /// What is said after the index time may be anything: another value changes no feature.
    #[test]
    fn another_future_is_the_same_example(subjects in subjects(), value in -9..9i32) {
        let before: Vec<(i64, Vec<Event>)> =
            subjects.iter().map(|(index, events, ..)| (*index, events.clone())).collect();
        let after: Vec<(i64, Vec<Event>)> = before
            .iter()
            .map(|(index, events)| {
                let other = |event: &Event| {
                    let mut event = event.clone();
                    if !was_known(&event, *index) {
                        event.value = Some(f64::from(value));
                        event.unit = Some("mg/dL".to_owned());
                    }
                    event
                };
                (*index, events.iter().map(other).collect())
            })
            .collect();
        prop_assert_eq!(cells(&examples(&before)), cells(&examples(&after)));
    }
}

/// The property can fail: with the index time of another subject, somebody sees the future.
#[test]
fn a_wrong_index_time_is_noticed() {
    let event = |hour: i64, value: f64| {
        let mut event = Event::new(
            Times::happened(Moment::instant(hour * HOUR)),
            Code::verbatim("L|a"),
            Modality::new("labs"),
        );
        event.value = Some(value);
        event
    };
    let events = vec![event(1, 5.0), event(30, 9.0)];
    let at = |hour: i64| cells(&examples(&[(hour * HOUR, events.clone())]));
    assert_ne!(at(2), at(31));
}
