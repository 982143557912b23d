//! DICOM as pydicom reads it, and what of it becomes evidence.
//!
//! `fixtures/dicom/make.py` makes the fixtures with pydicom; `tools/dicom_peer.sh` compares every element
//! and every frame with pydicom's and writes `golden.tsv` (the fixtures) and `pydicom.tsv` (pydicom's own
//! test files, which are not in this repository).
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "fixtures/part10.rs"]
mod part10;

use chiasm_ingest::dicom::{self, DataSet, ITEM, pixels};
use chiasm_ingest::feed::{Entry, Feed, FeedFormat, Rejected, Source};
use chiasm_record::{Event, Precision};
use dicom_core::VR;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom")
}

fn read(source: &Source) -> Entry {
    let mut found: (Vec<Entry>, Vec<Rejected>) = Default::default();
    dicom::read(source, &Feed::new("site", "Europe/Berlin").unwrap(), &mut found).unwrap();
    assert!(found.1.is_empty(), "{:?}", found.1);
    found.0.remove(0)
}

fn fixture(name: &str) -> Entry {
    read(&Source::file(&fixtures().join(name)))
}

fn events(entry: &Entry) -> &[Event] {
    &entry.subjects[0].events
}

fn says(event: &Event, attributes: &[(&str, &str)]) {
    for (name, value) in attributes {
        assert_eq!(event.attribute(name), Some(*value), "{name}");
    }
}

/// What pydicom was found to read as well: tags, representations and bytes in file order.
fn digest(data: &DataSet) -> (usize, String) {
    let (mut hasher, mut count) = (blake3::Hasher::new(), 0);
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    for element in data.elements() {
        if element.tag == ITEM && element.vr == VR::OB {
            hasher.update(hex(&data.bytes(element)).as_bytes());
            continue;
        }
        if element.tag == ITEM {
            continue;
        }
        if count > 0 {
            hasher.update(b"\n");
        }
        count += 1;
        hasher.update(format!("{:04X}{:04X} {} ", element.tag.0, element.tag.1, element.vr).as_bytes());
        if element.vr != VR::SQ {
            hasher.update(hex(&data.bytes(element)).as_bytes());
        }
    }
    hasher.update(b"\n");
    (count, hasher.finalize().to_hex().to_string())
}

/// How many frames can be decoded, and the hash of their values' hashes.
fn frames(data: &DataSet) -> (usize, String) {
    let number = data.root().integer(dicom_dictionary_std::tags::NUMBER_OF_FRAMES).unwrap_or(1);
    let all: Result<Vec<_>, _> = (0..number.clamp(1, 1000) as u32).map(|n| dicom::frame(data, n)).collect();
    let Ok(all) = all else { return (0, String::new()) };
    let hashes: String =
        all.iter().map(|f| blake3::hash(&f.values.to_le_bytes()).to_hex().to_string()).collect();
    (all.len(), blake3::hash(hashes.as_bytes()).to_hex().to_string())
}

/// Compares files with a summary that `tools/dicom_peer.sh` made.
fn compare(golden: &str, folder: &Path) -> usize {
    let mut compared = 0;
    for line in golden.lines().filter(|l| !l.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let name = fields[0];
        let data = dicom::open(&Source::file(&folder.join(name))).unwrap();
        let (count, hash) = digest(&data);
        assert_eq!((count.to_string().as_str(), hash.as_str()), (fields[1], fields[2]), "{name}: elements");
        let (count, hash) = frames(&data);
        assert_eq!((count.to_string().as_str(), hash.as_str()), (fields[3], fields[4]), "{name}: frames");
        compared += 1;
    }
    compared
}

#[test]
fn fixtures_are_read_as_pydicom_reads_them() {
    assert_eq!(compare(include_str!("fixtures/dicom/golden.tsv"), &fixtures()), 42);
}

#[test]
fn pydicoms_own_files_are_read_as_it_reads_them() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("CHIASM_DATA").map_or(beside, PathBuf::from);
    let archive = data.join("conformance/dicom/pydicom-test-files.tar.gz");
    let Ok(file) = std::fs::File::open(&archive) else {
        eprintln!("SKIPPED: {} is not there; set CHIASM_DATA to the folder of data sets", archive.display());
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(folder.path()).unwrap();
    let compared = compare(include_str!("fixtures/dicom/pydicom.tsv"), folder.path());
    assert!(compared > 150, "{compared}");
}

#[test]
fn one_instance_is_one_entry_however_it_is_written() {
    let explicit = fixture("ct.dcm");
    for name in ["ct_implicit.dcm", "ct_deflated.dcm", "ct_big_endian.dcm"] {
        assert_eq!(fixture(name).key, explicit.key, "{name}");
    }
    // Other meta information, as a second archive or a listener writes it, and no preamble.
    let bytes = std::fs::read(fixtures().join("ct.dcm")).unwrap();
    let start = bytes.windows(8).position(|w| w == b"\x08\0\x05\0CS\x0a\0").unwrap();
    let again = part10::file(part10::EXPLICIT, &bytes[start..]);
    assert_eq!(read(&Source::memory("f", again)).key, explicit.key);
    let bare = read(&Source::memory("f", bytes[start..].to_vec()));
    assert_eq!((bare.key, bare.findings.is_empty()), (explicit.key, false));
    // Another pixel is another instance.
    let mut other = bytes;
    *other.last_mut().unwrap() ^= 1;
    assert_ne!(read(&Source::memory("f", other)).key, explicit.key);
}

#[test]
fn an_image_says_whose_and_where_and_how_it_lies() {
    let entry = fixture("ct.dcm");
    assert!(entry.findings.is_empty(), "{:?}", entry.findings);
    let identity = entry.subjects[0].identity.clone().unwrap();
    let ids: Vec<_> = identity.identifiers.iter().map(|i| (i.authority.as_str(), i.value.as_str())).collect();
    assert_eq!(ids, [("made-up/mrn", "P-0001"), ("elsewhere", "X-9")]);
    assert_eq!(identity.key().unwrap().value, "P-0001");
    let names: Vec<_> = identity.names.iter().filter_map(|n| n.family.as_deref()).collect();
    assert_eq!(names, ["Made", "明"]);
    assert_eq!(identity.birth.map(|b| (b.year, b.month, b.day)), Some((1960, Some(2), Some(29))));

    let [image, age] = events(&entry) else { panic!("{}", entry.events()) };
    assert_eq!(
        (age.code.as_str(), age.value, age.unit.as_deref()),
        ("DICOM|PatientAge", Some(64.0), Some("a"))
    );
    assert_eq!((image.code.as_str(), image.modality.as_str()), ("DICOM|CT", "imaging"));
    // 08:25:01 an hour east of Greenwich.
    let happened = image.times.happened.unwrap();
    assert_eq!((happened.start(), happened.precision()), (1_709_623_501_000_000, Precision::Second));
    says(
        image,
        &[
            ("time_from", "AcquisitionDate"),
            ("accession", "A-4711"),
            ("sop_class", "CT Image Storage"),
            ("image_type", "ORIGINAL\\PRIMARY\\AXIAL"),
            ("rows", "8"),
            ("columns", "6"),
            ("bits_stored", "12"),
            ("pixel_spacing", "0.5\\0.625"),
            ("slice_thickness", "2.5"),
            ("image_position", "-10.0\\-20.0\\30.5"),
            ("image_orientation", "1.0\\0.0\\0.0\\0.0\\1.0\\0.0"),
            ("rescale_slope", "1"),
            ("rescale_intercept", "-1024"),
            ("rescale_type", "HU"),
            ("window_center", "40\\-600"),
            ("window_width", "400\\1500"),
            ("body_part", "CHEST"),
            ("transfer_syntax", "Explicit VR Little Endian"),
        ],
    );
    for uid in ["study_uid", "series_uid", "instance_uid", "frame_of_reference_uid"] {
        assert!(image.attribute(uid).unwrap().starts_with("2.25."), "{uid}");
    }
    // The file is the asset, whatever its transfer syntax.
    for name in ["ct.dcm", "ct_deflated.dcm"] {
        let (entry, bytes) = (fixture(name), std::fs::read(fixtures().join(name)).unwrap());
        assert_eq!(entry.assets[0].id.to_string(), blake3::hash(&bytes).to_hex().to_string());
        assert_eq!(events(&entry)[0].asset, Some(entry.assets[0].id));
        assert_eq!(entry.assets[0].media_type, "application/dicom");
    }
    // No name of a patient among what goes to the store.
    let said = format!("{:?}", events(&entry));
    assert!(!said.contains("Made") && !said.contains("明"));
}

#[test]
fn frames_are_those_of_the_array_that_was_written() {
    // make.py's ramp: i * 37 modulo the largest value and one.
    let ramp = |from: usize, count: usize, most: usize| {
        (from..from + count).map(move |i| (i * 37 % (most + 1)) as f64)
    };
    let open = |name: &str| dicom::open(&Source::file(&fixtures().join(name))).unwrap();
    for (name, frames, values, most) in [
        ("ct.dcm", 1, 48, 4095),
        ("ct_big_endian.dcm", 1, 48, 4095),
        ("multiframe.dcm", 5, 12, 255),
        ("multiframe_rle.dcm", 3, 48, 255),
        ("enhanced_ct.dcm", 3, 16, 4095),
        ("slide.dcm", 2, 48, 255),
    ] {
        let data = open(name);
        for frame in 0..frames {
            let found = dicom::frame(&data, frame).unwrap().values.reals();
            let expected: Vec<f64> = ramp(frame as usize * values, values, most).collect();
            assert_eq!(found, expected, "{name}, frame {frame}");
        }
        assert!(dicom::frame(&data, frames).is_err(), "{name}");
    }
    // Frames of single bits do not begin at bytes.
    let data = open("seg.dcm");
    for frame in 0..2 {
        let found = dicom::frame(&data, frame).unwrap().values.reals();
        let expected: Vec<f64> = ramp(frame as usize * 35, 35, 1).collect();
        assert_eq!(found, expected, "frame {frame}");
    }
}

#[test]
fn codecs_without_loss_give_back_what_was_written() {
    let open = |name: &str| dicom::open(&Source::file(&fixtures().join("codecs").join(name))).unwrap();
    for (native, others) in [
        ("rgb", &["lossless", "rle", "jls", "jls_line", "jls_none", "j2k"][..]),
        ("grey", &["lossless", "rle", "jls", "j2k"]),
    ] {
        let written = open(&format!("{native}.dcm"));
        for other in others {
            let packed = open(&format!("{native}_{other}.dcm"));
            for frame in 0..2 {
                let (one, other) = (dicom::frame(&written, frame), dicom::frame(&packed, frame));
                assert_eq!(
                    one.unwrap().values,
                    other.unwrap().values,
                    "{native} in {:?}",
                    packed.transfer_syntax()
                );
            }
        }
    }
}

#[test]
fn palettes_give_the_colors_that_pydicom_gives() {
    for name in ["palette", "palette_segmented"] {
        let data = dicom::open(&Source::file(&fixtures().join(format!("{name}.dcm")))).unwrap();
        let (palette, frame) = (pixels::palette(&data).unwrap(), dicom::frame(&data, 0).unwrap());
        assert_eq!(frame.photometric, "PALETTE COLOR");
        let colors = frame.values.reals().into_iter().flat_map(|v| palette.color(v as i64));
        let found: Vec<u8> = colors.flat_map(u16::to_le_bytes).collect();
        assert_eq!(found, std::fs::read(fixtures().join(format!("{name}.rgb"))).unwrap(), "{name}");
    }
}

#[test]
fn functional_groups_speak_for_their_frames() {
    let ct = fixture("enhanced_ct.dcm");
    says(
        &events(&ct)[0],
        &[
            ("sop_class", "Enhanced CT Image Storage"),
            ("frames", "3"),
            ("pixel_spacing", "0.5\\0.5"),
            ("spacing_between_slices", "3.5"),
            ("image_orientation", "1.0\\0.0\\0.0\\0.0\\1.0\\0.0"),
            ("image_position_first", "-10.0\\-20.0\\0.0"),
            ("image_position_last", "-10.0\\-20.0\\7.0"),
            ("image_position_distinct", "3"),
            ("rescale_slope", "2"),
            ("window_center", "40"),
            ("anatomic_region", "Thorax"),
            ("time_from", "FrameAcquisitionDateTime"),
        ],
    );
    let mr = fixture("enhanced_mr.dcm");
    assert_eq!(events(&mr)[0].attribute("rescale_slope"), None);
    assert_eq!(events(&mr)[0].code.as_str(), "DICOM|MR");
}

#[test]
fn a_report_is_text_and_measurements() {
    let entry = fixture("sr.dcm");
    let report = &events(&entry)[0];
    assert_eq!((report.code.as_str(), report.modality.as_str()), ("DICOM|SR", "notes"));
    let text = report.text.as_deref().unwrap();
    assert!(
        text.starts_with("Diagnostic imaging report\n")
            && text.contains("Finding: No pneumothorax.\nA nodule – übersehen?"),
        "{text}"
    );
    assert!(
        text.contains("    Diameter: 14.5 mm") && text.contains("Finding Site: Lung structure"),
        "{text}"
    );
    assert!(!text.contains("Reader"), "the reader's name stays out");
    // Known when it was verified: 11:00 in the zone that the instance names.
    assert_eq!(report.times.known.map(|m| m.start()), Some(1_709_632_800_000_000));
    let measured = events(&entry).iter().find(|e| e.code.as_str() == "SNOMED|81827009").unwrap();
    assert_eq!((measured.value, measured.unit.as_deref()), (Some(14.5), Some("mm")));
    assert_eq!(measured.times.known, report.times.known);
}

#[test]
fn tracings_segmentations_slides_and_documents_say_what_is_in_them() {
    let ecg = fixture("ecg.dcm");
    assert_eq!(events(&ecg)[0].modality.as_str(), "waveforms");
    says(
        &events(&ecg)[0],
        &[
            ("channels", "2"),
            ("channel_names", "Lead I\\Lead II"),
            ("sampling_rate_hz", "250"),
            ("samples", "500"),
            ("duration_s", "2"),
            ("multiplex_group", "RHYTHM"),
        ],
    );
    let seg = fixture("seg.dcm");
    let all: Vec<_> =
        events(&seg)[0].attributes.iter().filter(|(n, _)| *n == "segment").map(|(_, v)| v).collect();
    assert_eq!(all, ["1: nodule (Nodule; MANUAL)", "2: effusion (Pleural effusion; AUTOMATIC)"]);
    assert_eq!(events(&seg)[0].modality.as_str(), "imaging");
    let ct = fixture("ct.dcm");
    let series = events(&ct)[0].attribute("series_uid").unwrap();
    says(&events(&seg)[0], &[("segmentation_type", "BINARY"), ("referenced_series_uid", series)]);
    let slide = fixture("slide.dcm");
    assert_eq!(events(&slide)[0].modality.as_str(), "pathology");
    assert_eq!(events(&slide)[0].specimen.as_deref(), Some("SP-7"));
    assert_eq!(events(&fixture("document.dcm"))[0].modality.as_str(), "notes");
}

#[test]
fn names_are_read_in_their_own_scripts() {
    for (file, families) in [
        ("japanese", &["Yamada", "山田", "やまだ"][..]),
        ("katakana", &["ﾔﾏﾀﾞ", "山田", "やまだ"]),
        ("korean", &["Hong", "洪", "홍"]),
        ("chinese", &["Zhang", "张"]),
        ("gb18030", &["Wang", "王"]),
        ("russian", &["Люкceмбypг"]),
        ("latin", &["Buc"]),
        ("mixed", &["Dionysios", "Люкceмбypг", "Διονυσιος"]),
    ] {
        let entry = fixture(&format!("names/{file}.dcm"));
        let identity = entry.subjects[0].identity.as_ref().unwrap();
        let found: Vec<_> = identity.names.iter().filter_map(|n| n.family.as_deref()).collect();
        assert_eq!(found, families, "{file}");
    }
    let latin = fixture("names/latin.dcm");
    assert_eq!(latin.subjects[0].identity.as_ref().unwrap().names[0].given, ["Jérôme"]);
}

#[test]
fn a_dicomdir_names_files_that_are_there() {
    let source = Source::file(&fixtures().join("media/DICOMDIR"));
    let names = dicom::directory(&source).unwrap();
    assert_eq!(names, ["PT000000/ST000000/SE000000/IM000000", "PT000000/ST000000/SE000001/IM000000"]);
    for name in &names {
        assert_eq!(read(&source.sibling(name).unwrap()).assets.len(), 1);
    }
    let entry = read(&source);
    assert!(entry.findings.is_empty() && entry.subjects.is_empty());
    assert!(dicom::check(&source).unwrap().is_valid());
    // Without its files it says so.
    let folder = tempfile::tempdir().unwrap();
    let alone = folder.path().join("DICOMDIR");
    std::fs::copy(fixtures().join("media/DICOMDIR"), &alone).unwrap();
    assert_eq!(read(&Source::file(&alone)).findings[0].count, 2);
    assert!(!dicom::check(&Source::file(&alone)).unwrap().is_valid());
}

#[test]
fn content_decides_what_is_dicom() {
    let bytes = std::fs::read(fixtures().join("ct.dcm")).unwrap();
    assert_eq!(FeedFormat::of(&bytes, "anything.txt"), Some(FeedFormat::Dicom));
    let start = bytes.windows(8).position(|w| w == b"\x08\0\x05\0CS\x0a\0").unwrap();
    assert!(dicom::recognises(&bytes[start..], "no preamble"));
    let implicit = std::fs::read(fixtures().join("ct_implicit.dcm")).unwrap();
    let start = implicit.windows(8).position(|w| w == b"\x08\0\x05\0\x0a\0\0\0").unwrap();
    assert!(dicom::recognises(&implicit[start..], "no preamble"));
    // A slide that is a TIFF as well is DICOM.
    let mut both = b"II*\0".to_vec();
    both.extend(&bytes[4..]);
    assert_eq!(FeedFormat::of(&both, "slide.tif"), Some(FeedFormat::Dicom));
    for other in [
        &b"DICOMDIR is what this text is called, and it is no such thing"[..],
        b"\x08\0\x05\0 some bytes that begin like a tag and then do not go on so",
        &[8, 0, 5, 0, 0, 0, 0, 0],
        &[0; 4096],
        &[0xff; 4096],
        b"",
    ] {
        assert!(!dicom::recognises(other, "media/DICOMDIR"), "{other:?}");
    }
}

#[test]
fn check_finds_what_is_broken_and_nothing_else() {
    for name in [
        "ct.dcm",
        "ct_implicit.dcm",
        "ct_deflated.dcm",
        "ct_big_endian.dcm",
        "multiframe.dcm",
        "multiframe_rle.dcm",
        "ecg.dcm",
        "sr.dcm",
        "enhanced_ct.dcm",
        "enhanced_mr.dcm",
        "seg.dcm",
        "palette.dcm",
        "slide.dcm",
    ] {
        let checked = dicom::check(&Source::file(&fixtures().join(name))).unwrap();
        assert!(checked.is_valid(), "{name}: {:#?}", checked.faults);
    }
    let bytes = std::fs::read(fixtures().join("ct.dcm")).unwrap();
    let faults = |from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|w| w == from).unwrap();
        let altered = [&bytes[..at], to, &bytes[at + from.len()..]].concat();
        let checked = dicom::check(&Source::memory("f", altered)).unwrap();
        checked.faults.into_iter().map(|f| format!("{} {}", f.rule, f.place)).collect::<Vec<_>>()
    };
    for (from, to, fault) in [
        // A value of another form; a missing type 1 element; a spacing of 0; rows of another image.
        (&b"19600229"[..], &b"19600230"[..], "dicom.value (0010,0030) PatientBirthDate"),
        (b"\x28\0\x52\x10DS\x06\0-1024 ", b"", "dicom.type1 (0028,1052) RescaleIntercept"),
        (b"0.5\\0.625 ", b"0.0\\0.625 ", "dicom.spacing (0028,0030) PixelSpacing"),
        (
            b"\x28\0\x10\0US\x02\0\x08\0",
            b"\x28\0\x10\0US\x02\0\x09\0",
            "dicom.pixel.length (7fe0,0010) PixelData",
        ),
        (
            b"1.0\\0.0\\0.0\\0.0\\1.0",
            b"1.0\\0.0\\0.0\\1.0\\0.0",
            "dicom.orientation (0020,0037) ImageOrientationPatient",
        ),
        (
            b"CS\x0a\0ISO_IR 192",
            b"CS\x0a\0ISO_IR 999",
            "dicom.charset.unknown (0008,0005) SpecificCharacterSet",
        ),
        (
            b"\x28\0\x02\x01US\x02\0\x0b\0",
            b"\x28\0\x02\x01US\x02\0\x0f\0",
            "dicom.pixel.bits (0028,0102) HighBit",
        ),
        (b"\x10\0\x20\0LO", b"\x10\0\x20\0SH", "dicom.vr (0010,0020) PatientID"),
    ] {
        assert!(faults(from, to).iter().any(|f| f == fault), "{fault}: {:#?}", faults(from, to));
    }
    let cut = dicom::check(&Source::memory("f", bytes[..bytes.len() - 10].to_vec())).unwrap();
    assert!(!cut.is_valid());
    // No patient's value in what is said.
    let said = format!("{cut:?}");
    assert!(!said.contains("Made") && !said.contains("P-0001") && !said.contains("19600229"));
}
