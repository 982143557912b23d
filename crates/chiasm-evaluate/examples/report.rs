//! Writes made-up reports, to look at: `cargo run --release --example report -- FOLDER`.

#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use chiasm_evaluate::{Report, html, terminal};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder to write to")?;
    std::fs::create_dir_all(&folder)?;
    let empty = Report::new("nothing-yet", chiasm_record::TaskKind::Binary);
    for (name, report) in
        [("binary", support::binary(560)), ("survival", support::survival(560)), ("empty", empty)]
    {
        std::fs::write(format!("{folder}/{name}.html"), html::render(&report))?;
        std::fs::write(format!("{folder}/{name}.json"), report.to_json()?)?;
        println!("{}", terminal::table(&report));
    }
    Ok(())
}
