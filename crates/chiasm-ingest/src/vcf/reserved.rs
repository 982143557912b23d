use super::version::Version;

/// How many values a key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// So many.
    Count(u32),
    /// One for each alternative allele.
    A,
    /// One for each allele, the reference among them.
    R,
    /// One for each genotype.
    G,
    /// One for each allele of the sample's genotype (4.4).
    P,
    /// Any number.
    Any,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Integer,
    Float,
    Flag,
    Character,
    String,
}

/// What a key's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Definition {
    pub number: Number,
    pub kind: Type,
}

impl Number {
    /// Reads the value of `Number=`; R is new in 4.2, P in 4.4.
    pub fn of(text: &[u8], version: Version) -> Option<Self> {
        match text {
            b"A" => Some(Self::A),
            b"R" if version >= Version::V42 => Some(Self::R),
            b"G" => Some(Self::G),
            b"P" if version >= Version::V44 => Some(Self::P),
            b"." => Some(Self::Any),
            digits if digits.iter().all(u8::is_ascii_digit) => {
                std::str::from_utf8(digits).ok()?.parse().ok().map(Self::Count)
            }
            _ => None,
        }
    }
}

impl Type {
    /// Reads the value of `Type=`.
    pub fn of(text: &[u8]) -> Option<Self> {
        match text {
            b"Integer" => Some(Self::Integer),
            b"Float" => Some(Self::Float),
            b"Flag" => Some(Self::Flag),
            b"Character" => Some(Self::Character),
            b"String" => Some(Self::String),
            _ => None,
        }
    }
}

/// A reserved key: its definition, and whether a header that says otherwise breaks the standard.
///
/// The keys of structural variants were examples in 4.1 and 4.2, whose own test files define them
/// differently; from 4.3 on they are reserved like the others.
pub(super) struct Reserved {
    pub definition: Definition,
    pub binding: bool,
    /// Whether the type is part of it (RMS mapping quality had none before 4.3).
    pub typed: bool,
}

const fn of(number: Number, kind: Type) -> Option<Definition> {
    Some(Definition { number, kind })
}

const ONE: Number = Number::Count(1);
const TWO: Number = Number::Count(2);

/// The reserved INFO key `key`.
pub(super) fn info(key: &[u8], version: Version) -> Option<Reserved> {
    use {Number::*, Type::*};
    let strict = version.strict();
    let plain = match key {
        b"AA" => of(ONE, String),
        b"AC" => of(A, Integer),
        b"AD" | b"ADF" | b"ADR" if strict => of(R, Integer),
        b"AF" => of(A, Float),
        b"AN" | b"DP" | b"END" | b"MQ0" | b"NS" => of(ONE, Integer),
        b"BQ" | b"MQ" => of(ONE, Float),
        b"CIGAR" => of(A, String),
        b"DB" | b"H2" | b"H3" | b"SOMATIC" | b"VALIDATED" | b"1000G" => of(Count(0), Flag),
        b"SB" if strict => of(Count(4), Integer),
        _ => None,
    };
    if let Some(definition) = plain {
        return Some(Reserved { definition, binding: true, typed: strict || key != b"MQ" });
    }
    let structural = if version >= Version::V44 { info_structural_44(key) } else { info_structural(key) };
    structural.map(|definition| Reserved { definition, binding: strict, typed: true })
}

fn info_structural(key: &[u8]) -> Option<Definition> {
    use {Number::*, Type::*};
    match key {
        b"IMPRECISE" | b"NOVEL" => of(Count(0), Flag),
        b"SVTYPE" | b"DGVID" | b"DBVARID" | b"DBRIPID" | b"PARID" | b"EVENT" => of(ONE, String),
        b"SVLEN" | b"HOMLEN" | b"DPADJ" | b"CNADJ" | b"CICNADJ" => of(Any, Integer),
        b"HOMSEQ" | b"BKPTID" | b"MATEID" => of(Any, String),
        b"CIPOS" | b"CIEND" | b"CILEN" | b"CICN" => of(TWO, Integer),
        b"MEINFO" | b"METRANS" => of(Count(4), String),
        b"CN" => of(ONE, Integer),
        _ => None,
    }
}

fn info_structural_44(key: &[u8]) -> Option<Definition> {
    use {Number::*, Type::*};
    match key {
        b"IMPRECISE" | b"NOVEL" => of(Count(0), Flag),
        b"SVTYPE" => of(ONE, String),
        b"SVLEN" | b"HOMLEN" | b"RN" => of(A, Integer),
        b"HOMSEQ" | b"BKPTID" | b"DGVID" | b"DBVARID" | b"DBRIPID" | b"MATEID" | b"PARID" | b"EVENT"
        | b"EVENTTYPE" | b"SVCLAIM" => of(A, String),
        b"CIPOS" | b"CIEND" | b"CILEN" | b"RUL" | b"RB" | b"CIRB" | b"RUB" => of(Any, Integer),
        b"MEINFO" | b"METRANS" | b"RUS" => of(Any, String),
        b"CN" => of(A, Float),
        b"CICN" | b"RUC" | b"CIRUC" => of(Any, Float),
        _ => None,
    }
}

/// The reserved FORMAT key `key`.
pub(super) fn format(key: &[u8], version: Version) -> Option<Reserved> {
    use {Number::*, Type::*};
    let strict = version.strict();
    let plain = match key {
        b"AD" | b"ADF" | b"ADR" if strict => of(R, Integer),
        b"DP" | b"GQ" | b"MQ" | b"PQ" | b"PS" => of(ONE, Integer),
        b"EC" => of(A, Integer),
        b"FT" | b"GT" => of(ONE, String),
        b"GL" | b"GP" => of(G, Float),
        b"GLE" if !strict => of(G, String),
        b"HQ" => of(TWO, Integer),
        b"PL" => of(G, Integer),
        b"PP" if strict => of(G, Integer),
        b"PSL" if version >= Version::V44 => of(P, String),
        b"PSO" | b"PSQ" if version >= Version::V44 => of(P, Integer),
        _ => None,
    };
    if let Some(definition) = plain {
        return Some(Reserved { definition, binding: true, typed: true });
    }
    let structural = match key {
        b"CN" if version >= Version::V44 => of(ONE, Float),
        b"CICN" if version >= Version::V44 => of(TWO, Float),
        b"CN" | b"NQ" | b"HAP" | b"AHAP" => of(ONE, Integer),
        b"CNQ" => of(ONE, Float),
        b"CNL" | b"CNP" if strict => of(G, Float),
        b"CNL" | b"CNP" => of(Any, Float),
        _ => None,
    };
    structural.map(|definition| Reserved { definition, binding: strict, typed: true })
}

/// The first levels that a symbolic allele of a structural variant may have.
pub(super) const STRUCTURAL: [&[u8]; 6] = [b"DEL", b"INS", b"DUP", b"INV", b"CNV", b"BND"];
