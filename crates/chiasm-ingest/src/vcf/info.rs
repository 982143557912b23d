use super::alleles::{Allele, allele};
use super::faults::Faults;
use super::header::{Header, is_info_key};
use super::record::{Record, has_twice, whole};
use super::reserved::{Definition, Number, Type};
use super::values::{Alleles, Meaning, Misfit, info_meaning, misfit};
use super::version::Version;

/// Splits an INFO column into keys and values; a flag has no value.
pub(super) fn pairs(info: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    let missing = info == b".";
    info.split(|&b| b == b';').filter(move |_| !missing).map(|pair| {
        match pair.iter().position(|&b| b == b'=') {
            Some(at) => (&pair[..at], Some(&pair[at + 1..])),
            None => (pair, None),
        }
    })
}

/// The value of INFO key `key`; empty for a flag.
pub(super) fn value<'a>(info: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    pairs(info).find(|(k, _)| *k == key).map(|(_, v)| v.unwrap_or_default())
}

fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(&key[..key.len().min(40)]).into_owned()
}

/// Checks the INFO column of `record`.
pub(super) fn check(record: &Record<'_>, number: u64, header: &Header, faults: &mut Faults) {
    let (info, version) = (record.info, header.version);
    if info == b"." {
        return ends(record, None, number, header, faults);
    }
    if info.is_empty() {
        return faults.error("vcf.info", number, "expected a dot where there is nothing");
    }
    let mut keys: Vec<&[u8]> = Vec::with_capacity(16);
    let mut end = None;
    let alleles = Alleles { alternatives: record.count, ploidy: None };
    for (key, value) in pairs(info) {
        keys.push(key);
        if !is_info_key(key, version) {
            faults.error("vcf.info.key", number, "expected keys of letters, digits, underscores and dots");
            continue;
        }
        let definition = header.info_definition(key);
        if !header.info.contains_key(key) {
            faults.warn("vcf.info.undeclared", number, "expected an INFO line for each key");
        }
        let meaning = info_meaning(key, version);
        match value {
            None => without_value(key, definition, number, faults),
            Some([]) => {
                faults.error("vcf.info.value", number, format!("INFO {}: expected a value", shown(key)))
            }
            Some(value) => {
                text(value, number, version, faults);
                with_value(key, value, definition, meaning, alleles, number, version, faults);
                if meaning == Meaning::End {
                    end = whole(value);
                }
            }
        }
    }
    if has_twice(&keys) {
        faults.either(version.strict(), "vcf.info.duplicate", number, "expected each INFO key once");
    }
    ends(record, end, number, header, faults);
}

fn without_value(key: &[u8], definition: Option<Definition>, number: u64, faults: &mut Faults) {
    let Some(definition) = definition else { return };
    if definition.kind != Type::Flag && definition.number != Number::Count(0) {
        faults.error("vcf.info.value", number, format!("INFO {}: expected a value", shown(key)));
    }
}

#[expect(clippy::too_many_arguments, reason = "one call; a struct would only rename them")]
fn with_value(
    key: &[u8],
    value: &[u8],
    definition: Option<Definition>,
    meaning: Meaning,
    alleles: Alleles,
    number: u64,
    version: Version,
    faults: &mut Faults,
) {
    if let Some(Definition { number: count, kind: Type::Flag }) = definition {
        // Writers of flags as 0 and 1 are let through by the standard's own test files.
        let message = || format!("INFO {}: expected a flag without a value", shown(key));
        match value {
            b"0" | b"1" => faults.warn("vcf.info.flag", number, message()),
            _ if count == Number::Count(0) => faults.error("vcf.info.flag", number, message()),
            _ => faults.warn("vcf.info.flag", number, message()),
        }
        return;
    }
    if value.len() > 1 && value.starts_with(b"\"") && value.ends_with(b"\"") {
        // Quotation marks mean nothing in INFO; commas between them part no values for those who write them.
        return faults.warn("vcf.info.quoted", number, "expected no quotation marks around a value");
    }
    let say = |what: &str| format!("INFO {}: expected {what}", shown(key));
    match misfit(value, definition, meaning, alleles) {
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
        let has = |key: &[u8]| pairs(record.info).any(|(k, _)| k == key);
        if record.alternatives == b"<*>" && end.is_none() {
            faults.error("vcf.info.end", number, "expected INFO END with the allele <*>");
        }
        let claims = symbols.any(|id| matches!(first(id).as_slice(), b"DEL" | b"DUP"));
        if claims && !has(b"SVCLAIM") {
            faults.warn("vcf.info.svclaim", number, "expected INFO SVCLAIM with <DEL> and <DUP>");
        }
    }
    if let Some(Some(length)) = header.contigs.get(record.chromosome)
        && record.position > length + 1
    {
        faults.warn("vcf.pos.contig", number, "expected a position on the contig, or one past its end");
    }
    if !header.contigs.is_empty() && !header.contigs.contains_key(record.chromosome) {
        faults.warn("vcf.chrom.undeclared", number, "expected a contig line for each chromosome");
    }
}
