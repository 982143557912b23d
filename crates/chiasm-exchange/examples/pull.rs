//! The pulls alone, for trying them against other servers: `tools/pull_peers.sh`.
//!
//! `pull INBOX dicomweb URL [MODALITY]` and `pull INBOX fhir URL QUERY`; prints what came. What an earlier run kept is
//! known by `INBOX.known`, one UID a line.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use chiasm_exchange::inbox::Inbox;
use chiasm_exchange::pull::{Client, ClientOptions, DicomWeb, Fhir, Login, StudyQuery};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, kind, url, rest @ ..] = &arguments[..] else {
        return Err("expected INBOX dicomweb|fhir URL".into());
    };
    let inbox = Inbox::open_objects(&PathBuf::from(folder))?;
    let client = Client::new(url, Login::Anonymous, ClientOptions::default())?;
    let pulled = if kind == "fhir" {
        let query = rest.first().ok_or("expected a query")?;
        Fhir::new(client).search(query, None, &inbox, &mut |_| {})?
    } else {
        let ledger = format!("{folder}.known");
        let known = std::fs::read_to_string(&ledger).unwrap_or_default();
        let known: BTreeSet<&str> = known.lines().collect();
        let mut ledger = std::fs::File::options().append(true).create(true).open(ledger)?;
        let query = StudyQuery { modality: rest.first().cloned(), ..StudyQuery::default() };
        DicomWeb::new(client, 20).pull(&query, &inbox, &|uid| known.contains(uid), &mut |uid, _| {
            let _ = writeln!(ledger, "{uid}");
        })?
    };
    println!("{pulled:?}");
    Ok(())
}
