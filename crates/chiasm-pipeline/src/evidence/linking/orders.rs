//! Records that name one order, and what speaks against taking them for one patient.

use super::tellings::{Domain, Role, Telling, Tellings};
use chiasm_linkage::{Guard, Identity, Order, Shown, wrong_patient};
use chiasm_store::RecordId;
use std::collections::{BTreeMap, BTreeSet};

/// A number that more records than this name is no order's number.
const CROWD: usize = 4;

/// The pairs of records that name one order.
///
/// A study that is older than its order, or more than a year younger, makes its pair doubtful.
pub(crate) fn orders(told: &Tellings, index: &BTreeMap<RecordId, u32>) -> Vec<Order> {
    let mut pairs: BTreeMap<(u32, u32), bool> = BTreeMap::new();
    for tellings in told.orders.values() {
        let records: BTreeSet<RecordId> = tellings.iter().map(|t| t.record).collect();
        if !(2..=CROWD).contains(&records.len()) {
            continue;
        }
        for (at, a) in tellings.iter().enumerate() {
            for b in &tellings[at + 1..] {
                let (Some(&x), Some(&y)) = (index.get(&a.record), index.get(&b.record)) else { continue };
                if x != y && a.fits(b) {
                    *pairs.entry((x.min(y), x.max(y))).or_default() |=
                        out_of_order(a, b) || out_of_order(b, a);
                }
            }
        }
    }
    let order = |((left, right), doubtful)| Order { left, right, doubtful };
    pairs.into_iter().map(order).collect()
}

/// Whether a picture cannot answer the order by its day.
fn out_of_order(order: &Telling, study: &Telling) -> bool {
    if order.role != Role::Ordered || study.role != Role::Taken || study.domain != Domain::Imaging {
        return false;
    }
    let shown = Shown { day: study.at.and_then(day), ordered: order.at.and_then(day), ..Shown::default() };
    !wrong_patient(&Identity::default(), &shown).is_empty()
}

/// What the files of each record show of their patient.
pub(crate) fn guard<'a>(
    told: &Tellings,
    records: &[RecordId],
    all: &'a BTreeMap<RecordId, Identity>,
) -> Guard<'a> {
    let mut guard = Guard::new(records.iter().filter_map(|record| all.get(record)).collect());
    for (number, record) in (0..).zip(records) {
        let (Some(days), Some(identity)) = (told.shown.get(record), all.get(record)) else { continue };
        for (at, age) in days {
            let day = day(at.saturating_mul(86_400_000_000));
            guard.add(
                number,
                Shown { birth: identity.birth, sex: identity.sex, age: *age, day, ordered: None },
            );
        }
    }
    guard
}

/// The day, at Greenwich, of microseconds since 1970.
fn day(at: i64) -> Option<(i16, u8, u8)> {
    let date = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_microsecond(at).ok()?).date();
    Some((date.year(), u8::try_from(date.month()).ok()?, u8::try_from(date.day()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::tellings::Kind;
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn telling(record: i64, role: Role, domain: Domain, days: i64) -> Telling {
        let at = Some(20_000 * DAY + days * DAY);
        Telling {
            record: RecordId(record),
            system: 0,
            role,
            domain,
            authority: None,
            file: false,
            at,
            exact: true,
        }
    }

    #[test]
    fn a_number_joins_few_records_of_one_kind() {
        let index: BTreeMap<RecordId, u32> = (0..10).map(|r| (RecordId(r), r as u32)).collect();
        let mut told = Tellings::default();
        let number = |text: &str| (Kind::Filler, text.to_owned());
        let order = |record, days| telling(record, Role::Ordered, Domain::Any, days);
        let study = |record, days| telling(record, Role::Taken, Domain::Imaging, days);
        let blood = |record| telling(record, Role::Taken, Domain::Labs, 0);
        told.orders.insert(number("a"), vec![order(1, 0), study(2, 3)]);
        told.orders.insert(number("early"), vec![order(3, 0), study(4, -3)]);
        told.orders.insert(number("other"), vec![study(5, 0), blood(6)]);
        // The same number of two who give out numbers.
        let mut of = [order(8, 0), order(9, 0)];
        (of[0].authority, of[1].authority) = (Some(0), Some(1));
        told.orders.insert(number("two"), of.to_vec());
        told.orders.insert(number("own"), vec![order(7, 0), study(7, 0)]);
        told.orders.insert(number("crowd"), (0..6).map(|r| order(r, 0)).collect());
        let found = orders(&told, &index);
        let pair = |left, right, doubtful| Order { left, right, doubtful };
        assert_eq!(found, [pair(1, 2, false), pair(3, 4, true)]);
    }
}
