//! Time to an event, possibly censored. Times are 0 or more, in any one unit; `event` says whether
//! follow-up ended in the event; a higher `risk` means an earlier event.

mod brier;
mod calibration;
mod concordance;
mod fenwick;
mod kaplan_meier;

pub use brier::{Censoring, brier_curve, integrated_brier};
pub use calibration::{HorizonCalibration, HorizonGroup, horizon_calibration};
pub use concordance::{Concordance, harrell, regression_concordance, uno};
pub use kaplan_meier::{KaplanMeier, KaplanMeierStep};
