//! Hostile messages: no panic, bounded memory, and the next message is read.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_ingest::feed::{Entry, Feed, Rejected, Source};
use chiasm_ingest::hl7;
use proptest::prelude::*;

const GOOD: &str = "MSH|^~\\&|A|H|||20240101||ADT^A08|9|P|2.5\rEVN||20240101\rPID|||7^^^H^MR\r";

fn read(bytes: impl Into<bytes::Bytes>) -> (Vec<Entry>, Vec<Rejected>) {
    let mut found = (Vec::new(), Vec::new());
    hl7::read(&Source::memory("f", bytes), &Feed::utc("site"), &mut found).unwrap();
    found
}

#[test]
fn hostile_messages_cost_only_themselves() {
    let head = "MSH|^~\\&|A|H|||20240101||ORU^R01|1|P|2.5\rPID|||1\rOBR|1|||X\r";
    let long = "x".repeat(hl7::MESSAGE_LIMIT);
    let cases: [(String, &str); 8] = [
        (format!("{head}OBX|1|TX|A||{long}||||||F\r"), "hl7.length"),
        (format!("{head}{}", "OBX|1\r".repeat(60_000)), "hl7.length"),
        (format!("{head}OBX|1|TX|A||{}\r", "\\X41\\".repeat(1 << 20)), ""),
        (format!("{head}OBX|1|TX|A||{}\r", "\\".repeat(1 << 20)), ""),
        (format!("{head}OBX|1|CE|A||{}\r", "~^&".repeat(1 << 18)), ""),
        (format!("{head}{}\r", "|".repeat(1 << 20)), ""),
        (format!("{head}OBX|1|ED|A||a^b^c^Base64^{}|\r", "!".repeat(1 << 20)), ""),
        ("MSH|".to_owned() + &"^".repeat(1 << 16) + "\r", "hl7.delimiters"),
    ];
    for (n, (text, rule)) in cases.into_iter().enumerate() {
        let (entries, rejected) = read(text + GOOD);
        assert_eq!(rejected.first().map_or("", |r| r.rule.as_str()), rule, "case {n}");
        assert_eq!(entries.len(), if rule.is_empty() { 2 } else { 1 }, "case {n}");
        assert_eq!(entries.last().unwrap().subjects[0].identity.as_ref().unwrap().key().unwrap().value, "7");
        assert!(rejected.iter().all(|r| r.bytes.as_ref().unwrap().len() <= hl7::MESSAGE_LIMIT));
    }
}

#[test]
fn a_file_is_read_by_one_message_at_a_time() {
    // Two thousand messages of 100 kB: 200 MB that are never in memory together.
    let message = format!("MSH|^~\\&|A|H|||2024||SIU^S12|1|P|2.5\rNTE|1||{}\r", "y".repeat(100_000));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.hl7");
    std::fs::write(&path, message.repeat(200)).unwrap();
    struct Count(usize, usize);
    impl chiasm_ingest::feed::Sink for Count {
        fn entry(&mut self, entry: Entry) -> Result<(), chiasm_ingest::feed::SinkError> {
            self.0 += 1;
            self.1 += entry.assets.len();
            Ok(())
        }
        fn reject(&mut self, rejected: Rejected) -> Result<(), chiasm_ingest::feed::SinkError> {
            panic!("{}", rejected.message)
        }
    }
    let mut count = Count(0, 0);
    hl7::read(&Source::file(&path), &Feed::utc("site"), &mut count).unwrap();
    assert_eq!((count.0, count.1), (200, 200));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn altered_messages_never_panic(cuts in prop::collection::vec((0usize..2000, any::<u8>()), 0..20)) {
        let mut bytes = include_bytes!("fixtures/messages.hl7").to_vec();
        for (at, byte) in cuts {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let (entries, rejected) = read(bytes.clone());
        prop_assert!(entries.len() + rejected.len() > 0);
        let _ = hl7::check(&Source::memory("f", bytes.clone()));
        let _ = hl7::acknowledge(&bytes, hl7::Acknowledgement::Reject, "2024", "1", "x");
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let head = b"MSH|^~\\&|A|H|||2024||ORU^R01|1|P|2.5||||||8859/1\rPID|||1\r".to_vec();
        read([head, bytes].concat());
    }
}

#[test]
fn the_fixture_is_whole() {
    let (entries, rejected) = read(&include_bytes!("fixtures/messages.hl7")[..]);
    assert_eq!((entries.len(), rejected.len()), (8, 0));
    let events: usize = entries.iter().map(Entry::events).sum();
    // By message: 4 (admission, diagnosis, allergy, heart rate), 4, 3 (two lines of text are one report), 2, 2, 2, 2, 1.
    assert_eq!(events, 20);
    let checked = hl7::check(&Source::memory("f", &include_bytes!("fixtures/messages.hl7")[..])).unwrap();
    assert!(checked.is_valid(), "{:?}", checked.faults);
}
