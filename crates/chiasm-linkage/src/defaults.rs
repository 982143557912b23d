//! What is assumed before any data speak, and how many records' worth of say it has.
//!
//! The chances are those of well-kept registers (a few per cent of fields wrong); estimation moves them
//! as soon as there are pairs to learn from.

use crate::FieldKind;
use crate::levels::{MOST, Measure};

/// How often two fields of one person change places.
pub(crate) const SWAP: f32 = 0.01;

/// How many records' worth the usual frequency of a value counts.
pub(crate) const FREQUENCY_WEIGHT: f32 = 50.0;

/// How often a value of this kind stands in a register, the mean over persons.
pub(crate) fn frequency(kind: FieldKind) -> f32 {
    match kind {
        FieldKind::GivenName => 5e-3,
        FieldKind::FamilyName | FieldKind::FullName => 1e-3,
        FieldKind::BirthDate => 1.0 / 25_000.0,
        FieldKind::Sex | FieldKind::NameSuffix => 0.5,
        FieldKind::Postcode | FieldKind::Street | FieldKind::City => 1e-3,
        FieldKind::HouseNumber => 0.02,
        FieldKind::State => 0.2,
        FieldKind::Phone | FieldKind::Email | FieldKind::NationalId | FieldKind::MedicalRecord => 1e-6,
        FieldKind::BirthYear | FieldKind::BirthMonth | FieldKind::BirthDay => 0.1,
        FieldKind::Other | FieldKind::Authority | FieldKind::Ignore => 0.1,
    }
}

/// The chance of each level for two records of one person.
pub(crate) fn matching(measure: Measure) -> [f64; MOST] {
    fill(match measure {
        Measure::Name => &[0.0, 0.83, 0.03, 0.05, 0.02, 0.015, 0.005, 0.01, 0.04],
        Measure::Date => &[0.0, 0.9, 0.03, 0.01, 0.01, 0.01, 0.005, 0.01, 0.005, 0.02],
        Measure::Postcode => &[0.0, 0.8, 0.03, 0.03, 0.01, 0.13],
        Measure::Number => &[0.0, 0.9, 0.03, 0.01, 0.06],
        Measure::Record => &[0.0, 0.95, 0.01, 0.04],
        Measure::Words => &[0.0, 0.75, 0.04, 0.02, 0.02, 0.01, 0.16],
        Measure::House => &[0.0, 0.8, 0.03, 0.17],
        Measure::Equal => &[0.0, 0.97, 0.03],
        Measure::Encoded => &[0.0, 0.85, 0.04, 0.04, 0.02, 0.05],
        Measure::Order => &[0.0, 0.978, 0.01, 0.006, 0.006],
    })
}

/// The chance of each level for two records of two persons.
pub(crate) fn random(measure: Measure) -> [f64; MOST] {
    fill(match measure {
        Measure::Name => &[0.0, 0.003, 0.002, 0.001, 0.001, 0.002, 0.003, 0.01, 0.978],
        Measure::Date => &[0.0, 4e-5, 5e-4, 2e-5, 5e-3, 8e-4, 2.5e-3, 9e-3, 1e-3, 0.981],
        Measure::Postcode => &[0.0, 1e-3, 0.01, 0.05, 0.05, 0.889],
        Measure::Number => &[0.0, 1e-6, 1e-5, 1e-4, 1.0],
        Measure::Record => &[0.0, 1e-6, 1e-5, 1.0],
        Measure::Words => &[0.0, 1e-3, 5e-4, 5e-4, 0.05, 2e-3, 0.946],
        Measure::House => &[0.0, 0.02, 0.1, 0.88],
        Measure::Equal => &[0.0, 0.5, 0.5],
        Measure::Encoded => &[0.0, 0.01, 0.002, 0.005, 0.02, 0.963],
        // Rarity speaks for swaps; a crossed name beside a near one is as common as a near name.
        Measure::Order => &[0.0, 1.0, 1.0, 0.02, 1.0],
    })
}

fn fill(chances: &[f64]) -> [f64; MOST] {
    let mut all = [0.0; MOST];
    all[..chances.len()].copy_from_slice(chances);
    all
}
