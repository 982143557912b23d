//! DICOM on its way into a store: from a folder, a medium with its DICOMDIR, an archive, a listener's inbox.

use crate::toy::{Toy, root, succeeds};
use serde_json::Value;
use std::io::Write;
use std::path::Path;

const FIXTURES: &str = "crates/chiasm-ingest/tests/fixtures/dicom";

fn json(toy: &Toy, arguments: &[&str]) -> Value {
    let text = succeeds(&toy.chiasm(&[arguments, &["--json"]].concat()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(root().join(FIXTURES).join(name)).unwrap()
}

/// The instances by their path in the toy.
fn filled() -> Toy {
    let toy = Toy::new();
    for name in
        ["ct.dcm", "ecg.dcm", "sr.dcm", "seg.dcm", "slide.dcm", "enhanced_ct.dcm", "names/japanese.dcm"]
    {
        toy.write(&format!("export/{name}"), fixture(name));
    }
    for name in ["DICOMDIR", "PT000000/ST000000/SE000000/IM000000", "PT000000/ST000000/SE000001/IM000000"] {
        toy.write(&format!("disc/{name}"), fixture(&format!("media/{name}")));
    }
    toy
}

#[test]
fn instances_arrive_with_their_files_and_once() {
    let toy = filled();
    let ingest =
        |sources: &[&str]| json(&toy, &[&["ingest"], sources, &["--site", "plain", "--store", "s"]].concat());
    let done = ingest(&["export", "disc"]);
    assert_eq!((&done["formats"]["DICOM"], &done["totals"]["rejected"]), (&10.into(), &0.into()), "{done}");
    let ask = |sql: &str| json(&toy, &["query", "--store", "s", sql]);
    let kinds = ask(
        "SELECT code, modality, count(*) AS n FROM events WHERE asset IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
    );
    let kinds: Vec<String> = kinds
        .as_array()
        .unwrap()
        .iter()
        .map(|r| format!("{} {} {}", r["code"].as_str().unwrap(), r["modality"].as_str().unwrap(), r["n"]))
        .collect();
    assert_eq!(
        kinds,
        [
            "DICOM|CT imaging 4",
            "DICOM|ECG waveforms 1",
            "DICOM|OT imaging 1",
            "DICOM|SEG imaging 1",
            "DICOM|SM pathology 1",
            "DICOM|SR notes 1"
        ]
    );
    // The asset is the file as it came.
    assert!(toy.files("s").values().any(|bytes| *bytes == fixture("ecg.dcm")), "the file is in the store");

    // One patient's record, whatever came from where.
    let records = ask("SELECT count(DISTINCT subject_id) AS n FROM events");
    assert_eq!(records[0]["n"], 1, "{records}");

    // The same instance with other meta information, as a listener keeps it; and all of it in an archive.
    let bytes = fixture("ct.dcm");
    let start = bytes.windows(8).position(|w| w == b"\x08\0\x05\0CS\x0a\0").unwrap();
    let meta = b"\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0";
    let length = (meta.len() as u32).to_le_bytes();
    let received = [&[0; 128][..], b"DICM\x02\0\0\0UL\x04\0", &length, meta, &bytes[start..]].concat();
    toy.write("inbox/dicom-1.dcm", received);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["ct.dcm", "ct_deflated.dcm", "ecg.dcm"] {
        zip.start_file(format!("deep/{name}"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&fixture(name)).unwrap();
    }
    toy.write("again.zip", zip.finish().unwrap().into_inner());
    let again = ingest(&["inbox", "again.zip", "export"]);
    assert_eq!((&again["totals"]["events"], &again["totals"]["rejected"]), (&0.into(), &0.into()), "{again}");
    assert_eq!(again["totals"]["entries"], 0, "{again}");
}

#[test]
fn check_ends_with_one_where_an_instance_breaks_dicom() {
    let toy = filled();
    let output = succeeds(&toy.chiasm(&["check", "export/ct.dcm", "disc/DICOMDIR"]));
    assert!(output.contains("DICOM, valid") && output.contains("CT Image Storage"), "{output}");
    let whole = fixture("ct.dcm");
    toy.write("cut.dcm", &whole[..whole.len() - 20]);
    toy.write("preamble.dcm", [&[0; 128][..], b"DICM"].concat());
    for name in ["cut.dcm", "preamble.dcm"] {
        assert!(Path::new(&toy.path(name)).is_file());
        assert_eq!(toy.chiasm(&["check", name]).status.code(), Some(1), "{name}");
    }
    // A file that is cut is taken with a finding; one without anything in it is refused.
    let done = json(&toy, &["ingest", "cut.dcm", "preamble.dcm", "--site", "plain", "--store", "s"]);
    assert_eq!((&done["totals"]["entries"], &done["totals"]["rejected"]), (&1.into(), &1.into()), "{done}");
    let open = json(&toy, &["quarantine", "list", "--store", "s"]);
    assert_eq!(open[0]["rule"], "dicom.empty", "{open}");
}
