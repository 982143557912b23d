//! Predictions -> metrics, intervals, tests, subgroups -> Report. Never sees a model or a patient's features.
