//! Prints what the DICOM reader sees, for `tools/dicom_peer.py` to compare with pydicom.
//!
//!     dicom_dump dump FOLDER [FRAMES]   one JSON object a file; decoded frames as raw files in FRAMES
//!     dicom_dump rate FOLDER SECONDS    files per second through `read`
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_ingest::dicom::{self, DataSet, Element, Level, Number};
use chiasm_ingest::feed::{Feed, Source};
use dicom_core::{Tag, VR};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(&arguments[1]);
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    if arguments[0] == "rate" {
        rate(&files, arguments[2].parse().unwrap());
        return;
    }
    let frames = arguments.get(2).map(PathBuf::from);
    for file in files {
        let name = file.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        match dicom::open(&Source::file(&file)) {
            Ok(data) => {
                let elements = level(&data, data.root());
                let pixels = pixels(&data, frames.as_deref(), &name);
                println!("{}", json!({"file": name, "elements": elements, "pixels": pixels}));
            }
            Err(error) => println!("{}", json!({"file": name, "error": error.to_string()})),
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// Files per second through `read`, the store's part left out.
fn rate(files: &[PathBuf], seconds: u64) {
    let feed = Feed::utc("rate");
    let (start, mut read) = (Instant::now(), 0usize);
    while start.elapsed() < Duration::from_secs(seconds) {
        for file in files {
            let mut sink = (Vec::new(), Vec::new());
            dicom::read(&Source::file(file), &feed, &mut sink).unwrap();
            read += 1;
        }
    }
    println!("{} {}", read as f64 / start.elapsed().as_secs_f64(), read as f64 / processor_seconds());
}

/// Seconds of a processor that this process has taken, on Linux; elsewhere not known.
fn processor_seconds() -> f64 {
    let ticks = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    ticks.split(' ').next().and_then(|n| n.parse::<f64>().ok()).map_or(f64::NAN, |n| n / 1e9)
}

fn level(data: &DataSet, level: Level<'_>) -> Vec<Value> {
    level.elements().map(|e| element(data, e)).collect()
}

fn element(data: &DataSet, element: &Element) -> Value {
    let tag = format!("{:04X}{:04X}", element.tag.0, element.tag.1);
    let vr = element.vr.to_string();
    if element.vr == VR::SQ {
        let items: Vec<_> = data.items(element).map(|i| level(data, i)).collect();
        return json!({"tag": tag, "vr": vr, "items": items});
    }
    let held: Vec<_> = data.children(element).elements().map(|f| hex(&data.bytes(f))).collect();
    if !held.is_empty() {
        return json!({"tag": tag, "vr": vr, "fragments": held});
    }
    let bytes = data.bytes(element);
    let value = match element.vr {
        VR::US | VR::SS | VR::UL | VR::SL | VR::UV | VR::SV | VR::FL | VR::FD => {
            let number = |n: Number| match n {
                Number::Integer(n) => json!(i64::try_from(n).unwrap()),
                Number::Real(n) if n.is_finite() => json!(n),
                Number::Real(n) => json!(n.to_string()),
            };
            json!(data.numbers(element).into_iter().map(number).collect::<Vec<_>>())
        }
        VR::OB | VR::OW | VR::OD | VR::OF | VR::OL | VR::OV | VR::UN => json!(hex(&bytes)),
        VR::AT => {
            let tag = |t: &Tag| format!("({:04X},{:04X})", t.0, t.1);
            json!(data.tags(element).iter().map(tag).collect::<Vec<_>>())
        }
        _ => json!(data.text(element).0),
    };
    json!({"tag": tag, "vr": vr, "value": value, "raw": hex(&bytes)})
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn pixels(data: &DataSet, folder: Option<&Path>, name: &str) -> Value {
    let root = data.root();
    let frames =
        root.integer(dicom_dictionary_std::tags::NUMBER_OF_FRAMES).unwrap_or(1).clamp(1, 1000) as u32;
    let mut found = Vec::new();
    for number in 0..frames {
        match dicom::frame(data, number) {
            Ok(frame) => {
                let bytes = frame.values.to_le_bytes();
                if let Some(folder) = folder {
                    let file = format!("{}.{number}.raw", name.replace('/', "_"));
                    std::fs::write(folder.join(file), &bytes).unwrap();
                }
                let kind = format!("{:?}", frame.values);
                let kind = kind.split('(').next().unwrap().to_lowercase();
                let shape = [frame.rows, frame.columns, frame.samples];
                let hash = blake3::hash(&bytes).to_hex().to_string();
                found.push(json!({"shape": shape, "type": kind, "hash": hash}));
            }
            Err(error) => return json!({"error": error.to_string()}),
        }
    }
    json!(found)
}
