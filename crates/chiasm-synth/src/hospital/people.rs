//! Person records alone: a population on which linkage can be tested at scale.

use super::calendar::System;
use super::chart::{Chart, Rates, number};
use super::dice::{Dice, Part, scramble};
use super::person::Person;
use super::shelf::Stream;
use crate::Error;
use std::fmt::Write;
use std::path::Path;

const HEAD: &str = "rec_id,given_name,surname,date_of_birth,sex,street_number,address_1,suburb,postcode,state,phone,mrn,national_id\n";
/// Of people, how many have 1, 2, 3, 4 records.
const RECORDS: [f64; 4] = [0.6, 0.25, 0.1, 0.05];
/// How a record is wrong.
const RATES: Rates = Rates {
    slip: 0.06,
    swapped: 0.02,
    nickname: 0.04,
    maiden: 0.4,
    moved: 0.4,
    day_month: 0.02,
    birth: 0.02,
    plain: 0.3,
    missing: [0.03, 0.03, 0.06, 0.35, 1.0, 0.4],
    national: 0.01,
};
/// How many records have no given name, no medical record number, and a digit of the telephone wrong.
const NO_GIVEN: f64 = 0.015;
const NO_NUMBER: f64 = 0.3;
const WRONG_PHONE: f64 = 0.02;
/// The most records: their ids are unique up to here.
const MOST: u64 = 100_000_000;

/// How many records and people [`people`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct People {
    /// Records.
    pub records: u64,
    /// People who have at least one.
    pub persons: u64,
}

/// Writes `n` records of people to a CSV file, and beside it, in `NAME.truth.csv`, who each record is.
///
/// A person has one to four records, each with its own errors and gaps; a record's number and its place in
/// the file say nothing of who it is. The medical record numbers of three systems begin with different
/// letters. Twins, and parent and child of one name and address, are among the people. The same `n` and
/// `seed` make the same bytes; memory does not grow with `n`.
///
/// # Errors
/// [`Error::Impossible`] for no or too many records; [`Error::Write`].
pub fn people(n: u64, seed: u64, out_csv: &Path) -> Result<People, Error> {
    if !(1..=MOST).contains(&n) {
        let (found, expected) = (n.to_string(), "1 to 100,000,000");
        return Err(Error::Impossible { what: "records", found, expected });
    }
    let (persons, last) = persons(n, seed);
    let mut records = Stream::new(out_csv)?;
    let mut truth = Stream::new(&out_csv.with_extension("truth.csv"))?;
    records.write(HEAD)?;
    truth.write("rec_id,person\n")?;
    // First everybody's first record, then the second ones: so that one person's are far apart.
    let mut written = 0;
    for round in 0..RECORDS.len() as u64 {
        for index in 0..persons {
            let count = if index + 1 == persons { last } else { records_of(seed, index) };
            if round >= count {
                continue;
            }
            let id = scramble(written, seed ^ 0x7265_6373, 28);
            records.write(&line(id, &Person::new(seed, index), seed, round))?;
            truth.write(&format!("R{id:09},{index}\n"))?;
            written += 1;
        }
    }
    records.close()?;
    truth.close()?;
    Ok(People { records: written, persons })
}

/// How many people have `n` records between them, and how many of those are the last one's.
fn persons(n: u64, seed: u64) -> (u64, u64) {
    let (mut left, mut persons) = (n, 0);
    loop {
        let count = records_of(seed, persons);
        persons += 1;
        if count >= left {
            return (persons, left);
        }
        left -= count;
    }
}

fn records_of(seed: u64, person: u64) -> u64 {
    let mut left = Dice::new(seed, person, Part::Hospital).unit();
    for (count, share) in (1..).zip(RECORDS) {
        left -= share;
        if left < 0.0 {
            return count;
        }
    }
    1
}

fn line(id: u64, person: &Person, seed: u64, round: u64) -> String {
    let mut dice = Dice::new(seed, person.index * 4 + round, Part::Records);
    let chart = Chart::new(String::new(), person, &RATES, &mut dice);
    let system = *dice.pick(&[System::Ehr, System::Lis, System::Pacs]);
    let serial = if dice.chance(0.9) { 0 } else { dice.below(3) as u64 + 1 };
    let mrn = (!dice.chance(NO_NUMBER)).then(|| number(system, seed, person.index, serial));
    let given = if dice.chance(NO_GIVEN) { "" } else { chart.given.as_str() };
    let mut phone = chart.phone.unwrap_or_default();
    if !phone.is_empty() && dice.chance(WRONG_PHONE) {
        phone = super::mistype::digits(&mut dice, &phone);
    }
    let birth = chart.birth.map(|b| b.to_string()).unwrap_or_default();
    let sex = chart.female.map_or("", |female| if female { "f" } else { "m" });
    let mut line = format!("R{id:09},{given},{},{birth},{sex},", chart.family);
    if let Some(home) = &chart.home {
        let mut street = home.street.clone();
        if dice.chance(0.04) {
            street = super::mistype::typed(&mut dice, &street);
        }
        let postcode = if dice.chance(0.01) {
            super::mistype::digits(&mut dice, &home.postcode)
        } else {
            home.postcode.clone()
        };
        let _ = write!(line, "{},{street},{},{postcode},{},", home.number, home.town, home.state);
    } else {
        line.push_str(",,,,,");
    }
    let national = chart.national.unwrap_or_default();
    let _ = writeln!(line, "{phone},{},{national}", mrn.unwrap_or_default());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn records_are_as_many_as_asked_with_unique_ids_and_known_people() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        let made = people(5_000, 11, &path).unwrap();
        let (csv, truth) = (
            std::fs::read(&path).unwrap(),
            std::fs::read_to_string(path.with_extension("truth.csv")).unwrap(),
        );
        let rows: Vec<Vec<&str>> =
            std::str::from_utf8(&csv).unwrap().lines().skip(1).map(|l| l.split(',').collect()).collect();
        assert_eq!((made.records, rows.len()), (5_000, 5_000));
        assert!(rows.iter().all(|r| r.len() == 13));
        let who: BTreeMap<&str, &str> = truth.lines().skip(1).filter_map(|l| l.split_once(',')).collect();
        assert_eq!(who.len(), 5_000);
        assert_eq!(who.values().collect::<BTreeSet<_>>().len() as u64, made.persons);
        // The same number of one system is never two people's.
        let mut of: BTreeMap<&str, &str> = BTreeMap::new();
        for row in &rows {
            let (id, mrn) = (row[0], row[11]);
            if !mrn.is_empty() {
                assert_eq!(*of.entry(mrn).or_insert(who[id]), who[id]);
            }
        }
        let lacking = rows.iter().filter(|r| r[12].is_empty()).count();
        assert!((1_850..2_150).contains(&lacking), "{lacking}");
        people(5_000, 11, &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), csv);
    }
}
