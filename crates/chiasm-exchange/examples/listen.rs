//! The listener alone, for trying it against other programs: `tools/listen_peers.sh` and `tests/durability.rs`.
//!
//! `listen INBOX [--dicom ADDRESS] [--hl7 ADDRESS] [--ae TITLE] [--tls CERT KEY]`; prints the addresses it listens
//! on, ends in order on SIGTERM or Ctrl-C, and prints what it did.

use std::path::PathBuf;

use chiasm_exchange::dicom::{DicomOptions, DicomServer};
use chiasm_exchange::inbox::{Inbox, Rotation};
use chiasm_exchange::mllp::{Answer, MllpOptions, MllpServer, Outcome};
use chiasm_exchange::{Error, Tls};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The least acknowledgement that HL7 clients take; the real one is made where HL7 is parsed.
struct Least;

impl Answer for Least {
    fn refusal(&self, message: &[u8]) -> Option<&'static str> {
        (!message.starts_with(b"MSH")).then_some("expected MSH")
    }

    fn acknowledge(&self, message: &[u8], outcome: &Outcome) -> Vec<u8> {
        let header = message.split(|&b| b == b'\r').next().unwrap_or_default();
        let field = |n: usize| {
            String::from_utf8_lossy(header.split(|&b| b == b'|').nth(n).unwrap_or_default()).into_owned()
        };
        let (code, text) = match outcome {
            Ok(_) => ("AA", ""),
            Err(Error::Disk { .. }) => ("AE", "cannot be kept now"),
            Err(_) => ("AE", "cannot be kept"),
        };
        let (from, at, to, there) = (field(4), field(5), field(2), field(3));
        let (id, mode, version) = (field(9), field(10), field(11));
        format!("MSH|^~\\&|{from}|{at}|{to}|{there}|20260101000000||ACK|{id}|{mode}|{version}\rMSA|{code}|{id}|{text}\r")
            .into_bytes()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("the first argument is the inbox's folder")?);
    let (mut dicom, mut hl7, mut tls, mut ae_title) = (None, None, None, None);
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or("a flag lacks its value");
        match flag.as_str() {
            "--dicom" => dicom = Some(value()?),
            "--hl7" => hl7 = Some(value()?),
            "--ae" => ae_title = Some(value()?),
            "--tls" => tls = Some(Tls { certificate: value()?.into(), key: value()?.into(), clients: None }),
            other => return Err(format!("unknown flag {other}").into()),
        }
    }
    let inbox = Inbox::open(&folder, Rotation::default())?;
    let (mut terminated, mut interrupted) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut running = (None, None);
    if let Some(address) = dicom {
        let options = DicomOptions { tls: tls.clone(), ae_title, ..DicomOptions::default() };
        let server = DicomServer::start(TcpListener::bind(address).await?, inbox.clone(), options)?;
        println!("dicom {}", server.address());
        running.0 = Some(server);
    }
    if let Some(address) = hl7 {
        let options = MllpOptions { tls, ..MllpOptions::default() };
        let listener = TcpListener::bind(address).await?;
        let server = MllpServer::start(listener, inbox.clone(), options, Least)?;
        println!("hl7 {}", server.address());
        running.1 = Some(server);
    }
    println!("ready");
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    if let Some(server) = running.0 {
        eprintln!("{:?}", server.tally());
        server.stop().await;
    }
    if let Some(server) = running.1 {
        eprintln!("{:?}", server.tally());
        server.stop().await;
    }
    drop(inbox);
    Ok(())
}
