use crate::Error;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// How many subjects, from which seed, and how often a modality is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// Number of subjects.
    pub n: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Per modality: the chance that a subject lacks it, 0 or more and below 1. Empty: nothing is missing.
    ///
    /// Independent of every value and between modalities, except that the pattern of a subject who would
    /// have nothing is drawn anew; missing completely at random all the same.
    pub missing: Vec<f64>,
}

/// Independent streams of one seed, so that one part of a cohort does not depend on another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Latent = 0,
    Columns = 1,
    Outcome = 2,
    Presence = 3,
}

impl Draw {
    /// `n` subjects who lack nothing.
    pub fn new(n: usize, seed: u64) -> Self {
        Self { n, seed, missing: Vec::new() }
    }

    /// The same with a chance of missingness per modality.
    #[must_use]
    pub fn missing(mut self, rates: &[f64]) -> Self {
        self.missing = rates.to_vec();
        self
    }

    pub(crate) fn stream(&self, stream: Stream) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream as u64);
        rng
    }

    /// Standard normal latents. Shape: `[subject][modality]`.
    pub(crate) fn latents(&self, modalities: usize) -> Vec<Vec<f64>> {
        let mut rng = self.stream(Stream::Latent);
        (0..self.n).map(|_| (0..modalities).map(|_| normal(&mut rng)).collect()).collect()
    }

    /// Who has what. Shape: `[subject][modality]`, at least one a subject.
    pub(crate) fn presence(&self, modalities: usize) -> Result<Vec<Vec<bool>>, Error> {
        if self.missing.is_empty() {
            return Ok(vec![vec![true; modalities]; self.n]);
        }
        let impossible = |found: String, expected| Error::Impossible { what: "missing", found, expected };
        if self.missing.len() != modalities {
            let found = format!("{} rates for {modalities} modalities", self.missing.len());
            return Err(impossible(found, "one rate a modality"));
        }
        if let Some(rate) = self.missing.iter().find(|r| !(0.0..=MOST_MISSING).contains(*r)) {
            return Err(impossible(rate.to_string(), "0 to 0.99"));
        }
        let mut rng = self.stream(Stream::Presence);
        let mut pattern = || loop {
            let drawn: Vec<bool> = self.missing.iter().map(|&rate| rng.random::<f64>() >= rate).collect();
            if drawn.contains(&true) {
                return drawn;
            }
        };
        Ok((0..self.n).map(|_| pattern()).collect())
    }
}

/// Above, redrawing the subjects who would have nothing could take long.
const MOST_MISSING: f64 = 0.99;

/// A standard normal number.
///
/// # Source
/// Box and Muller 1958, doi:10.1214/aoms/1177706645.
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut rng = Draw::new(0, 3).stream(Stream::Latent);
        let x: Vec<f64> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let moment = |p: i32| x.iter().map(|v| v.powi(p)).sum::<f64>() / x.len() as f64;
        assert!(moment(1).abs() < 0.03 && (moment(2) - 1.0).abs() < 0.04 && (moment(4) - 3.0).abs() < 0.25);
    }

    #[test]
    fn missing_as_often_as_asked_and_never_everything() {
        let presence = Draw::new(5_000, 3).missing(&[0.3, 0.0]).presence(2).unwrap();
        let lacking = presence.iter().filter(|p| !p[0]).count() as f64 / 5_000.0;
        assert!((lacking - 0.3).abs() < 0.03, "{lacking}");
        let often = Draw::new(500, 3).missing(&[0.9, 0.9]).presence(2).unwrap();
        assert!(often.iter().all(|p| p.contains(&true)));
    }

    #[test]
    fn impossible_rates_are_refused() {
        for rates in [&[0.1][..], &[0.1, 1.0], &[-0.1, 0.0], &[f64::NAN, 0.0]] {
            assert!(matches!(Draw::new(5, 1).missing(rates).presence(2), Err(Error::Impossible { .. })));
        }
    }
}
