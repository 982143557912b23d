//! The optimiser, in place.

use super::{CHUNK, SERIAL, floats, vectorised};
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Var};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Adam with decoupled weight decay.
///
/// # Source
/// Loshchilov and Hutter 2019, arXiv:1711.05101.
pub(crate) struct AdamW {
    vars: Vec<(Var, Step)>,
    weight_decay: f32,
}

impl AdamW {
    pub(crate) fn new(vars: Vec<Var>, weight_decay: f64) -> Self {
        let vars = vars.into_iter().map(|var| {
            let n = var.elem_count();
            (var, Step { count: 0, lr: 0.0, decay: 0.0, moments: Mutex::new((vec![0.0; n], vec![0.0; n])) })
        });
        Self { vars: vars.collect(), weight_decay: weight_decay as f32 }
    }

    /// One step of size `lr` for every variable that has a gradient; the others stay as they are.
    pub(crate) fn step(&mut self, gradients: &GradStore, lr: f64) -> Result<()> {
        for (var, step) in &mut self.vars {
            if let Some(gradient) = gradients.get(var) {
                step.count += 1;
                step.lr = lr as f32;
                // Biases and the scales of norms do not decay.
                step.decay = if var.rank() > 1 { self.weight_decay } else { 0.0 };
                var.inplace_op2(&gradient.contiguous()?, step)?;
            }
        }
        Ok(())
    }
}

struct Step {
    count: i32,
    lr: f32,
    decay: f32,
    moments: Mutex<(Vec<f32>, Vec<f32>)>,
}

impl InplaceOp2 for Step {
    fn name(&self) -> &'static str {
        "chiasm-adamw"
    }

    fn cpu_fwd(
        &self,
        weights: &mut CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        g_layout: &Layout,
    ) -> Result<()> {
        let g = floats(gradient, g_layout)?;
        let (Some((start, end)), CpuStorage::F32(weights)) = (layout.contiguous_offsets(), weights) else {
            candle_core::bail!("adamw: weights that are not contiguous floats");
        };
        let w = &mut weights[start..end];
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let (m, v) = &mut *moments;
        if w.len() <= SERIAL || rayon::current_num_threads() == 1 {
            self.update(w, g, m, v);
        } else {
            let chunk = 4 * CHUNK;
            let pairs = w.par_chunks_mut(chunk).zip(g.par_chunks(chunk));
            let moments = m.par_chunks_mut(chunk).zip(v.par_chunks_mut(chunk));
            pairs.zip(moments).for_each(|((w, g), (m, v))| self.update(w, g, m, v));
        }
        Ok(())
    }
}

impl Step {
    fn update(&self, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        let level = self.lr / (1.0 - BETA1.powi(self.count));
        let spread = 1.0 / (1.0 - BETA2.powi(self.count));
        let shrink = 1.0 - self.lr * self.decay;
        vectorised(
            #[inline(always)]
            || {
                for (((w, g), m), v) in w.iter_mut().zip(g).zip(m.iter_mut()).zip(v.iter_mut()) {
                    *m = BETA1 * *m + (1.0 - BETA1) * g;
                    *v = BETA2 * *v + (1.0 - BETA2) * g * g;
                    *w = *w * shrink - level * *m / ((*v * spread).sqrt() + EPSILON);
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    #[test]
    fn three_steps_by_hand() {
        let var = Var::from_vec(vec![1.0f32, -2.0], (1, 2), &Device::Cpu).unwrap();
        let mut adamw = AdamW::new(vec![var.clone()], 0.1);
        let scale = Tensor::new(&[[0.5f32, 3.0]], &Device::Cpu).unwrap();
        let (mut w, mut m, mut v) = ([1.0f64, -2.0], [0.0; 2], [0.0; 2]);
        for t in 1..=3 {
            let loss = (var.sqr().unwrap() * &scale).unwrap().sum_all().unwrap();
            adamw.step(&loss.backward().unwrap(), 0.05).unwrap();
            for i in 0..2 {
                let g = 2.0 * w[i] * [0.5, 3.0][i];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let (mh, vh): (f64, f64) = (m[i] / (1.0 - 0.9f64.powi(t)), v[i] / (1.0 - 0.999f64.powi(t)));
                w[i] = w[i] * (1.0 - 0.05 * 0.1) - 0.05 * mh / (vh.sqrt() + 1e-8);
            }
        }
        let found: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
        for i in 0..2 {
            assert!((f64::from(found[i]) - w[i]).abs() < 1e-5, "{found:?} {w:?}");
        }
    }
}
