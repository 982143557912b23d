//! DICOM files that are wrong on purpose, cut and altered: an answer, never a panic, nothing outside.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "fixtures/part10.rs"]
mod part10;

use chiasm_ingest::dicom::{self, pixels};
use chiasm_ingest::feed::{Entry, Feed, Rejected, Source};
use part10::*;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::path::{Path, PathBuf};

fn read(source: &Source) -> (Vec<Entry>, Vec<Rejected>) {
    let mut found = (Vec::new(), Vec::new());
    dicom::read(source, &Feed::utc("site"), &mut found).unwrap();
    assert_eq!(found.0.len() + found.1.len(), 1, "taken or rejected, one of them");
    found
}

/// The entry of a file that is taken, and its findings.
fn taken(bytes: &[u8]) -> (Entry, String) {
    let (mut entries, rejected) = read(&Source::memory("f", bytes.to_vec()));
    assert!(rejected.is_empty(), "{rejected:?}");
    let entry = entries.remove(0);
    let findings = entry.findings.iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join("; ");
    (entry, findings)
}

/// The rule by which a file is rejected.
fn refused(bytes: &[u8]) -> String {
    let (entries, mut rejected) = read(&Source::memory("f", bytes.to_vec()));
    assert!(entries.is_empty());
    rejected.remove(0).rule
}

/// The rules that `check` says a file breaks.
fn rules(bytes: &[u8]) -> Vec<String> {
    let checked = dicom::check(&Source::memory("f", bytes.to_vec())).unwrap();
    checked.faults.into_iter().map(|f| f.rule).collect()
}

/// Everything there is to ask of a file; whatever it answers, it must answer.
fn feed(source: &Source) {
    let _ = dicom::recognises(&source.head(1 << 16).unwrap(), &source.origin);
    let mut found: (Vec<Entry>, Vec<Rejected>) = Default::default();
    dicom::read(source, &Feed::utc("site"), &mut found).unwrap();
    dicom::check(source).unwrap();
    let _ = dicom::directory(source);
    let Ok(data) = dicom::open(source) else { return };
    let _ = pixels::palette(&data).map(|p| [i64::MIN, -1, 0, i64::MAX].map(|v| p.color(v)));
    for frame in [0, 1, u32::MAX] {
        let _ = dicom::frame(&data, frame);
    }
    for element in data.elements() {
        let _ = (data.text(element), data.numbers(element));
    }
}

#[test]
fn a_good_file_is_taken_whole() {
    let good = file(EXPLICIT, &image("1", 2, 2, 8, &element(0x7fe0_0010, "OB", &[1, 2, 3, 4])));
    let (entry, findings) = taken(&good);
    assert_eq!((findings.as_str(), entry.events()), ("", 1));
    assert_eq!(rules(&good), Vec::<String>::new());
}

#[test]
fn lengths_of_4_gb_are_cut_to_what_is_there() {
    let most = u32::MAX - 1;
    let head = subject();
    let cases = [
        claims(0x0028_4000, "UT", most, b"text"),
        claims(0x0040_a730, "SQ", most, &item(&text(0x0040_a160, "UT", "x"))),
        claims(0x0040_a730, "SQ", UNDEFINED, &implicit(0xfffe_e000, most, &text(0x0040_a160, "UT", "x"))),
        claims(0x7fe0_0010, "OW", most, &[0; 8]),
        claims(0x7fe0_0010, "OB", UNDEFINED, &implicit(0xfffe_e000, most, &[0; 8])),
        claims(0x7fe0_0010, "OB", UNDEFINED, b"neither item nor fragment"),
        claims(0x0009_0010, "ZZ", 0xfffe, b"x"),
    ];
    for (n, case) in cases.iter().enumerate() {
        let bytes = file(EXPLICIT, &[&head[..], case].concat());
        let (entry, findings) = taken(&bytes);
        assert!(findings.contains("length"), "case {n}: {findings}");
        assert!(rules(&bytes).iter().any(|r| r == "dicom.length"), "case {n}");
        assert_eq!(entry.events(), 1, "case {n}");
        feed(&Source::memory("f", bytes));
    }
    // Implicit, where every length is of 32 bits.
    let bytes = file(IMPLICIT, &implicit(0x0008_0018, 4, b"2.25"));
    let bytes = [bytes, implicit(0x0010_0010, most, b"Made^Up")].concat();
    assert!(taken(&bytes).1.contains("length"));
}

#[test]
fn nesting_is_read_to_a_thousand_and_refused_beyond_all_measure() {
    let nested = |depth: usize, defined: bool| {
        let mut bytes = text(0x0040_a160, "UT", "innermost");
        for _ in 0..depth {
            bytes = match defined {
                true => sequence(0x0040_a730, &[bytes]),
                false => [
                    claims(0x0040_a730, "SQ", UNDEFINED, &implicit(0xfffe_e000, UNDEFINED, &bytes)),
                    implicit(0xfffe_e00d, 0, &[]),
                    implicit(0xfffe_e0dd, 0, &[]),
                ]
                .concat(),
            };
        }
        file(EXPLICIT, &[subject(), bytes].concat())
    };
    for defined in [true, false] {
        let bytes = nested(1000, defined);
        assert_eq!(taken(&bytes).1, "", "{defined}");
        let data = dicom::open(&Source::memory("f", bytes.clone())).unwrap();
        assert_eq!(data.elements().iter().map(|e| e.depth).max(), Some(2000));
        feed(&Source::memory("f", bytes));
    }
    assert_eq!(refused(&nested(5000, false)), "dicom.depth");
    // Openings alone, none of them closed.
    let open = claims(0x0040_a730, "SQ", UNDEFINED, &implicit(0xfffe_e000, UNDEFINED, &[]));
    assert_eq!(refused(&file(EXPLICIT, &open.repeat(100_000))), "dicom.depth");
}

#[test]
fn a_dicomdir_opens_nothing_outside_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("media");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(folder.path().join("SECRET"), b"x").unwrap();
    std::fs::write(inner.join("HERE"), b"x").unwrap();
    std::os::unix::fs::symlink(folder.path().join("SECRET"), inner.join("LINK")).unwrap();
    std::os::unix::fs::symlink(folder.path(), inner.join("UP")).unwrap();
    let names = [
        "HERE",
        "..\\SECRET",
        "LINK",
        "UP\\SECRET",
        "/etc/passwd",
        "\\etc\\passwd",
        ".",
        "NONE",
        "A\\..\\..\\SECRET",
    ];
    let records: Vec<Vec<u8>> = names
        .iter()
        .map(|n| [text(0x0004_1430, "CS", "IMAGE"), text(0x0004_1500, "CS", n)].concat())
        .collect();
    let bytes = file(EXPLICIT, &[text(0x0004_1130, "CS", "X"), sequence(0x0004_1220, &records)].concat());
    let path = inner.join("DICOMDIR");
    std::fs::write(&path, &bytes).unwrap();
    let (entries, _) = read(&Source::file(&path));
    assert!(entries[0].subjects.is_empty() && entries[0].assets.len() == 1);
    let count = |what: &str| {
        entries[0].findings.iter().filter(|f| f.message.contains(what)).map(|f| f.count).sum::<usize>()
    };
    assert_eq!((count("lead out"), count("not there")), (6, 1), "{:?}", entries[0].findings);
    let checked = dicom::check(&Source::file(&path)).unwrap();
    assert!(checked.faults.iter().any(|f| f.rule == "dicom.directory" && f.message.contains("lead out")));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    feed(&Source::file(&path));
}

#[test]
fn representations_that_the_standard_does_not_know_are_read_over() {
    for vr in ["ZZ", "XX", "us", "??", "\0\0", "\u{7f}A"] {
        let odd = claims(0x0010_1010, vr, 4, b"034Y");
        let bytes = file(EXPLICIT, &[subject(), odd].concat());
        let (entry, findings) = taken(&bytes);
        assert!(!findings.is_empty(), "{vr}");
        assert_eq!(entry.subjects[0].identity.as_ref().unwrap().key().unwrap().value, "P-1", "{vr}");
        assert!(!rules(&bytes).is_empty(), "{vr}");
        feed(&Source::memory("f", bytes));
    }
    // A name where a number belongs, a number where a sequence does.
    let wrong = [text(0x0028_0010, "PN", "ten"), element(0x0040_a730, "FD", &[0xff; 8])].concat();
    let bytes = file(EXPLICIT, &[subject(), wrong].concat());
    assert_eq!(rules(&bytes).iter().filter(|r| *r == "dicom.vr").count(), 2);
    feed(&Source::memory("f", bytes));
}

#[test]
fn palettes_and_tables_that_overflow_are_none() {
    let descriptor = |count: u16, first: u16, bits: u16| {
        let value = [count.to_le_bytes(), first.to_le_bytes(), bits.to_le_bytes()].concat();
        [0x0028_1101, 0x0028_1102, 0x0028_1103].map(|t| element(t, "US", &value)).concat()
    };
    let tables = |from: u32, words: &[u16]| {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        [from, from + 1, from + 2].map(|t| element(t, "OW", &bytes)).concat()
    };
    let whole = |descriptor: Vec<u8>, tables: Vec<u8>| {
        let head = image("1", 2, 2, 8, &[descriptor, tables].concat());
        file(EXPLICIT, &[head, element(0x7fe0_0010, "OB", &[0, 1, 254, 255])].concat())
    };
    let palette = |bytes: Vec<u8>| {
        feed(&Source::memory("f", bytes.clone()));
        pixels::palette(&dicom::open(&Source::memory("f", bytes)).unwrap())
    };
    let good = palette(whole(descriptor(4, 0xfffe, 16), tables(0x0028_1201, &[1, 2, 3, 4]))).unwrap();
    assert_eq!(good.entries.len(), 4);
    assert_eq!([0, 65_535, 1 << 40].map(|v| good.color(v)[0]), [1, 2, 4]);
    for (count, words) in [(5, &[1, 2, 3, 4][..]), (0, &[1, 2]), (65_535, &[]), (300, &[7; 299])] {
        assert_eq!(palette(whole(descriptor(count, 0, 16), tables(0x0028_1201, words))), None, "{count}");
    }
    let segmented: [&[u16]; 8] = [
        &[],
        &[0],
        &[0, 65_535, 1],
        &[1, 4, 60],
        &[0, 1, 5, 2, 65_535, 0, 0],
        &[0, 1, 5, 2, 1, 65_535, 65_535],
        &[0, 0, 0, 0],
        &[9, 9, 9],
    ];
    for words in segmented {
        assert_eq!(palette(whole(descriptor(0, 0, 16), tables(0x0028_1221, words))), None, "{words:?}");
    }
    // Look-up tables of a modality: shorter than they say, or of no bits.
    for (value, data) in [([9, 0, 16], &[0; 4][..]), ([1, 0, 99], &[0; 2]), ([0, 0, 16], &[0; 6])] {
        let value: Vec<u8> = value.iter().flat_map(|v: &u16| v.to_le_bytes()).collect();
        let table = [element(0x0028_3002, "US", &value), element(0x0028_3006, "OW", data)].concat();
        let bytes = file(EXPLICIT, &[subject(), sequence(0x0028_3000, &[table])].concat());
        assert!(rules(&bytes).iter().any(|r| r == "dicom.lut"));
    }
}

#[test]
fn wrong_character_sets_cost_characters_and_no_more() {
    let cases: [(&str, &[u8]); 9] = [
        ("ISO_IR 192", b"\xff\xfe^\xc3"),
        ("", b"M\xfcller"),
        ("\\ISO 2022 IR 87", b"Yamada=\x1b$B;3ED"),
        ("\\ISO 2022 IR 87", b"Yamada=\x1b$B;3E"),
        ("\\ISO 2022 IR 87", b"Yamada=\x1b"),
        ("\\ISO 2022 IR 149", b"Hong=\x1b$)C\xfb"),
        ("ISO 2022 IR 6\\ISO 2022 IR 999", b"Plain^Name"),
        ("GB18030\\ISO_IR 192\\\\\\", b"\x81\x30\x81"),
        ("latin one", b"M\xfcller"),
    ];
    for (term, name) in cases {
        let body =
            [text(0x0008_0005, "CS", term), element(0x0010_0010, "PN", name), text(0x0010_0020, "LO", "P-1")];
        let bytes = file(EXPLICIT, &body.concat());
        let (entry, _) = taken(&bytes);
        let identity = entry.subjects[0].identity.as_ref().unwrap();
        assert_eq!(identity.key().unwrap().value, "P-1");
        let doubt = |r: &String| r == "dicom.charset" || r == "dicom.charset.unknown";
        let whole = term == "\\ISO 2022 IR 87" && name.ends_with(b"ED");
        assert_eq!(rules(&bytes).iter().any(doubt), !whole, "{term}");
        feed(&Source::memory("f", bytes));
    }
}

#[test]
fn bombs_in_deflated_data_sets_stop_at_the_limit() {
    let bomb = deflated(&[subject(), claims(0x7fe0_0010, "OB", 200 << 20, &vec![0; 200 << 20])].concat());
    assert!(bomb.len() < 2 << 20);
    assert_eq!(refused(&bomb), "dicom.size");
    let whole = deflated(&image("1", 2, 2, 8, &element(0x7fe0_0010, "OB", &[1, 2, 3, 4])));
    assert_eq!(taken(&whole).1, "");
    let cut = &whole[..whole.len() - 9];
    assert!(taken(cut).1.contains("deflated"));
    assert!(rules(cut).iter().any(|r| r == "dicom.deflate"));
}

#[test]
fn frames_that_their_bytes_do_not_hold_are_errors() {
    let error = |syntax: &str, body: Vec<u8>| {
        let bytes = file(syntax, &body);
        feed(&Source::memory("f", bytes.clone()));
        let data = dicom::open(&Source::memory("f", bytes)).unwrap();
        (0..2)
            .map(|n| dicom::frame(&data, n))
            .find_map(Result::err)
            .map(|e| e.to_string())
            .unwrap_or_default()
    };
    // Rows times columns times frames beyond any file, and beyond 64 bits.
    for (frames, rows, columns, bits) in [
        ("2147483647", 65_535, 65_535, 16),
        ("2147483647", 4, 4, 8),
        ("4294967295", 1, 1, 64),
        ("-1", 65_535, 65_535, 64),
        ("99999999999999999999", 2, 2, 8),
    ] {
        let pixels = element(0x7fe0_0010, "OW", &[0; 8]);
        assert_ne!(error(EXPLICIT, image(frames, rows, columns, bits, &pixels)), "", "{frames}");
        for syntax in [RLE, JPEG, JPEG_2000, JPEG_LS] {
            let pixels = fragments(&[&[], &[0xff, 0xd8, 0xff, 0xf7], &[0xff; 4]]);
            assert_ne!(error(syntax, image(frames, rows, columns, bits, &pixels)), "", "{frames}");
        }
    }
    for bits in [0, 3, 12, 65, 65_535] {
        assert_ne!(error(EXPLICIT, image("1", 2, 2, bits, &element(0x7fe0_0010, "OW", &[0; 16]))), "");
    }
    // Fragments: none, empty, fewer than frames, with offsets that lead nowhere, with wrong run lengths.
    let rle = |starts: &[u32], runs: &[u8]| {
        let mut header = [0u8; 64];
        starts
            .iter()
            .enumerate()
            .for_each(|(i, s)| header[i * 4..i * 4 + 4].copy_from_slice(&s.to_le_bytes()));
        [&header[..], runs].concat()
    };
    let good = rle(&[1, 64], &[3, 1, 2, 3, 4]);
    assert_eq!(error(RLE, image("2", 2, 2, 8, &fragments(&[&[], &good, &good]))), "");
    let wrong: [Vec<u8>; 9] = [
        rle(&[], &[]),
        rle(&[1, 64], &[]),
        rle(&[1, 64], &[127]),
        rle(&[1, 64], &[128; 9]),
        rle(&[1, 9999], &[3, 1, 2, 3, 4]),
        rle(&[1, u32::MAX], &[3, 1, 2, 3, 4]),
        rle(&[15, 64], &[3, 1, 2, 3, 4]),
        rle(&[u32::MAX, 64], &[3, 1, 2, 3, 4]),
        vec![1, 0, 0],
    ];
    for part in &wrong {
        assert_ne!(error(RLE, image("2", 2, 2, 8, &fragments(&[&[], part, part]))), "", "{part:?}");
    }
    for parts in [
        &[][..],
        &[&[][..]],
        &[&[], &good[..]],
        &[&[0xff; 8], &good[..]],
        &[&[0, 0, 0, 0, 9, 0, 0, 0], &good[..], &good[..], &good[..]],
    ] {
        assert_ne!(error(RLE, image("2", 2, 2, 8, &fragments(parts))), "", "{} parts", parts.len());
    }
}

/// Files to cut and alter: the fixtures, and pydicom's where they are.
fn files() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom"), &mut all);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("CHIASM_DATA").map_or(beside, PathBuf::from);
    let archive = data.join("conformance/dicom/pydicom-test-files.tar.gz");
    match std::fs::File::open(&archive) {
        Ok(file) => {
            let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
            for member in archive.entries().unwrap() {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut member.unwrap(), &mut bytes).unwrap();
                all.push(bytes);
            }
        }
        Err(_) => eprintln!("SKIPPED: {} is not there; set CHIASM_DATA", archive.display()),
    }
    all.retain(|bytes| dicom::recognises(&bytes[..bytes.len().min(1 << 16)], "f"));
    all
}

fn gather(folder: &Path, all: &mut Vec<Vec<u8>>) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        match path.is_dir() {
            true => gather(&path, all),
            false => all.push(std::fs::read(path).unwrap()),
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_taken_or_rejected() {
    for whole in files().iter().filter(|f| f.len() < 3000) {
        for cut in (0..whole.len()).step_by(11) {
            feed(&Source::memory("f", whole[..cut].to_vec()));
        }
    }
}

#[test]
fn altered_files_never_panic() {
    let seeds: u64 = std::env::var("CHIASM_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(4000);
    let files = files();
    for seed in 0..seeds {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let whole = &files[rng.next_u64() as usize % files.len()];
        let mut bytes = whole.clone();
        for _ in 0..=rng.next_u32() % 6 {
            alter(&mut bytes, &mut rng);
        }
        feed(&Source::memory("f", bytes));
    }
}

/// One change of the kinds that disks, networks and adversaries make. Half of them hit the beginning, where
/// the headers are.
fn alter(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let value = rng.next_u32();
    let reach = if value & 0x100 == 0 { bytes.len() } else { bytes.len().min(2048) }.max(1);
    let mut place = || (rng.next_u64() % reach as u64) as usize;
    let (at, other) = (place(), place());
    let (from, to) = (at.min(other).min(bytes.len()), at.max(other).min(bytes.len()));
    match value % 8 {
        0 => bytes.truncate(at.max(132)),
        1 => bytes.insert(at.min(bytes.len()), (value >> 16) as u8),
        2 => drop(bytes.drain(from..to.min(from + 64))),
        3 => {
            let piece = bytes[from..to].to_vec();
            bytes.splice(from..from, piece);
        }
        4 => bytes.iter_mut().skip(at).take(4).for_each(|b| *b = 0xff),
        // What means something: delimiters, items, undefined lengths, representations.
        5 => {
            let words: [&[u8]; 8] = [
                b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
                b"\xfe\xff\x0d\xe0\0\0\0\0",
                b"\xfe\xff\xdd\xe0\0\0\0\0",
                b"SQ\0\0\xff\xff\xff\xff",
                b"\xff\xff\xff\xff",
                b"\x1b$B",
                b"\\\\\\\\",
                b"US\x02\0\xff\xff",
            ];
            let word = words[(value >> 16) as usize % words.len()];
            let end = (at + word.len()).min(bytes.len());
            let start = at.min(end);
            bytes[start..end].copy_from_slice(&word[..end - start]);
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << (value >> 16 & 7);
            }
        }
    }
}
