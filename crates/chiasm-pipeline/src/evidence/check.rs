//! What a file is, and what is wrong with it.

use crate::Error;
use chiasm_ingest::Budget;
pub use chiasm_ingest::feed::{Checked, Fault, Severity};
use chiasm_ingest::feed::{FeedFormat, Packing, Source, unpack};
use std::path::Path;

/// Bytes that a packed file may unpack to at most, over all its layers.
const UNPACKED: u64 = 16 << 30;

/// Checks a file by the rules of its standard. A file that is packed is checked inside.
///
/// # Errors
/// [`Error::Missing`] where there is no such file. A file that is no format that is known, or that cannot
/// be read, is told as a fault.
pub fn check(path: &Path) -> Result<Checked, Error> {
    if !path.is_file() {
        let hint = if path.is_dir() { ": expected a file, found a folder" } else { "" };
        return Err(Error::Missing { path: path.to_owned(), hint: hint.to_owned() });
    }
    let source = Source::file(path);
    let mut budget = Budget::of_archive(source.len().unwrap_or(0), UNPACKED);
    Ok(inside(&source, &mut budget, 0))
}

fn inside(source: &Source, budget: &mut Budget, layer: usize) -> Checked {
    let unreadable = |format: &str, error: &dyn std::fmt::Display| {
        let mut checked = Checked::new(format, None);
        checked.fault(Severity::Error, "file.unreadable", "", error.to_string());
        checked
    };
    let head = match source.head(1 << 16) {
        Ok(head) => head,
        Err(error) => return unreadable("unknown", &error),
    };
    if let Some(format) = FeedFormat::of(&head, &source.origin) {
        return format.check(source).unwrap_or_else(|e| unreadable(format.name(), &e));
    }
    match Packing::of(&head) {
        Some(packing) if layer < 8 => archive(source, packing, budget, layer),
        _ => {
            let mut checked = Checked::new("unknown", None);
            let message = "expected a format that can be read, found another";
            checked.fault(Severity::Error, "format.unknown", "", message);
            checked
        }
    }
}

/// What is in an archive, told for its only member, or as a list of them.
fn archive(source: &Source, packing: Packing, budget: &mut Budget, layer: usize) -> Checked {
    let mut all = Checked::new("archive", None);
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            all.fault(Severity::Error, "file.unreadable", "", error.to_string());
            return all;
        }
    };
    let members = match unpack(source, packing, folder.path(), budget) {
        Ok(members) => members,
        Err(error) => {
            all.fault(Severity::Error, "file.damaged", "", error.to_string());
            return all;
        }
    };
    if let [only] = &members[..] {
        return inside(only, budget, layer + 1);
    }
    all.content("members", members.len());
    for member in &members {
        let checked = inside(member, budget, layer + 1);
        let name = member.origin.strip_prefix(source.origin.as_str()).unwrap_or(&member.origin);
        let name = name.trim_start_matches("!/");
        all.content(name, &checked.format);
        for fault in checked.faults {
            let place =
                if fault.place.is_empty() { name.to_owned() } else { format!("{name}, {}", fault.place) };
            all.faults.push(Fault { place, ..fault });
        }
    }
    all
}
