//! A network over prepared evidence: what [`crate::net`] needs to read blocks.

use crate::Error;
use crate::crossfit::Scorer;
use crate::matrix::Matrix;
use crate::net::{Net, NetConfig, NetInput, Part};
use crate::prepare::{BagForm, Form, Preparation};
use chiasm_cohort::Examples;
use chiasm_record::{Availability, Bag, Block, Content};
use serde::{Deserialize, Serialize};

/// A trained network with how each block becomes its input.
#[derive(Clone, Debug)]
pub struct NetModel {
    readers: Vec<Reader>,
    net: Net,
}

/// How one block becomes a network's input, as learned from training subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    /// A vector of prepared columns.
    Row(Preparation),
    /// Vectors, each dimension centred and scaled.
    Bag {
        /// Mean of each dimension over the training vectors. Shape: `[width]`.
        centre: Vec<f32>,
        /// Standard deviation of each dimension, 1 where it does not vary. Shape: `[width]`.
        spread: Vec<f32>,
    },
}

/// A block as a network reads it.
enum Evidence {
    Row(Matrix),
    Bag(Bag),
}

impl NetModel {
    /// Trains a network on all of `examples`.
    ///
    /// # Errors
    /// [`Error::CannotLearn`] where a modality or the outcome does not vary, [`Error::Shape`] where the
    /// configuration does not fit.
    pub fn fit(examples: &Examples, config: &NetConfig, seed: u64) -> Result<Self, Error> {
        let Some(outcome) = examples.outcome() else {
            return Err(Error::Shape { message: "training needs outcomes".into() });
        };
        let rows: Vec<usize> = (0..examples.len()).collect();
        let readers =
            examples.blocks().iter().map(|b| Reader::fit(b, &rows)).collect::<Result<Vec<_>, _>>()?;
        let net = with_input(&readers, examples, &rows, |input| {
            Net::fit(input, outcome, examples.task().outputs.len(), config, seed)
        })?;
        Ok(Self { readers, net })
    }

    /// From readers and a network that were stored.
    pub fn from_parts(readers: Vec<Reader>, net: Net) -> Self {
        Self { readers, net }
    }

    /// How each block becomes the network's input.
    pub fn readers(&self) -> &[Reader] {
        &self.readers
    }

    /// The network.
    pub fn net(&self) -> &Net {
        &self.net
    }
}

impl Scorer for NetModel {
    fn score(&self, examples: &Examples, rows: &[usize], sets: &[Availability]) -> Result<Matrix, Error> {
        let seen: Vec<(usize, Availability)> = rows
            .iter()
            .zip(sets)
            .enumerate()
            .map(|(i, (&row, set))| (i, set.intersect(examples.availability(row))))
            .filter(|(_, set)| !set.is_empty())
            .collect();
        // A subject who is looked at through several sets stands several times in a row, and is read once.
        let mut there: Vec<usize> = seen.iter().map(|&(i, _)| rows[i]).collect();
        there.dedup();
        let mut at = 0;
        let pairs: Vec<(usize, Availability)> = seen
            .iter()
            .map(|&(i, set)| {
                at += usize::from(there[at] != rows[i]);
                (at, set)
            })
            .collect();
        let scores =
            with_input(&self.readers, examples, &there, |input| self.net.score_pairs(input, &pairs))?;
        let mut all =
            Matrix { rows: rows.len(), cols: scores.cols, values: vec![f64::NAN; rows.len() * scores.cols] };
        for (at, &(i, _)) in seen.iter().enumerate() {
            all.row_mut(i).copy_from_slice(scores.row(at));
        }
        Ok(all)
    }
}

impl Reader {
    fn fit(block: &Block, rows: &[usize]) -> Result<Self, Error> {
        let Content::Bag(bag) = &block.content else {
            return Ok(Self::Row(Preparation::fit(block, rows, Form::Dense, BagForm::Mean)?));
        };
        let vectors = || rows.iter().flat_map(|&r| &bag.vectors[r]).map(|(_, v)| v);
        let n = vectors().count();
        if n == 0 {
            return Err(Error::CannotLearn {
                place: format!("modality {}", block.modality),
                message: "no training subject has it".into(),
            });
        }
        let mut sums = vec![(0.0f64, 0.0f64); bag.width];
        for vector in vectors() {
            sums.iter_mut().zip(vector).for_each(|((s, q), &v)| {
                *s += f64::from(v);
                *q += f64::from(v) * f64::from(v);
            });
        }
        let (centre, spread) = sums
            .into_iter()
            .map(|(s, q)| {
                let mean = s / n as f64;
                let spread = (q / n as f64 - mean * mean).max(0.0).sqrt();
                (mean as f32, if spread > 1e-12 { spread as f32 } else { 1.0 })
            })
            .unzip();
        Ok(Self::Bag { centre, spread })
    }

    fn read(&self, block: &Block, rows: &[usize]) -> Evidence {
        match (self, &block.content) {
            (Self::Bag { centre, spread }, Content::Bag(bag)) => {
                let scaled = |v: &[f32]| {
                    v.iter()
                        .zip(centre)
                        .zip(spread)
                        .map(|((v, c), s)| ((v - c) / s).clamp(-4.0, 4.0))
                        .collect()
                };
                let vectors = rows
                    .iter()
                    .map(|&r| bag.vectors[r].iter().map(|(slot, v)| (*slot, scaled(v))).collect())
                    .collect();
                Evidence::Bag(Bag { slots: bag.slots.clone(), width: bag.width, vectors })
            }
            (Self::Row(preparation), _) => Evidence::Row(preparation.matrix(block, rows)),
            // A reader is only ever applied to a block of the content that it was fitted on.
            (Self::Bag { .. }, Content::Table(_)) => Evidence::Row(Matrix::zeros(rows.len(), 1)),
        }
    }
}

fn with_input<T>(
    readers: &[Reader],
    examples: &Examples,
    rows: &[usize],
    then: impl FnOnce(&NetInput<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let modalities = examples.modalities();
    let evidence: Vec<(Evidence, Vec<bool>)> = readers
        .iter()
        .zip(examples.blocks())
        .map(|(reader, block)| (reader.read(block, rows), rows.iter().map(|&r| block.present[r]).collect()))
        .collect();
    let parts = evidence
        .iter()
        .map(|(evidence, present)| match evidence {
            Evidence::Row(values) => Part::Row { values, present },
            Evidence::Bag(bag) => Part::Bag { bag, present },
        })
        .collect();
    then(&NetInput { modalities: &modalities, parts })
}
