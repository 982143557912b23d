use super::table::{Cell, Kind};
use crate::hospital::case::Case;
use crate::hospital::disease::{DRIVERS, Evidence};
use crate::hospital::fhir;
use crate::hospital::hl7;
use crate::hospital::notes::SIGNS;
use crate::hospital::pacs;
use crate::hospital::signals::{Ecg, Worn};
use crate::hospital::slide::Slide;

type Columns = &'static [(&'static str, Kind)];

/// Who each record is: every identifier that a source gives to somebody.
pub(crate) const RECORDS: Columns = &[
    ("source", Kind::Text),
    ("authority", Kind::Text),
    ("identifier", Kind::Text),
    ("kind", Kind::Text),
    ("person", Kind::Whole),
    ("defects", Kind::Text),
];
/// Who the people are.
pub(crate) const PERSONS: Columns = &[
    ("person", Kind::Whole),
    ("given_name", Kind::Text),
    ("surname", Kind::Text),
    ("birth", Kind::Text),
    ("sex", Kind::Text),
    ("national_id", Kind::Text),
    ("kin", Kind::Text),
    ("kin_person", Kind::Whole),
    ("burden", Kind::Number),
    ("inflammation", Kind::Number),
    ("frailty", Kind::Number),
    ("severity", Kind::Number),
    ("malignant", Kind::Yes),
    ("ecog", Kind::Whole),
    ("smoker", Kind::Yes),
    ("diabetes", Kind::Yes),
    ("hypertension", Kind::Yes),
    ("fibrillation", Kind::Yes),
    ("kidney", Kind::Yes),
    ("arthritis", Kind::Yes),
    ("index_us", Kind::Whole),
    ("survival_days", Kind::Number),
    ("death_us", Kind::Whole),
    ("died_within_1_year", Kind::Yes),
    ("nodules", Kind::Whole),
    ("nodule_x", Kind::Number),
    ("nodule_y", Kind::Number),
    ("nodule_z", Kind::Number),
    ("nodule_mm", Kind::Number),
    ("nodule_doubling_days", Kind::Number),
    ("drivers", Kind::Text),
    ("rule_labs", Kind::Yes),
    ("rule_notes", Kind::Yes),
    ("rule_film", Kind::Yes),
    ("rule_ct", Kind::Yes),
    ("rule_slide", Kind::Yes),
    ("rule_genome", Kind::Yes),
    ("rule_ecg", Kind::Yes),
    ("rule_actigraphy", Kind::Yes),
    ("has_labs", Kind::Yes),
    ("has_notes", Kind::Yes),
    ("has_film", Kind::Yes),
    ("has_ct", Kind::Yes),
    ("has_slide", Kind::Yes),
    ("has_genome", Kind::Yes),
    ("has_ecg", Kind::Yes),
    ("has_actigraphy", Kind::Yes),
    ("wearable_skew_s", Kind::Whole),
    ("merged_us", Kind::Whole),
];
/// What was planted where: results, lesions, variants, signs in notes.
pub(crate) const EVENTS: Columns = &[
    ("person", Kind::Whole),
    ("evidence", Kind::Text),
    ("key", Kind::Text),
    ("code", Kind::Text),
    ("time_us", Kind::Whole),
    ("known_us", Kind::Whole),
    ("value", Kind::Number),
    ("unit", Kind::Text),
    ("x", Kind::Number),
    ("y", Kind::Number),
    ("image", Kind::Number),
    ("about", Kind::Text),
];
/// What the consents say, a row a rule.
pub(crate) const CONSENTS: Columns = &[
    ("person", Kind::Whole),
    ("consent", Kind::Text),
    ("kind", Kind::Text),
    ("status", Kind::Text),
    ("signed_us", Kind::Whole),
    ("rule", Kind::Whole),
    ("depth", Kind::Whole),
    ("permit", Kind::Yes),
    ("class", Kind::Text),
    ("purpose", Kind::Text),
    ("actor", Kind::Text),
    ("from_us", Kind::Whole),
    ("until_us", Kind::Whole),
];

/// What was made of a patient beside text.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) slide: Option<Slide>,
    pub(crate) ecg: Option<Ecg>,
    pub(crate) worn: Option<Worn>,
}

/// A patient's rows of the four tables.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) records: Vec<Vec<Cell>>,
    pub(crate) persons: Vec<Vec<Cell>>,
    pub(crate) events: Vec<Vec<Cell>>,
    pub(crate) consents: Vec<Vec<Cell>>,
}

macro_rules! cells {
    ($($value:expr),* $(,)?) => { vec![$(Cell::from($value)),*] };
}

fn us(at: i64) -> i64 {
    at * 1_000_000
}

impl Rows {
    pub(crate) fn new(case: &Case<'_>, made: &Made) -> Self {
        let mut rows = Self::default();
        rows.records(case, made);
        rows.person(case, made);
        rows.results(case);
        rows.heavy(case, made);
        for consent in fhir::consents(case) {
            for (i, rule) in consent.rules.iter().enumerate() {
                rows.consents.push(cells![
                    case.person.index,
                    consent.id.as_str(),
                    consent.kind,
                    consent.status,
                    us(consent.signed),
                    i as i64,
                    i64::from(rule.depth),
                    rule.permit,
                    rule.class,
                    rule.purpose,
                    rule.actor,
                    rule.from.map(us),
                    rule.until.map(us),
                ]);
            }
        }
        rows
    }

    fn record(&mut self, case: &Case<'_>, place: (&str, &str, &str), identifier: &str, defects: &[&str]) {
        let (source, authority, kind) = place;
        self.records.push(cells![source, authority, identifier, kind, case.person.index, defects.join(";")]);
    }

    fn records(&mut self, case: &Case<'_>, made: &Made) {
        for chart in &case.ehr {
            self.record(case, ("ehr", fhir::MRN, "mrn"), &chart.id, &chart.defects);
            self.record(case, ("ehr", "Patient", "resource"), &fhir::patient_id(chart), &chart.defects);
            self.record(case, ("hl7", hl7::EHR, "mrn"), &chart.id, &chart.defects);
        }
        for chart in &case.lis {
            for source in ["hl7", "lims"] {
                self.record(case, (source, hl7::LIS, "mrn"), &chart.id, &chart.defects);
            }
        }
        for chart in &case.pacs {
            self.record(case, ("pacs", pacs::PACS, "mrn"), &chart.id, &chart.defects);
        }
        for study in &case.course.studies {
            self.record(case, ("pacs", hl7::EHR, "accession"), &study.accession, &[]);
            self.record(case, ("pacs", "DICOM", "study"), &study.uid, &[]);
        }
        for panel in case.course.visits.iter().filter_map(|v| v.panel.as_ref()) {
            self.record(case, ("hl7", hl7::LIS, "accession"), &panel.accession, &[]);
        }
        if case.course.sequenced.is_some() {
            self.record(case, ("lims", "CHIASM_LIMS", "sample"), &case.sample('T'), &[]);
        }
        if made.slide.is_some() {
            self.record(case, ("lims", "CHIASM_LIMS", "sample"), &case.sample('H'), &[]);
        }
        if let Some(ecg) = &made.ecg {
            self.record(case, ("devices", "CHIASM_DEVICES", "record"), &ecg.name, &[]);
        }
        if let Some(worn) = &made.worn {
            self.record(case, ("devices", "CHIASM_DEVICES", "device"), &worn.device, &[]);
        }
    }

    fn person(&mut self, case: &Case<'_>, made: &Made) {
        let (p, d, course) = (&case.person, &case.disease, &case.course);
        let nodule = d.nodules[0];
        let drivers: Vec<String> =
            d.drivers.iter().map(|(i, share)| format!("{}:{share:.3}", DRIVERS[*i].gene)).collect();
        let took = |kind| course.studies.iter().any(|s| s.kind == kind);
        let mut row = cells![
            p.index,
            p.given.as_str(),
            p.surname.as_str(),
            p.birth.to_string(),
            if p.female { "F" } else { "M" },
            p.national.as_str(),
            p.kin.map(|(_, kin)| kin.as_str()),
            p.kin.map(|(other, _)| other),
            d.burden,
            d.inflammation,
            d.frailty,
            d.severity,
            d.malignant,
            i64::from(d.status),
            d.smoker,
            d.diabetes,
            d.hypertension,
            d.fibrillation,
            d.kidney,
            d.arthritis,
            us(d.index),
            d.survival,
            course.death.map(us),
            d.survival <= 365.25,
            d.nodules.len() as i64,
            nodule.x,
            nodule.y,
            nodule.z,
            nodule.diameter,
            nodule.doubling,
            drivers.join(";"),
        ];
        row.extend(Evidence::ALL.map(|e| Cell::Yes(d.has(e))));
        row.extend(cells![
            course.visits.iter().any(|v| v.panel.is_some()),
            !case.notes.is_empty(),
            took(Evidence::Film),
            took(Evidence::Ct),
            made.slide.is_some(),
            course.sequenced.is_some(),
            made.ecg.is_some(),
            made.worn.is_some(),
            made.worn.as_ref().map(|w| w.skew),
            case.merged.map(us),
        ]);
        self.persons.push(row);
    }

    fn results(&mut self, case: &Case<'_>) {
        let person = case.person.index;
        for visit in &case.course.visits {
            let Some(panel) = &visit.panel else { continue };
            for lab in &panel.results {
                let mut about = Vec::new();
                let marks = [
                    (panel.late, "late"),
                    (lab.mistake.is_some(), "corrected"),
                    (panel.in_ehr, "in_ehr"),
                    (visit.change, "clock_change"),
                ];
                about.extend(marks.into_iter().filter(|(yes, _)| *yes).map(|(_, mark)| mark));
                let known = lab.mistake.map_or(panel.issued, |(_, at)| at);
                self.events.push(cells![
                    person,
                    "labs",
                    panel.accession.as_str(),
                    lab.analyte.local,
                    us(panel.drawn),
                    us(known),
                    lab.value,
                    lab.analyte.unit,
                    None::<f64>,
                    None::<f64>,
                    None::<f64>,
                    about.join(";"),
                ]);
            }
        }
        for note in &case.notes {
            for (sign, yes) in SIGNS.iter().zip(&note.signs) {
                self.events.push(cells![
                    person,
                    "notes",
                    note.id.as_str(),
                    sign.snomed,
                    us(case.course.visits[note.visit].start),
                    us(note.written),
                    f64::from(u8::from(*yes)),
                    "1",
                    None::<f64>,
                    None::<f64>,
                    None::<f64>,
                    if note.copied { format!("{};history_copied", sign.name) } else { sign.name.to_owned() },
                ]);
            }
        }
    }

    fn heavy(&mut self, case: &Case<'_>, made: &Made) {
        let (person, d) = (case.person.index, &case.disease);
        for study in &case.course.studies {
            for (nodule, drawn) in d.nodules.iter().zip(pacs::lesions(case, study)) {
                self.events.push(cells![
                    person,
                    study.kind.as_str(),
                    study.uid.as_str(),
                    "lesion",
                    us(study.acquired),
                    us(study.reported),
                    nodule.diameter(d.days(study.acquired)),
                    "mm",
                    drawn.x,
                    drawn.y,
                    drawn.image,
                    format!("{:.2} px", drawn.diameter),
                ]);
            }
        }
        let mut one =
            |evidence: Evidence, key: &str, code: &str, at: i64, value: f64, unit: &str, about: &str| {
                let place = None::<f64>;
                self.events.push(cells![
                    person,
                    evidence.as_str(),
                    key,
                    code,
                    us(at),
                    us(at),
                    value,
                    unit,
                    place,
                    place,
                    place,
                    about
                ]);
            };
        if let Some(at) = case.course.sequenced {
            for (i, share) in &d.drivers {
                let driver = &DRIVERS[*i];
                one(Evidence::Genome, &case.sample('T'), driver.gene, at, *share, "1", driver.coding);
            }
        }
        if let (Some(slide), Some(at)) = (&made.slide, case.course.biopsy) {
            let (x, y, radius) = slide.tumour;
            let about = format!("x {x:.1}; y {y:.1}; nuclei {} {}", slide.nuclei.0, slide.nuclei.1);
            one(Evidence::Slide, &case.sample('H'), "tumour_radius", at, radius, "{pixel}", &about);
        }
        if let (Some(ecg), Some(at)) = (&made.ecg, case.course.ecg) {
            let about = if ecg.fibrillation { "atrial_fibrillation" } else { "sinus_rhythm" };
            one(Evidence::Ecg, &ecg.name, "8867-4", at, ecg.rate, "/min", about);
        }
        if let Some(worn) = &made.worn {
            let device = &worn.device;
            one(Evidence::Actigraphy, device, "activity", worn.begun, worn.mean, "{count}/min", "awake");
        }
    }
}
