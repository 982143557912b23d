//! Prints what the WFDB records in a folder hold, in the form of `tools/wfdb_peer.py`, so that the two can
//! be compared line by line.
//!
//!     cargo run --release -p chiasm-ingest --example wfdb_dump -- FOLDER

mod summary;

fn main() {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: wfdb_dump FOLDER");
        std::process::exit(2);
    };
    print!("{}", summary::of(std::path::Path::new(&folder)));
}
