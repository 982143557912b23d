//! What every metric asks of its input before it counts anything.

use crate::Error;

/// `found` entries where `expected` belong.
pub(crate) fn length(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Length { what, expected, found }) }
}

/// At least `needed` of them.
pub(crate) fn at_least(what: &'static str, needed: usize, found: usize) -> Result<(), Error> {
    if found >= needed { Ok(()) } else { Err(Error::TooFew { what, needed, found }) }
}

/// No NaN, no infinity.
pub(crate) fn finite(what: &'static str, values: &[f64]) -> Result<(), Error> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(position) => Err(Error::NotFinite { what, position }),
        None => Ok(()),
    }
}

/// Finite and from 0 to 1.
pub(crate) fn probabilities(what: &'static str, values: &[f64]) -> Result<(), Error> {
    finite(what, values)?;
    match values.iter().position(|v| !(0.0..=1.0).contains(v)) {
        Some(position) => Err(Error::OutOfRange { what, position, expected: "a probability from 0 to 1" }),
        None => Ok(()),
    }
}

/// A label and a probability each, at least one of them.
pub(crate) fn labelled(positive: &[bool], probability: &[f64]) -> Result<(), Error> {
    length("probability", positive.len(), probability.len())?;
    at_least("subjects", 1, positive.len())?;
    probabilities("probability", probability)
}

/// Finite scores, one a label, both classes there. Returns (positives, negatives).
pub(crate) fn two_classes(positive: &[bool], score: &[f64]) -> Result<(usize, usize), Error> {
    length("score", positive.len(), score.len())?;
    finite("score", score)?;
    let positives = positive.iter().filter(|&&p| p).count();
    if positives == 0 || positives == positive.len() {
        return Err(Error::OneClass { positives, of: positive.len() });
    }
    Ok((positives, positive.len() - positives))
}

/// Follow-up times (finite, 0 or more), one event flag each, at least one of them.
pub(crate) fn follow_up(time: &[f64], event: &[bool]) -> Result<(), Error> {
    length("event", time.len(), event.len())?;
    at_least("subjects", 1, time.len())?;
    finite("time", time)?;
    match time.iter().position(|&t| t < 0.0) {
        Some(position) => Err(Error::OutOfRange { what: "time", position, expected: "0 or more" }),
        None => Ok(()),
    }
}
