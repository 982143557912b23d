//! Single training steps, for benchmarks: what [`super::Net::fit`] does once a batch.

use super::config::NetConfig;
use super::evidence::Evidence;
use super::input::NetInput;
use super::layers::{Noise, Weights};
use super::loss::Target;
use super::network::{ModalityShape, Network};
use super::ops::AdamW;
use super::train::Lesson;
use crate::Error;
use candle_core::Var;
use chiasm_record::{Availability, Outcome};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A network in training on one fixed batch.
pub struct Stepper {
    config: NetConfig,
    modalities: Vec<ModalityShape>,
    evidence: Evidence,
    outcome: Outcome,
    target: Arc<Target>,
    outputs: usize,
    availability: Vec<Availability>,
    network: Network,
    made: BTreeMap<String, Var>,
    adamw: AdamW,
}

impl Stepper {
    /// A fresh network that sees all rows of the input at each step, with every modality that they have.
    ///
    /// # Errors
    /// As for [`super::Net::fit`].
    pub fn new(
        input: &NetInput,
        outcome: Outcome,
        outputs: usize,
        config: NetConfig,
        seed: u64,
    ) -> Result<Self, Error> {
        config.check()?;
        input.check()?;
        let parts = input.modalities.iter().zip(&input.parts);
        let modalities: Vec<ModalityShape> = parts
            .map(|(name, part)| ModalityShape {
                name: name.to_string(),
                width: part.width(),
                slots: part.slots(),
            })
            .collect();
        let (target, _, outputs) = Target::new(&outcome, outputs, &config)?;
        let evidence = Evidence::new(input);
        let availability: Vec<Availability> = (0..input.rows()).map(|r| input.availability(r)).collect();
        let mut weights = Weights::fresh(seed);
        let network = Network::build(&mut weights, &config, &modalities, outputs)?;
        let made = match weights {
            Weights::Fresh { made, .. } => made,
            Weights::Stored(_) => BTreeMap::new(),
        };
        let adamw = AdamW::new(made.values().cloned().collect(), config.weight_decay);
        let target = Arc::new(target);
        Ok(Self {
            config,
            modalities,
            evidence,
            outcome,
            target,
            outputs,
            availability,
            network,
            made,
            adamw,
        })
    }

    /// Number of trained values.
    pub fn parameters(&self) -> usize {
        self.made.values().map(|v| v.elem_count()).sum()
    }

    /// Forward, backward and AdamW; returns the loss before the step.
    ///
    /// # Errors
    /// [`Error::Tensor`] where an operation fails.
    pub fn step(&mut self, seed: u64) -> Result<f32, Error> {
        rayon::scope(|_| self.step_within(seed))
    }

    fn step_within(&mut self, seed: u64) -> Result<f32, Error> {
        let lesson = Lesson {
            config: &self.config,
            modalities: &self.modalities,
            evidence: &self.evidence,
            availability: &self.availability,
            outcome: &self.outcome,
            target: self.target.clone(),
            outputs: self.outputs,
        };
        let rows: Vec<usize> = (0..self.availability.len()).collect();
        let loss = lesson.loss(&self.network, &rows, &self.availability, &mut Noise::from(seed))?;
        self.adamw.step(&loss.backward()?, self.config.lr)?;
        Ok(loss.to_scalar()?)
    }
}
