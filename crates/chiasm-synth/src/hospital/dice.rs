//! Randomness that belongs to one patient and one part of the hospital.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What is drawn, each from its own stream, so that one part never moves another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Person,
    Relation,
    Charts,
    Disease,
    Course,
    Labs,
    Notes,
    Film,
    Ct,
    Slide,
    Genome,
    Ecg,
    Actigraphy,
    Consent,
    Wire,
    Records,
    Hospital,
}

/// Streams that one patient can have.
const PARTS: u64 = 32;

/// One stream of random numbers: of a seed, a patient and a part.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64, patient: u64, part: Part) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(patient * PARTS + part as u64);
        Self(rng)
    }

    /// 0 or more, below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0.random()
    }

    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// 0 or more, below `n`; 0 where `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Whole numbers, both ends included.
    pub(crate) fn whole(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as usize) as i64
    }

    /// One of them; there must be one.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// The index of one of `n`, the first the most likely, as names are distributed.
    ///
    /// # Source
    /// Zipf's law with exponent 1 and a shift of 2 (Mandelbrot 1953), by inversion of the continuous law.
    pub(crate) fn zipf(&mut self, n: usize) -> usize {
        const SHIFT: f64 = 2.0;
        let top = ((n as f64 + SHIFT) / SHIFT).ln();
        ((SHIFT * (self.unit() * top).exp() - SHIFT) as usize).min(n.saturating_sub(1))
    }

    pub(crate) fn normal(&mut self) -> f64 {
        crate::draw::normal(&mut self.0)
    }

    /// How many times something happens that happens `mean` times on average.
    ///
    /// # Source
    /// Knuth, The Art of Computer Programming 2, 3.4.1.
    pub(crate) fn poisson(&mut self, mean: f64) -> usize {
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit && count < 1000 {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// A letter string of `n` characters out of `alphabet`.
    pub(crate) fn text(&mut self, n: usize, alphabet: &[u8]) -> String {
        (0..n).map(|_| char::from(*self.pick(alphabet))).collect()
    }
}

/// A number between 0 and 2^bits that looks random and that no other `index` below 2^bits gets.
///
/// # Source
/// A balanced Feistel network (Luby and Rackoff 1988, doi:10.1137/0217022) over splitmix64; `bits` is even.
pub(crate) fn scramble(index: u64, seed: u64, bits: u32) -> u64 {
    let half = bits / 2;
    let mask = (1_u64 << half) - 1;
    let (mut left, mut right) = (index >> half & mask, index & mask);
    for round in 0..6_u64 {
        let mixed = splitmix(right ^ seed.rotate_left(17) ^ (round << 56)) & mask;
        (left, right) = (right, left ^ mixed);
    }
    left << half | right
}

/// # Source
/// Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195.
pub(crate) fn splitmix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn scrambled_numbers_are_each_given_once() {
        let all: BTreeSet<u64> = (0..1 << 12).map(|i| scramble(i, 7, 12)).collect();
        assert_eq!((all.len(), all.last()), (1 << 12, Some(&4095)));
        assert_ne!(scramble(1, 7, 24), scramble(1, 8, 24));
    }

    #[test]
    fn the_first_name_is_the_most_frequent_and_the_last_is_there() {
        let mut dice = Dice::new(3, 0, Part::Person);
        let mut counts = [0_u32; 50];
        (0..50_000).for_each(|_| counts[dice.zipf(50)] += 1);
        // Of 1/(k + 2.5), cut at 50: the first has ln(3/2) / ln(26) = 0.124, the last 0.006.
        assert!((5_800..6_700).contains(&counts[0]), "{counts:?}");
        assert!((200..420).contains(&counts[49]), "{counts:?}");
    }
}
