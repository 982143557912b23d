#![no_main]

use chiasm_ingest::{Budget, gzip};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = gzip::unpack("a", bytes, &mut Budget::new(64 << 20));
});
