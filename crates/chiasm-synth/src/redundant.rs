//! Modalities that all show the same, errors included.

use crate::draw::{Draw, Stream, normal};
use crate::synthetic::{check, show};
use crate::{Error, Question, Synthetic, View};

/// Weight of the latent in the score.
const WEIGHT: f64 = 1.5;
/// Standard deviation of the error that all modalities share.
const SHARED: f64 = 0.7;
/// Each column's own error is small: averaging it away would gain less than .001 of AUROC.
const VIEW: View = View { columns: 3, error: 0.1 };

/// Any number of modalities (2 to 32), all showing one blurred latent; fusion has nothing to gain.
///
/// `score = 1.5 · z` with standard normal `z`; every modality's latent is `z + 0.7 · e` with the same
/// `e` for all of them, and its columns add an own error of 0.1 only.
///
/// # Errors
/// [`Error::Impossible`] for no subject, an impossible number of modalities, bad rates of missingness.
pub fn redundant(draw: &Draw, modalities: usize, question: Question) -> Result<Synthetic, Error> {
    check(draw, modalities)?;
    let mut rng = draw.stream(Stream::Latent);
    let mut scores = Vec::with_capacity(draw.n);
    let mut latents = Vec::with_capacity(draw.n);
    for _ in 0..draw.n {
        let z = normal(&mut rng);
        scores.push(WEIGHT * z);
        latents.push(vec![z + SHARED * normal(&mut rng); modalities]);
    }
    let outcome = question.answer(draw, &scores);
    Ok(Synthetic {
        name: "synthetic-redundant",
        question: "Does the event follow from a value that every modality shows alike?",
        examples: show(draw, &latents, VIEW, question.task(), outcome)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_record::Content;

    #[test]
    fn modalities_agree_far_better_with_each_other_than_with_the_truth() {
        let cohort = redundant(&Draw::new(1_000, 2), 2, Question::Binary).unwrap().examples;
        let mean = |m: usize, row: usize| {
            let Content::Table(grid) = &cohort.blocks()[m].content else { panic!("table") };
            (0..3).filter_map(|c| grid.get(row, c)).sum::<f64>() / 3.0
        };
        let apart = (0..1_000).map(|r| (mean(0, r) - mean(1, r)).powi(2)).sum::<f64>() / 1_000.0;
        // Twice the variance of a mean of three own errors, against the shared 0.49.
        assert!((apart / (2.0 * 0.01 / 3.0) - 1.0).abs() < 0.2, "{apart}");
    }
}
