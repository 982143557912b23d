#![no_main]

use chiasm_ingest::{Budget, parquet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = parquet::parse("a", bytes, &mut Budget::new(64 << 20));
});
