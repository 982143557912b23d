//! Whether one model is better than another, on the same subjects.
//!
//! On held-out data: [`delong_test`], [`concordance_test`], [`paired_bootstrap`], [`mcnemar`]. Over
//! cross-validation: [`repeated_auroc_test`], [`repeated_concordance_test`], [`nadeau_bengio`]. Several
//! comparisons: [`holm`]. What to say of it: [`verdict`].

mod bootstrap;
mod difference;
mod holm;
mod mcnemar;
mod nadeau_bengio;
mod paired;
mod verdict;

pub use bootstrap::{Bootstrap, bootstrap, paired_bootstrap};
pub use difference::Difference;
pub use holm::holm;
pub use mcnemar::{McNemar, mcnemar};
pub use nadeau_bengio::{fold_differences, nadeau_bengio, test_over_train};
pub use paired::{concordance_test, delong_test, repeated_auroc_test, repeated_concordance_test};
pub use verdict::verdict;
