//! The rules of the house that a compiler does not check: who may import whom, where parsers, sockets
//! and clocks may be, how long a file may get.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The floor of each crate; imports go to lower floors only.
const FLOORS: [(&str, u32); 14] = [
    ("chiasm-record", 0),
    ("chiasm-linkage", 1),
    ("chiasm-store", 1),
    ("chiasm-consent", 1),
    ("chiasm-ingest", 2),
    ("chiasm-cohort", 2),
    ("chiasm-learn", 3),
    ("chiasm-evaluate", 3),
    ("chiasm-federated", 3),
    ("chiasm-exchange", 4),
    ("chiasm-pipeline", 4),
    ("chiasm", 5),
    ("chiasm-server", 5),
    ("chiasm-python", 5),
];
/// Outside the house: development and demonstration, imported by tests and examples alone.
const OUTSIDE: &str = "chiasm-synth";
/// What it writes a synthetic hospital's exports with: it makes files of every format and reads none.
const WRITTEN: [&str; 7] =
    ["arrow", "csv", "dicom-core", "dicom-dictionary-std", "dicom-object", "flate2", "parquet"];
/// The fronts, and what they speak to other systems with: the only ones with an async runtime and a socket.
const FRONTS: [&str; 4] = ["chiasm", "chiasm-server", "chiasm-python", "chiasm-exchange"];
/// Names (or beginnings, with `*`) of what only some may depend on, and who.
const RESERVED: [(&[&str], &[&str]); 9] = [
    (&["candle*", "gemm", "pulp"], &["chiasm-learn"]),
    // The pipeline has no parser of its own: it writes predictions.parquet (arrow, parquet) and the
    // answers of `predict` (csv). `code_that_reads_formats_is_in_ingest` looks at what it calls.
    (&["csv"], &["chiasm-ingest", "chiasm-pipeline"]),
    // The store's own files are Parquet.
    (&["parquet", "arrow*"], &["chiasm-ingest", "chiasm-pipeline", "chiasm-store"]),
    (&["datafusion*", "object_store"], &["chiasm-store"]),
    (&["npyz", "zip", "flate2", "tar", "dicom-core", "dicom-d*", "dicom-o*", "dicom-p*"], &["chiasm-ingest"]),
    (&["noodles*", "hl7*", "tiff", "nifti"], &["chiasm-ingest"]),
    // What goes over the wire around an instance: PDUs and names of transfer syntaxes.
    (&["dicom-encoding", "dicom-transfer*", "dicom-ul"], &["chiasm-exchange"]),
    (&["tokio", "axum*", "hyper*", "tonic*", "tower*", "async-std", "smol", "mio"], &FRONTS),
    // Who learns cannot name a person.
    (&["chiasm-linkage"], &["chiasm-ingest", "chiasm-pipeline"]),
];
/// Whether a recipe without README.md or golden.json fails, or is told only.
const RECIPES_ARE_COMPLETE: bool = true;
/// The most lines of a file before its tests; a longer one says why on its first line.
const LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The workspace's packages by name.
fn packages() -> BTreeMap<String, Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|p| (p["name"].as_str().unwrap().to_owned(), p.clone())).collect()
}

/// The names of what a package depends on, tests and benches left out.
fn dependencies(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|d| d["kind"] != "dev").map(|d| d["name"].as_str().unwrap().to_owned()).collect()
}

/// Every source file of a crate below `src`, with its text before the tests module.
fn sources(name: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("crates").join(name).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs")
                && path.file_stem().is_some_and(|s| s != "tests")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
                files.push((path.strip_prefix(root()).unwrap().to_path_buf(), code));
            }
        }
    }
    files.sort();
    files
}

/// The lines of code (no comments) of a crate that hold one of `words`.
fn lines_with(name: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, code) in sources(name) {
        for (i, line) in code.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|w| code.contains(w)) {
                found.push(format!("{}:{}: {}", path.display(), i + 1, line.trim()));
            }
        }
    }
    found
}

fn floor(name: &str) -> Option<u32> {
    FLOORS.iter().find(|(n, _)| *n == name).map(|(_, floor)| *floor)
}

#[test]
fn imports_go_to_lower_floors_only() {
    for (name, package) in packages() {
        let Some(own) = floor(&name) else {
            assert_eq!(name, OUTSIDE, "{name} stands on no floor: give it one here and in ARCHITECTURE.md");
            continue;
        };
        for dependency in dependencies(&package).iter().filter(|d| d.starts_with("chiasm")) {
            let theirs = floor(dependency);
            // Development and demonstration may be shown by a front.
            let shown = dependency == OUTSIDE && FRONTS.contains(&name.as_str());
            assert!(
                shown || theirs.is_some_and(|t| t < own),
                "{name} (floor {own}) imports {dependency} ({theirs:?})"
            );
        }
    }
}

#[test]
fn frameworks_parsers_and_sockets_stay_where_they_belong() {
    for (name, package) in packages() {
        for dependency in dependencies(&package) {
            for (patterns, allowed) in RESERVED {
                let fits = |p: &&str| {
                    p.strip_suffix('*').map_or(dependency == **p, |start| dependency.starts_with(start))
                };
                let here = allowed.contains(&name.as_str())
                    || (name == OUTSIDE && WRITTEN.contains(&dependency.as_str()));
                assert!(
                    here || !patterns.iter().any(fits),
                    "{name} depends on {dependency}; only {allowed:?} may"
                );
            }
        }
    }
}

#[test]
fn code_that_reads_formats_is_in_ingest() {
    let readers = [
        "csv::Reader",
        "ReaderBuilder",
        "ParquetRecordBatchReader",
        "SerializedFileReader",
        "ZipArchive",
        "NpyFile",
    ];
    for name in packages().keys().filter(|n| *n != "chiasm-ingest") {
        let mut found = lines_with(name, &readers);
        // The store reads its own files, and merges them.
        found.retain(|line| {
            !["parts.rs", "merge.rs"].iter().any(|f| line.contains(&format!("chiasm-store/src/{f}")))
        });
        assert!(found.is_empty(), "formats are read in chiasm-ingest alone: {found:#?}");
    }
}

#[test]
fn there_is_no_socket_below_the_pipeline() {
    let sockets = ["std::net", "TcpStream", "UdpSocket", "ureq", "reqwest"];
    for name in packages().keys().filter(|n| floor(n).is_some_and(|f| f < 4)) {
        let found = lines_with(name, &sockets);
        assert!(found.is_empty(), "{found:#?}");
    }
    // The pipeline fetches public data sets, in one file.
    let found = lines_with("chiasm-pipeline", &sockets);
    assert!(found.iter().all(|line| line.contains("src/dataset.rs")), "{found:#?}");
}

#[test]
fn below_the_pipeline_there_is_no_clock_no_environment_and_no_unseeded_randomness() {
    let words = [
        "SystemTime",
        "Instant::now",
        "env::var",
        "env::args",
        "thread_rng",
        "rand::rng()",
        "from_os_rng",
        "from_entropy",
        "OsRng",
        "RandomState::new",
        "Utc::now",
        "Local::now",
    ];
    for name in packages().keys().filter(|n| floor(n).is_none_or(|f| f < 4)) {
        let found = lines_with(name, &words);
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn nothing_is_left_to_do_later() {
    for name in packages().keys() {
        let found = lines_with(name, &["todo!", "unimplemented!", "dbg!("]);
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn a_long_file_says_why() {
    let mut long = Vec::new();
    for name in packages().keys() {
        for (path, code) in sources(name) {
            let (lines, first) = (code.lines().count(), code.lines().next().unwrap_or_default());
            if lines > LINES && !first.to_lowercase().contains("long") {
                long.push(format!("{}: {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "split, or begin with a line that says why it is long: {long:#?}");
}

#[test]
fn every_recipe_has_its_papers() {
    let mut missing = Vec::new();
    for entry in std::fs::read_dir(root().join("recipes")).unwrap() {
        let folder = entry.unwrap().path();
        assert!(folder.join("recipe.toml").is_file(), "{} has no recipe.toml", folder.display());
        for paper in ["README.md", "golden.json"].iter().filter(|p| !folder.join(p).is_file()) {
            missing.push(format!("{}/{paper}", folder.file_name().unwrap().display()));
        }
    }
    missing.sort();
    if !missing.is_empty() {
        eprintln!("recipes without their papers: {missing:#?}");
    }
    assert!(missing.is_empty() || !RECIPES_ARE_COMPLETE, "{missing:#?}");
}

#[test]
fn recipes_and_sites_keep_to_their_own() {
    // A recipe holds no path of one hospital; a site holds no clinical question.
    for (folder, file, words) in [
        ("recipes", "recipe.toml", &[".csv", ".npz", ".parquet", ".tsv", ".zip"][..]),
        ("sites", "site.toml", &["[[fusions]]", "question =", "experts =", "[task]"][..]),
    ] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path().join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            for word in words {
                assert!(!text.contains(word), "{} holds `{word}`", path.display());
            }
        }
    }
}
