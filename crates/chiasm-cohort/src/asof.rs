//! From events to a block of features, as a subject's chart showed them at the index time: nothing that
//! became known later is seen, and what was corrected later shows as it stood.

use chiasm_record::{Block, Content, Event, Feature, FeatureKind, Grid, Modality, Moment, Scale};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is made of the events of one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The value that happened last.
    Last,
    /// The value that happened first.
    First,
    /// The mean.
    Mean,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// How many there are; 0 where the modality is present and the code is not.
    Count,
    /// Change per day by least squares; missing with fewer than two times.
    Slope,
    /// Hours from the last to the index time.
    HoursSince,
}

/// One feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventFeature {
    /// The feature's name.
    pub name: String,
    /// The code, as `system|code`; a `*` at the end takes every code that begins so.
    pub code: String,
    /// What is made of its events.
    pub statistic: Statistic,
    /// The unit that its values must have, in UCUM; others are left out. Any unit where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// From where to where a subject's events count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// The index time in microseconds since 1970-01-01T00:00Z: what was not known then is not seen.
    pub index: i64,
    /// How far back, in microseconds; everything where `None`.
    pub lookback: Option<i64>,
}

/// One thing as the chart shows it.
type Thing<'a> = (&'a str, Option<i64>, Option<&'a str>, Option<&'a str>, Option<String>);

impl AsOf {
    /// Whether an event could be known at the index time. What has no time is always so.
    pub fn sees(&self, event: &Event) -> bool {
        let known = event.times.usable_from().is_none_or(|(from, _)| from <= self.index);
        let first = self.lookback.map(|l| self.index.saturating_sub(l));
        known && event.times.happened.is_none_or(|h| first.is_none_or(|first| h.end() >= first))
    }

    /// The events that the chart shows at the index time, by time: of several reports of one thing (one
    /// code, one time, one specimen, one encounter, one result of the source's) the newest that was known by then.
    pub fn chart<'e>(&self, events: &'e [Event]) -> Vec<&'e Event> {
        let mut newest: BTreeMap<Thing<'e>, &'e Event> = BTreeMap::new();
        for event in events.iter().filter(|e| self.sees(e)) {
            let thing = (
                event.code.as_str(),
                event.times.happened.map(Moment::start),
                event.specimen.as_deref(),
                event.encounter.as_deref(),
                event.result_id(),
            );
            let shown = newest.entry(thing).or_insert(event);
            if order(event) > order(shown) {
                *shown = event;
            }
        }
        let mut chart: Vec<&Event> = newest.into_values().collect();
        chart.sort_by_key(|e| (e.times.happened.map(Moment::start), e.code.clone()));
        chart
    }
}

type Order<'a> = (Option<i64>, Option<i64>, Option<i64>, &'a Option<String>, &'a Option<String>, Option<i64>);

/// Which of two reports of one thing is the newer. Ties are broken by content, so that the order in which
/// events came does not matter.
fn order(event: &Event) -> Order<'_> {
    let known = event.times.usable_from().map(|(from, _)| from);
    let recorded = event.times.recorded.map(Moment::end);
    // Whole numbers in the order of the values.
    let value = event.value.map(|v| v.to_bits() as i64).map(|bits| bits ^ ((bits >> 63) & i64::MAX));
    (known, recorded, value, &event.text, &event.unit, event.times.happened.map(Moment::end))
}

impl EventFeature {
    fn takes(&self, event: &Event) -> bool {
        let code = event.code.as_str();
        let fits = match self.code.strip_suffix('*') {
            Some(start) => code.starts_with(start),
            None => code == self.code,
        };
        fits && (self.unit.is_none() || self.unit == event.unit)
    }

    /// The feature's value over a chart; `None` where there is nothing to make it of.
    fn of(&self, chart: &[&Event], index: i64) -> Option<f64> {
        const HOUR: f64 = 3_600_000_000.0;
        let mine = || chart.iter().filter(|e| self.takes(e));
        let values: Vec<(f64, f64)> = mine()
            .filter_map(|e| Some((e.times.happened.map_or(0.0, |h| h.start() as f64), e.value?)))
            .collect();
        let number = |pick: fn(f64, f64) -> f64| values.iter().map(|(_, v)| *v).reduce(pick);
        match self.statistic {
            Statistic::Count => Some(mine().count() as f64),
            Statistic::Last => values.last().map(|(_, v)| *v),
            Statistic::First => values.first().map(|(_, v)| *v),
            Statistic::Mean => number(|a, b| a + b).map(|sum| sum / values.len() as f64),
            Statistic::Min => number(f64::min),
            Statistic::Max => number(f64::max),
            Statistic::Slope => slope(&values).map(|per_micro| per_micro * 24.0 * HOUR),
            Statistic::HoursSince => {
                let last = mine().filter_map(|e| e.times.happened).map(Moment::end).max()?;
                Some(index.saturating_sub(last) as f64 / HOUR)
            }
        }
    }
}

/// The slope of `y` over `x` by least squares; `None` where all `x` are one.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let above: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let below: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    (below > 0.0).then(|| above / below)
}

/// One modality's block over subjects: for each, its events and its index time.
///
/// A subject has the modality where its chart shows any event that a feature takes. Shape of the grid:
/// `[subject, feature]`.
pub fn block(modality: Modality, features: &[EventFeature], subjects: &[(AsOf, &[Event])]) -> Block {
    let columns = features
        .iter()
        .map(|f| Feature {
            name: f.name.clone(),
            kind: FeatureKind::Numeric,
            unit: f.unit.clone(),
            scale: Scale::Linear,
        })
        .collect();
    let mut grid = Grid::missing(columns, subjects.len());
    let mut present = Vec::with_capacity(subjects.len());
    for (row, (asof, events)) in subjects.iter().enumerate() {
        let chart = asof.chart(events);
        let here = chart.iter().any(|e| features.iter().any(|f| f.takes(e)));
        present.push(here);
        for (column, feature) in features.iter().enumerate().filter(|_| here) {
            if let Some(value) = feature.of(&chart, asof.index) {
                grid.set(row, column, value);
            }
        }
    }
    Block { modality, present, content: Content::Table(grid) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_record::{Code, Times};
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000_000;
    const ALL: [Statistic; 8] = [
        Statistic::Last,
        Statistic::First,
        Statistic::Mean,
        Statistic::Min,
        Statistic::Max,
        Statistic::Count,
        Statistic::Slope,
        Statistic::HoursSince,
    ];

    fn event(code: &str, happened: i64, known: i64, value: f64) -> Event {
        let times = Times {
            happened: Some(Moment::instant(happened)),
            known: Some(Moment::instant(known)),
            recorded: None,
        };
        let mut event = Event::new(times, Code::verbatim(code), Modality::new("labs"));
        event.value = Some(value);
        event
    }

    #[test]
    fn two_results_of_one_day_are_two_and_a_correction_is_none() {
        let of = |filler: &str, known: i64, value: f64| {
            let mut event = event("L|glucose", 0, known, value).with("filler", Some(filler));
            event.times.happened = Some(Moment::new(0, 24 * HOUR - 1, chiasm_record::Precision::Day, None));
            event
        };
        let events = [of("A", 25 * HOUR, 5.0), of("B", 25 * HOUR, 9.0), of("A", 30 * HOUR, 6.0)];
        let shown = |index: i64| -> Vec<f64> {
            let chart = AsOf { index, lookback: None }.chart(&events);
            let mut values: Vec<f64> = chart.iter().filter_map(|e| e.value).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        assert_eq!((shown(26 * HOUR), shown(31 * HOUR)), (vec![5.0, 9.0], vec![6.0, 9.0]));
    }

    fn features() -> Vec<EventFeature> {
        let feature = |code: &str, statistic| EventFeature {
            name: format!("{code} {statistic:?}"),
            code: code.to_owned(),
            statistic,
            unit: None,
        };
        ["L|a", "L|b", "L|*"].iter().flat_map(|c| ALL.map(|s| feature(c, s))).collect()
    }

    fn row(events: &[Event], index: i64) -> (bool, Vec<Option<f64>>) {
        let features = features();
        let block = block(Modality::new("labs"), &features, &[(AsOf { index, lookback: None }, events)]);
        let Content::Table(grid) = &block.content else { panic!("a table") };
        (block.present[0], (0..features.len()).map(|f| grid.get(0, f)).collect())
    }

    #[test]
    fn the_chart_shows_what_was_known_and_as_it_stood() {
        let events = [
            event("L|a", 0, HOUR, 5.0),
            // Corrected two days later.
            event("L|a", 0, 48 * HOUR, 9.0),
            event("L|a", 24 * HOUR, 25 * HOUR, 7.0),
        ];
        let of = |statistic: Statistic, index: i64| {
            let at = ALL.iter().position(|s| *s == statistic).unwrap();
            row(&events, index).1[at]
        };
        assert_eq!(of(Statistic::Last, HOUR - 1), None);
        assert!(!row(&events, HOUR - 1).0);
        assert_eq!(of(Statistic::First, 30 * HOUR), Some(5.0));
        assert_eq!(of(Statistic::First, 48 * HOUR), Some(9.0));
        assert_eq!(of(Statistic::Count, 48 * HOUR), Some(2.0));
        assert_eq!(of(Statistic::Slope, 30 * HOUR), Some(2.0));
        assert_eq!(of(Statistic::HoursSince, 30 * HOUR), Some(6.0));
        assert_eq!(of(Statistic::Mean, 30 * HOUR), Some(6.0));
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let one = ("L\\|[abc]", 0..20i64, 0..40i64, 0..5i32);
        let make = |(code, happened, late, value): (String, i64, i64, i32)| {
            event(&code, happened * HOUR, (happened + late) * HOUR, f64::from(value))
        };
        prop::collection::vec(one.prop_map(make), 0..24)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever becomes known after the index time can come, go, change, be late or come twice; and the
        /// order of all events does not matter. No feature may notice.
        #[test]
        fn the_future_changes_nothing(
            past in events(), future in events(), index in 0..40i64, seed in any::<u64>(),
        ) {
            let asof = AsOf { index: index * HOUR, lookback: None };
            let known: Vec<Event> = past.into_iter().filter(|e| asof.sees(e)).collect();
            let expected = row(&known, asof.index);
            let mut all = known.clone();
            all.extend(known.iter().step_by(2).cloned());
            all.extend(future.into_iter().map(|mut e| {
                let late = e.times.known.unwrap().end().max(asof.index + 1);
                e.times.known = Some(Moment::instant(late));
                e
            }));
            // A shuffle that a seed decides.
            let mut state = seed | 1;
            for i in (1..all.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                all.swap(i, (state >> 33) as usize % (i + 1));
            }
            prop_assert_eq!(row(&all, asof.index), expected);
        }

        /// What was seen once is seen at every later time.
        #[test]
        fn knowledge_only_grows(events in events(), index in 0..40i64) {
            let at = |index: i64| AsOf { index: index * HOUR, lookback: None };
            let now = events.iter().filter(|e| at(index).sees(e)).count();
            let later = events.iter().filter(|e| at(index + 1).sees(e)).count();
            prop_assert!(now <= later);
        }
    }
}
