//! A person as they are: what every record is an imperfect copy of.

use super::dice::{Dice, Part, scramble};
use super::names;
use jiff::ToSpan;
use jiff::civil::{Date, date};

/// Chances that a person of odd number is related to the one before, in the order of [`Kin`].
const KIN: [(Kin, f64); 4] =
    [(Kin::Twin, 0.010), (Kin::Namesake, 0.012), (Kin::Spouse, 0.040), (Kin::Sibling, 0.020)];

/// How a person is related to the one before: pairs that linkage should not take for one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kin {
    /// Same surname, date of birth and address; for half of the pairs, a given name that begins alike.
    Twin,
    /// Parent and child of one given name, surname, sex and address.
    Namesake,
    /// Same surname and address.
    Spouse,
    /// Same surname and address, a few years between.
    Sibling,
}

impl Kin {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Twin => "twin",
            Self::Namesake => "namesake",
            Self::Spouse => "spouse",
            Self::Sibling => "sibling",
        }
    }
}

/// Where somebody lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) number: String,
    pub(crate) street: String,
    pub(crate) town: String,
    pub(crate) postcode: String,
    pub(crate) state: String,
}

/// One person.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) index: u64,
    pub(crate) female: bool,
    pub(crate) given: String,
    pub(crate) second: Option<String>,
    pub(crate) surname: String,
    /// The surname before a marriage that happened while the hospital knew the person.
    pub(crate) maiden: Option<String>,
    pub(crate) birth: Date,
    pub(crate) home: Home,
    /// Where they lived before they moved, while the hospital knew them.
    pub(crate) former: Option<Home>,
    pub(crate) phone: String,
    pub(crate) email: Option<String>,
    pub(crate) national: String,
    /// Who the person is related to, and how.
    pub(crate) kin: Option<(u64, Kin)>,
}

impl Person {
    /// Person `index` of a seed: the same however many others there are.
    pub(crate) fn new(seed: u64, index: u64) -> Self {
        let mut person = Self::alone(seed, index);
        if index % 2 == 1 {
            let mut dice = Dice::new(seed, index, Part::Relation);
            let mut left = dice.unit();
            for (kin, share) in KIN {
                // Twice the share: every other person alone can have it.
                left -= 2.0 * share;
                if left < 0.0 {
                    person.relate(&Self::alone(seed, index - 1), kin, &mut dice);
                    break;
                }
            }
        }
        person
    }

    fn alone(seed: u64, index: u64) -> Self {
        let mut dice = Dice::new(seed, index, Part::Person);
        let origin = names::origin(&mut dice);
        let female = dice.chance(0.51);
        let given = names::given(&mut dice, origin, female);
        let second = dice.chance(0.3).then(|| names::given(&mut dice, origin, female));
        let second = second.filter(|second| *second != given);
        let surname = names::surname(&mut dice, origin);
        let maiden = (female && dice.chance(0.08)).then(|| names::surname(&mut dice, origin));
        let age = (62.0 + 14.0 * dice.normal()).clamp(18.0, 97.0);
        let birth = date(2023, 1, 1) - ((age * 365.25) as i64 + dice.whole(0, 364)).days();
        let home = home(&mut dice);
        let former = dice.chance(0.12).then(|| self::home(&mut dice));
        let phone = phone(&mut dice);
        let email = dice.chance(0.6).then(|| {
            let name = names::plain(&format!("{given}.{surname}")).to_lowercase();
            format!("{}{}@mail.synthetic.example", name.replace(' ', ""), dice.whole(1, 99))
        });
        let national = national(scramble(index, seed ^ 0x6e61_7469, 32));
        Self {
            index,
            female,
            given,
            second,
            surname,
            maiden,
            birth,
            home,
            former,
            phone,
            email,
            national,
            kin: None,
        }
    }

    fn relate(&mut self, other: &Self, kin: Kin, dice: &mut Dice) {
        self.kin = Some((other.index, kin));
        self.surname.clone_from(&other.surname);
        self.maiden = None;
        self.home = other.home.clone();
        self.former.clone_from(&other.former);
        if dice.chance(0.5) {
            self.phone.clone_from(&other.phone);
        }
        match kin {
            Kin::Twin => {
                self.birth = other.birth;
                if dice.chance(0.5) {
                    self.female = other.female;
                    let same = other.given.chars().next();
                    // The first name of the same letter that comes up, so `Anna` and `Andrea`.
                    for _ in 0..200 {
                        let from = names::origin(dice);
                        let name = names::given(dice, from, self.female);
                        if name != other.given && name.chars().next() == same {
                            self.given = name;
                            break;
                        }
                    }
                }
            }
            Kin::Namesake => {
                self.female = other.female;
                self.given.clone_from(&other.given);
                let younger = if other.birth.year() < 1958 { 1 } else { -1 };
                self.birth = other.birth + (younger * dice.whole(22 * 365, 33 * 365)).days();
            }
            Kin::Spouse => {
                if self.female == other.female && dice.chance(0.97) {
                    self.female = !other.female;
                    let from = names::origin(dice);
                    self.given = names::given(dice, from, self.female);
                    self.second = None;
                }
                self.birth = other.birth + dice.whole(-3_000, 3_000).days();
            }
            Kin::Sibling => self.birth = other.birth + (dice.whole(1, 10) * 380 - 2_200).days(),
        }
        if self.given == other.given && kin != Kin::Namesake {
            let other = if other.given == "Alex" { "Kim" } else { "Alex" };
            self.given = other.to_owned();
        }
    }

    /// Whole years at a day.
    pub(crate) fn age(&self, on: Date) -> i64 {
        let had_birthday = (on.month(), on.day()) >= (self.birth.month(), self.birth.day());
        i64::from(on.year() - self.birth.year()) - i64::from(!had_birthday)
    }
}

fn home(dice: &mut Dice) -> Home {
    let town = names::town(dice);
    let letter = if dice.chance(0.12) { dice.text(1, b"abcd") } else { String::new() };
    Home {
        number: format!("{}{letter}", 1 + dice.zipf(180)),
        street: names::street(dice).to_owned(),
        town: town.name.to_owned(),
        // A town has a few postcodes.
        postcode: format!("{:05}", town.postcode + 2 * dice.zipf(8) as u32),
        state: town.state.to_owned(),
    }
}

fn phone(dice: &mut Dice) -> String {
    let area = *dice.pick(&["030", "040", "069", "089", "0151", "0160", "0171", "0176"]);
    format!("+49 {} {}", area.trim_start_matches('0'), dice.whole(2_000_000, 99_999_999))
}

/// Ten digits and two check digits modulo 97.
pub(crate) fn national(number: u64) -> String {
    format!("{number:010}{:02}", 97 - number % 97)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_the_same_whoever_else_there_is_and_some_are_related() {
        let people: Vec<Person> = (0..20_000).map(|i| Person::new(9, i)).collect();
        let of = |kin| people.iter().filter(|p| p.kin.is_some_and(|(_, k)| k == kin)).count();
        assert!((120..280).contains(&of(Kin::Twin)), "{}", of(Kin::Twin));
        assert!((150..330).contains(&of(Kin::Namesake)), "{}", of(Kin::Namesake));
        for person in &people {
            let Some((other, kin)) = person.kin else { continue };
            let other = &people[other as usize];
            assert_eq!((&person.surname, &person.home), (&other.surname, &other.home));
            assert_ne!(person.national, other.national);
            assert_eq!(person.given == other.given, kin == Kin::Namesake);
            assert_eq!(kin == Kin::Twin, person.birth == other.birth);
        }
    }
}
