//! Cut and altered files: an error or a table, never a panic, never more memory than the budget.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod fixtures;

use chiasm_ingest::{Budget, Delimiter, delimited, gzip, npz, parquet, parse_table, parse_vectors, tar, zip};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

fn budget() -> Budget {
    Budget::new(16 << 20)
}

/// Every reader on the same bytes; whatever they answer, they must answer.
fn feed(name: &str, bytes: &[u8]) {
    let _ = parse_table(name, bytes, &mut budget());
    let _ = parse_vectors(name, bytes, &mut budget());
    for delimiter in [None, Some(Delimiter::Comma), Some(Delimiter::Tab)] {
        let _ = delimited::parse(name, bytes, delimiter, &mut budget());
    }
    let _ = parquet::parse(name, bytes, &mut budget());
    let _ = npz::parse(name, bytes, &mut budget());
    let _ = gzip::unpack(name, bytes, &mut budget());
    let _ = zip::unpack(name, bytes, None, &mut budget());
    let _ = tar::unpack(name, bytes, None, &mut budget());
}

#[test]
fn a_file_cut_anywhere_is_an_error_or_the_whole_table() {
    for (name, whole) in fixtures::all() {
        let binary = !matches!(name, "a.csv" | "a.tsv" | "a.txt");
        let table = parse_table(name, &whole, &mut budget()).ok();
        let vectors = parse_vectors(name, &whole, &mut budget()).ok();
        assert!(table.is_some() || vectors.is_some(), "{name}");
        for cut in 0..whole.len() {
            let part = &whole[..cut];
            feed(name, part);
            if !binary {
                continue;
            }
            // A tar ends in more empty blocks than it needs: cut among them, nothing is lost.
            if let Ok(found) = parse_table(name, part, &mut budget()) {
                assert!(
                    name == "a.tar" && table.as_ref() == Some(&found),
                    "{name} cut at {cut} of {}",
                    whole.len()
                );
            }
            assert!(
                parse_vectors(name, part, &mut budget()).is_err(),
                "{name} cut at {cut} of {}",
                whole.len()
            );
        }
    }
}

#[test]
fn altered_files_never_panic() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for (name, whole) in fixtures::all() {
        for _ in 0..400 {
            let mut bytes = whole.clone();
            for _ in 0..=rng.next_u32() % 4 {
                alter(&mut bytes, &mut rng);
            }
            feed(name, &bytes);
        }
    }
}

/// One change of the kinds that disks, networks and adversaries make.
fn alter(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let length = bytes.len().max(1);
    let mut place = || (rng.next_u64() % length as u64) as usize;
    let (at, other) = (place(), place());
    let value = rng.next_u32();
    match value % 6 {
        0 => bytes.truncate(at),
        1 => bytes.insert(at.min(bytes.len()), (value >> 8) as u8),
        2 => drop(bytes.drain(at.min(other).min(bytes.len())..at.max(other).min(bytes.len()))),
        3 => {
            let piece = bytes[at.min(other).min(bytes.len())..at.max(other).min(bytes.len())].to_vec();
            let to = at.min(bytes.len());
            bytes.splice(to..to, piece);
        }
        4 => {
            for byte in bytes.iter_mut().skip(at).take(4) {
                *byte = 0xff;
            }
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << (value >> 8 & 7);
            }
        }
    }
}
