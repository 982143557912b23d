//! Chiasm on the command line: thin glue over the pipeline.

mod cli;
mod commands;
mod progress;

use clap::Parser;

/// Training allocates and frees many tensors; mimalloc halves its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of anything that the user can put right: a missing file, a wrong column, a misspelt key.
const USER_ERROR: u8 = 2;

fn main() -> std::process::ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(&cli) {
        Ok(code) => code,
        Err(error) => {
            if cli.json {
                let text = serde_json::json!({ "error": format!("{error:#}") });
                println!("{text}");
            } else {
                eprintln!("chiasm: {error:#}");
            }
            std::process::ExitCode::from(USER_ERROR)
        }
    }
}
