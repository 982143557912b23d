//! A summary of WFDB records: a line a record, then one a signal with BLAKE3 hashes of its stored and
//! physical values (NaN in one spelling). `tools/wfdb_peer.py` writes the same from wfdb-python.

use chiasm_ingest::feed::Source;
use chiasm_ingest::wfdb::{Annotations, Record};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The summary of all records and annotation files in `folder` and below, by path.
pub fn of(folder: &Path) -> String {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let mut text = String::new();
    for file in files {
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
        let lines = match file.extension().and_then(|e| e.to_str()) {
            Some("hea") => record(&file),
            Some("atr" | "qrs") => annotations(&file),
            _ => continue,
        };
        let _ = writeln!(text, "{name}\t{}", lines.as_deref().unwrap_or("error"));
    }
    text
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

fn short(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}

fn record(file: &Path) -> Option<String> {
    let record = Record::open(&Source::file(file)).ok()?;
    let header = record.header();
    if header.is_layout() {
        return Some("layout".to_owned());
    }
    let physical = record.physical().ok()?;
    let digital = record.digital().ok();
    let start = header.start().map_or_else(
        || "-".to_owned(),
        |p| {
            let two = |v: Option<i8>| v.unwrap_or(0);
            let (hour, minute, second) = (two(p.hour), two(p.minute), two(p.second));
            let (month, day, micros) = (two(p.month), two(p.day), p.micros.unwrap_or(0));
            format!("{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}", p.year)
        },
    );
    let mut text = format!("record\t{:?}\t{start}\t{}", header.frequency, header.comments.len());
    for (i, (signal, values)) in record.signals().iter().zip(&physical).enumerate() {
        let bits = |v: &f64| if v.is_nan() { 0x7ff8_0000_0000_0000 } else { v.to_bits() };
        let hash = short(&values.iter().flat_map(|v| bits(v).to_le_bytes()).collect::<Vec<u8>>());
        let stored = digital.as_ref().map_or_else(
            || "-".to_owned(),
            |d| short(&d[i].iter().flat_map(|v| i64::from(*v).to_le_bytes()).collect::<Vec<u8>>()),
        );
        let (n, name, unit, samples) = (values.len(), &signal.name, &signal.unit, signal.samples_per_frame);
        let _ = write!(text, "\n\t{i}\t{name}\t{unit}\t{samples}\t{n}\t{stored}\t{hash}");
    }
    Some(text)
}

fn annotations(file: &Path) -> Option<String> {
    let bytes = std::fs::read(file).ok()?;
    let mut lines = String::new();
    let mut count = 0;
    for annotation in Annotations::new("annotations", &bytes[..]) {
        let a = annotation.ok()?;
        count += 1;
        let note = a.note.unwrap_or_default();
        let _ = writeln!(lines, "{} {} {} {} {} {note}", a.sample, a.code, a.subtype, a.channel, a.number);
    }
    Some(format!("annotations\t{count}\t{}", short(lines.as_bytes())))
}
