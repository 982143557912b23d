//! `chiasm pull`: what a PACS or an EHR server has, fetched into the inbox and read in.

use super::evidence::{say, secret};
use super::listen::read_in;
use crate::cli::{Cli, PullArgs, PullCommand};
use crate::progress::Bars;
use anyhow::{Result, bail};
use chiasm_exchange::inbox::Inbox;
use chiasm_exchange::pull::{
    BackendService, Bookmark, Client, ClientOptions, DicomWeb, Export, Fhir, Ledger, Level, Login, Page,
    Pulled, SecretSource, StudyQuery,
};
use chiasm_pipeline::Progress;
use chiasm_pipeline::evidence::{inbox as reading, site::IngestSite, store};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// Studies asked for at a time.
const PAGE: usize = 100;
/// How long a server may prepare an export.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);

/// Pulls and reads in.
///
/// # Errors
/// What the server answers, or where the store cannot be written.
pub fn run(cli: &Cli, command: &PullCommand, bars: &Bars) -> Result<()> {
    let common = match command {
        PullCommand::Dicomweb { common, .. } | PullCommand::Fhir { common, .. } => common,
    };
    let site = IngestSite::open(&common.site)?;
    drop(store::create(&common.store, secret()?)?);
    let inbox = Inbox::open_objects(&reading::folder(&common.store))?;
    let options = ClientOptions { allowed_hosts: common.allow_host.clone(), ..Default::default() };
    let client = Client::new(&common.url, login(common)?, options)?;
    let pulled = fetch(command, client, &inbox, bars);
    // What came before a failure is durable, and not asked for again.
    let events = read_in(&common.store, &site)?;
    let pulled = pulled?;
    let answer = json!({
        "files": pulled.kept, "new": pulled.new, "bytes": pulled.bytes, "had": pulled.had,
        "missing": pulled.missing, "events": events,
    });
    let words = format!(
        "{} files pulled, {} of them new, {} known from an earlier pull, {} that the server named and did not give; \
         {events} new events",
        pulled.kept, pulled.new, pulled.had, pulled.missing
    );
    say(cli, answer, &words);
    Ok(())
}

/// Fetches into the inbox.
fn fetch(command: &PullCommand, client: Client, inbox: &Inbox, bars: &Bars) -> Result<Pulled> {
    Ok(match command {
        PullCommand::Dicomweb { common, dates, patient, modality, study, again } => {
            let ledger = Ledger::open(&reading::folder(&common.store), &common.url)?;
            let (ledger, mut noted) = (RefCell::new(ledger), Ok(()));
            let query = StudyQuery {
                dates: dates.clone(),
                patient: patient.clone(),
                modality: modality.clone(),
                study: study.clone(),
            };
            let count = Cell::new(0_u64);
            let has = |uid: &str| !again && ledger.borrow().has(uid);
            let pulled = DicomWeb::new(client, PAGE).pull(&query, inbox, &has, &mut |uid, _| {
                if let Err(error) = ledger.borrow_mut().add(uid) {
                    noted = Err(error);
                }
                count.set(count.get() + 1);
                if count.get().is_multiple_of(100) {
                    bars.say(&format!("{} instances", count.get()));
                }
            })?;
            noted?;
            pulled
        }
        PullCommand::Fhir { common, search: queries, since, export, types, group, again } => {
            let fhir = Fhir::new(client);
            let bookmark = |asked: &str| {
                let mark =
                    Bookmark::open(&reading::folder(&common.store), &format!("{} {asked}", common.url))?;
                if *again {
                    mark.clear();
                }
                Ok::<_, chiasm_exchange::Error>(mark)
            };
            let mut all = Pulled::default();
            if *export {
                let level = group.clone().map_or(Level::Patient, Level::Group);
                let export = Export { level, types: types.clone(), since: since.clone(), patience: PATIENCE };
                all = fhir.export(&export, inbox, Some(&bookmark(&format!("{export:?}"))?))?;
            } else if queries.is_empty() {
                bail!("expected --export, or --search such as 'Observation?code=718-7'");
            }
            for query in queries {
                let mark = bookmark(&format!("{query} {since:?}"))?;
                let pulled = search(&fhir, query, since.as_deref(), inbox, &mark, bars)?;
                all.kept += pulled.kept;
                all.new += pulled.new;
                all.bytes += pulled.bytes;
                all.missing += pulled.missing;
            }
            all
        }
    })
}

/// One search, from where it was stopped if the server still knows that.
fn search(
    fhir: &Fhir,
    query: &str,
    since: Option<&str>,
    inbox: &Inbox,
    mark: &Bookmark,
    bars: &Bars,
) -> Result<Pulled> {
    let mut noted = Ok(());
    let mut on_page = |page: &Page<'_>| {
        bars.say(&format!("{} resources", page.resources));
        match page.next {
            Some(next) => noted = mark.set(next),
            None => mark.clear(),
        }
    };
    let resumed = mark.place().map(|place| fhir.resume(&place, inbox, &mut on_page));
    let pulled = match resumed {
        Some(Ok(pulled)) => pulled,
        _ => fhir.search(query, since, inbox, &mut on_page)?,
    };
    noted?;
    Ok(pulled)
}

fn login(args: &PullArgs) -> Result<Login> {
    let secret = |file: &Option<std::path::PathBuf>, variable: &Option<String>| match (file, variable) {
        (Some(path), _) => Some(SecretSource::File(path.clone())),
        (None, Some(name)) => Some(SecretSource::Variable(name.clone())),
        (None, None) => None,
    };
    let found = secret(&args.secret_file, &args.secret_variable);
    Ok(match (&args.client_id, &args.client_key, &args.user, found) {
        (Some(client_id), Some(key), _, _) => Login::Backend(BackendService {
            client_id: client_id.clone(),
            key: key.clone(),
            key_id: args.client_key_id.clone(),
            token_url: args.token_url.clone(),
            scope: "system/*.rs".to_owned(),
        }),
        (_, _, Some(user), Some(password)) => Login::Basic { user: user.clone(), password },
        (_, _, Some(_), None) => bail!("expected the password's place: --secret-file or --secret-variable"),
        (_, _, None, Some(token)) => Login::Bearer(token),
        (_, _, None, None) => Login::Anonymous,
    })
}
