//! Lines, messages and values without end, larger than all memory that is allowed: the feeds' readers stay under 256 MiB and go on.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_ingest::Error;
use chiasm_ingest::feed::{Entry, Feed, Rejected, Sink, SinkError, SiteFeed, Source, tabular};
use chiasm_ingest::{fhir, hl7, vcf};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// How long the hostile part is, in bytes.
const LONG: u64 = 300 << 20;

/// Keeps only the rules that were broken, as a store keeps what is small.
#[derive(Default)]
struct Rules {
    entries: usize,
    rules: Vec<String>,
}

impl Sink for Rules {
    fn entry(&mut self, _: Entry) -> Result<(), SinkError> {
        self.entries += 1;
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) -> Result<(), SinkError> {
        assert!(rejected.bytes.is_none_or(|b| b.len() <= 32 << 20));
        self.rules.push(rejected.rule);
        Ok(())
    }
}

/// The most memory that this process ever had, in MiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() >> 10
}

/// A file that begins with `head`, has [`LONG`] zeros that lie nowhere on the disk, and ends with `tail`.
fn sparse(path: &Path, head: &str, tail: &str) -> Source {
    let mut file = File::create(path).unwrap();
    file.write_all(head.as_bytes()).unwrap();
    file.seek(SeekFrom::Current(LONG as i64)).unwrap();
    file.write_all(tail.as_bytes()).unwrap();
    Source::file(path)
}

type Read<'a> = &'a dyn Fn(&Source, &mut dyn Sink) -> Result<(), Error>;

// One test, so that the peak is of these files alone and one after the other.
#[test]
fn what_has_no_end_is_passed_over_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile");
    let site: SiteFeed = toml::from_str(
        "[[tables]]\nfile = \"*\"\nsubject = { column = \"a\", authority = \"x\" }\n\
         [[tables.events]]\ncode = \"L|1\"\nmodality = \"labs\"\nvalue = \"b\"\n",
    )
    .unwrap();
    let feed = Feed::utc("site");
    let table: Read = &|source, sink| tabular::read(source, &site.tables[0], &feed, sink);
    let messages: Read = &|source, sink| hl7::read(source, &feed, sink);
    let resources: Read = &|source, sink| fhir::read(source, &feed, sink);
    let variants: Read = &|source, sink| vcf::read(source, &feed, sink);
    let good = "MSH|^~\\&|A|H|||20240101||ADT^A08|9|P|2.5\rPID|||7^^^H^MR\r";
    let patient = "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n";
    let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t5\t.\t";
    let cases: [(&str, Read, String, String, usize, &str); 9] = [
        ("a cell", table, "a,b\n1,".into(), "\n1,2\n".into(), 1, "table.row"),
        ("a quoted cell", table, "a,b\n1,\"".into(), "\"\n1,2\n".into(), 1, "table.row"),
        ("a name of a column", table, "a,".into(), ",b\n1,2\n".into(), 0, ""),
        ("a segment", messages, "MSH|^~\\&|".into(), format!("\r{good}"), 1, "hl7.length"),
        ("no message", messages, "MSH".into(), format!("\r{good}"), 1, "hl7.msh"),
        (
            "a line",
            resources,
            format!("{patient}{{\"resourceType\":\""),
            format!("\"}}\n{patient}"),
            2,
            "fhir.size",
        ),
        (
            "a text in a Bundle",
            resources,
            "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"x\":\"".into(),
            format!("\"}},{{\"resource\":{}}}]}}", patient.trim()),
            1,
            "fhir.size",
        ),
        ("blanks", resources, "[".into(), "{".into(), 0, "fhir.size"),
        ("a record", variants, head.into(), "\n1\t6\t.\tA\tC\t.\tPASS\t.\n".into(), 2, "vcf.line"),
    ];
    for (what, read, head, tail, entries, rule) in cases {
        let source = sparse(&path, &head, &tail);
        let mut sink = Rules::default();
        let answer = read(&source, &mut sink);
        println!("{what}: {answer:?}, {} entries, {:?}, peak {} MiB", sink.entries, sink.rules, peak());
        assert!(peak() < 256, "{what}: {} MiB", peak());
        if rule.is_empty() {
            assert!(matches!(answer, Err(Error::Damaged { .. })), "{what}: {answer:?}");
            continue;
        }
        assert!(answer.is_ok(), "{what}: {answer:?}");
        assert!(sink.rules.iter().any(|r| r.starts_with(rule)), "{what}: {:?}", sink.rules);
        assert_eq!(sink.entries, entries, "{what}");
    }
    nested(&path, resources);
    entities(&path);
}

/// JSON 100,000 deep, closed or not.
fn nested(path: &Path, read: Read<'_>) {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for deep in [100_000, 10_000_000] {
            let inner = open.repeat(deep) + "0" + &close.repeat(deep);
            for text in [format!("{{\"resourceType\":\"X\",\"a\":{inner}}}"), open.repeat(deep)] {
                std::fs::write(path, text).unwrap();
                let mut sink = Rules::default();
                read(&Source::file(path), &mut sink).unwrap();
                assert!(sink.entries == 0 && !sink.rules.is_empty(), "{:?}", sink.rules);
            }
        }
        assert!(peak() < 256, "nested {open:?}: {} MiB", peak());
    }
}

/// XML that says little and means much, or means another file.
fn entities(path: &Path) {
    let levels: String =
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let laughs = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE p [<!ENTITY l0 \"ha\">{levels}]>\
         <Patient xmlns=\"http://hl7.org/fhir\"><id value=\"&l9;\"/></Patient>"
    );
    let outside = "<?xml version=\"1.0\"?><!DOCTYPE p [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\
         <Patient xmlns=\"http://hl7.org/fhir\"><id value=\"&x;\"/></Patient>";
    for text in [laughs.as_str(), outside] {
        std::fs::write(path, text).unwrap();
        let checked = fhir::check(&Source::file(path));
        assert!(checked.as_ref().is_err() || !checked.as_ref().unwrap().is_valid(), "{checked:?}");
        assert!(!format!("{checked:?}").contains("root:"), "another file was read");
        assert!(peak() < 256, "entities: {} MiB", peak());
    }
}
