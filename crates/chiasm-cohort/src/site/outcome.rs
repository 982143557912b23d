use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that is known only afterwards and can be asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OutcomeBinding {
    /// An event with the time at which it happened, and the time of the last information.
    Event(EventOutcome),
    /// A follow-up time and whether it ended in the event.
    Survival(SurvivalOutcome),
    /// One of several classes.
    Class(ClassOutcome),
    /// A number.
    Value(ValueOutcome),
    /// Several yes-or-no labels.
    Labels(LabelsOutcome),
}

/// An event with the time at which it happened, and the time of the last information.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventOutcome {
    /// The table's name in the site.
    pub table: String,
    /// Whether the event happened.
    pub event: EventCodes,
    /// The column of the time at which it happened.
    pub time_of_event: String,
    /// The column of the time of the last information.
    pub time_of_last: String,
    /// The unit of both times.
    pub unit: TimeUnit,
    /// What a time below 0 means.
    #[serde(default)]
    pub negative_time: NegativeTime,
    /// What an event after the horizon of a binary question means.
    #[serde(default)]
    pub late_event: LateEvent,
    /// Subjects without the event who fit this count as free of it at any horizon, however short their
    /// follow-up (`{ survival_status = ["living"] }`). Some sources publish such a rule; it takes
    /// censored subjects for event-free ones, so every use is a Finding.
    #[serde(default)]
    pub free_where: BTreeMap<String, Vec<String>>,
}

/// A follow-up time and whether it ended in the event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurvivalOutcome {
    /// The table's name in the site.
    pub table: String,
    /// The column of the follow-up time.
    pub time: String,
    /// Its unit.
    pub unit: TimeUnit,
    /// Whether the time ended in the event. (For a column that flags censoring, `yes` is its 0.)
    pub event: EventCodes,
    /// What a time below 0 means.
    #[serde(default)]
    pub negative_time: NegativeTime,
    /// What an event after the horizon of a binary question means.
    #[serde(default)]
    pub late_event: LateEvent,
}

/// A column that says whether something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventCodes {
    /// The column.
    pub column: String,
    /// The codes that mean yes.
    pub yes: Vec<String>,
    /// The codes that mean no.
    pub no: Vec<String>,
}

/// One of several classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassOutcome {
    /// The table's name in the site.
    pub table: String,
    /// The column.
    pub column: String,
    /// The classes, in the order of the task's outputs.
    pub levels: Vec<String>,
    /// For a binary question: the class that is "yes". Without it the second of two levels is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
}

/// A number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueOutcome {
    /// The table's name in the site.
    pub table: String,
    /// The column.
    pub column: String,
    /// UCUM unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// Several yes-or-no labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelsOutcome {
    /// The table's name in the site.
    pub table: String,
    /// The columns, one a label, in the order of the task's outputs.
    pub columns: Vec<String>,
    /// The codes that mean yes.
    pub yes: Vec<String>,
    /// The codes that mean no.
    pub no: Vec<String>,
}

/// The unit of a time (UCUM).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TimeUnit {
    /// Days.
    #[serde(rename = "d")]
    Days,
    /// Months.
    #[serde(rename = "mo")]
    Months,
    /// Years.
    #[serde(rename = "a")]
    Years,
}

impl TimeUnit {
    /// A time in years: 365.25 days or 12 months make one.
    pub fn years(self, time: f64) -> f64 {
        match self {
            Self::Days => time / 365.25,
            Self::Months => time / 12.0,
            Self::Years => time,
        }
    }
}

/// What a time below 0 means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NegativeTime {
    /// An error.
    #[default]
    Error,
    /// The subject is left out, and listed in a Finding.
    Exclude,
}

/// What an event after the horizon of a binary question means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LateEvent {
    /// "No": the subject was free of it at the horizon.
    #[default]
    Free,
    /// The subject is left out, and counted.
    Exclude,
}

impl OutcomeBinding {
    /// The table's name in the site.
    pub fn table(&self) -> &str {
        match self {
            Self::Event(o) => &o.table,
            Self::Survival(o) => &o.table,
            Self::Class(o) => &o.table,
            Self::Value(o) => &o.table,
            Self::Labels(o) => &o.table,
        }
    }

    /// Every column that the outcome is made of.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Event(o) => [&o.event.column, &o.time_of_event, &o.time_of_last]
                .into_iter()
                .chain(o.free_where.keys())
                .map(String::as_str)
                .collect(),
            Self::Survival(o) => vec![&o.time, &o.event.column],
            Self::Class(o) => vec![&o.column],
            Self::Value(o) => vec![&o.column],
            Self::Labels(o) => o.columns.iter().map(String::as_str).collect(),
        }
    }
}
