//! The trained model: fit, score.

use super::config::NetConfig;
use super::evidence::Evidence;
use super::input::NetInput;
use super::layers::{Noise, Weights};
use super::loss::{Link, Target};
use super::network::{ModalityShape, Network};
use super::train::Lesson;
use crate::{Error, matrix::Matrix};
use candle_core::Tensor;
use chiasm_record::{Availability, Outcome};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A neural fusion model, trained: predicts from any non-empty subset of its modalities.
#[derive(Clone)]
pub struct Net {
    pub(super) config: NetConfig,
    pub(super) modalities: Vec<ModalityShape>,
    pub(super) link: Link,
    /// Raw outputs a row.
    pub(super) outputs: usize,
    pub(super) members: Vec<Member>,
}

/// One network of the ensemble.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) weights: BTreeMap<String, Tensor>,
    network: Network,
}

impl Member {
    /// Rebuilds a network around trained weights, as plain tensors: no graph is kept while scoring.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for a weight that is absent, left over or of another shape.
    pub(super) fn new(
        weights: BTreeMap<String, Tensor>,
        config: &NetConfig,
        modalities: &[ModalityShape],
        outputs: usize,
    ) -> Result<Self, Error> {
        let mut source = Weights::Stored(weights.clone());
        let network = Network::build(&mut source, config, modalities, outputs)?;
        if let Weights::Stored(left) = source
            && let Some(name) = left.keys().next()
        {
            return Err(Error::Checkpoint { message: format!("tensor {name} is not part of this network") });
        }
        Ok(Self { weights, network })
    }
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Net")
            .field("config", &self.config)
            .field("modalities", &self.modalities)
            .finish_non_exhaustive()
    }
}

/// Rows that are encoded at once while scoring.
const ROWS: usize = 256;
/// Pairs of row and subset that are fused at once.
const PAIRS: usize = 1024;

impl Net {
    /// Trains on all rows of the input. `outputs` is the number of the task's outputs: 1 for binary,
    /// regression and survival, the number of classes or labels otherwise. The same input,
    /// configuration and seed give the same bits on one machine, whatever the number of threads.
    ///
    /// # Errors
    /// [`Error::NothingPresent`] where a row has no modality; [`Error::Shape`] where input, outcome and
    /// configuration do not fit together; [`Error::CannotLearn`] for outcomes that cannot teach or a
    /// loss that stops being finite.
    pub fn fit(
        input: &NetInput,
        outcome: &Outcome,
        outputs: usize,
        config: &NetConfig,
        seed: u64,
    ) -> Result<Self, Error> {
        config.check()?;
        input.check()?;
        let shape = |message: String| Error::Shape { message };
        if outcome.len() != input.rows() {
            return Err(shape(format!("{} outcomes for {} rows", outcome.len(), input.rows())));
        }
        let known = |name: &String| input.modalities.iter().any(|m| m.as_str() == name);
        if let Some(name) = config.encoders.keys().chain(&config.asks).find(|name| !known(name)) {
            return Err(shape(format!("{name}: found in the configuration, expected one of the modalities")));
        }
        let modalities: Vec<ModalityShape> = input
            .modalities
            .iter()
            .zip(&input.parts)
            .map(|(name, part)| ModalityShape {
                name: name.to_string(),
                width: part.width(),
                slots: part.slots(),
            })
            .collect();
        for m in modalities.iter().filter(|m| m.slots.is_none()) {
            if config.encoders.get(&m.name).is_some_and(|e| matches!(e, super::EncoderConfig::Bag { .. })) {
                return Err(shape(format!("{}: a bag encoder for one vector per subject", m.name)));
            }
        }
        let availability: Vec<Availability> = (0..input.rows()).map(|r| input.availability(r)).collect();
        if availability.iter().any(|a| a.is_empty()) {
            return Err(Error::NothingPresent);
        }
        let (target, link, outputs) = Target::new(outcome, outputs, config)?;
        let evidence = Evidence::new(input);
        let lesson = Lesson {
            config,
            modalities: &modalities,
            evidence: &evidence,
            availability: &availability,
            outcome,
            target: Arc::new(target),
            outputs,
        };
        let mut members = Vec::new();
        for k in 0..config.seeds as u64 {
            let seed = seed.wrapping_add(k.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            // From a thread of the pool, sharing work costs far less than from one outside of it.
            let weights = rayon::scope(|_| lesson.train(seed))?;
            members.push(Member::new(weights, config, &modalities, outputs)?);
        }
        Ok(Self { config: config.clone(), modalities, link, outputs, members })
    }

    /// The configuration that it was trained with.
    pub fn config(&self) -> &NetConfig {
        &self.config
    }

    /// Number of scores of a row.
    pub fn outputs(&self) -> usize {
        self.link.scores(self.outputs)
    }

    /// Scores every row by those of its modalities that `looking[row]` allows. Shape: `[rows, outputs]`, on
    /// the link scale: log-odds, log-probabilities of the classes, value in the outcome's unit, or
    /// log-risk (log of the cumulative hazard for discrete hazards).
    ///
    /// # Errors
    /// [`Error::NothingPresent`] where that leaves a row without any; [`Error::Shape`] where the input is
    /// not what the network was trained on.
    pub fn score(&self, input: &NetInput, looking: &[Availability]) -> Result<Matrix, Error> {
        if looking.len() != input.rows() {
            let message = format!("{} availabilities for {} rows", looking.len(), input.rows());
            return Err(Error::Shape { message });
        }
        let pairs: Vec<(usize, Availability)> = looking.iter().copied().enumerate().collect();
        self.score_pairs(input, &pairs)
    }

    /// Scores each pair of a row and the modalities to look at, encoding each modality of a row once where
    /// the row's pairs follow each other. Shape: `[pairs, outputs]`, on the link scale.
    ///
    /// # Errors
    /// As for [`Net::score`].
    pub fn score_pairs(&self, input: &NetInput, pairs: &[(usize, Availability)]) -> Result<Matrix, Error> {
        input.check()?;
        self.check_input(input)?;
        let mut used = Vec::with_capacity(pairs.len());
        for &(row, looking) in pairs {
            if row >= input.rows() {
                return Err(Error::Shape { message: format!("row {row} of {}", input.rows()) });
            }
            let subset = looking.intersect(input.availability(row));
            if subset.is_empty() {
                return Err(Error::NothingPresent);
            }
            used.push((row, subset));
        }
        let evidence = Evidence::new(input);
        let chunks: Vec<Vec<f64>> = chunks(&used)
            .into_par_iter()
            .map(|pairs| self.score_chunk(&evidence, pairs))
            .collect::<Result<_, _>>()?;
        Ok(Matrix { rows: pairs.len(), cols: self.outputs(), values: chunks.concat() })
    }

    fn score_chunk(&self, evidence: &Evidence, pairs: &[(usize, Availability)]) -> Result<Vec<f64>, Error> {
        let mut needed: BTreeMap<usize, u32> = BTreeMap::new();
        for (row, subset) in pairs {
            *needed.entry(*row).or_default() |= subset.bits();
        }
        let rows: Vec<usize> = needed.keys().copied().collect();
        let used: Vec<Availability> = needed.values().map(|&bits| Availability::from_bits(bits)).collect();
        let position: BTreeMap<usize, usize> = rows.iter().enumerate().map(|(i, &row)| (row, i)).collect();
        let pairs: Vec<(usize, Availability)> =
            pairs.iter().map(|(row, subset)| (position[row], *subset)).collect();
        let mut raw = vec![0.0f64; pairs.len() * self.outputs];
        for member in &self.members {
            let encoded = member.network.encode(evidence, &rows, &used, &mut Noise::none())?;
            for (pairs, raw) in pairs.chunks(PAIRS).zip(raw.chunks_mut(PAIRS * self.outputs)) {
                let scores = member.network.fuse(&encoded, pairs, &mut Noise::none())?;
                let scores: Vec<f32> = scores.flatten_all()?.to_vec1()?;
                raw.iter_mut().zip(scores).for_each(|(sum, s)| *sum += f64::from(s));
            }
        }
        let n = self.members.len() as f64;
        raw.iter_mut().for_each(|sum| *sum /= n);
        Ok(raw.chunks_exact(self.outputs).flat_map(|raw| self.link.apply(raw)).collect())
    }

    fn check_input(&self, input: &NetInput) -> Result<(), Error> {
        let shape = |message: String| Err(Error::Shape { message });
        if input.parts.len() != self.modalities.len() {
            return shape(format!("{} modalities, expected {}", input.parts.len(), self.modalities.len()));
        }
        for ((name, part), trained) in input.modalities.iter().zip(&input.parts).zip(&self.modalities) {
            if name.as_str() != trained.name {
                return shape(format!("modality {name}, expected {}", trained.name));
            }
            if part.width() != trained.width || part.slots() != trained.slots {
                let found = (part.width(), part.slots());
                return shape(format!(
                    "{name}: width and slots {found:?}, expected {:?}",
                    (trained.width, trained.slots)
                ));
            }
        }
        Ok(())
    }
}

/// Splits the pairs into runs that begin with another row: at most [`ROWS`] rows, and no more rows once there
/// are [`PAIRS`] pairs.
fn chunks(pairs: &[(usize, Availability)]) -> Vec<&[(usize, Availability)]> {
    let (mut chunks, mut start, mut changes) = (Vec::new(), 0, 0);
    for i in 1..pairs.len() {
        if pairs[i].0 != pairs[i - 1].0 {
            changes += 1;
            if changes == ROWS || i - start >= PAIRS {
                chunks.push(&pairs[start..i]);
                (start, changes) = (i, 0);
            }
        }
    }
    if start < pairs.len() {
        chunks.push(&pairs[start..]);
    }
    chunks
}
