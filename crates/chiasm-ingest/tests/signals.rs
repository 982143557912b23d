//! Signals, images and slides: values against those of trusted libraries, events, and hostile files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../examples/wfdb_dump/summary.rs"]
mod summary;

use chiasm_ingest::audio::Audio;
use chiasm_ingest::edf::Recording;
use chiasm_ingest::feed::{Entry, Feed, Rejected, Severity, Source};
use chiasm_ingest::nifti::Volume;
use chiasm_ingest::slide::Slide;
use chiasm_ingest::wfdb::{Header, Record};
use chiasm_ingest::{actigraphy, audio, edf, nifti, slide, wfdb};
use chiasm_linkage::Sex;
use chiasm_record::Precision;
use std::path::{Path, PathBuf};

/// The folder of data set `name`, or `None` with a loud word where it is not on this machine.
fn data(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("CHIASM_DATA").map_or(beside, PathBuf::from).join(name);
    if folder.exists() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there; set CHIASM_DATA to the folder of data sets", folder.display());
    None
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

type Got = (Vec<Entry>, Vec<Rejected>);

fn read(
    reader: fn(&Source, &Feed, &mut dyn chiasm_ingest::feed::Sink) -> Result<(), chiasm_ingest::Error>,
    path: &Path,
) -> Got {
    let mut got = Got::default();
    reader(&Source::file(path), &Feed::new("site", "Europe/Berlin").unwrap(), &mut got).unwrap();
    got
}

/// The sample data of wfdb-python, unpacked.
fn sample_data() -> Option<tempfile::TempDir> {
    let archive = data("conformance/wfdb/wfdb-sample-data.tar.gz")?;
    let folder = tempfile::tempdir().unwrap();
    let bytes = flate2::read::GzDecoder::new(std::fs::File::open(archive).unwrap());
    tar::Archive::new(bytes).unpack(folder.path()).unwrap();
    Some(folder)
}

#[test]
fn wfdb_values_of_every_format_are_those_of_wfdb_python() {
    let folder = fixture("wfdb");
    let golden = std::fs::read_to_string(folder.join("golden.tsv")).unwrap();
    assert_eq!(summary::of(&folder), golden);
}

#[test]
fn wfdb_sample_data_are_read_as_wfdb_python_reads_them() {
    let Some(folder) = sample_data() else { return };
    let golden = std::fs::read_to_string(fixture("wfdb_sample_data.tsv")).unwrap();
    let ours = summary::of(folder.path());
    for (line, (ours, theirs)) in ours.lines().zip(golden.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {}", line + 1);
    }
    assert_eq!(ours.lines().count(), golden.lines().count());
}

#[test]
fn wfdb_skew_shifts_a_signal_and_leaves_its_end_open() {
    let open =
        |name: &str| Record::open(&Source::file(&fixture("wfdb").join(name))).unwrap().physical().unwrap();
    let (plain, skewed) = (open("rates.hea"), open("skewed.hea"));
    // Gains differ, so stored values are compared where a value is there.
    let digital =
        |name: &str| Record::open(&Source::file(&fixture("wfdb").join(name))).unwrap().digital().unwrap();
    let (whole, shifted) = (digital("rates.hea"), digital("skewed.hea"));
    assert_eq!(shifted[0][..54], whole[0][6..]);
    assert_eq!(shifted[1][..15], whole[1][5..]);
    assert_eq!(shifted[2], whole[2]);
    assert!(skewed[0][54..].iter().chain(&skewed[1][15..]).all(|v| v.is_nan()));
    assert_eq!((plain[0].len(), skewed[0].len()), (60, 60));
}

#[test]
fn wfdb_checksums_of_the_sample_data_hold() {
    let Some(folder) = sample_data() else { return };
    let checked = |name: &str| wfdb::check(&Source::file(&folder.path().join(name))).unwrap();
    for name in
        ["100.hea", "s0010_re.hea", "flacformats.hea", "03700181.hea", "binformats.hea", "mixedsignals.hea"]
    {
        let checked = checked(name);
        assert!(checked.is_valid(), "{name}: {:?}", checked.faults);
    }
    let segments = checked("multi-segment/s25047/s25047-2704-05-04-10-44.hea");
    assert!(segments.is_valid(), "{:?}", segments.faults);
    let missing = checked("1003.hea");
    assert_eq!(missing.faults[0].rule, "wfdb.missing");
}

#[test]
fn wfdb_records_become_events_with_subject_time_and_files() {
    let (entries, rejected) = read(wfdb::read, &fixture("wfdb/rates.hea"));
    assert_eq!((entries.len(), rejected.len()), (2, 0));
    let mention = &entries[0].subjects[0];
    let identity = mention.identity.as_ref().unwrap();
    let key = identity.key().unwrap();
    assert_eq!((key.authority.as_str(), key.value.as_str()), ("site|wfdb", "rates"));
    assert_eq!(identity.sex, Some(Sex::Female));
    let codes: Vec<&str> = mention.events.iter().map(|e| e.code.as_str()).collect();
    assert_eq!(codes, ["WAVEFORM|ECG", "WAVEFORM|BP", "WAVEFORM|PLETH", "WFDB|age", "WFDB|sex"]);
    assert_eq!(mention.events[0].attribute("signal.0.frequency"), Some("300"));
    assert_eq!((mention.events[0].value, mention.events[3].value), (Some(0.2), Some(61.0)));
    assert_eq!(entries[0].assets.len(), 3);
    let notes: Vec<(&str, Option<&str>)> =
        entries[1].subjects[0].events.iter().map(|e| (e.code.as_str(), e.text.as_deref())).collect();
    let rhythm = "WFDB|rhythm";
    let wanted = [
        ("ANNOTATION|atr", None),
        (rhythm, Some("(N")),
        (rhythm, Some("(AFIB")),
        ("WFDB|comment", Some("motion")),
    ];
    assert_eq!(notes, wanted);

    let (entries, _) = read(wfdb::read, &fixture("wfdb/formats.hea"));
    let happened = entries[0].subjects[0].events[0].times.happened.unwrap();
    // 01:02:03.25 in Berlin.
    assert_eq!((happened.precision(), happened.start()), (Precision::Subsecond, 1_709_164_923_250_000));
    assert_eq!(happened.offset(), Some(3600));
}

#[test]
fn wfdb_segments_are_read_with_their_record_and_once() {
    let (entries, _) = read(wfdb::read, &fixture("wfdb/variable/s1.hea"));
    assert_eq!((entries[0].events(), entries[0].assets.len()), (2, 6));
    assert_eq!(entries[0].findings[0].message, "gaps between segments");
    for part in ["wfdb/variable/3000001_0001.hea", "wfdb/variable/3000001_layout.hea", "wfdb/fixed_1.hea"] {
        let (entries, rejected) = read(wfdb::read, &fixture(part));
        assert_eq!((entries.len(), entries[0].events(), rejected.len()), (1, 0, 0), "{part}");
    }
    let (again, _) = read(wfdb::read, &fixture("wfdb/variable/s1.hea"));
    assert_eq!(entries[0].key, again[0].key);
}

#[test]
fn wfdb_what_is_missing_or_outside_is_rejected_with_its_rule() {
    let folder = tempfile::tempdir().unwrap();
    let reject = |text: &str, data: &[u8]| {
        let path = folder.path().join("r.hea");
        std::fs::write(&path, text).unwrap();
        std::fs::write(folder.path().join("r.dat"), data).unwrap();
        let (entries, rejected) = read(wfdb::read, &path);
        assert!(entries.is_empty(), "{text}");
        let checked = wfdb::check(&Source::file(&path)).unwrap();
        assert!(checked.faults.iter().any(|f| f.rule == rejected[0].rule && f.severity == Severity::Error));
        rejected[0].rule.clone()
    };
    assert_eq!(reject("r 1 100 10\nnone.dat 16 200\n", b""), "wfdb.missing");
    assert_eq!(reject("r 1 100 10\n../r.dat 16 200\n", b""), "wfdb.outside");
    assert_eq!(reject("r 1 100 10\n/etc/passwd 16 200\n", b""), "wfdb.outside");
    assert_eq!(reject("r/2 1 100 10\n../x 5\n~ 5\n", b""), "wfdb.outside");
    assert_eq!(reject("r 1 100 10\nr.dat 16 200\n", &[0; 19]), "wfdb.signal");
    assert_eq!(reject("r 1 100 18446744073709551615\nr.dat 212x4294967295 200\n", &[0; 9]), "wfdb.header");
    assert_eq!(reject("r 1 100 18446744073709551615\nr.dat 212 200\n", &[0; 9]), "wfdb.signal");
    assert_eq!(reject("r 2 100 4\nr.dat 16 200\nr.dat 16:4294967295 200\n", &[0; 16]), "wfdb.signal");
    assert_eq!(reject("r 1 100 4\nr.dat 16+18446744073709551615 200\n", &[0; 16]), "wfdb.signal");
    assert_eq!(reject("r 1 100 4\nr.dat 516 200\n", b"fLaC\x80\0\0\x22"), "wfdb.signal");
    assert_eq!(reject("r 1 -5\nr.dat 16 200\n", &[0; 16]), "wfdb.header");
    assert_eq!(reject("r 9999999999 100\nr.dat 16 200\n", &[0; 16]), "wfdb.header");
    assert_eq!(reject("r 1 100 1 25:00:00\nr.dat 16 200\n", &[0; 16]), "wfdb.header");
    assert_eq!(reject("", b""), "wfdb.header");
}

#[test]
fn wfdb_altered_headers_and_streams_never_panic() {
    let header = b"# age: 5\nrec/2 3 100/50(7) 20 1:2:3.5 1/2/2003\na 20\n~ 5\n";
    let plain = std::fs::read(fixture("wfdb/formats.hea")).unwrap();
    for bytes in [&header[..], &plain] {
        for at in 0..bytes.len() {
            let _ = Header::parse("r", &bytes[..at]);
            for replaced in [0, b'-', b'9', b'/', b':', b' ', b'\n', 0xff] {
                let mut altered = bytes.to_vec();
                altered[at] = replaced;
                let _ = Header::parse("r", &altered);
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("f.hea"), "f 2 250 64\nf.dat 516x2 200\nf.dat 516x2 200\n").unwrap();
    let flac = std::fs::read(fixture("wfdb/flac.516")).unwrap();
    let record = || Record::open(&Source::file(&folder.path().join("f.hea"))).unwrap().physical();
    for at in 0..flac.len() {
        let mut altered = flac.clone();
        altered[at] ^= 0x55;
        std::fs::write(folder.path().join("f.dat"), &altered).unwrap();
        let _ = record();
        std::fs::write(folder.path().join("f.dat"), &flac[..at]).unwrap();
        assert!(record().is_err(), "cut at {at}");
    }
}

/// The lines of `golden.tsv` for a file: what, expected.
fn golden(file: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(fixture("signals/golden.tsv")).unwrap();
    let lines = text.lines().map(|l| l.split('\t').collect::<Vec<_>>()).filter(|l| l[0] == file);
    let lines: Vec<_> = lines.map(|l| (l[1].to_owned(), l[2].to_owned())).collect();
    assert!(!lines.is_empty(), "{file}");
    lines
}

fn hash(bytes: impl IntoIterator<Item = u8>) -> String {
    blake3::hash(&bytes.into_iter().collect::<Vec<u8>>()).to_hex()[..16].to_owned()
}

fn source(name: &str) -> Source {
    Source::file(&fixture("signals").join(name))
}

fn close(ours: f64, theirs: &str) {
    let theirs: f64 = theirs.parse().unwrap();
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{ours} {theirs}");
}

#[test]
fn edf_values_and_annotations_are_those_of_pyedflib() {
    for file in ["plus.edf", "plus.bdf"] {
        let recording = Recording::open(&source(file)).unwrap();
        let mut notes = Vec::new();
        let mut take = |_, a: edf::Annotation| {
            notes.extend(
                (!a.text.is_empty())
                    .then(|| format!("{:?} {:?} {}", a.onset, a.duration.unwrap_or(-1.0), a.text)),
            );
            Ok(())
        };
        recording.annotations(&mut take).unwrap();
        let mut wanted = Vec::new();
        for (what, expected) in golden(file) {
            let (what, signal) =
                what.split_once(' ').map_or((what.as_str(), 0), |(w, i)| (w, i.parse().unwrap()));
            match what {
                "digital" => {
                    let values = recording.digital(signal).unwrap();
                    assert_eq!(hash(values.iter().flat_map(|v| i64::from(*v).to_le_bytes())), expected);
                }
                "physical" => {
                    let values = recording.physical(signal).unwrap();
                    let expected: Vec<&str> = expected.split(' ').collect();
                    [values[0], values[7], *values.last().unwrap()]
                        .iter()
                        .zip(expected)
                        .for_each(|(o, t)| close(*o, t));
                }
                _ => wanted.push(expected),
            }
        }
        assert_eq!(notes, wanted);
        let checked = edf::check(&source(file)).unwrap();
        assert!(checked.is_valid(), "{:?}", checked.faults);
    }
}

#[test]
fn edf_patients_and_annotations_become_events() {
    let (entries, rejected) = read(edf::read, &fixture("signals/plus.edf"));
    assert!(rejected.is_empty());
    let mention = &entries[0].subjects[0];
    let identity = mention.identity.as_ref().unwrap();
    assert_eq!(identity.key().unwrap().value, "MCH-0234567");
    assert_eq!((identity.key().unwrap().authority.as_str(), identity.sex), ("site", Some(Sex::Female)));
    assert_eq!(identity.birth.map(|b| (b.year, b.month, b.day)), Some((1951, Some(5), Some(2))));
    assert_eq!(identity.names[0].family.as_deref(), Some("Lovelace"));
    let codes: Vec<&str> = mention.events.iter().map(|e| e.code.as_str()).collect();
    assert_eq!(codes, ["WAVEFORM|EEG", "WAVEFORM|RESP", "EDF|annotation", "EDF|annotation"]);
    let starts: Vec<i64> = mention.events.iter().map(|e| e.times.happened.unwrap().start()).collect();
    // 2002-03-02 13:30:15 in Berlin, and half a second later.
    assert_eq!((starts[0], starts[2] - starts[0]), (1_015_072_215_000_000, 500_000));
    assert!(!format!("{:?}", Recording::open(&source("plus.edf")).unwrap()).contains("Lovelace"));
}

#[test]
fn edf_gaps_cuts_and_broken_rules_are_found() {
    assert!(edf::check(&source("apart.edf")).unwrap().is_valid());
    let plus = std::fs::read(fixture("signals/plus.edf")).unwrap();
    let rules = |bytes: &[u8]| {
        let checked = edf::check(&Source::memory("m.edf", bytes.to_vec())).unwrap();
        checked.faults.into_iter().map(|f| f.rule).collect::<Vec<_>>()
    };
    let altered = |at: usize, text: &[u8]| {
        let mut bytes = plus.clone();
        bytes[at..at + text.len()].copy_from_slice(text);
        rules(&bytes)
    };
    // Apart in time, but said to be continuous.
    let mut apart = std::fs::read(fixture("signals/apart.edf")).unwrap();
    apart[192..197].copy_from_slice(b"EDF+C");
    assert_eq!(rules(&apart), ["edf.continuous"]);
    assert_eq!(altered(168, b"31.02.02"), ["edf.date", "edf.date"]);
    assert_eq!(altered(176, b"25.00.00"), ["edf.time"]);
    assert_eq!(altered(184, b"999     "), ["edf.header.bytes"]);
    assert_eq!(altered(20, b"Q"), ["edf.patient"]);
    assert_eq!(altered(256, &[7]), ["edf.ascii"]);
    assert_eq!(altered(236, b"99999999"), ["edf.length"]);
    assert_eq!(altered(252, b"9999"), ["edf.header"]);
    assert_eq!(altered(252, b"-1  "), ["edf.header"]);
    assert_eq!(rules(&plus[..plus.len() - 1]), ["edf.length"]);
    assert_eq!(rules(&[plus.clone(), vec![0]].concat()), ["edf.length"]);
    for cut in 0..1100 {
        let _ = edf::check(&Source::memory("m", plus[..cut].to_vec())).unwrap();
    }
    for at in (0..plus.len()).step_by(3) {
        let mut bytes = plus.clone();
        bytes[at] ^= 0x15;
        let mut got = Got::default();
        let source = Source::memory("m", bytes);
        edf::read(&source, &Feed::utc("s"), &mut got).unwrap();
        edf::check(&source).unwrap();
    }
}

#[test]
fn edf_of_the_sample_data_is_read() {
    let Some(folder) = sample_data() else { return };
    let (entries, rejected) = read(edf::read, &folder.path().join("test_edfann.edf"));
    assert!(rejected.is_empty(), "{rejected:?}");
    let events = &entries[0].subjects[0].events;
    assert!(events.iter().all(|e| e.code.as_str() == "EDF|annotation"));
    let first = (&events[0].text, events[0].value);
    assert_eq!(first, (&Some("Sleep stage W".to_owned()), Some(30.0)));
    assert!(events.len() > 100, "{}", events.len());
}

#[test]
fn audio_samples_are_those_of_libsndfile() {
    for file in ["u8.wav", "16.wav", "24.wav", "float.wav", "double.wav", "16.flac", "24.flac"] {
        let audio = Audio::open(&source(file)).unwrap();
        let samples = audio.samples(&source(file)).unwrap();
        let hash = hash(samples.iter().flat_map(|v| v.to_le_bytes()));
        let ours = format!("{} {} {} {hash}", audio.rate, audio.channels, audio.frames.unwrap());
        assert_eq!(ours, golden(file)[0].1, "{file}");
        assert!(audio::check(&source(file)).unwrap().is_valid());
        let (entries, _) = read(audio::read, &fixture("signals").join(file));
        assert_eq!(entries[0].subjects[0].events[0].value, Some(0.075), "{file}");
    }
}

#[test]
fn audio_that_is_cut_or_claims_too_much_is_refused() {
    let wav = std::fs::read(fixture("signals/16.wav")).unwrap();
    let check = |bytes: Vec<u8>| audio::check(&Source::memory("m.wav", bytes)).unwrap();
    for cut in 0..wav.len() {
        assert!(!check(wav[..cut].to_vec()).is_valid() || cut == 44, "{cut}");
    }
    let mut huge = wav.clone();
    huge[40..44].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
    assert_eq!(check(huge).faults[0].rule, "audio.length");
    let mut chunk = wav[..12].to_vec();
    chunk.extend(b"LIST\xff\xff\xff\xff");
    assert_eq!(check(chunk).faults[0].rule, "audio.format");
    for file in ["16.wav", "16.flac"] {
        let bytes = std::fs::read(fixture("signals").join(file)).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0xff;
            let _ = audio::check(&Source::memory("m", altered)).unwrap();
        }
    }
}

#[test]
fn nifti_voxels_and_affines_are_those_of_nibabel() {
    for file in ["u8.nii", "i16.nii.gz", "f32.nii", "two.nii", "pair.hdr"] {
        let volume = Volume::open(&source(file)).unwrap();
        for (what, expected) in golden(file) {
            match what.as_str() {
                "shape" => assert_eq!(
                    volume.header().shape.iter().map(u64::to_string).collect::<Vec<_>>().join(" "),
                    expected
                ),
                "affine" => {
                    let affine = volume.header().affine().unwrap();
                    affine.iter().flatten().zip(expected.split(' ')).for_each(|(o, t)| close(*o, t));
                }
                _ => {
                    let values = volume.values().unwrap();
                    assert_eq!(hash(values.iter().flat_map(|v| v.to_le_bytes())), expected, "{file}");
                }
            }
        }
        let checked = nifti::check(&source(file)).unwrap();
        assert!(checked.is_valid(), "{file} {:?}", checked.faults);
        let (entries, rejected) = read(nifti::read, &fixture("signals").join(file));
        assert_eq!((entries[0].events(), rejected.len()), (1, 0));
    }
}

#[test]
fn nifti_headers_that_lie_are_refused() {
    let nii = std::fs::read(fixture("signals/u8.nii")).unwrap();
    let rules = |at: usize, new: &[u8]| {
        let mut bytes = nii.clone();
        bytes[at..at + new.len()].copy_from_slice(new);
        let checked = nifti::check(&Source::memory("m.nii", bytes)).unwrap();
        checked.faults.into_iter().map(|f| f.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(0, &[0]), ["nifti.header"]);
    assert_eq!(rules(40, &[9]), ["nifti.header"]);
    assert_eq!(rules(42, &[0xff, 0xff]), ["nifti.header"]);
    assert_eq!(
        rules(40, &[7, 0, 255, 127, 255, 127, 255, 127, 255, 127, 255, 127, 255, 127, 255, 127]),
        ["nifti.data"]
    );
    assert_eq!(rules(42, &[255, 127]), ["nifti.data"]);
    assert_eq!(rules(70, &[3]), ["nifti.data"]);
    assert_eq!(rules(72, &[9]), ["nifti.bitpix"]);
    assert_eq!(rules(108, &f32::NAN.to_le_bytes()), ["nifti.vox_offset", "nifti.data"]);
    assert_eq!(rules(108, &(-5f32).to_le_bytes()), ["nifti.vox_offset", "nifti.data"]);
    assert_eq!(rules(80, &[0; 4]), ["nifti.pixdim"]);
    assert_eq!(rules(280, &[0; 16]), ["nifti.sform"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("signals/pair.hdr"), folder.path().join("pair.hdr")).unwrap();
    let (_, rejected) = read(nifti::read, &folder.path().join("pair.hdr"));
    assert_eq!(rejected[0].rule, "nifti.missing");
    // 1 GiB of zeros in a megabyte, of which the header claims all.
    let mut bytes = nii[..352].to_vec();
    bytes[40..48].copy_from_slice(&[3, 0, 0, 4, 0, 4, 0, 4]);
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut bomb, &bytes).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..1024).for_each(|_| std::io::Write::write_all(&mut bomb, &zeros).unwrap());
    let bomb = Source::memory("m.nii.gz", bomb.finish().unwrap());
    assert!(nifti::check(&bomb).unwrap().is_valid());
}

/// A level put together from its tiles.
fn whole(slide: &Slide, at: usize) -> Vec<u8> {
    let level = &slide.levels()[at];
    let mut pixels = vec![0; level.width as usize * level.height as usize * 3];
    for y in 0..level.rows() {
        for x in 0..level.columns() {
            let tile = slide.tile(at, x, y).unwrap();
            for (row, line) in tile.pixels.chunks_exact(tile.width as usize * 3).enumerate() {
                let top = y as usize * level.tile_height as usize + row;
                let start = (top * level.width as usize + (x * level.tile_width) as usize) * 3;
                pixels[start..start + line.len()].copy_from_slice(line);
            }
        }
    }
    pixels
}

#[test]
fn slide_pixels_of_every_packing_are_those_of_tifffile() {
    for name in ["none", "deflate", "lzw", "ycc", "rgb"] {
        let slide = Slide::open(&source(&format!("{name}.svs"))).unwrap();
        let sizes: Vec<_> =
            slide.levels().iter().map(|l| (l.width, l.height, l.tile_width, l.tile_height)).collect();
        assert_eq!(sizes, [(60, 44, 32, 16), (30, 22, 32, 16)], "{name}");
        assert_eq!((slide.microns(), slide.objective()), (Some((0.499, 0.499)), Some(20.0)));
        let kinds: Vec<_> = slide.associated().iter().map(|a| (a.kind, a.is_identifying())).collect();
        assert_eq!(kinds, [("label", true), ("macro", true)]);
        for (what, expected) in golden(&format!("{name}.svs")) {
            let pixels = match what.as_str() {
                "label" => slide.associated_image(0).unwrap().pixels,
                "level 0" => whole(&slide, 0),
                _ => whole(&slide, 1),
            };
            assert_eq!(hash(pixels), expected, "{name} {what}");
        }
        for level in 0..2 {
            let Ok(theirs) = std::fs::read(fixture("signals").join(format!("{name}{level}.rgb"))) else {
                continue;
            };
            let ours = whole(&slide, level);
            let worst = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(ours.len() == theirs.len() && worst <= 4, "{name} {level}: {worst}");
        }
        assert!(slide::check(&source(&format!("{name}.svs"))).unwrap().is_valid());
    }
    let small = Slide::open(&source("none.svs")).unwrap().thumbnail(15).unwrap();
    assert_eq!((small.width, small.height, small.pixels.len()), (15, 11, 495));
}

#[test]
fn slide_of_aperio_is_read_as_tifffile_reads_it() {
    let Some(folder) = data("conformance/slides") else { return };
    let path = folder.join("CMU-1-Small-Region.svs");
    let slide = Slide::open(&Source::file(&path)).unwrap();
    let means = std::fs::read_to_string(fixture("cmu_1_small_region.tsv")).unwrap();
    let mut means = means.lines();
    let level = &slide.levels()[0];
    for y in 0..level.rows() {
        for x in 0..level.columns() {
            let tile = slide.tile(0, x, y).unwrap();
            let n = f64::from(tile.width * tile.height);
            for (i, mean) in means.next().unwrap().split('\t').enumerate() {
                let ours = tile.pixels.iter().skip(i).step_by(3).map(|v| f64::from(*v)).sum::<f64>() / n;
                assert!((ours - mean.parse::<f64>().unwrap()).abs() < 0.2, "{x} {y} {i}: {ours} {mean}");
            }
        }
    }
    assert_eq!(means.next(), None);
    let kinds: Vec<&str> = slide.associated().iter().map(|a| a.kind).collect();
    assert_eq!(kinds, ["thumbnail", "label", "macro"]);
    let (entries, _) = read(slide::read, &path);
    let event = &entries[0].subjects[0].events[0];
    assert_eq!((event.attribute("mpp.x"), event.attribute("objective")), (Some("0.499"), Some("20")));
    assert_eq!(event.attribute("identifying"), Some("label"));
    let label = slide.associated_image(1).unwrap();
    assert_eq!((label.width, label.height), (387, 463));

    let (entries, rejected) = read(slide::read, &folder.join("broken.svs"));
    assert!(entries.is_empty() && slide::recognises(b"IJrE", "broken.svs"));
    assert_eq!(
        rejected[0].message,
        "broken.svs: expected a TIFF or BigTIFF (II or MM, then 42 or 43), found other bytes"
    );
}

#[test]
fn slides_that_lie_or_loop_are_refused() {
    for name in ["none.svs", "deflate.svs", "ycc.svs"] {
        let whole = std::fs::read(fixture("signals").join(name)).unwrap();
        // Directories lie at the end or in front: every byte of the first 700, then some.
        for at in (0..700).chain((700..whole.len()).step_by(5)) {
            for new in [0, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = new;
                let _ = slide::check(&Source::memory("m.svs", bytes)).unwrap();
            }
        }
        for cut in (0..whole.len()).step_by(7) {
            let _ = slide::check(&Source::memory("m.svs", whole[..cut].to_vec())).unwrap();
        }
    }
    // A directory that follows itself, and one below itself.
    let looped = b"II*\0\x08\0\0\0\0\0\x08\0\0\0".to_vec();
    let below = b"II*\0\x08\0\0\0\x01\0\x4a\x01\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0".to_vec();
    for bytes in [looped, below] {
        let checked = slide::check(&Source::memory("m.svs", bytes)).unwrap();
        assert!(checked.faults[0].message.contains("lead back"), "{:?}", checked.faults);
    }
}

#[test]
fn actigraphy_of_depresjon_is_summed_by_day() {
    let Some(archive) = data("depresjon/actigraphy.tar.gz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let bytes = flate2::read::GzDecoder::new(std::fs::File::open(archive).unwrap());
    tar::Archive::new(bytes).unpack(folder.path()).unwrap();
    let (mut files, mut odd) = (0, 0);
    for group in ["condition", "control"] {
        for file in std::fs::read_dir(folder.path().join(group)).unwrap() {
            let path = file.unwrap().path();
            let head = std::fs::read(&path).unwrap();
            assert!(actigraphy::recognises(&head[..200], "x.csv"));
            let (entries, rejected) = read(actigraphy::read, &path);
            assert!(rejected.is_empty());
            let events = &entries[0].subjects[0].events;
            let rows = events[0].value.unwrap();
            assert!((19_299.0..=65_407.0).contains(&rows), "{rows}");
            let sum = |code: &str| {
                events.iter().filter(|e| e.code.as_str() == code).map(|e| e.value.unwrap()).sum::<f64>()
            };
            assert_eq!(sum("ACTIGRAPHY|day"), sum("ACTIGRAPHY|hour"));
            files += 1;
            odd += usize::from(!entries[0].findings.is_empty());
        }
    }
    // "five recordings have a gap or clock change", says the README.
    assert_eq!((files, odd), (41, 5));
}
