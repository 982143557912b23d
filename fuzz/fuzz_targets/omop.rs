#![no_main]

use chiasm_ingest::feed::{Entry, Feed, Rejected, Source};
use chiasm_ingest::omop;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for name in ["person.csv", "measurement.csv", "drug_exposure.parquet"] {
        let source = Source::memory(name, bytes.to_vec());
        let mut got: (Vec<Entry>, Vec<Rejected>) = Default::default();
        let _ = omop::recognises(&bytes[..bytes.len().min(1 << 16)], name);
        let _ = omop::read(&source, &Feed::utc("site"), &mut got);
        let _ = omop::check(&source);
    }
});
