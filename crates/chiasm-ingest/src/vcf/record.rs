use super::alleles::{Allele, allele, is_bases, is_chromosome};
use super::bcf::Packed;
use super::faults::Faults;
use super::header::Header;
use super::info::{Info, Kept};
use super::samples::Samples;
use super::values::is_float;

/// Keys of INFO or FORMAT that are held in memory, at most.
pub(super) const MOST_KEYS: usize = 1 << 16;

/// One record, cut into its columns.
pub(super) struct Record<'a> {
    pub chromosome: &'a [u8],
    pub position: u64,
    pub id: &'a [u8],
    pub reference: &'a [u8],
    /// The ALT column as it stands.
    pub alternatives: &'a [u8],
    /// How many alternative alleles there are: 0 where ALT is a dot.
    pub count: u64,
    pub quality: &'a [u8],
    pub filter: &'a [u8],
    pub info: Info<'a>,
    /// What of INFO becomes attributes, once it has been checked.
    pub kept: Kept<'a>,
    /// `None` where there are no columns after INFO.
    pub samples: Option<Samples<'a>>,
}

impl<'a> Record<'a> {
    /// The alternative alleles in order.
    pub fn alleles(&self) -> impl Iterator<Item = &'a [u8]> {
        let none = self.count == 0;
        self.alternatives.split(|&b| b == b',').filter(move |_| !none)
    }

    /// Cuts a line. `None` where no variant can be made out of it.
    pub fn of_line(line: &'a [u8], number: u64, header: &Header, faults: &mut Faults) -> Option<Self> {
        let mut columns = line.splitn(9, |&b| b == b'\t');
        let fixed = std::array::from_fn(|_| columns.next());
        let info = columns.next().map(Info::Text);
        Self::of(fixed, info, columns.next().map(Samples::Text), number, header, faults)
    }

    /// Takes a record of BCF.
    pub fn of_packed(packed: Packed<'a>, number: u64, header: &Header, faults: &mut Faults) -> Option<Self> {
        let mut columns = packed.fixed.split(|&b| b == b'\t');
        let fixed = std::array::from_fn(|_| columns.next());
        let samples = (packed.samples() > 0).then_some(Samples::Packed(packed));
        Self::of(fixed, Some(Info::Packed(packed)), samples, number, header, faults)
    }

    /// Checks the columns but INFO and the samples.
    fn of(
        fixed: [Option<&'a [u8]>; 7],
        info: Option<Info<'a>>,
        samples: Option<Samples<'a>>,
        number: u64,
        header: &Header,
        faults: &mut Faults,
    ) -> Option<Self> {
        let (
            [
                Some(chromosome),
                Some(position),
                Some(id),
                Some(reference),
                Some(alternatives),
                Some(quality),
                Some(filter),
            ],
            Some(info),
        ) = (fixed, info)
        else {
            faults.error("vcf.columns", number, "expected at least 8 columns, separated by tabs");
            return None;
        };
        let present = samples.map_or(0, |samples| 1 + samples.len());
        let expected = if header.samples.is_empty() { 0 } else { 1 + header.samples.len() };
        if present != expected {
            let message =
                format!("expected {} columns as in the header, found {}", 8 + expected, 8 + present);
            faults.error("vcf.columns", number, message);
            return None;
        }
        let strict = header.version.strict();
        if !is_chromosome(chromosome, header.version) {
            faults.error("vcf.chrom", number, "expected a contig's name, or one between angle brackets");
        }
        let Some(position) = whole(position) else {
            faults.error("vcf.pos", number, "expected a whole number, 0 or more");
            return None;
        };
        if position > i32::MAX as u64 {
            faults.either(strict, "vcf.pos", number, "expected a position that 32 bits hold");
        }
        identifiers(id, number, strict, faults);
        let based = is_bases(reference);
        if !based {
            faults.error("vcf.ref", number, "expected bases out of A, C, G, T and N");
        }
        let count = alternative(alternatives, reference, number, header, faults);
        quality_of(quality, number, faults);
        filters(filter, number, header, faults);
        if chromosome.is_empty() || !based {
            return None;
        }
        let count = count?;
        Some(Self {
            chromosome,
            position,
            id,
            reference,
            alternatives,
            count,
            quality,
            filter,
            info,
            kept: Kept::default(),
            samples,
        })
    }
}

/// Digits alone.
pub(super) fn whole(text: &[u8]) -> Option<u64> {
    if let [digit @ b'0'..=b'9'] = text {
        return Some(u64::from(digit - b'0'));
    }
    let digits = !text.is_empty() && text.len() < 19 && text.iter().all(u8::is_ascii_digit);
    digits.then(|| text.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0')))
}

fn identifiers(id: &[u8], number: u64, strict: bool, faults: &mut Faults) {
    if id == b"." {
        return;
    }
    if id.is_empty() || id.iter().any(|b| b.is_ascii_whitespace() || b.is_ascii_control()) {
        faults.error("vcf.id", number, "expected identifiers without blanks");
    }
    if !id.contains(&b';') {
        return;
    }
    let parts: Vec<&[u8]> = id.split(|&b| b == b';').collect();
    if parts.iter().any(|p| p.is_empty() || *p == b".") {
        faults.error("vcf.id", number, "expected an identifier between two semicolons");
    }
    if has_twice(&parts) {
        faults.either(strict, "vcf.id.duplicate", number, "expected each identifier once");
    }
}

/// Whether two of `parts` are the same.
pub(super) fn has_twice(parts: &[&[u8]]) -> bool {
    if parts.len() > 16 {
        let mut seen = std::collections::HashSet::new();
        return !parts.iter().all(|p| seen.insert(*p));
    }
    parts.iter().enumerate().any(|(i, part)| parts[..i].contains(part))
}

/// How many alternative alleles there are; `None` where one of them is none.
fn alternative(
    text: &[u8],
    reference: &[u8],
    number: u64,
    header: &Header,
    faults: &mut Faults,
) -> Option<u64> {
    if text == b"." {
        return Some(0);
    }
    let mut count = 0;
    let mut good = true;
    for one in text.split(|&b| b == b',') {
        count += 1;
        match allele(one, header.version) {
            None => {
                good = false;
                faults.error("vcf.alt", number, "expected bases, *, a symbolic allele or a breakend");
            }
            Some(Allele::Bases(bases)) if bases.eq_ignore_ascii_case(reference) => {
                faults.error("vcf.alt.reference", number, "expected an alternative other than the reference");
            }
            Some(Allele::Symbolic(id)) if !header.alts.contains(id) && !matches!(id, b"*" | b"NON_REF") => {
                faults.warn("vcf.alt.undeclared", number, "expected an ALT line for each symbolic allele");
            }
            Some(_) => {}
        }
    }
    good.then_some(count)
}

fn quality_of(quality: &[u8], number: u64, faults: &mut Faults) {
    if quality != b"." && !is_float(quality) {
        faults.error("vcf.qual", number, "expected a number or a dot");
    } else if quality.starts_with(b"-") && super::values::number(quality).is_some_and(|q| q < 0.0) {
        faults.error("vcf.qual", number, "expected a quality that is not below zero");
    }
}

fn filters(filter: &[u8], number: u64, header: &Header, faults: &mut Faults) {
    if matches!(filter, b"PASS" | b".") {
        return;
    }
    let parts: Vec<&[u8]> = filter.split(|&b| b == b';').collect();
    for part in &parts {
        let blank = |b: &u8| b.is_ascii_whitespace() || b.is_ascii_control();
        if part.is_empty() || part.iter().any(blank) {
            faults.error(
                "vcf.filter",
                number,
                "expected names of filters, semicolons between them, without blanks",
            );
        } else if *part == b"0" {
            faults.error("vcf.filter.zero", number, "expected a filter that is not called 0");
        } else if *part == b"." {
            faults.error("vcf.filter.dot", number, "expected a dot to stand alone");
        } else if *part == b"PASS" {
            // A contradiction, but the test files of the standard let it through.
            faults.warn("vcf.filter.pass", number, "expected PASS to stand alone");
        } else if part.contains(&b',') {
            faults.warn("vcf.filter", number, "expected semicolons between filters");
        } else if !header.filters.contains(*part) {
            faults.warn("vcf.filter.undeclared", number, "expected a FILTER line for each filter");
        }
    }
    if has_twice(&parts) {
        faults.either(header.version.strict(), "vcf.filter.duplicate", number, "expected each filter once");
    }
}
