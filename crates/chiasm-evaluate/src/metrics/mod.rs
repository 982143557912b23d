//! One number for how good predictions are, and how sure we are of it. Pure functions: slices in,
//! typed results out.
//!
//! - Binary: [`auroc`], [`Delong`], [`roc_curve`], [`auprc`], [`brier`], [`log_loss`],
//!   [`recalibration`], [`calibration_curve`], [`Confusion`], [`youden_threshold`], [`net_benefit`].
//! - Several classes or labels: [`macro_auroc`], [`multi_label_auroc`], [`accuracy`],
//!   [`multi_class_log_loss`].
//! - Numbers: [`rmse`], [`mae`], [`r2`], [`spearman`], [`survival::regression_concordance`].
//! - Time to event: [`survival`].
//! - Over repeated cross-validation: [`repeated`].
//!
//! All intervals are at 95 %. A higher score always means "more likely positive" or "at higher risk".

mod calibration;
pub(crate) mod check;
mod classes;
mod delong;
pub(crate) mod interval;
mod net_benefit;
mod probability;
pub(crate) mod rank;
mod regression;
pub mod repeated;
mod roc;
pub mod survival;
mod threshold;

pub use calibration::{
    CalibrationGroup, Recalibration, calibration_curve, calibration_error, calibration_in_the_large,
    recalibration,
};
pub use classes::{MacroAuroc, accuracy, macro_auroc, multi_class_log_loss, multi_label_auroc};
pub use delong::Delong;
pub use interval::{Z_95, wilson};
pub use net_benefit::{NetBenefit, net_benefit};
pub use probability::{brier, log_loss};
pub use regression::{mae, r2, rmse, spearman};
pub use roc::{OperatingPoint, auprc, auroc, roc_curve, youden_threshold};
pub use threshold::Confusion;
