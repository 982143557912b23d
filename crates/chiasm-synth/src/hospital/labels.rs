//! The files that say what the folder is: README.txt, site.toml, clocks.csv.

use super::analytes::ANALYTES;
use super::calendar::{Clocks, System, ZONE};
use super::case::LABEL;
use super::config::HospitalConfig;
use super::disease::Evidence;
use std::fmt::Write;

/// The tables that say whose sample, slide, tracing and wearable it is.
const TABLES: &str = r#"
# Samples, slides, tracings and wearables have names of their own; two tables say whose they are.
[[ingest.tables]]
file = "lims/specimens.csv"
subject = { column = "sample_id", authority = "synthetic-hospital|sample", record_numbers = { mrn = "CHIASM_LIS" }, family = "surname", given = "given_name", birth = "date_of_birth", sex = "sex" }
[[ingest.tables.events]]
code = "specimen"
code_column = "kind"
modality = "pathology"
text = "sample_id"
time = { column = "collected" }
known = { column = "received" }

[[ingest.tables]]
file = "devices/enrolment.csv"
subject = { column = "device_id", authority = "synthetic-hospital|sample", record_numbers = { patient_id = "CHIASM_EHR" }, family = "surname", given = "given_name", birth = "date_of_birth" }
[[ingest.tables.events]]
code = "WEARABLE|enrolment"
modality = "wearables"
text = "kind"
time = { column = "begin" }
known = { column = "begin" }
"#;

/// `site.toml`: how to read the exports.
pub(crate) fn site() -> String {
    let mut text = format!(
        "# {LABEL}: nobody here is real. Made by chiasm-synth.\n\
         name = \"synthetic-hospital\"\n\n\
         [ingest]\nzone = \"{ZONE}\"\n\
         # A slide, a tracing, a wearable's counts: the file's name says whose.\n\
         file_names = true\n\n\
         # One authority, as each system writes it.\n\
         [ingest.authorities]\n\
         \"{}\" = \"{}\"\n\"{}\" = \"SYN_NHI\"\n\
         \"synthetic-hospital|file\" = \"synthetic-hospital|sample\"\n\
         \"synthetic-hospital|wfdb\" = \"synthetic-hospital|sample\"\n\n\
         # The laboratory's own codes: tissue section, DNA, and its tests.\n[ingest.codes]\n\
         \"specimen|slide\" = \"SNOMED|430856003\"\n\"specimen|tumour_dna\" = \"SNOMED|258566005\"\n",
        super::fhir::MRN,
        super::hl7::EHR,
        super::fhir::NATIONAL,
    );
    for analyte in ANALYTES {
        let _ = writeln!(text, "\"LIS|{}\" = \"LOINC|{}\"", analyte.local, analyte.meaning);
    }
    text.push_str(TABLES);
    text
}

/// `truth/clocks.csv`: by how many seconds each system's clock is ahead of true time.
pub(crate) fn clocks(clocks: &Clocks) -> String {
    let mut text = String::from("system,ahead_s\n");
    for system in System::ALL {
        let _ = writeln!(text, "{},{}", system.as_str(), clocks.skew(system));
    }
    text
}

/// `truth/README.txt`.
pub(crate) fn readme(config: &HospitalConfig) -> String {
    let mut text = format!(
        "{LABEL}\n\nEverything in this folder and beside it is synthetic. No person, name, number, picture or \
         gene here is real; whatever resembles somebody does so by chance.\n\n\
         Made by chiasm_synth::hospital::generate with\n{config:#?}\n\n\
         records (truth.parquet): who each identifier of each source is.\n\
         persons.parquet: each person's latent state, outcome, relations, and which evidence there is.\n\
         events.parquet: what was planted where: true times, values, lesions (pixels, images from 0), variants, \
         what each note says. Times are true, in microseconds since 1970-01-01T00:00Z.\n\
         consents.parquet: what each consent says, a row a rule; depth 1 is an exception to depth 0.\n\
         clocks.csv: by how many seconds each system's clock is ahead.\n\n\
         Evidence is missing at random, by the ECOG performance status that is on record for everyone. The \
         chance that it is missing, at performance status 0 to 4:\n"
    );
    for evidence in Evidence::ALL {
        let chances: Vec<String> = (0..5).map(|s| format!("{:.3}", evidence.missing(s))).collect();
        let _ = writeln!(text, "  {:<11} {}", evidence.as_str(), chances.join(" "));
    }
    text.push_str(
        "rule_* says whether the rule left it; has_* whether it is in the exports (not after death, and within \
         the sizes asked for).\n\
         log hazard = 0.8 burden + 0.6 inflammation + 0.4 frailty + 0.5 burden * inflammation; burden shows in \
         films, CT, slides, variants, CEA and LDH; inflammation in CRP, leukocytes, temperature, heart rate, \
         haze on films; frailty in actigraphy, albumin, haemoglobin, oxygen and notes.\n",
    );
    text
}
