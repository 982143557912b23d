//! Files that are small on disk and large in memory, or that have no end: read in bounded memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_ingest::feed::{Entry, Feed, Rejected, Sink, SinkError, Source};
use chiasm_ingest::{Error, expression, maf, phenopacket, vcf};
use flate2::{Compression, write::GzEncoder};
use std::io::{BufWriter, Write};
use std::path::Path;

/// A sink that keeps nothing, as a store does once it has written.
#[derive(Default)]
struct Gone {
    rejected: usize,
}

impl Sink for Gone {
    fn entry(&mut self, _: Entry) -> Result<(), SinkError> {
        Ok(())
    }

    fn reject(&mut self, _: Rejected) -> Result<(), SinkError> {
        self.rejected += 1;
        Ok(())
    }
}

/// The most memory that this process ever had, in MiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() >> 10
}

/// Writes `head`, then `piece` until there are `bytes` of it.
fn write(to: impl Write, head: &str, piece: &str, bytes: usize) {
    let mut to = BufWriter::with_capacity(1 << 20, to);
    to.write_all(head.as_bytes()).unwrap();
    let many = piece.repeat((1 << 16) / piece.len());
    (0..bytes / many.len()).for_each(|_| to.write_all(many.as_bytes()).unwrap());
    to.flush().unwrap();
}

/// All readers on one file; each takes something, rejects something or says why not.
fn feed(what: &str, path: &Path) {
    let source = Source::file(path);
    type Read = fn(&Source, &Feed, &mut dyn Sink) -> Result<(), Error>;
    for (name, read, check) in [
        ("vcf", vcf::read as Read, vcf::check as fn(&Source) -> _),
        ("maf", maf::read, maf::check),
        ("expression", expression::read, expression::check),
        ("phenopacket", phenopacket::read, phenopacket::check),
    ] {
        let mut sink = Gone::default();
        let answer = read(&source, &Feed::utc("s"), &mut sink);
        assert!(matches!(answer, Ok(()) | Err(Error::TooLarge { .. })), "{answer:?}");
        let read = peak();
        let _ = check(&source);
        println!("{what} {name}: peak {read} MiB after read, {} after check", peak());
        assert!(peak() < 256, "{what}: the reader of {name} took {} MiB", peak());
    }
}

const VCF: &str = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
const MAF: &str = "Hugo_Symbol\tChromosome\tStart_Position\tTumor_Sample_Barcode\n";

// One test, so that the peak is of these files alone and one after the other.
#[test]
fn bombs_and_lines_of_100_megabytes_stay_under_256_mib() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile");
    let file = || std::fs::File::create(&path).unwrap();
    for (head, piece) in [
        ("", "\0"),
        (VCF, "A"),
        (VCF, "1\t1\t.\tA\tG\t.\t.\t.\t"),
        ("##fileformat=VCFv4.2\n#CHROM", "\tS"),
        (MAF, "TP53\t"),
        ("Hugo_Symbol", "\tC"),
        ("#1.2\n1\t1\nName\tDescription", "\tS"),
        ("gene\tS1\nTP53", "\t1"),
        ("{\"id\":\"a\",\"subject\":{\"id\":\"b\"},\"x\":[0", ",0"),
    ] {
        write(file(), head, piece, 100 << 20);
        feed(&format!("{head:?}, then {piece:?}"), &path);
    }
    // Many short lines, and JSON just below the limit.
    write(file(), "gene\tS1\tS2\n", "TP53\t1\t2\n", 20 << 20);
    feed("many genes", &path);
    write(file(), MAF, "TP53\t1\t1\tS\n", 20 << 20);
    feed("many variants", &path);
    write(file(), "{\"id\":\"a\",\"members\":[0", ",0", 7 << 20);
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"]}").unwrap();
    feed("JSON", &path);
    for (piece, mib) in [("\0", 128), ("\n", 16), ("TP53\t1\n", 16)] {
        write(GzEncoder::new(file(), Compression::fast()), "", piece, mib << 20);
        assert!(std::fs::metadata(&path).unwrap().len() < (mib as u64) << 16);
        feed(&format!("bomb of {piece:?}"), &path);
    }
}
