#![no_main]

use chiasm_ingest::feed::{Feed, Source};
use chiasm_ingest::hl7;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let source = Source::memory("a", bytes.to_vec());
    let mut found = (Vec::new(), Vec::new());
    let read = hl7::read(&source, &Feed::utc("site"), &mut found);
    assert!(read.is_ok());
    let _ = hl7::check(&source);
    let _ = hl7::acknowledge(bytes, hl7::Acknowledgement::Error, "2024", "1", "");
});
