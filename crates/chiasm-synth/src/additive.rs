//! A known weight per modality.

use crate::draw::Draw;
use crate::synthetic::{check, show};
use crate::{Error, Question, Synthetic, View};
use chiasm_record::Availability;

/// One modality a weight (2 to 32), independent standard normal latents `z_m`, and
/// `score = Σ_m weight_m · z_m`: the log-odds, or the log-hazard.
///
/// See [`shares`] for what an attribution must find.
///
/// # Errors
/// [`Error::Impossible`] for no subject, an impossible number of modalities, a weight that is not
/// finite, bad rates of missingness.
pub fn additive(draw: &Draw, weights: &[f64], question: Question) -> Result<Synthetic, Error> {
    check(draw, weights.len())?;
    if let Some(weight) = weights.iter().find(|w| !w.is_finite()) {
        let found = weight.to_string();
        return Err(Error::Impossible { what: "weights", found, expected: "finite numbers" });
    }
    let latents = draw.latents(weights.len());
    let scores: Vec<f64> = latents.iter().map(|z| z.iter().zip(weights).map(|(z, w)| z * w).sum()).collect();
    let outcome = question.answer(draw, &scores);
    Ok(Synthetic {
        name: "synthetic-additive",
        question: "Does the event follow from the sum of what each modality shows?",
        examples: show(draw, &latents, View::CLEAR, question.task(), outcome)?,
    })
}

/// The share of each modality in the mean absolute attribution, for weights of which all but the sign
/// counts: `|weight_m| / Σ |weight|`.
///
/// On the scale of the score itself a modality's Shapley value is `weight_m · E[z_m | columns]`, whose
/// mean absolute value is `|weight_m| · √(2ρ/π)` with the same reliability ρ ([`View::reliability`])
/// for every modality, so ρ cancels. For the log-odds that a trained model gives see
/// [`shares_on_log_odds`].
pub fn shares(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().map(|w| w.abs()).sum();
    weights.iter().map(|w| w.abs() / total).collect()
}

/// As [`shares`], for a binary question and a model that gives the best log-odds for every subset.
///
/// Log-odds do not collapse: looking only at the modalities in `S` the best log-odds are, very nearly,
/// `a_S · Σ_{m∈S} weight_m · x_m` with `x_m = E[z_m | columns]`, variance ρ, and
/// `a_S = 1 / √(1 + c² · V_S)`, `c = 16√3 / (15π)`, where `V_S` is the variance of the score that `S`
/// leaves unexplained. A Shapley value is a mean over subsets of differences of these, hence linear in
/// the `x`, hence normal; its mean absolute value follows from its variance. The result differs from
/// [`shares`] by a few per cent of a share where scores vary no more than by 2 or so.
///
/// Cost: `2^modalities`.
///
/// # Source
/// The constant: Johnson, Kotz and Balakrishnan 1995, ch. 23 (logistic against normal).
pub fn shares_on_log_odds(weights: &[f64]) -> Vec<f64> {
    let count = weights.len();
    let reliability = View::CLEAR.reliability();
    let c = 16.0 * 3f64.sqrt() / (15.0 * std::f64::consts::PI);
    let whole: f64 = weights.iter().map(|w| w * w).sum();
    let damping = |set: Availability| {
        let told: f64 = set.iter().map(|m| reliability * weights[m] * weights[m]).sum();
        1.0 / (1.0 + c * c * (whole - told)).sqrt()
    };
    let size: Vec<f64> = (0..count)
        .map(|m| {
            // The Shapley value's coefficient of each x.
            let mut coefficient = vec![0.0; count];
            for set in Availability::all(count).without(m).subsets() {
                let chance = 1.0 / (count as f64 * choose(count - 1, set.count()));
                let (before, after) = (damping(set), damping(set.with(m)));
                coefficient[m] += chance * after * weights[m];
                set.iter().for_each(|k| coefficient[k] += chance * (after - before) * weights[k]);
            }
            coefficient.iter().map(|c| c * c).sum::<f64>().sqrt()
        })
        .collect();
    let total: f64 = size.iter().sum();
    size.iter().map(|s| s / total).collect()
}

/// Binomial coefficient.
fn choose(n: usize, k: usize) -> f64 {
    (0..k).fold(1.0, |product, i| product * (n - i) as f64 / (i + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chiasm_record::Outcome;

    #[test]
    fn the_score_is_the_log_odds() {
        let cohort = additive(&Draw::new(4_000, 3), &[2.0, 0.0], Question::Binary).unwrap().examples;
        let Some(Outcome::Binary(yes)) = cohort.outcome() else { panic!("binary") };
        let rate = yes.iter().filter(|&&y| y).count() as f64 / 4_000.0;
        assert!((rate - 0.5).abs() < 0.03, "{rate}");
    }

    #[test]
    fn log_odds_damp_shares_a_little() {
        let weights = [1.0, 0.6, 0.4];
        for (plain, damped) in shares(&weights).into_iter().zip(shares_on_log_odds(&weights)) {
            assert!((plain - damped).abs() / plain < 0.1, "{plain} {damped}");
        }
        // Where modalities are alike, nothing but symmetry counts.
        let even = shares_on_log_odds(&[0.7; 4]);
        assert!(even.iter().all(|s| (s - 0.25).abs() < 1e-12), "{even:?}");
        // Small scores do collapse.
        let small = shares_on_log_odds(&[0.03, 0.01]);
        assert!((small[0] - 0.75).abs() < 1e-3, "{small:?}");
    }
}
