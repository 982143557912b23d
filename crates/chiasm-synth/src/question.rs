use crate::draw::{Draw, Stream};
use chiasm_record::{Outcome, Task, TaskKind};
use rand::RngExt;

/// The kind of answer that a score becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Yes with probability `1 / (1 + exp(-score))`: the score is the log-odds.
    Binary,
    /// An event at an exponential time with hazard `0.2 · exp(score)` a year: the score is the log-risk.
    /// Follow-up ends at a time drawn evenly from 1 to 10 years.
    Survival,
}

/// Events a year at a score of 0.
const HAZARD: f64 = 0.2;
/// Years of follow-up: the shortest and the longest.
const FOLLOW_UP: (f64, f64) = (1.0, 10.0);

impl Question {
    pub(crate) fn task(self) -> Task {
        let (kind, output) = match self {
            Self::Binary => (TaskKind::Binary, "yes"),
            Self::Survival => (TaskKind::Survival, "event"),
        };
        Task { kind, outputs: vec![output.to_owned()] }
    }

    /// Draws the answer to each score.
    pub(crate) fn answer(self, draw: &Draw, scores: &[f64]) -> Outcome {
        let mut rng = draw.stream(Stream::Outcome);
        match self {
            Self::Binary => Outcome::Binary(
                scores.iter().map(|s| rng.random::<f64>() < 1.0 / (1.0 + (-s).exp())).collect(),
            ),
            Self::Survival => {
                let (time, event) = scores
                    .iter()
                    .map(|s| {
                        let until = -(1.0 - rng.random::<f64>()).ln() / (HAZARD * s.exp());
                        let seen = FOLLOW_UP.0 + rng.random::<f64>() * (FOLLOW_UP.1 - FOLLOW_UP.0);
                        (until.min(seen), until <= seen)
                    })
                    .unzip();
                Outcome::Survival { time, event }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_as_often_as_the_scores_say() {
        let draw = Draw::new(10_000, 5);
        let Outcome::Binary(yes) = Question::Binary.answer(&draw, &[-1.0; 10_000]) else { panic!("binary") };
        let rate = yes.iter().filter(|&&y| y).count() as f64 / 10_000.0;
        assert!((rate - 0.26894).abs() < 0.015, "{rate}");
        // Events over person-years estimate the hazard.
        let Outcome::Survival { time, event } = Question::Survival.answer(&draw, &[0.5; 10_000]) else {
            panic!("survival")
        };
        let rate = event.iter().filter(|&&e| e).count() as f64 / time.iter().sum::<f64>();
        assert!((rate / (0.2 * 0.5f64.exp()) - 1.0).abs() < 0.05, "{rate}");
    }
}
