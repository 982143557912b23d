//! Files that are cut off, of another kind, or hostile.

use crate::toy::{Toy, succeeds};
use std::io::Write;
use zip::write::SimpleFileOptions;

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// NPY version 1 of 32-bit numbers, as NumPy writes it.
fn npy(values: &[f32]) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({},), }}", values.len());
    let header = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
    bytes
}

/// The toy with the genes in a zip archive.
fn with_zip() -> (Toy, Vec<u8>) {
    let toy = Toy::new();
    let bytes = zipped(&[("inside/genes.csv", &toy.bytes("data/genes.csv"))]);
    toy.remove("data/genes.csv");
    toy.edit("site/site.toml", "file = \"genes.csv\"", "file = \"genes.zip!/inside/genes.csv\"");
    (toy, bytes)
}

/// The toy with the genes as vectors in an NPZ archive.
fn with_npz() -> (Toy, Vec<u8>) {
    let toy = Toy::new();
    let members: Vec<(String, Vec<u8>)> = toy
        .rows("data/genes.csv")
        .iter()
        .map(|row| {
            let values: Vec<f32> = ["g1", "g2", "g3", "g4"].iter().map(|g| row[*g].parse().unwrap()).collect();
            (format!("{}.npy", row["id"]), npy(&values))
        })
        .collect();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    toy.edit("site/site.toml", "file = \"genes.csv\"", "file = \"genes.npz\"\nvectors = true");
    toy.edit(
        "site/site.toml",
        "columns = [{ table = \"genes\", names = [\"g*\"], kind = \"numeric\" }]",
        "bag.slots = [{ name = \"genes\", table = \"genes\" }]",
    );
    toy.edit("recipe/recipe.toml", "{ kind = \"forest\", trees = 20, min_leaf = 4 }", "{ kind = \"ridge\", penalties = [3], bag = \"summary\" }");
    toy.edit("recipe/recipe.toml", "penalties = [3] }\n", "penalties = [3] }\nmodalities = [\"clinical\", \"labs\"]\n");
    (toy, zipped(&members))
}

#[test]
fn a_zip_archive_whole_and_cut_off() {
    let (toy, bytes) = with_zip();
    for cut in [0, 10, bytes.len() / 2, bytes.len() - 5] {
        toy.write("data/genes.zip", &bytes[..cut]);
        toy.refuses_at_once(&["data/genes.zip"]);
    }
    toy.write("data/genes.zip", &bytes);
    toy.edit("site/site.toml", "inside/genes.csv", "inside/gene.csv");
    toy.refuses_at_once(&["data/genes.zip", "no member 'inside/gene.csv'", "inside/genes.csv"]);
    toy.edit("site/site.toml", "inside/gene.csv", "inside/genes.csv");
    succeeds(&toy.run());
}

#[test]
fn an_npz_archive_whole_and_cut_off() {
    let (toy, bytes) = with_npz();
    for cut in [0, 10, bytes.len() / 2, bytes.len() - 5] {
        toy.write("data/genes.npz", &bytes[..cut]);
        toy.refuses_at_once(&["data/genes.npz"]);
    }
    toy.write("data/genes.npz", &bytes);
    succeeds(&toy.run());
    // In prediction too.
    toy.write("data/genes.npz", &bytes[..bytes.len() / 2]);
    toy.refused(&toy.predict(), &["data/genes.npz"]);
}

#[test]
fn an_npz_archive_with_numbers_that_are_not_finite_or_of_another_width() {
    let (toy, _) = with_npz();
    toy.write("data/genes.npz", zipped(&[("a.npy", &npy(&[1.0, 2.0])), ("b.npy", &npy(&[f32::NAN, 2.0]))]));
    toy.refuses_at_once(&["data/genes.npz, member 2", "finite", "position 1"]);
    toy.write("data/genes.npz", zipped(&[("a.npy", &npy(&[1.0, 2.0])), ("b.npy", &npy(&[1.0]))]));
    toy.refuses_at_once(&["data/genes.npz, member 2", "expected 2 values", "found 1"]);
}

#[test]
fn a_parquet_file_whole_and_cut_off() {
    // The predictions of a first run are a Parquet file with one row a subject.
    let toy = Toy::new();
    toy.edit("recipe/recipe.toml", "repeats = 2", "repeats = 1");
    succeeds(&toy.run_into("first"));
    let bytes = toy.bytes("first/predictions.parquet");
    toy.edit("site/site.toml", "file = \"genes.csv\"", "file = \"genes.parquet\"\nkey = \"subject\"");
    toy.edit("site/site.toml", "names = [\"g*\"]", "names = [\"genes\"]");
    for cut in [0, 4, bytes.len() / 2, bytes.len() - 1] {
        toy.write("data/genes.parquet", &bytes[..cut]);
        toy.refuses_at_once(&["data/genes.parquet"]);
    }
    toy.write("data/genes.parquet", &bytes);
    succeeds(&toy.run());
}

#[test]
fn a_gzip_file_whole_and_cut_off() {
    let toy = Toy::new();
    let packed = toy.path("data/genes.csv.gz");
    let status = std::process::Command::new("gzip").arg("-n").arg(toy.path("data/genes.csv")).status();
    if !status.is_ok_and(|s| s.success()) {
        eprintln!("SKIPPED: no gzip program here");
        return;
    }
    toy.edit("site/site.toml", "file = \"genes.csv\"", "file = \"genes.csv.gz\"");
    let bytes = std::fs::read(packed).unwrap();
    for cut in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        toy.write("data/genes.csv.gz", &bytes[..cut]);
        toy.refuses_at_once(&["data/genes.csv.gz"]);
    }
    toy.write("data/genes.csv.gz", &bytes);
    succeeds(&toy.run());
}

#[test]
fn files_of_another_kind() {
    for bytes in [&b""[..], b"\n\n\n", b"PAR1", b"\x00\x01\x02\xff\xfe", b"\"open quote\nid,g1\n"] {
        let toy = Toy::new();
        toy.write("data/genes.csv", bytes);
        toy.refuses_at_once(&["data/genes.csv"]);
    }
    let toy = Toy::new();
    toy.remove("data/genes.csv");
    std::fs::create_dir(toy.path("data/genes.csv")).unwrap();
    toy.refuses_at_once(&["data/genes.csv"]);
}
