//! The MLLP listener, spoken to as senders do and as they should not.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::Path;
use std::time::Duration;

use chiasm_exchange::Error;
use chiasm_exchange::inbox::{Inbox, Rotation, sealed};
use chiasm_exchange::mllp::{Answer, MllpOptions, MllpServer, Outcome};
use support::{Sender, message, messages_of};
use tokio::net::TcpListener;

struct Short;

impl Answer for Short {
    fn refusal(&self, message: &[u8]) -> Option<&'static str> {
        message.windows(6).any(|w| w == b"|UNFIT").then_some("unfit")
    }

    fn acknowledge(&self, message: &[u8], outcome: &Outcome) -> Vec<u8> {
        let code = match outcome {
            Ok(_) => "AA",
            Err(Error::Disk { .. } | Error::Busy { .. } | Error::Closed) => "AE",
            Err(_) => "AR",
        };
        let id = message.split(|&b| b == b'|').nth(9).unwrap_or_default();
        if id == b"SILENT" {
            return Vec::new();
        }
        format!("MSA|{code}|{}", String::from_utf8_lossy(id)).into_bytes()
    }
}

async fn start(folder: &Path, options: MllpOptions) -> MllpServer {
    let inbox = Inbox::open(folder, Rotation::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    MllpServer::start(listener, inbox, options, Short).unwrap()
}

fn kept(folder: &Path) -> Vec<Vec<u8>> {
    sealed(folder).unwrap().iter().flat_map(|file| messages_of(file)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_kept_then_acknowledged_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), MllpOptions::default()).await;
    let address = server.address();
    let senders = (0..16u64).map(|sender| {
        tokio::task::spawn_blocking(move || {
            let mut connection = Sender::call(address).unwrap();
            for number in 0..20 {
                let id = sender * 100 + number;
                let answer = connection.send(&message(id, 300)).unwrap();
                assert_eq!(String::from_utf8(answer).unwrap(), format!("MSA|AA|M{id}"));
            }
            // Without waiting, with noise between frames, and in pieces.
            let mut burst = Vec::new();
            for number in 20..30 {
                burst.extend(b"\r\n\x0B");
                burst.extend(message(sender * 100 + number, 300));
                burst.extend(b"\x1C\r");
            }
            for piece in burst.chunks(997) {
                connection.raw(piece).unwrap();
            }
            for number in 20..30 {
                let id = sender * 100 + number;
                assert_eq!(connection.answer().unwrap(), format!("MSA|AA|M{id}").into_bytes());
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    assert_eq!(server.tally().kept, 480);
    server.stop().await;
    let mut kept = kept(folder.path());
    kept.sort();
    kept.dedup();
    assert_eq!(kept.len(), 480);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_answered_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let options = MllpOptions { max_message: 10_000, ..MllpOptions::default() };
    let server = start(folder.path(), options).await;
    let address = server.address();
    tokio::task::spawn_blocking(move || {
        let mut sender = Sender::call(address).unwrap();
        let mut bad = message(1, 100);
        bad.insert(50, 0x1C);
        assert_eq!(sender.send(&bad).unwrap(), b"MSA|AR|M1?");
        assert_eq!(sender.send(b"").unwrap(), b"MSA|AR|");
        assert_eq!(sender.send(b"MSH|||||||||UNFIT|").unwrap(), b"MSA|AR|UNFIT");
        sender.raw(b"\x0BMSH|||||||||SILENT|\x1C\r").unwrap();
        assert_eq!(sender.send(&message(2, 100)).unwrap(), b"MSA|AA|M2");
        assert_eq!(sender.send(&message(3, 200_000)).unwrap(), b"MSA|AR|M3");
        assert!(sender.answer().is_err(), "the connection is closed");
    })
    .await
    .unwrap();
    assert_eq!((server.tally().kept, server.tally().refused), (2, 4));
    server.stop().await;
    assert_eq!(kept(folder.path()), [b"MSH|||||||||SILENT|".to_vec(), message(2, 100)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_silent_and_too_many_connections_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let options = MllpOptions {
        max_connections: 2,
        idle: Duration::from_millis(600),
        message: Duration::from_millis(300),
        ..MllpOptions::default()
    };
    let server = start(folder.path(), options).await;
    let address = server.address();
    tokio::task::spawn_blocking(move || {
        let (mut silent, mut slow) = (Sender::call(address).unwrap(), Sender::call(address).unwrap());
        slow.raw(b"\x0BMSH|").unwrap();
        std::thread::sleep(Duration::from_millis(100));
        let mut third = Sender::call(address).unwrap();
        assert!(third.send(&message(1, 10)).is_err());
        let began = std::time::Instant::now();
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(50));
            if slow.raw(b"x").is_err() {
                break;
            }
        }
        assert!(slow.answer().is_err() && silent.answer().is_err());
        assert!(began.elapsed() < Duration::from_secs(4));
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(Sender::call(address).unwrap().send(&message(2, 10)).unwrap(), b"MSA|AA|M2");
    })
    .await
    .unwrap();
    assert_eq!(server.tally().turned_away, 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_messages_share_a_bound_on_memory() {
    let folder = tempfile::tempdir().unwrap();
    let options = MllpOptions { max_message: 8 << 20, max_memory: 3 << 20, ..MllpOptions::default() };
    let server = start(folder.path(), options).await;
    let address = server.address();
    tokio::task::spawn_blocking(move || {
        let mut first = Sender::call(address).unwrap();
        first.raw(b"\x0B").unwrap();
        first.raw(&message(1, 1 << 20)).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let mut second = Sender::call(address).unwrap();
        assert_eq!(second.send(&message(2, 4 << 20)).unwrap(), b"MSA|AE|M2");
        first.raw(b"\x1C\r").unwrap();
        assert_eq!(first.answer().unwrap(), b"MSA|AA|M1");
        assert_eq!(first.send(&message(3, 1 << 20)).unwrap(), b"MSA|AA|M3");
    })
    .await
    .unwrap();
    server.stop().await;
    assert_eq!(kept(folder.path()).len(), 2);
}
