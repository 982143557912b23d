//! One message as its segments.

use super::Broken;
use super::field::{Field, Marks};

/// Fields of a segment that are looked at; no standard segment has more.
const FIELDS: usize = 64;
/// Segments of a message that are read.
const SEGMENTS: usize = 50_000;

/// A message whose header could be read.
pub(super) struct Message<'a> {
    pub(super) segments: Vec<Segment<'a>>,
}

/// One line of a message.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    /// `PID`, `OBX`, `ZXY`.
    pub(super) name: &'a str,
    /// The whole line.
    pub(super) raw: &'a str,
    marks: Marks,
}

/// The fields of a segment, numbered as the standard does.
pub(super) struct Fields<'a> {
    items: [&'a str; FIELDS],
    marks: Marks,
}

impl<'a> Message<'a> {
    /// Splits a text whose segments end with CR.
    pub(super) fn parse(text: &'a str) -> Result<Self, Broken> {
        let marks = Marks::read(text.as_bytes()).ok_or_else(|| {
            Broken::new(
                "hl7.delimiters",
                "expected MSH with 2 to 6 different delimiters, found another start",
            )
        })?;
        let mut segments = Vec::new();
        for raw in text.split('\r').filter(|raw| !raw.is_empty()) {
            if segments.len() == SEGMENTS {
                let message = format!("expected at most {SEGMENTS} segments in a message, found more");
                return Err(Broken::new("hl7.length", message));
            }
            let name = raw.split([marks.field, '\n']).next().unwrap_or_default();
            segments.push(Segment { name, raw, marks });
        }
        Ok(Self { segments })
    }

    /// The first segment of that name.
    pub(super) fn first(&self, name: &str) -> Option<Segment<'a>> {
        self.segments.iter().find(|s| s.name == name).copied()
    }

    /// The message's header.
    pub(super) fn header(&self) -> Fields<'a> {
        // `parse` made sure that the first segment is an MSH.
        self.segments[0].fields()
    }
}

impl<'a> Segment<'a> {
    /// Its fields.
    pub(super) fn fields(&self) -> Fields<'a> {
        let mut items = [""; FIELDS];
        let header = matches!(self.name, "MSH" | "FHS" | "BHS");
        // In a header the first separator is itself field 1.
        for (item, text) in items[usize::from(header)..].iter_mut().zip(self.raw.split(self.marks.field)) {
            *item = text;
        }
        if header {
            items[1] = self.raw.get(3..4).unwrap_or_default();
        }
        Fields { items, marks: self.marks }
    }
}

impl<'a> Fields<'a> {
    /// Field `n`, from 1; empty where there is none.
    pub(super) fn get(&self, n: usize) -> Field<'a> {
        Field::new(self.items.get(n).copied().unwrap_or_default(), self.marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_count_their_separator() {
        let text = "MSH|^~\\&|APP|FAC|||20240101||ADT^A01|7|P|2.5\rPID|1||4711^^^H^MR\rZZZ";
        let message = Message::parse(text).unwrap();
        let header = message.header();
        let at = |n| header.get(n).raw();
        assert_eq!((at(1), at(2), at(3), at(9), at(12)), ("|", "^~\\&", "APP", "ADT^A01", "2.5"));
        assert_eq!(message.first("PID").unwrap().fields().get(3).component(5).raw(), "MR");
        assert_eq!(message.segments[2].name, "ZZZ");
        assert_eq!(Message::parse("PID|1").err().unwrap().rule, "hl7.delimiters");
    }
}
