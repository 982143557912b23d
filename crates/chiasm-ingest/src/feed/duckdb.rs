//! A DuckDB database as the tables in it. DuckDB's own program writes them out: its reader, linked in, would be larger
//! than all of this program.

use super::Source;
use crate::{Budget, Error};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program, wherever the system finds it.
const PROGRAM: &str = "duckdb";

/// Whether a file that begins so is a DuckDB database.
pub(super) fn recognises(head: &[u8]) -> bool {
    head.get(8..12) == Some(b"DUCK")
}

/// Memory that it may use.
const MEMORY: &str = "1GB";

/// Writes every table as Parquet into `into`, a folder for each schema: `main/person.parquet`. The database is opened
/// read-only, and views are left out.
///
/// # Errors
/// [`Error::WrongFormat`] where there is no such program, with the way to do without; [`Error::Damaged`] where it
/// cannot read the database, or something has it open; [`Error::Io`] where the disk is full; [`Error::Outside`],
/// [`Error::TooLarge`].
pub(super) fn tables(
    source: &Source,
    into: &Path,
    budget: &mut Budget,
) -> Result<Vec<(String, PathBuf)>, Error> {
    let place = source.origin.as_str();
    let fault = |source| Error::Io { path: place.into(), source };
    let database = match source.path() {
        Some(path) => fs::canonicalize(path).map_err(fault)?,
        None => {
            let path = into.join("database");
            fs::write(&path, source.bytes(u64::MAX)?).map_err(fault)?;
            path
        }
    };
    let mut wal = database.clone().into_os_string();
    wal.push(".wal");
    let damaged =
        |found: String| Error::Damaged { place: place.to_owned(), expected: "a DuckDB database", found };
    if Path::new(&wal).exists() {
        return Err(damaged("one that is open: a .wal file beside it holds a part of it".to_owned()));
    }
    let attach = format!(
        "SET memory_limit = '{MEMORY}'; SET temp_directory = {}; ATTACH {} AS source (READ_ONLY)",
        literal(&into.join("spilled"))?,
        literal(&database)?
    );
    let list =
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'source' ORDER BY ALL";
    let listed = ask(place, &format!("{attach}; {list}"))?;
    #[derive(serde::Deserialize)]
    struct Listed {
        schema_name: String,
        table_name: String,
    }
    let damaged =
        |found: String| Error::Damaged { place: place.to_owned(), expected: "a DuckDB database", found };
    let listed: Vec<Listed> = match listed.trim_ascii() {
        b"" => Vec::new(),
        json => serde_json::from_slice(json).map_err(|e| damaged(e.to_string()))?,
    };
    let mut tables = Vec::new();
    for Listed { schema_name, table_name } in listed {
        let plain =
            |name: &str| !name.is_empty() && name != ".." && name != "." && !name.contains(['/', '\\', '\0']);
        if !plain(&schema_name) || !plain(&table_name) {
            return Err(Error::Outside { place: place.to_owned() });
        }
        let folder = into.join(&schema_name);
        fs::create_dir_all(&folder).map_err(fault)?;
        let path = folder.join(format!("{table_name}.parquet"));
        let from = [&schema_name, &table_name].map(|name| format!("\"{}\"", name.replace('"', "\"\"")));
        let sql = format!("{attach}; COPY source.{} TO {} (FORMAT parquet)", from.join("."), literal(&path)?);
        if let Err(error) = ask(place, &sql) {
            // A disk that is full is no damage of the database.
            fs::write(into.join("room"), vec![0; 1 << 20]).map_err(fault)?;
            return Err(error);
        }
        budget.spend(fs::metadata(&path).map_err(fault)?.len(), place)?;
        tables.push((format!("{schema_name}/{table_name}.parquet"), path));
    }
    Ok(tables)
}

/// A path as a text of SQL.
fn literal(path: &Path) -> Result<String, Error> {
    let text = path.to_str().ok_or_else(|| Error::Outside { place: path.to_string_lossy().into_owned() })?;
    Ok(format!("'{}'", text.replace('\'', "''")))
}

/// What the program answers, as JSON.
fn ask(place: &str, sql: &str) -> Result<Vec<u8>, Error> {
    let ran = Command::new(PROGRAM)
        .args(["-batch", "-no-init", "-json", "-bail", ":memory:", "-c", sql])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let answered = ran.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(place),
        _ => Error::Io { path: PROGRAM.into(), source: error },
    })?;
    // Its messages may hold what is in the database: they are not repeated.
    let failed = || Error::Damaged {
        place: place.to_owned(),
        expected: "a database that the installed DuckDB reads",
        found: "one that it refuses".to_owned(),
    };
    answered.status.success().then_some(answered.stdout).ok_or_else(failed)
}

fn missing(place: &str) -> Error {
    Error::WrongFormat {
        place: place.to_owned(),
        expected: "DuckDB's own program on the PATH, which writes its tables out (or a folder of them: \
                   duckdb FILE.duckdb -c \"EXPORT DATABASE 'FOLDER' (FORMAT parquet)\")",
        found: "a DuckDB database, and no program called duckdb",
    }
}
