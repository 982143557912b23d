#![no_main]

use chiasm_ingest::dicom::{self, pixels};
use chiasm_ingest::feed::{Entry, Feed, Rejected, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let source = Source::memory("a", bytes.to_vec());
    let mut got: (Vec<Entry>, Vec<Rejected>) = Default::default();
    let _ = dicom::recognises(&bytes[..bytes.len().min(512)], "a");
    let _ = dicom::read(&source, &Feed::utc("site"), &mut got);
    let _ = dicom::check(&source);
    let _ = dicom::directory(&source);
    if let Ok(data) = dicom::open(&source) {
        let _ = pixels::palette(&data);
        let _ = dicom::frame(&data, 0);
    }
});
