//! Both listeners over TLS, with the certificate of `fixtures/make.sh`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chiasm_exchange::dicom::{DicomOptions, DicomServer};
use chiasm_exchange::inbox::{Inbox, Rotation, sealed};
use chiasm_exchange::mllp::{MllpOptions, MllpServer, Outcome};
use chiasm_exchange::{Error, Tls};
use dicom_ul::pdu::{AssociationRQ, Pdu, PresentationContextProposed, UserVariableItem, write_pdu};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tokio::net::TcpListener;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn tls(clients: Option<PathBuf>) -> Option<Tls> {
    Some(Tls { certificate: fixture("server.crt"), key: fixture("server.key"), clients })
}

fn call(address: SocketAddr) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("server.crt")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

fn associate() -> Vec<u8> {
    let request = AssociationRQ {
        protocol_version: 1,
        calling_ae_title: "TEST".into(),
        called_ae_title: "CHIASM".into(),
        application_context_name: "1.2.840.10008.3.1.1.1".into(),
        presentation_contexts: vec![PresentationContextProposed {
            id: 1,
            abstract_syntax: "1.2.840.10008.1.1".into(),
            transfer_syntaxes: vec!["1.2.840.10008.1.2".into()],
        }],
        user_variables: vec![UserVariableItem::MaxLength(16384)],
    };
    let mut bytes = Vec::new();
    write_pdu(&mut bytes, &Pdu::AssociationRQ(request)).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn both_listeners_speak_tls_and_refuse_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(folder.path(), Rotation::default()).unwrap();
    let bind = || TcpListener::bind("127.0.0.1:0");
    let options = MllpOptions { tls: tls(None), ..MllpOptions::default() };
    let answer = |_: &[u8], _: &Outcome| b"MSA|AA".to_vec();
    let hl7 = MllpServer::start(bind().await.unwrap(), inbox.clone(), options, answer);
    let options = DicomOptions { tls: tls(None), request: Duration::from_secs(1), ..DicomOptions::default() };
    let dicom = DicomServer::start(bind().await.unwrap(), inbox.clone(), options);
    // One that wants to see certificates that we do not have.
    let options = DicomOptions { tls: tls(Some(fixture("server.crt"))), ..DicomOptions::default() };
    let mutual = DicomServer::start(bind().await.unwrap(), inbox, options).unwrap();
    let (hl7, dicom) = (hl7.unwrap(), dicom.unwrap());
    let (there, images, closed) = (hl7.address(), dicom.address(), mutual.address());
    tokio::task::spawn_blocking(move || {
        let mut stream = call(there);
        stream.write_all(b"\x0BMSH|\x1C\r").unwrap();
        let mut answer = [0; 9];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"\x0BMSA|AA\x1C\r");

        let mut stream = call(images);
        stream.write_all(&associate()).unwrap();
        let mut answer = [0; 6];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer[0], 2, "accepted");
        stream.write_all(&[5, 0, 0, 0, 0, 4, 0, 0, 0, 0]).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert_eq!(rest[rest.len() - 10], 6, "released");

        let mut refused = call(closed);
        let _ = refused.write_all(&associate());
        assert!(refused.read_exact(&mut [0; 6]).is_err());

        // A handshake that goes on byte by byte ends when a request must have come.
        let mut slow = TcpStream::connect(images).unwrap();
        let began = std::time::Instant::now();
        let hello = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3][..], &[7; 200]].concat();
        for byte in hello {
            if slow.write_all(&[byte]).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());

        for address in [there, images] {
            let mut plain = TcpStream::connect(address).unwrap();
            plain.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            plain.write_all(&associate()).unwrap();
            let mut answer = Vec::new();
            let _ = plain.read_to_end(&mut answer);
            assert!(answer.first().is_none_or(|&kind| kind != 2 && kind != 0x0B));
        }
    })
    .await
    .unwrap();
    hl7.stop().await;
    dicom.stop().await;
    mutual.stop().await;
    assert_eq!(sealed(folder.path()).unwrap().len(), 1);
}

#[test]
fn unusable_files_are_named() {
    let bad = Tls { certificate: fixture("server.key"), key: fixture("server.key"), clients: None };
    assert!(matches!(bad.server_config(), Err(Error::Tls { file, .. }) if file == fixture("server.key")));
    let bad = Tls { certificate: fixture("server.crt"), key: fixture("absent"), clients: None };
    assert!(matches!(bad.server_config(), Err(Error::Tls { file, .. }) if file == fixture("absent")));
}
