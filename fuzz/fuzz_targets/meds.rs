#![no_main]

use chiasm_ingest::feed::{Entry, Feed, Rejected, Source};
use chiasm_ingest::meds;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for name in ["a/data/0.parquet", "metadata/dataset.json"] {
        let source = Source::memory(name, bytes.to_vec());
        let mut got: (Vec<Entry>, Vec<Rejected>) = Default::default();
        let _ = meds::recognises(&bytes[..bytes.len().min(1 << 16)], name);
        let _ = meds::read(&source, &Feed::utc("site"), &mut got);
        let _ = meds::check(&source);
    }
});
