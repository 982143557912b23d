#![no_main]

use chiasm_ingest::feed::{Entry, Feed, Rejected, Source};
use chiasm_ingest::actigraphy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let source = Source::memory("a", bytes.to_vec());
    let mut got: (Vec<Entry>, Vec<Rejected>) = Default::default();
    let _ = actigraphy::recognises(&bytes[..bytes.len().min(512)], "a");
    let _ = actigraphy::read(&source, &Feed::utc("site"), &mut got);
    let _ = actigraphy::check(&source);
});
