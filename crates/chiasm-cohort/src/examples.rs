use crate::Error;
use chiasm_record::{Availability, Block, Content, Modality, Outcome, SubjectId, Task};

/// A named partition of the subjects that a report looks at separately: sex, age band, hospital.
#[derive(Clone, Debug, PartialEq)]
pub struct Subgroup {
    /// The partition's name.
    pub name: String,
    /// Per subject: the part it is in, or `None` where that is not known.
    pub values: Vec<Option<String>>,
}

/// Rows for learning: subjects, their evidence with its presence, and (in training) their outcomes.
///
/// Every subject is one row; row `i` means the same subject in every block.
#[derive(Clone, Debug)]
pub struct Examples {
    task: Task,
    subjects: Vec<SubjectId>,
    blocks: Vec<Block>,
    outcome: Option<Outcome>,
    subgroups: Vec<Subgroup>,
}

impl Examples {
    /// Joins blocks into examples.
    ///
    /// # Errors
    /// [`Error::Shape`] where blocks, outcome or subgroups differ in length, a subject stands twice,
    /// the outcome does not fit the task, an absent subject has content, or there are more than
    /// [`Availability::MAX`] modalities.
    pub fn new(
        task: Task,
        subjects: Vec<SubjectId>,
        blocks: Vec<Block>,
        outcome: Option<Outcome>,
        subgroups: Vec<Subgroup>,
    ) -> Result<Self, Error> {
        let n = subjects.len();
        let shape = |message: String| Error::Shape { message };
        if blocks.len() > Availability::MAX {
            return Err(shape(format!("{} modalities; at most {}", blocks.len(), Availability::MAX)));
        }
        let mut seen = std::collections::HashSet::with_capacity(n);
        if !subjects.iter().all(|s| seen.insert(s)) {
            return Err(shape("a subject stands twice".into()));
        }
        for block in &blocks {
            let rows = match &block.content {
                Content::Table(grid) => grid.rows(),
                Content::Bag(bag) => bag.vectors.len(),
            };
            if block.len() != n || rows != n {
                return Err(shape(format!(
                    "{}: {} rows, expected {n}",
                    block.modality,
                    rows.min(block.len())
                )));
            }
            for row in (0..n).filter(|&r| !block.present[r]) {
                let empty = match &block.content {
                    Content::Table(grid) => (0..grid.features.len()).all(|f| grid.get(row, f).is_none()),
                    Content::Bag(bag) => bag.vectors[row].is_empty(),
                };
                if !empty {
                    return Err(shape(format!("{}: row {row} is absent but holds values", block.modality)));
                }
            }
        }
        if outcome.as_ref().is_some_and(|outcome| outcome.len() != n || outcome.kind() != task.kind) {
            return Err(shape("the outcome does not fit the task or the subjects".into()));
        }
        if subgroups.iter().any(|s| s.values.len() != n) {
            return Err(shape("a subgroup has another number of rows".into()));
        }
        Ok(Self { task, subjects, blocks, outcome, subgroups })
    }

    /// The question.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Number of subjects.
    pub fn len(&self) -> usize {
        self.subjects.len()
    }

    /// Whether there is no subject.
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// The subjects, in row order.
    pub fn subjects(&self) -> &[SubjectId] {
        &self.subjects
    }

    /// The evidence, one block a modality in recipe order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The modalities, in recipe order.
    pub fn modalities(&self) -> Vec<Modality> {
        self.blocks.iter().map(|b| b.modality.clone()).collect()
    }

    /// The outcomes, where they are known.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// The partitions that the report looks at.
    pub fn subgroups(&self) -> &[Subgroup] {
        &self.subgroups
    }

    /// Which modalities subject `row` has.
    pub fn availability(&self, row: usize) -> Availability {
        let present = self.blocks.iter().enumerate().filter(|(_, b)| b.present[row]);
        present.fold(Availability::NONE, |set, (m, _)| set.with(m))
    }

    /// The examples of `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            task: self.task.clone(),
            subjects: rows.iter().map(|&r| self.subjects[r].clone()).collect(),
            blocks: self.blocks.iter().map(|b| b.select(rows)).collect(),
            outcome: self.outcome.as_ref().map(|o| o.select(rows)),
            subgroups: self
                .subgroups
                .iter()
                .map(|s| Subgroup {
                    name: s.name.clone(),
                    values: rows.iter().map(|&r| s.values[r].clone()).collect(),
                })
                .collect(),
        }
    }
}
