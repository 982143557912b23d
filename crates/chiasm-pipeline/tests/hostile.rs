//! A folder of hostile files, generated, as somebody may send them: the run reads all of it, keeps what is good, puts the
//! rest into quarantine with its rule, writes nothing outside the store, and needs little memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_pipeline::Silent;
use chiasm_pipeline::evidence::ingest::ingest;
use chiasm_pipeline::evidence::quarantine;
use chiasm_pipeline::evidence::site::IngestSite;
use chiasm_store::{Place, Store};
use flate2::{Compression, write::GzEncoder};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Seek, SeekFrom, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;

/// What stands in the file that nobody may read or change.
const SECRET: &str = "a letter that is nobody's business";
const GOOD: &str = "MSH|^~\\&|A|H|||20240101||ADT^A08|9|P|2.5\rPID|||7^^^H^MR\r";
const SITE: &str = "name = \"x\"\n[ingest]\n[[ingest.tables]]\nfile = \"*.csv\"\nsubject = { column = \"a\", authority = \"x\" }\n\
    [[ingest.tables.events]]\ncode = \"L|1\"\nmodality = \"labs\"\nvalue = \"b\"\n";

/// The most memory that this process ever had, in MiB.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() >> 10
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, SimpleFileOptions::default().compression_level(Some(9))).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content).unwrap();
    gzip.finish().unwrap()
}

/// A tar of one member with a header as it is given, also one that no honest program writes.
fn tarred(name: &str, kind: tar::EntryType, link: &str, claims: u64, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name.as_bytes());
    old.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_mode(0o644);
    header.set_size(claims);
    header.set_entry_type(kind);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().div_ceil(512) * 512 + 1024, 0);
    bytes
}

fn sparse(path: &Path, head: &str, tail: &str) {
    let mut file = File::create(path).unwrap();
    file.write_all(head.as_bytes()).unwrap();
    file.seek(SeekFrom::Current(300 << 20)).unwrap();
    file.write_all(tail.as_bytes()).unwrap();
}

/// The hostile files, and the rule under which each must be found.
fn fill(folder: &Path, victim: &Path) -> BTreeMap<&'static str, &'static str> {
    use tar::EntryType as E;
    let outside = format!("../../{}", victim.file_name().unwrap().to_string_lossy());
    let absolute = victim.join("made").to_string_lossy().into_owned();
    let zeros = vec![0; 300 << 20];
    let bomb = gzipped(&zeros);
    let inner = zipped(&[("a.csv", &zeros[..100 << 20])]);
    let mut onion = GOOD.as_bytes().to_vec();
    (0..12).for_each(|_| onion = gzipped(&onion));
    let mut link = zip::ZipWriter::new(Cursor::new(Vec::new()));
    link.add_symlink("a", victim.join("letter").to_string_lossy(), SimpleFileOptions::default()).unwrap();
    link.start_file("a/letter", SimpleFileOptions::default()).unwrap();
    link.write_all(b"through the link").unwrap();
    // A stored gzip member whose length field claims four gigabytes more than there is.
    let mut cut = gzipped(GOOD.as_bytes());
    let end = cut.len() - 4;
    cut[end..].copy_from_slice(&u32::MAX.to_le_bytes());
    let utf8 = "a,b\n1,\u{e9}\n".as_bytes();
    let cases: Vec<(&'static str, Vec<u8>, &'static str)> = vec![
        ("up.zip", zipped(&[(&format!("{outside}/made"), b"x")]), "file.outside"),
        ("absolute.zip", zipped(&[(&absolute, b"x")]), "file.outside"),
        ("backslash.zip", zipped(&[("..\\..\\made", b"x")]), "file.outside"),
        ("link.zip", link.finish().unwrap().into_inner(), "format.unknown"),
        ("bomb.zip", zipped(&[("a.csv", &zeros)]), "file.size"),
        ("bombs.zip", zipped(&[("1.zip", &inner), ("2.zip", &inner), ("3.zip", &inner), ("4.zip", &inner)]), "file.size"),
        ("bomb.csv.gz", bomb.clone(), "file.size"),
        ("bomb.tar.gz", gzipped(&tarred("a.csv", E::Regular, "", 300 << 20, &zeros)), "file.size"),
        ("onion.gz", onion, "file.layers"),
        ("length.hl7.gz", cut, "file.damaged"),
        ("up.tar", tarred(&format!("{outside}/made"), E::Regular, "", 1, b"x"), "file.outside"),
        ("absolute.tar", tarred("/etc/made-by-a-tar", E::Regular, "", 1, b"x"), "file.outside"),
        ("link.tar", tarred("l", E::Symlink, "/etc/passwd", 0, b""), ""),
        ("hard.tar", tarred("l", E::Link, "/etc/passwd", 0, b""), ""),
        ("device.tar", tarred("l", E::Char, "", 0, b""), ""),
        ("claims.tar", tarred("a.csv", E::Regular, "", 8 << 30, b"a,b\n1,2\n"), "file.damaged"),
        ("none.csv", b"".to_vec(), "file.empty"),
        ("latin.csv", [&utf8[..6], b"\xe9\n2,3\n"].concat(), ""),
        ("escape.hl7", [b"MSH|^~\\&|A|H|||2024||ADT^A08|1|P|2.5||||||~ISO IR87\rPID|||1||\x1b$B;3".as_slice(), b"\xff\xff\r"].concat(), ""),
        ("klingon.hl7", b"MSH|^~\\&|A|H|||2024||ADT^A08|1|P|2.5||||||KLINGON\rPID|||1||\xff\xfe\r".to_vec(), "hl7.charset"),
        ("utf16.json", "{\"resourceType\":\"Patient\"}".encode_utf16().flat_map(u16::to_le_bytes).collect(), "format.unknown"),
        ("utf8.ndjson", b"{\"resourceType\":\"Patient\",\"id\":\"\xff\"}\n{\"resourceType\":\"Patient\",\"id\":\"b\"}\n".to_vec(), "fhir.json"),
        ("deep.json", format!("{{\"resourceType\":\"X\",\"a\":{}", "[".repeat(100_000)).into_bytes(), "fhir.json"),
        ("signal.hea", format!("signal 1 100 10\n{outside}/letter 16\n").into_bytes(), "wfdb.outside"),
        ("header.vcf", b"##fileformat=VCFv4.2\n##assembly=file:///etc/passwd\n##pedigreeDB=<../../etc/passwd>\n##contig=<ID=1,URL=file:///etc/passwd>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t5\t.\tA\tC\t.\tPASS\t.\n".to_vec(), ""),
        ("laughs.xml", b"<!DOCTYPE p [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Patient xmlns=\"http://hl7.org/fhir\"><id value=\"&a;\"/></Patient>".to_vec(), "format.unknown"),
    ];
    let mut expected = BTreeMap::new();
    for (name, content, rule) in cases {
        fs::write(folder.join(name), content).unwrap();
        expected.insert(name, rule);
    }
    for (name, head, tail, rule) in [
        ("line.csv", "a,b\n1,", "\n1,2\n", "table.row"),
        ("line.hl7", "MSH|^~\\&|", GOOD, "hl7.length"),
        ("line.ndjson", "{\"resourceType\":\"Patient\",\"x\":\"", "\"}\n", "fhir.size"),
        ("zeros.bin", "", "", "format.unknown"),
    ] {
        sparse(&folder.join(name), head, tail);
        expected.insert(name, rule);
    }
    std::os::unix::fs::symlink(victim.join("letter"), folder.join("letter.csv")).unwrap();
    std::os::unix::fs::symlink(victim, folder.join("victim")).unwrap();
    fs::write(folder.join("zz-good.hl7"), GOOD).unwrap();
    expected
}

fn below(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            below(&path, files);
        } else {
            files.push(path.to_string_lossy().into_owned());
        }
    }
    files.sort();
}

#[test]
fn hostile_files_cost_only_themselves() {
    let around = tempfile::tempdir().unwrap();
    let [folder, victim, stored] = ["hostile", "victim", "store"].map(|name| around.path().join(name));
    fs::create_dir(&folder).unwrap();
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("letter"), SECRET).unwrap();
    let expected = fill(&folder, &victim);
    let mut before = Vec::new();
    below(&folder, &mut before);
    // What made the files needed memory too; from here on the peak is counted anew.
    fs::write("/proc/self/clear_refs", "5").unwrap();

    let site = IngestSite::parse(SITE, "site.toml").unwrap();
    let mut store = Store::create(Place::Folder(stored.clone()), [1; 32]).unwrap();
    let done = ingest(std::slice::from_ref(&folder), &site, &mut store, &Silent).unwrap();
    let peak = peak();
    println!("{:?}; {peak} MiB", done.totals);
    assert!(peak < 256, "{peak} MiB");

    // What broke is there, by its rule; what is good beside it was read.
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in quarantine::open(&store).unwrap() {
        let file = row.origin.strip_prefix(&*folder.to_string_lossy()).unwrap().trim_start_matches('/');
        let file = file.split('!').next().unwrap().to_owned();
        found.entry(file).or_default().push(row.rule);
    }
    for (name, rule) in &expected {
        let rules = found.remove(*name).unwrap_or_default();
        match rule.is_empty() {
            true => assert_eq!(rules, [""; 0], "{name}"),
            false => assert!(rules.iter().any(|r| r.starts_with(rule)), "{name}: {rules:?}, expected {rule}"),
        }
    }
    assert!(found.is_empty(), "{found:?}");
    let id = store.record("H", "7");
    assert_eq!(store.events(&[id]).unwrap().len(), 1, "the good message at the end");

    // Nothing outside was written, and nothing of outside was read.
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(victim.join("letter")).unwrap(), SECRET);
    assert!(!Path::new("/etc/made-by-a-tar").exists());
    let mut after = Vec::new();
    below(&folder, &mut after);
    assert_eq!(before, after);
    assert_eq!(fs::read_dir(around.path()).unwrap().count(), 3);
    assert_eq!(fs::read_dir(stored.join("tmp")).unwrap().count(), 0, "what was unpacked is removed");
    let mut kept = Vec::new();
    below(&stored, &mut kept);
    for file in kept {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes()), "{file}");
        assert!(!bytes.windows(8).any(|w| w == b"root:x:0"), "{file}");
    }
}
