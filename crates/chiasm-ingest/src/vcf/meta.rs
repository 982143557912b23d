/// One field of a structured line, `key=value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub key: &'a [u8],
    /// Without its quotes; escapes stand as they are.
    pub value: &'a [u8],
    pub quoted: bool,
}

/// A `##key=value` line.
pub(super) enum Meta<'a> {
    /// `##key=text`.
    Plain(&'a [u8], &'a [u8]),
    /// `##key=<...>`.
    Structured(&'a [u8], Result<Vec<Field<'a>>, &'static str>),
}

/// Splits a line that begins with `##`; the message says what is wrong with one that is no pair.
pub(super) fn meta(line: &[u8]) -> Result<Meta<'_>, &'static str> {
    let text = line.strip_prefix(b"##").ok_or("expected a line that begins with ##")?;
    let at = text.iter().position(|&b| b == b'=').ok_or("expected key=value, found no equals sign")?;
    let (key, value) = (&text[..at], &text[at + 1..]);
    if key.is_empty() || key.iter().any(|b| b.is_ascii_control() || matches!(b, b'<' | b'>' | b'"')) {
        return Err("expected a key before the equals sign");
    }
    match value {
        [] => Err("expected a value after the equals sign, found none"),
        [b'<', ..] => Ok(Meta::Structured(key, fields(value))),
        value => Ok(Meta::Plain(key, value)),
    }
}

/// The fields between `<` and `>`.
fn fields(value: &[u8]) -> Result<Vec<Field<'_>>, &'static str> {
    let [b'<', inner @ .., b'>'] = value else { return Err("expected '>' at the end of the line") };
    let mut fields = Vec::new();
    let mut rest = inner;
    loop {
        let at = rest.iter().position(|b| matches!(b, b'=' | b',' | b'"' | b'<' | b'>'));
        let at =
            at.filter(|&at| rest[at] == b'=' && at > 0).ok_or("expected fields of the form key=value")?;
        let key = rest[..at].trim_ascii_start();
        if key.is_empty() || key.iter().any(u8::is_ascii_whitespace) {
            return Err("expected a key without blanks");
        }
        let (value, quoted, after) = match &rest[at + 1..] {
            [b'"', text @ ..] => {
                let end = closing_quote(text).ok_or("expected a closing quotation mark")?;
                (&text[..end], true, &text[end + 1..])
            }
            text @ [b'[', ..] => {
                let end = text.iter().position(|&b| b == b']').ok_or("expected a closing square bracket")?;
                (&text[..=end], false, &text[end + 1..])
            }
            text => {
                let end = text.iter().position(|&b| b == b',').unwrap_or(text.len());
                if text[..end].iter().any(|b| matches!(b, b'"' | b'<' | b'>')) {
                    return Err("expected a value without quotation marks or angle brackets inside");
                }
                (&text[..end], false, &text[end..])
            }
        };
        fields.push(Field { key, value, quoted });
        rest = match after {
            [] => return Ok(fields),
            [b',', after @ ..] => after,
            _ => return Err("expected a comma after a closing quotation mark or bracket"),
        };
    }
}

/// Where the quotation mark is that is not escaped.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    text.iter().position(|&b| {
        let closes = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        closes
    })
}

/// The host of a URL is judged by RFC 1738: a dotted quad, or labels of which the last begins with a
/// letter. That is what tells a host name from a port number in the wrong place.
pub(super) fn is_url(text: &[u8]) -> bool {
    let Some(at) = text.iter().position(|&b| b == b':') else { return false };
    let (scheme, rest) = (&text[..at], &text[at + 1..]);
    let scheme_fits = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let printable = |b: &u8| *b > b' ' && *b != 127 && !matches!(b, b'<' | b'>' | b'"' | b'\\');
    if !scheme_fits || rest.is_empty() || !rest.iter().all(printable) {
        return false;
    }
    let Some(rest) = rest.strip_prefix(b"//") else { return true };
    let authority = &rest[..rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(rest.len())];
    let host = authority.rsplit(|&b| b == b'@').next().unwrap_or(authority);
    if let Some(rest) = host.strip_prefix(b"[") {
        return rest.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.' | b']'))
            && rest.contains(&b']');
    }
    let (host, port) = match host.iter().position(|&b| b == b':') {
        Some(at) => (&host[..at], &host[at + 1..]),
        None => (host, &b""[..]),
    };
    if !port.iter().all(u8::is_ascii_digit) {
        return false;
    }
    if host.is_empty() {
        return scheme.eq_ignore_ascii_case(b"file") && authority.is_empty() && rest.len() > 1;
    }
    let labels: Vec<&[u8]> = host.split(|&b| b == b'.').collect();
    let label = |l: &&[u8]| {
        !l.is_empty() && l.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'%' | b'~'))
    };
    let quad = labels.len() == 4 && labels.iter().all(|l| l.iter().all(u8::is_ascii_digit));
    let top = labels.last().and_then(|l| l.first()).is_some_and(u8::is_ascii_alphabetic);
    labels.iter().all(label) && (quad || top)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes_are_read() {
        let line = br#"##INFO=<ID=A,Number=1,Values=[x, y],Description="a, \"b\" \\">"#;
        let Ok(Meta::Structured(b"INFO", Ok(fields))) = meta(line) else { panic!("not read") };
        assert_eq!(fields.len(), 4);
        assert_eq!((fields[2].value, fields[3].value), (&b"[x, y]"[..], &br#"a, \"b\" \\"#[..]));
        assert!(fields[3].quoted && !fields[0].quoted);
    }

    #[test]
    fn what_is_not_well_formed_is_said() {
        for bad in ["##plain text", "##=x", "##reference=", "##k\"=x"] {
            assert!(meta(bad.as_bytes()).is_err(), "{bad}");
        }
        for bad in [
            "##A=<ID=x",
            "##A=<>",
            "##A=<ID=\"x>",
            "##A=<ID=\"x\"y>",
            "##A=<ID=1,A,b=2>",
            "##A=<ID=a<b>",
            "##A=<ID=x,>",
        ] {
            assert!(matches!(meta(bad.as_bytes()), Ok(Meta::Structured(_, Err(_)))), "{bad}");
        }
    }

    #[test]
    fn urls_have_a_host() {
        for good in [
            "ftp://www.ebi.ac.uk:8080/a",
            "http://123.0.1.2:8080/a",
            "file:///seq/a",
            "ftp://u@host:1/p?a=b",
            "https://[::1]/x",
        ] {
            assert!(is_url(good.as_bytes()), "{good}");
        }
        for bad in
            ["ftp://8080:8080/a", "<>", "a", "://x", "http://", "http://a b/", "ftp:///x", "http://x:y/"]
        {
            assert!(!is_url(bad.as_bytes()), "{bad}");
        }
    }
}
