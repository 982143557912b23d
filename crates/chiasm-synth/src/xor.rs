//! An answer that needs two modalities together.

use crate::draw::{Draw, Stream, normal};
use crate::synthetic::{check, show};
use crate::{Error, Question, Synthetic, View};
use chiasm_record::Outcome;
use rand::RngExt;

/// Two modalities; the answer is yes where the signs of their latents differ.
///
/// `z_m = s_m · (1 + |e_m| / 2)` with a fair sign `s_m` and standard normal `e_m`, kept away from 0 so
/// that three columns with error ½ tell the sign; `yes = (s_1 ≠ s_2)`. Each modality alone is
/// independent of the answer (AUROC .5), and so is every sum `f(m1) + g(m2)`: the scores of two experts
/// carry nothing to add up. Together they tell it almost surely (AUROC above .99).
///
/// # Errors
/// [`Error::Impossible`] for no subject or bad rates of missingness.
pub fn xor(draw: &Draw) -> Result<Synthetic, Error> {
    check(draw, 2)?;
    let mut rng = draw.stream(Stream::Latent);
    let mut latent = || {
        let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
        sign * (1.0 + normal(&mut rng).abs() / 2.0)
    };
    let latents: Vec<Vec<f64>> = (0..draw.n).map(|_| vec![latent(), latent()]).collect();
    let yes = latents.iter().map(|z| (z[0] > 0.0) != (z[1] > 0.0)).collect();
    Ok(Synthetic {
        name: "synthetic-xor",
        question: "Do the signs of two hidden values differ?",
        examples: show(draw, &latents, View::CLEAR, Question::Binary.task(), Outcome::Binary(yes))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_record::Content;

    #[test]
    fn the_product_of_the_columns_means_tells_the_answer_and_their_sum_does_not() {
        let cohort = xor(&Draw::new(2_000, 1)).unwrap().examples;
        let Some(Outcome::Binary(yes)) = cohort.outcome() else { panic!("binary") };
        let mean = |m: usize, row: usize| {
            let Content::Table(grid) = &cohort.blocks()[m].content else { panic!("table") };
            (0..3).filter_map(|c| grid.get(row, c)).sum::<f64>() / 3.0
        };
        let right = |says: &dyn Fn(f64, f64) -> bool| {
            (0..2_000).filter(|&r| says(mean(0, r), mean(1, r)) == yes[r]).count() as f64 / 2_000.0
        };
        assert!(right(&|a, b| a * b < 0.0) > 0.99);
        for half in [right(&|a, _| a > 0.0), right(&|_, b| b > 0.0), right(&|a, b| a + b > 0.0)] {
            assert!((half - 0.5).abs() < 0.05, "{half}");
        }
    }
}
