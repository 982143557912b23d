#![no_main]

use chiasm_ingest::{Budget, npz};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(vectors) = npz::parse("a", bytes, &mut Budget::new(64 << 20)) {
        assert_eq!(vectors.values.len(), vectors.keys.len() * vectors.width);
        assert!(vectors.values.iter().all(|v| v.is_finite()));
    }
});
