//! Messages a second of `hl7::read` on one file; `tools/hl7_peer.sh` runs it beside those of others.

use chiasm_ingest::feed::{Entry, Feed, Rejected, Sink, SinkError, Source};
use std::path::PathBuf;

// As in the command line.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Default)]
struct Count {
    entries: usize,
    events: usize,
    rejected: usize,
}

impl Sink for Count {
    fn entry(&mut self, entry: Entry) -> Result<(), SinkError> {
        self.entries += 1;
        self.events += entry.events();
        Ok(())
    }

    fn reject(&mut self, _: Rejected) -> Result<(), SinkError> {
        self.rejected += 1;
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(std::env::args().nth(1).ok_or("usage: hl7_rate FILE")?);
    let mut count = Count::default();
    let start = std::time::Instant::now();
    chiasm_ingest::hl7::read(&Source::file(&path), &Feed::utc("site"), &mut count)?;
    let seconds = start.elapsed().as_secs_f64();
    let Count { entries, events, rejected } = count;
    println!(
        "chiasm: {entries} messages, {events} events, {rejected} rejected in {seconds:.2} s: {:.0}/s",
        entries as f64 / seconds
    );
    Ok(())
}
