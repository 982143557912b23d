//! By how much the clocks of two systems differ, from moments that both tell.

use super::tellings::{Role, Telling, Tellings};
use chiasm_store::{ClockRow, Store};
use serde::Serialize;
use std::collections::BTreeMap;

/// Fewer moments than this say nothing.
const LEAST: usize = 10;

/// How far one system's clock is ahead of another's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clock {
    /// The system, with its site: `st-mary DICOM CT1`.
    pub system: String,
    /// The one that it is compared with.
    pub against: String,
    /// Seconds ahead: the median.
    pub ahead_s: f64,
    /// Lower end of the interval that holds the median with 95 % certainty.
    pub low_s: f64,
    /// Its upper end.
    pub high_s: f64,
    /// Half of the differences lie within so many seconds of the median. A wide spread is no clock's error.
    pub spread_s: f64,
    /// How many moments both tell.
    pub pairs: usize,
}

impl Clock {
    /// Whether the clocks differ beyond chance by a second or more, and steadily so.
    pub fn differs(&self) -> bool {
        (self.low_s > 0.0 || self.high_s < 0.0)
            && self.ahead_s.abs() >= 1.0
            && self.spread_s <= self.ahead_s.abs()
    }

    /// In words.
    pub fn words(&self) -> String {
        let (by, than) = (self.ahead_s.abs(), if self.ahead_s < 0.0 { "behind" } else { "ahead of" });
        format!(
            "{} is {by:.0} s {than} {} (95 %: {:.0} to {:.0} s ahead, half within {:.0} s, {} moments)",
            self.system, self.against, self.low_s, self.high_s, self.spread_s, self.pairs
        )
    }

    pub(crate) fn to_row(&self) -> ClockRow {
        ClockRow {
            system: self.system.clone(),
            against: self.against.clone(),
            ahead_s: self.ahead_s,
            low_s: self.low_s,
            high_s: self.high_s,
            spread_s: self.spread_s,
            pairs: self.pairs as i64,
        }
    }
}

/// The clocks as the last linking saw them.
///
/// # Errors
/// Where the store cannot be read.
pub fn clocks(store: &Store) -> Result<Vec<Clock>, crate::Error> {
    let mut clocks = Vec::new();
    for rows in store.scan::<ClockRow>() {
        clocks.extend(rows?.into_iter().map(|row| Clock {
            system: row.system,
            against: row.against,
            ahead_s: row.ahead_s,
            low_s: row.low_s,
            high_s: row.high_s,
            spread_s: row.spread_s,
            pairs: usize::try_from(row.pairs).unwrap_or_default(),
        }));
    }
    Ok(clocks)
}

/// Compares every two systems that tell of the same orders or recordings.
///
/// Only like is compared with like: when a picture was taken or blood drawn, as both tell it; when the order was
/// given, where they share nothing else. How long after its order a picture is taken says nothing of clocks.
pub(crate) fn estimate(told: &Tellings) -> Vec<Clock> {
    let mut differences: BTreeMap<(usize, usize, Role), Vec<i64>> = BTreeMap::new();
    for tellings in told.orders.values().chain(told.recordings.values()) {
        compare(tellings, &mut differences);
    }
    let mut partners = vec![0_usize; told.systems.len()];
    let enough: Vec<(usize, usize, &mut Vec<i64>)> = {
        let mut best: BTreeMap<(usize, usize), (Role, &mut Vec<i64>)> = BTreeMap::new();
        // What was taken comes after what was ordered, and takes its place.
        for (&(a, b, role), all) in &mut differences {
            if all.len() >= LEAST {
                best.insert((a, b), (role, all));
            }
        }
        best.into_iter().map(|((a, b), (_, all))| (a, b, all)).collect()
    };
    for (a, b, _) in &enough {
        partners[*a] += 1;
        partners[*b] += 1;
    }
    // The system that most others can be compared with is what they are held against.
    let rank = |s: usize| (partners[s], std::cmp::Reverse(&told.systems[s]));
    let clock = |(a, b, all): (usize, usize, &mut Vec<i64>)| {
        let (system, against) = if rank(a) > rank(b) { (b, a) } else { (a, b) };
        if system == b {
            all.iter_mut().for_each(|d| *d = -*d);
        }
        let (middle, low, high) = median(all);
        let mut from: Vec<i64> = all.iter().map(|d| (d - middle).abs()).collect();
        let spread = median(&mut from).0;
        let seconds = |us: i64| us as f64 / 1e6;
        Clock {
            system: told.systems[system].clone(),
            against: told.systems[against].clone(),
            ahead_s: seconds(middle),
            low_s: seconds(low),
            high_s: seconds(high),
            spread_s: seconds(spread),
            pairs: all.len(),
        }
    };
    let mut clocks: Vec<Clock> = enough.into_iter().map(clock).collect();
    clocks.sort_by(|x, y| (&x.system, &x.against).cmp(&(&y.system, &y.against)));
    clocks
}

/// Adds, for every two systems, how much later the one says that the same thing was.
fn compare(tellings: &[Telling], into: &mut BTreeMap<(usize, usize, Role), Vec<i64>>) {
    let mut first: BTreeMap<(Role, usize), i64> = BTreeMap::new();
    for telling in tellings.iter().filter(|t| t.exact) {
        let Some(at) = telling.at else { continue };
        first.entry((telling.role, telling.system)).and_modify(|known| *known = at.min(*known)).or_insert(at);
    }
    for (&(role, a), &x) in &first {
        for (&(_, b), &y) in first.range((role, a + 1)..).take_while(|((other, _), _)| *other == role) {
            into.entry((a, b, role)).or_default().push(x - y);
        }
    }
}

/// The median of some numbers, which are sorted, and the order statistics that hold it with 95 % certainty.
///
/// # Source
/// The sign test's interval (Conover, Practical Nonparametric Statistics, 3.2), by the normal approximation.
fn median(all: &mut [i64]) -> (i64, i64, i64) {
    all.sort_unstable();
    let n = all.len();
    let middle = i64::midpoint(all[(n - 1) / 2], all[n / 2]);
    let below = ((n as f64 - 1.96 * (n as f64).sqrt()) / 2.0).floor().max(1.0) as usize - 1;
    (middle, all[below.min(n - 1)], all[n - 1 - below.min(n - 1)])
}

#[cfg(test)]
mod tests {
    use super::super::tellings::{Domain, Kind};
    use super::*;
    use chiasm_store::RecordId;

    fn told(differences: &[i64]) -> Tellings {
        let mut told = Tellings { systems: vec!["a".into(), "b".into()], ..Tellings::default() };
        for (n, difference) in (0..).zip(differences) {
            let telling = |system, at| Telling {
                record: RecordId(n),
                system,
                role: Role::Taken,
                domain: Domain::Any,
                authority: None,
                file: false,
                at: Some(at),
                exact: true,
            };
            let at = n * 3_600_000_000;
            told.orders.insert(
                (Kind::Filler, n.to_string()),
                vec![telling(0, at + difference * 1_000_000), telling(1, at)],
            );
        }
        told
    }

    #[test]
    fn a_constant_error_is_found_among_outliers() {
        let mut differences: Vec<i64> = (0..40).map(|i| -217 + i % 3).collect();
        differences.extend([3_600, -90_000, 40]);
        let found = estimate(&told(&differences));
        assert_eq!(found.len(), 1);
        let clock = &found[0];
        assert_eq!((clock.system.as_str(), clock.against.as_str(), clock.pairs), ("b", "a", 43));
        assert_eq!(clock.ahead_s, 216.0);
        assert!(clock.low_s <= 216.0 && clock.high_s >= 216.0 && clock.differs(), "{clock:?}");
        assert!(
            clock.words().starts_with("b is 216 s ahead of a (95 %: 215 to 217 s ahead"),
            "{}",
            clock.words()
        );
    }

    #[test]
    fn few_moments_or_none_in_common_say_nothing() {
        assert_eq!(estimate(&told(&[100; 9])), []);
        assert_eq!(estimate(&Tellings::default()), []);
        // Right clocks do not differ, and neither do those of which nothing steady can be said.
        assert!(!estimate(&told(&[0; 20]))[0].differs());
        let wild: Vec<i64> = (0..40).map(|i| i * 500 - 7_000).collect();
        assert!(!estimate(&told(&wild))[0].differs());
    }

    #[test]
    fn the_interval_holds_the_median_as_often_as_it_says() {
        // Draws that are the same every time: SplitMix64 of a counter.
        let draw = |n: u64| {
            let z = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (((z ^ (z >> 31)) >> 40) % 2_001) as i64 - 1_000
        };
        for n in [10_u64, 25, 100] {
            let held = (0..1_000_u64).filter(|round| {
                let mut all: Vec<i64> = (0..n).map(|i| draw(round * 1_000 + i)).collect();
                let (_, low, high) = median(&mut all);
                low <= 0 && high >= 0
            });
            let held = held.count();
            assert!((940..=1_000).contains(&held), "{held} of 1,000 intervals of {n} hold it");
        }
    }
}
