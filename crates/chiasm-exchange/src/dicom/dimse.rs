//! DIMSE commands: implicit little endian, group 0000. PS3.7 sections 6.3.1 and 9.3.

/// The status of a response, PS3.4 section B.2.3 and PS3.7 annex C.
pub mod status {
    /// On disk.
    pub const SUCCESS: u16 = 0x0000;
    /// The command names a SOP class that was not agreed, or is not storage.
    pub const SOP_CLASS_NOT_SUPPORTED: u16 = 0x0122;
    /// A command that this provider does not have.
    pub const UNRECOGNIZED_OPERATION: u16 = 0x0211;
    /// It could not be kept: the disk is full or refuses, or the object is larger than allowed.
    pub const OUT_OF_RESOURCES: u16 = 0xA700;
    /// The data set's SOP class or instance is not the one that the command names.
    pub const DATA_SET_DIFFERS: u16 = 0xA900;
    /// The data set is not one in the agreed transfer syntax, or lacks its UIDs.
    pub const CANNOT_UNDERSTAND: u16 = 0xC000;

    /// What a status says, for people.
    pub(in super::super) fn words(status: u16) -> &'static str {
        match status {
            SUCCESS => "kept",
            SOP_CLASS_NOT_SUPPORTED => "its class was not agreed or is not storage",
            UNRECOGNIZED_OPERATION => "an operation that is not offered",
            OUT_OF_RESOURCES => "the disk refuses it, or it is larger than allowed",
            DATA_SET_DIFFERS => "it is not the object that its command names",
            CANNOT_UNDERSTAND => "it is no data set in the agreed transfer syntax, or lacks its UIDs",
            _ => "refused",
        }
    }
}

pub(super) mod field {
    pub const STORE_RQ: u16 = 0x0001;
    pub const ECHO_RQ: u16 = 0x0030;
    pub const CANCEL_RQ: u16 = 0x0FFF;
    pub const RESPONSE: u16 = 0x8000;
}

const NO_DATA_SET: u16 = 0x0101;

/// The elements of a request that a provider of storage needs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub field: u16,
    pub message: u16,
    pub class: String,
    pub instance: String,
    pub has_data: bool,
}

impl Command {
    /// Reads a command; `None` when it is not one, or has no field, message or data set type.
    pub(super) fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut command = Self::default();
        let mut known = (false, false, false);
        while let Some((header, rest)) = bytes.split_at_checked(8) {
            let word = |at: usize| Some(u16::from_le_bytes([*header.get(at)?, *header.get(at + 1)?]));
            let length = usize::from(word(4)?) | usize::from(word(6)?) << 16;
            let (value, rest) = rest.split_at_checked(length)?;
            let short = || Some(u16::from_le_bytes([*value.first()?, *value.get(1)?]));
            if word(0)? != 0 {
                return None;
            }
            match word(2)? {
                0x0002 => command.class = uid(value)?,
                0x0100 => (command.field, known.0) = (short()?, true),
                0x0110 => (command.message, known.1) = (short()?, true),
                0x0120 if command.field == field::CANCEL_RQ => known.1 = true,
                0x0800 => (command.has_data, known.2) = (short()? != NO_DATA_SET, true),
                0x1000 => command.instance = uid(value)?,
                _ => {}
            }
            bytes = rest;
        }
        (bytes.is_empty() && known == (true, true, true)).then_some(command)
    }

    /// The response to this request.
    pub(super) fn response(&self, status: u16) -> Vec<u8> {
        let mut body = Vec::new();
        if !self.class.is_empty() {
            element(&mut body, 0x0002, &padded(&self.class));
        }
        element(&mut body, 0x0100, &(self.field | field::RESPONSE).to_le_bytes());
        element(&mut body, 0x0120, &self.message.to_le_bytes());
        element(&mut body, 0x0800, &NO_DATA_SET.to_le_bytes());
        element(&mut body, 0x0900, &status.to_le_bytes());
        if !self.instance.is_empty() {
            element(&mut body, 0x1000, &padded(&self.instance));
        }
        let mut command = Vec::with_capacity(body.len() + 12);
        element(&mut command, 0x0000, &u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        command.extend(body);
        command
    }
}

/// A UID without its padding; `None` for what cannot be one.
pub(super) fn uid(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?.trim_matches(['\0', ' ']);
    let fits = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    fits.then(|| text.to_owned())
}

/// A UID padded to an even length.
pub(super) fn padded(uid: &str) -> Vec<u8> {
    let mut value = uid.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(0);
    }
    value
}

fn element(into: &mut Vec<u8>, number: u16, value: &[u8]) {
    into.extend([0, 0]);
    into.extend(number.to_le_bytes());
    into.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    into.extend(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_reads_back_as_the_command_it_answers() {
        let asked = Command {
            field: field::STORE_RQ,
            message: 7,
            class: "1.2.840.10008.5.1.4.1.1.2".into(),
            instance: "2.25.3".into(),
            has_data: true,
        };
        let bytes = asked.response(status::OUT_OF_RESOURCES);
        assert_eq!(bytes.len() - 12, usize::from(bytes[8]) + 256 * usize::from(bytes[9]));
        assert!(bytes.windows(10).any(|w| w == [0, 0, 0, 9, 2, 0, 0, 0, 0, 0xA7]));
        assert!(Command::read(&bytes).is_none(), "a response has no message id of its own");
    }

    #[test]
    fn what_is_cut_or_not_a_command_is_none() {
        for bad in [&[0u8, 0, 0, 1, 2, 0][..], &[8, 0, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 1, 255, 255, 255, 255]] {
            assert!(Command::read(bad).is_none());
        }
    }
}
