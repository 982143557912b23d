//! A recipe: one clinical question as data. It holds no path and no code of one hospital.

use crate::Error;
use chiasm_cohort::{CohortSpec, TaskSpec, Wanted};
use chiasm_learn::config::{FusionConfig, LearnConfig, LearnerConfig};
use chiasm_record::{Modality, TaskKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A `recipe.toml`. Unknown keys are refused; required keys have no default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The recipe's name, as its folder is called.
    pub name: String,
    /// The clinical question in one sentence.
    pub question: String,
    /// Who may use the predictions, for what, and for what not.
    pub intended_use: String,
    /// What the predictions cannot do, a sentence each.
    #[serde(default)]
    pub limits: Vec<String>,
    /// When the prediction is made: nothing known only later may be an input.
    pub index_time: String,
    /// The site that the recipe runs on unless another is named.
    pub site: String,
    /// The seed of every random choice.
    pub seed: u64,
    /// What a user may set with `--set KEY=VALUE`, with its default.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// The question.
    pub task: TaskSpec,
    /// Years at which a survival question is answered (risk, calibration, net benefit).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon_years: Option<f64>,
    /// The kinds of evidence, in the order of the report.
    pub modalities: Vec<ModalityRecipe>,
    /// The fusions to try; training chooses among them.
    pub fusions: Vec<FusionConfig>,
    /// How subjects are held out.
    pub split: SplitRecipe,
    /// Folds of the cross-fitting inside each training set.
    pub inner_folds: usize,
    /// Share of subjects whose prediction set shall hold the truth, such as 0.9.
    pub confidence: f64,
    /// The smallest difference in the deciding metric (AUROC, C-index) that is held to matter.
    pub margin: f64,
    /// The site's partitions that the report looks at separately.
    #[serde(default)]
    pub subgroups: Vec<String>,
}

/// A value that a user may set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it means.
    pub help: String,
    /// The value unless set.
    pub default: String,
}

/// A kind of evidence and how it is learned alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModalityRecipe {
    /// The name, as sites know it.
    pub name: String,
    /// Whether a subject without it is left out.
    #[serde(default)]
    pub required: bool,
    /// The learners that its expert may be; the training data choose.
    pub experts: Vec<LearnerConfig>,
}

/// How subjects are held out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SplitRecipe {
    /// Stratified folds by subject, several times over.
    RepeatedKFold {
        /// Folds.
        folds: usize,
        /// Times.
        repeats: usize,
    },
    /// The folds that the site gives under this name.
    Given {
        /// The name.
        name: String,
    },
}

impl Recipe {
    /// Reads and checks a recipe. `place` names the file in messages.
    ///
    /// # Errors
    /// [`Error::Recipe`] with the line, the key, and the nearest known word.
    pub fn parse(text: &str, place: &str) -> Result<Self, Error> {
        let recipe: Self = toml::from_str(text).map_err(|e| Error::Recipe {
            place: at_line(place, text, e.span().map(|s| s.start)),
            message: with_nearest(e.message()),
        })?;
        recipe.check().map_err(|message| Error::Recipe { place: place.to_owned(), message })?;
        Ok(recipe)
    }

    /// What the types cannot say.
    fn check(&self) -> Result<(), String> {
        let names: BTreeSet<&str> = self.modalities.iter().map(|m| m.name.as_str()).collect();
        if names.len() < self.modalities.len() {
            return Err("modalities: a name stands twice".into());
        }
        if names.len() < 2 {
            return Err(format!(
                "modalities: found {}, expected at least 2: a fusion of one modality is none",
                names.len()
            ));
        }
        if names.len() > chiasm_record::Availability::MAX {
            return Err(format!(
                "modalities: found {}, expected at most {}",
                names.len(),
                chiasm_record::Availability::MAX
            ));
        }
        for m in &self.modalities {
            if m.experts.is_empty() {
                return Err(format!("modalities.{}: experts: found none, expected at least one", m.name));
            }
            for expert in &m.experts {
                check_learner(expert).map_err(|e| format!("modalities.{}: {e}", m.name))?;
            }
        }
        if self.fusions.is_empty() {
            return Err("fusions: found none, expected at least one".into());
        }
        let mut seen = BTreeSet::new();
        for fusion in &self.fusions {
            let name = fusion.name();
            if !seen.insert(name) || names.contains(name) {
                return Err(format!("fusions: the name '{name}' is taken"));
            }
            match fusion {
                FusionConfig::Concat { modalities: Some(wanted), learner, .. } => {
                    if let Some(m) = wanted.iter().find(|m| !names.contains(m.as_str())) {
                        return Err(format!(
                            "fusions.{name}: modality '{m}' is not known{}",
                            nearest(m, names.iter().copied())
                        ));
                    }
                    if wanted.len() < 2 {
                        return Err(format!("fusions.{name}: a fusion of one modality is none"));
                    }
                    check_learner(learner).map_err(|e| format!("fusions.{name}: {e}"))?;
                }
                FusionConfig::Concat { learner, .. } => {
                    check_learner(learner).map_err(|e| format!("fusions.{name}: {e}"))?;
                }
                FusionConfig::Net { net, .. } => {
                    net.check().map_err(|e| format!("fusions.{name}: net.{e}"))?;
                    let mut named = net.encoders.keys().chain(&net.asks);
                    if let Some(m) = named.find(|m| !names.contains(m.as_str())) {
                        return Err(format!(
                            "fusions.{name}: modality '{m}' is not known{}",
                            nearest(m, names.iter().copied())
                        ));
                    }
                }
                FusionConfig::Stacked { shrinkage, .. } => {
                    if shrinkage.is_empty() || shrinkage.iter().any(|s| !(s.is_finite() && *s >= 0.0)) {
                        return Err(format!(
                            "fusions.{name}: shrinkage: expected one or more numbers, 0 or more"
                        ));
                    }
                }
            }
        }
        match self.split {
            SplitRecipe::RepeatedKFold { folds, repeats } if folds < 2 || repeats < 1 => {
                return Err(format!(
                    "split: found {folds} folds, {repeats} repeats; expected at least 2 and 1"
                ));
            }
            _ => {}
        }
        if self.inner_folds < 2 {
            return Err(format!("inner_folds: found {}, expected at least 2", self.inner_folds));
        }
        if !(self.confidence > 0.5 && self.confidence < 1.0) {
            return Err(format!("confidence: found {}, expected above 0.5 and below 1", self.confidence));
        }
        if !(self.margin > 0.0 && self.margin < 0.5) {
            return Err(format!("margin: found {}, expected above 0 and below 0.5", self.margin));
        }
        match (self.task.kind, self.horizon_years) {
            (TaskKind::Survival, None) => return Err("horizon_years: a survival question needs it".into()),
            (TaskKind::Survival, Some(h)) if !(h.is_finite() && h > 0.0) => {
                return Err(format!("horizon_years: found {h}, expected above 0"));
            }
            (TaskKind::Survival, _) | (_, None) => {}
            (_, Some(_)) => return Err("horizon_years: only a survival question has it (a yes-or-no question about an event has task.horizon_years)".into()),
        }
        Ok(())
    }

    /// What the recipe asks of a site.
    pub fn cohort(&self) -> CohortSpec {
        CohortSpec {
            index_time: self.index_time.clone(),
            modalities: self
                .modalities
                .iter()
                .map(|m| Wanted { name: m.name.clone(), required: m.required })
                .collect(),
            task: self.task.clone(),
            subgroups: self.subgroups.clone(),
            folds: match &self.split {
                SplitRecipe::Given { name } => Some(name.clone()),
                SplitRecipe::RepeatedKFold { .. } => None,
            },
        }
    }

    /// Years at which the question is answered, for survival.
    pub fn horizon(&self) -> Option<f64> {
        self.horizon_years
    }

    /// What the recipe says about learning, for the modalities that the source has.
    pub fn learning(&self, there: &[Modality]) -> LearnConfig {
        let experts = there
            .iter()
            .filter_map(|m| self.modalities.iter().find(|r| r.name == m.as_str()))
            .map(|r| r.experts.clone())
            .collect();
        LearnConfig { experts, fusions: self.fusions.clone(), inner_folds: self.inner_folds }
    }

    /// The parameters with their defaults and what the user set.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a key that the recipe does not declare.
    pub fn parameters(&self, set: &[(String, String)]) -> Result<BTreeMap<String, String>, Error> {
        let mut values: BTreeMap<String, String> =
            self.parameters.iter().map(|(k, p)| (k.clone(), p.default.clone())).collect();
        for (key, value) in set {
            match values.get_mut(key) {
                Some(slot) => slot.clone_from(value),
                None => {
                    return Err(Error::Unknown {
                        what: "parameter",
                        name: key.clone(),
                        hint: nearest(key, self.parameters.keys().map(String::as_str)),
                    });
                }
            }
        }
        Ok(values)
    }

    /// The JSON Schema of `recipe.toml`.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}

fn check_learner(learner: &LearnerConfig) -> Result<(), String> {
    let bad = |key: &str, expected: &str| Err(format!("{key}: expected {expected}"));
    match learner {
        LearnerConfig::Ridge { penalties, components, .. } => {
            if penalties.is_empty() || penalties.iter().any(|p| !(p.is_finite() && *p > 0.0)) {
                return bad("penalties", "one or more numbers above 0");
            }
            if components == &Some(0) {
                return bad("components", "at least 1");
            }
        }
        LearnerConfig::Forest { trees, min_leaf, columns, .. } => {
            if *trees == 0 || *min_leaf == 0 {
                return bad("trees and min_leaf", "at least 1");
            }
            if columns.is_some_and(|c| !(c > 0.0 && c <= 1.0)) {
                return bad("columns", "a share above 0, at most 1");
            }
        }
        LearnerConfig::Boosted { rounds, learning_rate, depth, subsample, .. } => {
            if *rounds == 0 || *depth == 0 {
                return bad("rounds and depth", "at least 1");
            }
            if !(*learning_rate > 0.0 && *learning_rate <= 1.0 && *subsample > 0.0 && *subsample <= 1.0) {
                return bad("learning_rate and subsample", "above 0, at most 1");
            }
        }
    }
    Ok(())
}

/// `; did you mean 'x'?`, or a list of what there is.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let best = known.clone().map(|k| (strsim::jaro_winkler(name, k), k)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((similarity, k)) if similarity > 0.75 => format!("; did you mean '{k}'?"),
        Some(_) => format!("; there are {}", known.collect::<Vec<_>>().join(", ")),
        None => "; there are none".into(),
    }
}

/// serde's "unknown field `x`, expected one of `a`, `b`" with the nearest of them pointed at.
fn with_nearest(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    let Some(unknown) = words.next().filter(|_| message.starts_with("unknown")) else {
        return message.trim_end().to_owned();
    };
    let expected: Vec<&str> = words.collect();
    format!(
        "{}{}",
        message.split(", expected").next().unwrap_or(message),
        nearest(unknown, expected.iter().copied())
    )
}

fn at_line(place: &str, text: &str, offset: Option<usize>) -> String {
    match offset {
        Some(offset) => {
            let line = text.as_bytes()[..offset.min(text.len())].iter().filter(|&&b| b == b'\n').count() + 1;
            format!("{place}, line {line}")
        }
        None => place.to_owned(),
    }
}
