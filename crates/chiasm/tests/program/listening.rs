//! `listen` killed at random moments while systems send, and on a full disk: whatever was acknowledged is read
//! in, once.
//!
//! About 10 kills; `CHIASM_KILLS=100` for the figure in docs/performance.md.
#![cfg(unix)]

use crate::stored::{Dice, files, kills, open, tear};
use crate::support::{CT, Scu, Sender, data_set, instance, message};
use crate::toy::{Toy, succeeds};
use chiasm_store::{EntryRow, EventRow};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A running listener.
struct Listener {
    child: Child,
    dicom: SocketAddr,
    hl7: SocketAddr,
}

impl Listener {
    /// Starts one; with a limit, no file may grow past so many KiB.
    fn start(toy: &Toy, limit: Option<u64>) -> Self {
        let limit = limit.map_or_else(String::new, |n| format!("ulimit -f {n};"));
        let script = format!("trap '' XFSZ; {limit} exec \"$0\" \"$@\"");
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_chiasm"));
        command.args(["listen", "--dicom", "0", "--hl7", "0", "--store", "s", "--json"]);
        let errors = std::fs::File::options().append(true).create(true).open(toy.path("errors")).unwrap();
        command.current_dir(toy.path(".")).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |name: &str| {
            let line: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            assert_eq!(line["listening"], name, "{line}");
            line["address"].as_str().unwrap().parse().unwrap()
        };
        let (dicom, hl7) = (address("dicom"), address("hl7"));
        // What it says later is read, so that it can go on saying it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, dicom, hl7 }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, which reads in what there is.
    fn end(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

/// What senders were told is kept.
#[derive(Default)]
struct Told {
    objects: Mutex<BTreeSet<u64>>,
    messages: Mutex<BTreeSet<u64>>,
    next: AtomicU64,
}

impl Told {
    fn send_objects(&self, address: SocketAddr) {
        let Ok(mut scu) = Scu::call(address, &[CT]) else { return };
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let size = if number.is_multiple_of(7) { 400_000 } else { 3_000 };
            match scu.store(number, &data_set(number, size)) {
                Ok(0) => self.objects.lock().unwrap().insert(number),
                Ok(other) => panic!("status {other:04X}"),
                Err(_) => return,
            };
        }
    }

    fn send_messages(&self, address: SocketAddr) {
        let Ok(mut sender) = Sender::call(address) else { return };
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            // Every fifth is sent twice, as by a sender who lost the answer.
            for _ in 0..1 + u64::from(number.is_multiple_of(5)) {
                match sender.send(&message(number, 500)) {
                    Ok(answer) => {
                        let answer = String::from_utf8_lossy(&answer).into_owned();
                        assert!(answer.contains(&format!("MSA|AA|M{number}")), "{answer}");
                        self.messages.lock().unwrap().insert(number);
                    }
                    Err(_) => return,
                }
            }
        }
    }
}

/// The numbers of the messages and objects in a store, and how often each is there.
fn stored(toy: &Toy) -> (BTreeMap<u64, usize>, BTreeMap<u64, usize>) {
    let store = open(&toy.path("s"));
    let (mut messages, mut objects) = (BTreeMap::new(), BTreeMap::new());
    for row in store.scan::<EventRow>().flat_map(Result::unwrap) {
        if row.event.code.to_string() == "HL7|ORU^R01" {
            let text = row.event.attribute("hl7").unwrap();
            let number = text.split('|').nth(9).unwrap()[1..].parse().unwrap();
            *messages.entry(number).or_default() += 1;
        }
    }
    let keys: Vec<String> = store.scan::<EntryRow>().flat_map(Result::unwrap).map(|r| r.key).collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "an entry twice");
    let root = toy.path("s/assets");
    for file in files(&root).iter().filter(|f| f.extension().is_none_or(|e| e != "parquet")) {
        let bytes = std::fs::read(file).unwrap();
        let start = &bytes[..bytes.len().min(2000)];
        let mark = instance(0).trim_end_matches('0').as_bytes().to_vec();
        if let Some(at) = start.windows(mark.len()).rposition(|w| w == mark) {
            let digits = start[at + mark.len()..].iter().take_while(|b| b.is_ascii_digit());
            let number = String::from_utf8(digits.copied().collect()).unwrap().parse().unwrap();
            let name = file.strip_prefix(&root).unwrap().to_string_lossy().replace('/', "");
            assert_eq!(blake3::hash(&bytes).to_hex().as_str(), name, "a torn asset");
            *objects.entry(number).or_default() += 1;
        }
    }
    (messages, objects)
}

#[test]
fn what_a_killed_listener_acknowledged_is_read_in_once() {
    let (toy, told, wanted, mut dice) = (Toy::new(), Told::default(), kills(), Dice(5));
    let mut torn = 0;
    for round in 0..wanted {
        let listener = Listener::start(&toy, None);
        std::thread::scope(|scope| {
            for sender in 0..4 {
                let (told, dicom, hl7) = (&told, listener.dicom, listener.hl7);
                scope.spawn(
                    move || if sender % 2 == 0 { told.send_objects(dicom) } else { told.send_messages(hl7) },
                );
            }
            // Every third lives long enough to read in: it looks every two seconds.
            let least = if round % 3 == 0 { 2000 } else { 20 };
            std::thread::sleep(Duration::from_millis(least + dice.below(400)));
            listener.kill();
        });
        // Another program reads, and sees a state.
        succeeds(&toy.chiasm(&["query", "--store", "s", "SELECT count(*) FROM entries"]));
        torn += tear(&toy.path("s"), &mut dice);
        for open in
            files(&toy.path("s/inbox/journal")).iter().filter(|f| f.extension().is_some_and(|e| e == "open"))
        {
            let half = message(9_999_999, 300);
            let half =
                [&[0x0B], &half[..dice.below(300) as usize], &vec![0; dice.below(50) as usize]].concat();
            std::fs::File::options().append(true).open(open).unwrap().write_all(&half).unwrap();
            torn += 1;
        }
        toy.write(&format!("s/inbox/partial/{round}"), vec![1; 1000]);
        if round % 4 == 1 {
            // What waits can be read in by an ordinary ingest too, while nobody listens.
            succeeds(&toy.chiasm(&["ingest", "s/inbox/objects", "--store", "s"]));
        }
    }
    Listener::start(&toy, None).end();
    for part in ["objects", "partial"] {
        assert!(files(&toy.path(&format!("s/inbox/{part}"))).is_empty(), "left in {part}");
    }
    let (messages, objects) = stored(&toy);
    let (sent, images) = (told.messages.lock().unwrap(), told.objects.lock().unwrap());
    let lost = |sent: &BTreeSet<u64>, found: &BTreeMap<u64, usize>| {
        sent.iter().filter(|n| !found.contains_key(n)).count()
    };
    assert_eq!((lost(&sent, &messages), lost(&images, &objects)), (0, 0), "messages and objects lost");
    assert!(messages.values().chain(objects.values()).all(|n| *n == 1), "twice");
    assert!(sent.len() as u64 > wanted && images.len() as u64 > wanted, "too little was sent");
    println!(
        "{wanted} kills, {torn} torn files: {} messages and {} objects acknowledged, none lost, none twice",
        sent.len(),
        images.len()
    );
}

#[test]
fn a_listener_on_a_full_disk_refuses_and_goes_on_later() {
    let toy = Toy::new();
    let listener = Listener::start(&toy, Some(40));
    let mut scu = Scu::call(listener.dicom, &[CT]).unwrap();
    let mut sender = Sender::call(listener.hl7).unwrap();
    let (mut objects, mut messages) = (Vec::new(), Vec::new());
    let (mut refused, mut again) = (0, 0);
    let began = Instant::now();
    for number in 0.. {
        let size = if number % 5 == 0 { 100_000 } else { 3_000 };
        match scu.store(number, &data_set(number, size)).unwrap() {
            0 if size < 40_000 => objects.push(number),
            0xA700 if size > 40_000 => refused += 1,
            other => panic!("status {other:04X} for {size} bytes"),
        }
        // The journal's segment is full after some dozens, and begun anew after five seconds.
        let answer = sender.send(&message(number, 1500)).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        match answer.contains("MSA|AA|") {
            true => {
                messages.push(number);
                again += usize::from(refused > 100);
            }
            false => {
                assert!(answer.contains("MSA|AE|") && answer.contains("send it again"), "{answer}");
                refused += 100;
            }
        }
        if again > 3 || began.elapsed() > Duration::from_secs(20) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(refused > 100 && again > 3, "{refused} refused, {again} taken after that");
    listener.end();
    Listener::start(&toy, None).end();
    let (found, images) = stored(&toy);
    assert!(messages.iter().all(|n| found.get(n) == Some(&1)) && found.len() == messages.len());
    assert!(objects.iter().all(|n| images.get(n) == Some(&1)) && images.len() == objects.len());
    let said = toy.read("errors");
    assert!(said.contains("an object refused: A700") && said.contains("the disk could not"), "{said}");
}

#[test]
fn what_cannot_be_taken_is_rejected_and_logged() {
    let toy = Toy::new();
    let listener = Listener::start(&toy, None);
    let mut sender = Sender::call(listener.hl7).unwrap();
    let mut answer = |text: &str| String::from_utf8(sender.send(text.as_bytes()).unwrap()).unwrap();
    assert!(answer("MSH|^~\\&|L|H|||2024||ADT^A01|1|P|3.0\rPID|1||1^^^H\r").contains("MSA|AR|1|"));
    assert!(
        answer("MSH|^~\\&|L|H|||2024||ADT^A01|2|P|2.5||||||KLINGON\rPID|1||1^^^H||\u{e9}\r")
            .contains("MSA|AR|2|")
    );
    assert!(answer("hello").contains("MSA|AR|"));
    let good = "MSH|^~\\&|L|H|||20240101||ADT^A01|3|P|2.5|||AL|NE\rEVN|A01|20240101\rPID|1||1^^^H\r";
    for _ in 0..2 {
        assert!(answer(good).contains("MSA|CA|3\r"), "a message sent twice is acknowledged twice");
    }
    // Kept and acknowledged, and found wrong when it is read.
    assert!(answer("MSH|^~\\&|L|H|||20240101||ADT^A01|4|P|2.5\rEVN|A01|20240101\r").contains("MSA|AA|4"));
    drop(sender);
    // A connection that brings nonsense to the other port, and one that says too much at once.
    let mut noise = std::net::TcpStream::connect(listener.dicom).unwrap();
    noise.write_all(&[4, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3]).unwrap();
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut noise, &mut rest);
    listener.end();
    assert_eq!(open(&toy.path("s")).manifest().rows(chiasm_store::Table::Entries), 1);
    let refused = succeeds(&toy.chiasm(&["quarantine", "list", "--store", "s", "--json"]));
    assert!(refused.contains("hl7.pid"), "{refused}");
    let said = toy.read("errors");
    for words in ["MSH-12", "MSH-18", "expected MSH", "a PDU longer than agreed"] {
        assert!(said.contains(words), "expected {words} in {said}");
    }
}
