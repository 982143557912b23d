use super::alleles::{is_contig, is_symbol};
use super::faults::Faults;
use super::meta::{Field, Meta, is_url, meta};
use super::reserved::{self, Definition, Number, STRUCTURAL, Type};
use super::version::{Said, Version};
use std::collections::{HashMap, HashSet};

/// What the lines before the records say.
pub(super) struct Header {
    pub version: Version,
    pub info: HashMap<Vec<u8>, Definition>,
    pub format: HashMap<Vec<u8>, Definition>,
    pub filters: HashSet<Vec<u8>>,
    pub contigs: HashMap<Vec<u8>, Option<u64>>,
    pub alts: HashSet<Vec<u8>>,
    /// The values that META lines allow, by key.
    allowed: HashMap<Vec<u8>, Vec<Vec<u8>>>,
    seen: HashSet<(Vec<u8>, Vec<u8>)>,
    /// The Description of INFO keys that hold annotations (ANN, CSQ): it names their parts.
    pub annotations: HashMap<Vec<u8>, String>,
    /// The value of `fileDate`.
    pub date: Option<String>,
    /// The value of `reference`, as written; it is never opened.
    pub reference: Option<String>,
    pub samples: Vec<String>,
    /// Whether the line of column names has come.
    pub complete: bool,
}

const COLUMNS: [&[u8]; 8] = [b"#CHROM", b"POS", b"ID", b"REF", b"ALT", b"QUAL", b"FILTER", b"INFO"];
/// Keys whose line must be structured.
const STRUCTURED: [&[u8]; 8] =
    [b"INFO", b"FORMAT", b"FILTER", b"ALT", b"contig", b"SAMPLE", b"PEDIGREE", b"META"];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Header {
    /// Begins with the first line of the file.
    pub fn begin(line: &[u8], faults: &mut Faults) -> Self {
        let version = match line.strip_prefix(b"##fileformat=").map(Version::of) {
            Some(Said::Known(version)) => version,
            Some(Said::Near(version)) => {
                faults.warn(
                    "vcf.fileformat.version",
                    1,
                    "expected version 4.1 to 4.4; checked by the nearest of them",
                );
                version
            }
            _ => {
                faults.error(
                    "vcf.fileformat",
                    1,
                    "expected ##fileformat=VCFv4.1, 4.2, 4.3 or 4.4 as the first line",
                );
                Version::V42
            }
        };
        Self {
            version,
            info: HashMap::new(),
            format: HashMap::new(),
            filters: HashSet::new(),
            contigs: HashMap::new(),
            alts: HashSet::new(),
            allowed: HashMap::new(),
            seen: HashSet::new(),
            annotations: HashMap::new(),
            date: None,
            reference: None,
            samples: Vec::new(),
            complete: false,
        }
    }

    /// Takes a line that begins with `##`.
    pub fn meta(&mut self, number: u64, line: &[u8], faults: &mut Faults) {
        if let Some(url) = line.strip_prefix(b"##pedigreeDB=<").and_then(|l| l.strip_suffix(b">")) {
            return self.plain(number, b"pedigreeDB", url, faults);
        }
        match meta(line) {
            Err(why) => faults.error("vcf.meta", number, why),
            Ok(Meta::Plain(key, value)) => self.plain(number, key, value, faults),
            Ok(Meta::Structured(key, Err(why))) => {
                // Before 4.3 only the lines that the specification names have a structure.
                let forbidden = STRUCTURED.contains(&key) || self.version.strict() || !line.ends_with(b">");
                faults.either(forbidden, "vcf.meta.structure", number, why);
            }
            Ok(Meta::Structured(key, Ok(fields))) => self.structured(number, key, &fields, faults),
        }
    }

    fn plain(&mut self, number: u64, key: &[u8], value: &[u8], faults: &mut Faults) {
        match key {
            b"fileformat" => {
                faults.error("vcf.fileformat.single", number, "expected one fileformat line, the first")
            }
            b"fileDate" => self.date = Some(text(value)),
            b"reference" => self.reference = Some(text(value)),
            b"assembly" if !is_url(value) => faults.error("vcf.assembly", number, "expected a URL"),
            b"pedigreeDB" if !is_url(value) => faults.error("vcf.pedigreedb", number, "expected a URL"),
            key if STRUCTURED.contains(&key) => {
                faults.error("vcf.meta.structure", number, "expected fields between angle brackets");
            }
            _ => {}
        }
    }

    fn structured(&mut self, number: u64, key: &[u8], fields: &[Field<'_>], faults: &mut Faults) {
        let strict = self.version.strict();
        let mut names = HashSet::new();
        if !fields.iter().all(|f| names.insert(f.key)) {
            faults.error("vcf.meta.fields", number, "expected each field once");
        }
        let id = fields.iter().find(|f| f.key == b"ID").map(|f| f.value);
        let named = STRUCTURED.contains(&key) && (key != b"PEDIGREE" || strict);
        match id {
            Some([]) => faults.error("vcf.meta.id", number, "expected an ID that is not empty"),
            Some(id) if self.seen.insert((key.to_vec(), id.to_vec())) => {}
            Some(_) => {
                let message = "expected an ID once among lines of its kind";
                faults.either(strict, "vcf.meta.id.unique", number, message);
            }
            None if named || strict => faults.error("vcf.meta.id", number, "expected an ID"),
            None => {}
        }
        let described = fields.iter().find(|f| f.key == b"Description");
        if matches!(key, b"INFO" | b"FORMAT" | b"FILTER" | b"ALT") || (key == b"SAMPLE" && !strict) {
            match described {
                None => faults.error("vcf.meta.description", number, "expected a Description"),
                Some(field) if !field.quoted => {
                    faults.error(
                        "vcf.meta.description",
                        number,
                        "expected a Description between quotation marks",
                    );
                }
                Some(_) => {}
            }
        }
        match (key, id) {
            (b"INFO" | b"FORMAT", Some(id)) => self.key(number, key == b"INFO", id, fields, faults),
            (b"FILTER", Some(id)) => {
                order(number, fields, &[b"ID", b"Description"], self.version, faults);
                if id == b"0" || id.iter().any(|b| b.is_ascii_whitespace() || matches!(b, b';' | b',')) {
                    faults.error(
                        "vcf.filter.id",
                        number,
                        "expected a name without blanks, commas and semicolons, not 0",
                    );
                }
                self.extras(number, fields, 2, faults);
                self.filters.insert(id.to_vec());
            }
            (b"ALT", Some(id)) => {
                order(number, fields, &[b"ID", b"Description"], self.version, faults);
                self.alt(number, id, faults);
                self.extras(number, fields, 2, faults);
                self.alts.insert(id.to_vec());
            }
            (b"contig", Some(id)) => self.contig(number, id, fields, faults),
            (b"SAMPLE", Some(_)) => self.sample(number, fields, faults),
            (b"PEDIGREE", _) => pedigree(number, fields, strict, faults),
            (b"META", Some(id)) => {
                let values = fields.iter().find(|f| f.key == b"Values").map(|f| f.value);
                if let Some([b'[', inner @ .., b']']) = values {
                    let values = inner.split(|&b| b == b',').map(|v| v.trim_ascii().to_vec()).collect();
                    self.allowed.insert(id.to_vec(), values);
                }
                if strict && !matches!(fields, [a, ..] if a.key == b"ID") {
                    faults.error("vcf.meta.order", number, "expected ID as the first field");
                }
            }
            _ => {}
        }
    }

    /// An INFO or FORMAT line: ID, Number, Type, Description in this order, then others.
    fn key(&mut self, number: u64, info: bool, id: &[u8], fields: &[Field<'_>], faults: &mut Faults) {
        order(number, fields, &[b"ID", b"Number", b"Type", b"Description"], self.version, faults);
        self.extras(number, fields, 4, faults);
        let named = if info { is_info_key(id, self.version) } else { is_format_key(id, self.version) };
        if !named {
            faults.error("vcf.meta.key", number, "expected an ID of letters, digits, underscores and dots");
        }
        let find = |key: &[u8]| fields.iter().find(|f| f.key == key).map(|f| f.value);
        let count = find(b"Number").and_then(|n| Number::of(n, self.version));
        let kind = find(b"Type").and_then(Type::of).filter(|k| info || *k != Type::Flag);
        if count.is_none() || (info && count == Some(Number::P)) {
            faults.error("vcf.meta.number", number, "expected Number to be a count, A, R, G or a dot");
        }
        if kind.is_none() {
            let known = "expected Type to be Integer, Float, Character or String (or Flag in INFO)";
            faults.error("vcf.meta.type", number, known);
        }
        let (Some(count), Some(kind)) = (count, kind) else { return };
        if kind == Type::Flag && count != Number::Count(0) {
            faults.either(self.version.strict(), "vcf.meta.flag", number, "expected Number 0 for a Flag");
        }
        let reserved =
            if info { reserved::info(id, self.version) } else { reserved::format(id, self.version) };
        if let Some(reserved) = reserved {
            let differs =
                reserved.definition.number != count || (reserved.typed && reserved.definition.kind != kind);
            if differs {
                let message =
                    format!("{}: expected the Number and Type that the standard reserves", text(id));
                faults.either(reserved.binding, "vcf.meta.reserved", number, message);
            }
        }
        if let (true, Some(description)) = (matches!(id, b"CSQ" | b"ANN" | b"EFF"), find(b"Description")) {
            self.annotations.insert(id.to_vec(), text(description));
        }
        let keys = if info { &mut self.info } else { &mut self.format };
        keys.entry(id.to_vec()).or_insert(Definition { number: count, kind });
    }

    /// Fields past the first `n` are strings in quotation marks; BCF writes its IDX without.
    fn extras(&self, number: u64, fields: &[Field<'_>], n: usize, faults: &mut Faults) {
        let bare = |f: &&Field<'_>| !f.quoted && f.key != b"IDX";
        if fields
            .iter()
            .skip(n)
            .filter(|f| !matches!(f.key, b"ID" | b"Number" | b"Type" | b"Description"))
            .any(|f| bare(&f))
        {
            let message = "expected further fields between quotation marks";
            faults.either(self.version.strict(), "vcf.meta.quoted", number, message);
        }
    }

    fn alt(&self, number: u64, id: &[u8], faults: &mut Faults) {
        let strict = self.version.strict();
        let first = id.split(|&b| b == b':').next().unwrap_or(id);
        if !is_symbol(id) {
            faults.error("vcf.alt.id", number, "expected an ID without blanks, commas and angle brackets");
        } else if matches!(id, b"*" | b"NON_REF") {
            // Any allele at all, as gVCF has it.
        } else if strict && matches!(id, [code] if b"RYSWKMBDHV".contains(code)) {
            // An ambiguity code of IUPAC.
        } else if !STRUCTURAL.contains(&first) {
            faults.error(
                "vcf.alt.id",
                number,
                "expected DEL, INS, DUP, INV, CNV or BND before the first colon",
            );
        }
    }

    fn contig(&mut self, number: u64, id: &[u8], fields: &[Field<'_>], faults: &mut Faults) {
        let strict = self.version.strict();
        if !is_contig(id, self.version) {
            faults.error(
                "vcf.contig.id",
                number,
                "expected a contig's name without blanks, commas and brackets",
            );
        } else if strict && STRUCTURAL.contains(&id) {
            faults.error("vcf.contig.id", number, "expected a contig's name that is no symbolic allele");
        }
        let mut length = None;
        for field in fields {
            match field.key {
                b"length" => {
                    length = std::str::from_utf8(field.value).ok().and_then(|v| v.parse().ok());
                    if length.is_none() {
                        faults.error("vcf.contig.length", number, "expected a whole number as length");
                    }
                }
                b"URL" if !is_url(field.value) => faults.warn("vcf.contig.url", number, "expected a URL"),
                _ => {}
            }
        }
        let known = self.contigs.entry(id.to_vec()).or_insert(length);
        *known = known.or(length);
    }

    fn sample(&self, number: u64, fields: &[Field<'_>], faults: &mut Faults) {
        if self.version.strict() {
            for field in fields {
                let allowed = self.allowed.get(field.key);
                if allowed.is_some_and(|values| !values.iter().any(|v| v == field.value)) {
                    faults.error(
                        "vcf.sample.meta",
                        number,
                        "expected a value that the META line of its key lists",
                    );
                }
            }
            return;
        }
        order(number, fields, &[b"ID", b"Genomes", b"Mixture", b"Description"], self.version, faults);
        if fields.iter().any(|f| f.quoted && f.key != b"Description") {
            faults.error(
                "vcf.sample.quoted",
                number,
                "expected quotation marks around the Description alone",
            );
        }
    }

    /// Takes the line of column names.
    pub fn columns(&mut self, number: u64, line: &[u8], faults: &mut Faults) {
        self.complete = true;
        let names: Vec<&[u8]> = line.split(|&b| b == b'\t').collect();
        if names.len() < 8 || names[..8] != COLUMNS {
            let message = "expected #CHROM, POS, ID, REF, ALT, QUAL, FILTER and INFO, separated by tabs";
            faults.error("vcf.header.columns", number, message);
        }
        match names.get(8) {
            None => {}
            Some(&b"FORMAT") if names.len() > 9 => {}
            Some(&b"FORMAT") => faults.error("vcf.header.samples", number, "expected samples after FORMAT"),
            Some(_) => faults.error("vcf.header.format", number, "expected FORMAT as the ninth column"),
        }
        let mut unique = HashSet::new();
        for name in names.iter().skip(9) {
            if name.is_empty() {
                faults.error("vcf.header.empty", number, "expected a name in each column");
            } else if !unique.insert(*name) {
                faults.error("vcf.header.duplicate", number, "expected each sample once");
            }
        }
        self.samples = names.iter().skip(9).map(|n| text(n)).collect();
    }

    /// What the values of INFO key `key` are: the header's word, or else the standard's.
    pub fn info_definition(&self, key: &[u8]) -> Option<Definition> {
        let declared = self.info.get(key).copied();
        declared.or_else(|| reserved::info(key, self.version).filter(|r| r.binding).map(|r| r.definition))
    }

    /// What the values of FORMAT key `key` are.
    pub fn format_definition(&self, key: &[u8]) -> Option<Definition> {
        let declared = self.format.get(key).copied();
        declared.or_else(|| reserved::format(key, self.version).filter(|r| r.binding).map(|r| r.definition))
    }
}

/// Whether `key` may name an INFO field.
pub(super) fn is_info_key(key: &[u8], version: Version) -> bool {
    match version.strict() {
        true => key == b"1000G" || is_word(key),
        false => {
            !key.is_empty() && !key.iter().any(|b| b.is_ascii_whitespace() || matches!(b, b',' | b'=' | b';'))
        }
    }
}

/// Whether `key` may name a FORMAT field: letters and digits before 4.3 (a dot or underscore is seen, and
/// allowed in header lines alone by nobody).
pub(super) fn is_format_key(key: &[u8], version: Version) -> bool {
    match version.strict() {
        true => is_word(key),
        false => !key.is_empty() && key.iter().all(u8::is_ascii_alphanumeric),
    }
}

/// `[A-Za-z_][0-9A-Za-z_.]*`
fn is_word(key: &[u8]) -> bool {
    let first = key.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    first && key.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
}

/// Faults fields that are not there, or (before 4.4) not in the order of the specification.
fn order(number: u64, fields: &[Field<'_>], expected: &[&[u8]], version: Version, faults: &mut Faults) {
    let found = fields.iter().map(|f| f.key);
    if found.clone().take(expected.len()).eq(expected.iter().copied()) {
        return;
    }
    let all = expected.iter().all(|key| found.clone().any(|f| f == *key));
    let expected: Vec<String> = expected.iter().map(|k| text(k)).collect();
    let message = format!("expected {} in this order", expected.join(", "));
    faults.either(!all || version < Version::V44, "vcf.meta.order", number, message);
}

fn pedigree(number: u64, fields: &[Field<'_>], strict: bool, faults: &mut Faults) {
    let named = |b: &u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'+' | b'/' | b'|' | b'#' | b'@')
    };
    let names = |v: &[u8]| !v.is_empty() && v.iter().all(|b| named(b) || !b.is_ascii());
    if !fields.iter().all(|f| names(f.value)) {
        faults.error(
            "vcf.pedigree.name",
            number,
            "expected names of genomes without blanks, colons and commas",
        );
    }
    if strict && fields.first().is_none_or(|f| f.key != b"ID") {
        faults.error("vcf.meta.order", number, "expected ID as the first field");
    }
}
