//! What is in an instance and what is wrong with it.

mod modules;
mod pixels;
mod values;

use super::dataset::{DataSet, Level};
use super::{dictionary, directory};
use crate::Error;
use crate::feed::{Checked, Severity, Source};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// The most faults that are told of one file.
const FAULTS: usize = 500;

/// What is in an instance or a DICOMDIR and what is wrong with it: how it is written (PS3.5, PS3.10), the
/// elements that its modules must have (PS3.3), pixel data against their header. Pixels are not decoded.
///
/// # Errors
/// [`Error::MissingFile`] or [`Error::Io`] where it cannot be opened.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut report = Report { checked: Checked::new("DICOM", None) };
    let data = match super::open(source) {
        Ok(data) => data,
        Err(error) => {
            let Some(rule) = super::rule(&error) else { return Err(error) };
            report.checked.fault(Severity::Error, rule, "", error.to_string());
            return Ok(report.checked);
        }
    };
    contents(&data, &mut report.checked);
    for issue in &data.issues {
        let place = issue.tag.map(place).unwrap_or_default();
        report.checked.fault(issue.severity, issue.rule, place, issue.message);
    }
    meta(&data, &mut report);
    values::values(&data, &mut report);
    let root = data.root();
    if directory::is_directory(&data) {
        folder(source, &data, &mut report)?;
    } else if data.elements().iter().all(|e| e.tag.0 <= 2) {
        report.error("dicom.empty", None, "no data set behind the meta information");
    } else {
        modules::modules(root, &mut report);
        pixels::pixels(&data, &mut report);
    }
    Ok(report.checked)
}

/// Faults on their way into what is told.
struct Report {
    checked: Checked,
}

impl Report {
    fn is_full(&self) -> bool {
        self.checked.faults.len() >= FAULTS
    }

    fn error(&mut self, rule: &str, tag: Option<Tag>, message: impl Into<String>) {
        self.fault(Severity::Error, rule, tag, message);
    }

    fn warning(&mut self, rule: &str, tag: Option<Tag>, message: impl Into<String>) {
        self.fault(Severity::Warning, rule, tag, message);
    }

    fn fault(&mut self, severity: Severity, rule: &str, tag: Option<Tag>, message: impl Into<String>) {
        if !self.is_full() {
            self.checked.fault(severity, rule, tag.map(place).unwrap_or_default(), message);
        }
    }
}

/// A tag as a place: `(0010,0030) PatientBirthDate`.
fn place(tag: Tag) -> String {
    let name = dictionary::keyword(tag).filter(|_| tag.1 != 0).map(|k| format!(" {k}")).unwrap_or_default();
    format!("({:04x},{:04x}){name}", tag.0, tag.1)
}

fn contents(data: &DataSet, checked: &mut Checked) {
    let root = data.root();
    let mut content = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            checked.content(name, value);
        }
    };
    let class = root.first(tags::SOP_CLASS_UID).or_else(|| root.first(tags::MEDIA_STORAGE_SOP_CLASS_UID));
    let named = |uid: String, name: Option<&str>| name.map_or(uid, str::to_owned);
    content("class", class.map(|uid| named(uid.clone(), dictionary::sop_class(&uid))));
    let syntax = data.transfer_syntax().to_owned();
    content("transfer syntax", Some(named(syntax.clone(), dictionary::transfer_syntax(&syntax))));
    content("modality", root.first(tags::MODALITY));
    content("character set", root.text(tags::SPECIFIC_CHARACTER_SET));
    let elements = data.elements().iter().filter(|e| e.tag.0 != 0xfffe);
    content("elements", Some(elements.clone().count().to_string()));
    let private = elements.filter(|e| e.tag.0 % 2 == 1).count();
    content("private elements", (private > 0).then(|| private.to_string()));
    if let (Some(rows), Some(columns)) = (root.integer(tags::ROWS), root.integer(tags::COLUMNS)) {
        content("rows x columns", Some(format!("{rows} x {columns}")));
        content("frames", Some(root.integer(tags::NUMBER_OF_FRAMES).unwrap_or(1).to_string()));
        content("photometric interpretation", root.first(tags::PHOTOMETRIC_INTERPRETATION));
    }
    for (name, sequence) in [
        ("segments", tags::SEGMENT_SEQUENCE),
        ("multiplex groups", tags::WAVEFORM_SEQUENCE),
        ("content items", tags::CONTENT_SEQUENCE),
        ("directory records", tags::DIRECTORY_RECORD_SEQUENCE),
    ] {
        content(name, root.find(sequence).map(|s| data.items(s).count().to_string()));
    }
}

/// The meta information (PS3.10 section 7.1).
fn meta(data: &DataSet, report: &mut Report) {
    let root = data.root();
    if data.elements().first().is_none_or(|e| e.tag.0 != 2) {
        return;
    }
    for tag in [
        tags::FILE_META_INFORMATION_VERSION,
        tags::MEDIA_STORAGE_SOP_CLASS_UID,
        tags::MEDIA_STORAGE_SOP_INSTANCE_UID,
        tags::IMPLEMENTATION_CLASS_UID,
    ] {
        if root.find(tag).is_none_or(|e| e.length == 0) {
            report.error("dicom.meta", Some(tag), "missing in the meta information");
        }
    }
    let pairs = [
        (tags::MEDIA_STORAGE_SOP_CLASS_UID, tags::SOP_CLASS_UID),
        (tags::MEDIA_STORAGE_SOP_INSTANCE_UID, tags::SOP_INSTANCE_UID),
    ];
    for (outer, inner) in pairs {
        if let (Some(one), Some(other)) = (root.first(outer), root.first(inner))
            && one != other
        {
            report.error("dicom.meta", Some(outer), "not the one that the data set has");
        }
    }
    if dictionary::transfer_syntax(data.transfer_syntax()).is_none() {
        report.warning("dicom.syntax", Some(tags::TRANSFER_SYNTAX_UID), "a transfer syntax of nobody's");
    }
}

/// A DICOMDIR (PS3.10 section 8, PS3.3 annex F): its names, and whether its files are there.
fn folder(source: &Source, data: &DataSet, report: &mut Report) -> Result<(), Error> {
    let root = data.root();
    for tag in [
        tags::OFFSET_OF_THE_FIRST_DIRECTORY_RECORD_OF_THE_ROOT_DIRECTORY_ENTITY,
        tags::OFFSET_OF_THE_LAST_DIRECTORY_RECORD_OF_THE_ROOT_DIRECTORY_ENTITY,
        tags::FILE_SET_CONSISTENCY_FLAG,
    ] {
        modules::required(root, tag, "File-set", report);
    }
    modules::present(root, tags::FILE_SET_ID, "File-set", report);
    modules::present(root, tags::DIRECTORY_RECORD_SEQUENCE, "Directory Information", report);
    let mut untyped = 0;
    let mut odd = 0;
    for record in root.items(tags::DIRECTORY_RECORD_SEQUENCE) {
        untyped += usize::from(record.first(tags::DIRECTORY_RECORD_TYPE).is_none());
        odd += usize::from(!well_named(record));
    }
    if untyped > 0 {
        let message = format!("{untyped} directory records without a type");
        report.error("dicom.directory", Some(tags::DIRECTORY_RECORD_TYPE), message);
    }
    if odd > 0 {
        let message = format!("{odd} file names that a DICOM file-set may not have");
        report.error("dicom.directory", Some(tags::REFERENCED_FILE_ID), message);
    }
    for finding in directory::entry(source, data)?.findings {
        let message = format!("{} {}", finding.count, finding.message);
        report.error("dicom.directory", Some(tags::REFERENCED_FILE_ID), message);
    }
    Ok(())
}

/// Whether the name of a record's file has at most eight parts of eight characters (PS3.10 section 8.2).
fn well_named(record: Level<'_>) -> bool {
    let parts = record.texts(tags::REFERENCED_FILE_ID);
    let good = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    parts.len() <= 8 && parts.iter().all(|p| (1..=8).contains(&p.len()) && p.bytes().all(good))
}
