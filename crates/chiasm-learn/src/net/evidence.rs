//! The input in the form that the network reads: floats, bags standardised, absent rows left out.

use super::encoder::Packed;
use super::input::{NetInput, Part};
use super::ops::Spans;
use crate::Error;
use candle_core::{Device, Tensor};
use std::sync::Arc;

/// How a bag's vectors are standardised, learned from the training rows. Shapes: `[width]` each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standard {
    pub(crate) mean: Vec<f32>,
    pub(crate) scale: Vec<f32>,
}

impl Standard {
    /// For each part: how to standardise it where it is a bag, `None` where it is prepared already.
    pub(crate) fn learn(input: &NetInput) -> Vec<Option<Self>> {
        input.parts.iter().map(Self::of).collect()
    }

    fn of(part: &Part) -> Option<Self> {
        let Part::Bag { bag, .. } = part else { return None };
        let vectors = || {
            let rows = (0..bag.instances.len()).filter(|&r| part.has(r));
            rows.flat_map(|r| bag.instances[r].iter().map(|(_, v)| v))
        };
        let n = vectors().count().max(1) as f64;
        let mut mean = vec![0.0f64; bag.width];
        for v in vectors() {
            mean.iter_mut().zip(v).for_each(|(m, &x)| *m += f64::from(x) / n);
        }
        let mut variance = vec![0.0f64; bag.width];
        for v in vectors() {
            variance.iter_mut().zip(v).zip(&mean).for_each(|((s, &x), m)| *s += (f64::from(x) - m).powi(2) / n);
        }
        let scale = |v: &f64| if *v > 1e-12 { (1.0 / v.sqrt()) as f32 } else { 0.0 };
        Some(Self { mean: mean.iter().map(|&m| m as f32).collect(), scale: variance.iter().map(scale).collect() })
    }
}

/// One modality of all rows; those that lack it hold no vector.
struct Vectors {
    width: usize,
    /// `[vectors, width]`.
    values: Vec<f32>,
    slots: Vec<usize>,
    spans: Spans,
}

/// The evidence of all rows.
pub(crate) struct Evidence(Vec<Vectors>);

impl Evidence {
    /// Reads the input, which has been checked; what stands in absent rows is not looked at.
    pub(crate) fn new(input: &NetInput, standards: &[Option<Standard>]) -> Self {
        let read = |(part, standard): (&Part, &Option<Standard>)| {
            let rows = input.rows();
            let (mut values, mut slots, mut lengths) = (Vec::new(), Vec::new(), vec![0; rows]);
            for (row, length) in lengths.iter_mut().enumerate().filter(|(row, _)| part.has(*row)) {
                match part {
                    Part::Row { values: matrix, .. } => {
                        values.extend(matrix.row(row).iter().map(|&v| v as f32));
                        slots.push(0);
                        *length = 1;
                    }
                    Part::Bag { bag, .. } => {
                        for (slot, vector) in &bag.instances[row] {
                            match standard {
                                Some(s) => {
                                    let shifted = vector.iter().zip(&s.mean).zip(&s.scale);
                                    values.extend(shifted.map(|((x, m), s)| (x - m) * s));
                                }
                                None => values.extend_from_slice(vector),
                            }
                            slots.push(*slot);
                        }
                        *length = bag.instances[row].len();
                    }
                }
            }
            Vectors { width: part.width(), values, slots, spans: Spans::from_lengths(lengths) }
        };
        Self(input.parts.iter().zip(standards).map(read).collect())
    }

    /// Modality `m`'s vectors of `rows`, which all have it.
    pub(crate) fn pack(&self, m: usize, rows: &[usize]) -> Result<Packed, Error> {
        let v = &self.0[m];
        let spans = Spans::from_lengths(rows.iter().map(|&r| v.spans.get(r).len()));
        let mut x = Vec::with_capacity(spans.tokens() * v.width);
        let mut slots = Vec::with_capacity(spans.tokens());
        for &row in rows {
            let at = v.spans.get(row);
            x.extend_from_slice(&v.values[at.start * v.width..at.end * v.width]);
            slots.extend_from_slice(&v.slots[at]);
        }
        let x = Tensor::from_vec(x, (spans.tokens(), v.width), &Device::Cpu)?;
        Ok(Packed { x, slots, spans: Arc::new(spans) })
    }
}
