//! DICOM files that are small on disk and large in memory, or have no end: read in bounded memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "fixtures/part10.rs"]
mod part10;

use chiasm_ingest::dicom::{self, pixels};
use chiasm_ingest::feed::{Entry, Feed, Rejected, Sink, SinkError, Source};
use part10::*;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// A sink that keeps nothing, as a store does once it has written.
#[derive(Default)]
struct Gone {
    taken: usize,
    rule: String,
}

impl Sink for Gone {
    fn entry(&mut self, _: Entry) -> Result<(), SinkError> {
        self.taken += 1;
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) -> Result<(), SinkError> {
        self.rule = rejected.rule;
        Ok(())
    }
}

/// The most memory that this process ever had, in MiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() >> 10
}

/// Writes a file: its beginning, then `piece` until it has `mib`, or a hole of that size where it is empty.
fn write(path: &Path, head: &[u8], piece: &[u8], mib: u64) {
    let mut file = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(path).unwrap());
    file.write_all(head).unwrap();
    if piece.is_empty() {
        file.seek(SeekFrom::Start((mib << 20) - 1)).unwrap();
        file.write_all(&[0]).unwrap();
    }
    let many = piece.repeat((1 << 16) / piece.len().max(1));
    let times = if piece.is_empty() { 0 } else { (mib << 20) / many.len() as u64 };
    (0..times).for_each(|_| file.write_all(&many).unwrap());
    file.flush().unwrap();
}

fn feed(what: &str, path: &Path) {
    let (source, mut sink) = (Source::file(path), Gone::default());
    dicom::read(&source, &Feed::utc("s"), &mut sink).unwrap();
    assert!(sink.taken == 1 || !sink.rule.is_empty(), "{what}: an answer");
    let read = peak();
    dicom::check(&source).unwrap();
    let checked = peak();
    if let Ok(data) = dicom::open(&source) {
        let _ = (dicom::frame(&data, 0), pixels::palette(&data));
    }
    println!(
        "{what} ({}): peak {read} MiB after read, {checked} after check, {} after a frame",
        sink.rule,
        peak()
    );
    assert!(peak() < 256, "{what}: {} MiB", peak());
}

// One test, so that the peak is of these files alone and one after the other.
#[test]
fn files_without_end_stay_under_256_mib() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile");
    let most = u32::MAX - 1;
    let with = |more: Vec<u8>| file(EXPLICIT, &[subject(), more].concat());
    // One element that claims 4 GB: in a small file, and in one that has a good part of it.
    for (number, vr) in [
        (0x0028_4000, "UT"),
        (0x0040_a160, "UT"),
        (0x7fe0_0010, "OW"),
        (0x0029_1000, "UN"),
        (0x0040_a730, "SQ"),
    ] {
        for mib in [1, 100] {
            write(&path, &with(claims(number, vr, most, &[])), &[], mib);
            feed(&format!("{vr} of 4 GB in {mib} MiB"), &path);
        }
    }
    // Implicit, where a short text may claim as much: backslashes part values.
    let head = |number: u32| {
        file(IMPLICIT, &[implicit(0x0008_0018, 4, b"2.25"), implicit(number, most, &[])].concat())
    };
    for number in [0x0008_0008, 0x0010_0010, 0x0010_1000, 0x0010_2154, 0x0020_0032, 0x0028_1050, 0x0028_1101]
    {
        for mib in [31, 33] {
            write(&path, &head(number), b"1\\", mib);
            feed(&format!("values of {number:08x} in {mib} MiB"), &path);
        }
    }
    // Elements, items and fragments by the million.
    for (name, piece, mib) in [
        ("elements", text(0x0009_0010, "LO", ""), 15),
        ("too many elements", text(0x0009_0010, "LO", ""), 20),
        ("private elements", text(0x0009_1010, "LO", "x"), 15),
        ("sequences", sequence(0x0040_a730, &[]), 15),
        ("openings", claims(0x0040_a730, "SQ", UNDEFINED, &implicit(0xfffe_e000, UNDEFINED, &[])), 15),
    ] {
        write(&path, &with(vec![]), &piece, mib);
        feed(&format!("{name} in {mib} MiB"), &path);
    }
    let code = |meaning: &str| {
        sequence(
            0x0040_a043,
            &[[
                text(0x0008_0100, "SH", "1"),
                text(0x0008_0102, "SH", "SCT"),
                text(0x0008_0104, "LO", meaning),
            ]
            .concat()],
        )
    };
    let long = "x".repeat(60_000);
    let unit = sequence(0x0040_a300, &[text(0x0040_a30a, "DS", "1")]);
    for (name, number, content) in [
        ("content items", 0x0040_a730, [text(0x0040_a040, "CS", "NUM"), code("x"), unit.clone()].concat()),
        ("long content items", 0x0040_a730, [text(0x0040_a040, "CS", "NUM"), code(&long), unit].concat()),
        ("texts", 0x0040_a730, [text(0x0040_a040, "CS", "TEXT"), text(0x0040_a160, "UT", &long)].concat()),
        ("frames", 0x5200_9230, sequence(0x0028_9110, &[text(0x0028_0030, "DS", "1\\1")])),
        (
            "long frames",
            0x5200_9230,
            sequence(0x0028_9110, &[text(0x0028_0030, "DS", &"1\\".repeat(30_000))]),
        ),
        ("segments", 0x0062_0002, text(0x0062_0005, "LO", &long)),
        ("names", 0x0004_1220, text(0x0004_1500, "CS", "IMAGES\\IM1")),
        ("long names", 0x0004_1220, text(0x0004_1500, "CS", &long)),
        ("other numbers", 0x0010_1002, text(0x0010_0020, "LO", "1")),
        ("channels", 0x5400_0100, sequence(0x003a_0200, &vec![code(&long[..500]); 50])),
    ] {
        let mib = if content.len() < 1000 { 15 } else { 33 };
        write(&path, &with(claims(number, "SQ", UNDEFINED, &[])), &item(&content), mib);
        feed(&format!("{name} in {mib} MiB"), &path);
    }
    for mib in [31, 33] {
        let head = image("1000000", 2, 2, 8, &claims(0x7fe0_0010, "OB", UNDEFINED, &item(&[])));
        write(&path, &file(RLE, &head), &item(&[]), mib);
        feed(&format!("fragments in {mib} MiB"), &path);
    }
    // Deflated: just below the limit, and beyond any.
    for mib in [60, 300] {
        let packed = |piece: &[u8], mib: usize| {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&subject()).unwrap();
            let many = piece.repeat((1 << 20) / piece.len());
            (0..mib).for_each(|_| encoder.write_all(&many).unwrap());
            file(DEFLATED, &encoder.finish().unwrap())
        };
        std::fs::write(&path, packed(&[0], mib)).unwrap();
        feed(&format!("a bomb of {mib} MiB"), &path);
        std::fs::write(&path, packed(&text(0x0009_1010, "LO", &"x".repeat(40)), mib)).unwrap();
        feed(&format!("a bomb of elements of {mib} MiB"), &path);
    }
    // Frames that claim more than their bytes.
    let segment = [
        &[0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0][..],
        &[0, 0, 0x10, 0, 0, 0, 0x10, 0],
        &[0; 8],
        &[0, 0, 0x10, 0, 0, 0, 0x10, 0],
        &[0; 8],
        &[0, 1, 7, 1, 1],
    ]
    .concat();
    let ls = [
        &[0xff, 0xd8, 0xff, 0xf7, 0, 11, 8, 0x10, 0, 0x10, 0, 1, 1, 0x11, 0][..],
        &[0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0],
        &[0xff; 64],
    ]
    .concat();
    let dct =
        [&[0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0x10, 0, 0x10, 0, 1, 1, 0x11, 0][..], &[0xff, 0xd9]].concat();
    let lossless =
        [&[0xff, 0xd8, 0xff, 0xc3, 0, 11, 8, 0x10, 0, 0x10, 0, 1, 1, 0x11, 0][..], &[0xff, 0xd9]].concat();
    for (syntax, part) in [(JPEG_2000, segment), (JPEG_LS, ls), (JPEG, dct), (JPEG, lossless)] {
        for side in [4096, 0x4000, 65_535] {
            std::fs::write(&path, file(syntax, &image("1", side, side, 8, &fragments(&[&[], &part]))))
                .unwrap();
            feed(&format!("{side} x {side} in {syntax}"), &path);
        }
    }
    for bits in [1, 8, 16, 32, 64] {
        let pixels = claims(0x7fe0_0010, "OW", 30 << 20, &[]);
        write(&path, &file(EXPLICIT, &image("1", 3900, 4000, bits, &pixels)), &[], 31);
        feed(&format!("a frame of {bits} bits"), &path);
    }
}
