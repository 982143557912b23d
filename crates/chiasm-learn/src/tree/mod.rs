//! Trees, forests and boosting that marginalise over what is missing, with exact Shapley values.
