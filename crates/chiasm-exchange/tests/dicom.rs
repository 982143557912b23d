//! The DICOM listener, spoken to as modalities do and as they should not.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use chiasm_exchange::dicom::{DicomOptions, DicomServer, status};
use chiasm_exchange::inbox::{Inbox, Rotation, sealed};
use dicom_ul::pdu::Pdu;
use support::{CT, Scu, VERIFICATION, data_set, data_set_of, instance};
use tokio::net::TcpListener;

/// Runs a listener beside a test's client.
fn with_server(options: DicomOptions, client: impl FnOnce(SocketAddr, &Path, &DicomServer)) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let inbox = Inbox::open(folder.path(), Rotation::default()).unwrap();
    let server = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        DicomServer::start(listener, inbox, options).unwrap()
    });
    client(server.address(), folder.path(), &server);
    runtime.block_on(server.stop());
    assert_eq!(std::fs::read_dir(folder.path().join("partial")).unwrap().count(), 0);
}

#[test]
fn objects_are_kept_as_sent_and_one_sent_twice_is_one() {
    with_server(DicomOptions::default(), |address, folder, server| {
        let mut scu = Scu::call(address, &[CT, VERIFICATION]).unwrap();
        assert_eq!(scu.request(VERIFICATION, 0x30).unwrap(), status::SUCCESS);
        for number in 0..10 {
            let data = data_set(number, 50_000 * number as usize);
            assert_eq!(scu.store(number, &data).unwrap(), status::SUCCESS);
            assert_eq!(scu.store(number, &data).unwrap(), status::SUCCESS);
        }
        scu.association.release().unwrap();
        let mut found: Vec<_> = sealed(folder).unwrap().iter().map(|file| data_set_of(file)).collect();
        let mut sent: Vec<_> = (0..10).map(|n| data_set(n, 50_000 * n as usize)).collect();
        found.sort();
        sent.sort();
        assert_eq!(found.len(), 10);
        assert!(found == sent, "a data set differs from what was sent");
        assert_eq!((server.tally().kept, server.tally().echoes), (20, 1));
    });
}

#[test]
fn every_failure_has_its_status_and_the_association_goes_on() {
    let options = DicomOptions { max_object: Some(100_000), ..DicomOptions::default() };
    with_server(options, |address, folder, _| {
        let find = "1.2.840.10008.5.1.4.1.2.2.1";
        let mut scu = Scu::call(address, &[CT, find]).unwrap();
        assert_eq!(scu.context(find), None, "C-FIND is not offered");
        let good = data_set(1, 500);
        assert_eq!(scu.store(1, &data_set(1, 200_000)).unwrap(), status::OUT_OF_RESOURCES);
        assert_eq!(scu.store(2, &good).unwrap(), status::DATA_SET_DIFFERS);
        assert_eq!(scu.store(1, b"no data set").unwrap(), status::CANNOT_UNDERSTAND);
        assert_eq!(scu.request(CT, 0x20).unwrap(), status::UNRECOGNIZED_OPERATION);
        assert_eq!(scu.request(CT, 0x01).unwrap(), status::CANNOT_UNDERSTAND);
        scu.begin_store("1.2.840.10008.5.1.4.1.1.4", &instance(1), &good, 9).unwrap();
        assert_eq!(scu.status().unwrap(), status::SOP_CLASS_NOT_SUPPORTED);
        assert!(sealed(folder).unwrap().is_empty());
        assert_eq!(scu.store(1, &good).unwrap(), status::SUCCESS);
        assert_eq!(sealed(folder).unwrap().len(), 1);
    });
}

#[test]
fn titles_classes_and_numbers_of_associations_are_limited() {
    let options = DicomOptions {
        ae_title: Some("CHIASM".into()),
        calling: vec!["TEST-SCU".into()],
        private_classes: false,
        max_associations: 2,
        ..DicomOptions::default()
    };
    with_server(options.clone(), |address, _, server| {
        let first = Scu::call(address, &[CT, "1.3.6.1.4.1.9590.1"]).unwrap();
        assert_eq!(first.context("1.3.6.1.4.1.9590.1"), None);
        let _second = Scu::call(address, &[CT]).unwrap();
        let third = Scu::call(address, &[CT]).err().unwrap();
        assert!(third.contains("LocalLimitExceeded"), "{third}");
        first.association.release().unwrap();
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(20));
            if server.tally().open < 2 {
                break;
            }
        }
        Scu::call(address, &[CT]).unwrap().association.release().unwrap();
    });
    for options in [
        DicomOptions { ae_title: Some("ANOTHER".into()), ..options.clone() },
        DicomOptions { calling: vec!["ANOTHER".into()], ..options },
    ] {
        with_server(options, |address, _, _| {
            let refused = Scu::call(address, &[CT]).err().unwrap();
            assert!(refused.contains("AETitleNotRecognized"), "{refused}");
        });
    }
    with_server(DicomOptions::default(), |address, _, _| {
        let private = Scu::call(address, &[CT, "1.3.6.1.4.1.9590.1"]).unwrap();
        assert!(private.context("1.3.6.1.4.1.9590.1").is_some());
    });
}

/// What this process holds: file descriptors and threads.
fn held() -> (usize, usize) {
    let count = |what| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    (count("fd"), count("task"))
}

#[test]
fn a_thousand_aborted_associations_leak_nothing() {
    with_server(DicomOptions::default(), |address, folder, server| {
        Scu::call(address, &[CT]).unwrap().association.release().unwrap();
        while server.tally().open > 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let before = held();
        let data = data_set(1, 60_000);
        for number in 0..1000 {
            match number % 5 {
                0 => drop(TcpStream::connect(address).unwrap()),
                1 => {
                    let mut cut = TcpStream::connect(address).unwrap();
                    cut.write_all(&[1, 0, 0, 0, 2, 0, 0, 1]).unwrap();
                }
                2 => Scu::call(address, &[CT]).unwrap().association.abort().unwrap(),
                3 => {
                    let mut scu = Scu::call(address, &[CT]).unwrap();
                    scu.begin_store(CT, &instance(1), &data, 3).unwrap();
                    scu.association.abort().unwrap();
                }
                _ => {
                    let mut scu = Scu::call(address, &[CT]).unwrap();
                    scu.begin_store(CT, &instance(1), &data, 2).unwrap();
                    drop(scu); // the connection breaks
                }
            }
        }
        for _ in 0..500 {
            if server.tally().open == 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(server.tally().open, 0);
        assert!(server.tally().aborted >= 1000);
        let after = held();
        assert!(after.0 <= before.0 && after.1 <= before.1, "held {before:?} before, {after:?} after");
        assert_eq!(std::fs::read_dir(folder.join("partial")).unwrap().count(), 0);
        assert!(sealed(folder).unwrap().is_empty());
        let mut scu = Scu::call(address, &[CT]).unwrap();
        assert_eq!(scu.store(1, &data).unwrap(), status::SUCCESS);
    });
}

#[test]
fn hostile_bytes_end_only_their_own_association() {
    with_server(DicomOptions::default(), |address, _, server| {
        let mut seed = 1u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as u8
        };
        for round in 0..200 {
            let mut bytes: Vec<u8> = (0..400).map(|_| random()).collect();
            bytes[0] = round % 9;
            bytes[2..6].copy_from_slice(&(394u32).to_be_bytes());
            if round % 4 == 0 {
                bytes[2..6].copy_from_slice(&u32::MAX.to_be_bytes());
            }
            let mut socket = TcpStream::connect(address).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let _ = socket.write_all(&bytes);
            let _ = socket.read(&mut [0; 100]);
        }
        // Inside an association: values that lie about their length, data before a command, unknown contexts.
        for body in [
            &[0u8, 0, 0, 200, 1, 3][..],
            &[0, 0, 0, 0],
            &[0, 0, 0, 4, 1, 2, 0, 0],
            &[0, 0, 0, 4, 99, 3, 0, 0],
        ] {
            let mut scu = Scu::call(address, &[CT]).unwrap();
            let stream = scu.association.inner_stream();
            stream.write_all(&[4, 0, 0, 0, 0, body.len() as u8]).unwrap();
            stream.write_all(body).unwrap();
            assert!(matches!(scu.association.receive(), Ok(Pdu::AbortRQ { .. })), "{body:?}");
        }
        let mut scu = Scu::call(address, &[CT]).unwrap();
        assert_eq!(scu.store(1, &data_set(1, 10)).unwrap(), status::SUCCESS);
        assert!(server.tally().aborted >= 200);
    });
}

#[test]
fn silence_ends_an_association_and_stopping_finishes_what_is_under_way() {
    let options = DicomOptions { idle: Duration::from_millis(400), ..DicomOptions::default() };
    with_server(options, |address, _, _| {
        let mut scu = Scu::call(address, &[CT]).unwrap();
        scu.begin_store(CT, &instance(1), &data_set(1, 60_000), 2).unwrap();
        let began = std::time::Instant::now();
        assert!(scu.status().is_err());
        assert!(began.elapsed() < Duration::from_secs(4));
    });
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let inbox = Inbox::open(folder.path(), Rotation::default()).unwrap();
    let server = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        DicomServer::start(listener, inbox, DicomOptions::default()).unwrap()
    });
    let address = server.address();
    let mut resting = Scu::call(address, &[CT]).unwrap();
    let mut busy = Scu::call(address, &[CT]).unwrap();
    let data = data_set(1, 60_000);
    let context = busy.context(CT).unwrap();
    busy.begin_store(CT, &instance(1), &data, 2).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let stopping = runtime.spawn(server.stop());
    assert!(matches!(resting.association.receive(), Ok(Pdu::AbortRQ { .. })));
    for (at, piece) in data.chunks(12_000).enumerate().skip(2) {
        let value = dicom_ul::pdu::PDataValue {
            presentation_context_id: context,
            value_type: dicom_ul::pdu::PDataValueType::Data,
            is_last: at + 1 == data.chunks(12_000).count(),
            data: piece.to_vec(),
        };
        busy.association.send(&Pdu::PData { data: vec![value] }).unwrap();
    }
    assert_eq!(busy.status().unwrap(), status::SUCCESS);
    runtime.block_on(stopping).unwrap();
    assert_eq!(data_set_of(&sealed(folder.path()).unwrap()[0]), data);
}
