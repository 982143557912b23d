//! The files that say what the folder is: README.txt, site.toml, clocks.csv.

use super::analytes::ANALYTES;
use super::calendar::{Clocks, System, ZONE};
use super::case::LABEL;
use super::config::HospitalConfig;
use super::disease::Evidence;
use std::fmt::Write;

/// `site.toml`: the sources, for whoever reads them.
pub(crate) fn site() -> String {
    let mut text = format!(
        "# {LABEL}: nobody here is real. Made by chiasm-synth.\n\
         name = \"synthetic-hospital\"\n\n\
         [ingest]\nzone = \"{ZONE}\"\n\n\
         # One authority, as each system writes it.\n\
         [ingest.authorities]\n\
         \"{}\" = \"{}\"\n\"{}\" = \"SYN_NHI\"\n\n\
         # The laboratory's own codes.\n[ingest.codes]\n",
        super::fhir::MRN,
        super::hl7::EHR,
        super::fhir::NATIONAL,
    );
    for analyte in ANALYTES {
        let _ = writeln!(text, "{} = \"LOINC|{}\"", analyte.local, analyte.meaning);
    }
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
