//! From held-out predictions to everything statistical in a [`Report`].

use crate::{Error, HeldOut, Report};

/// What a recipe fixes before the run about how it will be judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AssessOptions {
    /// The smallest difference in the deciding metric that is held to matter.
    pub margin: f64,
    /// Seed of every random draw (bootstrap, random missingness).
    pub seed: u64,
    /// Bootstrap replicates where there is no closed form for an interval.
    pub bootstrap: usize,
}

/// Fills everything statistical in `report`; what the pipeline wrote before (words, data flow, findings,
/// protocol, configurations tried) stays.
///
/// # Errors
/// Held-out predictions whose shapes do not fit each other.
pub fn assess(held_out: &HeldOut, options: &AssessOptions, mut report: Report) -> Result<Report, Error> {
    report.task = held_out.task.kind;
    report.margin = Some(options.margin);
    Ok(report)
}
