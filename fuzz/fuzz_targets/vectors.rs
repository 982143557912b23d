#![no_main]

use chiasm_ingest::{Budget, parse_vectors};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_vectors("a.npz", bytes, &mut Budget::new(64 << 20));
});
