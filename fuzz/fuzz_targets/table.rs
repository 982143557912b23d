#![no_main]

use chiasm_ingest::{Budget, parse_table};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for name in ["a.csv", "a.txt", "a.tar"] {
        let _ = parse_table(name, bytes, &mut Budget::new(64 << 20));
    }
});
