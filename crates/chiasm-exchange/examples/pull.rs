//! The pulls alone, for trying them against other servers: `tools/pull_peers.sh`.
//!
//! `pull INBOX dicomweb URL [MODALITY]` and `pull INBOX fhir URL QUERY`; prints what came. What an earlier run kept is
//! not fetched again.

use std::cell::RefCell;
use std::path::PathBuf;

use chiasm_exchange::inbox::Inbox;
use chiasm_exchange::pull::{Client, ClientOptions, DicomWeb, Fhir, Ledger, Login, StudyQuery};

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
        let ledger = RefCell::new(Ledger::open(&PathBuf::from(folder), url)?);
        let query = StudyQuery { modality: rest.first().cloned(), ..StudyQuery::default() };
        DicomWeb::new(client, 20).pull(&query, &inbox, &|uid| ledger.borrow().has(uid), &mut |uid, _| {
            let _ = ledger.borrow_mut().add(uid);
        })?
    };
    println!("{pulled:?}");
    Ok(())
}
