//! `chiasm synth`: patients that nobody is, with the truth beside them.

use super::evidence::say;
use crate::cli::{Cli, SynthCommand};
use crate::progress::Bars;
use anyhow::Result;
use chiasm_pipeline::Progress;
use chiasm_synth::hospital::{self, HospitalConfig};
use serde_json::json;

/// Makes what was asked for.
///
/// # Errors
/// Where a size is out of range, or the folder is not empty or cannot be written.
pub fn run(cli: &Cli, command: &SynthCommand, bars: &Bars) -> Result<()> {
    match command {
        SynthCommand::Hospital { patients, seed, heavy, out } => {
            let mut config = HospitalConfig::new(*patients, *seed);
            if let Some(heavy) = heavy {
                config = config.heavy(*heavy);
            }
            bars.begin("patients", usize::try_from(*patients).unwrap_or(usize::MAX));
            let mut shown = 0;
            let made = hospital::generate(&config, out, &mut |done, _| {
                for _ in shown..done {
                    bars.advance();
                }
                shown = done;
            })?;
            let (folder, truth) = (out.display(), out.join("truth"));
            let words = format!(
                "{} synthetic patients: {} FHIR resources, {} HL7 messages, {} DICOM instances, {} other samples.\n\
                 Truth: {}\nRead it with:  chiasm ingest {folder}/ehr {folder}/hl7 {folder}/pacs {folder}/lims \
                 {folder}/devices --site {folder} --store STORE",
                made.patients,
                made.resources,
                made.messages,
                made.instances,
                made.samples,
                truth.display(),
            );
            let answer = json!({
                "out": out, "patients": made.patients, "resources": made.resources, "messages": made.messages,
                "instances": made.instances, "samples": made.samples, "records": made.records,
            });
            say(cli, answer, &words);
            Ok(())
        }
        SynthCommand::People { records, seed, out } => {
            let made = hospital::people(*records, *seed, out)?;
            let truth = out.with_extension("truth.csv");
            let words = format!(
                "{} records of {} people: {}\nTruth: {}",
                made.records,
                made.persons,
                out.display(),
                truth.display()
            );
            let answer =
                json!({ "out": out, "truth": truth, "records": made.records, "persons": made.persons });
            say(cli, answer, &words);
            Ok(())
        }
    }
}
