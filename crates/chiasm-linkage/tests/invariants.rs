//! What must hold whatever the records: symmetry, determinism, reversible merges, decisions that survive.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_linkage::{
    Address, BirthDate, ClusterConfig, Decision, EncodingKey, Identifier, IdentifierKind, Identity, Index,
    Ledger, LinkConfig, PersonName, Persons, RecordPair, Records, RecordsBuilder, ReviewReason, Sex, Voice,
    link, persons,
};
use proptest::prelude::*;

const GIVEN: [&str; 16] = [
    "anna", "peter", "maria", "james", "lucy", "oliver", "emma", "robert", "susan", "daniel", "helen",
    "marcus", "ivy", "george", "clara", "felix",
];
const FAMILY: [&str; 20] = [
    "smith", "jones", "taylor", "brown", "wilson", "evans", "thomas", "roberts", "walker", "wright",
    "hughes", "edwards", "green", "lewis", "wood", "harris", "martin", "cooper", "ward", "kowalski",
];

/// A draw that is the same every time.
fn draw(seed: u64, of: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(of.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 16
}

fn somebody(number: u64) -> Identity {
    let pick = |of: u64, from: &[&str]| from[draw(number, of) as usize % from.len()].to_owned();
    // Two syllables more make names that are as many as in life.
    let family = format!("{}{}", pick(1, &FAMILY), pick(2, &["", "", "son", "ley", "man", "ton", "field"]));
    Identity {
        identifiers: vec![Identifier {
            authority: "north".into(),
            value: format!("{number:06}"),
            kind: IdentifierKind::Source,
        }],
        names: vec![PersonName { given: vec![pick(0, &GIVEN)], family: Some(family), suffix: None }],
        birth: Some(BirthDate {
            year: 1930 + (draw(number, 3) % 90) as i16,
            month: Some(1 + (draw(number, 4) % 12) as u8),
            day: Some(1 + (draw(number, 5) % 28) as u8),
        }),
        sex: Some(if draw(number, 6).is_multiple_of(2) { Sex::Female } else { Sex::Male }),
        addresses: vec![Address {
            postcode: Some(format!("{:05}", draw(number, 7) % 3000)),
            city: Some(pick(8, &["york", "leeds", "bath", "ely", "truro"])),
            ..Address::default()
        }],
        ..Identity::default()
    }
}

/// The same person as another system has it: one thing wrong, missing or changed.
fn again(number: u64) -> Identity {
    let mut identity = somebody(number);
    match draw(number, 9) % 6 {
        0 => {
            let family = identity.names[0].family.take().unwrap();
            identity.names[0].family =
                Some(family.replacen('e', "ee", 1) + if family.contains('e') { "" } else { "s" });
        }
        1 => {
            let family = identity.names[0].family.take().unwrap();
            let given = std::mem::replace(&mut identity.names[0].given[0], family);
            identity.names[0].family = Some(given);
        }
        2 => identity.addresses.clear(),
        3 => identity.birth.as_mut().unwrap().day = Some(1 + (draw(number, 10) % 28) as u8),
        4 => identity.addresses[0].postcode = Some(format!("{:05}", draw(number, 11) % 3000)),
        _ => {}
    }
    identity
}

/// `people` persons, the first `twice` of them in two records.
fn planted(people: u64, twice: u64) -> Vec<(String, Identity)> {
    let first = (0..people).map(|n| (format!("a{n}"), somebody(n)));
    first.chain((0..twice).map(|n| (format!("b{n}"), again(n)))).collect()
}

fn records(planted: &[(String, Identity)]) -> Records {
    Records::from_identities(planted.iter().map(|(id, identity)| (id.as_str(), identity)))
}

fn all_persons(records: &Records, ledger: &Ledger) -> Persons {
    let linkage = link(records, &LinkConfig::default());
    persons(records, &linkage, &ledger.decisions(), ClusterConfig { link: 0.99, ..ClusterConfig::default() })
}

#[test]
fn planted_duplicates_are_found() {
    let records = records(&planted(3_000, 600));
    let linkage = link(&records, &LinkConfig::default());
    let found: Vec<_> = linkage.pairs.iter().filter(|pair| pair.probability >= 0.5).collect();
    let right = found.iter().filter(|p| records.id(p.left)[1..] == records.id(p.right)[1..]).count();
    assert!(right >= 590, "{right} of 600");
    assert!(found.len() - right <= 6, "{} wrong", found.len() - right);
    // What was planted: one field in six is wrong of each kind, a sixth of the duplicates is exact.
    let moved =
        linkage.parameters().into_iter().find(|(f, l, ..)| f == "order of names" && *l == "swapped").unwrap();
    assert!((moved.2 - 1.0 / 6.0).abs() < 0.05, "m of swapped names {}", moved.2);
    let sex = linkage.parameters().into_iter().find(|(f, l, ..)| f == "sex" && *l == "exact").unwrap();
    assert!(sex.2 > 0.99 && (sex.3 - 0.5).abs() < 0.02);
    assert!(
        (linkage.prior() * records.pairs() / 600.0 - 1.0).abs() < 0.05,
        "{}",
        linkage.prior() * records.pairs()
    );
}

#[test]
fn the_same_on_any_number_of_threads() {
    let planted = planted(1_500, 300);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| link(&records(&planted), &LinkConfig::default()).pairs)
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn evidence_adds_up_and_is_symmetric() {
    let records = records(&planted(800, 200));
    let linkage = link(&records, &LinkConfig::default());
    for pair in linkage.pairs.iter().take(300) {
        let here = linkage.evidence(&records, pair.left, pair.right);
        assert_eq!(here, linkage.evidence(&records, pair.right, pair.left));
        let total: f32 = here.iter().map(|e| e.weight).sum();
        assert!((total - pair.total).abs() < 1e-3);
        let bits = linkage.prior_bits() + f64::from(total);
        assert!((1.0 / (1.0 + (-bits).exp2()) - pair.pairwise).abs() < 1e-6);
    }
}

#[test]
fn a_tiny_table_is_linked_by_the_defaults() {
    let mut planted = planted(6, 0);
    planted.push(("b0".into(), somebody(0)));
    let records = records(&planted);
    let linkage = link(&records, &LinkConfig::default());
    let sure: Vec<_> = linkage.pairs.iter().filter(|p| p.probability > 0.9).collect();
    assert_eq!(sure.len(), 1);
    assert_eq!((records.id(sure[0].left), records.id(sure[0].right)), ("a0", "b0"));
    assert!(link(&RecordsBuilder::new().finish(), &LinkConfig::default()).pairs.is_empty());
}

#[test]
fn decisions_outvote_fields_and_survive() {
    let planted = planted(600, 150);
    let records = records(&planted);
    let mut ledger = Ledger::default();
    let before = all_persons(&records, &ledger);
    let (a, b, _) = before.links[0];
    ledger.say(RecordPair::new(records.id(a), records.id(b)), Decision::Different, Voice::Person);
    let merged = ledger.say(RecordPair::new("a590", "a591"), Decision::Same, Voice::Message);
    let after = all_persons(&records, &ledger);
    assert_ne!(after.of[a as usize], after.of[b as usize]);
    assert_eq!(after.of[590], after.of[591]);
    // More records come; the decisions stand.
    let mut more = planted.clone();
    more.extend((600..800).map(|n| (format!("a{n}"), somebody(n))));
    let grown = self::records(&more);
    let again = all_persons(&grown, &ledger);
    assert_ne!(again.of[a as usize], again.of[b as usize]);
    assert_eq!(again.of[590], again.of[591]);
    // An undo gives back exactly what was.
    ledger.undo(merged).unwrap();
    ledger.undo(0).unwrap();
    assert_eq!(all_persons(&records, &ledger), before);
}

#[test]
fn numbers_bind_and_part() {
    let mut planted = planted(400, 100);
    let number = |kind, authority: &str, value: &str| Identifier {
        authority: authority.into(),
        value: value.into(),
        kind,
    };
    // The same chart number at one hospital binds two records whose address and spelling differ.
    planted[3].1.identifiers.push(number(IdentifierKind::MedicalRecord, "north", "777001"));
    planted[403].1.identifiers.push(number(IdentifierKind::MedicalRecord, "north", "777001"));
    // Two chart numbers at one hospital part two records that agree in all else.
    planted[5].1.identifiers.push(number(IdentifierKind::MedicalRecord, "north", "111111"));
    planted[405].1 = planted[5].1.clone();
    planted[405].1.identifiers[1].value = "999222".into();
    // The same chart number and nothing else the same: a person must look.
    planted[7].1.identifiers.push(number(IdentifierKind::MedicalRecord, "north", "555333"));
    planted[8].1.identifiers.push(number(IdentifierKind::MedicalRecord, "north", "555333"));
    // The same number at two hospitals says nothing.
    planted[11].1.identifiers.push(number(IdentifierKind::MedicalRecord, "north", "424242"));
    planted[12].1.identifiers.push(number(IdentifierKind::MedicalRecord, "south", "424242"));
    // Four stays of which a table says the person's number and nothing else.
    for stay in 20..24 {
        let person = number(IdentifierKind::MedicalRecord, "north", "888002");
        planted[stay].1 =
            Identity { identifiers: vec![person], sex: planted[20].1.sex, ..Identity::default() };
    }
    let records = records(&planted);
    let persons = all_persons(&records, &Ledger::default());
    assert!((21..24).all(|stay| persons.of[stay] == persons.of[20]), "{:?}", &persons.of[20..24]);
    assert_eq!(persons.of[3], persons.of[403]);
    assert_ne!(persons.of[5], persons.of[405]);
    let reason =
        |a: u32, b: u32| persons.review.iter().find(|r| (r.left, r.right) == (a, b)).map(|r| r.reason);
    assert_eq!(reason(5, 405), Some(ReviewReason::TwoNumbers));
    assert_ne!(persons.of[7], persons.of[8]);
    assert_eq!(reason(7, 8), Some(ReviewReason::NumberAgainstFields));
    assert_ne!(persons.of[11], persons.of[12]);
}

#[test]
fn encodings_link_like_names_do() {
    let key = EncodingKey::new(&[42; 32]).unwrap();
    let mut builder = RecordsBuilder::new();
    for (id, identity) in planted(1_500, 300) {
        builder.push_encoded(&id, &key.encode(&identity));
    }
    let records = builder.finish();
    let linkage = link(&records, &LinkConfig::default());
    let found: Vec<_> = linkage.pairs.iter().filter(|pair| pair.probability >= 0.5).collect();
    let right = found.iter().filter(|p| records.id(p.left)[1..] == records.id(p.right)[1..]).count();
    assert!(right >= 285 && found.len() - right <= 5, "{right} of 300, {} wrong", found.len() - right);
}

#[test]
fn the_index_finds_whose_a_record_is_and_forgets_the_question() {
    let planted = planted(2_000, 400);
    let known = records(&planted);
    let linkage = link(&known, &LinkConfig::default());
    let mut index = Index::new(known, linkage);
    let first = index.match_identity(&again(1_234), 0.01, 5);
    assert_eq!(index.id(first[0].row), "a1234");
    assert!(first[0].probability > 0.5 && !first[0].evidence.is_empty());
    let mut right = 0;
    for number in 1_000..1_200 {
        let matches = index.match_identity(&again(number), 0.01, 5);
        right += usize::from(matches.first().is_some_and(|best| index.id(best.row) == format!("a{number}")));
    }
    assert!(right >= 196, "{right} of 200");
    assert_eq!(index.match_identity(&again(1_234), 0.01, 5), first);
    assert_eq!(index.len(), 2_400);
    assert!(index.match_identity(&Identity::default(), 0.01, 5).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_is_taken(cells in proptest::collection::vec(("\\PC{0,12}", "\\PC{0,12}", "\\PC{0,12}"), 0..24)) {
        use chiasm_linkage::FieldKind as F;
        let mut builder = RecordsBuilder::new();
        for (n, (a, b, c)) in cells.iter().enumerate() {
            builder.push(&n.to_string(), [
                (F::GivenName, "g", a.as_str()), (F::FamilyName, "f", b), (F::BirthDate, "d", c), (F::Street, "s", a),
                (F::Postcode, "p", b), (F::MedicalRecord, "m", c), (F::FullName, "n", a), (F::Email, "e", b),
            ]);
        }
        let records = builder.finish();
        let linkage = link(&records, &LinkConfig::default());
        let persons = persons(&records, &linkage, &Default::default(), ClusterConfig::default());
        prop_assert_eq!(persons.of.len(), cells.len());
        for pair in &linkage.pairs {
            prop_assert!(pair.left < pair.right && (0.0..=1.0).contains(&pair.probability));
        }
    }
}
