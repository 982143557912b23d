//! The answer to a message.

use super::charset;
use super::field::Marks;
use super::message::{Fields, Message};
use std::fmt::Write;

/// What became of a message (MSA-1, table 0008).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// It is kept: AA.
    Accept,
    /// It is understood and could not be kept; sending it again may help: AE.
    Error,
    /// It breaks a rule; sending it again will not help: AR.
    Reject,
}

/// Why a message cannot be taken: what its header breaks, in words that hold no patient's values. `None` where
/// it can be. A sender who waits for an answer is told so and keeps its message; what is wrong further inside
/// is a matter of the quarantine.
///
/// # Source
/// HL7 v2.8.2 section 2.9.2.2: type, version and character set are what a receiver rejects a message for.
pub fn refusal(message: &[u8]) -> Option<&'static str> {
    let message = message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message);
    let message = message.trim_ascii_start();
    if message.starts_with(b"FHS") || message.starts_with(b"BHS") {
        return None;
    }
    let header = message.split(|b| matches!(*b, b'\r' | b'\n')).next().unwrap_or_default();
    let text = String::from_utf8_lossy(header);
    let Ok(parsed) = Message::parse(&text) else {
        return Some("expected MSH and its delimiters at the beginning");
    };
    let version = parsed.header().get(12).component(1).string();
    if version.is_some_and(|v| v != "2" && !v.starts_with("2.")) {
        return Some("expected a version of HL7 2 in MSH-12");
    }
    if parsed.header().get(9).component(1).is_empty() {
        return Some("expected a type of message in MSH-9");
    }
    charset::decode(message).err().map(|_| "expected a character set of HL7 table 0211 in MSH-18")
}

/// Which answer the header asks for: the letter that begins its code, and whether it is wanted. In the
/// original mode (neither MSH-15 nor MSH-16) every message gets an application's answer, `A`; in the enhanced
/// mode the receipt is confirmed first, `C`, where MSH-15 wants that.
fn wanted(header: Option<&Fields<'_>>, code: Acknowledgement) -> Option<char> {
    let field = |n| header.map_or("", |h: &Fields<'_>| h.get(n).raw());
    let wants = |condition: &str| match condition {
        "AL" => true,
        "ER" => code != Acknowledgement::Accept,
        "SU" => code == Acknowledgement::Accept,
        _ => false,
    };
    match (field(15), field(16)) {
        ("", "") => Some('A'),
        (receipt, _) if wants(receipt) => Some('C'),
        ("" | "NE", application) if wants(application) => Some('A'),
        _ => None,
    }
}

/// The ACK to `message`, without MLLP's frame; empty where its header wants none (enhanced mode).
///
/// `time` is the answer's own (`20240305143015+0100`), given because nothing here has a clock; `control` is
/// the answer's own control id. `text` says what was wrong, and must hold no patient's values. A message
/// whose header cannot be read is answered all the same, without an id to refer to.
pub fn acknowledge(message: &[u8], code: Acknowledgement, time: &str, control: &str, text: &str) -> Vec<u8> {
    // The header alone is enough, and it is ASCII but for names of systems.
    let header = message.split(|b| matches!(*b, b'\r' | b'\n')).next().unwrap_or_default();
    let header = String::from_utf8_lossy(header);
    let at = header.find("MSH").unwrap_or(0);
    let parsed = Message::parse(&header[at..]).ok();
    let field = |n: usize| parsed.as_ref().map_or("", |m| m.header().get(n).raw());
    let standard = Marks {
        field: '|',
        component: '^',
        repetition: Some('~'),
        escape: Some('\\'),
        subcomponent: Some('&'),
    };
    let marks = Marks::read(&header.as_bytes()[at..]).unwrap_or(standard);
    let coding = Some(field(2)).filter(|c| !c.is_empty()).unwrap_or("^~\\&");
    let Some(mode) = wanted(parsed.as_ref().map(Message::header).as_ref(), code) else { return Vec::new() };
    let code = match code {
        Acknowledgement::Accept => 'A',
        Acknowledgement::Error => 'E',
        Acknowledgement::Reject => 'R',
    };
    let trigger = parsed.as_ref().and_then(|m| m.header().get(9).component(2).string());
    let kind = trigger.map_or_else(
        || "ACK".to_owned(),
        |t| {
            let t: String = t.chars().filter(char::is_ascii_alphanumeric).take(3).collect();
            format!("ACK{c}{t}{c}ACK", c = marks.component)
        },
    );
    let version = Some(field(12)).filter(|v| !v.is_empty()).unwrap_or("2.5");
    let processing = Some(field(11)).filter(|v| !v.is_empty()).unwrap_or("P");
    let plain: String = text.chars().take(200).map(|c| if marks.separates(c) { ' ' } else { c }).collect();
    let f = marks.field;
    let mut out = format!("MSH{f}{coding}");
    let own = [field(5), field(6), field(3), field(4), time, "", &kind, control, processing, version];
    for part in own {
        let _ = write!(out, "{f}{part}");
    }
    if !field(18).is_empty() {
        let _ = write!(out, "{f}{f}{f}{f}{f}{f}{}", field(18));
    }
    let _ = write!(out, "\rMSA{f}{mode}{code}{f}{}", field(10));
    if !plain.is_empty() {
        let _ = write!(out, "{f}{plain}");
    }
    out.push('\r');
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_turns_sender_and_receiver_round() {
        let message =
            b"MSH|^~\\&|LAB|HOSP|CHIASM|STORE|20240305||ORU^R01|77|P|2.5||||||UNICODE UTF-8\rPID|||1\r";
        let answer = acknowledge(message, Acknowledgement::Accept, "20240305143015", "c1", "");
        let expected = "MSH|^~\\&|CHIASM|STORE|LAB|HOSP|20240305143015||ACK^R01^ACK|c1|P|2.5||||||UNICODE UTF-8\r\
                        MSA|AA|77\r";
        assert_eq!(String::from_utf8(answer).unwrap(), expected);
    }

    #[test]
    fn what_is_no_message_is_answered() {
        let answer = acknowledge(b"\xff\xfe junk", Acknowledgement::Reject, "2024", "c", "no MSH|^\r");
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            "MSH|^~\\&|||||2024||ACK|c|P|2.5\rMSA|AR||no MSH   \r"
        );
        for bad in [&b"MSH"[..], b"", b"MSH|", "é|MSH|^~\\&|".as_bytes()] {
            assert!(acknowledge(bad, Acknowledgement::Error, "", "", "").ends_with(b"\r"));
        }
    }

    #[test]
    fn the_enhanced_mode_is_answered_as_it_asks() {
        use Acknowledgement::{Accept, Error, Reject};
        let answer = |receipt: &str, application: &str, code| {
            let message = format!("MSH|^~\\&|A|B|C|D|2024||ADT^A01|5|P|2.5|||{receipt}|{application}\r");
            let text = String::from_utf8(acknowledge(message.as_bytes(), code, "", "", "")).unwrap();
            text.split("MSA|").nth(1).map(|t| t[..2].to_owned())
        };
        let some = |code: &str| Some(code.to_owned());
        assert_eq!(answer("", "", Accept), some("AA"));
        assert_eq!(answer("AL", "NE", Accept), some("CA"));
        assert_eq!(answer("AL", "AL", Error), some("CE"));
        assert_eq!(answer("ER", "NE", Accept), None);
        assert_eq!(answer("ER", "NE", Reject), some("CR"));
        assert_eq!(answer("SU", "", Accept), some("CA"));
        assert_eq!(answer("NE", "AL", Reject), some("AR"));
        assert_eq!(answer("NE", "NE", Error), None);
    }

    #[test]
    fn what_a_header_breaks_is_told() {
        let header = |kind: &str, version: &str, set: &str| {
            format!("MSH|^~\\&|A|B|C|D|2024||{kind}|5|P|{version}||||||{set}\rPID|1||1^^^H||M\u{fc}ller\r")
        };
        for good in
            [header("ADT^A01", "2.5.1", ""), header("ADT", "", "UNICODE UTF-8"), "BHS|^~\\&\r".to_owned()]
        {
            assert_eq!(refusal(good.as_bytes()), None, "{good}");
        }
        let bad = [
            ("PID|1".to_owned(), "MSH"),
            (String::new(), "MSH"),
            (header("ADT^A01", "3.0", ""), "MSH-12"),
            (header("ADT^A01", "KLINGON", ""), "MSH-12"),
            (header("", "2.5", ""), "MSH-9"),
            (header("ADT^A01", "2.5", "KLINGON"), "MSH-18"),
        ];
        for (message, place) in bad {
            assert!(refusal(message.as_bytes()).unwrap().contains(place), "{message}");
        }
    }
}
