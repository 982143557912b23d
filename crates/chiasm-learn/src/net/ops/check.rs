//! How the tests of the fused operations compare gradients: against stock candle where it has the
//! same operation, and against finite differences always.

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::{RngExt, SeedableRng};

/// Variables with values between -1 and 1.
pub(crate) struct Inputs(Vec<Var>);

impl Inputs {
    pub(crate) fn new(shapes: &[&[usize]]) -> Self {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let var = |shape: &&[usize]| {
            let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
            Var::from_vec(values, *shape, &Device::Cpu).unwrap()
        };
        Self(shapes.iter().map(var).collect())
    }

    fn tensors(&self) -> Vec<Tensor> {
        self.0.iter().map(|v| v.as_tensor().clone()).collect()
    }
}

type Function<'a> = &'a dyn Fn(&[Tensor]) -> Result<Tensor>;

/// Weighs every output differently, so that no gradient cancels.
fn weights(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7 + 3) % 11) as f32 / 5.0 - 1.0).collect()
}

fn weighted(y: &Tensor) -> Result<Tensor> {
    let n = y.elem_count();
    (y.flatten_all()? * Tensor::from_vec(weights(n), n, &Device::Cpu)?)?.sum_all()
}

/// The same in double precision.
fn weighted_exactly(y: &Tensor) -> f64 {
    let y = flat(y);
    y.iter().zip(weights(y.len())).map(|(y, w)| f64::from(*y) * f64::from(w)).sum()
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_dtype(DType::F32).unwrap().to_vec1().unwrap()
}

/// Checks values and gradients of `fused`: against `stock` (to 1e-5) and against central differences.
pub(crate) fn gradients_match(
    inputs: &Inputs,
    fused: impl Fn(&[Tensor]) -> Result<Tensor>,
    stock: Option<Function>,
) {
    let tensors = inputs.tensors();
    let y = fused(&tensors).unwrap();
    let gradients = weighted(&y).unwrap().backward().unwrap();
    if let Some(stock) = stock {
        let y2 = stock(&tensors).unwrap();
        for (a, b) in flat(&y).iter().zip(flat(&y2)) {
            assert!((a - b).abs() < 1e-5, "value {a}, stock candle {b}");
        }
        let stock = weighted(&y2).unwrap().backward().unwrap();
        for (i, t) in tensors.iter().enumerate() {
            for (a, b) in flat(gradients.get(t).unwrap()).iter().zip(flat(stock.get(t).unwrap())) {
                assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "input {i}: gradient {a}, stock candle {b}");
            }
        }
    }
    for (i, t) in tensors.iter().enumerate() {
        let gradient = flat(gradients.get(t).expect("a gradient for every input"));
        assert!(gradient.iter().any(|g| *g != 0.0), "input {i}: no gradient");
        let values = flat(t);
        for at in (0..values.len()).step_by(1 + values.len() / 23) {
            let moved = |by: f32| {
                let mut values = values.clone();
                values[at] += by;
                let mut tensors = tensors.clone();
                tensors[i] = Tensor::from_vec(values, t.shape(), &Device::Cpu).unwrap();
                weighted_exactly(&fused(&tensors).unwrap())
            };
            let step = 4e-3;
            let difference = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
            let error = (difference - f64::from(gradient[at])).abs();
            assert!(
                error < 2e-3 * (1.0 + difference.abs()),
                "input {i} at {at}: {} against {difference}",
                gradient[at]
            );
        }
    }
}
