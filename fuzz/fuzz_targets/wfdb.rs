#![no_main]

use chiasm_ingest::feed::{Entry, Feed, Rejected, Source};
use chiasm_ingest::wfdb;
use libfuzzer_sys::fuzz_target;

// The first line break that doubles parts the header from the file of samples that it may name, `a.dat`,
// which serves as its annotations too.
fuzz_target!(|bytes: &[u8]| {
    let folder = std::env::temp_dir().join(format!("fuzz-wfdb-{}", std::process::id()));
    let at = bytes.windows(2).position(|w| w == b"\n\n").map_or(bytes.len(), |i| i + 1);
    let (header, data) = bytes.split_at(at);
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("a.hea"), header))
        .and_then(|()| std::fs::write(folder.join("a.dat"), data))
        .and_then(|()| std::fs::write(folder.join("a.atr"), data));
    if written.is_err() {
        return;
    }
    let source = Source::file(&folder.join("a.hea"));
    let mut got: (Vec<Entry>, Vec<Rejected>) = Default::default();
    let _ = wfdb::recognises(header, "a.hea");
    let _ = wfdb::read(&source, &Feed::utc("site"), &mut got);
    let _ = wfdb::check(&source);
});
