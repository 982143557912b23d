#![no_main]

use chiasm_ingest::feed::{Entry, Feed, Rejected, Source};
use chiasm_ingest::vcf;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let source = Source::memory("a", bytes.to_vec());
    let mut got: (Vec<Entry>, Vec<Rejected>) = Default::default();
    let _ = vcf::recognises(&bytes[..bytes.len().min(4096)], "a");
    let _ = vcf::read(&source, &Feed::utc("site"), &mut got);
    assert!(!got.0.is_empty() || !got.1.is_empty());
    let _ = vcf::check(&source);
});
