//! A synthetic hospital: the raw exports of its systems, with the truth beside them.
//!
//! [`generate`] writes what an EHR (FHIR R4), an interface engine (HL7 v2), a PACS (DICOM), a laboratory
//! system (VCF, slides) and devices (WFDB, actigraphy) hand over about the same patients, each under its own
//! numbers, clock, units and errors. Three latent processes of each patient drive all of it. [`people`]
//! writes person records alone.
//!
//! A patient is drawn from streams of their own, so patient 7 is the same in a hospital of 10 and of a
//! million; patients are made in parallel and written in order, so the bytes do not depend on the threads.

mod analytes;
mod calendar;
mod case;
mod chart;
mod config;
mod course;
mod dice;
mod disease;
mod fhir;
mod hl7;
mod json;
mod labels;
mod mistype;
mod names;
mod notes;
mod pacs;
mod people;
mod person;
mod pixels;
mod shelf;
mod signals;
mod slide;
mod tiff;
mod truth;
mod variants;

pub use config::HospitalConfig;
pub use people::{People, people};

use crate::Error;
use calendar::{Clocks, System, compact};
use case::{Case, LABEL};
use fhir::Export;
use hl7::Message;
use rayon::prelude::*;
use shelf::{Folder, Shelf, Stream};
use std::io;
use std::path::Path;
use truth::{CONSENTS, EVENTS, Made, PERSONS, RECORDS, Rows, Table};

/// Patients made at once.
const CHUNK: u64 = 50;
const SPECIMENS: &str =
    "sample_id,kind,file,mrn,authority,surname,given_name,date_of_birth,sex,collected,received,label\n";
const ENROLMENT: &str =
    "device_id,kind,file,patient_id,authority,surname,given_name,date_of_birth,begin,end,label\n";

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Patients.
    pub patients: u64,
    /// FHIR resources.
    pub resources: u64,
    /// HL7 messages.
    pub messages: u64,
    /// DICOM instances.
    pub instances: u64,
    /// Slides, VCF files, ECG records and wearables' files.
    pub samples: u64,
    /// Rows of `truth/truth.parquet`.
    pub records: u64,
    /// Rows of `truth/events.parquet`.
    pub planted: u64,
}

/// What one patient brings.
struct Page {
    patient: u64,
    export: Export,
    messages: Vec<Message>,
    specimens: String,
    enrolment: String,
    rows: Rows,
    instances: u64,
    samples: u64,
}

/// Writes a synthetic hospital's exports into an empty or new folder.
///
/// `progress` is told, after every few patients, how many are done and how many there are. The same
/// configuration makes the same bytes. Memory does not grow with the number of patients.
///
/// | below `out` | what |
/// |---|---|
/// | `ehr/` | FHIR R4 resources, NDJSON by type |
/// | `hl7/` | HL7 v2.5.1: `adt`, `oru`, `orm`, `mdm` |
/// | `pacs/` | DICOM files by patient and study |
/// | `lims/` | `specimens.csv`, `vcf/`, `slides/` |
/// | `devices/` | `enrolment.csv`, `ecg/`, `actigraphy/` |
/// | `truth/` | `truth.parquet`, `persons.parquet`, `events.parquet`, `consents.parquet`, `clocks.csv` |
/// | `site.toml` | the sources |
///
/// # Errors
/// [`Error::Impossible`] where a size is out of its range or the folder is not empty; [`Error::Write`].
pub fn generate(
    config: &HospitalConfig,
    out: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Summary, Error> {
    config.check()?;
    let fault = |source| Error::Write { path: out.to_owned(), source };
    std::fs::create_dir_all(out).map_err(fault)?;
    if std::fs::read_dir(out).map_err(fault)?.next().is_some() {
        let found = "a folder that is not empty".to_owned();
        return Err(Error::Impossible { what: "out", found, expected: "an empty or new folder" });
    }
    let clocks = Clocks::new(config.seed);
    let folder = Folder(out.to_owned());
    folder.put("site.toml", labels::site().as_bytes())?;
    folder.put("truth/README.txt", labels::readme(config).as_bytes())?;
    folder.put("truth/clocks.csv", labels::clocks(&clocks).as_bytes())?;
    let mut shelf = Shelf::new(out);
    let mut specimens = Stream::new(&out.join("lims/specimens.csv"))?;
    let mut enrolment = Stream::new(&out.join("devices/enrolment.csv"))?;
    specimens.write(SPECIMENS)?;
    enrolment.write(ENROLMENT)?;
    let truth = out.join("truth");
    let mut records = Table::new(&truth.join("truth.parquet"), RECORDS)?;
    let mut persons = Table::new(&truth.join("persons.parquet"), PERSONS)?;
    let mut events = Table::new(&truth.join("events.parquet"), EVENTS)?;
    let mut consents = Table::new(&truth.join("consents.parquet"), CONSENTS)?;
    let mut summary = Summary::default();
    for begin in (0..config.patients).step_by(CHUNK as usize) {
        let chunk = begin..(begin + CHUNK).min(config.patients);
        let pages: Vec<Result<Page, Error>> =
            chunk.into_par_iter().map(|patient| page(config, &clocks, &folder, patient)).collect();
        for page in pages {
            let page = page?;
            summary.patients += 1;
            summary.resources += page.export.count;
            summary.messages += page.messages.len() as u64;
            summary.instances += page.instances;
            summary.samples += page.samples;
            shelf.add(page.patient, &page.export, page.messages)?;
            specimens.write(&page.specimens)?;
            enrolment.write(&page.enrolment)?;
            records.push(page.rows.records)?;
            persons.push(page.rows.persons)?;
            events.push(page.rows.events)?;
            consents.push(page.rows.consents)?;
        }
        progress(summary.patients, config.patients);
    }
    shelf.close(config.patients)?;
    specimens.close()?;
    enrolment.close()?;
    persons.close()?;
    consents.close()?;
    summary.records = records.close()?;
    summary.planted = events.close()?;
    Ok(summary)
}

/// Makes a patient: writes the files that are theirs alone, and gives what goes into shared ones.
fn page(config: &HospitalConfig, clocks: &Clocks, folder: &Folder, patient: u64) -> Result<Page, Error> {
    let case = Case::new(config, clocks, patient);
    let (mut instances, mut samples, mut made) = (0, 0, Made::default());
    pacs::files(&case, &mut |name, bytes| {
        instances += 1;
        put(folder, &format!("pacs/{name}"), bytes)
    })?;
    let shard = patient / 1_000;
    let (mut specimens, mut enrolment) = (String::new(), String::new());
    let sample = |id: &str, kind: &str, file: &str, at: i64| {
        let chart = case.tested(usize::from(kind == "slide"));
        let times = [at, at + 5_400].map(|t| clocks.at(System::Lis, t).plain());
        let birth = chart.birth.map(|b| b.to_string()).unwrap_or_default();
        format!(
            "{id},{kind},{file},{},{},{},{},{birth},{},{},{},{LABEL}\n",
            chart.id,
            hl7::LIS,
            chart.family,
            chart.given,
            chart.sex(),
            times[0],
            times[1]
        )
    };
    if let Some(at) = case.course.sequenced {
        let (id, file) = (case.sample('T'), format!("vcf/{shard:04}/{}.vcf.gz", case.sample('T')));
        put(folder, &format!("lims/{file}"), variants::bgzf(variants::text(&case, at).as_bytes()))?;
        specimens.push_str(&sample(&id, "tumour_dna", &file, at));
        samples += 1;
    }
    if let Some(at) = case.course.biopsy {
        let (id, file) = (case.sample('H'), format!("slides/{shard:04}/{}.tif", case.sample('H')));
        let path = folder.0.join("lims").join(&file);
        let slide = slide::slide(config.seed, patient, &case.disease, config.slide_side)
            .map_err(|source| Error::Write { path, source })?;
        folder.put(&format!("lims/{file}"), &slide.bytes)?;
        specimens.push_str(&sample(&id, "slide", &file, at));
        made.slide = Some(slide::Slide { bytes: Vec::new(), ..slide });
        samples += 1;
    }
    let enrol = |id: &str, kind: &str, file: &str, from: i64, to: i64| {
        let chart = &case.ehr[0];
        let birth = chart.birth.map(compact).unwrap_or_default();
        let times = [from, to].map(|t| clocks.shown(t).plain());
        format!(
            "{id},{kind},{file},{},{},{},{},{birth},{},{},{LABEL}\n",
            chart.id,
            hl7::EHR,
            chart.family,
            chart.given,
            times[0],
            times[1]
        )
    };
    if let Some(at) = case.course.ecg {
        let ecg = signals::ecg(&case, at);
        let file = format!("ecg/{shard:04}/{}", ecg.name);
        folder.put(&format!("devices/{file}.hea"), ecg.header.as_bytes())?;
        folder.put(&format!("devices/{file}.dat"), &ecg.samples)?;
        enrolment.push_str(&enrol(&ecg.name, "ecg", &format!("{file}.hea"), at, at + 10));
        made.ecg = Some(signals::Ecg { samples: Vec::new(), ..ecg });
        samples += 1;
    }
    if let Some(at) = case.course.worn {
        let worn = signals::actigraphy(&case, at);
        let file = format!("actigraphy/{shard:04}/{}.csv", worn.device);
        folder.put(&format!("devices/{file}"), worn.csv.as_bytes())?;
        enrolment.push_str(&enrol(&worn.device, "wearable", &file, worn.begun, worn.ended));
        made.worn = Some(signals::Worn { csv: String::new(), ..worn });
        samples += 1;
    }
    let rows = Rows::new(&case, &made);
    let (export, messages) = (Export::new(&case), hl7::messages(&case));
    Ok(Page { patient, export, messages, specimens, enrolment, rows, instances, samples })
}

fn put(folder: &Folder, name: &str, bytes: io::Result<Vec<u8>>) -> Result<(), Error> {
    let bytes = bytes.map_err(|source| Error::Write { path: folder.0.join(name), source })?;
    folder.put(name, &bytes)
}
