//! What is really going on in a patient: three latent processes that every system sees a part of.

use super::calendar::{BEGIN, DAY};
use super::dice::{Dice, Part};

/// A kind of evidence that a patient may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    Labs,
    Notes,
    Film,
    Ct,
    Slide,
    Genome,
    Ecg,
    Actigraphy,
}

impl Evidence {
    pub(crate) const ALL: [Self; 8] = [
        Self::Labs,
        Self::Notes,
        Self::Film,
        Self::Ct,
        Self::Slide,
        Self::Genome,
        Self::Ecg,
        Self::Actigraphy,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Labs => "labs",
            Self::Notes => "notes",
            Self::Film => "film",
            Self::Ct => "ct",
            Self::Slide => "slide",
            Self::Genome => "genome",
            Self::Ecg => "ecg",
            Self::Actigraphy => "actigraphy",
        }
    }

    /// Log-odds of being missing: at performance status 0, and per step of it.
    ///
    /// Missing at random: the performance status that decides is on record for everyone.
    fn rule(self) -> (f64, f64) {
        match self {
            Self::Labs => (-3.0, -0.5),
            Self::Notes => (-3.0, 0.0),
            Self::Film => (-1.2, -0.4),
            Self::Ct => (-0.2, -0.5),
            Self::Slide => (1.0, -0.5),
            Self::Genome => (0.9, -0.4),
            Self::Ecg => (-0.8, -0.2),
            Self::Actigraphy => (0.2, 0.6),
        }
    }

    /// The chance that a patient of a performance status lacks it.
    pub(crate) fn missing(self, status: u8) -> f64 {
        let (base, step) = self.rule();
        logistic(base + step * f64::from(status))
    }
}

/// A gene variant that drives a tumour: HGVS and GRCh38.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) gene: &'static str,
    pub(crate) hgnc: &'static str,
    pub(crate) coding: &'static str,
    pub(crate) protein: &'static str,
    pub(crate) chromosome: &'static str,
    pub(crate) position: u32,
    pub(crate) reference: &'static str,
    pub(crate) alternate: &'static str,
    /// How likely at a burden of 0, and the log-odds per unit of burden.
    share: (f64, f64),
}

/// Those that can be planted.
pub(crate) static DRIVERS: [Driver; 5] = [
    Driver {
        gene: "EGFR",
        hgnc: "HGNC:3236",
        coding: "NM_005228.5:c.2573T>G",
        protein: "p.(Leu858Arg)",
        chromosome: "chr7",
        position: 55_191_822,
        reference: "T",
        alternate: "G",
        share: (0.10, 0.9),
    },
    Driver {
        gene: "KRAS",
        hgnc: "HGNC:6407",
        coding: "NM_004985.5:c.34G>T",
        protein: "p.(Gly12Cys)",
        chromosome: "chr12",
        position: 25_245_351,
        reference: "C",
        alternate: "A",
        share: (0.15, 0.7),
    },
    Driver {
        gene: "TP53",
        hgnc: "HGNC:11998",
        coding: "NM_000546.6:c.524G>A",
        protein: "p.(Arg175His)",
        chromosome: "chr17",
        position: 7_675_088,
        reference: "C",
        alternate: "T",
        share: (0.25, 1.2),
    },
    Driver {
        gene: "BRAF",
        hgnc: "HGNC:1097",
        coding: "NM_004333.6:c.1799T>A",
        protein: "p.(Val600Glu)",
        chromosome: "chr7",
        position: 140_753_336,
        reference: "A",
        alternate: "T",
        share: (0.04, 0.3),
    },
    Driver {
        gene: "STK11",
        hgnc: "HGNC:11389",
        coding: "NM_000455.5:c.169del",
        protein: "p.(Glu57fs)",
        chromosome: "chr19",
        position: 1_207_077,
        reference: "AG",
        alternate: "A",
        share: (0.06, 0.8),
    },
];

/// A lung nodule. Positions are shares of the lung: 0 to 1 from the patient's right to left, from the top
/// down, from front to back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nodule {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) z: f64,
    /// At the index time, in millimetres.
    pub(crate) diameter: f64,
    /// Days in which the volume doubles.
    pub(crate) doubling: f64,
}

impl Nodule {
    /// The diameter in millimetres at a time after the index time, in days.
    pub(crate) fn diameter(&self, days: f64) -> f64 {
        (self.diameter * (days / self.doubling / 3.0).exp2()).clamp(2.0, 90.0)
    }

    pub(crate) fn left(&self) -> bool {
        self.x > 0.5
    }
}

/// One patient's latent state and what follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Disease {
    /// Tumour: standard normal. Seen by films, CT, slides, variants, CEA.
    pub(crate) burden: f64,
    /// Inflammation: standard normal. Seen by CRP, white cells, temperature, heart rate, haze on films.
    pub(crate) inflammation: f64,
    /// Frailty: standard normal. Seen by actigraphy, albumin, haemoglobin, oxygen, notes.
    pub(crate) frailty: f64,
    /// What decides the outcome: log hazard against the average.
    pub(crate) severity: f64,
    pub(crate) nodules: Vec<Nodule>,
    pub(crate) malignant: bool,
    /// Which of [`DRIVERS`], and the share of reads that show it.
    pub(crate) drivers: Vec<(usize, f64)>,
    pub(crate) smoker: bool,
    pub(crate) diabetes: bool,
    pub(crate) hypertension: bool,
    pub(crate) fibrillation: bool,
    pub(crate) kidney: bool,
    pub(crate) arthritis: bool,
    /// ECOG performance status, 0 to 4.
    pub(crate) status: u8,
    /// When the nodule is found: the index time.
    pub(crate) index: i64,
    /// From the index time to death, in days; known to the truth alone where it is after the exports end.
    pub(crate) survival: f64,
    /// Which evidence there is, in the order of [`Evidence::ALL`]: by the rules of missingness alone.
    pub(crate) present: [bool; 8],
}

impl Disease {
    pub(crate) fn new(seed: u64, patient: u64) -> Self {
        let mut dice = Dice::new(seed, patient, Part::Disease);
        let dice = &mut dice;
        let (burden, inflammation, frailty) = (dice.normal(), dice.normal(), dice.normal());
        let severity = 0.8 * burden + 0.6 * inflammation + 0.4 * frailty + 0.5 * burden * inflammation;
        let malignant = dice.chance(logistic(-0.3 + 1.6 * burden));
        let count = if dice.chance(0.12) { 2 } else { 1 };
        let nodules = (0..count).map(|_| nodule(dice, burden, malignant)).collect();
        let drivers = DRIVERS.iter().enumerate().filter_map(|(i, driver)| {
            let (share, slope) = driver.share;
            let there = dice.chance(logistic((share / (1.0 - share)).ln() + slope * burden));
            let fraction = (0.22 + 0.07 * burden + 0.05 * dice.normal()).clamp(0.04, 0.7);
            there.then_some((i, fraction))
        });
        let drivers = drivers.collect();
        let status = (1.1 + 0.8 * frailty + 0.35 * severity + 0.4 * dice.normal()).clamp(0.0, 4.0) as u8;
        let index = BEGIN + 200 * DAY + dice.whole(0, 600) * DAY + dice.whole(8 * 3600, 16 * 3600);
        let survival = -(1.0 - dice.unit()).ln() / (0.22 * severity.exp()) * 365.25;
        let mut history = |share: f64| dice.chance(share);
        let (smoker, diabetes) = (history(0.45), history(0.2));
        let (hypertension, fibrillation) = (history(0.45), history(0.1));
        let (kidney, arthritis) = (history(0.12), history(logistic(-3.0 + 0.9 * inflammation)));
        let present = Evidence::ALL.map(|e| !dice.chance(e.missing(status)));
        Self {
            burden,
            inflammation,
            frailty,
            severity,
            nodules,
            malignant,
            drivers,
            smoker,
            diabetes,
            hypertension,
            fibrillation,
            kidney,
            arthritis,
            status,
            index,
            survival: survival.clamp(2.0, 20_000.0),
            present,
        }
    }

    pub(crate) fn has(&self, evidence: Evidence) -> bool {
        self.present[evidence as usize]
    }

    /// Days from the index time.
    pub(crate) fn days(&self, at: i64) -> f64 {
        (at - self.index) as f64 / DAY as f64
    }

    /// The instant of death.
    pub(crate) fn death(&self) -> i64 {
        self.index + (self.survival * DAY as f64) as i64
    }
}

fn nodule(dice: &mut Dice, burden: f64, malignant: bool) -> Nodule {
    let doubling = if malignant { dice.between(80.0, 300.0) } else { dice.between(700.0, 4_000.0) };
    let diameter = (13.0 + 4.5 * burden + 2.0 * dice.normal()).clamp(4.0, 45.0);
    // Off the midline, where heart and spine hide it.
    let side = if dice.chance(0.5) { dice.between(0.08, 0.36) } else { dice.between(0.64, 0.92) };
    Nodule { x: side, y: dice.between(0.2, 0.8), z: dice.between(0.2, 0.8), diameter, doubling }
}

pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_missing_as_planted_in_every_performance_status() {
        let all: Vec<Disease> = (0..20_000).map(|k| Disease::new(4, k)).collect();
        for status in 0..=4 {
            let group: Vec<_> = all.iter().filter(|d| d.status == status).collect();
            assert!(group.len() > 100, "{status}: {}", group.len());
            for evidence in Evidence::ALL {
                let lacking = group.iter().filter(|d| !d.has(evidence)).count() as f64;
                let (rate, n) = (evidence.missing(status), group.len() as f64);
                let error = (rate * (1.0 - rate) / n).sqrt();
                assert!((lacking / n - rate).abs() < 4.5 * error, "{} {status}", evidence.as_str());
            }
        }
    }

    #[test]
    fn the_sick_die_sooner_and_tumours_grow() {
        let all: Vec<Disease> = (0..5_000).map(|k| Disease::new(4, k)).collect();
        let median = |sick: bool| {
            let mut days: Vec<f64> =
                all.iter().filter(|d| (d.severity > 0.0) == sick).map(|d| d.survival).collect();
            days.sort_by(f64::total_cmp);
            days[days.len() / 2]
        };
        assert!(2.0 * median(true) < median(false));
        let nodule = all[0].nodules[0];
        assert!((nodule.diameter(3.0 * nodule.doubling) / nodule.diameter(0.0) - 2.0).abs() < 1e-9);
    }
}
