//! What a network sees: evidence of each modality, never without its presence.

use crate::{Error, matrix::Matrix};
use chiasm_record::{Availability, Bag, Modality};

/// The evidence of many subjects, one part a modality in recipe order.
#[derive(Clone, Debug)]
pub struct NetInput<'a> {
    /// The modalities' names.
    pub modalities: &'a [Modality],
    /// Their evidence, in the same order. Row `i` is the same subject in every part.
    pub parts: Vec<Part<'a>>,
}

/// One modality's evidence. What stands in the rows of absent subjects is never read.
#[derive(Clone, Debug)]
pub enum Part<'a> {
    /// A vector per subject, prepared for learning.
    Row {
        /// `[subject, width]`; finite in the rows of present subjects.
        values: &'a Matrix,
        /// Per subject: whether the modality is there.
        present: &'a [bool],
    },
    /// A set of vectors per subject, prepared for learning (each dimension centred and scaled).
    Bag {
        /// The vectors; finite for present subjects. A present subject whose bag is empty counts as absent.
        bag: &'a Bag,
        /// Per subject: whether the modality is there.
        present: &'a [bool],
    },
}

impl Part<'_> {
    fn present(&self) -> &[bool] {
        match self {
            Part::Row { present, .. } | Part::Bag { present, .. } => present,
        }
    }

    fn rows(&self) -> usize {
        match self {
            Part::Row { values, .. } => values.rows,
            Part::Bag { bag, .. } => bag.vectors.len(),
        }
    }

    /// Width of a vector.
    pub(crate) fn width(&self) -> usize {
        match self {
            Part::Row { values, .. } => values.cols,
            Part::Bag { bag, .. } => bag.width,
        }
    }

    /// Number of slots of a bag, or `None` for a vector per subject.
    pub(crate) fn slots(&self) -> Option<usize> {
        match self {
            Part::Row { .. } => None,
            Part::Bag { bag, .. } => Some(bag.slots.len()),
        }
    }

    /// Whether subject `row` has any of it.
    pub(crate) fn has(&self, row: usize) -> bool {
        self.present()[row]
            && match self {
                Part::Row { .. } => true,
                Part::Bag { bag, .. } => !bag.vectors[row].is_empty(),
            }
    }
}

impl NetInput<'_> {
    /// Number of subjects.
    pub fn rows(&self) -> usize {
        self.parts.first().map_or(0, Part::rows)
    }

    /// Which modalities subject `row` has.
    pub fn availability(&self, row: usize) -> Availability {
        let there = self.parts.iter().enumerate().filter(|(_, part)| part.has(row));
        there.fold(Availability::NONE, |set, (m, _)| set.with(m))
    }

    /// Checks that the parts fit together and that present evidence is finite.
    ///
    /// # Errors
    /// [`Error::Shape`] names the modality and the row.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let shape = |message: String| Err(Error::Shape { message });
        if self.parts.len() != self.modalities.len() || self.parts.is_empty() {
            return shape(format!("{} parts for {} modalities", self.parts.len(), self.modalities.len()));
        }
        if self.parts.len() > Availability::MAX {
            return shape(format!("{} modalities, expected at most {}", self.parts.len(), Availability::MAX));
        }
        let rows = self.rows();
        for (part, name) in self.parts.iter().zip(self.modalities) {
            if part.rows() != rows || part.present().len() != rows {
                let found = if part.rows() == rows { part.present().len() } else { part.rows() };
                return shape(format!("{name}: {found} rows, expected {rows}"));
            }
            if part.width() == 0 {
                return shape(format!("{name}: vectors of width 0"));
            }
            if let Part::Row { values, .. } = part
                && values.values.len() != values.rows * values.cols
            {
                return shape(format!(
                    "{name}: {} values, expected {}",
                    values.values.len(),
                    rows * values.cols
                ));
            }
            for row in (0..rows).filter(|&r| part.has(r)) {
                let finite = match part {
                    Part::Row { values, .. } => values.row(row).iter().all(|&v| (v as f32).is_finite()),
                    Part::Bag { bag, .. } => {
                        for (slot, vector) in &bag.vectors[row] {
                            if vector.len() != bag.width || *slot >= bag.slots.len() {
                                return shape(format!(
                                    "{name}, row {row}: a vector of width {} in slot {slot}, expected width {} and {} slots",
                                    vector.len(),
                                    bag.width,
                                    bag.slots.len()
                                ));
                            }
                        }
                        bag.vectors[row].iter().all(|(_, v)| v.iter().all(|x| x.is_finite()))
                    }
                };
                if !finite {
                    return shape(format!("{name}, row {row}: a value that is not finite"));
                }
            }
        }
        Ok(())
    }
}
