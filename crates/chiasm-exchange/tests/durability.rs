//! The listener killed at random moments while others send: nothing that it acknowledged is lost.
//!
//! 10 kills by default; `CHIASM_KILLS=100` for the figure in the report.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chiasm_exchange::inbox::{done, sealed};
use support::{CT, Scu, Sender, data_set, data_set_of, message, messages_of};

/// The example beside this test's program.
fn listener() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples/listen");
    assert!(path.exists(), "{} is not built", path.display());
    path
}

fn start(inbox: &Path) -> (Child, SocketAddr, SocketAddr) {
    let mut child = Command::new(listener())
        .arg(inbox)
        .args(["--dicom", "127.0.0.1:0", "--hl7", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut address = |name: &str| {
        let line = lines.next().unwrap().unwrap();
        line.strip_prefix(name).unwrap().trim().parse().unwrap()
    };
    let (dicom, hl7) = (address("dicom"), address("hl7"));
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    (child, dicom, hl7)
}

#[derive(Default)]
struct Acknowledged {
    objects: Mutex<BTreeSet<u64>>,
    messages: Mutex<BTreeSet<u64>>,
    next: AtomicU64,
}

fn size(number: u64) -> usize {
    if number.is_multiple_of(7) { 400_000 } else { 3_000 }
}

fn send_objects(address: SocketAddr, told: &Acknowledged) {
    let Ok(mut scu) = Scu::call(address, &[CT]) else { return };
    loop {
        let number = told.next.fetch_add(1, Ordering::SeqCst);
        match scu.store(number, &data_set(number, size(number))) {
            Ok(0) => told.objects.lock().unwrap().insert(number),
            Ok(other) => panic!("status {other:04X}"),
            Err(_) => return,
        };
    }
}

fn send_messages(address: SocketAddr, told: &Acknowledged) {
    let Ok(mut sender) = Sender::call(address) else { return };
    loop {
        let number = told.next.fetch_add(1, Ordering::SeqCst);
        match sender.send(&message(number, 500)) {
            Ok(answer) => {
                assert!(String::from_utf8_lossy(&answer).contains(&format!("MSA|AA|M{number}|")));
                told.messages.lock().unwrap().insert(number);
            }
            Err(_) => return,
        }
    }
}

/// What an ingest would have taken: data sets by hash, and how often each message came.
#[derive(Default)]
struct Taken {
    objects: HashMap<blake3::Hash, u64>,
    messages: BTreeMap<Vec<u8>, u64>,
}

impl Taken {
    /// Reads every sealed file whole, then removes it.
    fn take(&mut self, inbox: &Path) {
        for file in sealed(inbox).unwrap() {
            if file.extension().is_some_and(|e| e == "dcm") {
                let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
                assert_eq!(name, format!("dicom-{}", blake3::hash(&std::fs::read(&file).unwrap())));
                *self.objects.entry(blake3::hash(&data_set_of(&file))).or_default() += 1;
            } else {
                for message in messages_of(&file) {
                    *self.messages.entry(message).or_default() += 1;
                }
            }
            done(inbox, &file).unwrap();
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_listener_is_killed() {
    let kills = std::env::var("CHIASM_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(10u64);
    let folder = tempfile::tempdir().unwrap();
    let inbox = folder.path().join("inbox");
    let told = Arc::new(Acknowledged::default());
    let mut taken = Taken::default();
    for round in 0..kills {
        let (mut child, dicom, hl7) = start(&inbox);
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let told = told.clone();
                std::thread::spawn(move || {
                    if sender % 2 == 0 { send_objects(dicom, &told) } else { send_messages(hl7, &told) }
                })
            })
            .collect();
        // From 20 to 220 ms, spread over the rounds: before, between and after the first syncs.
        std::thread::sleep(Duration::from_millis(20 + round.wrapping_mul(7919) % 200));
        if round % 2 == 0 {
            taken.take(&inbox); // an ingest beside the listener
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for sender in senders {
            sender.join().unwrap();
        }
        if round % 3 == 0 {
            taken.take(&inbox);
        }
    }
    let (mut child, ..) = start(&inbox);
    assert_eq!(std::fs::read_dir(inbox.join("partial")).unwrap().count(), 0);
    child.kill().unwrap();
    child.wait().unwrap();
    taken.take(&inbox);
    let (objects, messages) = (told.objects.lock().unwrap(), told.messages.lock().unwrap());
    for &number in objects.iter() {
        let hash = blake3::hash(&data_set(number, size(number)));
        assert_eq!(taken.objects.get(&hash), Some(&1), "object {number}");
    }
    for &number in messages.iter() {
        assert_eq!(taken.messages.get(&message(number, 500)), Some(&1), "message {number}");
    }
    assert!(taken.objects.values().chain(taken.messages.values()).all(|&times| times == 1));
    assert!(objects.len() as u64 > kills && messages.len() as u64 > kills, "too little was sent");
    println!(
        "{kills} kills: {} objects and {} messages acknowledged, none lost, none twice; {} and {} kept",
        objects.len(),
        messages.len(),
        taken.objects.len(),
        taken.messages.len()
    );
}
