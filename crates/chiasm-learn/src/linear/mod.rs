//! Ridge regression for every head: linear, logistic, multinomial, multi-label, Cox (Efron ties).
//!
//! # Convention
//! A fit maximises `sum_i w_i l_i(b) - lambda/2 * sum_j f_j (b_j - b0_j)^2`: a *sum* of log-likelihoods,
//! so a `lambda` means the same number of pseudo-observations whatever the number of rows. It equals
//! `theta` of R's `survival::ridge(scale = FALSE)`, `1/C` of scikit-learn's `LogisticRegression`, `alpha` of its
//! `Ridge`, and `n * lambda` of `glmnet(alpha = 0)` for the binomial and multinomial families. The
//! intercept is not penalised. Columns are taken as they come: the caller standardises them.
//!
//! Scores are on the link scale: log-odds, one linear predictor a class, the value itself, or log-risk.

mod cox;
mod fit;
mod likelihood;
mod newton;
mod pca;
mod rotate;
mod shapley;

pub use fit::{Linear, Options};
pub use pca::Pca;
pub use shapley::Shapley;

pub(crate) use cox::Cox;
pub(crate) use likelihood::{Likelihood, row_weights};
