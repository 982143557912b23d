//! Small readers for tests: cohort may not import the crate that reads files (same floor).
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use chiasm_cohort::{Assembled, CohortSpec, Error, InputKind, Mode, Site, Sources, assemble, inputs};
use chiasm_record::{Cells, Column, Table, TaskKind, Vectors};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A table from comma-separated text.
pub fn table(origin: &str, text: &str) -> Table {
    delimited(origin, text.as_bytes(), b',')
}

fn delimited(origin: &str, bytes: &[u8], delimiter: u8) -> Table {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let mut cells: Vec<Vec<Box<str>>> = vec![Vec::new(); names.len()];
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.unwrap();
        lines.push(record.position().unwrap().line() as usize);
        record.iter().zip(&mut cells).for_each(|(cell, column)| column.push(cell.into()));
    }
    let columns = names
        .into_iter()
        .zip(cells)
        .map(|(name, c)| Column { name, cells: Cells::Text(c) })
        .collect::<Vec<_>>();
    Table { origin: origin.into(), columns, rows: lines.len(), lines }
}

pub fn read_table(path: &Path) -> Table {
    let mut bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    if name.ends_with(".gz") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
        bytes = plain;
    } else if name.ends_with(".zip") {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut plain = Vec::new();
        archive.by_index(0).unwrap().read_to_end(&mut plain).unwrap();
        bytes = plain;
    }
    delimited(&name, &bytes, if name.contains(".tsv") { b'\t' } else { b',' })
}

pub fn read_vectors(path: &Path) -> Vectors {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut names: Vec<String> = archive.file_names().map(|n| n.unwrap().into_owned()).collect();
    names.sort();
    let mut values = Vec::new();
    for name in &names {
        let mut bytes = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        values.extend(npyz::NpyFile::new(&bytes[..]).unwrap().into_vec::<f32>().unwrap());
    }
    let keys: Vec<String> = names.iter().map(|n| n.trim_end_matches(".npy").to_owned()).collect();
    let width = values.len() / keys.len();
    Vectors { origin: path.file_name().unwrap().to_str().unwrap().into(), keys, width, values }
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of a public set, or `None` with a loud word where it is not there.
pub fn data(set: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("CHIASM_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => root().join("../shared/data"),
    };
    let folder = folder.join(set);
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not there; this test needs the public set `{set}`", folder.display());
        return None;
    }
    Some(folder)
}

pub fn site(name: &str) -> Site {
    let path = root().join("sites").join(name).join("site.toml");
    Site::parse(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A spec with optional modalities.
pub fn spec(kind: TaskKind, outcome: &str, horizon: Option<f64>, modalities: &[&str]) -> CohortSpec {
    let wanted = |name: &&str| chiasm_cohort::Wanted { name: (*name).to_owned(), required: false };
    CohortSpec {
        index_time: "at diagnosis".into(),
        modalities: modalities.iter().map(wanted).collect(),
        task: chiasm_cohort::TaskSpec { kind, outcome: outcome.into(), horizon_years: horizon },
        subgroups: Vec::new(),
        folds: None,
    }
}

/// Reads the files that are there.
pub fn load(
    site: &Site,
    spec: &CohortSpec,
    mode: Mode<'_>,
    folder: &Path,
    parameters: &[(&str, &str)],
) -> Sources {
    let parameters: BTreeMap<String, String> =
        parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let mut sources = Sources::new();
    for input in inputs(site, spec, mode, &parameters).unwrap() {
        let path = folder.join(&input.path);
        if !path.exists() {
            continue;
        }
        match input.kind {
            InputKind::Table => sources.insert_table(input.name, read_table(&path)),
            InputKind::Vectors => sources.insert_vectors(input.name, read_vectors(&path)),
        }
    }
    sources
}

/// Training examples from a folder.
pub fn train(
    site: &Site,
    spec: &CohortSpec,
    folder: &Path,
    parameters: &[(&str, &str)],
) -> Result<Assembled, Error> {
    assemble(site, spec, &load(site, spec, Mode::Train, folder, parameters), Mode::Train)
}
