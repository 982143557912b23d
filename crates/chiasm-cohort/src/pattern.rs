//! Names with `*`, which stands for any run of characters.

/// Whether `name` fits `pattern`.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

/// Whether some name fits both patterns.
pub(crate) fn overlap(a: &str, b: &str) -> bool {
    fn walk(a: &[char], b: &[char]) -> bool {
        match (a.split_first(), b.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) if walk(rest, b) => true,
            (_, Some(('*', rest))) if walk(a, rest) => true,
            (Some(('*', _)), Some((_, rest))) => walk(a, rest),
            (Some((_, rest)), Some(('*', _))) => walk(rest, b),
            (Some((x, a)), Some((y, b))) => x == y && walk(a, b),
            _ => false,
        }
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    walk(&a, &b)
}

/// Whether the text is a pattern at all.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run() {
        for (pattern, name, expected) in [
            ("*_rnaseq", "TP53_rnaseq", true),
            ("*_rnaseq", "TP53_cnv", false),
            ("age", "age", true),
            ("age", "ages", false),
            ("*", "", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("aa*aa", "aaa", false),
            ("Percent.*", "Percent.CIS", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_overlap_when_a_name_fits_both() {
        for (a, b, expected) in [
            ("*", "RCB.*", true),
            ("*_x", "y_*", true),
            ("a*", "b*", false),
            ("*_cnv", "*_mut", false),
            ("abc", "a*c", true),
            ("abc", "a*d", false),
        ] {
            assert_eq!(overlap(a, b), expected, "{a} {b}");
            assert_eq!(overlap(b, a), expected, "{b} {a}");
        }
    }
}
