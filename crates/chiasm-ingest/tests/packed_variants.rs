//! VCF and BCF of the same data say the same, and altered files of either get an answer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "fixtures/bcf.rs"]
mod bcf;

use chiasm_ingest::feed::{Entry, Feed, Rejected, Source};
use chiasm_ingest::vcf;
use flate2::read::GzDecoder;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::io::Read;
use std::path::{Path, PathBuf};

const HEADER: &str = "##fileformat=VCFv4.2\n##fileDate=20240102\n##FILTER=<ID=q10,Description=\"q\">\n\
##INFO=<ID=AF,Number=A,Type=Float,Description=\"a\">\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"d\">\n\
##INFO=<ID=DB,Number=0,Type=Flag,Description=\"f\">\n##INFO=<ID=ANN,Number=.,Type=String,Description=\"a\">\n\
##INFO=<ID=END,Number=1,Type=Integer,Description=\"e\">\n##INFO=<ID=SVTYPE,Number=1,Type=String,Description=\"s\">\n\
##FORMAT=<ID=GT,Number=1,Type=String,Description=\"g\">\n##FORMAT=<ID=AD,Number=.,Type=Integer,Description=\"d\">\n\
##FORMAT=<ID=GP,Number=G,Type=Float,Description=\"p\">\n##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"p\">\n\
##FORMAT=<ID=FT,Number=1,Type=String,Description=\"f\">\n##ALT=<ID=DEL,Description=\"d\">\n\
##contig=<ID=1,length=1000>\n##contig=<ID=HLA-A,length=500>\n\
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2\tS3\n";

/// Records with and without faults; each begins at a place of its own.
const RECORDS: [&str; 22] = [
    ".\tA\tG\t50.25\tPASS\tAF=0.5;DP=300\tGT:AD:PL\t0/1:3,4:10,0,200\t1|1:0,70000:990,20,0\t0/0:5,0:0,9,90",
    "rs1;rs2\tA\tG,AT\t.\tq10\tAF=0.125,0.0625;DB\tGT:AD:GP\t0/2:3,4,1:.\t1|2:1,2,3:0,0,0,0,1,0\t./.:.:.",
    ".\tCAG\tC\t0.001\t.\t.\tGT\t1/1\t./.\t.",
    ".\tA\tT\t1\tPASS\tANN=T|missense_variant|MODERATE|TP53|ENSG1|transcript|ENST1|x|1/2|c.1A>T|p.K1%3D\tGT:FT\t1:PASS\t0|1:q10;s5\t0:.",
    ".\tN\t<DEL>\t0.000000003\tPASS\tEND=900;SVTYPE=DEL\tGT\t0/1\t1/1\t0/0",
    ".\tA\t.\t7.5\tPASS\tDP=0\tGT:AD\t0/0:9\t./.:.\t0:1",
    ".\tA\tC\t5\tPASS\tDP=-3\tGT:PL\t0/1:1,2\t0/3:1,2,3\t0/1:-5,.,3",
    ".\tA\tC\t5\tPASS\tAF=1.5\tGT:AD\t1/1:1,2,3\t1/1:-1\t0/1:.,4",
    ".\tA\tC\t-5\tq10;q10\tAF=0.5,0.25\tGT:GP\t0/1:0.5,2,0\t0/1:0.5,0.5\t1/1:0.5,0.5,-0.5",
    ".\tA\tC\t5\tPASS\tEND=1\tGT:PL\t0|0|1:1,2,3,4\t0/1/1:1,2,3\t1:1,2",
    ".\tA\tA\t5\tPASS;q10\tDP\tGT\t1/1\t0/0\t0/0",
    ".\tR\tC\t5\tPASS\tDB=1\tGT\t1/1\t0/0\t0/0",
    ".\tA\tX\t5\tPASS\tDP=1,2;DP=4\tGT\t1/1\t0/0\t0/0",
    "a b\tA\tC\t5\tPASS\tDP=5\tAD:GT\t1,2:0/1\t1,2:1/1\t3,4:0/0",
    ".\tA\tC\t5\tPASS\tANN=a b\tGT:GT\t0/1:0/1\t0/0:0/0\t0/0:1/1",
    ".\tA\tC\t5\tPASS\tDP=2.5;AF=x\tGT:AD\t0/1:x\t0/0:1.5\t1/1:1,2",
    ".\tA\tC\t5\tPASS\tANN=caf\u{e9}\tGT:FT\t0/1:caf\u{e9}\t0/0:.\t1/1:a b",
    ".\tA\tC\t5\tPASS\tDP=2147483647\tAD\t1\t2147483640\t-2147483640",
    ".\tA\tC\t5\tPASS\tSVTYPE=\"x\"\tGT\tx\t0/\t1/1",
    ".\tA\tAC,ACC,ACCC\t5\tPASS\tAF=0.1,0.2,0.3\tGT\t1/2/3\t3\t0|3",
    ".\ta\tg\t100000000\tPASS\tAF=0.00001\tGT:AD:GP\t1/0\t0/1:5\t1|0:5,6:1,0,0",
    ".\tA\t]HLA-A:5]T\t5\t.\t.\tGT\t0/1\t0/0\t1/1",
];

fn whole() -> String {
    let records = RECORDS.iter().enumerate().map(|(i, record)| format!("1\t{}\t{record}\n", 10 * i + 10));
    HEADER.to_owned() + &records.collect::<String>()
}

/// The file with a header line for each name that its records use: BCF cannot do without.
fn declared(text: &str) -> String {
    let mut more = String::new();
    let mut add = |kind: &str, names: &str, part: char, rest: &str| {
        for name in names
            .split(part)
            .map(|n| n.split('=').next().unwrap())
            .filter(|n| !matches!(*n, "." | "PASS" | ""))
        {
            let line = format!("##{kind}=<ID={name}");
            let known = |all: &str| {
                all.lines().any(|l| l.strip_prefix(&line).is_some_and(|l| l.starts_with([',', '>'])))
            };
            if !known(text) && !known(&more) {
                more += &format!("{line}{rest}>\n");
            }
        }
    };
    for record in text.lines().filter(|l| !l.starts_with('#')) {
        let columns: Vec<&str> = record.split('\t').collect();
        if columns.len() >= 8 {
            add("contig", columns[0], '\t', "");
            add("FILTER", columns[6], ';', ",Description=\"f\"");
            add("INFO", columns[7], ';', ",Number=.,Type=String,Description=\"i\"");
            add("FORMAT", columns.get(8).unwrap_or(&"."), ':', ",Number=.,Type=String,Description=\"f\"");
        }
    }
    text.replacen("#CHROM", &(more + "#CHROM"), 1)
}

/// What a file says, without what follows from its very bytes.
fn said(source: &Source) -> Vec<String> {
    let checked = vcf::check(source).unwrap();
    let mut all = vec![format!("{:?}", checked.contents)];
    all.extend(checked.faults.iter().map(|fault| format!("{fault:?}")));
    let mut got: (Vec<Entry>, Vec<Rejected>) = Default::default();
    vcf::read(source, &Feed::utc("site"), &mut got).unwrap();
    for entry in &got.0 {
        all.push(format!("{} {:?} {:?}", entry.place, entry.findings, entry.links));
        for mention in &entry.subjects {
            all.push(format!("{:?}", mention.identity));
            for event in &mention.events {
                let mut event = event.clone();
                event.asset = None;
                all.push(format!("{event:?}"));
            }
        }
    }
    all.extend(got.1.iter().map(|r| format!("{} {} {}", r.place, r.rule, r.message)));
    all
}

fn same(what: &str, text: &str) -> bool {
    let Some(packed) = bcf::packed(text) else { return false };
    assert_eq!(said(&Source::memory("a", text.to_owned())), said(&Source::memory("a", packed)), "{what}");
    true
}

#[test]
fn each_record_says_the_same_in_both_formats() {
    for (i, record) in RECORDS.iter().enumerate() {
        for version in ["4.1", "4.2", "4.3", "4.4"] {
            let text =
                format!("{HEADER}1\t{}\t{record}\n", i + 5).replace("VCFv4.2", &format!("VCFv{version}"));
            assert!(same(record, &text), "cannot be packed: {record}");
        }
    }
    assert!(same("all", &whole()));
    // Enough for two blocks and for all that is remembered from record to record.
    let many: String = (0..9000).map(|i| format!("1\t{}\t{}\n", i + 1, RECORDS[i % 8])).collect();
    assert!(same("many", &(HEADER.to_owned() + &many)));
    let bare = HEADER.replace("\tFORMAT\tS1\tS2\tS3", "");
    assert!(same("without samples", &(bare + "HLA-A\t7\t.\tA\tG,T\t.\tPASS\tAF=0.25,0.5\n")));
}

#[test]
fn text_that_a_line_would_part_elsewhere_is_read_as_that_line() {
    let text = format!("{HEADER}1\t5\t.\tA\tC\t5\tPASS\tANN=a-b\tGT:FT\t0/1:q-r\t0/0:.\t1/1:.\n");
    for (from, to) in [
        ("a-b", "a;b"),
        ("a-b", "a\tb"),
        ("a-b", "a\nb"),
        ("a-b", "a\u{1}b"),
        ("q-r", "q:r"),
        ("q-r", "q\tr"),
    ] {
        let mut packed = bcf::packed(&text).unwrap();
        let at = packed.windows(3).position(|w| w == from.as_bytes()).unwrap();
        packed[at..at + 3].copy_from_slice(to.as_bytes());
        let packed = said(&Source::memory("a", packed));
        if to.contains('\n') {
            // No line of VCF can stand for it.
            assert!(packed.iter().any(|said| said.contains("vcf.control")), "{packed:?}");
            continue;
        }
        assert_eq!(said(&Source::memory("a", text.replace(from, to))), packed, "{to:?}");
    }
}

#[test]
fn test_files_of_the_specification_say_the_same_in_both_formats() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let archive = std::env::var_os("CHIASM_DATA").map_or(beside, PathBuf::from);
    let archive = archive.join("conformance/vcf/vcf-4.1-4.2.tar.gz");
    let Ok(packed) = std::fs::File::open(&archive) else {
        return eprintln!(
            "SKIPPED: {} is not there; set CHIASM_DATA to the folder of data sets",
            archive.display()
        );
    };
    let mut compared = [0, 0];
    for entry in tar::Archive::new(GzDecoder::new(packed)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let mut text = String::new();
        if !path.ends_with(".vcf") || entry.read_to_string(&mut text).is_err() || !text.ends_with('\n') {
            continue;
        }
        let text = declared(&text);
        // Names that a broken header line should have given have no number.
        let checked = vcf::check(&Source::memory("a", text.clone())).unwrap();
        if !text.contains('\r') && !checked.faults.iter().any(|fault| fault.rule.starts_with("vcf.meta")) {
            compared[usize::from(path.contains("/passed/"))] += usize::from(same(&path, &text));
        }
    }
    println!("failed and passed files compared: {compared:?}");
    assert!(compared[0] >= 20 && compared[1] >= 16, "{compared:?}");
}

#[test]
fn altered_files_get_an_answer_in_bounded_memory() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let text = whole();
    for file in [bcf::packed(&text).unwrap(), text.into_bytes()] {
        for _ in 0..4000 {
            let mut bytes = file.clone();
            for _ in 0..1 + random.next_u32() % 4 {
                let at = random.next_u32() as usize % bytes.len();
                let value = random.next_u32() as u8;
                match random.next_u32() % 6 {
                    0 => bytes.truncate(at.max(8)),
                    1 => bytes.insert(at, value),
                    2 => drop(bytes.remove(at)),
                    3 => bytes[at] ^= 1 << (value % 8),
                    4 => bytes[at] = [0, 0x7f, 0x80, 0xff, b'\t', b';'][usize::from(value % 6)],
                    _ => bytes[at] = value,
                }
            }
            let source = Source::memory("a", bytes);
            let mut got: (Vec<Entry>, Vec<Rejected>) = Default::default();
            vcf::read(&source, &Feed::utc("site"), &mut got).unwrap();
            assert!(!got.0.is_empty() || !got.1.is_empty(), "nothing taken and nothing rejected");
            vcf::check(&source).unwrap();
        }
    }
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
        let peak = line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() >> 10;
        assert!(peak < 256, "{peak} MiB");
    }
}
