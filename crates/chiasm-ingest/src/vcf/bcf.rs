//! Records of BCF as they are packed. Long: one record, from its bytes to its columns.

use super::dictionary::{Dictionary, plain};
use super::packed::{Atom, Cursor, Number, Values, digits};
use super::{Content, Row};
use crate::Error;
use crate::lines::{LONGEST, Line, LineEnd, Lines, damaged};
use std::io::{self, BufRead, ErrorKind, Read};

/// The most bytes that a header, or half a record, may say it has.
const LARGEST: u64 = 64 << 20;
/// The two lengths before a record.
const LENGTHS: usize = 8;

/// BCF 2, record by record.
///
/// The header and the fixed columns of a record are given as text, so that one set of rules holds for both
/// formats; INFO and samples are left as they are packed. A record with text that VCF would part elsewhere
/// (a semicolon inside a value) is given as the line of VCF that it stands for, and one that is damaged
/// inside as a line of one dot, which no VCF allows. A length is believed only as far as bytes follow.
pub(super) struct Records {
    bytes: Box<dyn BufRead>,
    origin: String,
    header: Option<Lines>,
    /// Lines of the header that have not been given.
    left: u64,
    /// Lines and records given so far.
    pub number: u64,
    dictionary: Dictionary,
    /// The record read last, as it is packed.
    record: Vec<u8>,
    parts: Parts,
}

/// What stands where in the record read last.
#[derive(Default)]
struct Parts {
    /// The first seven columns of VCF.
    line: Vec<u8>,
    format: Vec<u8>,
    info: Vec<Field>,
    fields: Vec<Field>,
    samples: usize,
    /// Whether text stands only where it may: no separators inside of values, no control characters.
    plain: bool,
}

/// The values of one key, from `at` on; `width` bytes for each sample.
struct Field {
    name: i64,
    at: usize,
    width: usize,
    atom: Atom,
    /// Whether its numbers are the alleles of a genotype.
    genotype: bool,
}

/// The packed part of a record: INFO and samples.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a> {
    /// CHROM to FILTER as VCF writes them, tabs between them.
    pub fixed: &'a [u8],
    record: &'a [u8],
    dictionary: &'a Dictionary,
    parts: &'a Parts,
}

impl<'a> Packed<'a> {
    /// Keys of INFO with their values; a flag has none.
    pub fn info(self) -> impl Iterator<Item = (&'a [u8], Option<Values<'a>>)> {
        self.parts.info.iter().map(move |field| {
            let values = (field.atom != Atom::Missing).then(|| field.values(self.record, 0));
            (self.name(field), values)
        })
    }

    fn name(self, field: &Field) -> &'a [u8] {
        self.dictionary.string(field.name).map_or(&[], |name| &name.text)
    }

    /// How many keys INFO has.
    pub fn infos(self) -> usize {
        self.parts.info.len()
    }

    /// The FORMAT column as VCF writes it.
    pub fn format(self) -> &'a [u8] {
        &self.parts.format
    }

    pub fn samples(self) -> usize {
        self.parts.samples
    }

    /// Field number `at` of sample `i`.
    pub fn field(self, i: usize, at: usize) -> Option<Values<'a>> {
        self.parts.fields.get(at).map(|field| field.values(self.record, i))
    }

    /// Each field with the numbers of all samples one after the other.
    pub fn fields(self) -> impl Iterator<Item = Values<'a>> {
        let samples = self.samples();
        let all = move |field: &Field| Field { width: field.width * samples, ..*field };
        self.parts.fields.iter().map(move |field| all(field).values(self.record, 0))
    }

    /// The fields of sample `i`, in the order of FORMAT.
    pub fn sample(self, i: usize) -> impl Iterator<Item = Values<'a>> {
        self.parts.fields.iter().map(move |field| field.values(self.record, i))
    }
}

impl Field {
    fn values<'a>(&self, record: &'a [u8], sample: usize) -> Values<'a> {
        let at = self.at + sample * self.width;
        let bytes = &record[at..at + self.width];
        match self.atom {
            Atom::Integer(width) if self.genotype => Values::Alleles(bytes, width),
            atom => Values::packed(bytes, atom),
        }
    }
}

impl Records {
    /// The records of what `bytes` holds, unpacked and at its magic number.
    pub fn new(bytes: Box<dyn BufRead>, origin: &str) -> Self {
        Self {
            bytes,
            origin: origin.to_owned(),
            header: None,
            left: 0,
            number: 0,
            dictionary: Dictionary::default(),
            record: Vec::new(),
            parts: Parts::default(),
        }
    }

    /// The next line of the header or record, `None` after the last.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the bytes cannot be read on.
    pub fn next(&mut self) -> Result<Option<Row<'_>>, Error> {
        let more = self.advance().map_err(|e| damaged(&self.origin, self.number, &e))?;
        if !more {
            return Ok(None);
        }
        self.number += 1;
        let Self { header, dictionary, record, parts, .. } = self;
        let (number, offset) = (self.number, None);
        if let (1.., Some(header)) = (self.left, header) {
            self.left -= 1;
            let line = header.next()?;
            return Ok(line.map(|line| Row {
                number,
                offset,
                bytes: line.text,
                content: Content::Line(line),
            }));
        }
        let content = if parts.plain {
            Content::Packed(Packed { fixed: &parts.line, record, dictionary, parts })
        } else {
            let end = if parts.line.len() < LONGEST { LineEnd::Complete } else { LineEnd::TooLong };
            Content::Line(Line { text: &parts.line, end })
        };
        Ok(Some(Row { number, offset, bytes: record, content }))
    }

    /// Reads what comes next; `false` at the end of the file.
    fn advance(&mut self) -> io::Result<bool> {
        if self.header.is_none() {
            self.begin()?;
        }
        if self.left > 0 {
            return Ok(true);
        }
        let Some(shared) = self.length()? else { return Ok(false) };
        let own = self.length()?.ok_or_else(|| invalid("expected the second length of a record"))?;
        self.record.clear();
        if self.record.capacity() > 1 << 20 {
            self.record.shrink_to(1 << 16);
        }
        for length in [shared, own] {
            self.record.extend_from_slice(&(length as u32).to_le_bytes());
        }
        take(&mut self.bytes, shared + own, &mut self.record)?;
        let Self { dictionary, record, parts, .. } = self;
        parts.clear(dictionary.complete);
        let (shared, own) = record[LENGTHS..].split_at(shared as usize);
        if parts.decode(dictionary, shared, own).is_none() {
            parts.plain = false;
            parts.line.clear();
            parts.line.push(b'.');
        } else if !parts.plain {
            let mut line = std::mem::take(&mut parts.line);
            Packed { fixed: &[], record, dictionary, parts }.write(&mut line);
            parts.line = line;
        }
        Ok(true)
    }

    fn begin(&mut self) -> io::Result<()> {
        self.bytes.read_exact(&mut [0; 5])?;
        let length = self.length()?.ok_or_else(|| invalid("expected a header"))?;
        let mut text = Vec::new();
        take(&mut self.bytes, length, &mut text)?;
        text.truncate(text.iter().position(|&b| b == 0).unwrap_or(text.len()));
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        self.dictionary = Dictionary::of(&text);
        self.left = text.iter().filter(|&&b| b == b'\n').count() as u64;
        self.header = Some(Lines::new(Box::new(io::Cursor::new(text)), &self.origin));
        Ok(())
    }

    /// The next length; `None` at the end of the file.
    fn length(&mut self) -> io::Result<Option<u64>> {
        if self.bytes.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut length = [0; 4];
        self.bytes.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        if length > LARGEST { Err(invalid("expected a record of at most 64 MiB")) } else { Ok(Some(length)) }
    }
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

/// Adds the next `length` bytes to `to`.
fn take(from: &mut dyn BufRead, length: u64, to: &mut Vec<u8>) -> io::Result<()> {
    let mut left = length as usize;
    while left > 0 {
        let have = from.fill_buf()?;
        let n = have.len().min(left);
        if n == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        to.extend_from_slice(&have[..n]);
        from.consume(n);
        left -= n;
    }
    Ok(())
}

impl Parts {
    fn clear(&mut self, plain: bool) {
        self.line.clear();
        if self.line.capacity() > 1 << 20 {
            self.line.shrink_to(1 << 16);
        }
        self.format.clear();
        self.info.clear();
        self.fields.clear();
        (self.samples, self.plain) = (0, plain);
    }

    /// Takes the two parts of a record; `None` where its bytes do not fit together.
    fn decode(&mut self, dictionary: &Dictionary, shared: &[u8], own: &[u8]) -> Option<()> {
        let mut at = Cursor(shared);
        let line = &mut self.line;
        line.extend_from_slice(&dictionary.contig(at.u32()?)?.text);
        line.push(b'\t');
        digits(i64::from(at.u32()? as i32) + 1, line);
        at.u32()?;
        let quality = at.bytes(4)?;
        let (alleles_info, format_samples) = (at.u32()?, at.u32()?);
        let (alleles, infos) = (alleles_info >> 16, alleles_info & 0xffff);
        let (formats, samples) = (format_samples >> 24, (format_samples & 0xff_ffff) as usize);
        line.push(b'\t');
        at.values()?.write(line);
        for i in 0..alleles {
            line.push(if i < 2 { b'\t' } else { b',' });
            at.values()?.write(line);
        }
        if alleles < 2 {
            line.extend_from_slice(if alleles == 0 { b"\t.\t." } else { b"\t." });
        }
        line.push(b'\t');
        Values::Numbers(quality, Atom::Float).write(line);
        line.push(b'\t');
        filters(&mut at, dictionary, line)?;
        let tabs = line.iter().filter(|&&b| b == b'\t').count();
        self.plain &=
            tabs == 6 && line.iter().fold(true, |p, &b| p & ((b == b'\t') | (b' '..0x7f).contains(&b)));
        for _ in 0..infos {
            let field = self.field(&mut at, dictionary, 1, b';')?;
            self.info.push(Field { at: LENGTHS + shared.len() - field.at, ..field });
        }
        if samples != dictionary.samples {
            return None;
        }
        if samples == 0 {
            return Some(());
        }
        self.samples = samples;
        let mut at = Cursor(own);
        for i in 0..formats {
            let field = self.field(&mut at, dictionary, samples, b':')?;
            if i > 0 {
                self.format.push(b':');
            }
            let name = &dictionary.string(field.name)?.text;
            if self.format.len() >= LONGEST {
                return None;
            }
            self.format.extend_from_slice(name);
            let at = LENGTHS + shared.len() + own.len() - field.at;
            self.fields.push(Field { at, genotype: name == b"GT", ..field });
        }
        if formats == 0 {
            self.format.push(b'.');
        }
        Some(())
    }

    /// The next key with its values, of which there are `times` as many; `at` counts from the end.
    fn field(
        &mut self,
        at: &mut Cursor<'_>,
        dictionary: &Dictionary,
        times: usize,
        separator: u8,
    ) -> Option<Field> {
        let name = at.integer()?;
        let (count, atom) = at.kind()?;
        let width = count.checked_mul(atom.width())?;
        let from = at.0.len();
        let bytes = at.bytes(width.checked_mul(times)?)?;
        self.plain &= dictionary.string(name)?.plain;
        if atom == Atom::Character {
            let mut texts = bytes.chunks_exact(width.max(1));
            self.plain &=
                texts.all(|t| matches!(Values::packed(t, atom), Values::Text(t) if plain(t, separator)));
        }
        Some(Field { name, at: from, width, atom, genotype: false })
    }
}

fn filters(at: &mut Cursor<'_>, dictionary: &Dictionary, line: &mut Vec<u8>) -> Option<()> {
    let (count, atom) = at.kind()?;
    let bytes = at.bytes(count.checked_mul(atom.width())?)?;
    if bytes.is_empty() {
        line.push(b'.');
    }
    let mut indices = Values::packed(bytes, atom).numbers();
    for i in 0..bytes.len() / atom.width().max(1) {
        let Some(Number::Integer(index)) = indices.next().filter(|_| line.len() < LONGEST) else {
            return None;
        };
        if i > 0 {
            line.push(b';');
        }
        line.extend_from_slice(&dictionary.string(index)?.text);
    }
    Some(())
}

impl Packed<'_> {
    /// The record as a line of VCF.
    pub fn line(self) -> Vec<u8> {
        let mut line = self.fixed.to_vec();
        self.write(&mut line);
        line
    }

    /// Writes INFO, FORMAT and the samples after the fixed columns, as far as a line may go.
    fn write(self, line: &mut Vec<u8>) {
        line.push(b'\t');
        if self.infos() == 0 {
            line.push(b'.');
        }
        for (i, (key, values)) in self.info().enumerate() {
            if line.len() >= LONGEST {
                break;
            }
            if i > 0 {
                line.push(b';');
            }
            line.extend_from_slice(key);
            if let Some(values) = values {
                line.push(b'=');
                values.write(line);
            }
        }
        if self.samples() > 0 {
            line.push(b'\t');
            line.extend_from_slice(self.format());
        }
        for sample in 0..self.samples() {
            if line.len() >= LONGEST {
                return;
            }
            line.push(b'\t');
            if self.parts.fields.is_empty() {
                line.push(b'.');
            }
            for (i, values) in self.sample(sample).enumerate() {
                if i > 0 {
                    line.push(b':');
                }
                values.write(line);
            }
        }
    }
}
