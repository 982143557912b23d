//! Held-out predictions with a planted truth.

use crate::{FoldChoice, FusionName, HeldOut, HeldOutRepeat, Scores};
use chiasm_record::{Attribution, Availability, Modality, ModalityShare, Outcome, Task, TaskKind};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What the fusion of a planted cohort knows.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Truth {
    /// Every modality says something of its own, and the fusion adds it up.
    Adds,
    /// The first modality says everything; the fusion repeats it, give or take a little.
    Copies,
    /// Nobody knows anything.
    Noise,
}

#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub kind: TaskKind,
    pub truth: Truth,
    pub n: usize,
    pub modalities: usize,
    pub repeats: usize,
    pub missing: f64,
    pub seed: u64,
}

pub(super) const FOLDS: usize = 5;
/// Years at which survival curves are told, the horizon last.
pub(super) const TIMES: [f64; 2] = [1.0, 2.0];

pub(super) fn plan(kind: TaskKind, truth: Truth) -> Plan {
    Plan { kind, truth, n: 500, modalities: 3, repeats: 3, missing: 0.2, seed: 5 }
}

pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

impl Plan {
    fn outputs(&self) -> usize {
        match self.kind {
            TaskKind::MultiClass => 3,
            TaskKind::MultiLabel => 2,
            _ => 1,
        }
    }

    /// The log-odds (or value) given what is seen of `z`.
    fn link(&self, z: &[f64], seen: Availability) -> Vec<f64> {
        let k = self.outputs();
        let mut link = vec![0.0; k];
        for m in seen.iter() {
            match self.truth {
                Truth::Copies if m == 0 => (0..k).for_each(|k| link[k] = (1.3 - 2.6 * k as f64) * z[0]),
                Truth::Copies => {}
                _ => link[m % k] += 1.3 * z[m],
            }
        }
        link
    }

    fn answer(&self, link: &[f64]) -> Vec<f64> {
        let sigmoid = |x: &f64| 1.0 / (1.0 + (-x).exp());
        match self.kind {
            TaskKind::MultiClass => {
                let sum: f64 = link.iter().map(|l| l.exp()).sum();
                link.iter().map(|l| l.exp() / sum).collect()
            }
            TaskKind::Regression => link.to_vec(),
            TaskKind::Survival => link.iter().map(|l| 1.0 - (-0.4 * l.exp()).exp()).collect(),
            _ => link.iter().map(sigmoid).collect(),
        }
    }

    fn scores(&self, rows: impl Iterator<Item = Vec<f64>>) -> Scores {
        let link: Vec<Vec<f64>> = rows.collect();
        let answer = link.iter().map(|l| self.answer(l)).collect();
        let curve = |l: &Vec<f64>| TIMES.iter().map(|t| (-0.4 * t / TIMES[1] * l[0].exp()).exp()).collect();
        let survival =
            if self.kind == TaskKind::Survival { link.iter().map(curve).collect() } else { Vec::new() };
        Scores { link, answer, survival }
    }

    pub fn held_out(&self) -> HeldOut {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let (n, width, k) = (self.n, self.modalities, self.outputs());
        let z: Vec<Vec<f64>> = (0..n).map(|_| (0..width).map(|_| normal(&mut rng)).collect()).collect();
        let everything = Availability::all(width);
        let availability: Vec<Availability> = (0..n)
            .map(|_| {
                let lost = (0..width).filter(|_| rng.random::<f64>() < self.missing);
                let left = lost.fold(everything, Availability::without);
                if left.is_empty() { Availability::only(0) } else { left }
            })
            .collect();
        // What happens follows all of z, seen or not.
        let eta: Vec<Vec<f64>> = z
            .iter()
            .map(|z| if self.truth == Truth::Noise { vec![0.0; k] } else { self.link(z, everything) })
            .collect();
        let outcome = match self.kind {
            TaskKind::Binary => {
                Outcome::Binary(eta.iter().map(|e| rng.random::<f64>() < self.answer(e)[0]).collect())
            }
            TaskKind::MultiClass => {
                let draw = |e: &Vec<f64>| {
                    let (p, mut u) = (self.answer(e), rng.random::<f64>());
                    p.iter()
                        .position(|p| {
                            u -= p;
                            u < 0.0
                        })
                        .unwrap_or(0)
                };
                Outcome::MultiClass(eta.iter().map(draw).collect())
            }
            TaskKind::MultiLabel => Outcome::MultiLabel(
                eta.iter()
                    .map(|e| self.answer(e).iter().map(|p| rng.random::<f64>() < *p).collect())
                    .collect(),
            ),
            TaskKind::Regression => {
                Outcome::Regression(eta.iter().map(|e| e[0] + normal(&mut rng)).collect())
            }
            TaskKind::Survival => {
                let mut wait = |rate: f64| -(1.0 - rng.random::<f64>()).ln() / rate;
                let pairs: Vec<(f64, f64)> =
                    eta.iter().map(|e| (wait(0.2 * e[0].exp()), wait(0.15))).collect();
                Outcome::Survival {
                    time: pairs.iter().map(|(t, c)| t.min(*c)).collect(),
                    event: pairs.iter().map(|(t, c)| t <= c).collect(),
                }
            }
        };
        let repeats = (0..self.repeats).map(|_| self.repeat(&mut rng, &z, &availability)).collect();
        HeldOut {
            task: Task { kind: self.kind, outputs: (0..k).map(|k| format!("output_{k}")).collect() },
            outcome,
            horizon: (self.kind == TaskKind::Survival).then_some(TIMES[1]),
            times: if self.kind == TaskKind::Survival { TIMES.to_vec() } else { Vec::new() },
            modalities: (0..width).map(|m| Modality::new(format!("modality_{m}"))).collect(),
            subgroups: vec![(
                "sex".into(),
                (0..n)
                    .map(|i| [Some("female".to_owned()), Some("male".to_owned()), None][i % 7 / 3].clone())
                    .collect(),
            )],
            fusions: ["stacked", "attention"]
                .map(|f| FusionName { name: f.into(), kind: f.into(), modalities: everything })
                .into(),
            availability,
            confidence: 0.9,
            repeats,
            selected: 0,
            best_single: 0,
        }
    }

    fn repeat(&self, rng: &mut ChaCha8Rng, z: &[Vec<f64>], has: &[Availability]) -> HeldOutRepeat {
        let (n, width) = (self.n, self.modalities);
        let mut fold: Vec<usize> = (0..n).map(|i| i % FOLDS).collect();
        for i in (1..n).rev() {
            fold.swap(i, rng.random_range(0..=i as u64) as usize);
        }
        let seen = |set: Availability| self.scores((0..n).map(|i| self.link(&z[i], has[i].intersect(set))));
        let mut blurred = |size: f64| {
            let full = Availability::all(width);
            let rows: Vec<Vec<f64>> = (0..n)
                .map(|i| {
                    self.link(&z[i], has[i].intersect(full)).iter().map(|l| l + size * normal(rng)).collect()
                })
                .collect();
            self.scores(rows.into_iter())
        };
        let fusions = vec![blurred(0.05), blurred(0.5)];
        let mut subsets: Vec<(Availability, Scores)> = Availability::all(width)
            .subsets()
            .filter(|s| !s.is_empty() && (width <= 6 || s.count() == 1 || s.count() + 1 >= width))
            .map(|s| (s, seen(s)))
            .collect();
        for (subset, scores) in &mut subsets {
            for i in (0..n).filter(|&i| has[i].intersect(*subset).is_empty()) {
                scores.link[i].fill(f64::NAN);
                scores.answer[i].fill(f64::NAN);
            }
        }
        let losses = (0..width + 2).map(|m| 0.5 + 0.01 * m as f64).collect();
        let thresholds = match self.kind {
            TaskKind::Binary => vec![("Youden on tuning data".to_owned(), 0.5)],
            _ => Vec::new(),
        };
        let attribution = |i: usize| Attribution {
            base: 0.0,
            shares: has[i].iter().map(|m| ModalityShare { modality: m, share: 1.3 * z[i][m] }).collect(),
            interactions: match has[i].contains(0) && has[i].contains(1) {
                true => vec![(0, 1, 0.1)],
                false => Vec::new(),
            },
            sampling_error: None,
        };
        HeldOutRepeat {
            fold,
            choices: vec![FoldChoice { fusion: 0, single: 0, losses, thresholds }; FOLDS],
            singles: (0..width).map(|m| seen(Availability::only(m))).collect(),
            fusions,
            subsets,
            interval: vec![vec![(0.0, 1.0); self.outputs()]; n],
            abstained: (0..n).map(|i| i % 9 == 0).collect(),
            covered: (0..n).map(|i| (i % 11 != 0).then_some(i % 10 != 0)).collect(),
            attribution: (0..n).map(|i| (!has[i].is_empty()).then(|| attribution(i))).collect(),
        }
    }
}
