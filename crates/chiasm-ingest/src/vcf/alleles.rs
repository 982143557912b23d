use super::version::Version;

/// What an alternative allele is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allele<'a> {
    /// A string of bases.
    Bases(&'a [u8]),
    /// `*`: missing because of a deletion that begins before.
    Overlapped,
    /// `<ID>`, without the brackets.
    Symbolic(&'a [u8]),
    /// A breakend, with or without a mate, or bases followed by an inserted contig.
    Breakend,
}

fn base(b: &u8) -> bool {
    matches!(b.to_ascii_uppercase(), b'A' | b'C' | b'G' | b'T' | b'N')
}

/// Whether `text` is one or more of A, C, G, T, N.
pub(super) fn is_bases(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(base)
}

/// Whether `name` may name a contig (without angle brackets around it).
///
/// From 4.3 on a regular expression rules; before, the colon and comma were kept for breakends and lists.
pub(super) fn is_contig(name: &[u8], version: Version) -> bool {
    let Some(first) = name.first() else { return false };
    let plain = |b: &u8| match b {
        b'\\' | b',' | b'"' | b'`' | b'\'' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' => false,
        b => b.is_ascii_graphic(),
    };
    if version.strict() {
        return !matches!(first, b'*' | b'=') && name.iter().all(plain);
    }
    let forbidden = |b: &u8| matches!(b, b',' | b':' | b'<' | b'>' | b'[' | b']') || b.is_ascii_whitespace();
    !name.iter().any(|b| forbidden(b) || b.is_ascii_control())
}

/// Whether `text` may stand in the CHROM column: a contig, or `<ID>` for one of the assembly file.
pub(super) fn is_chromosome(text: &[u8], version: Version) -> bool {
    match text {
        [b'<', inner @ .., b'>'] => is_symbol(inner),
        text => is_contig(text, version),
    }
}

/// Whether `id` may stand between angle brackets.
pub(super) fn is_symbol(id: &[u8]) -> bool {
    let forbidden =
        |b: &u8| matches!(b, b',' | b'<' | b'>') || b.is_ascii_whitespace() || b.is_ascii_control();
    !id.is_empty() && !id.iter().any(forbidden)
}

/// Reads one alternative allele; `None` where it is none that the standard knows.
pub(super) fn allele(text: &[u8], version: Version) -> Option<Allele<'_>> {
    if is_bases(text) {
        return Some(Allele::Bases(text));
    }
    match text {
        b"*" => Some(Allele::Overlapped),
        [b'<', id @ .., b'>'] => is_symbol(id).then_some(Allele::Symbolic(id)),
        [b'.', bases @ ..] | [bases @ .., b'.'] if is_bases(bases) => Some(Allele::Breakend),
        text => is_breakend(text, version).then_some(Allele::Breakend),
    }
}

/// `t[p[`, `t]p]`, `]p]t`, `[p[t`, or `t<contig>`; `t` is bases, or a dot at a telomere.
fn is_breakend(text: &[u8], version: Version) -> bool {
    let around = |t: &[u8]| is_bases(t) || t == b".";
    let Some(first) = text.iter().position(|b| matches!(b, b'[' | b']')) else {
        let Some(at) = text.iter().position(|&b| b == b'<') else { return false };
        let (bases, contig) = text.split_at(at);
        return is_bases(bases) && matches!(contig, [b'<', id @ .., b'>'] if is_symbol(id));
    };
    let bracket = text[first];
    let (before, rest) = (&text[..first], &text[first + 1..]);
    let Some(second) = rest.iter().position(|&b| b == bracket) else { return false };
    let (place, after) = (&rest[..second], &rest[second + 1..]);
    let Some(colon) = place.iter().rposition(|&b| b == b':') else { return false };
    let (contig, position) = (&place[..colon], &place[colon + 1..]);
    let placed =
        is_chromosome(contig, version) && !position.is_empty() && position.iter().all(u8::is_ascii_digit);
    placed && ((around(before) && after.is_empty()) || (before.is_empty() && around(after)))
}

/// A variant in its shortest form: bases that both alleles share are cut off, the last ones first.
///
/// Gives the position and the two alleles; one of them may be empty. Bases compare without case.
pub(super) fn shortest<'a>(position: u64, reference: &'a [u8], other: &'a [u8]) -> (u64, &'a [u8], &'a [u8]) {
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let end = reference.iter().rev().zip(other.iter().rev()).take_while(same).count();
    let (reference, other) = (&reference[..reference.len() - end], &other[..other.len() - end]);
    let start = reference.iter().zip(other).take_while(same).count();
    (position + start as u64, &reference[start..], &other[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakends_need_bases_on_one_side_and_a_place() {
        for good in
            ["G]17:198982]", "]13:123456]T", "[17:198983[A", "C[<ctg1>:1[", "C<ctg1>", ".[13:1[", "G.", ".A"]
        {
            assert_eq!(allele(good.as_bytes(), Version::V42), Some(Allele::Breakend), "{good}");
        }
        for bad in
            ["[1:100[", "A[1:100]", "A[1[", "A[1:x[", "A[1:1[T", "]]", "A,T", "<A>B>", "R", "", ".", "A*"]
        {
            assert_eq!(allele(bad.as_bytes(), Version::V42), None, "{bad}");
        }
    }

    #[test]
    fn a_colon_in_a_contig_is_allowed_from_4_3_on() {
        assert!(!is_contig(b"HLA:1", Version::V42) && is_contig(b"HLA:1", Version::V43));
        assert!(
            !is_contig(b"*a", Version::V43)
                && !is_contig(b"a b", Version::V43)
                && !is_contig(b"", Version::V43)
        );
    }

    #[test]
    fn equal_variants_have_one_shortest_form() {
        let expected = (130, &b"A"[..], &b"G"[..]);
        assert_eq!(shortest(127, b"TTTAT", b"TTTGT"), expected);
        assert_eq!(shortest(128, b"TTAT", b"TTGT"), expected);
        assert_eq!(shortest(130, b"a", b"g").0, 130);
        assert_eq!(shortest(5, b"CA", b"C"), (6, &b"A"[..], &b""[..]));
        assert_eq!(shortest(5, b"C", b"C"), (5, &b""[..], &b""[..]));
    }
}
