//! The report: everything that `report.json` holds and `report.html` shows.
//!
//! The types are the documented schema ([`report_schema`]). Keys come in the order of the fields and
//! maps are sorted, so the same report gives the same bytes. Numbers that could not be computed are
//! absent (`null` or no entry), never NaN. No subject's id and no subject's value is in a report.

mod attribution;
mod cohort;
mod curves;
mod models;
mod subsets;

pub use attribution::{AttributionSummary, FeatureShare, InteractionSummary, ModalitySummary};
pub use cohort::{FlowStep, ModalityCount, Protocol, ReportFinding, Subgroup};
pub use curves::{
    AtRisk, Calibration, CalibrationBin, CurvePoint, DecisionPoint, DegradationPoint, PatternCalibration,
    RiskGroup, RocCurve, RocPoint, RocThreshold, SurvivalCurves,
};
pub use models::{Comparison, FoldSelection, Measure, ModelKind, ModelResult, Verdict};
pub use subsets::{Conformal, Pattern, SubsetResult};

use chiasm_record::TaskKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one run found: the question, the cohort, the models, the comparison, the verdict, and what
/// the predictions rest on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this schema; see [`Report::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The recipe's name.
    pub recipe: String,
    /// The clinical question in one sentence.
    pub question: String,
    /// Who may use the predictions, for what, and for what not.
    pub intended_use: String,
    /// Limits that the recipe states, a sentence each.
    pub limits: Vec<String>,
    /// Name and version of the program that made the run.
    pub software: String,
    /// Hash over recipe, site, data and seed: two runs with the same fingerprint give the same report.
    pub fingerprint: String,
    /// The command that makes this run again.
    pub reproduce: String,

    /// The kind of question.
    #[schemars(with = "TaskKindSchema")]
    pub task: TaskKind,
    /// What each output stands for.
    pub outputs: Vec<String>,
    /// Years at which survival is judged (calibration, thresholds, decision curve); survival tasks only.
    pub horizon: Option<f64>,
    /// Subjects evaluated.
    pub n: usize,
    /// Subjects with the event; `null` where the task has no event (regression, several classes).
    pub events: Option<usize>,
    /// The recipe's modalities, in its order, with the number of subjects who have each.
    pub modalities: Vec<ModalityCount>,

    /// The metric that the verdict is about: a key of [`ModelResult::metrics`], such as `auroc` or `c_index`.
    pub metric: String,
    /// The smallest difference in that metric that is held to matter, fixed before the run.
    pub margin: Option<f64>,
    /// Every model that was evaluated: singles, fusions, references.
    pub models: Vec<ModelResult>,
    /// The name of the chosen fusion.
    pub selected: String,
    /// The name of the best single modality, chosen inside training.
    pub best_single: String,
    /// Paired comparisons on the same subjects.
    pub comparisons: Vec<Comparison>,
    /// Whether fusion helped.
    pub verdict: Verdict,
    /// The verdict as a clinician reads it; made by [`crate::verdict_words`].
    pub verdict_words: String,

    /// What the chosen fusion does with every non-empty subset of the modalities.
    pub subsets: Vec<SubsetResult>,
    /// The subjects by which modalities they really have.
    pub patterns: Vec<Pattern>,
    /// The metric as modalities go missing at random.
    pub degradation: Vec<DegradationPoint>,
    /// Whether predicted risks match what happened.
    pub calibration: Option<Calibration>,
    /// Whether the prediction sets hold what they promise, and how often the run abstains.
    pub conformal: Option<Conformal>,
    /// Thresholds locked on tuning data, and what they do on untouched data.
    pub thresholds: Vec<RocThreshold>,
    /// Receiver operating characteristic per model.
    pub roc: Vec<RocCurve>,
    /// Net benefit over thresholds.
    pub decision_curve: Vec<DecisionPoint>,
    /// Kaplan-Meier by tertile of predicted risk; survival tasks only.
    pub kaplan_meier: Option<SurvivalCurves>,
    /// The metrics in parts of the cohort.
    pub subgroups: Vec<Subgroup>,
    /// What drives the prediction.
    pub attribution: Option<AttributionSummary>,

    /// From the files to the subjects evaluated, step by step.
    pub data_flow: Vec<FlowStep>,
    /// Doubts about the input that did not stop the run.
    pub findings: Vec<ReportFinding>,
    /// How the data were split and the models trained.
    pub protocol: Protocol,
    /// Which fusion each outer fold chose.
    pub selection: Vec<FoldSelection>,
    /// How many configurations were tried over the whole run, across models and folds.
    pub configurations_tried: usize,
}

impl Report {
    /// The version of the schema that this code writes.
    pub const SCHEMA_VERSION: u32 = 1;

    /// A report in which nothing is known yet but the recipe and the kind of question: every list
    /// is empty and the verdict is [`Verdict::Inconclusive`].
    pub fn new(recipe: impl Into<String>, task: TaskKind) -> Self {
        Self {
            schema_version: Self::SCHEMA_VERSION,
            recipe: recipe.into(),
            question: String::new(),
            intended_use: String::new(),
            limits: Vec::new(),
            software: String::new(),
            fingerprint: String::new(),
            reproduce: String::new(),
            task,
            outputs: Vec::new(),
            horizon: None,
            n: 0,
            events: None,
            modalities: Vec::new(),
            metric: String::new(),
            margin: None,
            models: Vec::new(),
            selected: String::new(),
            best_single: String::new(),
            comparisons: Vec::new(),
            verdict: Verdict::Inconclusive,
            verdict_words: String::new(),
            subsets: Vec::new(),
            patterns: Vec::new(),
            degradation: Vec::new(),
            calibration: None,
            conformal: None,
            thresholds: Vec::new(),
            roc: Vec::new(),
            decision_curve: Vec::new(),
            kaplan_meier: None,
            subgroups: Vec::new(),
            attribution: None,
            data_flow: Vec::new(),
            findings: Vec::new(),
            protocol: Protocol::default(),
            selection: Vec::new(),
            configurations_tried: 0,
        }
    }

    /// The model of that name.
    pub fn model(&self, name: &str) -> Option<&ModelResult> {
        self.models.iter().find(|m| m.name == name)
    }

    /// The comparison that the verdict rests on: the one marked [`Comparison::decides`], else chosen
    /// fusion against best single modality in the report's metric.
    pub fn deciding_comparison(&self) -> Option<&Comparison> {
        self.comparisons.iter().find(|c| c.decides).or_else(|| self.named_comparison())
    }

    /// The chosen fusion against the best single modality, in the report's metric.
    pub fn named_comparison(&self) -> Option<&Comparison> {
        let named =
            |c: &&Comparison| c.a == self.selected && c.b == self.best_single && c.metric == self.metric;
        self.comparisons.iter().find(named)
    }

    /// The text of `report.json`: indented, one line break at the end, same report same bytes.
    ///
    /// # Errors
    /// A number that is not finite where the schema requires one: such a report could not be read back.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        Self::from_json(&text)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads the text of a `report.json`.
    ///
    /// # Errors
    /// Text that is not JSON, or lacks a key that the schema requires; the message has line and column.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Versioned {
            schema_version: u32,
        }
        let Versioned { schema_version } = serde_json::from_str(text)?;
        if schema_version != Self::SCHEMA_VERSION {
            let message =
                format!("schema_version: found {schema_version}, expected {}", Self::SCHEMA_VERSION);
            return Err(serde::de::Error::custom(message));
        }
        serde_json::from_str(text)
    }
}

/// The JSON Schema (2020-12) of `report.json`, generated from [`Report`].
pub fn report_schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

/// Mirrors [`TaskKind`] for the schema, since the shared words do not know schemas.
#[derive(JsonSchema)]
#[schemars(rename = "TaskKind", rename_all = "snake_case")]
#[allow(dead_code)]
enum TaskKindSchema {
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
