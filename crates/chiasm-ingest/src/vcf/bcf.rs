use std::io::{BufRead, Error, ErrorKind, Read};

/// The most bytes that a header or a record may say it has.
const LARGEST: u64 = 64 << 20;

/// BCF 2 as the lines of VCF that it stands for, so that both are checked and read alike.
///
/// A length is believed only as far as bytes follow. A record that is damaged inside becomes a line of
/// one dot, which no VCF allows, and the next one is read.
pub(super) struct Text {
    bytes: Box<dyn BufRead>,
    dictionary: Dictionary,
    line: Vec<u8>,
    at: usize,
    begun: bool,
}

#[derive(Default)]
struct Dictionary {
    strings: Vec<Vec<u8>>,
    contigs: Vec<Vec<u8>>,
    samples: usize,
}

impl Text {
    /// The text of what `bytes` holds, unpacked and at its magic number.
    pub fn new(bytes: Box<dyn BufRead>) -> Self {
        Self { bytes, dictionary: Dictionary::default(), line: Vec::new(), at: 0, begun: false }
    }

    fn refill(&mut self) -> Result<(), Error> {
        self.line.clear();
        self.at = 0;
        if !self.begun {
            self.begun = true;
            let mut magic = [0; 5];
            self.bytes.read_exact(&mut magic)?;
            let length = self.length()?.ok_or_else(|| damaged("expected a header"))?;
            let mut text = self.take(length)?;
            let end = text.iter().position(|&b| b == 0).unwrap_or(text.len());
            text.truncate(end);
            self.dictionary = Dictionary::of(&text);
            self.line = text;
            return Ok(());
        }
        let Some(shared) = self.length()? else { return Ok(()) };
        let own = self.length()?.ok_or_else(|| damaged("expected the second length of a record"))?;
        let (shared, own) = (self.take(shared)?, self.take(own)?);
        if record(&mut self.line, &self.dictionary, &shared, &own).is_none() {
            self.line.clear();
            self.line.push(b'.');
        }
        self.line.push(b'\n');
        Ok(())
    }

    /// The next length; `None` at the end of the file.
    fn length(&mut self) -> Result<Option<u64>, Error> {
        let mut length = [0; 4];
        if self.bytes.fill_buf()?.is_empty() {
            return Ok(None);
        }
        self.bytes.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        if length > LARGEST { Err(damaged("expected a record of at most 64 MiB")) } else { Ok(Some(length)) }
    }

    fn take(&mut self, length: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        (&mut self.bytes).take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == length { Ok(bytes) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }
}

fn damaged(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

impl Read for Text {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let have = self.fill_buf()?;
        let n = have.len().min(into.len());
        into[..n].copy_from_slice(&have[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Text {
    fn fill_buf(&mut self) -> Result<&[u8], Error> {
        if self.at >= self.line.len() {
            self.refill()?;
        }
        Ok(&self.line[self.at..])
    }

    fn consume(&mut self, n: usize) {
        self.at += n;
    }
}

impl Dictionary {
    /// The dictionaries that header lines make, in their order or by their IDX.
    fn of(text: &[u8]) -> Self {
        let mut all = Self { strings: vec![b"PASS".to_vec()], ..Self::default() };
        for line in text.split(|&b| b == b'\n') {
            if line.starts_with(b"#CHROM") {
                all.samples = line.split(|&b| b == b'\t').count().saturating_sub(9);
            }
            let Ok(super::meta::Meta::Structured(key, Ok(fields))) = super::meta::meta(line) else {
                continue;
            };
            let list = match key {
                b"FILTER" | b"INFO" | b"FORMAT" => &mut all.strings,
                b"contig" => &mut all.contigs,
                _ => continue,
            };
            let find = |key: &[u8]| fields.iter().find(|f| f.key == key).map(|f| f.value);
            let Some(id) = find(b"ID") else { continue };
            let index = find(b"IDX").and_then(super::record::whole).map(|i| i as usize);
            match index {
                // A sparse dictionary may not make a table of gigabytes.
                Some(index) if index <= list.len() + 65_536 => {
                    if list.len() <= index {
                        list.resize(index + 1, Vec::new());
                    }
                    list[index] = id.to_vec();
                }
                Some(_) => {}
                None if list.iter().any(|known| known == id) => {}
                None => list.push(id.to_vec()),
            }
        }
        all
    }

    fn string(&self, index: i64) -> Option<&[u8]> {
        self.strings.get(usize::try_from(index).ok()?).filter(|s| !s.is_empty()).map(Vec::as_slice)
    }
}

/// Bytes of a record, from front to back.
struct Cursor<'a>(&'a [u8]);

/// The type of typed values.
#[derive(Clone, Copy)]
enum Atom {
    Missing,
    Integer(usize),
    Float,
    Character,
}

impl Atom {
    fn width(self) -> usize {
        match self {
            Self::Missing => 0,
            Self::Integer(width) => width,
            Self::Float => 4,
            Self::Character => 1,
        }
    }
}

/// One value out of a vector.
enum Value {
    Missing,
    End,
    Integer(i64),
    Float(f32),
}

impl<'a> Cursor<'a> {
    fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    /// A descriptor: how many values, of which type.
    fn kind(&mut self) -> Option<(usize, Atom)> {
        let byte = self.bytes(1)?[0];
        let atom = match byte & 15 {
            0 => Atom::Missing,
            1 => Atom::Integer(1),
            2 => Atom::Integer(2),
            3 => Atom::Integer(4),
            5 => Atom::Float,
            7 => Atom::Character,
            _ => return None,
        };
        let count = match byte >> 4 {
            15 => usize::try_from(self.integer()?).ok()?,
            count => usize::from(count),
        };
        Some((count, atom))
    }

    /// One typed whole number.
    fn integer(&mut self) -> Option<i64> {
        let byte = self.bytes(1)?[0];
        let width = match byte {
            0x11 => 1,
            0x12 => 2,
            0x13 => 4,
            _ => return None,
        };
        match value(self.bytes(width)?, Atom::Integer(width))? {
            Value::Integer(n) => Some(n),
            _ => None,
        }
    }

    fn vector(&mut self) -> Option<(&'a [u8], Atom)> {
        let (count, atom) = self.kind()?;
        Some((self.bytes(count.checked_mul(atom.width())?)?, atom))
    }
}

fn value(bytes: &[u8], atom: Atom) -> Option<Value> {
    Some(match atom {
        Atom::Missing => Value::Missing,
        Atom::Float => match u32::from_le_bytes(bytes.try_into().ok()?) {
            0x7f80_0001 => Value::Missing,
            0x7f80_0002 => Value::End,
            bits => Value::Float(f32::from_bits(bits)),
        },
        Atom::Integer(_) => {
            let (n, least) = match *bytes {
                [a] => (i64::from(a as i8), i64::from(i8::MIN)),
                [a, b] => (i64::from(i16::from_le_bytes([a, b])), i64::from(i16::MIN)),
                [a, b, c, d] => (i64::from(i32::from_le_bytes([a, b, c, d])), i64::from(i32::MIN)),
                _ => return None,
            };
            match n - least {
                0 => Value::Missing,
                1 => Value::End,
                _ => Value::Integer(n),
            }
        }
        Atom::Character => return None,
    })
}

/// Writes a vector as VCF does.
fn write(line: &mut Vec<u8>, bytes: &[u8], atom: Atom) -> Option<()> {
    if let Atom::Character = atom {
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        line.extend_from_slice(if end == 0 { b"." } else { &bytes[..end] });
        return Some(());
    }
    let before = line.len();
    for chunk in bytes.chunks_exact(atom.width().max(1)) {
        let comma = line.len() > before;
        let text = match value(chunk, atom)? {
            Value::End => break,
            Value::Missing => ".".to_owned(),
            Value::Integer(n) => n.to_string(),
            Value::Float(x) => x.to_string(),
        };
        if comma {
            line.push(b',');
        }
        line.extend_from_slice(text.as_bytes());
    }
    if line.len() == before {
        line.push(b'.');
    }
    Some(())
}

/// Writes a genotype: each number is an allele and whether it is phased.
fn genotype(line: &mut Vec<u8>, bytes: &[u8], width: usize) -> Option<()> {
    let before = line.len();
    for chunk in bytes.chunks_exact(width) {
        let code = match value(chunk, Atom::Integer(width))? {
            Value::Integer(code) => code,
            Value::Missing => 0,
            _ => break,
        };
        if line.len() > before {
            line.push(if code & 1 == 1 { b'|' } else { b'/' });
        }
        match code >> 1 {
            ..=0 => line.push(b'.'),
            allele => line.extend_from_slice((allele - 1).to_string().as_bytes()),
        }
    }
    if line.len() == before {
        line.push(b'.');
    }
    Some(())
}

/// Writes a record as a line; `None` where its bytes do not fit together.
fn record(line: &mut Vec<u8>, dictionary: &Dictionary, shared: &[u8], own: &[u8]) -> Option<()> {
    let mut at = Cursor(shared);
    let contig = dictionary.contigs.get(usize::try_from(at.u32()?).ok()?).filter(|c| !c.is_empty())?;
    let position = i64::from(at.u32()? as i32) + 1;
    at.u32()?;
    let quality = at.bytes(4)?;
    let (alleles_info, format_samples) = (at.u32()?, at.u32()?);
    let (alleles, infos) = (alleles_info >> 16, alleles_info & 0xffff);
    let (formats, samples) = (format_samples >> 24, (format_samples & 0xff_ffff) as usize);
    line.extend_from_slice(contig);
    line.extend_from_slice(format!("\t{position}\t").as_bytes());
    let (id, atom) = at.vector()?;
    write(line, id, atom)?;
    for i in 0..alleles {
        line.push(if i < 2 { b'\t' } else { b',' });
        let (allele, atom) = at.vector()?;
        write(line, allele, atom)?;
    }
    if alleles < 2 {
        line.extend_from_slice(if alleles == 0 { b"\t.\t." } else { b"\t." });
    }
    line.push(b'\t');
    write(line, quality, Atom::Float)?;
    line.push(b'\t');
    let (filters, atom) = at.vector()?;
    if filters.is_empty() {
        line.push(b'.');
    }
    for (i, chunk) in filters.chunks_exact(atom.width().max(1)).enumerate() {
        let Value::Integer(index) = value(chunk, atom)? else { return None };
        if i > 0 {
            line.push(b';');
        }
        line.extend_from_slice(dictionary.string(index)?);
    }
    line.push(b'\t');
    if infos == 0 {
        line.push(b'.');
    }
    for i in 0..infos {
        if i > 0 {
            line.push(b';');
        }
        let key = at.integer()?;
        line.extend_from_slice(dictionary.string(key)?);
        let (values, atom) = at.vector()?;
        if !matches!(atom, Atom::Missing) {
            line.push(b'=');
            write(line, values, atom)?;
        }
    }
    if samples != dictionary.samples {
        return None;
    }
    if samples > 0 { sample_columns(line, dictionary, formats, samples, own) } else { Some(()) }
}

fn sample_columns(
    line: &mut Vec<u8>,
    dictionary: &Dictionary,
    formats: u32,
    samples: usize,
    own: &[u8],
) -> Option<()> {
    let mut at = Cursor(own);
    let mut fields = Vec::new();
    line.push(b'\t');
    if formats == 0 {
        line.push(b'.');
    }
    for i in 0..formats {
        let name = dictionary.string(at.integer()?)?;
        let (count, atom) = at.kind()?;
        let width = count.checked_mul(atom.width())?;
        let bytes = at.bytes(width.checked_mul(samples)?)?;
        if i > 0 {
            line.push(b':');
        }
        line.extend_from_slice(name);
        fields.push((name == b"GT", bytes, width, atom));
    }
    for sample in 0..samples {
        line.push(b'\t');
        if fields.is_empty() {
            line.push(b'.');
        }
        for (i, (is_genotype, bytes, width, atom)) in fields.iter().enumerate() {
            if i > 0 {
                line.push(b':');
            }
            let own = &bytes[sample * width..(sample + 1) * width];
            match atom {
                Atom::Integer(size) if *is_genotype => genotype(line, own, *size)?,
                atom => write(line, own, *atom)?,
            }
        }
    }
    Some(())
}
