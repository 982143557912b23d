//! `chiasm listen`: DICOM and HL7 as they are sent, kept before they are acknowledged, read in as they come.

use super::evidence::secret;
use crate::cli::{Cli, ListenArgs};
use anyhow::{Context, Result, bail};
use chiasm_exchange::dicom::{DicomOptions, DicomServer};
use chiasm_exchange::inbox::{self, Inbox, Rotation};
use chiasm_exchange::mllp::{Answer, MllpOptions, MllpServer, Outcome};
use chiasm_exchange::{Error, Log, Tls};
use chiasm_pipeline::evidence::inbox::{self as reading, Received};
use chiasm_pipeline::evidence::site::IngestSite;
use chiasm_pipeline::evidence::store::{self, Store};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How often the inbox is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How often, at most, what belongs to no state of the store any more is removed while things come.
const TIDY: Duration = Duration::from_secs(600);

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
    let mut stop = Box::pin(stopped()?);
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
    let log = Log::new(|line| eprintln!("chiasm: {line}"));
    let dicom = match args.dicom {
        None => None,
        Some(port) => {
            let (ae_title, tls, log) = (args.ae_title.clone(), tls.clone(), log.clone());
            let options = DicomOptions { ae_title, tls, log, ..Default::default() };
            Some(DicomServer::start(bind(&args.bind, port).await?, inbox.clone(), options)?)
        }
    };
    let hl7 = match args.hl7 {
        None => None,
        Some(port) => {
            let options = MllpOptions { tls, log, ..Default::default() };
            let listener = bind(&args.bind, port).await?;
            Some(MllpServer::start(listener, inbox.clone(), options, Answers::default())?)
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
    let mut reading = Reading::new(&args.store, site);
    let mut said = String::new();
    loop {
        let ended = tokio::select! {
            () = &mut stop => true,
            () = tokio::time::sleep(LOOK) => false,
        };
        if ended {
            break;
        }
        let outcome;
        (reading, outcome) = reading.drain_beside().await?;
        report(cli, outcome, &mut said);
    }
    if let Some(server) = dicom {
        server.stop().await;
    }
    if let Some(server) = hl7 {
        server.stop().await;
    }
    drop(inbox);
    report(cli, reading.drain(), &mut said);
    Ok(())
}

async fn bind(address: &str, port: u16) -> Result<TcpListener> {
    TcpListener::bind((address, port)).await.with_context(|| format!("cannot listen on {address}:{port}"))
}

/// The answers to HL7 messages.
#[derive(Default)]
struct Answers(AtomicU64);

impl Answer for Answers {
    fn refusal(&self, message: &[u8]) -> Option<&'static str> {
        reading::refusal(message)
    }

    fn acknowledge(&self, message: &[u8], outcome: &Outcome) -> Vec<u8> {
        let now = jiff::Timestamp::now();
        let time = now.strftime("%Y%m%d%H%M%S+0000").to_string();
        let control = format!("{}-{}", now.as_microsecond(), self.0.fetch_add(1, Ordering::Relaxed));
        let received = match outcome {
            Ok(_) => Received::Kept,
            Err(Error::Unfit { reason }) => Received::Never(reason),
            Err(Error::Message { .. }) => Received::Never("expected no bytes 00, 0B and 1C in the message"),
            Err(Error::TooLarge { .. }) => Received::Never("the message is too large"),
            Err(_) => Received::NotNow("the message could not be kept; send it again"),
        };
        reading::acknowledge(message, received, &time, &control)
    }
}

/// The reading end of the inbox.
struct Reading {
    path: PathBuf,
    site: IngestSite,
    /// Open from the first file on, so that what is in it need not be looked through each time.
    store: Option<Store>,
    tidied: Instant,
    /// Whether anything was committed since.
    grown: bool,
}

/// What came of one look.
#[derive(Default)]
struct Drained {
    events: u64,
    refused: u64,
}

impl Reading {
    fn new(path: &Path, site: IngestSite) -> Self {
        Self { path: path.to_owned(), site, store: None, tidied: Instant::now(), grown: false }
    }

    /// Reads in what is complete, and removes it.
    fn drain(&mut self) -> Result<Drained> {
        if self.grown && self.tidied.elapsed() >= TIDY {
            self.store = None;
            store::reclaim(&self.path)?;
            (self.tidied, self.grown) = (Instant::now(), false);
        }
        let folder = reading::folder(&self.path);
        let files = inbox::sealed(&folder)?;
        if files.is_empty() {
            return Ok(Drained::default());
        }
        let mut store = match self.store.take() {
            Some(store) => store,
            None => store::open(&self.path)?,
        };
        store.refresh()?;
        let read = reading::read(&files, &self.site, &mut store)?;
        (self.store, self.grown) = (Some(store), true);
        for file in &files {
            inbox::done(&folder, file)?;
        }
        Ok(Drained { events: read.totals.events, refused: read.totals.rejected })
    }

    /// The same on a thread where it may take its time.
    async fn drain_beside(mut self) -> Result<(Self, Result<Drained>)> {
        let task = move || {
            let outcome = self.drain();
            (self, outcome)
        };
        Ok(tokio::task::spawn_blocking(task).await?)
    }
}

/// Says what was read in, and what went to quarantine. A failure leaves the files where they are, to be tried
/// again; it is told once as long as it stays the same.
fn report(cli: &Cli, outcome: Result<Drained>, said: &mut String) {
    let drained = match outcome {
        Ok(drained) => drained,
        Err(error) => {
            let error = format!("{error:#}");
            if *said != error {
                eprintln!("chiasm: not read in, and kept: {error}");
            }
            *said = error;
            return;
        }
    };
    let Drained { events, refused } = drained;
    if (events, refused) == (0, 0) {
        return;
    }
    said.clear();
    if cli.json {
        println!("{}", json!({ "events": events, "rejected": refused }));
    } else if !cli.quiet {
        match refused {
            0 => println!("{events} events read in"),
            n => println!("{events} events read in, {n} parts in quarantine"),
        }
    }
}

/// What comes back when the program is asked to end. From this call on it can be asked, before anybody is told
/// that it listens.
fn stopped() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Reads in what a pull has brought; says how many events that are.
///
/// # Errors
/// Where the store cannot be written.
pub(super) fn read_in(path: &Path, site: &IngestSite) -> Result<u64> {
    Ok(Reading::new(path, site.clone()).drain()?.events)
}
