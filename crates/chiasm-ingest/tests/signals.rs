//! Signals, images and slides: values against those of trusted libraries, events, and hostile files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../examples/wfdb_dump/summary.rs"]
mod summary;

use chiasm_ingest::feed::{Entry, Feed, Rejected, Severity, Source};
use chiasm_ingest::wfdb::{self, Header, Record};
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
