//! The interface engine's traffic: HL7 v2.5.1 messages of the EHR (ADT, ORM, MDM) and of the laboratory
//! (ORU), segments ended by carriage returns.
//!
//! # Source
//! HL7 v2.5.1, chapters 2, 3, 4, 7 and 9; ZDS of IHE Radiology, Scheduled Workflow.

use super::calendar::{System, compact};
use super::case::{Case, LABEL};
use super::chart::Chart;
use super::course::{Panel, Setting, Visit};
use super::dice::{Dice, Part};
use super::disease::Evidence;
use std::fmt::Write;

/// The assigning authorities of the numbers.
pub(crate) const EHR: &str = "CHIASM_EHR";
pub(crate) const LIS: &str = "CHIASM_LIS";
const NATIONAL: &str = "SYN_NHI";
/// How many of the laboratory's messages name the EHR's number too.
const BOTH_NUMBERS: f64 = 0.6;
/// How many messages are sent twice, and how many visits correct the patient's data.
const TWICE: f64 = 0.01;
const UPDATED: f64 = 0.06;

/// The feeds, a folder each.
pub(crate) const FEEDS: [&str; 4] = ["adt", "oru", "orm", "mdm"];

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// An index into [`FEEDS`].
    pub(crate) feed: usize,
    pub(crate) sent: i64,
    pub(crate) text: String,
}

struct Outbox<'a> {
    case: &'a Case<'a>,
    dice: Dice,
    messages: Vec<Message>,
}

/// All messages about a patient.
pub(crate) fn messages(case: &Case<'_>) -> Vec<Message> {
    let dice = Dice::new(case.config.seed, case.person.index + (1 << 40), Part::Wire);
    let mut out = Outbox { case, dice, messages: Vec::new() };
    for (i, visit) in case.course.visits.iter().enumerate() {
        out.stay(i, visit);
        if let Some(panel) = &visit.panel {
            out.panel(i, panel);
        }
    }
    out.orders();
    out.notes();
    if let Some(at) = case.merged {
        let [kept, gone] = [0, 1].map(|i| &case.ehr[i]);
        let merge = format!("MRG|{}^^^{EHR}^MR|||||{}\r", gone.id, name(gone));
        let body = format!("EVN|A40|{}\r{}{merge}", out.ehr(at), pid(kept, EHR, None));
        out.send(0, System::Ehr, "ADT^A40^ADT_A39", at, &body);
    }
    out.messages
}

impl Outbox<'_> {
    fn ehr(&self, at: i64) -> String {
        self.case.clocks.at(System::Ehr, at).hl7_zoned()
    }

    /// The laboratory's clock, which says no zone.
    fn lis(&self, at: i64) -> String {
        self.case.clocks.at(System::Lis, at).hl7()
    }

    fn send(&mut self, feed: usize, system: System, kind: &str, sent: i64, body: &str) {
        let (time, facility) = match system {
            System::Lis => (self.lis(sent), "LIS"),
            _ => (self.ehr(sent), "EHR"),
        };
        let control = format!("{}{}-{:03}", &facility[..1], self.case.tail(), self.messages.len());
        let text = format!(
            "MSH|^~\\&|{LABEL}|{facility}|ENGINE|HOSPITAL|{time}||{kind}|{control}|T|2.5.1|||AL|NE||UNICODE UTF-8\r{body}"
        );
        let again = self.dice.chance(TWICE).then(|| Message { feed, sent: sent + 60, text: text.clone() });
        self.messages.push(Message { feed, sent, text });
        self.messages.extend(again);
    }

    fn stay(&mut self, i: usize, visit: &Visit) {
        let case = self.case;
        let chart = &case.ehr[visit.chart];
        let pv1 = |end: Option<String>| {
            let (class, place) = match visit.setting {
                Setting::Clinic => ("O", "LUNGCLINIC"),
                Setting::Emergency => ("E", "ED^BAY3"),
                Setting::Ward => ("I", "PNEU^101^2"),
            };
            let gone = if end.is_none() {
                ""
            } else if visit.fatal {
                "20"
            } else {
                "01"
            };
            let (start, end) = (self.ehr(visit.start), end.unwrap_or_default());
            // PV1-19 visit number, -36 discharge disposition, -44 and -45 admission and discharge.
            format!("PV1|1|{class}|{place}||||||||||||||||V{}-{i}", case.tail())
                + &"|".repeat(17)
                + gone
                + &"|".repeat(8)
                + &start
                + "|"
                + &end
                + "\r"
        };
        let (admit, kind) = match visit.setting {
            Setting::Ward => ("A01", "ADT^A01^ADT_A01"),
            _ => ("A04", "ADT^A04^ADT_A01"),
        };
        let open = format!("EVN|{admit}|{}\r{}{}", self.ehr(visit.start), pid(chart, EHR, None), pv1(None));
        let close = format!(
            "EVN|A03|{}\r{}{}",
            self.ehr(visit.end),
            pid(chart, EHR, case.course.death.filter(|_| visit.fatal).map(|d| self.ehr(d))),
            pv1(Some(self.ehr(visit.end)))
        );
        let update = visit.start + 1_200;
        let corrected =
            format!("EVN|A08|{}\r{}{}", self.ehr(update), pid(&self.right(chart), EHR, None), pv1(None));
        self.send(0, System::Ehr, kind, visit.start, &open);
        if self.dice.chance(UPDATED) {
            self.send(0, System::Ehr, "ADT^A08^ADT_A01", update, &corrected);
        }
        self.send(0, System::Ehr, "ADT^A03^ADT_A03", visit.end, &close);
    }

    /// The chart as it is after the clerk has looked at the patient's passport.
    fn right(&self, chart: &Chart) -> Chart {
        let person = &self.case.person;
        Chart {
            given: person.given.clone(),
            family: person.surname.clone(),
            birth: Some(person.birth),
            female: Some(person.female),
            home: Some(person.home.clone()),
            phone: Some(person.phone.clone()),
            ..chart.clone()
        }
    }

    fn panel(&mut self, i: usize, panel: &Panel) {
        let chart = self.case.tested(i);
        let mut pid = pid(chart, LIS, None);
        if self.dice.chance(BOTH_NUMBERS) {
            let ehr = &self.case.ehr[self.case.course.visits[i].chart].id;
            pid = pid.replacen(&format!("^^^{LIS}^MR"), &format!("^^^{LIS}^MR~{ehr}^^^{EHR}^MR"), 1);
        }
        let [ordered, drawn, received] = [panel.ordered, panel.drawn, panel.received].map(|t| self.lis(t));
        let body = |issued: &str, status: &str, results: &str| {
            let number = &panel.accession;
            format!(
                "{pid}ORC|RE|{number}^{EHR}|{number}^{LIS}||||||{ordered}\r\
                 OBR|1|{number}^{EHR}|{number}^{LIS}|LABP^Laboratory panel^L|||{drawn}|||||||{received}||||||||{issued}||LAB|{status}\r{results}"
            )
        };
        let mut first = String::new();
        for (n, lab) in panel.results.iter().enumerate() {
            let value = lab.mistake.map_or(lab.value, |(wrong, _)| wrong);
            first.push_str(&obx(n + 1, lab, value, "F", &drawn));
        }
        let issued = self.lis(panel.issued);
        self.send(1, System::Lis, "ORU^R01^ORU_R01", panel.issued, &body(&issued, "F", &first));
        for lab in &panel.results {
            if let Some((_, at)) = lab.mistake {
                let issued = self.lis(at);
                let result = obx(1, lab, lab.value, "C", &drawn);
                self.send(1, System::Lis, "ORU^R01^ORU_R01", at, &body(&issued, "C", &result));
            }
        }
    }

    fn orders(&mut self) {
        for study in &self.case.course.studies {
            let chart = &self.case.ehr[self.case.course.visits[study.visit].chart];
            let (code, section) = match study.kind {
                Evidence::Ct => ("24627-2^CT Chest^LN", "CT"),
                _ => ("36643-5^XR Chest 2 Views^LN", "CR"),
            };
            let number = &study.accession;
            let ordered = self.ehr(study.ordered);
            for (control, status, at) in [("NW", "SC", study.ordered), ("SC", "IP", study.acquired)] {
                let time = self.ehr(at);
                // OBR-18: the accession number; OBR-24: the section.
                let body = format!(
                    "{}PV1|1|N\rORC|{control}|{number}^{EHR}|||{status}||||{time}\r\
                     OBR|1|{number}^{EHR}||{code}|||{}|||||||||||{number}||||||{section}|||^^^{ordered}\r\
                     ZDS|{}^{EHR}^Application^DICOM\r",
                    pid(chart, EHR, None),
                    if control == "SC" { time.as_str() } else { "" },
                    study.uid,
                );
                self.send(2, System::Ehr, "ORM^O01^ORM_O01", at, &body);
            }
        }
    }

    fn notes(&mut self) {
        for note in self.case.notes.iter().filter(|n| n.sent) {
            let chart = &self.case.ehr[self.case.course.visits[note.visit].chart];
            let time = self.ehr(note.written);
            let text = escape(&note.text).replace('\n', "\\.br\\");
            let body = format!(
                "EVN|T02|{time}\r{}PV1|1|N\rTXA|1|PN|TX|{time}||{time}||||||{}^{EHR}|||||AU\r\
                 OBX|1|TX|11506-3^Progress note^LN||{text}||||||F\r",
                pid(chart, EHR, None),
                note.id
            );
            self.send(3, System::Ehr, "MDM^T02^MDM_T02", note.written, &body);
        }
    }
}

fn obx(n: usize, lab: &super::course::Lab, value: f64, status: &str, drawn: &str) -> String {
    let analyte = lab.analyte;
    let local = format!("{}^{}^L", analyte.local, analyte.display);
    let code = match analyte.lab_loinc {
        "" => local,
        loinc => format!("{loinc}^{}^LN^{local}", analyte.display),
    };
    let (low, high) = (analyte.lab_value(analyte.range.0), analyte.lab_value(analyte.range.1));
    let value = analyte.lab_value(value);
    let flag = match value {
        v if v < low => "L",
        v if v > high => "H",
        _ => "N",
    };
    let unit = analyte.lab_unit;
    format!("OBX|{n}|NM|{code}||{value}|{unit}^{unit}^UCUM|{low}-{high}|{flag}|||{status}|||{drawn}\r")
}

fn name(chart: &Chart) -> String {
    let second = chart.second.as_deref().unwrap_or_default();
    let all = format!("{}^{}^{}", escape(&chart.family), escape(&chart.given), escape(second));
    all.trim_end_matches('^').to_owned() + if second.is_empty() { "" } else { "^^^^L" }
}

fn pid(chart: &Chart, authority: &str, death: Option<String>) -> String {
    let mut pid = format!("PID|1||{}^^^{authority}^MR", chart.id);
    if let Some(national) = &chart.national {
        let _ = write!(pid, "~{national}^^^{NATIONAL}^NI");
    }
    let birth = chart.birth.map(compact).unwrap_or_default();
    let _ = write!(pid, "||{}||{birth}|{}|||", name(chart), chart.sex());
    if let Some(home) = &chart.home {
        let street = escape(&home.street);
        let _ = write!(
            pid,
            "{street} {}^^{}^{}^{}^DE^H",
            home.number,
            escape(&home.town),
            home.state,
            home.postcode
        );
    }
    pid.push_str("||");
    if let Some(phone) = &chart.phone {
        let _ = write!(pid, "{phone}^PRN^PH");
    }
    if let Some(death) = death {
        pid.push_str(&"|".repeat(16));
        let _ = write!(pid, "{death}|Y");
    }
    pid.push('\r');
    pid
}

/// The text with HL7's delimiters escaped.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\E\\"),
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hospital::calendar::Clocks;
    use crate::hospital::config::HospitalConfig;

    #[test]
    fn fields_stand_where_the_standard_has_them() {
        let (config, clocks) = (HospitalConfig::new(200, 5), Clocks::new(5));
        let mut kinds = std::collections::BTreeSet::new();
        for patient in 0..200 {
            let case = Case::new(&config, &clocks, patient);
            for message in messages(&case) {
                assert!(message.text.ends_with('\r') && !message.text.contains('\n'));
                let field = |segment: &str, n: usize| -> String {
                    let line = message.text.split('\r').find(|l| l.starts_with(segment)).unwrap();
                    let n = if segment == "MSH" { n - 1 } else { n };
                    line.split('|').nth(n).unwrap_or_default().to_owned()
                };
                assert_eq!((field("MSH", 3), field("MSH", 12)), (LABEL.to_owned(), "2.5.1".to_owned()));
                assert!(field("MSH", 10).len() <= 20);
                let kind = field("MSH", 9);
                assert!(field("PID", 3).contains("^^^CHIASM_"));
                match kind.as_str() {
                    "ADT^A03^ADT_A03" => {
                        assert!(field("PV1", 19).starts_with('V') && field("PV1", 44).len() == 19);
                        assert!(field("PV1", 45).len() == 19 && !field("PV1", 36).is_empty());
                        if field("PV1", 36) == "20" {
                            assert_eq!((field("PID", 29).len(), field("PID", 30)), (19, "Y".to_owned()));
                        }
                    }
                    "ADT^A40^ADT_A39" => assert!(field("MRG", 1).ends_with("^^^CHIASM_EHR^MR")),
                    "ORU^R01^ORU_R01" => {
                        assert_eq!((field("OBR", 7).len(), field("OBR", 14).len()), (14, 14));
                        assert_eq!((field("OBR", 22).len(), field("OBX", 14).len()), (14, 14));
                        assert!(["F", "C"].contains(&field("OBR", 25).as_str()));
                        assert!(field("OBX", 5).parse::<f64>().is_ok());
                    }
                    "ORM^O01^ORM_O01" => {
                        assert!(field("OBR", 18).starts_with('R') && field("OBR", 24).starts_with('C'));
                        assert!(field("ZDS", 1).starts_with("2.25.") && field("ORC", 9).len() == 19);
                    }
                    "MDM^T02^MDM_T02" => {
                        assert!(field("TXA", 12).starts_with('N') && field("TXA", 17) == "AU");
                        assert!(field("OBX", 5).contains("\\.br\\") && field("OBX", 11) == "F");
                    }
                    _ => {}
                }
                kinds.insert(kind);
            }
        }
        assert_eq!(kinds.len(), 8, "{kinds:?}");
    }
}
