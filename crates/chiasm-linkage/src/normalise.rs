use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Text as it is compared: lower case, no accents, single spaces, nothing at the ends.
///
/// Words that stand for an empty cell become empty.
pub(crate) fn text(raw: &str) -> String {
    let mut folded = fold(raw);
    if NOTHING.contains(&folded.as_str()) {
        folded.clear();
    }
    folded
}

fn fold(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    if raw.is_ascii() {
        for byte in raw.bytes() {
            push(&mut out, char::from(byte.to_ascii_lowercase()));
        }
    } else {
        for c in raw.nfkd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase) {
            match c {
                'ß' => out.push_str("ss"),
                'æ' => out.push_str("ae"),
                'ø' => out.push('o'),
                'œ' => out.push_str("oe"),
                'ł' => out.push('l'),
                'đ' | 'ð' => out.push('d'),
                'þ' => out.push_str("th"),
                '’' | '‘' => push(&mut out, '\''),
                '–' | '‐' | '‑' => push(&mut out, '-'),
                c => push(&mut out, c),
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// What stands in cells that have nothing to say.
const NOTHING: [&str; 20] = [
    "null",
    "none",
    "nan",
    "n/a",
    "#n/a",
    "<na>",
    "nat",
    "nil",
    "unknown",
    "unk",
    "missing",
    "not known",
    "not stated",
    "-",
    "--",
    "?",
    ".",
    "no fixed abode",
    "nfa",
    "homeless",
];

fn push(out: &mut String, c: char) {
    let space = c.is_whitespace() || c.is_control();
    if !space {
        out.push(c);
    } else if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// A name: letters, with one space between its parts; hyphens part, apostrophes, full stops, titles and what
/// [`suffix`] finds go. "Unknown" stays, for [`crate::placeholder`] to see.
pub(crate) fn name(raw: &str) -> String {
    let folded = match fold(raw) {
        word if matches!(word.as_str(), "unk" | "not known") => "unknown".to_owned(),
        word if NOTHING.contains(&word.as_str()) && word != "unknown" => return String::new(),
        words => words,
    };
    if folded.bytes().all(|b| b.is_ascii_lowercase()) {
        return folded;
    }
    let mut out = String::with_capacity(folded.len());
    for c in folded.chars() {
        match c {
            '\'' | '.' | '`' => {}
            c if c.is_alphanumeric() => out.push(c),
            _ if !out.is_empty() && !out.ends_with(' ') => out.push(' '),
            _ => {}
        }
    }
    let mut words: Vec<&str> = out.split(' ').filter(|w| !w.is_empty()).collect();
    let titles = ["mr", "mrs", "ms", "miss", "dr", "prof", "sir"];
    if words.len() > 1 {
        words.retain(|word| !titles.contains(word));
        if words.len() > 1 && words.last().is_some_and(|last| generation(last).is_some()) {
            words.pop();
        }
    }
    words.join(" ")
}

/// Which of those of one name a word behind the name says: `Jr.` and `II` are the second.
fn generation(word: &str) -> Option<&'static str> {
    match word {
        "sr" | "senior" => Some("1"),
        "jr" | "junior" | "ii" | "2nd" => Some("2"),
        "iii" | "3rd" => Some("3"),
        "iv" | "4th" => Some("4"),
        _ => None,
    }
}

/// The generation in a name of several words: "Smith Jr", "Smith, John III"; empty where there is none.
pub(crate) fn suffix(raw: &str) -> &'static str {
    // The last word, or the last before a comma; a "Sr. Juan" is a señor.
    let last = |part: &str| {
        let mut words = part.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words
            .next_back()
            .filter(|_| part.len() < raw.len() || words.next().is_some())
            .filter(|word| word.len() <= 7)
            .and_then(|w| generation(&fold(w)))
    };
    raw.split(',').find_map(last).unwrap_or("")
}

/// `Family, Given` or `Given Family` or DICOM's `Family^Given^Middle` to given and family.
pub(crate) fn full_name(raw: &str) -> (String, String) {
    if let Some((family, given)) = raw.split_once('^') {
        let given: Vec<&str> = given.split('^').take(2).collect();
        return (name(&given.join(" ")), name(family));
    }
    if let Some((family, given)) = raw.split_once(',') {
        return (name(given), name(family));
    }
    let whole = name(raw);
    let words: Vec<&str> = whole.split(' ').collect();
    // A particle belongs to the family name: "ludwig van beethoven".
    let particle = words.iter().skip(1).position(|word| PARTICLES.contains(word)).map(|at| at + 1);
    let at = particle.unwrap_or(words.len().saturating_sub(1));
    (words[..at].join(" "), words[at..].join(" "))
}

/// Words of family names that say nothing alone.
pub(crate) const PARTICLES: [&str; 22] = [
    "van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "du", "la", "le", "el", "al", "bin",
    "ibn", "ter", "ten", "zu", "zur", "st",
];

/// A number without the `.0` that it got where a program took it for a decimal one.
pub(crate) fn whole(raw: &str) -> &str {
    match raw.trim_end().rsplit_once('.') {
        Some((number, zeros))
            if !zeros.is_empty()
                && zeros.bytes().all(|b| b == b'0')
                && !number.trim_start().is_empty()
                && number.trim_start().bytes().all(|b| b.is_ascii_digit()) =>
        {
            number
        }
        _ => raw,
    }
}

/// A postcode; of American ones the first five digits.
pub(crate) fn postcode(raw: &str) -> String {
    let raw = raw.trim();
    match raw.split_once('-') {
        Some((five, four))
            if five.len() == 5 && four.len() == 4 && code(raw).bytes().all(|b| b.is_ascii_digit()) =>
        {
            code(five)
        }
        _ => code(raw),
    }
}

/// Letters and digits alone: postcodes, numbers of the state, record numbers.
pub(crate) fn code(raw: &str) -> String {
    let code: String = text(whole(raw)).chars().filter(|c| c.is_alphanumeric()).collect();
    // A number that says "none": all zeros or all nines.
    let filler = code.len() >= 5 && (code.bytes().all(|b| b == b'0') || code.bytes().all(|b| b == b'9'));
    if filler { String::new() } else { code }
}

/// The last nine digits of a telephone number: country and trunk prefixes differ between systems.
pub(crate) fn phone(raw: &str) -> String {
    let digits: String = whole(raw).chars().filter(char::is_ascii_digit).collect();
    let one = digits.bytes().all(|b| Some(b) == digits.bytes().next());
    let filler = digits.len() < 5 || one || "1234567890".starts_with(digits.as_str());
    if filler { String::new() } else { digits[digits.len().saturating_sub(9)..].to_owned() }
}

/// `f`, `m` or another word for what stands there.
pub(crate) fn sex(raw: &str) -> String {
    match text(whole(raw)).as_str() {
        "f" | "female" | "w" | "woman" | "weiblich" | "2" => "f".into(),
        "m" | "male" | "man" | "mannlich" | "1" => "m".into(),
        "u" | "0" | "9" | "" => String::new(),
        _ => "o".into(),
    }
}

/// A line of an address without its house number, and the number.
pub(crate) fn street(raw: &str) -> (String, String) {
    let folded = text(raw).replace([',', '.'], " ");
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    let number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.len() <= 6;
    let (house, rest) = match words.as_slice() {
        [first, rest @ ..] if !rest.is_empty() && number(first) => (*first, rest),
        [rest @ .., last] if !rest.is_empty() && number(last) => (*last, rest),
        all => ("", all),
    };
    (rest.join(" "), house.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_what_people_write_differently() {
        assert_eq!(text("  Müller\t Straße "), "muller strasse");
        assert_eq!(text("N/A"), "");
        assert_eq!(name("O'Brien-Smith"), "obrien smith");
        assert_eq!(name("Dr. Łukasz"), "lukasz");
        assert_eq!((name("--"), name("Unk")), ("".into(), "unknown".into()));
        assert_eq!((name("Smith Jr."), suffix("Smith Jr.")), ("smith".into(), "2"));
        assert_eq!((full_name("Smith, John III").0, suffix("Smith, John III")), ("john".into(), "3"));
        assert_eq!((name("Silva Júnior"), suffix("Silva Júnior")), ("silva".into(), "2"));
        assert_eq!((name("Sr. Juan"), suffix("Pérez, Sr. Juan")), ("sr juan".into(), ""));
        assert_eq!((name("Junior"), suffix("Junior"), suffix("Jr")), ("junior".into(), "", ""));
        assert_eq!(suffix("Adams^John^Quincy^^Sr"), "1");
        assert_eq!(full_name("Beethoven^Ludwig^van"), ("ludwig van".into(), "beethoven".into()));
        assert_eq!(full_name("Ludwig van Beethoven"), ("ludwig".into(), "van beethoven".into()));
        assert_eq!(full_name("Byron, Ada"), ("ada".into(), "byron".into()));
        assert_eq!(full_name("Ada"), ("".into(), "ada".into()));
        assert_eq!(phone("+44 (0)20 7946-0018"), "079460018");
        assert_eq!(code("943 476 5919"), "9434765919");
        assert_eq!(code("0000000"), "");
        assert_eq!((code("2602.0"), code("26.02"), code(".0")), ("2602".into(), "2602".into(), "0".into()));
        assert_eq!((postcode("12345-6789"), postcode("EC1A 1BB")), ("12345".into(), "ec1a1bb".into()));
        assert_eq!(phone("412345678.0"), "412345678");
        assert_eq!(street("12a Elm Street"), ("elm street".into(), "12a".into()));
        assert_eq!(street("Hauptstrasse 7"), ("hauptstrasse".into(), "7".into()));
    }
}
