//! Writes all tiles of a slide's level as raw RGB, one file, row of tiles after row of tiles, and prints its
//! shape, for `tools/slide_peer.sh`.
//!
//!     cargo run --release -p chiasm-ingest --example slide_dump -- SLIDE LEVEL OUT

use chiasm_ingest::feed::Source;
use chiasm_ingest::slide::Slide;
use std::error::Error;
use std::io::Write;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [slide, level, out] = arguments.as_slice() else {
        return Err("usage: slide_dump SLIDE LEVEL OUT".into());
    };
    let slide = Slide::open(&Source::file(std::path::Path::new(slide)))?;
    let at: usize = level.parse()?;
    let level = slide.levels().get(at).ok_or("no such level")?;
    let mut out = std::io::BufWriter::new(std::fs::File::create(out)?);
    for y in 0..level.rows() {
        for x in 0..level.columns() {
            out.write_all(&slide.tile(at, x, y)?.pixels)?;
        }
    }
    println!("{} {} {} {}", level.width, level.height, level.tile_width, level.tile_height);
    Ok(())
}
