//! Mutation Annotation Format of the GDC and TCGA: one somatic variant of one tumour sample a line.
//!
//! # Source
//! GDC MAF Format v1.0.0, <https://docs.gdc.cancer.gov/Data/File_Formats/MAF_Format/>.

use crate::Error;
use crate::asset::whole_file;
use crate::feed::{Checked, Entry, Feed, Rejected, Severity, Sink, Source};
use crate::lines::{LineEnd, Lines, unpacked_head};
use chiasm_linkage::{IdentifierKind, Identity};
use chiasm_record::{Code, Event, Modality, Times};
use std::collections::{BTreeMap, HashSet};

/// Rows of one block.
const ROWS: u64 = 4096;
/// Bytes of rows after which a block ends early.
const BYTES: usize = 8 << 20;
/// A longer line is rejected: a MAF has about 130 columns.
const LONGEST: usize = 1 << 20;
/// Faults that are told one by one.
const TOLD: usize = 100;
const NEEDED: [&str; 4] = ["Hugo_Symbol", "Chromosome", "Start_Position", "Tumor_Sample_Barcode"];

/// Whether a file that begins with `head` is MAF: its line of names has the columns that every MAF has.
pub fn recognises(head: &[u8], _name: &str) -> bool {
    let text = unpacked_head(head, 4096);
    let mut lines = text.split(|&b| b == b'\n').filter(|l| !l.starts_with(b"#"));
    let names = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let names: HashSet<&str> = names.trim_end().split('\t').collect();
    names.contains("Hugo_Symbol") && (names.contains("Tumor_Sample_Barcode") || names.contains("Chromosome"))
}

/// The patient's part of a TCGA barcode (`TCGA-02-0001-01A-...`: the first 12 characters), or all of it.
fn patient(barcode: &str) -> &str {
    let parts: Vec<&str> = barcode.split('-').collect();
    let tcga =
        matches!(parts[..], ["TCGA", site, participant, ..] if site.len() == 2 && participant.len() == 4);
    if tcga { barcode.get(..12).unwrap_or(barcode) } else { barcode }
}

/// A row, or the rule that it breaks.
fn row<'a>(text: &'a [u8], names: &[String]) -> Result<Vec<&'a str>, (&'static str, String)> {
    let text = std::str::from_utf8(text).map_err(|_| ("maf.utf8", "expected UTF-8".to_owned()))?;
    let found = text.bytes().filter(|&b| b == b'\t').count() + 1;
    if found != names.len() {
        return Err(("maf.columns", format!("expected {} columns, found {found}", names.len())));
    }
    let cells: Vec<&str> = text.split('\t').collect();
    let find = |name: &str| names.iter().position(|n| n == name).map_or("", |at| cells[at]);
    for name in NEEDED {
        if find(name).is_empty() {
            return Err(("maf.required", format!("expected a value in {name}")));
        }
    }
    match find("Start_Position").parse::<u64>() {
        Ok(_) => Ok(cells),
        Err(_) => Err(("maf.position", "expected a whole number in Start_Position".to_owned())),
    }
}

/// Goes through a file: `each` gets the number, the text and the cells of each row, or the rule it breaks.
fn rows(
    source: &Source,
    mut each: impl FnMut(u64, &[u8], &[String], Result<Vec<&str>, (&'static str, String)>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut lines = Lines::new(crate::lines::unpacked(source)?, &source.origin);
    let mut names: Option<Vec<String>> = None;
    let no_header = || Err(("maf.header", "expected a line of column names".to_owned()));
    loop {
        let number = lines.number + 1;
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) if names.is_none() => return each(number, &[], &[], no_header()),
            Ok(None) => return Ok(()),
            Err(error) => return each(number, &[], &[], Err(("maf.stream", error.to_string()))),
        };
        if line.text.is_empty() || (names.is_none() && line.text.starts_with(b"#")) {
            continue;
        }
        let long = line.end == LineEnd::TooLong || line.text.len() > LONGEST;
        match &names {
            None if long => return each(number, &[], &[], no_header()),
            None => {
                let text = String::from_utf8_lossy(line.text);
                let found: Vec<String> = text.split('\t').map(str::to_owned).collect();
                if let Some(missing) = NEEDED.iter().find(|n| !found.iter().any(|f| f == *n)) {
                    let broken = ("maf.header", format!("expected the column {missing}"));
                    return each(number, &[], &[], Err(broken));
                }
                names = Some(found);
            }
            Some(_) if long => {
                let broken = ("maf.line.length", "expected lines of at most 1 MiB".to_owned());
                each(number, &[], &[], Err(broken))?;
            }
            Some(names) => each(number, line.text, names, row(line.text, names))?,
        }
    }
}

/// Checks a file: its columns, the values that must be there, positions.
///
/// # Errors
/// [`Error::Io`] where it cannot be opened.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut checked = Checked::new("MAF", None);
    let (mut good, mut bad) = (0u64, 0usize);
    rows(source, |number, _, _, row| {
        match row {
            Ok(_) => good += 1,
            Err((rule, message)) => {
                bad += 1;
                if bad <= TOLD {
                    checked.fault(Severity::Error, rule, format!("line {number}"), message);
                }
            }
        }
        Ok(())
    })?;
    if bad > TOLD {
        checked.fault(Severity::Error, "maf.more", "", format!("{} more rows at fault", bad - TOLD));
    }
    checked.content("variants", good);
    checked.content("rows at fault", bad);
    Ok(checked)
}

/// Hands over the variants of `source`: for each block of 4,096 rows an entry for each tumour sample.
///
/// The code is `MAF|GENE:HGVSp`, or the place and bases where the protein does not change. The specimen is
/// the barcode; the subject is its first 12 characters where it is one of TCGA, else all of it.
///
/// # Errors
/// [`Error::Io`] where it cannot be opened, [`Error::Sink`] where the sink cannot keep an entry.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let failed = |e| Error::Sink { place: source.origin.clone(), source: e };
    let asset = whole_file(source, "text/x-maf")?;
    let key = blake3::Hasher::new().update(b"file").update(asset.id.bytes()).finalize();
    let mut file = Entry::of(*key.as_bytes(), "", None, Vec::new());
    file.assets.push(asset);
    sink.entry(file).map_err(failed)?;
    let mut block: BTreeMap<String, (blake3::Hasher, Vec<Event>)> = BTreeMap::new();
    let (mut count, mut size, mut first) = (0, 0, 0);
    rows(source, |number, text, names, row| {
        let cells = match row {
            Ok(cells) => cells,
            Err((rule, message)) => {
                let bytes = (!text.is_empty()).then(|| bytes::Bytes::copy_from_slice(text));
                let place = format!("line {number}");
                let rejected = Rejected { place, offset: None, rule: rule.to_owned(), message, bytes };
                return sink.reject(rejected).map_err(failed);
            }
        };
        let find = |name: &str| names.iter().position(|n| n == name).map_or("", |at| cells[at]);
        let barcode = find("Tumor_Sample_Barcode");
        let (hasher, events) = block.entry(barcode.to_owned()).or_default();
        hasher.update(&number.to_le_bytes()).update(text).update(b"\n");
        events.push(event(barcode, names, &cells));
        if count == 0 {
            first = number;
        }
        count += 1;
        size += text.len();
        if count == ROWS || size >= BYTES {
            (count, size) = (0, 0);
            flush(&mut block, &format!("lines {first}-{number}"), feed, sink).map_err(failed)?;
        }
        Ok(())
    })?;
    flush(&mut block, &format!("from line {first}"), feed, sink).map_err(failed)
}

fn flush(
    block: &mut BTreeMap<String, (blake3::Hasher, Vec<Event>)>,
    place: &str,
    feed: &Feed,
    sink: &mut dyn Sink,
) -> Result<(), crate::feed::SinkError> {
    for (barcode, (hasher, events)) in std::mem::take(block) {
        let authority = format!("{}|sample", feed.site);
        let identity = Identity::of_key(authority, patient(&barcode), IdentifierKind::Other);
        sink.entry(Entry::of(*hasher.finalize().as_bytes(), place, Some(identity), events))?;
    }
    Ok(())
}

fn event(barcode: &str, names: &[String], cells: &[&str]) -> Event {
    let find = |name: &str| names.iter().position(|n| n == name).map_or("", |at| cells[at]);
    let gene = find("Hugo_Symbol");
    let changes = [find("HGVSp_Short"), find("HGVSp")];
    let place = ["Chromosome", "Start_Position", "Reference_Allele", "Tumor_Seq_Allele2"].map(find).join(":");
    let change = changes.into_iter().find(|c| !c.is_empty() && *c != ".").unwrap_or(&place);
    let code = Code::new("MAF", &format!("{gene}:{change}"));
    let mut event = Event::new(Times::default(), code, Modality::new("genomics"));
    event.specimen = Some(barcode.to_owned());
    event.text = Some(find("Variant_Classification").to_owned()).filter(|t| !t.is_empty());
    event = event.with("place", Some(place.as_str()));
    for name in [
        "NCBI_Build",
        "End_Position",
        "Variant_Type",
        "HGVSc",
        "HGVSp",
        "Transcript_ID",
        "FILTER",
        "t_depth",
        "t_ref_count",
        "t_alt_count",
        "n_depth",
        "dbSNP_RS",
        "Matched_Norm_Sample_Barcode",
    ] {
        event = event.with(name, Some(find(name)));
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "#version 2.4\nHugo_Symbol\tChromosome\tStart_Position\tTumor_Sample_Barcode\tHGVSp_Short\n\
        TP53\tchr17\t7675088\tTCGA-02-0001-01A-01D\tp.R175H\nKRAS\tchr12\tx\tS1\tp.G12D\nBRAF\tchr7\t1\tS1\t\nA\tb\n";

    #[test]
    fn rows_become_events_of_the_patient_or_are_rejected() {
        assert!(recognises(TEXT.as_bytes(), "a.maf") && !recognises(b"a\tb\n", "a.maf"));
        let mut sink = (Vec::new(), Vec::new());
        read(&Source::memory("a.maf", TEXT), &Feed::utc("s"), &mut sink).unwrap();
        let keys: Vec<_> = sink.0[1..]
            .iter()
            .map(|e| e.subjects[0].identity.as_ref().unwrap().key().unwrap().value.as_str())
            .collect();
        assert_eq!(keys, ["S1", "TCGA-02-0001"]);
        let event = &sink.0[2].subjects[0].events[0];
        assert_eq!(
            (event.code.as_str(), event.specimen.as_deref()),
            ("MAF|TP53:p.R175H", Some("TCGA-02-0001-01A-01D"))
        );
        assert_eq!(
            sink.1.iter().map(|r| r.rule.as_str()).collect::<Vec<_>>(),
            ["maf.position", "maf.columns"]
        );
        let checked = check(&Source::memory("a.maf", TEXT)).unwrap();
        assert_eq!(checked.faults.iter().map(|f| f.place.as_str()).collect::<Vec<_>>(), ["line 4", "line 6"]);
    }

    #[test]
    fn only_tcga_barcodes_are_cut() {
        assert_eq!(patient("TCGA-02-0001-01A-01D-1490-08"), "TCGA-02-0001");
        assert_eq!(patient("MSK-P-0001-T01-IM3"), "MSK-P-0001-T01-IM3");
    }
}
