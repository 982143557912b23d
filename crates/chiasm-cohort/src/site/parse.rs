//! Errors of a `site.toml` with line, key and nearest known key.

use crate::error::nearest;
use crate::{Error, Site};

/// Reads the text; does not check what it says.
pub(super) fn parse(text: &str) -> Result<Site, Error> {
    toml::from_str(text).map_err(|error| located(text, &error))
}

fn located(text: &str, error: &toml::de::Error) -> Error {
    let message = error.message().trim().to_owned();
    let start = error.span().map(|span| span.start);
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") || message.starts_with("unknown variant") {
        let found = quoted.next().unwrap_or_default().to_owned();
        let known: Vec<&str> = quoted.collect();
        let word = if message.starts_with("unknown field") { "key" } else { "value" };
        return Error::Site {
            line: start.map(|at| line_of(text, key_after(text, at, &found))),
            nearest: nearest(&found, known.iter().copied()),
            message: format!("unknown {word} `{found}`; expected one of {}", known.join(", ")),
        };
    }
    Error::Site { line: start.map(|at| line_of(text, at)), message, nearest: None }
}

/// Where the key itself stands: some errors only know the table that it is in.
fn key_after(text: &str, start: usize, key: &str) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    rest.match_indices(key)
        .find(|(at, _)| {
            rest[at + key.len()..]
                .trim_start_matches(['"', '\'', ' '])
                .starts_with(['=', ']', '.', ',', '\n'])
        })
        .map_or(start, |(at, _)| start + at)
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}
