//! Named weights and the two layers that everything is made of.

use super::ops;
use crate::Error;
use candle_core::{Device, Tensor, Var};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Where a network's weights come from while it is built: drawn from a seed to be trained, or taken
/// from a checkpoint. One road for both, so that names and shapes cannot differ.
pub(crate) enum Weights {
    /// Draw them; what was drawn stands in the map, each as something that training changes.
    Fresh { rng: Box<ChaCha8Rng>, made: BTreeMap<String, Var> },
    /// Take them from the map, out of which they are removed.
    Stored(BTreeMap<String, Tensor>),
}

/// How a fresh weight is drawn.
#[derive(Clone, Copy)]
pub(crate) enum Init {
    /// Evenly between minus and plus this.
    Uniform(f64),
    /// All the same.
    Constant(f32),
}

impl Weights {
    pub(crate) fn fresh(seed: u64) -> Self {
        Self::Fresh { rng: Box::new(ChaCha8Rng::seed_from_u64(seed)), made: BTreeMap::new() }
    }

    /// The weight of that name.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] where a stored weight is absent or of another shape.
    fn get(&mut self, name: String, shape: &[usize], init: Init) -> Result<Tensor, Error> {
        match self {
            Self::Fresh { rng, made } => {
                let n = shape.iter().product();
                let values: Vec<f32> = match init {
                    Init::Uniform(bound) => {
                        (0..n).map(|_| (rng.random_range(-1.0..1.0) * bound) as f32).collect()
                    }
                    Init::Constant(value) => vec![value; n],
                };
                let var = Var::from_vec(values, shape, &Device::Cpu)?;
                let tensor = var.as_tensor().clone();
                made.insert(name, var);
                Ok(tensor)
            }
            Self::Stored(map) => {
                let Some(tensor) = map.remove(&name) else {
                    return Err(Error::Checkpoint { message: format!("tensor {name} is absent") });
                };
                if tensor.dims() != shape {
                    let message = format!("tensor {name} has shape {:?}, expected {shape:?}", tensor.dims());
                    return Err(Error::Checkpoint { message });
                }
                Ok(tensor.detach())
            }
        }
    }

    /// A learned table. Shape: `[rows, d]`.
    pub(crate) fn table(&mut self, name: String, rows: usize, d: usize) -> Result<Tensor, Error> {
        self.get(name, &[rows, d], Init::Uniform((3.0 / d as f64).sqrt() * 0.1))
    }

    /// A linear layer `input -> output`.
    pub(crate) fn linear(&mut self, name: &str, input: usize, output: usize) -> Result<Linear, Error> {
        let init = Init::Uniform(1.0 / (input as f64).sqrt());
        self.layer(name, input, output, init, init)
    }

    /// A linear layer of a self-normalising network: variance `1 / input`, no bias at first (LeCun).
    pub(crate) fn lecun(&mut self, name: &str, input: usize, output: usize) -> Result<Linear, Error> {
        self.layer(name, input, output, Init::Uniform((3.0 / input as f64).sqrt()), Init::Constant(0.0))
    }

    fn layer(&mut self, name: &str, input: usize, output: usize, w: Init, b: Init) -> Result<Linear, Error> {
        let w = self.get(format!("{name}.weight"), &[output, input], w)?;
        Ok(Linear { w, b: self.get(format!("{name}.bias"), &[output], b)? })
    }

    /// A linear map without bias.
    pub(crate) fn map(&mut self, name: &str, input: usize, output: usize) -> Result<Linear, Error> {
        let w =
            self.get(format!("{name}.weight"), &[output, input], Init::Uniform(1.0 / (input as f64).sqrt()))?;
        Ok(Linear { w, b: Tensor::from_vec(vec![0.0f32; output], output, &Device::Cpu)? })
    }

    /// Layer normalisation of width `d`.
    pub(crate) fn norm(&mut self, name: &str, d: usize) -> Result<Norm, Error> {
        let w = self.get(format!("{name}.weight"), &[d], Init::Constant(1.0))?;
        Ok(Norm { w, b: self.get(format!("{name}.bias"), &[d], Init::Constant(0.0))? })
    }
}

/// `x wᵀ + b`.
#[derive(Clone)]
pub(crate) struct Linear {
    w: Tensor,
    b: Tensor,
}

impl Linear {
    /// Shape: `[n, input]` -> `[n, output]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, Error> {
        Ok(ops::linear(x, &self.w, &self.b)?)
    }
}

/// Layer normalisation.
#[derive(Clone)]
pub(crate) struct Norm {
    w: Tensor,
    b: Tensor,
}

impl Norm {
    /// Shape: `[n, d]` -> `[n, d]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, Error> {
        Ok(ops::layer_norm(x, &self.w, &self.b)?)
    }
}

/// The randomness of a forward pass: seeds for dropout while training, none while scoring.
pub(crate) struct Noise(Option<ChaCha8Rng>);

impl Noise {
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn from(seed: u64) -> Self {
        Self(Some(ChaCha8Rng::seed_from_u64(seed)))
    }

    /// Drops a share `p` of the elements while training.
    pub(crate) fn drop(&mut self, x: Tensor, p: f64) -> Result<Tensor, Error> {
        match &mut self.0 {
            Some(rng) if p > 0.0 => Ok(ops::dropout(&x, p, rng.random())?),
            _ => Ok(x),
        }
    }

    /// The same for self-normalising layers.
    pub(crate) fn alpha_drop(&mut self, x: Tensor, p: f64) -> Result<Tensor, Error> {
        match &mut self.0 {
            Some(rng) if p > 0.0 => Ok(ops::alpha_dropout(&x, p, rng.random())?),
            _ => Ok(x),
        }
    }
}
