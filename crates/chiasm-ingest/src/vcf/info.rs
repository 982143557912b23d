use super::alleles::{Allele, allele};
use super::bcf::Packed;
use super::faults::Faults;
use super::header::{Header, is_info_key};
use super::packed::Values;
use super::record::{MOST_KEYS, Record, has_twice, whole};
use super::reserved::{Definition, Number, Type};
use super::values::{Alleles, Meaning, Misfit, info_meaning, misfit};
use super::version::Version;

/// The INFO column.
#[derive(Clone, Copy)]
pub(super) enum Info<'a> {
    Text(&'a [u8]),
    Packed(Packed<'a>),
}

impl<'a> Info<'a> {
    /// Keys of a column that is no dot with their values; a flag has none.
    fn cut(text: &'a [u8]) -> impl Iterator<Item = (&'a [u8], Option<Values<'a>>)> {
        text.split(|&b| b == b';').map(|pair| match pair.iter().position(|&b| b == b'=') {
            Some(at) => (&pair[..at], Some(Values::Text(&pair[at + 1..]))),
            None => (pair, None),
        })
    }

    /// Whether there is key `key`.
    fn has(self, key: &[u8]) -> bool {
        match self {
            Self::Text(text) => Self::cut(text).any(|(name, _)| name == key),
            Self::Packed(packed) => packed.info().any(|(name, _)| name == key),
        }
    }

    /// Whether there is nothing.
    pub fn is_missing(self) -> bool {
        match self {
            Self::Text(text) => text == b".",
            Self::Packed(packed) => packed.infos() == 0,
        }
    }
}

/// Keys whose values become attributes of events.
const KEPT: [&[u8]; 9] =
    [b"AF", b"SVTYPE", b"END", b"SVLEN", b"ANN", b"CSQ", b"GENE", b"Gene.refGene", b"GENEINFO"];

/// The values of the [`KEPT`] keys, of each the first; empty for a flag.
pub(super) type Kept<'a> = [Option<Values<'a>>; KEPT.len()];

/// What is known of the keys that records had last, by their place: most records repeat them.
#[derive(Default)]
pub(super) struct Keys {
    places: Vec<(Vec<u8>, Key)>,
    /// How many keys the record last had, if each once and all remembered.
    unique: usize,
}

/// What is known of a key.
#[derive(Clone, Copy)]
struct Key {
    /// Whether it may name a field.
    fits: bool,
    declared: bool,
    definition: Option<Definition>,
    meaning: Meaning,
    /// Which of the [`KEPT`] it is.
    kept: Option<usize>,
}

impl Keys {
    /// The longest name and the most places that are remembered.
    const MOST: usize = 64;

    fn at(&mut self, i: usize, name: &[u8], header: &Header) -> Key {
        if let Some((_, key)) = self.places.get(i).filter(|(known, _)| known == name) {
            return *key;
        }
        self.unique = 0;
        let key = Key {
            fits: is_info_key(name, header.version),
            declared: header.info.contains_key(name),
            definition: header.info_definition(name),
            meaning: info_meaning(name, header.version),
            kept: KEPT.iter().position(|kept| *kept == name),
        };
        if i < Self::MOST && name.len() <= Self::MOST {
            let known = self.places.len();
            match self.places.get_mut(i) {
                Some(place) => *place = (name.to_vec(), key),
                None if i == known => self.places.push((name.to_vec(), key)),
                None => {}
            }
        }
        key
    }
}

fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(&key[..key.len().min(40)]).into_owned()
}

/// Checks the INFO column of `record`, and keeps what reading it needs.
pub(super) fn check<'a>(
    record: &mut Record<'a>,
    known: &mut Keys,
    number: u64,
    header: &Header,
    faults: &mut Faults,
) {
    let (info, version) = (record.info, header.version);
    if info.is_missing() {
        return ends(record, None, number, header, faults);
    }
    if matches!(info, Info::Text(b"")) {
        return faults.error("vcf.info", number, "expected a dot where there is nothing");
    }
    let mut keys: Vec<&[u8]> = Vec::with_capacity(16);
    let mut end = None;
    let alleles = Alleles { alternatives: record.count, ploidy: None };
    let mut pair = |i, name: &'a [u8], values: Option<Values<'a>>| {
        if keys.len() < MOST_KEYS {
            keys.push(name);
        }
        let key = known.at(i, name, header);
        if let Some(kept) = key.kept {
            record.kept[kept].get_or_insert(values.unwrap_or(Values::Text(b"")));
        }
        if !key.fits {
            faults.error("vcf.info.key", number, "expected keys of letters, digits, underscores and dots");
            return;
        }
        if !key.declared {
            faults.warn("vcf.info.undeclared", number, "expected an INFO line for each key");
        }
        match values {
            None => without_value(name, key.definition, number, faults),
            Some(Values::Text(b"")) => {
                faults.error("vcf.info.value", number, format!("INFO {}: expected a value", shown(name)))
            }
            Some(values) => {
                if let Values::Text(value) = values {
                    text(value, number, version, faults);
                }
                with_values(name, values, key, alleles, number, version, faults);
                if key.meaning == Meaning::End {
                    end = whole(&values.written());
                }
            }
        }
    };
    // Two loops, each over what it knows: this is where the time goes.
    match info {
        Info::Text(text) => {
            for (i, (name, values)) in Info::cut(text).enumerate() {
                pair(i, name, values);
            }
        }
        Info::Packed(packed) => {
            for (i, (name, values)) in packed.info().enumerate() {
                pair(i, name, values);
            }
        }
    }
    if keys.len() == known.unique {
        // As before.
    } else if has_twice(&keys) {
        known.unique = 0;
        faults.either(version.strict(), "vcf.info.duplicate", number, "expected each INFO key once");
    } else if keys.len() <= Keys::MOST {
        known.unique = keys.len();
    }
    ends(record, end, number, header, faults);
}

fn without_value(key: &[u8], definition: Option<Definition>, number: u64, faults: &mut Faults) {
    let Some(definition) = definition else { return };
    if definition.kind != Type::Flag && definition.number != Number::Count(0) {
        faults.error("vcf.info.value", number, format!("INFO {}: expected a value", shown(key)));
    }
}

fn with_values(
    name: &[u8],
    values: Values<'_>,
    key: Key,
    alleles: Alleles,
    number: u64,
    version: Version,
    faults: &mut Faults,
) {
    if let Some(Definition { number: count, kind: Type::Flag }) = key.definition {
        // Writers of flags as 0 and 1 are let through by the standard's own test files.
        let message = || format!("INFO {}: expected a flag without a value", shown(name));
        match &*values.written() {
            b"0" | b"1" => faults.warn("vcf.info.flag", number, message()),
            _ if count == Number::Count(0) => faults.error("vcf.info.flag", number, message()),
            _ => faults.warn("vcf.info.flag", number, message()),
        }
        return;
    }
    if let Values::Text([b'"', .., b'"']) = values {
        // Quotation marks mean nothing in INFO; commas between them part no values for those who write them.
        return faults.warn("vcf.info.quoted", number, "expected no quotation marks around a value");
    }
    let say = |what: &str| format!("INFO {}: expected {what}", shown(name));
    match misfit(values, key.definition, key.meaning, alleles) {
        None => {}
        Some(Misfit::Count(n)) => faults.error("vcf.info.number", number, say(&format!("{n} values"))),
        Some(Misfit::Type(what)) => faults.error("vcf.info.type", number, say(what)),
        Some(Misfit::Wide) => {
            faults.either(version.strict(), "vcf.info.type", number, say("a whole number that 32 bits hold"));
        }
        Some(Misfit::Meaning(what)) => faults.error("vcf.info.range", number, say(what)),
    }
}

/// Characters that a value may not have.
fn text(value: &[u8], number: u64, version: Version, faults: &mut Faults) {
    let mut blank = false;
    let mut percent = false;
    for (at, &b) in value.iter().enumerate() {
        match b {
            // Forbidden in every version, yet let through by the test files of 4.1 and 4.2.
            b'=' => {
                let message = "expected no equals sign inside a value";
                faults.either(version >= Version::V44, "vcf.info.equals", number, message);
            }
            b' ' if !version.strict() => blank = true,
            b'%' if version.strict() => {
                let code = value.get(at + 1..at + 3);
                percent |= !code.is_some_and(|c| c.iter().all(|d| matches!(d, b'0'..=b'9' | b'A'..=b'F')));
            }
            _ => {}
        }
    }
    if blank {
        faults.error("vcf.info.blank", number, "expected no blanks in INFO before version 4.3");
    }
    if percent {
        faults.warn("vcf.percent", number, "expected two capital hexadecimal digits after a percent sign");
    }
}

/// Rules about where a record ends and about structural variants.
fn ends(record: &Record<'_>, end: Option<u64>, number: u64, header: &Header, faults: &mut Faults) {
    if end.is_some_and(|end| end < record.position) {
        faults.error("vcf.info.end", number, "INFO END: expected a position not before POS");
    }
    if record.alternatives.contains(&b'<') && header.version >= Version::V44 {
        let mut symbols = record.alleles().filter_map(|a| match allele(a, header.version) {
            Some(Allele::Symbolic(id)) => Some(id),
            _ => None,
        });
        let first = |id: &[u8]| id.split(|&b| b == b':').next().unwrap_or(id).to_vec();
        if record.alternatives == b"<*>" && end.is_none() {
            faults.error("vcf.info.end", number, "expected INFO END with the allele <*>");
        }
        let claims = symbols.any(|id| matches!(first(id).as_slice(), b"DEL" | b"DUP"));
        if claims && !record.info.has(b"SVCLAIM") {
            faults.warn("vcf.info.svclaim", number, "expected INFO SVCLAIM with <DEL> and <DUP>");
        }
    }
    match header.contigs.get(record.chromosome) {
        Some(Some(length)) if record.position > length.saturating_add(1) => {
            faults.warn("vcf.pos.contig", number, "expected a position on the contig, or one past its end");
        }
        None if !header.contigs.is_empty() => {
            faults.warn("vcf.chrom.undeclared", number, "expected a contig line for each chromosome");
        }
        _ => {}
    }
}
