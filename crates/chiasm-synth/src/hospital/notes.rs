//! Clinical notes in plain English, with what is denied, what is carried along from the note before, and
//! what was true when it was carried but is no longer.

use super::calendar::DAY;
use super::case::LABEL;
use super::config::HospitalConfig;
use super::course::{Course, Setting};
use super::dice::{Dice, Part};
use super::disease::{Disease, logistic};
use super::person::Person;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write;

/// How many notes take over the history of the one before, word for word.
const COPIED: f64 = 0.45;

/// A note.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) visit: usize,
    pub(crate) id: String,
    pub(crate) written: i64,
    pub(crate) text: String,
    /// What it says of each of [`SIGNS`], from today's own findings.
    pub(crate) signs: Vec<bool>,
    /// Whether the history is the last note's.
    pub(crate) copied: bool,
    /// Whether the EHR exports it, and whether it is sent as a message.
    pub(crate) exported: bool,
    pub(crate) sent: bool,
}

/// A symptom or sign: SNOMED CT, how it is asserted and denied, and what moves it.
#[derive(Debug)]
pub(crate) struct Sign {
    pub(crate) snomed: &'static str,
    pub(crate) name: &'static str,
    said: &'static [&'static str],
    denied: &'static [&'static str],
    base: f64,
    moved: [f64; 3],
}

/// What a note speaks of.
pub(crate) static SIGNS: [Sign; 8] = [
    Sign {
        snomed: "49727002",
        name: "cough",
        said: &["reports a persistent cough", "complains of a dry cough for some weeks"],
        denied: &["denies cough", "no cough"],
        base: -0.4,
        moved: [0.8, 0.4, 0.0],
    },
    Sign {
        snomed: "267036007",
        name: "dyspnoea",
        said: &["is short of breath on exertion", "reports dyspnoea when climbing one flight of stairs"],
        denied: &["denies shortness of breath", "no dyspnoea at rest or on exertion"],
        base: -0.6,
        moved: [0.5, 0.4, 0.7],
    },
    Sign {
        snomed: "66857006",
        name: "haemoptysis",
        said: &["has noticed blood-streaked sputum", "reports two episodes of haemoptysis"],
        denied: &["denies haemoptysis", "no blood in the sputum"],
        base: -2.4,
        moved: [1.2, 0.0, 0.0],
    },
    Sign {
        snomed: "89362005",
        name: "weight loss",
        said: &["has lost several kilograms without trying", "reports unintended weight loss"],
        denied: &["weight is stable", "denies weight loss"],
        base: -1.2,
        moved: [0.9, 0.3, 0.6],
    },
    Sign {
        snomed: "386661006",
        name: "fever",
        said: &["has had fever up to 39 C", "reports fever with chills"],
        denied: &["denies fever or chills", "has been afebrile"],
        base: -1.6,
        moved: [0.0, 1.3, 0.0],
    },
    Sign {
        snomed: "84229001",
        name: "fatigue",
        said: &["is tired most of the day", "reports marked fatigue and rests every afternoon"],
        denied: &["denies fatigue", "energy is good"],
        base: -0.3,
        moved: [0.2, 0.5, 1.1],
    },
    Sign {
        snomed: "29857009",
        name: "chest pain",
        said: &["describes a dull pain on one side of the chest", "has chest pain on deep breathing"],
        denied: &["no chest pain", "denies chest pain or palpitations"],
        base: -1.4,
        moved: [0.4, 0.3, 0.0],
    },
    Sign {
        snomed: "271594007",
        name: "falls",
        said: &["fell at home last month", "has become unsteady and fell twice"],
        denied: &["no falls", "walks without aid and has not fallen"],
        base: -2.0,
        moved: [0.0, 0.0, 1.2],
    },
];

/// The notes of a patient, in order.
pub(crate) fn notes(
    config: &HospitalConfig,
    person: &Person,
    disease: &Disease,
    course: &Course,
) -> Vec<Note> {
    let mut dice = Dice::new(config.seed, person.index, Part::Notes);
    let dice = &mut dice;
    let mut history = String::new();
    let mut notes: Vec<Note> = Vec::new();
    for (i, visit) in course.visits.iter().enumerate().filter(|(_, v)| v.note) {
        let signs: Vec<bool> = SIGNS
            .iter()
            .map(|sign| {
                let [b, f, a] = sign.moved;
                let moved =
                    b * disease.burden + f * (disease.inflammation + visit.flare) + a * disease.frailty;
                dice.chance(logistic(sign.base + moved))
            })
            .collect();
        let copied = !history.is_empty() && dice.chance(COPIED);
        if !copied {
            history = self::history(person, disease, visit.start, &signs, dice);
        }
        let mut text = String::new();
        let setting = match visit.setting {
            Setting::Clinic => "OUTPATIENT CLINIC NOTE",
            Setting::Emergency => "EMERGENCY DEPARTMENT NOTE",
            Setting::Ward => "INPATIENT PROGRESS NOTE",
        };
        let _ = write!(text, "{setting}\n\nHISTORY\n{history}\n\nTODAY\n{}\n", today(&signs, dice));
        let _ = write!(text, "\nEXAMINATION\n{}\n", examination(disease, &visit.vitals, visit.flare, dice));
        let seen = disease.days(visit.start);
        let _ = write!(text, "\nASSESSMENT AND PLAN\n{}\n", assessment(disease, seen, dice));
        let _ = write!(text, "\n-- {LABEL}: synthetic text, not a real patient --");
        let how = dice.unit();
        notes.push(Note {
            visit: i,
            id: format!("N{:07}-{i}", person.index),
            written: visit.start + dice.whole(1_200, 9_000),
            text,
            signs,
            copied,
            exported: how < 0.8,
            sent: how >= 0.6,
        });
    }
    notes
}

fn history(person: &Person, disease: &Disease, at: i64, signs: &[bool], dice: &mut Dice) -> String {
    let sex = if person.female { "woman" } else { "man" };
    let day = TimeZone::UTC.to_datetime(Timestamp::from_second(at).unwrap_or_default()).date();
    let reason = match disease.days(at) {
        d if d < -1.0 => "seen for a health check",
        d if d < 30.0 => "with a pulmonary nodule found by chance",
        _ => "under follow-up for a pulmonary nodule",
    };
    let mut text = format!("{}-year-old {sex} {reason}.", person.age(day));
    text.push_str(if disease.smoker {
        dice.pick::<&str>(&[" Former smoker, about 30 pack-years.", " Continues to smoke."])
    } else {
        dice.pick::<&str>(&[" Never smoked.", " Non-smoker."])
    });
    let known = [
        (disease.diabetes, "type 2 diabetes"),
        (disease.hypertension, "arterial hypertension"),
        (disease.fibrillation, "atrial fibrillation"),
        (disease.kidney, "chronic kidney disease stage 3"),
        (disease.arthritis, "rheumatoid arthritis"),
    ];
    let list = |yes: bool| -> Vec<&str> {
        known.iter().filter(|(has, _)| *has == yes).map(|(_, name)| *name).collect()
    };
    let (has, lacks) = (list(true), list(false));
    if !has.is_empty() {
        let _ = write!(text, " Past history of {}.", has.join(", "));
    }
    if let Some(name) = lacks.first() {
        let _ = write!(text, " No history of {name}.");
    }
    let told: Vec<&str> = SIGNS.iter().zip(signs).filter(|(_, yes)| **yes).map(|(s, _)| s.name).collect();
    if told.is_empty() {
        text.push_str(" No complaints when first seen.");
    } else {
        let _ = write!(text, " Presented with {}.", told.join(" and "));
    }
    if dice.chance(0.2) {
        text.push_str(" Mother had lung cancer; no other family history of malignancy.");
    }
    text
}

fn today(signs: &[bool], dice: &mut Dice) -> String {
    let mut sentences = Vec::new();
    for (sign, &yes) in SIGNS.iter().zip(signs) {
        // What is not there is mentioned more often than not.
        if yes {
            sentences.push(format!("Patient {}.", dice.pick(sign.said)));
        } else if dice.chance(0.6) {
            let said = *dice.pick(sign.denied);
            let mut letters = said.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
            sentences.push(format!("{first}{}.", letters.as_str()));
        }
    }
    sentences.join(" ")
}

fn examination(disease: &Disease, vitals: &[f64], flare: f64, dice: &mut Dice) -> String {
    let value = |i: usize| vitals.get(i).copied().unwrap_or_default();
    let mut text = format!(
        "HR {}, RR {}, T {} C, SpO2 {} % on room air, BP {}/{} mmHg, weight {} kg. ECOG {}.",
        value(0),
        value(1),
        value(2),
        value(3),
        value(5),
        value(6),
        value(4),
        disease.status
    );
    let crackles = dice.chance(logistic(-1.0 + disease.inflammation + flare));
    let side = if disease.nodules[0].left() { "left" } else { "right" };
    let _ = match crackles {
        true => write!(text, " Crackles over the {side} lung."),
        false => write!(text, " Chest clear, no crackles, no wheeze."),
    };
    text.push_str(dice.pick::<&str>(&[
        " No cervical lymphadenopathy.",
        " No peripheral oedema.",
        " Abdomen soft, no tenderness.",
    ]));
    text
}

fn assessment(disease: &Disease, days: f64, dice: &mut Dice) -> String {
    let nodule = disease.nodules[0];
    let side = if nodule.left() { "left" } else { "right" };
    let mut text = match days {
        d if d < -1.0 => "1. Health check; no pulmonary nodule known.".to_owned(),
        d if d < 60.0 => {
            format!("1. New {side} pulmonary nodule, about {:.0} mm.", nodule.diameter(days))
        }
        _ => {
            let (now, then) = (nodule.diameter(days), nodule.diameter(0.0));
            let words = if now > 1.15 * then { "has grown" } else { "unchanged, no evidence of growth" };
            format!("1. {} pulmonary nodule, {words} (about {now:.0} mm, was {then:.0} mm).", capital(side))
        }
    };
    if disease.malignant && days > 60.0 {
        text.push_str(" Biopsy-proven adenocarcinoma of the lung.");
    } else if days > 60.0 {
        text.push_str(" No evidence of malignancy on work-up so far.");
    }
    text.push('\n');
    text.push_str(if disease.inflammation > 0.8 {
        "2. Raised inflammatory markers, likely infective; antibiotics started."
    } else {
        "2. No sign of infection; no antibiotics."
    });
    text.push('\n');
    let plans =
        ["3. CT chest in 3 months.", "3. Discuss in the lung board.", "3. Review with results in clinic."];
    text.push_str(dice.pick::<&str>(&plans));
    text
}

fn capital(word: &str) -> &str {
    if word == "left" { "Left" } else { "Right" }
}

/// What a radiologist says of a study: findings and impression.
pub(crate) fn report(disease: &Disease, at: i64, ct: bool, earlier: Option<i64>) -> String {
    let days = disease.days(at);
    let mut text = if ct { "CT CHEST\n\nFINDINGS\n" } else { "CHEST RADIOGRAPH PA\n\nFINDINGS\n" }.to_owned();
    for nodule in &disease.nodules {
        let side = if nodule.left() { "left" } else { "right" };
        let zone = match nodule.y {
            y if y < 0.4 => "upper",
            y if y < 0.6 => "middle",
            _ => "lower",
        };
        let now = nodule.diameter(days);
        if !ct && now < 7.0 {
            text.push_str("No focal opacity. ");
            continue;
        }
        let _ = write!(text, "Rounded opacity of {now:.0} mm in the {side} {zone} zone. ");
        if let Some(earlier) = earlier {
            let then = nodule.diameter(disease.days(earlier));
            let _ =
                write!(text, "It measured {then:.0} mm {:.0} days ago. ", (at - earlier) as f64 / DAY as f64);
        }
    }
    text.push_str(if disease.inflammation > 0.7 {
        "Patchy opacities in both lower zones. "
    } else {
        "No consolidation. "
    });
    text.push_str("No pleural effusion. No pneumothorax. Heart size normal.\n\nIMPRESSION\n");
    let largest = disease.nodules.iter().map(|n| n.diameter(days)).fold(0.0, f64::max);
    text.push_str(match largest {
        d if d >= 20.0 => "Suspicious for malignancy.",
        d if d >= 8.0 => "Indeterminate nodule; follow-up advised.",
        _ => "No suspicious finding.",
    });
    let _ = write!(text, "\n\n-- {LABEL}: synthetic text, not a real patient --");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_deny_copy_and_end_with_the_label() {
        let config = HospitalConfig::new(200, 8);
        let (mut denials, mut copies, mut all) = (0, 0, 0);
        for patient in 0..200 {
            let (person, disease) = (Person::new(8, patient), Disease::new(8, patient));
            let course = Course::new(&config, patient, &disease, 1);
            let notes = notes(&config, &person, &disease, &course);
            for (i, note) in notes.iter().enumerate() {
                all += 1;
                assert!(note.text.lines().last().unwrap().contains(LABEL));
                assert!(note.exported || note.sent);
                denials += usize::from(note.text.contains("enies ") || note.text.contains("No "));
                let history = |n: &Note| n.text.split("\n\n").nth(1).unwrap().to_owned();
                if note.copied {
                    copies += 1;
                    assert_eq!(history(note), history(&notes[i - 1]));
                }
            }
        }
        assert!(all > 400 && denials > all / 2 && copies > all / 6, "{all} {denials} {copies}");
    }
}
