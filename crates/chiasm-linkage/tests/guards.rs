//! What must not be linked unasked: parent and child, twins, newborns, people without a name, wrong messages.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_linkage::{
    Address, BirthDate, ClusterConfig, Decision, Guard, Identifier, IdentifierKind, Identity, Ledger,
    LinkConfig, PersonName, Persons, RecordPair, Records, ReviewReason, Sex, Shown, Voice, guarded_persons,
    link,
};

const GIVEN: [&str; 12] = [
    "anna", "peter", "maria", "james", "lucy", "oliver", "emma", "robert", "susan", "daniel", "helen",
    "marcus",
];
const FAMILY: [&str; 14] = [
    "smith", "jones", "taylor", "brown", "wilson", "evans", "thomas", "roberts", "walker", "wright",
    "hughes", "edwards", "green", "lewis",
];

/// A draw that is the same every time.
fn draw(seed: u64, of: u64) -> usize {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(of.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 16) as usize
}

fn birth(year: i16, month: u8, day: u8) -> Option<BirthDate> {
    Some(BirthDate { year, month: Some(month), day: Some(day) })
}

/// Somebody with a home and a telephone of their own.
fn somebody(n: u64) -> Identity {
    let pick = |of, from: &[&str]| from[draw(n, of) % from.len()].to_owned();
    let family = pick(1, &FAMILY) + ["", "son", "ley", "man", "ton", "field"][draw(n, 2) % 6];
    Identity {
        names: vec![PersonName { given: vec![pick(0, &GIVEN)], family: Some(family), suffix: None }],
        birth: birth(
            1930 + (draw(n, 3) % 70) as i16,
            1 + (draw(n, 4) % 12) as u8,
            1 + (draw(n, 5) % 28) as u8,
        ),
        sex: Some(if draw(n, 6).is_multiple_of(2) { Sex::Female } else { Sex::Male }),
        addresses: vec![Address {
            street: Some(format!("{} elm street", 1 + draw(n, 7) % 200)),
            city: Some(pick(8, &["york", "leeds", "bath", "ely", "truro"])),
            postcode: Some(format!("{:05}", draw(n, 9) % 3000)),
            ..Address::default()
        }],
        phones: vec![format!("030{:07}", draw(n, 10) % 9_000_000 + 1_000_000)],
        ..Identity::default()
    }
}

fn number(identity: &mut Identity, kind: IdentifierKind, value: &str) {
    identity.identifiers.push(Identifier { authority: "north".into(), value: value.into(), kind });
}

fn all_persons(identities: &[Identity], ledger: &Ledger, guard: &Guard<'_>) -> Persons {
    let ids: Vec<String> = (0..identities.len()).map(|n| format!("{n:04}")).collect();
    let records = Records::from_identities(ids.iter().map(String::as_str).zip(identities));
    let linkage = link(&records, &LinkConfig::default());
    guarded_persons(&records, &linkage, &ledger.decisions(), guard, ClusterConfig::default())
}

type Outcome = (bool, Option<ReviewReason>);

/// Whether two records are one person, and why not.
fn of_two(persons: &Persons, a: u32, b: u32) -> Outcome {
    let review = persons.review.iter().find(|review| (review.left, review.right) == (a, b));
    (persons.of[a as usize] == persons.of[b as usize], review.map(|review| review.reason))
}

type Change<'a> = &'a dyn Fn(&mut Identity);

/// What becomes of two records of one person each after they were changed, among 600 people of whom 200 are there
/// twice: each case is a name for it, what is done to both, and what must come of it.
fn judged(cases: &[(&str, Change<'_>, Change<'_>, Outcome)]) {
    let mut all: Vec<Identity> = (0..600).chain(0..200).map(somebody).collect();
    let from = all.len() as u32;
    for (n, (_, one, other, _)) in (9_000..).zip(cases) {
        let mut two = [somebody(n), somebody(n)];
        one(&mut two[0]);
        other(&mut two[1]);
        all.extend(two);
    }
    let persons = all_persons(&all, &Ledger::default(), &Guard::default());
    for (row, (case, .., expected)) in (from..).step_by(2).zip(cases) {
        assert_eq!(of_two(&persons, row, row + 1), *expected, "{case}");
    }
}

const LINKED: Outcome = (true, None);
const HOUSEHOLD: Outcome = (false, Some(ReviewReason::Household));
const NAMELESS: Outcome = (false, Some(ReviewReason::Nameless));

fn born(year: i16, month: u8, day: u8) -> impl Fn(&mut Identity) {
    move |who| who.birth = birth(year, month, day)
}

fn named(name: &str) -> impl Fn(&mut Identity) {
    move |who| who.names[0].given = vec![name.to_owned()]
}

#[test]
fn parent_and_child_of_one_name_are_two_unless_a_number_says_otherwise() {
    let father = born(1951, 3, 7);
    let numbered = |year, kind| {
        move |who: &mut Identity| {
            who.birth = birth(year, 3, 7);
            number(who, kind, if kind == IdentifierKind::National { "1122334455" } else { "98765" });
        }
    };
    let mailed = |year| {
        move |who: &mut Identity| {
            who.birth = birth(year, 3, 7);
            who.emails = vec!["j.s.7@mail.example".into()];
        }
    };
    use IdentifierKind::{MedicalRecord, National};
    judged(&[
        ("himself", &father, &father, LINKED),
        ("three decades", &father, &born(1981, 3, 7), HOUSEHOLD),
        ("one decade", &father, &born(1961, 3, 7), HOUSEHOLD),
        ("one year", &father, &born(1952, 3, 7), HOUSEHOLD),
        ("a century", &father, &born(2051, 3, 7), HOUSEHOLD),
        ("two digits of the year", &father, &born(1915, 3, 7), HOUSEHOLD),
        ("year and month", &father, &born(1981, 4, 7), HOUSEHOLD),
        ("a slip of the day", &father, &born(1951, 3, 1), LINKED),
        ("a slip of the month", &father, &born(1951, 4, 7), LINKED),
        ("day and month", &father, &born(1951, 7, 3), LINKED),
        ("one number of the state", &numbered(1951, National), &numbered(1981, National), LINKED),
        ("one chart", &numbered(1951, MedicalRecord), &numbered(1981, MedicalRecord), LINKED),
        ("one mail address", &mailed(1951), &mailed(1981), LINKED),
    ]);
}

#[test]
fn junior_is_not_senior() {
    let called = |behind: Option<&'static str>, suffix: Option<&'static str>| {
        move |who: &mut Identity| {
            let family = who.names[0].family.take().unwrap();
            who.names[0].family = Some(family + behind.unwrap_or(""));
            who.names[0].suffix = suffix.map(str::to_owned);
        }
    };
    judged(&[
        ("two suffixes", &called(None, Some("Jr.")), &called(None, Some("SR")), HOUSEHOLD),
        ("one of them in the name", &called(Some(" III"), None), &called(None, Some("junior")), HOUSEHOLD),
        ("one suffix, two ways", &called(None, Some("Jr")), &called(Some(" II"), None), LINKED),
        ("nothing said", &called(None, Some("Sr")), &called(None, None), LINKED),
        ("a degree", &called(None, Some("Sr")), &called(None, Some("MD")), LINKED),
    ]);
}

#[test]
fn twins_with_names_alike_are_two() {
    judged(&[
        ("one letter", &named("Maria"), &named("Marta"), HOUSEHOLD),
        ("a vowel", &named("Anna"), &named("Anne"), HOUSEHOLD),
        ("one root", &named("Christa"), &named("Christine"), HOUSEHOLD),
        ("a letter more", &named("Jan"), &named("Jana"), HOUSEHOLD),
        ("a second name", &named("Anna"), &named("Anna Sophie"), LINKED),
    ]);
}

#[test]
fn newborns_and_people_without_a_name_are_linked_by_numbers_alone() {
    let numbered = |name: &'static str, kind| {
        move |who: &mut Identity| {
            named(name)(who);
            number(who, kind, if kind == IdentifierKind::National { "1122334455" } else { "98765" });
            who.birth = birth(2024, 5, 6);
        }
    };
    let doe = |given: &'static str| {
        move |who: &mut Identity| {
            let family = Some("DOE".to_owned());
            who.names[0] = PersonName { given: vec![given.to_owned()], family, suffix: None };
        }
    };
    let nobody = |who: &mut Identity| (who.names, who.birth) = (Vec::new(), birth(1900, 1, 1));
    let trauma = |who: &mut Identity| {
        let family = Some("Trauma".to_owned());
        who.names[0] = PersonName { given: vec!["Alpha".to_owned()], family, suffix: None };
        who.birth = birth(1900, 1, 1);
    };
    use IdentifierKind::{MedicalRecord, National};
    judged(&[
        ("twins", &named("BABY BOY A"), &named("BABY BOY B"), NAMELESS),
        ("words alike", &named("BABY BOY"), &named("Baby Boy"), NAMELESS),
        ("letters", &named("BB"), &named("Twin B"), NAMELESS),
        ("named later", &named("Newborn"), &named("Jonas"), NAMELESS),
        (
            "named later, one chart",
            &numbered("BABY BOY", MedicalRecord),
            &numbered("Jonas", MedicalRecord),
            LINKED,
        ),
        ("John Doe", &doe("John"), &doe("John"), NAMELESS),
        (
            "John Doe, one number",
            &|who| (doe("John")(who), numbered("John", National)(who)).1,
            &|who| (doe("John")(who), numbered("John", National)(who)).1,
            LINKED,
        ),
        ("an honest Doe", &doe("Peter"), &doe("Peter"), LINKED),
        ("nobody", &nobody, &nobody, NAMELESS),
        ("trauma", &trauma, &trauma, NAMELESS),
    ]);
}

#[test]
fn dates_that_stand_for_none_are_no_evidence() {
    // Father and son again, and nobody knows when either was born.
    let dates =
        [(1900, 1, 1), (1899, 12, 31), (9999, 12, 31), (1111, 11, 11), (1, 1, 1), (1904, 1, 1), (1800, 5, 5)];
    let unknown = dates.map(|(year, month, day)| born(year, month, day));
    let mut cases: Vec<(&str, Change<'_>, Change<'_>, Outcome)> = Vec::new();
    cases.extend(unknown.iter().map(|date| ("unknown", date as _, date as _, NAMELESS)));
    // A real first of January stays a birthday.
    let (real, new_year) = (born(1970, 1, 1), born(1955, 1, 1));
    cases.push(("1970", &real, &real, LINKED));
    cases.push(("1955", &new_year, &new_year, LINKED));
    judged(&cases);
    // Where many have the date that counting begins with, it is nobody's.
    judged(&[
        ("many", &real, &real, NAMELESS),
        ("many", &real, &real, NAMELESS),
        ("many", &real, &real, NAMELESS),
    ]);
}

#[test]
fn a_message_merges_what_it_says_unless_all_fields_are_another_persons() {
    let say = |voice| {
        let mut ledger = Ledger::default();
        ledger.say(RecordPair::new("0300", "0301"), Decision::Same, voice);
        ledger
    };
    let two = || {
        let (mut one, mut other) = (somebody(9_004), somebody(9_005));
        (one.sex, other.sex) = (Some(Sex::Female), Some(Sex::Male));
        one.names[0] =
            PersonName { given: vec!["Grace".into()], family: Some("Hopper".into()), suffix: None };
        other.names[0] =
            PersonName { given: vec!["Felix".into()], family: Some("Klein".into()), suffix: None };
        (one.birth, other.birth) = (birth(1950, 2, 3), birth(1981, 10, 29));
        (0..300).map(somebody).chain([one, other]).collect::<Vec<_>>()
    };
    let last_two = |persons: &Persons| of_two(persons, 300, 301);
    let persons = |all: &[Identity], voice| last_two(&all_persons(all, &say(voice), &Guard::default()));
    assert_eq!(persons(&two(), Voice::Message), (false, Some(ReviewReason::MergeAgainstFields)));
    assert_eq!(persons(&two(), Voice::Person), LINKED);
    // One of the three agrees: whoever merges knows why.
    let mut agree = two();
    agree[301].sex = Some(Sex::Female);
    assert_eq!(persons(&agree, Voice::Message), LINKED);
    // A file of the one shows somebody of another age.
    let all = agree;
    let mut guard = Guard::new(all.iter().collect());
    guard.add(300, Shown { age: Some(20.0), day: Some((2024, 1, 1)), ..Shown::default() });
    let shown = |voice| last_two(&all_persons(&all, &say(voice), &guard));
    assert_eq!(shown(Voice::Message), (false, Some(ReviewReason::WrongPatient)));
    assert_eq!(shown(Voice::Person), LINKED);
}

#[test]
fn a_person_outranks_a_message_on_the_way_as_well() {
    let all: Vec<Identity> = (0..300).map(somebody).collect();
    let mut ledger = Ledger::default();
    let pair = |a: u32, b: u32| RecordPair::new(format!("{a:04}"), format!("{b:04}"));
    ledger.say(pair(1, 2), Decision::Same, Voice::Message);
    ledger.say(pair(2, 3), Decision::Same, Voice::Person);
    ledger.say(pair(1, 3), Decision::Different, Voice::Person);
    let persons = all_persons(&all, &ledger, &Guard::default());
    assert_eq!(persons.of[2], persons.of[3]);
    assert_ne!(persons.of[1], persons.of[2]);
    let reason = persons.review.iter().find(|r| (r.left, r.right) == (1, 2)).unwrap().reason;
    assert_eq!(reason, ReviewReason::Decided);
}

#[test]
fn a_record_whose_number_was_given_out_again_joins_nobody() {
    let mut all: Vec<Identity> = (0..300).chain([10, 11]).map(somebody).collect();
    // Record 302 is number 4711, first somebody's and later another's; both have records of that number.
    let mut both = somebody(10);
    both.names.extend(somebody(11).names);
    all.push(both);
    for row in [300, 301, 302] {
        number(&mut all[row], IdentifierKind::MedicalRecord, "4711");
    }
    let mut guard = Guard::new(all.iter().collect());
    guard.add_reused(302);
    let persons = all_persons(&all, &Ledger::default(), &guard);
    assert_eq!((persons.of[300], persons.of[301], persons.of[302]), (10, 11, 302));
    let reasons = persons.review.iter().filter(|r| r.right == 302).map(|r| r.reason).collect::<Vec<_>>();
    assert!(reasons.len() >= 2 && reasons.iter().all(|r| *r == ReviewReason::ReusedNumber), "{reasons:?}");
    // A person who looked may join it.
    let mut ledger = Ledger::default();
    ledger.say(RecordPair::new("0301", "0302"), Decision::Same, Voice::Person);
    let persons = all_persons(&all, &ledger, &guard);
    assert_eq!((persons.of[300], persons.of[301]), (10, persons.of[302]));
}
