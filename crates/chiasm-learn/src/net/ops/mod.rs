//! Fused operations on `f32` tensors in main memory, each with its backward pass.
//!
//! Candle's own operations are many and small; a training step of a small network spends its time
//! between them. These do one layer's work each. Every sum is taken in an order that does not depend
//! on the number of threads, so a step gives the same bits on one machine whatever that number is.

mod activation;
mod adamw;
mod attention;
mod dropout;
mod gather;
mod gemm;
mod linear;
mod loss;
mod math;
mod norm;
mod pool;
mod spans;

pub(crate) use activation::{gated, gelu, selu};
pub(crate) use adamw::AdamW;
pub(crate) use attention::{cross_attention, self_attention};
pub(crate) use dropout::{alpha_dropout, dropout};
pub(crate) use gather::gather;
pub(crate) use linear::linear;
pub(crate) use loss::scalar_loss;
pub(crate) use norm::layer_norm;
pub(crate) use pool::{span_mean, span_softmax_pool};
pub(crate) use spans::Spans;

use candle_core::{CpuStorage, Device, Layout, Result, Shape, Storage, Tensor};
use rayon::prelude::*;

/// The floats of a contiguous tensor.
fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("a fused operation needs contiguous tensors");
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Lets `f` read the floats of a contiguous tensor.
fn read<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<R>) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(cpu) => f(floats(cpu, layout)?),
        _ => candle_core::bail!("a fused operation needs tensors in main memory"),
    }
}

fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &Device::Cpu)
}

fn output(values: Vec<f32>, shape: impl Into<Shape>) -> Result<(CpuStorage, Shape)> {
    Ok((CpuStorage::F32(values), shape.into()))
}

/// Number of columns: the last dimension.
fn columns(layout: &Layout) -> Result<usize> {
    match layout.dims().last() {
        Some(&n) if n > 0 => Ok(n),
        _ => candle_core::bail!("a fused operation needs at least one column"),
    }
}

/// Whether the backward pass needs a gradient for this tensor.
fn needs_gradient(tensor: &Tensor) -> bool {
    tensor.track_op() || tensor.is_variable()
}

/// Below this number of elements one thread does all the work.
const SERIAL: usize = 1 << 15;
/// Elements that one thread takes at a time.
const CHUNK: usize = 1 << 13;

/// `f` on chunks of `y` and the same chunks of `x`, each a multiple of `columns` long.
fn by_chunks(y: &mut [f32], x: &[f32], columns: usize, f: impl Fn(&mut [f32], &[f32]) + Sync) {
    if y.len() <= SERIAL || rayon::current_num_threads() == 1 {
        f(y, x);
    } else {
        let chunk = CHUNK.div_ceil(columns) * columns;
        y.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).for_each(|(y, x)| f(y, x));
    }
}

/// `f`, compiled for each kind of processor and run as the one at hand wants it.
///
/// `f` is called by reference: called by value it would go through a shim that the compiler does not
/// inline, and so would be compiled for the plainest processor only.
fn vectorised<R>(f: impl FnMut() -> R) -> R {
    struct Call<F>(F);
    impl<R, F: FnMut() -> R> pulp::NullaryFnOnce for Call<F> {
        type Output = R;

        #[inline(always)]
        fn call(mut self) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Call(f))
}

/// `y[i] = f(x[i])`, vectorised for the machine at hand.
fn map(x: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    by_chunks(&mut y, x, 1, |y, x| {
        vectorised(
            #[inline(always)]
            || {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = f(x);
                }
            },
        );
    });
    y
}

/// `y[i] = f(a[i], b[i])`, vectorised for the machine at hand.
fn map_two(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    let mut y = b.to_vec();
    by_chunks(&mut y, a, 1, |y, x| {
        vectorised(
            #[inline(always)]
            || {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = f(x, *y);
                }
            },
        );
    });
    y
}

#[cfg(test)]
mod check;
