#![no_main]

use chiasm_ingest::{Budget, Delimiter, delimited};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for delimiter in [None, Some(Delimiter::Comma)] {
        if let Ok(table) = delimited::parse("a", bytes, delimiter, &mut Budget::new(64 << 20)) {
            assert_eq!(table.lines.len(), table.rows);
            assert!(table.lines.is_sorted());
        }
    }
});
