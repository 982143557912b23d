//! `chiasm listen`: DICOM and HL7 as they are sent, kept before they are acknowledged, read in as they come.

use super::evidence::secret;
use crate::cli::{Cli, ListenArgs};
use anyhow::{Context, Result, bail};
use chiasm_exchange::dicom::{DicomOptions, DicomServer};
use chiasm_exchange::inbox::{self, Inbox, Rotation};
use chiasm_exchange::mllp::{Acknowledge, MllpOptions, MllpServer, Outcome};
use chiasm_exchange::{Error, Tls};
use chiasm_pipeline::evidence::{inbox as reading, site::IngestSite, store};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// How often the inbox is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Listens until it is interrupted.
///
/// # Errors
/// Where a port is taken, the site is not known, or the store cannot be written.
pub fn run(cli: &Cli, args: &ListenArgs) -> Result<()> {
    if args.dicom.is_none() && args.hl7.is_none() {
        bail!("expected --dicom PORT, --hl7 PORT, or both");
    }
    let site = IngestSite::open(&args.site)?;
    drop(store::create(&args.store, secret()?)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(listen(cli, args, site))
}

async fn listen(cli: &Cli, args: &ListenArgs, site: IngestSite) -> Result<()> {
    let folder = reading::folder(&args.store);
    let inbox = Inbox::open(&folder, Rotation::default())?;
    let tls = match (&args.tls_certificate, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls {
            certificate: certificate.clone(),
            key: key.clone(),
            clients: args.tls_clients.clone(),
        }),
        _ => None,
    };
    let dicom = match args.dicom {
        None => None,
        Some(port) => {
            let options =
                DicomOptions { ae_title: args.ae_title.clone(), tls: tls.clone(), ..Default::default() };
            Some(DicomServer::start(bind(&args.bind, port).await?, inbox.clone(), options)?)
        }
    };
    let hl7 = match args.hl7 {
        None => None,
        Some(port) => {
            let options = MllpOptions { tls, ..Default::default() };
            Some(MllpServer::start(bind(&args.bind, port).await?, inbox.clone(), options, answers())?)
        }
    };
    let addresses =
        [("dicom", dicom.as_ref().map(DicomServer::address)), ("hl7", hl7.as_ref().map(MllpServer::address))];
    for (name, address) in addresses.into_iter().filter_map(|(n, a)| a.map(|a| (n, a))) {
        if cli.json {
            println!("{}", json!({ "listening": name, "address": address.to_string() }));
        } else {
            println!("listening for {name} on {address}");
        }
    }
    let mut stop = Box::pin(stopped());
    loop {
        let ended = tokio::select! {
            () = &mut stop => true,
            () = tokio::time::sleep(LOOK) => false,
        };
        if ended {
            break;
        }
        report(cli, drain(&args.store, &site).await);
    }
    if let Some(server) = dicom {
        server.stop().await;
    }
    if let Some(server) = hl7 {
        server.stop().await;
    }
    drop(inbox);
    report(cli, drain(&args.store, &site).await);
    Ok(())
}

async fn bind(address: &str, port: u16) -> Result<TcpListener> {
    TcpListener::bind((address, port)).await.with_context(|| format!("cannot listen on {address}:{port}"))
}

/// The answers to HL7 messages.
fn answers() -> Acknowledge {
    let count = AtomicU64::new(0);
    Arc::new(move |message: &[u8], outcome: &Outcome| {
        let now = jiff::Timestamp::now();
        let time = now.strftime("%Y%m%d%H%M%S+0000").to_string();
        let control = format!("{}-{}", now.as_microsecond(), count.fetch_add(1, Ordering::Relaxed));
        let kept = match outcome {
            Ok(_) => Ok(()),
            Err(Error::Message { .. }) => Err("the message cannot be framed"),
            Err(_) => Err("the message could not be kept; send it again"),
        };
        reading::acknowledge(message, kept, &time, &control)
    })
}

/// Reads in what is complete, and removes it.
async fn drain(path: &Path, site: &IngestSite) -> Result<u64> {
    let (path, site) = (path.to_owned(), site.clone());
    tokio::task::spawn_blocking(move || {
        let folder = reading::folder(&path);
        let files = inbox::sealed(&folder)?;
        if files.is_empty() {
            return Ok(0);
        }
        let read = reading::read(&files, &site, &mut store::open(&path)?)?;
        for file in &files {
            inbox::done(&folder, file)?;
        }
        Ok(read.totals.events)
    })
    .await?
}

/// Says what was read in; a failure leaves the files where they are, to be tried again.
fn report(cli: &Cli, outcome: Result<u64>) {
    match outcome {
        Ok(0) => {}
        Ok(events) if cli.json => println!("{}", json!({ "events": events })),
        Ok(events) if !cli.quiet => println!("{events} events read in"),
        Ok(_) => {}
        Err(error) => eprintln!("chiasm: not read in, and kept: {error:#}"),
    }
}

/// Comes back when the program is asked to end.
async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        let _ = interrupt.await;
        return;
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}

/// Reads in what a pull has brought.
///
/// # Errors
/// Where the store cannot be written.
pub(super) fn read_in(path: &Path, site: &IngestSite) -> Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(drain(path, site))
}
