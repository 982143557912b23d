//! Tables and vectors as they are, packed and addressed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fixtures;

use chiasm_ingest::{Budget, Error, parse_table, parse_vectors, read_table, read_table_within, read_vectors};
use fixtures::{CSV, TSV, gzip, npy, npz, parquet, tar, zip};
use std::path::PathBuf;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(self, name: &str, bytes: &[u8]) -> Self {
        std::fs::write(self.at(name), bytes).unwrap();
        self
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn error(&self, name: &str) -> Error {
        read_table(&self.at(name)).unwrap_err()
    }
}

#[test]
fn one_table_reads_the_same_however_it_is_packed() {
    let csv = CSV.as_bytes();
    let plain = parse_table("a.csv", csv, &mut Budget::default()).unwrap();
    assert_eq!((plain.rows, plain.columns.len()), (3, 3));
    let packed: [(&str, Vec<u8>, &str); 9] = [
        ("a.csv.gz", gzip(csv), "a.csv.gz"),
        ("b.csv.gz", [gzip(&csv[..20]), gzip(&csv[20..])].concat(), "b.csv.gz"),
        ("a.zip", zip(&[("t/a.csv", csv)]), "a.zip!/t/a.csv"),
        ("a.csv.zip", zip(&[("./a.csv.zip", csv)]), "a.csv.zip!/a.csv.zip"),
        ("g.zip", zip(&[("a.csv.gz", &gzip(csv))]), "g.zip!/a.csv.gz"),
        ("a.tar", tar(&[("a.csv", csv)]), "a.tar!/a.csv"),
        ("a.tar.gz", gzip(&tar(&[("a.csv", csv)])), "a.tar.gz!/a.csv"),
        ("a.tgz", gzip(&tar(&[("a.csv", csv)])), "a.tgz!/a.csv"),
        ("misnamed.csv", gzip(csv), "misnamed.csv"),
    ];
    for (name, bytes, origin) in packed {
        let table =
            parse_table(name, &bytes, &mut Budget::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(table.origin, origin);
        assert_eq!((&table.columns, &table.lines), (&plain.columns, &plain.lines), "{name}");
    }
}

#[test]
fn members_are_addressed_by_name() {
    let many = zip(&[("x/a.csv", CSV.as_bytes()), ("b.tsv", TSV.as_bytes()), ("c.parquet", &parquet())]);
    let nested = gzip(&tar(&[("in.zip", &many), ("notes.md", b"# x\n")]));
    let folder = Folder::new().with("many.zip", &many).with("nested.tar.gz", &nested);

    let table = read_table(&folder.at("many.zip!/b.tsv")).unwrap();
    assert_eq!((table.origin.as_str(), table.columns[0].name.as_str()), ("many.zip!/b.tsv", ""));
    assert_eq!(table.lines, [2, 3]);
    assert_eq!(read_table(&folder.at("many.zip!/./x/a.csv")).unwrap().rows, 3);
    assert_eq!(read_table(&folder.at("many.zip!/c.parquet")).unwrap().columns.len(), 6);
    let deep = read_table(&folder.at("nested.tar.gz!/in.zip!/x/a.csv")).unwrap();
    assert_eq!(deep.origin, "nested.tar.gz!/in.zip!/x/a.csv");

    let name = "many.zip: expected one member, found 3; name one as 'many.zip!/member'";
    assert_eq!(folder.error("many.zip").to_string(), name);
    let near = "many.zip: no member 'a.tsv'; the nearest name is 'b.tsv'";
    assert_eq!(folder.error("many.zip!/a.tsv").to_string(), near);
    assert!(matches!(folder.error("many.zip!/b.tsv!/c"), Error::WrongFormat { .. }));
}

#[test]
fn a_missing_file_names_the_nearest() {
    let folder = Folder::new().with("clinical.csv", CSV.as_bytes()).with("blood.csv", CSV.as_bytes());
    match folder.error("clinicl.csv") {
        Error::MissingFile { path, nearest } => {
            assert_eq!((path, nearest.as_deref()), (folder.at("clinicl.csv"), Some("clinical.csv")));
        }
        error => panic!("{error}"),
    }
    assert!(folder.error("nowhere/a.csv").to_string().ends_with("a.csv: no such file"));
    assert!(matches!(folder.error("gone.zip!/a.csv"), Error::MissingFile { .. }));
    assert!(matches!(read_table(folder.0.path()), Err(Error::Io { .. })));
}

#[test]
fn vectors_come_sorted_by_key_packed_or_not() {
    let bytes = npz(&[("b.npy", &[3.0, 4.0]), ("a.npy", &[1.0, 2.0])]);
    for (name, bytes) in
        [("v.npz", bytes.clone()), ("v.zip", bytes.clone()), ("w.zip", zip(&[("v.npz", &bytes)]))]
    {
        let vectors = parse_vectors(name, &bytes, &mut Budget::default()).unwrap();
        assert_eq!((vectors.keys.as_slice(), vectors.width), (&["a".to_owned(), "b".to_owned()][..], 2));
        assert_eq!((vectors.row(0), vectors.row(1)), (&[1.0, 2.0][..], &[3.0, 4.0][..]));
    }
    let folder = Folder::new().with("many.zip", &zip(&[("v.npz", &bytes), ("a.csv", CSV.as_bytes())]));
    assert_eq!(read_vectors(&folder.at("many.zip!/v.npz")).unwrap().origin, "many.zip!/v.npz");
}

#[test]
fn bad_vectors_are_named_by_their_place_not_their_patient() {
    let message =
        |bytes: &[u8]| parse_vectors("v.npz", bytes, &mut Budget::default()).unwrap_err().to_string();
    let whole = npy(&[2], &[1.0, 2.0]);
    let cases: [(Vec<u8>, &str); 6] = [
        (
            npz(&[("P7.npy", &[1.0, 2.0]), ("P8.npy", &[1.0])]),
            "v.npz, member 2: expected 2 values as in member 1, found 1",
        ),
        (
            npz(&[("P7.npy", &[1.0, f32::NAN])]),
            "v.npz, member 1: expected finite 32-bit numbers, found another at position 2",
        ),
        (
            zip(&[("P7.npy", &npy(&[1, 2], &[1.0, 2.0]))]),
            "v.npz, member 1: expected one dimension, found 2 dimensions",
        ),
        (
            zip(&[("P7.npy", &whole), ("P8.txt", b"x")]),
            "v.npz, member 2: expected an array called KEY.npy, found a member of another name",
        ),
        (
            zip(&[("P7.npy", &whole), ("./P7.npy", &whole)]),
            "v.npz, members 1 and 2: two members have the same name",
        ),
        (zip(&[]), "v.npz: empty; expected one array per key"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(message(&bytes), expected);
    }
}

#[test]
fn two_members_of_one_name_are_refused() {
    // No writer makes this; the second name is altered to the first in both directories of the archive.
    let mut bytes = npz(&[("P7.npy", &[1.0]), ("P8.npy", &[2.0])]);
    let at: Vec<usize> = (0..bytes.len() - 6).filter(|&i| &bytes[i..i + 6] == b"P8.npy").collect();
    assert_eq!(at.len(), 2);
    for i in at {
        bytes[i + 1] = b'7';
    }
    let result = parse_vectors("v.npz", &bytes, &mut Budget::default());
    assert!(matches!(result, Err(Error::DuplicateMember { .. })), "{result:?}");
}

#[test]
fn tables_and_vectors_are_not_mistaken_for_each_other() {
    let vectors = npz(&[("a.npy", &[1.0])]);
    let error = parse_table("v.npz", &vectors, &mut Budget::default()).unwrap_err();
    assert_eq!(error.to_string(), "v.npz: expected a table, found NPZ");
    let error = parse_vectors("a.csv", CSV.as_bytes(), &mut Budget::default()).unwrap_err();
    assert_eq!(error.to_string(), "a.csv: expected NPZ, found delimited text");
}

#[test]
fn bombs_stop_at_the_budget() {
    let zeros = vec![b'0'; 8 << 20];
    for (name, bytes) in
        [("a.zip", zip(&[("a.csv", &zeros)])), ("a.tar.gz", gzip(&tar(&[("a.csv", &zeros)])))]
    {
        assert!(bytes.len() < 64 << 10);
        let folder = Folder::new().with(name, &bytes);
        let result = read_table_within(&folder.at(name), Budget::new(1 << 20));
        assert!(matches!(result, Err(Error::TooLarge { limit: 1_048_576, .. })), "{name}");
    }
    let mut onion = CSV.as_bytes().to_vec();
    for _ in 0..20 {
        onion = gzip(&onion);
    }
    assert!(matches!(parse_table("a.gz", &onion, &mut Budget::default()), Err(Error::TooDeep { .. })));
}
