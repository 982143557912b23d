use super::bcf::Packed;
use super::faults::Faults;
use super::header::{Header, is_format_key};
use super::packed::Values;
use super::record::{MOST_KEYS, Record, has_twice};
use super::reserved::Definition;
use super::values::{Alleles, Meaning, Misfit, format_meaning, misfit, plain};
use super::version::Version;
use memchr::{memchr, memchr_iter};

/// FORMAT and the samples.
#[derive(Clone, Copy)]
pub(super) enum Samples<'a> {
    /// Tabs between the columns.
    Text(&'a [u8]),
    Packed(Packed<'a>),
}

/// What stands of one sample.
#[derive(Clone, Copy)]
pub(super) enum Sample<'a> {
    /// Colons between the fields.
    Text(&'a [u8]),
    /// Which sample of a record.
    Packed(Packed<'a>, usize),
}

impl<'a> Samples<'a> {
    /// The FORMAT column.
    fn format(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.split(|&b| b == b'\t').next().unwrap_or_default(),
            Self::Packed(packed) => packed.format(),
        }
    }

    /// How many samples there are.
    pub fn len(self) -> usize {
        match self {
            Self::Text(text) => memchr_iter(b'\t', text).count(),
            Self::Packed(packed) => packed.samples(),
        }
    }

    /// The samples, in the order of the header.
    pub fn iter(self) -> impl Iterator<Item = Sample<'a>> {
        let mut rest = match self {
            Self::Text(text) => memchr(b'\t', text).map(|at| &text[at + 1..]),
            Self::Packed(_) => None,
        };
        let mut next = 0;
        std::iter::from_fn(move || match self {
            Self::Text(_) => {
                let text = rest?;
                let end = memchr(b'\t', text);
                rest = end.map(|end| &text[end + 1..]);
                Some(Sample::Text(&text[..end.unwrap_or(text.len())]))
            }
            Self::Packed(packed) => {
                next += 1;
                (next <= packed.samples()).then_some(Sample::Packed(packed, next - 1))
            }
        })
    }
}

impl<'a> Sample<'a> {
    /// Field number `at`.
    pub fn field(self, at: usize) -> Option<Values<'a>> {
        match self {
            Self::Text(text) => text.split(|&b| b == b':').nth(at).map(Values::Text),
            Self::Packed(packed, i) => packed.field(i, at),
        }
    }

    /// Hands over the [`KEPT_FIELDS`], as far as they are there.
    pub fn kept(self, format: &Format, mut hand: impl FnMut(&'static str, Values<'a>)) {
        let mut found = [Values::Text(b"."); KEPT_FIELDS.len()];
        match self {
            Self::Text(text) => {
                for (field, key) in text.split(|&b| b == b':').zip(&format.keys) {
                    if let Some(kept) = key.kept {
                        found[kept] = Values::Text(field);
                    }
                }
            }
            Self::Packed(packed, i) => {
                for (kept, at) in &format.kept {
                    found[*kept] = packed.field(i, *at).unwrap_or(Values::Text(b"."));
                }
            }
        }
        for (kept, _) in &format.kept {
            let values = found[*kept];
            if !values.is_missing() && !values.is_empty() {
                hand(KEPT_FIELDS[*kept], values);
            }
        }
    }
}

/// The fields of a sample that become attributes of its events.
pub(super) const KEPT_FIELDS: [&str; 6] = ["DP", "GQ", "AD", "AF", "PS", "FT"];

/// The FORMAT column of the record read last: most records repeat it.
#[derive(Default)]
pub(super) struct Format {
    text: Vec<u8>,
    keys: Vec<Key>,
    /// Where the genotype is.
    pub genotype: Option<usize>,
    /// Which of the [`KEPT_FIELDS`] there are, in their order, and where.
    kept: Vec<(usize, usize)>,
    /// Whether its keys were without fault.
    sound: bool,
}

struct Key {
    name: String,
    definition: Option<Definition>,
    meaning: Meaning,
    /// Which of [`KEPT_FIELDS`] it is.
    kept: Option<usize>,
}

/// A genotype as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Genotype {
    /// How many alleles it has.
    pub ploidy: u64,
    /// The largest number of an allele.
    pub largest: u64,
}

impl Genotype {
    /// Reads alleles with `/` or `|` between them (from 4.4 on also before the first).
    pub fn of(text: &[u8], version: Version) -> Option<Self> {
        let text = match text {
            [b'/' | b'|', rest @ ..] if version >= Version::V44 => rest,
            text => text,
        };
        let (mut ploidy, mut largest) = (0, 0);
        for allele in text.split(|b| matches!(b, b'/' | b'|')) {
            ploidy += 1;
            if allele != b"." {
                largest = super::record::whole(allele)?.max(largest);
            }
        }
        Some(Self { ploidy, largest })
    }

    /// Reads values that should be a genotype.
    fn of_values(values: Values<'_>, version: Version) -> Option<Self> {
        if !matches!(values, Values::Alleles(..)) || values.is_missing() {
            return Self::of(&values.written(), version);
        }
        let count = |all: Self, (allele, _): (Option<u64>, bool)| Self {
            ploidy: all.ploidy + 1,
            largest: all.largest.max(allele.unwrap_or(0)),
        };
        Some(values.alleles().fold(Self { ploidy: 0, largest: 0 }, count))
    }
}

impl Format {
    /// Takes the FORMAT column `text`.
    pub fn set(&mut self, text: &[u8], header: &Header) {
        if self.text == text && !self.keys.is_empty() {
            return;
        }
        self.text = text.to_vec();
        self.keys.clear();
        self.kept.clear();
        for (at, key) in text.split(|&b| b == b':').enumerate().take(MOST_KEYS) {
            let name = String::from_utf8_lossy(&key[..key.len().min(40)]).into_owned();
            let kept = KEPT_FIELDS.iter().position(|kept| *kept == name);
            let kept = kept.filter(|kept| !self.kept.iter().any(|(known, _)| known == kept));
            self.kept.extend(kept.map(|kept| (kept, at)));
            self.keys.push(Key {
                definition: header.format_definition(key),
                meaning: format_meaning(key, header.version),
                kept,
                name,
            });
        }
        self.kept.sort_unstable();
        self.genotype = text.split(|&b| b == b':').position(|key| key == b"GT");
    }
}

/// Checks FORMAT and every sample of `record`.
pub(super) fn check(
    record: &Record<'_>,
    format: &mut Format,
    number: u64,
    header: &Header,
    faults: &mut Faults,
) {
    let Some(samples) = record.samples else { return };
    let text = samples.format();
    if text == b"." && samples.iter().all(|s| matches!(s, Sample::Text(b".") | Sample::Packed(..))) {
        return;
    }
    let known = format.text == text;
    format.set(text, header);
    if !(known && format.sound) {
        let before = faults.total();
        keys(text, format, known, number, header, faults);
        format.sound = faults.total() == before;
    }
    let blanks = match samples {
        Samples::Text(text) if header.version < Version::V43 => {
            text.iter().fold(false, |blank, b| blank | (b.is_ascii_whitespace() & (*b != b'\t')))
        }
        _ => false,
    };
    let before = faults.total();
    for (i, sample) in samples.iter().enumerate() {
        match sample {
            Sample::Text(b"") => faults.error("vcf.sample", number, "expected a dot where there is nothing"),
            Sample::Text(text) => {
                let fields = text.split(|&b| b == b':').map(Values::Text);
                one(fields, format, record, blanks, number, header.version, faults);
            }
            Sample::Packed(packed, which) => {
                one(packed.sample(which), format, record, blanks, number, header.version, faults);
                if i == 0 && faults.total() == before && alike(packed, format, record) {
                    return;
                }
            }
        }
    }
}

/// Whether no sample can break a rule that the first does not: all have as many numbers, and plain ones.
fn alike(packed: Packed<'_>, format: &Format, record: &Record<'_>) -> bool {
    packed.fields().zip(&format.keys).all(|(values, key)| match values {
        Values::Text(_) => false,
        Values::Numbers(..) => key.definition.is_none_or(|d| plain(values, d.kind, key.meaning).is_some()),
        Values::Alleles(bytes, width) => {
            // Without those that are missing.
            let (first, last) = (2, 2 * record.count.min(60) as u8 + 3);
            width == 1 && bytes.iter().fold(true, |known, code| known & (first..=last).contains(code))
        }
    })
}

fn keys(text: &[u8], format: &Format, known: bool, number: u64, header: &Header, faults: &mut Faults) {
    let keys: Vec<&[u8]> = text.split(|&b| b == b':').take(MOST_KEYS).collect();
    for key in &keys {
        if !is_format_key(key, header.version) {
            let message = if header.version.strict() {
                "expected keys of letters, digits, underscores and dots"
            } else {
                "expected keys of letters and digits"
            };
            faults.error("vcf.format.key", number, message);
        } else if !known && !header.format.contains_key(*key) {
            faults.warn("vcf.format.undeclared", number, "expected a FORMAT line for each key");
        }
    }
    if format.genotype.is_some_and(|at| at > 0) {
        faults.error("vcf.format.gt", number, "expected GT as the first key");
    }
    if has_twice(&keys) {
        faults.error("vcf.format.duplicate", number, "expected each key once");
    }
}

fn one<'a>(
    fields: impl Iterator<Item = Values<'a>>,
    format: &Format,
    record: &Record<'_>,
    blanks: bool,
    number: u64,
    version: Version,
    faults: &mut Faults,
) {
    let mut ploidy = if format.genotype.is_some() { None } else { Some(2) };
    for (i, values) in fields.enumerate() {
        let Some(key) = format.keys.get(i) else {
            return faults.error("vcf.sample.extra", number, "expected no more fields than FORMAT has");
        };
        let say = |what: &str| format!("FORMAT {}: expected {what}", key.name);
        if let Values::Text(b"") = values {
            faults.error("vcf.sample.empty", number, say("a dot where there is nothing"));
            continue;
        }
        if key.meaning == Meaning::Genotype {
            match Genotype::of_values(values, version) {
                None => faults.error(
                    "vcf.gt",
                    number,
                    "expected allele numbers or dots, with / or | between them",
                ),
                Some(genotype) => {
                    // A genotype of one dot leaves open how many alleles there are.
                    ploidy = (!values.is_missing()).then_some(genotype.ploidy);
                    if record.count == 0 && genotype.largest == 1 {
                        faults.warn(
                            "vcf.gt.range",
                            number,
                            "expected the reference alone where ALT is a dot",
                        );
                    } else if genotype.largest > record.count {
                        faults.error(
                            "vcf.gt.range",
                            number,
                            "expected numbers of alleles that the record has",
                        );
                    }
                }
            }
            continue;
        }
        if key.meaning == Meaning::Filter {
            filter(&values.written(), number, version, faults);
        }
        if let (true, Values::Text(text)) = (blanks, values)
            && text.iter().any(u8::is_ascii_whitespace)
        {
            faults.error("vcf.sample.blank", number, say("no blanks"));
        }
        let alleles = Alleles { alternatives: record.count, ploidy };
        match misfit(values, key.definition, key.meaning, alleles) {
            None => {}
            Some(Misfit::Count(n)) => faults.error("vcf.sample.number", number, say(&format!("{n} values"))),
            Some(Misfit::Type(what)) => faults.error("vcf.sample.type", number, say(what)),
            Some(Misfit::Wide) => {
                faults.either(version.strict(), "vcf.sample.type", number, say("a number that 32 bits hold"));
            }
            Some(Misfit::Meaning(what)) => faults.error("vcf.sample.range", number, say(what)),
        }
    }
}

/// The filter of one genotype: as in the FILTER column.
fn filter(value: &[u8], number: u64, version: Version, faults: &mut Faults) {
    let alone = value == b"." || value == b"PASS";
    let parts = value.split(|b| matches!(b, b';' | b',') && version.strict() || *b == b';');
    let good = |p: &[u8]| !p.is_empty() && p != b"." && p != b"0" && !p.iter().any(u8::is_ascii_whitespace);
    if !alone && !parts.into_iter().all(good) {
        faults.error(
            "vcf.sample.filter",
            number,
            "FORMAT FT: expected PASS, or filters with semicolons between them",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genotypes_are_alleles_and_separators() {
        let of = |text: &str, version| Genotype::of(text.as_bytes(), version).map(|g| (g.ploidy, g.largest));
        for version in [Version::V41, Version::V44] {
            assert_eq!(of("0|1", version), Some((2, 1)));
            assert_eq!(of("./.", version), Some((2, 0)));
            assert_eq!(of("0/0/12", version), Some((3, 12)));
            assert_eq!(of(".", version), Some((1, 0)));
            for bad in ["", "0/|1", "0.000", "1/C", "0/", "a", "-1"] {
                assert_eq!(of(bad, version), None, "{bad}");
            }
        }
        assert_eq!((of("|0/1", Version::V44), of("|0/1", Version::V43)), (Some((2, 1)), None));
    }
}
