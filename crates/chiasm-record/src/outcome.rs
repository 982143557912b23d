use serde::{Deserialize, Serialize};

/// The kind of question a recipe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Yes or no.
    Binary,
    /// One of several classes.
    MultiClass,
    /// Several yes-or-no labels at once.
    MultiLabel,
    /// A number.
    Regression,
    /// Time to an event, possibly censored.
    Survival,
}

/// The question together with what its outputs are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The kind of question.
    pub kind: TaskKind,
    /// What each output stands for: one name for binary, regression and survival tasks, a class or
    /// label each otherwise.
    pub outputs: Vec<String>,
}

/// The answers that training knows, one entry per subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Whether the event happened.
    Binary(Vec<bool>),
    /// Index into the task's outputs.
    MultiClass(Vec<usize>),
    /// `[subject][label]`.
    MultiLabel(Vec<Vec<bool>>),
    /// In the unit of the site's column.
    Regression(Vec<f64>),
    /// Follow-up time in years (0 or more) and whether it ended in the event.
    Survival {
        /// Years from the index time to the event or to the last information.
        time: Vec<f64>,
        /// Whether the event happened at that time (otherwise censored).
        event: Vec<bool>,
    },
}

impl Outcome {
    /// Number of subjects.
    pub fn len(&self) -> usize {
        match self {
            Self::Binary(v) => v.len(),
            Self::MultiClass(v) => v.len(),
            Self::MultiLabel(v) => v.len(),
            Self::Regression(v) => v.len(),
            Self::Survival { time, .. } => time.len(),
        }
    }

    /// Whether there is no subject.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The kind of question that this answers.
    pub fn kind(&self) -> TaskKind {
        match self {
            Self::Binary(_) => TaskKind::Binary,
            Self::MultiClass(_) => TaskKind::MultiClass,
            Self::MultiLabel(_) => TaskKind::MultiLabel,
            Self::Regression(_) => TaskKind::Regression,
            Self::Survival { .. } => TaskKind::Survival,
        }
    }

    /// The answers of `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Binary(v) => Self::Binary(rows.iter().map(|&r| v[r]).collect()),
            Self::MultiClass(v) => Self::MultiClass(rows.iter().map(|&r| v[r]).collect()),
            Self::MultiLabel(v) => Self::MultiLabel(rows.iter().map(|&r| v[r].clone()).collect()),
            Self::Regression(v) => Self::Regression(rows.iter().map(|&r| v[r]).collect()),
            Self::Survival { time, event } => Self::Survival {
                time: rows.iter().map(|&r| time[r]).collect(),
                event: rows.iter().map(|&r| event[r]).collect(),
            },
        }
    }

    /// A small integer per subject that a stratified split keeps balanced: the class, the event
    /// flag, the number of positive labels; quartile for a regression.
    pub fn strata(&self) -> Vec<usize> {
        match self {
            Self::Binary(v) => v.iter().map(|&b| usize::from(b)).collect(),
            Self::MultiClass(v) => v.clone(),
            Self::MultiLabel(v) => v.iter().map(|l| l.iter().filter(|&&b| b).count()).collect(),
            Self::Regression(v) => {
                let mut order: Vec<usize> = (0..v.len()).collect();
                order.sort_by(|&a, &b| v[a].total_cmp(&v[b]));
                let mut strata = vec![0; v.len()];
                for (rank, &i) in order.iter().enumerate() {
                    strata[i] = rank * 4 / v.len().max(1);
                }
                strata
            }
            Self::Survival { event, .. } => event.iter().map(|&b| usize::from(b)).collect(),
        }
    }
}
