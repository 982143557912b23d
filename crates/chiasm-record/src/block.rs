use crate::Modality;
use serde::{Deserialize, Serialize};

/// Evidence of one modality for many subjects, never without its presence.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Which kind of evidence.
    pub modality: Modality,
    /// Per subject: whether this subject has the modality at all.
    pub present: Vec<bool>,
    /// The evidence itself. Rows of absent subjects hold nothing (all cells missing, empty bag).
    pub content: Content,
}

/// What a block holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A value per feature, each possibly missing.
    Table(Grid),
    /// A set of vectors per subject.
    Bag(Bag),
}

/// How a feature is to be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    /// A quantity.
    Numeric,
    /// A code whose order means something; distances do not.
    Ordered,
    /// A code without order. Values are indices into these levels.
    Nominal(Vec<String>),
}

/// The transformation that a site asks for before any learning, always fitted on training rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// As it is.
    #[default]
    Linear,
    /// `sign(x) · ln(1 + |x|)`, for counts and skewed quantities.
    Log,
    /// Rank within the training rows of the site (0 to 1), for values that are relative to a cohort.
    Rank,
}

/// One column of a [`Grid`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// The column's name at the site.
    pub name: String,
    /// How to read it.
    pub kind: FeatureKind,
    /// UCUM unit, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The transformation before learning.
    #[serde(default)]
    pub scale: Scale,
}

/// Values of `[subject, feature]` with a mask: a missing cell cannot be read as a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The columns.
    pub features: Vec<Feature>,
    /// Row-major `[subject, feature]`; NaN exactly where missing.
    values: Vec<f64>,
    rows: usize,
}

impl Grid {
    /// A grid in which every cell is missing. Shape: `[rows, features]`.
    pub fn missing(features: Vec<Feature>, rows: usize) -> Self {
        Self { values: vec![f64::NAN; rows * features.len()], features, rows }
    }

    /// Sets a cell; a value that is not finite makes it missing.
    pub fn set(&mut self, row: usize, feature: usize, value: f64) {
        let at = row * self.features.len() + feature;
        self.values[at] = if value.is_finite() { value } else { f64::NAN };
    }

    /// The cell's value, or `None` where it is missing.
    pub fn get(&self, row: usize, feature: usize) -> Option<f64> {
        let value = self.values[row * self.features.len() + feature];
        (!value.is_nan()).then_some(value)
    }

    /// Number of subjects.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The grid of `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let width = self.features.len();
        let values = rows.iter().flat_map(|&r| &self.values[r * width..(r + 1) * width]).copied().collect();
        Self { features: self.features.clone(), values, rows: rows.len() }
    }
}

/// A set of vectors per subject, each from a named slot (a stain, a view, a region).
#[derive(Clone, Debug, PartialEq)]
pub struct Bag {
    /// The slots' names.
    pub slots: Vec<String>,
    /// Values per vector.
    pub width: usize,
    /// Per subject: each vector that is there (`[width]`, finite) with its slot.
    pub vectors: Vec<Vec<(usize, Vec<f32>)>>,
}

impl Block {
    /// Number of subjects.
    pub fn len(&self) -> usize {
        self.present.len()
    }

    /// Whether there is no subject.
    pub fn is_empty(&self) -> bool {
        self.present.is_empty()
    }

    /// The block of `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let content = match &self.content {
            Content::Table(grid) => Content::Table(grid.select(rows)),
            Content::Bag(bag) => Content::Bag(Bag {
                slots: bag.slots.clone(),
                width: bag.width,
                vectors: rows.iter().map(|&r| bag.vectors[r].clone()).collect(),
            }),
        };
        Self {
            modality: self.modality.clone(),
            present: rows.iter().map(|&r| self.present[r]).collect(),
            content,
        }
    }
}
