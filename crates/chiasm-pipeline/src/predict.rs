//! Answers for the subjects of a data folder, by a finished run.

use crate::cohort::Cohort;
use crate::run::Run;
use crate::{Error, Progress, folder};
use chiasm_learn::expert::FeatureShare;
use chiasm_learn::predict::Answer;
use chiasm_record::{Attribution, Finding, Modality, SubjectId, Task};
use std::path::Path;

/// Answers for many subjects.
pub struct Answers {
    /// The modalities, in recipe order.
    pub modalities: Vec<Modality>,
    /// The question.
    pub task: Task,
    /// One answer a subject.
    pub answers: Vec<Answer>,
    /// Doubts about the data folder.
    pub findings: Vec<Finding>,
}

/// One subject's answer with what is inside each modality.
pub struct Explanation {
    /// The modalities, in recipe order.
    pub modalities: Vec<Modality>,
    /// The question.
    pub task: Task,
    /// The answer.
    pub answer: Answer,
    /// What the features of each modality add to that modality's own answer, largest first.
    pub features: Vec<FeatureShare>,
    /// Doubts about the data folder.
    pub findings: Vec<Finding>,
}

/// Answers for every subject of a data folder.
///
/// # Errors
/// As [`Run::read`]; whatever the model reports.
pub fn predict(run: &Run, data: &Path, progress: &dyn Progress) -> Result<Answers, Error> {
    let Cohort { assembled, .. } = run.read(data, progress)?;
    let examples = &assembled.examples;
    let rows: Vec<usize> = (0..examples.len()).collect();
    progress.begin("predicting", rows.len().div_ceil(250));
    let mut answers = Vec::with_capacity(rows.len());
    for batch in rows.chunks(250) {
        answers.extend(run.predictor.answer(examples, batch)?);
        progress.advance();
    }
    let modalities = examples.modalities();
    Ok(Answers { modalities, task: examples.task().clone(), answers, findings: assembled.findings })
}

/// The answer for one subject, with the features that drive each modality.
///
/// # Errors
/// [`Error::Unknown`] where the data folder has no such subject; as [`predict`].
pub fn explain(run: &Run, data: &Path, subject: &str, progress: &dyn Progress) -> Result<Explanation, Error> {
    let Cohort { assembled, .. } = run.read(data, progress)?;
    let examples = &assembled.examples;
    let wanted = SubjectId::new(subject);
    let Some(row) = examples.subjects().iter().position(|s| *s == wanted) else {
        let hint = format!(" in the data folder; it has {} subjects", examples.len());
        return Err(Error::Unknown { what: "subject", name: subject.to_owned(), hint });
    };
    let mut answers = run.predictor.answer(examples, &[row])?;
    let mut features = run.predictor.trained.features(examples, &[row], 0)?.swap_remove(0);
    features.retain(|f| examples.blocks()[f.modality].present[row] && f.share != 0.0);
    features.sort_by(|a, b| b.share.abs().total_cmp(&a.share.abs()));
    Ok(Explanation {
        modalities: examples.modalities(),
        task: examples.task().clone(),
        answer: answers.swap_remove(0),
        features,
        findings: assembled.findings,
    })
}

impl Answers {
    /// Writes the answers as CSV, whole: `subject`, `prediction` (several labels or classes:
    /// `prediction_NAME` each), `low`, `high`, `abstain_reason`, `present`, `attr_MODALITY` each,
    /// `voi_MODALITY` each. An empty cell means that there is no such number: no prediction without
    /// evidence, no attribution of what is absent, no value of acquiring what is there.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write_csv(&self, path: &Path) -> Result<(), Error> {
        let broken = |e: csv::Error| Error::Broken { path: path.to_path_buf(), message: e.to_string() };
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.header()).map_err(broken)?;
        for answer in &self.answers {
            writer.write_record(self.row(answer)).map_err(broken)?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|e| Error::Broken { path: path.to_path_buf(), message: e.to_string() })?;
        folder::write_whole(path, &bytes)
    }

    fn header(&self) -> Vec<String> {
        let outputs = &self.task.outputs;
        let each = |name: &str| -> Vec<String> {
            if outputs.len() == 1 {
                return vec![name.to_owned()];
            }
            outputs.iter().map(|o| format!("{name}_{o}")).collect()
        };
        let mut header = vec!["subject".to_owned()];
        header.extend(each("prediction"));
        header.extend(each("low"));
        header.extend(each("high"));
        header.extend(["abstain_reason".to_owned(), "present".to_owned()]);
        header.extend(self.modalities.iter().map(|m| format!("attr_{m}")));
        header.extend(self.modalities.iter().map(|m| format!("voi_{m}")));
        header
    }

    fn row(&self, answer: &Answer) -> Vec<String> {
        let prediction = &answer.prediction;
        let number = |v: Option<f64>| v.filter(|v| v.is_finite()).map(|v| v.to_string()).unwrap_or_default();
        let outputs = 0..self.task.outputs.len();
        let mut row = vec![prediction.subject.to_string()];
        for values in [&prediction.value, &prediction.low, &prediction.high] {
            row.extend(outputs.clone().map(|k| number(values.get(k).copied())));
        }
        row.push(prediction.abstention.as_ref().map(ToString::to_string).unwrap_or_default());
        row.push(prediction.present.label(&self.modalities));
        let share = |attribution: &Attribution, m: usize| {
            attribution.shares.iter().find(|s| s.modality == m).map(|s| s.share)
        };
        let first = prediction.attribution.first();
        row.extend((0..self.modalities.len()).map(|m| number(first.and_then(|a| share(a, m)))));
        let value = |m: usize| {
            answer.value_of_missing.iter().find(|(missing, _)| *missing == m).and_then(|(_, v)| *v)
        };
        row.extend((0..self.modalities.len()).map(|m| number(value(m))));
        row
    }
}
