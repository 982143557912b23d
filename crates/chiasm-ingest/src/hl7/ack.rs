//! The answer to a message.

use super::field::Marks;
use super::message::Message;
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

/// The ACK to `message`, without MLLP's frame.
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
    let code = match code {
        Acknowledgement::Accept => "AA",
        Acknowledgement::Error => "AE",
        Acknowledgement::Reject => "AR",
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
    let _ = write!(out, "\rMSA{f}{code}{f}{}", field(10));
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
}
