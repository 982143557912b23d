use crate::FieldKind;
use crate::compare::{Agreement, Comparer};
use crate::levels::{EXACT, Measure};

/// Whether a rule settles a pair before any probability: the same record number of one authority, or the
/// same national id and the same date of birth.
///
/// A rule never outvotes the fields: a pair that it settles and the fields contradict goes to review.
pub(crate) fn certain(comparer: &Comparer, agreement: &Agreement) -> bool {
    let exact = |wanted: &dyn Fn(Measure, FieldKind) -> bool| {
        let mut all = comparer.comparisons.iter().zip(agreement.levels);
        all.any(|(comparison, level)| level == EXACT && wanted(comparison.measure, comparison.kind))
    };
    exact(&|measure, _| measure == Measure::Record)
        || exact(&|_, kind| kind == FieldKind::NationalId) && exact(&|_, kind| kind == FieldKind::BirthDate)
}

/// Whether a key's blocks hold pairs that a rule may settle.
pub(crate) fn may_settle(comparer: &Comparer, touches: u32) -> bool {
    let mut all = comparer.comparisons.iter().enumerate();
    all.any(|(at, comparison)| touches == 1 << at && settles(comparison.kind))
}

/// Whether a rule rests on this kind of field.
pub(crate) fn settles(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::MedicalRecord | FieldKind::NationalId)
}
