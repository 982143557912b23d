//! What a system has on file about a person: a copy, with the errors of that system.

use super::calendar::System;
use super::dice::{Dice, scramble};
use super::mistype;
use super::names;
use super::person::{Home, Person};
use jiff::civil::{Date, date};

/// How often a system gets which field wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    /// A slip in the given name, and one in the surname.
    pub(crate) slip: f64,
    /// Given name and surname in each other's place.
    pub(crate) swapped: f64,
    /// A nickname.
    pub(crate) nickname: f64,
    /// The surname before marriage, where there was one.
    pub(crate) maiden: f64,
    /// The address before the move, where there was one.
    pub(crate) moved: f64,
    /// Day and month of birth in each other's place.
    pub(crate) day_month: f64,
    /// A digit of the date of birth wrong.
    pub(crate) birth: f64,
    /// Letters without accents.
    pub(crate) plain: f64,
    /// Not there: date of birth, sex, address, telephone, mail, national number.
    pub(crate) missing: [f64; 6],
    /// A digit of the national number wrong.
    pub(crate) national: f64,
}

const EHR: Rates = Rates {
    slip: 0.008,
    swapped: 0.003,
    nickname: 0.01,
    maiden: 0.3,
    moved: 0.2,
    day_month: 0.004,
    birth: 0.004,
    plain: 0.02,
    missing: [0.002, 0.001, 0.02, 0.08, 0.2, 0.12],
    national: 0.004,
};
const LIS: Rates = Rates {
    slip: 0.03,
    swapped: 0.012,
    nickname: 0.04,
    maiden: 0.5,
    moved: 0.4,
    day_month: 0.012,
    birth: 0.01,
    plain: 0.25,
    missing: [0.01, 0.02, 0.25, 0.4, 1.0, 0.35],
    national: 0.01,
};
const PACS: Rates = Rates {
    slip: 0.05,
    swapped: 0.02,
    nickname: 0.05,
    maiden: 0.6,
    moved: 0.5,
    day_month: 0.02,
    birth: 0.015,
    plain: 1.0,
    missing: [0.02, 0.03, 0.9, 0.9, 1.0, 0.8],
    national: 0.01,
};

/// One record of a person in one system.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// The medical record number there.
    pub(crate) id: String,
    pub(crate) given: String,
    pub(crate) second: Option<String>,
    pub(crate) family: String,
    pub(crate) birth: Option<Date>,
    pub(crate) female: Option<bool>,
    pub(crate) home: Option<Home>,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) national: Option<String>,
    /// What is wrong with it, for the truth.
    pub(crate) defects: Vec<&'static str>,
}

/// The number that a system gives to a person's first, second, ... chart: unique there.
pub(crate) fn number(system: System, seed: u64, person: u64, serial: u64) -> String {
    let (letter, salt) = match system {
        System::Ehr => ('E', 0xe4),
        System::Lis => ('L', 0x115),
        System::Pacs | System::Ecg => ('P', 0xacc),
    };
    format!("{letter}{:08}", scramble(person * 4 + serial, seed ^ salt, 26))
}

/// A person's charts in a system: one, seldom two.
pub(crate) fn charts(system: System, seed: u64, person: &Person, dice: &mut Dice) -> Vec<Chart> {
    let (rates, twice) = match system {
        System::Ehr => (EHR, 0.05),
        System::Lis => (LIS, 0.02),
        System::Pacs | System::Ecg => (PACS, 0.02),
    };
    let count = if dice.chance(twice) { 2 } else { 1 };
    let mut charts: Vec<Chart> = (0..count)
        .map(|serial| {
            let mut rates = rates;
            if serial > 0 {
                // Whoever opened a second chart did not find the first: something differs.
                rates.slip = 0.3;
                rates.missing[5] = 0.6;
            }
            Chart::new(number(system, seed, person.index, serial), person, &rates, dice)
        })
        .collect();
    if system == System::Pacs {
        for chart in &mut charts {
            chart.given = chart.given.to_uppercase();
            chart.family = chart.family.to_uppercase();
        }
    }
    if count == 2 {
        charts.iter_mut().for_each(|c| c.defects.push("duplicate_chart"));
    }
    charts
}

impl Chart {
    pub(crate) fn new(id: String, person: &Person, rates: &Rates, dice: &mut Dice) -> Self {
        let mut defects = Vec::new();
        let mut happens = |p: f64, name, dice: &mut Dice| {
            let yes = dice.chance(p);
            if yes {
                defects.push(name);
            }
            yes
        };
        let (mut given, mut family) = (person.given.clone(), person.surname.clone());
        if let Some(short) = names::nickname(dice, &given)
            && happens(rates.nickname, "nickname", dice)
        {
            given = short.to_owned();
        }
        if let Some(maiden) = &person.maiden
            && happens(rates.maiden, "former_surname", dice)
        {
            family.clone_from(maiden);
        }
        if happens(rates.plain, "without_accents", dice) {
            (given, family) = (names::plain(&given), names::plain(&family));
        }
        let mut slips = Vec::new();
        for name in [&mut given, &mut family] {
            if dice.chance(rates.slip) {
                let (wrong, slip) = mistype::slip(dice, name);
                *name = wrong;
                slips.push(slip.as_str());
            }
        }
        if happens(rates.swapped, "swapped_names", dice) {
            std::mem::swap(&mut given, &mut family);
        }
        let mut birth = Some(person.birth);
        if happens(rates.missing[0], "no_birth", dice) {
            birth = None;
        } else if person.birth.day() <= 12
            && person.birth.day() != person.birth.month()
            && happens(rates.day_month, "day_month", dice)
        {
            birth = Some(date(person.birth.year(), person.birth.day(), person.birth.month()));
        } else if happens(rates.birth, "birth_digit", dice) {
            birth = Some(wrong_birth(person.birth, dice));
        }
        let female = (!happens(rates.missing[1], "no_sex", dice)).then_some(person.female);
        let mut home = Some(&person.home);
        if person.former.is_some() && happens(rates.moved, "former_address", dice) {
            home = person.former.as_ref();
        }
        let home = home.cloned().filter(|_| !dice.chance(rates.missing[2]));
        let phone = Some(person.phone.clone()).filter(|_| !dice.chance(rates.missing[3]));
        let email = person.email.clone().filter(|_| !dice.chance(rates.missing[4]));
        let mut national = Some(person.national.clone()).filter(|_| !dice.chance(rates.missing[5]));
        if let Some(number) = &mut national
            && happens(rates.national, "national_digit", dice)
        {
            *number = mistype::digits(dice, number);
        }
        let second = person.second.clone().filter(|_| dice.chance(0.5));
        defects.extend(slips);
        Self { id, given, second, family, birth, female, home, phone, email, national, defects }
    }

    /// The sex as HL7 and DICOM write it; empty where it is not known.
    pub(crate) fn sex(&self) -> &'static str {
        match self.female {
            Some(true) => "F",
            Some(false) => "M",
            None => "",
        }
    }
}

fn wrong_birth(right: Date, dice: &mut Dice) -> Date {
    let (year, month, day) = (right.year(), right.month(), right.day());
    let wrong = match dice.below(3) {
        0 => Date::new(year + if dice.chance(0.5) { 1 } else { -1 } * *dice.pick(&[1, 10]), month, day),
        1 => Date::new(year, month % 12 + 1, day),
        _ => Date::new(year, month, day % 28 + 1),
    };
    // 29 February of another year, 31 April.
    wrong.unwrap_or(date(year, month, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hospital::dice::Part;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_are_unique_and_errors_are_as_frequent_as_planted() {
        let (mut ids, mut wrong, mut twice) = (BTreeSet::new(), [0; 3], 0);
        for index in 0..4_000 {
            let person = Person::new(1, index);
            let mut dice = Dice::new(1, index, Part::Charts);
            for (i, system) in [System::Ehr, System::Lis, System::Pacs].into_iter().enumerate() {
                let charts = charts(system, 1, &person, &mut dice);
                twice += usize::from(i == 0 && charts.len() == 2);
                wrong[i] += usize::from(charts[0].defects.contains(&"day_month"));
                for chart in charts {
                    assert!(ids.insert(chart.id));
                }
            }
        }
        assert!((140..260).contains(&twice), "{twice}");
        // Of the 0.36 of births that can be swapped.
        assert!(wrong[0] < 20 && (12..50).contains(&wrong[2]), "{wrong:?}");
    }
}
