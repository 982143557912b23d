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
    pub(crate) fn loss(
        &self,
        network: &Network,
        rows: &[usize],
        used: &[Availability],
        noise: &mut Noise,
    ) -> Result<Tensor, Error> {
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
    use crate::matrix::Matrix;
    use crate::net::{NetInput, Part};
    use chiasm_record::{Bag, Modality};

    /// The trap of a layer without a backward pass: it trains in silence, and learns nothing.
    #[test]
    fn every_weight_of_every_kind_gets_a_finite_gradient_that_is_not_zero() {
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        let (rows, present) = (24, [1, 2, 3].map(|m| (0..24).map(|r| r % 4 != m).collect::<Vec<_>>()));
        let values: Vec<f64> = (0..rows * 7).map(|_| rng.random_range(-1.0..1.0)).collect();
        let table = Matrix { rows, cols: 7, values };
        let mut vector = |i: usize| (i % 3, (0..5).map(|_| rng.random_range(-1.0f32..1.0)).collect());
        let vectors = (0..rows).map(|r| (0..1 + r % 4).map(&mut vector).collect()).collect();
        let bag = Bag { slots: ["a", "b", "c"].map(String::from).into(), width: 5, vectors };
        let modalities = ["bag", "x", "y"].map(Modality::new);
        let part = |m: usize| Part::Row { values: &table, present: &present[m] };
        let input = NetInput {
            modalities: &modalities,
            parts: vec![Part::Bag { bag: &bag, present: &present[0] }, part(1), part(2)],
        };
        let shapes: Vec<ModalityShape> = (0..3)
            .map(|m| ModalityShape {
                name: modalities[m].to_string(),
                width: input.parts[m].width(),
                slots: input.parts[m].slots(),
            })
            .collect();
        let outcome = Outcome::MultiClass((0..rows).map(|r| r % 3).collect());
        let availability: Vec<Availability> = (0..rows).map(|r| input.availability(r)).collect();
        for kind in ["attention", "cross_attention"] {
            for pooling in ["query", "mean"] {
                for pool in ["tokens", "gated", "mean"] {
                    let json = format!(
                        r#"{{"kind": "{kind}", "pooling": "{pooling}", "width": 16, "heads": 2, "encoders": {{
                        "bag": {{"kind": "bag", "hidden": [6], "pool": "{pool}", "dropout": 0.1}},
                        "x": {{"kind": "snn", "hidden": [9, 8], "dropout": 0.1}},
                        "y": {{"kind": "mlp", "hidden": [9], "dropout": 0.1}}}}}}"#
                    );
                    let config: NetConfig = serde_json::from_str(&json).unwrap();
                    let (target, _, outputs) = Target::new(&outcome, 3, &config).unwrap();
                    let lesson = Lesson {
                        config: &config,
                        modalities: &shapes,
                        evidence: &Evidence::new(&input),
                        availability: &availability,
                        outcome: &outcome,
                        target: Arc::new(target),
                        outputs,
                    };
                    let mut weights = Weights::fresh(1);
                    let network = Network::build(&mut weights, &config, &shapes, outputs).unwrap();
                    let Weights::Fresh { made, .. } = weights else { panic!("fresh weights") };
                    let rows: Vec<usize> = (0..rows).collect();
                    let loss = lesson.loss(&network, &rows, &availability, &mut Noise::from(1)).unwrap();
                    let gradients = loss.backward().unwrap();
                    for (name, var) in &made {
                        let gradient =
                            gradients.get(var).unwrap_or_else(|| panic!("{json}: {name} has no gradient"));
                        let values: Vec<f32> = gradient.flatten_all().unwrap().to_vec1().unwrap();
                        assert!(values.iter().all(|g| g.is_finite()), "{json}: {name}");
                        assert!(values.iter().any(|g| *g != 0.0), "{json}: {name} has gradient 0");
                    }
                }
            }
        }
    }

    #[test]
    fn the_rate_rises_and_falls() {
        let rates: Vec<f64> = (0..100).map(|s| rate(Schedule::Cosine, s, 100)).collect();
        assert!(rates[0] < 0.3 && rates[5] > 0.9 && rates[99] < 0.01);
        assert!(rates[6..].is_sorted_by(|a, b| a >= b));
    }
}
