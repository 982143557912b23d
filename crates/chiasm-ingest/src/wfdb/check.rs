use super::{Frames, Header, Record, Signal};
use crate::Error;
use crate::feed::{Checked, Severity, Source};

/// What is in a record and what is wrong with it: all samples are read, and their checksums and first
/// values compared with the header's.
///
/// # Errors
/// Where the header itself cannot be opened.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut checked = Checked::new("WFDB", None);
    let header = match Header::read(source) {
        Ok(header) => header,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => {
            checked.fault(Severity::Error, "wfdb.header", "", error.to_string());
            return Ok(checked);
        }
    };
    checked.content("signals", header.signal_count);
    checked.content("frames per second", header.frequency);
    if let Some(frames) = header.frames {
        checked.content("frames", frames);
    }
    if header.is_segmented() {
        checked.content("segments", header.segments.len());
        let sum = header.segments.iter().fold(0u64, |n, s| n.saturating_add(s.frames));
        if header.frames.is_some_and(|n| n != 0 && n != sum) {
            let message = format!("the segments have {sum} frames together, the record another number");
            checked.fault(Severity::Error, "wfdb.segments.length", "", message);
        }
    }
    if header.surplus > 0 {
        let message = format!("{} lines more than the record line announces", header.surplus);
        checked.fault(Severity::Warning, "wfdb.header.surplus", "", message);
    }
    if header.is_layout() {
        checked.content("layout", "yes");
        return Ok(checked);
    }
    if let Err(error) = samples(source, &mut checked) {
        match error {
            Error::Io { .. } => return Err(error),
            Error::MissingFile { .. } => {
                let message = "a file that the header names is not beside it";
                checked.fault(Severity::Error, "wfdb.missing", "", message);
            }
            Error::Outside { .. } => {
                checked.fault(Severity::Error, "wfdb.outside", "", error.to_string());
            }
            error => checked.fault(Severity::Error, "wfdb.signal", "", error.to_string()),
        }
    }
    Ok(checked)
}

fn samples(source: &Source, checked: &mut Checked) -> Result<(), Error> {
    let record = Record::open(source)?;
    for (i, signal) in record.signals().iter().enumerate() {
        checked.content(&format!("signal {i}"), format!("format {}, {}", signal.format.code(), signal.unit));
    }
    for segment in record.segments() {
        let (_, Some((file, header))) = segment? else { continue };
        let place = if record.header().is_segmented() { file.origin.clone() } else { String::new() };
        let stated = Header::read(&file)?.frames.is_some_and(|n| n != 0);
        let mut frames = Frames::open(&file, &header)?;
        let mut frame = vec![0; frames.width()];
        let mut first = true;
        while frames.next(&mut frame)? {
            if std::mem::take(&mut first) {
                initial(&header.signals, &frame, &place, checked);
            }
        }
        // Without a stated length the header's checksum is not meant.
        if !stated || header.frames != Header::read(&file)?.frames {
            continue;
        }
        for (i, (signal, sum)) in header.signals.iter().zip(frames.checksums()).enumerate() {
            if signal.checksum.is_some_and(|c| c as u16 != sum) {
                let message = format!("the checksum of signal {i} is not that of its samples");
                checked.fault(Severity::Error, "wfdb.checksum", place.clone(), message);
            }
        }
    }
    Ok(())
}

fn initial(signals: &[Signal], frame: &[i32], place: &str, checked: &mut Checked) {
    let mut at = 0;
    for (i, signal) in signals.iter().enumerate() {
        let value = frame.get(at).copied().unwrap_or(0);
        at += signal.samples_per_frame as usize;
        // With skew, the first value in step is not the first in the file.
        let differs = signal.initial.is_some_and(|v| v != i64::from(value));
        if differs && signal.skew == 0 && signal.format.code() != 8 {
            let message = format!("signal {i} does not begin with the value that the header states");
            checked.fault(Severity::Warning, "wfdb.initial", place, message);
        }
    }
}
