//! What the sequencer called: a VCF 4.2 file a sample, in BGZF blocks.
//!
//! # Source
//! VCF 4.2 and SAM 1.6 section 4.1 (BGZF), <https://samtools.github.io/hts-specs/>.

use super::calendar::System;
use super::case::{Case, LABEL};
use super::dice::{Dice, Part, scramble};
use super::disease::DRIVERS;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::Write;

/// Chromosomes with their lengths in GRCh38.
const CHROMOSOMES: [(&str, u32); 22] = [
    ("chr1", 248_956_422),
    ("chr2", 242_193_529),
    ("chr3", 198_295_559),
    ("chr4", 190_214_555),
    ("chr5", 181_538_259),
    ("chr6", 170_805_979),
    ("chr7", 159_345_973),
    ("chr8", 145_138_636),
    ("chr9", 138_394_717),
    ("chr10", 133_797_422),
    ("chr11", 135_086_622),
    ("chr12", 133_275_309),
    ("chr13", 114_364_328),
    ("chr14", 107_043_718),
    ("chr15", 101_991_189),
    ("chr16", 90_338_345),
    ("chr17", 83_257_441),
    ("chr18", 80_373_285),
    ("chr19", 58_617_616),
    ("chr20", 64_444_167),
    ("chr21", 46_709_983),
    ("chr22", 50_818_468),
];
/// Sites where people here differ, the same for everyone.
const SITES: u64 = 160;
/// Bytes of text in a BGZF block, as bgzip has it.
const BLOCK: usize = 0xff00;
/// The empty block that ends a BGZF file.
const END: [u8; 28] =
    [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 0x42, 0x43, 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The VCF text of a patient's tumour sample, written at the instant `at`.
pub(crate) fn text(case: &Case<'_>, at: i64) -> String {
    let mut dice = Dice::new(case.config.seed, case.person.index, Part::Genome);
    let date = case.clocks.at(System::Lis, at).dicom_date();
    let mut out = format!(
        "##fileformat=VCFv4.2\n##fileDate={date}\n##source={LABEL} (chiasm-synth)\n##reference=GRCh38\n"
    );
    for (name, length) in CHROMOSOMES {
        let _ = writeln!(out, "##contig=<ID={name},length={length},assembly=GRCh38>");
    }
    out.push_str(
        "##FILTER=<ID=PASS,Description=\"All filters passed\">\n\
         ##FILTER=<ID=low_af,Description=\"Allele fraction below 0.03\">\n\
         ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Read depth\">\n\
         ##INFO=<ID=GENE,Number=1,Type=String,Description=\"Gene symbol\">\n\
         ##INFO=<ID=SYNTHETIC,Number=0,Type=Flag,Description=\"No real person's variant\">\n\
         ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n\
         ##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"Reads of each allele\">\n\
         ##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"Read depth\">\n\
         ##FORMAT=<ID=AF,Number=A,Type=Float,Description=\"Allele fraction\">\n",
    );
    let _ = writeln!(out, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{}", case.sample('T'));
    let mut rows: Vec<(usize, u32, String)> = Vec::new();
    let mut row = |chromosome: &str,
                   at: u32,
                   bases: (&str, &str),
                   gene: &str,
                   fraction: f64,
                   genotype: &str,
                   dice: &mut Dice| {
        let place = CHROMOSOMES.iter().position(|(name, _)| *name == chromosome).unwrap_or_default();
        let depth = dice.whole(60, 400);
        let reads = (depth as f64 * fraction).round() as i64;
        let gene = if gene.is_empty() { String::new() } else { format!(";GENE={gene}") };
        let filter = if fraction < 0.03 { "low_af" } else { "PASS" };
        let quality = dice.whole(40, 900);
        rows.push((
            place,
            at,
            format!(
                "{chromosome}\t{at}\t.\t{}\t{}\t{quality}\t{filter}\tDP={depth}{gene};SYNTHETIC\tGT:AD:DP:AF\t{genotype}:{},{reads}:{depth}:{:.3}\n",
                bases.0, bases.1, depth - reads, reads as f64 / depth as f64
            ),
        ));
    };
    for site in 0..SITES {
        let mut of_site = Dice::new(case.config.seed, scramble(site, 77, 20), Part::Hospital);
        let (chromosome, length) = *of_site.pick(&CHROMOSOMES);
        let at = 10_000 + (of_site.unit() * f64::from(length - 20_000)) as u32;
        let bases = *of_site.pick(&[("A", "G"), ("C", "T"), ("G", "A"), ("T", "C"), ("C", "A"), ("GA", "G")]);
        let frequency = of_site.between(0.02, 0.5);
        let copies = usize::from(dice.chance(frequency)) + usize::from(dice.chance(frequency));
        let fraction = (copies as f64 / 2.0 + 0.03 * dice.normal()).clamp(0.05, 1.0);
        match copies {
            0 => {}
            1 => row(chromosome, at, bases, "", fraction.min(0.8), "0/1", &mut dice),
            _ => row(chromosome, at, bases, "", fraction, "1/1", &mut dice),
        }
    }
    for (i, fraction) in &case.disease.drivers {
        let d = &DRIVERS[*i];
        row(d.chromosome, d.position, (d.reference, d.alternate), d.gene, *fraction, "0/1", &mut dice);
    }
    rows.sort_by_key(|(place, at, _)| (*place, *at));
    rows.dedup_by_key(|(place, at, _)| (*place, *at));
    out.extend(rows.into_iter().map(|(_, _, line)| line));
    out
}

/// The bytes in BGZF: gzip members that each say how long they are.
///
/// # Errors
/// What the deflate encoder says.
pub(crate) fn bgzf(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for block in bytes.chunks(BLOCK) {
        let mut encoder = flate2::GzBuilder::new()
            .extra([b'B', b'C', 2, 0, 0, 0])
            .write(Vec::new(), Compression::default());
        GzEncoder::write_all(&mut encoder, block)?;
        let mut member = encoder.finish()?;
        // A block of 0xff00 bytes cannot deflate to more than 64 kB; the extra field ends at byte 18. The
        // operating system's byte is 255, as in the block that ends the file.
        let size = (member.len() - 1) as u16;
        member[9] = 0xff;
        member[16..18].copy_from_slice(&size.to_le_bytes());
        out.extend(member);
    }
    out.extend(END);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn blocks_say_how_long_they_are_and_read_back() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(|i| i.to_string().into_bytes()).collect();
        let packed = bgzf(&text).unwrap();
        let mut read = Vec::new();
        flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut read).unwrap();
        assert_eq!(read, text);
        let (mut at, mut blocks) = (0, 0);
        while at < packed.len() {
            assert_eq!(&packed[at..at + 4], [0x1f, 0x8b, 8, 4]);
            assert_eq!(&packed[at + 10..at + 16], [6, 0, b'B', b'C', 2, 0]);
            at += usize::from(u16::from_le_bytes([packed[at + 16], packed[at + 17]])) + 1;
            blocks += 1;
        }
        assert_eq!((at, blocks), (packed.len(), text.len().div_ceil(BLOCK) + 1));
    }
}
