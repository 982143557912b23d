//! What the tests of the listeners share: objects, messages, and clients that send them.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use dicom_ul::ClientAssociationOptions;
use dicom_ul::association::client::ClientAssociation;
use dicom_ul::pdu::{PDataValue, PDataValueType, Pdu};

pub const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const VERIFICATION: &str = "1.2.840.10008.1.1";

/// A data set with the least that a CT image must have, and `pixels` bytes that depend on the number.
pub fn data_set(number: u64, pixels: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut text = |group: u16, element: u16, vr: &[u8; 2], value: &str, pad: u8| {
        let mut value = value.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(pad);
        }
        bytes.extend(group.to_le_bytes());
        bytes.extend(element.to_le_bytes());
        bytes.extend(vr);
        bytes.extend((value.len() as u16).to_le_bytes());
        bytes.extend(value);
    };
    text(0x08, 0x16, b"UI", CT, 0);
    text(0x08, 0x18, b"UI", &instance(number), 0);
    text(0x08, 0x60, b"CS", "CT", b' ');
    text(0x10, 0x20, b"LO", &format!("SYNTHETIC-{number}"), b' ');
    let pixels = pixels & !1;
    bytes.extend(*b"\xE0\x7F\x10\0OW\0\0");
    bytes.extend((pixels as u32).to_le_bytes());
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for _ in 0..pixels {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.push(state as u8);
    }
    bytes
}

pub fn instance(number: u64) -> String {
    format!("2.25.1000{number}")
}

fn command(field: u16, class: &str, message: u16, with_data: bool, instance: Option<&str>) -> Vec<u8> {
    let mut body = Vec::new();
    let mut element = |number: u16, value: &[u8]| {
        let mut value = value.to_vec();
        if value.len() % 2 == 1 {
            value.push(0);
        }
        body.extend([0, 0]);
        body.extend(number.to_le_bytes());
        body.extend((value.len() as u32).to_le_bytes());
        body.extend(value);
    };
    element(0x0002, class.as_bytes());
    element(0x0100, &field.to_le_bytes());
    element(0x0110, &message.to_le_bytes());
    element(0x0700, &0u16.to_le_bytes());
    element(0x0800, &if with_data { 1u16 } else { 0x0101 }.to_le_bytes());
    if let Some(instance) = instance {
        element(0x1000, instance.as_bytes());
    }
    let mut all = vec![0, 0, 0, 0, 4, 0, 0, 0];
    all.extend((body.len() as u32).to_le_bytes());
    all.extend(body);
    all
}

/// An association that proposes some classes, each in explicit little endian.
pub struct Scu {
    pub association: ClientAssociation<TcpStream>,
    message: u16,
}

impl Scu {
    pub fn call(address: SocketAddr, classes: &[&str]) -> Result<Self, String> {
        let mut options = ClientAssociationOptions::new()
            .calling_ae_title("TEST-SCU")
            .called_ae_title("CHIASM")
            .max_pdu_length(16384)
            .read_timeout(Duration::from_secs(20));
        for class in classes {
            options = options.with_presentation_context(class.to_string(), vec![EXPLICIT.to_owned()]);
        }
        let association = options.establish(address).map_err(|e| format!("{e:?}"))?;
        Ok(Self { association, message: 0 })
    }

    pub fn context(&self, class: &str) -> Option<u8> {
        let mut agreed = self.association.presentation_contexts().iter();
        agreed.find(|c| c.abstract_syntax == class && c.reason.clone() as u8 == 0).map(|c| c.id)
    }

    fn value(
        &mut self,
        context: u8,
        value_type: PDataValueType,
        is_last: bool,
        data: &[u8],
    ) -> Result<(), String> {
        let value = PDataValue { presentation_context_id: context, value_type, is_last, data: data.to_vec() };
        self.association.send(&Pdu::PData { data: vec![value] }).map_err(|e| e.to_string())
    }

    pub fn status(&mut self) -> Result<u16, String> {
        match self.association.receive().map_err(|e| e.to_string())? {
            Pdu::PData { data } => {
                // Element by element: a message's number can look like the beginning of another element.
                let mut rest = &data[0].data[..];
                while let [_, _, low, high, length @ ..] = rest {
                    let (length, content) = length.split_first_chunk::<4>().ok_or("a cut element")?;
                    let (value, after) = content
                        .split_at_checked(u32::from_le_bytes(*length) as usize)
                        .ok_or("a cut element")?;
                    if [*low, *high] == [0, 9] {
                        return Ok(u16::from_le_bytes([value[0], value[1]]));
                    }
                    rest = after;
                }
                Err("no status".into())
            }
            other => Err(other.short_description().to_string()),
        }
    }

    /// Begins a C-STORE and sends only the first `pieces` fragments.
    pub fn begin_store(
        &mut self,
        class: &str,
        named: &str,
        data: &[u8],
        pieces: usize,
    ) -> Result<(), String> {
        let context = self.association.presentation_contexts()[0].id;
        self.message += 1;
        let command = command(1, class, self.message, true, Some(named));
        self.value(context, PDataValueType::Command, true, &command)?;
        let count = data.chunks(12000).count();
        for (at, piece) in data.chunks(12000).enumerate().take(pieces) {
            self.value(context, PDataValueType::Data, at + 1 == count, piece)?;
        }
        Ok(())
    }

    pub fn store(&mut self, number: u64, data: &[u8]) -> Result<u16, String> {
        self.begin_store(CT, &instance(number), data, usize::MAX)?;
        self.status()
    }

    pub fn request(&mut self, class: &str, field: u16) -> Result<u16, String> {
        let context = self.context(class).ok_or("the class was not agreed")?;
        self.message += 1;
        let command = command(field, class, self.message, false, None);
        self.value(context, PDataValueType::Command, true, &command)?;
        self.status()
    }
}

/// The data set of a Part 10 file: what stands behind its meta information.
pub fn data_set_of(file: &Path) -> Vec<u8> {
    let bytes = std::fs::read(file).unwrap();
    assert_eq!(&bytes[128..132], b"DICM");
    let length = u32::from_le_bytes(bytes[140..144].try_into().unwrap()) as usize;
    bytes[144 + length..].to_vec()
}

/// An HL7 message of about `size` bytes.
pub fn message(number: u64, size: usize) -> Vec<u8> {
    let mut text = format!(
        "MSH|^~\\&|LAB|H|CHIASM|H|20260101120000||ORU^R01|M{number}|P|2.5\rPID|1||S{number}^^^H\rOBX|1|TX|N||"
    );
    while text.len() < size {
        text.push((b'a' + (number as usize + text.len()) as u8 % 26) as char);
    }
    text.push('\r');
    text.into_bytes()
}

/// A sender over MLLP.
pub struct Sender(TcpStream);

impl Sender {
    pub fn call(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    pub fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes)
    }

    /// The next acknowledgement's text.
    pub fn answer(&mut self) -> std::io::Result<Vec<u8>> {
        let (mut text, mut byte) = (Vec::new(), [0]);
        loop {
            self.0.read_exact(&mut byte)?;
            match byte[0] {
                0x0B => text.clear(),
                0x1C => {
                    self.0.read_exact(&mut byte)?;
                    return Ok(text);
                }
                other => text.push(other),
            }
        }
    }

    pub fn send(&mut self, message: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut framed = vec![0x0B];
        framed.extend(message);
        framed.extend([0x1C, 0x0D]);
        self.raw(&framed)?;
        self.answer()
    }
}

/// The messages of a sealed segment; panics where a byte is not part of one.
pub fn messages_of(segment: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(segment).unwrap();
    let mut rest = &bytes[..];
    let mut found = Vec::new();
    while !rest.is_empty() {
        assert_eq!(rest[0], 0x0B, "{} is torn", segment.display());
        let end = rest.iter().position(|&b| b == 0x1C).expect("a whole message");
        assert_eq!(rest[end + 1], 0x0D);
        found.push(rest[1..end].to_vec());
        rest = &rest[end + 2..];
    }
    found
}
