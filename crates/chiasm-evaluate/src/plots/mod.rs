//! The report's plots: pure functions from figures to SVG text. No script, no fonts, no clock.

mod attribution;
mod axes;
mod curves;
mod intervals;
mod legend;
mod subsets;
mod survival;
pub(crate) mod svg;

pub(crate) use attribution::{interactions, shares, strength_bar};
pub(crate) use curves::{calibration, decision, degradation, roc};
pub(crate) use intervals::Whiskers;
pub(crate) use subsets::{MOST_ROWS as MOST_SUBSETS, subset_matrix};
pub(crate) use survival::kaplan_meier;
