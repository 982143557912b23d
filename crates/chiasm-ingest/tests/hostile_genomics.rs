//! Variants, matrices and phenopackets that are altered: an answer, never a panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_ingest::feed::{Entry, Feed, Rejected, Sink, Source};
use chiasm_ingest::{Error, expression, maf, phenopacket, vcf};
use proptest::prelude::*;
use std::collections::HashSet;

const VCF: &[u8] = b"##fileformat=VCFv4.3\n##fileDate=20240102\n\
##INFO=<ID=AF,Number=A,Type=Float,Description=\"a\">\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"g\">\n\
##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"d\">\n##contig=<ID=1,length=1000>\n\
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2\n\
1\t10\trs1\tA\tG,AT\t50\tPASS\tAF=0.5,0.1\tGT:AD\t0/1:3,4,0\t1|2:1,2,3\n1\t20\t.\tCAG\tC\t.\t.\t.\tGT\t1/1\t./.\n";
const MAF: &[u8] =
    b"#version 2.4\nHugo_Symbol\tChromosome\tStart_Position\tTumor_Sample_Barcode\tHGVSp_Short\n\
TP53\tchr17\t7675088\tTCGA-02-0001-01A-01D\tp.R175H\nKRAS\tchr12\t25245350\tS1\tp.G12D\n";
const GCT2: &[u8] = b"#1.2\n2\t2\nName\tDescription\tS1\tS2\nTP53\tx\t1.5\t-2\nKRAS\tna\tNA\t1e3\n";
const GCT3: &[u8] =
    b"#1.3\n2\t2\t1\t2\nid\tpr_gene_symbol\tS1\tS2\nage\tna\t44\t-666\ntissue\tna\tlung\tliver\n\
7157\tTP53\t1\t2\n3845\tKRAS\t3\tNaN\n";
const TSV: &[u8] = b"gene_id\tS1\tS2\nENSG00000141510.17\t1\t2\nENSG00000133703\t0\t\n";
const CASE: &[u8] = br#"{"id": "c", "subject": {"id": "P1", "sex": "FEMALE", "dateOfBirth": "1990-02-03T00:00:00Z",
 "timeAtLastEncounter": {"age": {"iso8601duration": "P30Y"}}, "vitalStatus": {"status": "ALIVE"}},
 "phenotypicFeatures": [{"type": {"id": "HP:0001250", "label": "Seizure"}, "onset": {"gestationalAge": {"weeks": 3}}}],
 "measurements": [{"assay": {"id": "LOINC:1", "label": "x"}, "value": {"quantity": {"value": 1e400, "unit": {"id": "U:1"}}}}],
 "biosamples": [{"id": "b", "sampledTissue": {"id": "UBERON:1", "label": "t"}}],
 "interpretations": [{"id": "i", "progressStatus": "SOLVED", "diagnosis": {"disease": {"id": "OMIM:1", "label": "d"},
  "genomicInterpretations": [{"subjectOrBiosampleId": "b", "interpretationStatus": "CAUSATIVE",
   "variantInterpretation": {"variationDescriptor": {"vcfRecord": {"chrom": "1", "pos": "5", "ref": "A", "alt": "G"}}}}]}}],
 "metaData": {"created": "2024-01-02T03:04:05Z", "createdBy": "x", "phenopacketSchemaVersion": "2.0", "resources": []}}"#;

type Read = fn(&Source, &Feed, &mut dyn Sink) -> Result<(), Error>;

/// Every reader on the same bytes. Whatever they answer, they must answer; no entry stands twice.
fn feed(bytes: &[u8]) {
    let source = Source::memory("a", bytes.to_vec());
    let site = Feed::utc("site");
    for read in [vcf::read as Read, maf::read, expression::read, phenopacket::read] {
        let mut sink: (Vec<Entry>, Vec<Rejected>) = Default::default();
        let _ = read(&source, &site, &mut sink);
        assert!(!sink.0.is_empty() || !sink.1.is_empty(), "nothing taken and nothing rejected");
    }
    for check in [vcf::check, maf::check, expression::check, phenopacket::check] {
        let _ = check(&source);
    }
    for recognises in [vcf::recognises, maf::recognises, expression::recognises, phenopacket::recognises] {
        recognises(bytes, "a.tsv");
    }
}

/// One change: where (as a part of the length), how much, and what.
fn alter(bytes: &mut Vec<u8>, (kind, at, length, value): (u8, f64, usize, u8)) {
    let at = ((bytes.len() as f64 * at) as usize).min(bytes.len());
    let end = (at + length).min(bytes.len());
    match kind {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, value),
        2 => drop(bytes.drain(at..end)),
        3 => {
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        4 => bytes[at..end].fill(value),
        // What means something to one of the formats.
        _ => {
            let words = [
                "\t",
                "\n",
                "#",
                "-",
                ":",
                "/",
                ",",
                "[",
                "{",
                "9999999999999999999",
                "1e999",
                "\u{feff}",
                ";=<>\"",
            ];
            let word = words[usize::from(value) % words.len()];
            bytes.splice(at..end.min(at + 1), word.bytes());
        }
    }
}

#[test]
fn whole_files_are_taken_by_their_own_reader() {
    assert!(vcf::check(&Source::memory("a", VCF)).unwrap().is_valid());
    assert!(maf::check(&Source::memory("a", MAF)).unwrap().is_valid());
    assert!(phenopacket::recognises(CASE, "a"));
    for matrix in [GCT2, GCT3, TSV] {
        assert!(expression::check(&Source::memory("a", matrix)).unwrap().is_valid());
        assert!(expression::recognises(matrix, "a"));
    }
    for (file, taken) in [(VCF, 0), (MAF, 1), (GCT2, 2), (GCT3, 2), (TSV, 2), (CASE, 3)] {
        let said = [vcf::recognises, maf::recognises, expression::recognises, phenopacket::recognises];
        let said: Vec<usize> = (0..4).filter(|&i| said[i](file, "a")).collect();
        assert_eq!(said, [taken]);
    }
}

#[test]
fn entries_of_one_file_have_keys_of_their_own_and_the_same_each_time() {
    for (file, read) in [(VCF, vcf::read as Read), (MAF, maf::read), (GCT3, expression::read)] {
        let keys = || {
            let mut entries: Vec<Entry> = Vec::new();
            read(&Source::memory("a", file), &Feed::utc("s"), &mut entries).unwrap();
            entries.into_iter().map(|e| e.key).collect::<Vec<_>>()
        };
        let first = keys();
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), first.len());
        assert_eq!(first, keys());
    }
}

#[test]
fn files_cut_anywhere_get_an_answer() {
    for file in [VCF, MAF, GCT2, GCT3, TSV, CASE] {
        (0..file.len()).for_each(|cut| feed(&file[..cut]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn altered_files_get_an_answer(
        which in 0..6usize,
        changes in prop::collection::vec((0..6u8, 0.0..1.0f64, 0..40usize, any::<u8>()), 1..6),
    ) {
        let mut bytes = [VCF, MAF, GCT2, GCT3, TSV, CASE][which].to_vec();
        for change in changes {
            alter(&mut bytes, change);
        }
        feed(&bytes);
    }
}
