use super::meta::{Meta, meta};
use super::record::whole;
use std::collections::HashSet;

/// The names that records of BCF give by number.
#[derive(Default)]
pub(super) struct Dictionary {
    strings: Vec<Name>,
    contigs: Vec<Name>,
    pub samples: usize,
    /// Whether a line of column names has come.
    pub complete: bool,
}

/// One of them.
#[derive(Clone, Default)]
pub(super) struct Name {
    pub text: Vec<u8>,
    /// Whether it may stand between separators.
    pub plain: bool,
}

/// Bytes of a name; a longer one is none, since records may repeat it without end.
const LONGEST: usize = 1 << 16;

/// Whether text of a record is ASCII without control characters, and without `separator`.
pub(super) fn plain(text: &[u8], separator: u8) -> bool {
    !text.iter().fold(false, |odd, &b| odd | !(b' '..0x7f).contains(&b) | (b == separator))
}

impl Dictionary {
    /// The dictionaries that header lines make, in their order or by their IDX.
    pub fn of(text: &[u8]) -> Self {
        let name = |text: &[u8]| Name {
            text: text.to_vec(),
            plain: plain(text, b' ') && !text.iter().any(|b| b":;=,".contains(b)),
        };
        let mut all = Self { strings: vec![name(b"PASS")], ..Self::default() };
        let mut known = HashSet::from([(false, &b"PASS"[..])]);
        let mut number = 0;
        for line in text.split(|&b| b == b'\n') {
            all.complete |= line.starts_with(b"#") && !line.starts_with(b"##");
            if line.starts_with(b"#CHROM") {
                all.samples = line.split(|&b| b == b'\t').count().saturating_sub(9);
            }
            let Ok(Meta::Structured(key, Ok(fields))) = meta(line) else { continue };
            let list = match key {
                b"FILTER" | b"INFO" | b"FORMAT" => &mut all.strings,
                b"contig" => &mut all.contigs,
                _ => continue,
            };
            let find = |key: &[u8]| fields.iter().find(|f| f.key == key).map(|f| f.value);
            let Some(id) = find(b"ID").filter(|id| id.len() <= LONGEST) else { continue };
            number += 1;
            let new = known.insert((key == b"contig", id));
            match find(b"IDX").and_then(whole).map(|i| i as usize) {
                // A sparse dictionary may not make a table of gigabytes.
                Some(index) if index <= number + 65_536 => {
                    if list.len() <= index {
                        list.resize(index + 1, Name::default());
                    }
                    list[index] = name(id);
                }
                None if new => list.push(name(id)),
                _ => {}
            }
        }
        all
    }

    /// Filter or key number `index`.
    pub fn string(&self, index: i64) -> Option<&Name> {
        self.strings.get(usize::try_from(index).ok()?).filter(|s| !s.text.is_empty())
    }

    /// Contig number `index`.
    pub fn contig(&self, index: u32) -> Option<&Name> {
        self.contigs.get(index as usize).filter(|c| !c.text.is_empty())
    }
}
