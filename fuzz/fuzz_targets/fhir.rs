#![no_main]

use chiasm_ingest::feed::{Entry, Feed, Rejected, Source};
use chiasm_ingest::{fhir, json::Document};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut sink: (Vec<Entry>, Vec<Rejected>) = Default::default();
    let _ = fhir::read(&Source::memory("f", bytes.to_vec()), &Feed::utc("s"), &mut sink);
    let _ = fhir::check(&Source::memory("f", bytes.to_vec()));
    if let Ok(document) = Document::parse(bytes) {
        let text = document.root.to_text();
        assert_eq!(Document::parse(text.as_bytes()).map(|d| d.root), Ok(document.root));
    }
});
