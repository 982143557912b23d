//! What devices measure: a twelve-lead ECG as a WFDB record, and movement on the wrist by the minute.
//!
//! # Source
//! WFDB header(5) and signal(5), format 16; the ECG's waves as sums of Gaussians after McSharry et al. 2003,
//! doi:10.1109/TBME.2003.808805.

use super::calendar::{DAY, System};
use super::case::{Case, LABEL};
use super::dice::{Dice, Part};
use std::f64::consts::TAU;
use std::fmt::Write;

const LEADS: [&str; 12] = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
/// Samples a second, seconds, units a millivolt.
const RATE: usize = 250;
const SECONDS: usize = 10;
const GAIN: f64 = 1_000.0;
/// Days that a wearable is worn.
const WORN: i64 = 3;

/// Waves P, Q, R, S, T: where in the beat (share of it), how wide (seconds), and how high in each lead (mV).
const WAVES: [(f64, f64, [f64; 8]); 5] = [
    (0.20, 0.025, [0.08, 0.12, 0.05, 0.06, 0.06, 0.06, 0.06, 0.06]),
    (0.35, 0.010, [-0.05, -0.06, 0.0, 0.0, -0.02, -0.06, -0.08, -0.08]),
    (0.38, 0.011, [0.6, 0.9, 0.2, 0.4, 0.8, 1.2, 1.3, 1.0]),
    (0.41, 0.011, [-0.1, -0.1, -0.8, -1.1, -0.7, -0.4, -0.2, -0.1]),
    (0.62, 0.055, [0.15, 0.25, -0.05, 0.3, 0.35, 0.35, 0.3, 0.25]),
];

/// An ECG record.
pub(crate) struct Ecg {
    pub(crate) name: String,
    pub(crate) header: String,
    pub(crate) samples: Vec<u8>,
    /// Beats a minute, on average over the record as planted.
    pub(crate) rate: f64,
    pub(crate) fibrillation: bool,
}

/// The record that was begun at a true instant.
pub(crate) fn ecg(case: &Case<'_>, at: i64) -> Ecg {
    let mut dice = Dice::new(case.config.seed, case.person.index, Part::Ecg);
    let d = &case.disease;
    let rate = (76.0 + 9.0 * d.inflammation + 2.5 * d.frailty + 4.0 * dice.normal()).clamp(42.0, 170.0);
    // The strain of a sick lung: R lower on the left, T flat.
    let strain = (1.0 - 0.12 * d.severity).clamp(0.5, 1.4);
    let count = RATE * SECONDS;
    // Phase of the beat at each sample.
    let (mut phase, mut beat) = (dice.unit(), 1.0);
    let mut phases = Vec::with_capacity(count);
    for _ in 0..count {
        phases.push((phase, beat));
        phase += rate * beat / 60.0 / RATE as f64;
        if phase >= 1.0 {
            phase -= 1.0;
            beat = 1.0 + dice.normal() * if d.fibrillation { 0.18 } else { 0.02 };
            beat = beat.clamp(0.55, 1.6);
        }
    }
    let mut independent = [const { Vec::new() }; 8];
    for (lead, signal) in independent.iter_mut().enumerate() {
        let (wander, start) = (dice.between(0.02, 0.06), dice.unit());
        for (i, &(phase, _)) in phases.iter().enumerate() {
            let t = i as f64 / RATE as f64;
            let mut mv = wander * ((t * 0.3 + start) * TAU).sin() + 0.008 * dice.normal();
            for (wave, (centre, width, heights)) in WAVES.iter().enumerate() {
                if wave == 0 && d.fibrillation {
                    // No P wave: the atria flicker.
                    mv += 0.03 * ((t * 6.3 + start) * TAU).sin();
                    continue;
                }
                let dt = (phase - centre) * 60.0 / rate;
                if dt.abs() < 5.0 * width {
                    let strain = if wave >= 2 { strain } else { 1.0 };
                    mv += heights[lead] * strain * (-dt * dt / (2.0 * width * width)).exp();
                }
            }
            signal.push(mv);
        }
    }
    let mut columns: Vec<Vec<i16>> = Vec::with_capacity(12);
    let column = |f: &dyn Fn(usize) -> f64| -> Vec<i16> {
        (0..count).map(|i| (f(i) * GAIN).round().clamp(-32_767.0, 32_767.0) as i16).collect()
    };
    let [i, ii, chest @ ..] = &independent;
    columns.push(column(&|n| i[n]));
    columns.push(column(&|n| ii[n]));
    columns.push(column(&|n| ii[n] - i[n]));
    columns.push(column(&|n| -(i[n] + ii[n]) / 2.0));
    columns.push(column(&|n| i[n] - ii[n] / 2.0));
    columns.push(column(&|n| ii[n] - i[n] / 2.0));
    columns.extend(chest.iter().map(|signal| column(&|n| signal[n])));
    let name = format!("ECG{}", case.tail());
    let begun = case.clocks.at(System::Ecg, at);
    let mut header = format!("{name} {} {RATE} {count} {}\n", LEADS.len(), begun.wfdb());
    for (lead, column) in LEADS.iter().zip(&columns) {
        let sum = column.iter().fold(0_i16, |sum, v| sum.wrapping_add(*v));
        let _ = writeln!(header, "{name}.dat 16 {GAIN}/mV 16 0 {} {sum} 0 {lead}", column[0]);
    }
    let chart = &case.ehr[0];
    let _ = write!(
        header,
        "# {LABEL}\n# patient_id: {}\n# authority: {}\n# sex: {}\n",
        chart.id,
        super::hl7::EHR,
        chart.sex()
    );
    let samples = (0..count).flat_map(|n| columns.iter().flat_map(move |c| c[n].to_le_bytes())).collect();
    Ecg { name, header, samples, rate, fibrillation: d.fibrillation }
}

/// What a wearable wrote.
pub(crate) struct Worn {
    pub(crate) device: String,
    pub(crate) csv: String,
    /// By how many seconds its clock is ahead.
    pub(crate) skew: i64,
    pub(crate) begun: i64,
    pub(crate) ended: i64,
    /// Counts a minute, on average by day.
    pub(crate) mean: f64,
}

/// Movement by the minute, from a true instant on. The device's clock shows the zone's time, and its own
/// error.
pub(crate) fn actigraphy(case: &Case<'_>, at: i64) -> Worn {
    let mut dice = Dice::new(case.config.seed, case.person.index, Part::Actigraphy);
    let d = &case.disease;
    let skew = dice.whole(-600, 600);
    let level = 210.0 * (-0.45 * d.frailty - 0.1 * d.severity).exp();
    let wake = 6.8 + 0.7 * dice.normal();
    let sleep = wake + 15.6 - 0.5 * d.frailty.clamp(-2.0, 2.0);
    let (mut csv, mut mood, mut sum, mut days) = (String::from("timestamp,activity\n"), 0.0, 0.0, 0);
    let minutes = WORN * DAY / 60;
    for minute in 0..minutes {
        let now = at + minute * 60;
        let shown = case.clocks.shown(now + skew).plain();
        let hour = case.clocks.shown(now).hour();
        let awake = (wake..sleep).contains(&hour) || (wake..sleep).contains(&(hour + 24.0));
        mood = 0.97 * mood + 0.24 * dice.normal();
        let mean = if awake { level * (0.55 * mood).exp() } else { 4.0 };
        let still = dice.chance(if awake { 0.25 } else { 0.9 });
        let count = if still { 0 } else { (mean * -(1.0 - dice.unit()).ln()) as i64 };
        if awake {
            sum += count as f64;
            days += 1;
        }
        let _ = writeln!(csv, "{shown},{count}");
    }
    let device = format!("W{}", case.tail());
    Worn { device, csv, skew, begun: at, ended: at + minutes * 60, mean: sum / f64::from(days.max(1)) }
}
