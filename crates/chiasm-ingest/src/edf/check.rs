use super::header::long_date;
use super::{Header, Recording};
use crate::Error;
use crate::feed::{Checked, Severity, Source};

/// What is in a recording and what is wrong with it, by the rules of EDF and, where it claims to be one,
/// of EDF+. Every data record is read.
///
/// # Errors
/// Where the file cannot be opened.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut checked = Checked::new("EDF", None);
    let header = match Header::read(source) {
        Ok(header) => header,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => {
            checked.fault(Severity::Error, "edf.header", "", error.to_string());
            return Ok(checked);
        }
    };
    checked.version = Some(header.kind.as_str().to_owned());
    checked.content("signals", header.signals.len());
    checked.content("seconds a data record", header.duration);
    fields(&header, &mut checked);
    signals(&header, &mut checked);
    if header.kind.is_plus() {
        plus(&header, &mut checked);
    }
    match Recording::open(source) {
        Ok(recording) => records(source, &recording, &mut checked)?,
        Err(error @ Error::Io { .. }) => return Err(error),
        Err(error) => checked.fault(Severity::Error, "edf.length", "", error.to_string()),
    }
    Ok(checked)
}

fn fields(header: &Header, checked: &mut Checked) {
    let mut error = |rule: &str, message: &str| checked.fault(Severity::Error, rule, "", message);
    if header.unprintable > 0 {
        let message = format!("{} header fields have bytes other than printable ASCII", header.unprintable);
        error("edf.ascii", &message);
    }
    if header.bytes != 256 * (header.signals.len() as u64 + 1) {
        error("edf.header.bytes", "the header's length is not 256 bytes and 256 for each signal");
    }
    if header.short_date().is_none() {
        error("edf.date", "the start date is no day as dd.mm.yy");
    }
    if header.clock().is_none() {
        error("edf.time", "the start time is no time as hh.mm.ss");
    }
    if header.records.is_none() {
        let message = "the number of data records is unknown (-1), as while recording";
        checked.fault(Severity::Warning, "edf.records", "", message);
    }
}

fn signals(header: &Header, checked: &mut Checked) {
    let (least, most) = if header.kind.width() == 2 { (-32_768, 32_767) } else { (-8_388_608, 8_388_607) };
    for (i, signal) in header.signals.iter().enumerate() {
        let place = format!("signal {}", i + 1);
        let mut fault = |severity, rule: &str, message: &str| {
            checked.fault(severity, rule, place.clone(), message);
        };
        let (low, high) = signal.digital;
        if low >= high || low < least || high > most {
            fault(
                Severity::Error,
                "edf.digital",
                "digital minimum and maximum are no range of stored values",
            );
        }
        if signal.physical.0 == signal.physical.1
            || !(signal.physical.0.is_finite() && signal.physical.1.is_finite())
        {
            fault(Severity::Error, "edf.physical", "physical minimum and maximum are the same or no numbers");
        }
        if signal.samples == 0 {
            fault(Severity::Error, "edf.samples", "no samples in a data record");
        }
        if signal.is_annotations() && header.kind.is_plus() && (low, high) != (least, most) {
            fault(Severity::Error, "edf.annotations.digital", "annotations without the full digital range");
        }
        if !signal.is_annotations() {
            checked
                .content(&format!("signal {}", i + 1), format!("{} samples a data record", signal.samples));
        }
    }
    if header.record_bytes() > 61_440 {
        let message = "data records of more than 61440 bytes";
        checked.fault(Severity::Warning, "edf.record.bytes", "", message);
    }
    if header.duration == 0.0 && header.signals.iter().any(|s| !s.is_annotations()) {
        checked.fault(Severity::Error, "edf.duration", "", "data records of 0 seconds hold samples");
    }
}

fn plus(header: &Header, checked: &mut Checked) {
    let mut error = |rule: &str, place: &str, message: String| {
        checked.fault(Severity::Error, rule, place, message);
    };
    if !header.signals.iter().any(super::Signal::is_annotations) {
        error("edf.annotations.missing", "", "no annotation signal, which EDF+ demands".to_owned());
    }
    let patient = header.patient();
    if patient.parts < 4 {
        let message = format!("{} of the four parts code, sex, birthdate, name", patient.parts);
        error("edf.patient", "patient", message);
    }
    for part in patient.faulty {
        error("edf.patient", "patient", format!("the {part} has not the form that EDF+ demands"));
    }
    let words: Vec<&str> = header.recording.split(' ').filter(|w| !w.is_empty()).collect();
    if words.first() != Some(&"Startdate") || words.len() < 5 {
        let message = "not Startdate, date, code, technician and equipment".to_owned();
        error("edf.recording", "recording", message);
    }
    let Some(date) = words.get(1).filter(|w| words[0] == "Startdate" && **w != "X") else { return };
    match long_date(date) {
        None => error("edf.recording", "recording", "the date is no day as dd-MMM-yyyy".to_owned()),
        Some(long) => {
            let short = header.short_date();
            let same = short.is_some_and(|s| (s.0 % 100, s.1, s.2) == (long.0 % 100, long.1, long.2));
            if !same {
                error("edf.date", "", "the start date differs from the recording field's".to_owned());
            }
        }
    }
}

fn records(source: &Source, recording: &Recording, checked: &mut Checked) -> Result<(), Error> {
    let header = recording.header();
    checked.content("data records", recording.records());
    let start = 256 * (header.signals.len() as u64 + 1);
    let surplus = source.len()?.saturating_sub(start + recording.records() * header.record_bytes());
    if surplus > 0 {
        let message = format!("{surplus} bytes after the last data record");
        checked.fault(Severity::Error, "edf.length", "", message);
    }
    for (i, count) in recording.outside()?.into_iter().filter(|(_, n)| *n > 0) {
        let message = format!("{count} values outside the digital minimum and maximum");
        checked.fault(Severity::Warning, "edf.digital.range", format!("signal {}", i + 1), message);
    }
    if !header.kind.is_plus() {
        return Ok(());
    }
    let gaps =
        matches!(header.kind, super::Kind::EdfPlus { gaps: true } | super::Kind::BdfPlus { gaps: true });
    let (mut texts, mut last, mut first, mut timed, mut jumps) = (0u64, None::<u64>, None, 0u64, 0u64);
    let read = recording.annotations(&mut |i, annotation| {
        if last != Some(i) {
            last = Some(i);
            if annotation.text.is_empty() {
                timed += 1;
                let begun = *first.get_or_insert(annotation.onset - i as f64 * header.duration);
                let due = begun + i as f64 * header.duration;
                jumps += u64::from(!gaps && (annotation.onset - due).abs() > 1e-6 * due.abs().max(1.0));
            }
        }
        texts += u64::from(!annotation.text.is_empty());
        Ok(())
    });
    checked.content("annotations", texts);
    if let Err(error) = read {
        checked.fault(Severity::Error, "edf.annotation", "", error.to_string());
    } else if timed < recording.records() {
        let message = format!("{} data records without their time", recording.records() - timed);
        checked.fault(Severity::Error, "edf.timekeeping", "", message);
    }
    if jumps > 0 {
        let message = format!("{jumps} data records do not follow the one before, though none are apart");
        checked.fault(Severity::Error, "edf.continuous", "", message);
    }
    Ok(())
}
