//! `genomics check FILE` says what is wrong with a VCF or BCF; `genomics read FILE` counts what is read.
//! For rates: see tools/vcf_peer.sh.

use chiasm_ingest::feed::{Entry, Feed, Rejected, Sink, SinkError, Source};
use chiasm_ingest::vcf;
use std::path::Path;

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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["check", file] => {
            let checked = vcf::check(&Source::file(Path::new(file)))?;
            for (name, value) in &checked.contents {
                println!("{name}: {value}");
            }
            for fault in &checked.faults {
                println!("{:?} {} {} {}", fault.severity, fault.rule, fault.place, fault.message);
            }
        }
        ["read", file] => {
            let mut count = Count::default();
            vcf::read(&Source::file(Path::new(file)), &Feed::utc("site"), &mut count)?;
            println!("entries {} events {} rejected {}", count.entries, count.events, count.rejected);
        }
        _ => return Err("usage: genomics check|read FILE".into()),
    }
    Ok(())
}
