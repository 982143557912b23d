//! From a block of evidence to a numeric matrix; everything that must be learned for that (levels,
//! ranks, means, spreads) is learned from the training rows alone.

use crate::{Error, matrix::Matrix};
use chiasm_record::{Bag, Block, Content, FeatureKind, Grid, Scale};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// What a learner needs of its matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Standardised, clipped at four standard deviations, missing cells at the training mean beside
    /// an indicator column: for linear and neural learners.
    Dense,
    /// Values as they are, NaN where missing: for trees.
    Raw,
}

/// How a block becomes columns, as learned from training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    form: Form,
    columns: Vec<Plan>,
    features: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Plan {
    /// Index into `features`: what this column tells about.
    feature: usize,
    read: Read,
    centre: f64,
    spread: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Read {
    /// A cell, transformed.
    Value { feature: usize, scale: Scale, ranks: Vec<f64> },
    /// 1 where a nominal cell has this level.
    Level { feature: usize, level: usize },
    /// 1 where a cell is missing.
    Missing { feature: usize },
    /// One dimension of the mean of a slot's vectors.
    Slot { slot: usize, at: usize },
    /// One number that sums up a slot's vectors.
    Summary { slot: usize, of: Summary },
    /// 1 where a slot has no vector.
    SlotMissing { slot: usize },
}

/// How a bag of vectors meets a learner of tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BagForm {
    /// The mean vector of each slot, dimension by dimension.
    #[default]
    Mean,
    /// Three numbers a slot, for cohorts too small for more: level and spread of the mean vector's
    /// entries, and how much the slot's vectors differ (missing where there is one vector).
    Summary,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Summary {
    Level,
    Spread,
    Difference,
}

const CLIP: f64 = 4.0;
/// Fewest training subjects on either side of a yes-or-no column (a level, a missing mark).
const FEWEST: usize = 5;

impl Preparation {
    /// Learns the columns from `rows` of the block, of which only those present count.
    ///
    /// Columns that do not vary over the training rows are left out.
    ///
    /// # Errors
    /// [`Error::CannotLearn`] where no training row has the modality or no column varies.
    pub fn fit(block: &Block, rows: &[usize], form: Form, bag_form: BagForm) -> Result<Self, Error> {
        let rows: Vec<usize> = rows.iter().copied().filter(|&r| block.present[r]).collect();
        let cannot = |message: &str| Error::CannotLearn {
            place: format!("modality {}", block.modality),
            message: message.to_owned(),
        };
        if rows.is_empty() {
            return Err(cannot("no training subject has it"));
        }
        let (reads, features) = match &block.content {
            Content::Table(grid) => {
                (table_reads(grid, &rows, form), grid.features.iter().map(|f| f.name.clone()).collect())
            }
            Content::Bag(bag) => (bag_reads(bag, form, bag_form), bag.slots.clone()),
        };
        let mut columns = Vec::with_capacity(reads.len());
        let means = SlotMeans::of(block, &rows);
        for (feature, read) in reads {
            let seen: Vec<f64> = (0..rows.len())
                .map(|i| read.value(block, &means, rows[i], i))
                .filter(|v| !v.is_nan())
                .collect();
            let Some((centre, spread)) = moments(&seen) else { continue };
            if read.is_mark() {
                let ones = seen.iter().filter(|&&v| v == 1.0).count();
                if ones.min(seen.len() - ones) < FEWEST {
                    continue;
                }
            }
            columns.push(Plan { feature, read, centre, spread });
        }
        if columns.is_empty() {
            return Err(cannot("no column varies among the training subjects"));
        }
        Ok(Self { form, columns, features })
    }

    /// The matrix of `rows`. Shape: `[rows, columns]`; rows without the modality are all zero
    /// ([`Form::Dense`]) or all NaN ([`Form::Raw`]), whatever the block holds there.
    pub fn matrix(&self, block: &Block, rows: &[usize]) -> Matrix {
        let mut matrix = Matrix::zeros(rows.len(), self.columns.len());
        let means = SlotMeans::of(block, rows);
        for (i, &row) in rows.iter().enumerate() {
            let present = block.present[row];
            for (cell, plan) in matrix.row_mut(i).iter_mut().zip(&self.columns) {
                let value = if present { plan.read.value(block, &means, row, i) } else { f64::NAN };
                *cell = match self.form {
                    Form::Raw => value,
                    Form::Dense if value.is_nan() => 0.0,
                    Form::Dense => ((value - plan.centre) / plan.spread).clamp(-CLIP, CLIP),
                };
            }
        }
        matrix
    }

    /// Number of columns of the matrix.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// What stands in every column of a row that is not to be looked at: NaN where the form allows it,
    /// else the training mean, which linear and neural learners meet with weight zero.
    pub fn missing(&self) -> f64 {
        match self.form {
            Form::Raw => f64::NAN,
            Form::Dense => 0.0,
        }
    }

    /// What the block's features (or slots) are called.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Sums a value per column into a value per feature. Shapes: `[columns]` -> `[features]`.
    pub fn by_feature(&self, per_column: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.features.len()];
        for (plan, value) in self.columns.iter().zip(per_column) {
            sums[plan.feature] += value;
        }
        sums
    }
}

fn table_reads(grid: &Grid, rows: &[usize], form: Form) -> Vec<(usize, Read)> {
    let mut reads = Vec::new();
    for (f, feature) in grid.features.iter().enumerate() {
        match &feature.kind {
            FeatureKind::Nominal(levels) => {
                reads.extend((0..levels.len()).map(|level| (f, Read::Level { feature: f, level })));
            }
            FeatureKind::Numeric | FeatureKind::Ordered => {
                let mut ranks: Vec<f64> = match feature.scale {
                    Scale::Rank => rows.iter().filter_map(|&r| grid.get(r, f)).collect(),
                    Scale::Linear | Scale::Log => Vec::new(),
                };
                ranks.sort_by(f64::total_cmp);
                reads.push((f, Read::Value { feature: f, scale: feature.scale, ranks }));
            }
        }
        if form == Form::Dense {
            reads.push((f, Read::Missing { feature: f }));
        }
    }
    reads
}

fn bag_reads(bag: &Bag, form: Form, bag_form: BagForm) -> Vec<(usize, Read)> {
    let mut reads = Vec::new();
    for slot in 0..bag.slots.len() {
        match bag_form {
            BagForm::Mean => reads.extend((0..bag.width).map(|at| (slot, Read::Slot { slot, at }))),
            BagForm::Summary => {
                let all = [Summary::Level, Summary::Spread, Summary::Difference];
                reads.extend(all.map(|of| (slot, Read::Summary { slot, of })));
            }
        }
        if form == Form::Dense {
            reads.push((slot, Read::SlotMissing { slot }));
        }
    }
    reads
}

impl Read {
    /// Whether the column can only be 0 or 1.
    fn is_mark(&self) -> bool {
        matches!(self, Self::Level { .. } | Self::Missing { .. } | Self::SlotMissing { .. })
    }

    /// The value for block row `row`, which is number `i` of the rows asked for; NaN where missing.
    fn value(&self, block: &Block, means: &SlotMeans, row: usize, i: usize) -> f64 {
        match (self, &block.content) {
            (Self::Value { feature, scale, ranks }, Content::Table(grid)) => {
                match (grid.get(row, *feature), scale) {
                    (None, _) => f64::NAN,
                    (Some(v), Scale::Linear) => v,
                    (Some(v), Scale::Log) => v.signum() * v.abs().ln_1p(),
                    (Some(v), Scale::Rank) => normal_score(ranks, v),
                }
            }
            (Self::Level { feature, level }, Content::Table(grid)) => {
                grid.get(row, *feature).map_or(f64::NAN, |v| f64::from(u8::from(v == *level as f64)))
            }
            (Self::Missing { feature }, Content::Table(grid)) => {
                f64::from(u8::from(grid.get(row, *feature).is_none()))
            }
            (Self::Slot { slot, at }, Content::Bag(bag)) => means.slot(i, *slot, bag.slots.len())[*at],
            (Self::Summary { slot, of }, Content::Bag(bag)) => {
                let mean = means.slot(i, *slot, bag.slots.len());
                let level = mean.iter().sum::<f64>() / mean.len() as f64;
                match of {
                    Summary::Level => level,
                    Summary::Spread => {
                        (mean.iter().map(|v| (v - level).powi(2)).sum::<f64>() / mean.len() as f64).sqrt()
                    }
                    Summary::Difference => difference(&bag.vectors[row], *slot, mean),
                }
            }
            (Self::SlotMissing { slot }, Content::Bag(bag)) => {
                f64::from(u8::from(!bag.vectors[row].iter().any(|(s, _)| s == slot)))
            }
            // A plan is only ever applied to a block of the content that it was fitted on.
            _ => f64::NAN,
        }
    }
}

/// Normal score of the mid-rank of `value` among sorted training values: `Φ⁻¹((rank + ½) / (n + 1))`.
fn normal_score(sorted: &[f64], value: f64) -> f64 {
    let below = sorted.partition_point(|&v| v < value);
    let not_above = sorted.partition_point(|&v| v <= value);
    let rank = (below + not_above) as f64 / 2.0;
    Normal::standard().inverse_cdf((rank + 0.5) / (sorted.len() as f64 + 1.0))
}

/// Mean and standard deviation, or `None` where the values do not vary.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let first = *values.first()?;
    if values.iter().all(|&v| v == first) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    (spread > 0.0 && spread.is_finite()).then_some((mean, spread))
}

/// The mean vector per slot of each row asked for.
struct SlotMeans {
    width: usize,
    /// `[row][slot][width]`; NaN for an empty slot.
    values: Vec<f64>,
}

impl SlotMeans {
    fn of(block: &Block, rows: &[usize]) -> Self {
        let Content::Bag(bag) = &block.content else { return Self { width: 0, values: Vec::new() } };
        let per_row = bag.slots.len() * bag.width;
        let mut values = vec![0.0; rows.len() * per_row];
        for (out, &row) in values.chunks_mut(per_row.max(1)).zip(rows) {
            let mut counts = vec![0usize; bag.slots.len()];
            for (slot, vector) in &bag.vectors[row] {
                counts[*slot] += 1;
                let sums = &mut out[slot * bag.width..(slot + 1) * bag.width];
                sums.iter_mut().zip(vector).for_each(|(s, &v)| *s += f64::from(v));
            }
            for (slot, count) in counts.into_iter().enumerate() {
                let sums = &mut out[slot * bag.width..(slot + 1) * bag.width];
                sums.iter_mut().for_each(|s| *s = if count == 0 { f64::NAN } else { *s / count as f64 });
            }
        }
        Self { width: bag.width, values }
    }

    /// The mean vector of `slot` in row number `i` of those asked for. Shape: `[width]`.
    fn slot(&self, i: usize, slot: usize, slots: usize) -> &[f64] {
        &self.values[(i * slots + slot) * self.width..][..self.width]
    }
}

/// Mean absolute deviation of a slot's vectors from their mean; NaN with fewer than two.
fn difference(vectors: &[(usize, Vec<f32>)], slot: usize, mean: &[f64]) -> f64 {
    let (mut sum, mut count) = (0.0, 0usize);
    for (_, vector) in vectors.iter().filter(|(s, _)| *s == slot) {
        sum +=
            vector.iter().zip(mean).map(|(&v, m)| (f64::from(v) - m).abs()).sum::<f64>() / mean.len() as f64;
        count += 1;
    }
    if count < 2 { f64::NAN } else { sum / count as f64 }
}
