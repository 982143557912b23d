//! `chiasm pull`: what a PACS or an EHR server has, fetched into the inbox and read in.

use super::evidence::{say, secret};
use super::listen::read_in;
use crate::cli::{Cli, PullArgs, PullCommand};
use crate::progress::Bars;
use anyhow::{Result, bail};
use chiasm_exchange::inbox::Inbox;
use chiasm_exchange::pull::{
    BackendService, Client, ClientOptions, DicomWeb, Export, Fhir, Level, Login, Pulled, SecretSource,
    StudyQuery,
};
use chiasm_pipeline::Progress;
use chiasm_pipeline::evidence::{inbox as reading, site::IngestSite, store};
use serde_json::json;
use std::cell::Cell;
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
    let pulled = match command {
        PullCommand::Dicomweb { dates, patient, modality, study, .. } => {
            let query = StudyQuery {
                dates: dates.clone(),
                patient: patient.clone(),
                modality: modality.clone(),
                study: study.clone(),
            };
            let count = Cell::new(0_u64);
            DicomWeb::new(client, PAGE).pull(&query, &inbox, &|_| false, &mut |_, _| {
                count.set(count.get() + 1);
                if count.get().is_multiple_of(100) {
                    bars.say(&format!("{} instances", count.get()));
                }
            })?
        }
        PullCommand::Fhir { search, since, export, types, group, .. } => {
            let fhir = Fhir::new(client);
            let mut all = Pulled::default();
            if *export {
                let level = group.clone().map_or(Level::Patient, Level::Group);
                let export = Export { level, types: types.clone(), since: since.clone(), patience: PATIENCE };
                all = fhir.export(&export, &inbox)?;
            } else if search.is_empty() {
                bail!("expected --export, or --search such as 'Observation?code=718-7'");
            }
            for query in search {
                let pulled = fhir.search(query, since.as_deref(), &inbox, &mut |page| {
                    bars.say(&format!("{} resources", page.resources));
                })?;
                all.kept += pulled.kept;
                all.new += pulled.new;
                all.bytes += pulled.bytes;
                all.missing += pulled.missing;
            }
            all
        }
    };
    let events = read_in(&common.store, &site)?;
    let answer = json!({
        "files": pulled.kept, "new": pulled.new, "bytes": pulled.bytes, "missing": pulled.missing, "events": events,
    });
    let words = format!(
        "{} files pulled, {} of them new, {} that the server named and did not give; {events} new events",
        pulled.kept, pulled.new, pulled.missing
    );
    say(cli, answer, &words);
    Ok(())
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
