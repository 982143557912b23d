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

/// Exit code where nobody reads the answer any more (`chiasm ... | head`): a shell's own for SIGPIPE.
const BROKEN_PIPE: i32 = 141;

fn main() -> std::process::ExitCode {
    tell_of_panics_without_their_words();
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

/// What a panic says: where, and never what. Its message may hold what was being read.
///
/// `println!` panics where the reader has gone; that is no mistake of this program.
fn tell_of_panics_without_their_words() {
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if message.starts_with("failed printing to stdout") && message.contains("os error 32") {
            std::process::exit(BROKEN_PIPE);
        }
        let place = panic.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        eprintln!("chiasm: a fault of this program{place}; please report it");
    }));
}
