#![no_main]

use chiasm_ingest::{Budget, tar};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = tar::unpack("a", bytes, None, &mut Budget::new(64 << 20));
});
