//! What happens to a patient: visits, blood drawn, films taken, each at its true time.

use super::analytes::{ANALYTES, Analyte, VITALS};
use super::calendar::{BEGIN, DAY, END};
use super::config::HospitalConfig;
use super::dice::{Dice, Part, splitmix};
use super::disease::{Disease, Evidence};

/// 2023-03-26T00:10Z, minutes before the clocks go from 2 to 3; 2023-10-29T00:05Z, in the hour that comes
/// twice.
const CHANGES: [i64; 2] = [1_679_789_400, 1_698_537_900];
/// How many patients come in on such a night.
const ON_A_CHANGE: f64 = 0.03;
/// How many panels are issued late, and how many results corrected.
const LATE: f64 = 0.06;
const CORRECTED: f64 = 0.012;
/// How many panels the EHR shows too, beside the laboratory's own messages.
const IN_EHR: f64 = 0.5;

/// Where a patient is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Clinic,
    Emergency,
    Ward,
}

/// One visit.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// Which of the patient's EHR charts it is on.
    pub(crate) chart: usize,
    pub(crate) setting: Setting,
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// A passing inflammation on top of the lasting one.
    pub(crate) flare: f64,
    /// In the order of [`VITALS`].
    pub(crate) vitals: Vec<f64>,
    pub(crate) panel: Option<Panel>,
    /// Whether a note is written.
    pub(crate) note: bool,
    /// On a night when the clocks change.
    pub(crate) change: bool,
    /// Whether the patient dies here.
    pub(crate) fatal: bool,
}

/// Blood drawn once.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) accession: String,
    pub(crate) ordered: i64,
    pub(crate) drawn: i64,
    pub(crate) received: i64,
    pub(crate) issued: i64,
    pub(crate) late: bool,
    pub(crate) in_ehr: bool,
    pub(crate) results: Vec<Lab>,
}

/// One result.
#[derive(Clone, Debug)]
pub(crate) struct Lab {
    pub(crate) analyte: &'static Analyte,
    /// In the EHR's unit.
    pub(crate) value: f64,
    /// What was issued first, where it was wrong, and when it was put right.
    pub(crate) mistake: Option<(f64, i64)>,
}

/// A picture taken.
#[derive(Clone, Debug)]
pub(crate) struct Study {
    pub(crate) kind: Evidence,
    pub(crate) accession: String,
    pub(crate) uid: String,
    pub(crate) series: String,
    pub(crate) ordered: i64,
    pub(crate) acquired: i64,
    pub(crate) reported: i64,
    /// Which of the patient's visits it belongs to.
    pub(crate) visit: usize,
}

/// The whole course.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) visits: Vec<Visit>,
    pub(crate) studies: Vec<Study>,
    /// When a tissue sample was taken, blood for sequencing, an ECG begun, a wearable put on.
    pub(crate) biopsy: Option<i64>,
    pub(crate) sequenced: Option<i64>,
    pub(crate) ecg: Option<i64>,
    pub(crate) worn: Option<i64>,
    /// The instant of death, where it is before the exports end.
    pub(crate) death: Option<i64>,
}

impl Course {
    pub(crate) fn new(config: &HospitalConfig, patient: u64, disease: &Disease, charts: usize) -> Self {
        let mut dice = Dice::new(config.seed, patient, Part::Course);
        let dice = &mut dice;
        let death = Some(disease.death()).filter(|d| *d < END);
        let last = death.unwrap_or(END);
        let index = disease.index;
        let mut starts = vec![(index, false)];
        let more = config.visits - 1.0 + if disease.severity > 1.0 { 1.0 } else { 0.0 };
        for _ in 0..dice.poisson(more.max(0.0)) {
            let at = index + dice.whole(-190, 540) * DAY + dice.whole(-6 * 3600, 7 * 3600);
            starts.push((at, false));
        }
        if dice.chance(ON_A_CHANGE) {
            starts.push((dice.pick(&CHANGES) + dice.whole(0, 5_400), true));
        }
        starts.retain(|(at, _)| (BEGIN..last - 3_600).contains(at));
        if starts.is_empty() {
            starts.push((index, false));
        }
        starts.sort_unstable();
        starts.dedup_by_key(|(at, _)| *at / DAY);
        let merged = starts.len() / 2;
        let count = starts.len();
        let mut labs = Dice::new(config.seed, patient, Part::Labs);
        let visits: Vec<Visit> = starts
            .into_iter()
            .enumerate()
            .map(|(i, (start, change))| {
                let next_of_last = last - start < 14 * DAY && i + 1 == count;
                let setting = match dice.unit() {
                    _ if change => Setting::Emergency,
                    _ if next_of_last && death.is_some() => Setting::Ward,
                    u if u < 0.2 => Setting::Emergency,
                    u if u < 0.4 => Setting::Ward,
                    _ => Setting::Clinic,
                };
                let fatal = setting == Setting::Ward && next_of_last && death.is_some();
                let long = match setting {
                    Setting::Clinic => dice.whole(1_200, 7_200),
                    Setting::Emergency => dice.whole(5_400, 28_000),
                    Setting::Ward => dice.whole(DAY, 9 * DAY),
                };
                let end = if fatal { last } else { (start + long).min(last) };
                let flare = if setting == Setting::Clinic { 0.0 } else { dice.between(0.0, 1.2) };
                let vitals = VITALS.iter().map(|v| v.value(disease, flare, dice.normal())).collect();
                let panel = (disease.has(Evidence::Labs) && dice.chance(0.8))
                    .then(|| panel(config.seed, patient, i, disease, start, flare, &mut labs));
                Visit {
                    chart: if charts > 1 && i >= merged { 1 } else { 0 },
                    setting,
                    start,
                    end,
                    flare,
                    vitals,
                    panel,
                    note: disease.has(Evidence::Notes),
                    change,
                    fatal,
                }
            })
            .collect();
        let mut course =
            Self { visits, studies: Vec::new(), biopsy: None, sequenced: None, ecg: None, worn: None, death };
        course.images(config, patient, disease, dice, last);
        // Drawn whether or not it is there, so that a size knob moves nothing else.
        let mut after = |share_of_day: f64, days: i64| {
            Some(index + (share_of_day * DAY as f64) as i64 + dice.whole(0, days) * DAY)
        };
        let (ecg, biopsy, sequenced, worn) = (after(0.02, 0), after(0.1, 12), after(0.2, 20), after(1.0, 40));
        let made = |at: Option<i64>, most: u64, evidence| {
            at.filter(|at| *at < last && patient < most && disease.has(evidence))
        };
        course.ecg = made(ecg, config.signals, Evidence::Ecg);
        course.biopsy = made(biopsy, config.slides, Evidence::Slide);
        course.sequenced = made(sequenced, config.genomes, Evidence::Genome);
        course.worn = made(worn, config.signals, Evidence::Actigraphy);
        course
    }

    fn images(
        &mut self,
        config: &HospitalConfig,
        patient: u64,
        disease: &Disease,
        dice: &mut Dice,
        last: i64,
    ) {
        let index = disease.index;
        let follow_up = index + dice.whole(80, 200) * DAY;
        let plans = [(Evidence::Film, index), (Evidence::Ct, index + 2 * DAY), (Evidence::Ct, follow_up)];
        for (n, (kind, day)) in plans.into_iter().enumerate() {
            let ordered = day + dice.whole(600, 5_400);
            let acquired = ordered + dice.whole(900, 9_000);
            let reported = acquired + dice.whole(1_800, 2 * DAY);
            let second = n == 2 && !dice.chance(0.6);
            if second || acquired >= last || patient >= config.images || !disease.has(kind) {
                continue;
            }
            let visit = self.visits.iter().rposition(|v| v.start <= ordered).unwrap_or_default();
            let n = n as u64;
            self.studies.push(Study {
                kind,
                accession: accession('R', config.seed, patient, n),
                uid: uid(config.seed, patient, n * 2),
                series: uid(config.seed, patient, n * 2 + 1),
                ordered,
                acquired,
                reported,
                visit,
            });
        }
    }
}

fn panel(
    seed: u64,
    patient: u64,
    visit: usize,
    disease: &Disease,
    start: i64,
    flare: f64,
    dice: &mut Dice,
) -> Panel {
    let ordered = start + dice.whole(60, 600);
    let drawn = ordered + dice.whole(120, 1_800);
    let received = drawn + dice.whole(600, 3_600);
    let late = dice.chance(LATE);
    let wait = if late { dice.whole(2 * DAY, 12 * DAY) } else { dice.whole(1_800, 14_400) };
    let issued = received + wait;
    let results = ANALYTES
        .iter()
        .filter_map(|analyte| {
            let (asked, noise, wrong, factor) =
                (dice.chance(0.7), dice.normal(), dice.chance(CORRECTED), dice.between(1.2, 1.6));
            let at = issued + dice.whole(7_200, 2 * DAY);
            let value = analyte.value(disease, flare, noise);
            let first = super::analytes::round(value * factor, analyte.digits.0);
            asked.then_some(Lab { analyte, value, mistake: wrong.then_some((first, at)) })
        })
        .collect();
    let in_ehr = dice.chance(IN_EHR);
    let accession = accession('B', seed, patient, visit as u64);
    Panel { accession, ordered, drawn, received, issued, late, in_ehr, results }
}

/// A number of an order: unique, of eleven characters.
fn accession(letter: char, seed: u64, patient: u64, n: u64) -> String {
    let number = super::dice::scramble(patient * 64 + n.min(63), seed ^ u64::from(u32::from(letter)), 32);
    format!("{letter}{number:010}")
}

/// A DICOM UID: 2.25 and 120 bits.
pub(crate) fn uid(seed: u64, patient: u64, n: u64) -> String {
    let high = splitmix(seed ^ splitmix(patient));
    let low = splitmix(high ^ splitmix(n.wrapping_add(patient.rotate_left(32))));
    format!("2.25.{}", u128::from(high >> 8) << 64 | u128::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_happens_after_death_and_everything_in_its_order() {
        let config = HospitalConfig::new(400, 3);
        let mut seen = [0; 5];
        for patient in 0..400 {
            let disease = Disease::new(3, patient);
            let course = Course::new(&config, patient, &disease, 1);
            let last = course.death.unwrap_or(END);
            assert!(!course.visits.is_empty());
            for visit in &course.visits {
                assert!(visit.start < last && visit.end <= last && visit.start <= visit.end, "{patient}");
                if let Some(p) = &visit.panel {
                    assert!(p.ordered < p.drawn && p.drawn < p.received && p.received < p.issued);
                    seen[0] += usize::from(p.late);
                    seen[1] += p.results.iter().filter(|r| r.mistake.is_some()).count();
                }
                seen[2] += usize::from(visit.fatal);
                seen[3] += usize::from(visit.change);
            }
            for study in &course.studies {
                assert!(study.ordered < study.acquired && study.acquired < last);
                seen[4] += 1;
            }
        }
        assert!(seen.iter().all(|&n| n > 5), "{seen:?}");
    }
}
