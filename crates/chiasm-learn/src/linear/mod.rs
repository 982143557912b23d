//! Ridge regression for every head: linear, logistic, multinomial, Cox (Efron ties).
