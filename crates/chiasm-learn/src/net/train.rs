//! Training one network.

use super::config::{NetConfig, Schedule};
use super::evidence::Evidence;
use super::layers::{Noise, Weights};
use super::loss::Target;
use super::network::{ModalityShape, Network};
use super::ops::{AdamW, scalar_loss};
use crate::Error;
use candle_core::Tensor;
use chiasm_record::{Availability, Outcome};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a network learns from.
pub(crate) struct Lesson<'a> {
    pub(crate) config: &'a NetConfig,
    pub(crate) modalities: &'a [ModalityShape],
    pub(crate) evidence: &'a Evidence,
    /// Per row, none of them empty.
    pub(crate) availability: &'a [Availability],
    pub(crate) outcome: &'a Outcome,
    pub(crate) target: Arc<Target>,
    /// Raw outputs a row.
    pub(crate) outputs: usize,
}

impl Lesson<'_> {
    /// Trains a network from the seed; returns its weights by name.
    ///
    /// At each step a row shows, with the configured chance, a random non-empty subset of its modalities,
    /// so that the network learns to do with any of them.
    ///
    /// # Errors
    /// [`Error::CannotLearn`] where the loss stops being finite or no row is left to train on.
    pub(crate) fn train(&self, seed: u64) -> Result<BTreeMap<String, Tensor>, Error> {
        let config = self.config;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut weights = Weights::fresh(rng.random());
        let network = Network::build(&mut weights, config, self.modalities, self.outputs)?;
        let Weights::Fresh { made, .. } = weights else {
            return Err(Error::Checkpoint { message: "weights that are not fresh".into() });
        };
        let mut adamw = AdamW::new(made.values().cloned().collect(), config.weight_decay);
        let (mut rows, tuning) = self.split(&mut rng);
        if rows.is_empty() {
            return Err(Error::CannotLearn { place: "net".into(), message: "no row to train on".into() });
        }
        let batches = rows.len().div_ceil(config.batch);
        let steps = batches * config.epochs;
        let mut best: Option<(f64, usize, BTreeMap<String, Tensor>)> = None;
        for epoch in 0..config.epochs {
            shuffle(&mut rows, &mut rng);
            let mut total = 0.0;
            for batch in 0..batches {
                let rows = &rows[batch * rows.len() / batches..(batch + 1) * rows.len() / batches];
                let used: Vec<Availability> = rows.iter().map(|&r| self.draw(r, &mut rng)).collect();
                let loss = self.loss(&network, rows, &used, &mut Noise::from(rng.random()))?;
                total += f64::from(loss.to_scalar::<f32>()?);
                let lr = config.lr * rate(config.schedule, epoch * batches + batch, steps);
                adamw.step(&loss.backward()?, lr)?;
            }
            if !total.is_finite() {
                let message = format!("the loss is not finite in epoch {epoch}; a smaller lr may help");
                return Err(Error::CannotLearn { place: "net".into(), message });
            }
            if let Some(stop) = config.early_stopping
                && !tuning.is_empty()
            {
                let used: Vec<Availability> = tuning.iter().map(|&r| self.availability[r]).collect();
                let loss = self.loss(&network, &tuning, &used, &mut Noise::none())?;
                let loss = f64::from(loss.to_scalar::<f32>()?);
                if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
                    let copy = made.iter().map(|(name, var)| Ok((name.clone(), var.copy()?.detach())));
                    best = Some((loss, epoch, copy.collect::<Result<_, Error>>()?));
                } else if best.as_ref().is_some_and(|(_, at, _)| epoch - at >= stop.patience) {
                    break;
                }
            }
        }
        match best {
            Some((_, _, weights)) => Ok(weights),
            None => Ok(made.into_iter().map(|(name, var)| (name, var.as_tensor().detach())).collect()),
        }
    }

    /// Rows to train on and rows held back to tell when to stop, stratified by outcome.
    fn split(&self, rng: &mut ChaCha8Rng) -> (Vec<usize>, Vec<usize>) {
        let n = self.availability.len();
        let Some(stop) = self.config.early_stopping else { return ((0..n).collect(), Vec::new()) };
        let strata = self.outcome.strata();
        let mut order: Vec<usize> = (0..n).collect();
        shuffle(&mut order, rng);
        order.sort_by_key(|&r| strata[r]);
        let (mut train, mut tuning, mut due) = (Vec::new(), Vec::new(), 0.5);
        for row in order {
            due += stop.fraction;
            if due >= 1.0 {
                due -= 1.0;
                tuning.push(row);
            } else {
                train.push(row);
            }
        }
        train.sort_unstable();
        tuning.sort_unstable();
        (train, tuning)
    }

    /// The modalities that `row` shows at this step.
    fn draw(&self, row: usize, rng: &mut ChaCha8Rng) -> Availability {
        let present = self.availability[row];
        if present.count() < 2 || rng.random_range(0.0..1.0) >= self.config.modality_dropout {
            return present;
        }
        loop {
            let subset = Availability::from_bits(rng.random()).intersect(present);
            if !subset.is_empty() {
                return subset;
            }
        }
    }

    /// The loss of the fusion plus those of the modalities alone.
    pub(crate) fn loss(&self, network: &Network, rows: &[usize], used: &[Availability], noise: &mut Noise) -> Result<Tensor, Error> {
        let encoded = network.encode(self.evidence, rows, used, noise)?;
        let pairs: Vec<(usize, Availability)> = used.iter().copied().enumerate().collect();
        let scores = network.fuse(&encoded, &pairs, noise)?;
        let mut loss = self.measure(&scores, rows.to_vec())?;
        let alone = network.alone(&encoded)?;
        let weight = self.config.aux_weight / alone.len().max(1) as f64;
        for (at, scores) in alone {
            let rows = at.iter().map(|&i| rows[i]).collect();
            loss = (loss + (self.measure(&scores, rows)? * weight)?)?;
        }
        Ok(loss)
    }

    fn measure(&self, scores: &Tensor, rows: Vec<usize>) -> Result<Tensor, Error> {
        let target = self.target.clone();
        Ok(scalar_loss(scores, move |scores| target.loss(&rows, scores))?)
    }
}

/// Fisher and Yates.
fn shuffle(rows: &mut [usize], rng: &mut ChaCha8Rng) {
    for i in (1..rows.len()).rev() {
        rows.swap(i, rng.random_range(0..=i));
    }
}

/// The step size at `step` of `steps` as a share of the largest.
fn rate(schedule: Schedule, step: usize, steps: usize) -> f64 {
    match schedule {
        Schedule::Constant => 1.0,
        Schedule::Cosine => {
            let warm = (steps / 20).max(1);
            let rise = (step + 1) as f64 / warm as f64;
            let fall = 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / steps.max(1) as f64).cos());
            rise.min(1.0) * fall
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls() {
        let rates: Vec<f64> = (0..100).map(|s| rate(Schedule::Cosine, s, 100)).collect();
        assert!(rates[0] < 0.3 && rates[5] > 0.9 && rates[99] < 0.01);
        assert!(rates[6..].is_sorted_by(|a, b| a >= b));
    }
}
