//! One patient with everything that the systems write of.

use super::calendar::{Clocks, DAY, END, System};
use super::chart::{Chart, charts};
use super::config::HospitalConfig;
use super::course::Course;
use super::dice::{Dice, Part};
use super::disease::Disease;
use super::notes::{Note, notes};
use super::person::Person;

/// What is written wherever a format has room for it.
pub(crate) const LABEL: &str = "CHIASM SYNTHETIC HOSPITAL";
/// How many second charts are found and merged.
const MERGED: f64 = 0.6;

/// One patient with everything that the systems write of.
pub(crate) struct Case<'a> {
    pub(crate) config: &'a HospitalConfig,
    pub(crate) clocks: &'a Clocks,
    pub(crate) person: Person,
    pub(crate) disease: Disease,
    pub(crate) ehr: Vec<Chart>,
    pub(crate) lis: Vec<Chart>,
    pub(crate) pacs: Vec<Chart>,
    pub(crate) course: Course,
    pub(crate) notes: Vec<Note>,
    /// When the EHR's second chart was merged into the first.
    pub(crate) merged: Option<i64>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(config: &'a HospitalConfig, clocks: &'a Clocks, patient: u64) -> Self {
        let person = Person::new(config.seed, patient);
        let disease = Disease::new(config.seed, patient);
        let mut dice = Dice::new(config.seed, patient, Part::Charts);
        let [ehr, lis, pacs] = [System::Ehr, System::Lis, System::Pacs]
            .map(|system| charts(system, config.seed, &person, &mut dice));
        let course = Course::new(config, patient, &disease, ehr.len());
        let at = course.visits.last().map_or(disease.index, |v| v.end) + 3 * DAY;
        let merged = (ehr.len() > 1 && dice.chance(MERGED) && at < END).then_some(at);
        let notes = notes(config, &person, &disease, &course);
        Self { config, clocks, person, disease, ehr, lis, pacs, course, notes, merged }
    }

    /// The PACS chart that a study is filed under.
    pub(crate) fn filed(&self, study: usize) -> &Chart {
        &self.pacs[study % self.pacs.len()]
    }

    /// The laboratory's chart that a panel is filed under.
    pub(crate) fn tested(&self, visit: usize) -> &Chart {
        &self.lis[visit % self.lis.len()]
    }

    /// The patient's number as a tail of identifiers that the hospital makes up.
    pub(crate) fn tail(&self) -> String {
        format!("{:07}", self.person.index)
    }

    /// The name of the sample of a kind: `S0000012-T`.
    pub(crate) fn sample(&self, kind: char) -> String {
        format!("S{}-{kind}", self.tail())
    }
}
