//! The input in the form that the network reads: floats, absent rows left out.

use super::encoder::Packed;
use super::input::{NetInput, Part};
use super::ops::Spans;
use crate::Error;
use candle_core::{Device, Tensor};
use std::sync::Arc;

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
    pub(crate) fn new(input: &NetInput) -> Self {
        let read = |part: &Part| {
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
                        for (slot, vector) in &bag.vectors[row] {
                            values.extend_from_slice(vector);
                            slots.push(*slot);
                        }
                        *length = bag.vectors[row].len();
                    }
                }
            }
            Vectors { width: part.width(), values, slots, spans: Spans::from_lengths(lengths) }
        };
        Self(input.parts.iter().map(read).collect())
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
