//! Units as laboratories write them, into UCUM.

use super::expression;

/// Whole spellings, lower case and without blanks, that no rule reads rightly.
const WHOLE: [(&str, &str); 58] = [
    ("k/ul", "10*3/uL"),
    ("k/mcl", "10*3/uL"),
    ("k/mm3", "10*3/mm3"),
    ("k/cumm", "10*3/mm3"),
    ("k/cmm", "10*3/mm3"),
    ("th/ul", "10*3/uL"),
    ("thou/ul", "10*3/uL"),
    ("thous/ul", "10*3/uL"),
    ("thousand/ul", "10*3/uL"),
    ("thou/mm3", "10*3/mm3"),
    ("thou/mcl", "10*3/uL"),
    ("m/ul", "10*6/uL"),
    ("m/mcl", "10*6/uL"),
    ("m/mm3", "10*6/mm3"),
    ("m/cumm", "10*6/mm3"),
    ("mil/ul", "10*6/uL"),
    ("mill/ul", "10*6/uL"),
    ("million/ul", "10*6/uL"),
    ("mill/mm3", "10*6/mm3"),
    ("mill/mcl", "10*6/uL"),
    ("t/l", "10*12/L"),
    ("gpt/l", "10*9/L"),
    ("tpt/l", "10*12/L"),
    ("c", "Cel"),
    ("f", "[degF]"),
    ("degc", "Cel"),
    ("deg.c", "Cel"),
    ("degreec", "Cel"),
    ("degreesc", "Cel"),
    ("celsius", "Cel"),
    ("degreescelsius", "Cel"),
    ("degf", "[degF]"),
    ("deg.f", "[degF]"),
    ("degreesf", "[degF]"),
    ("fahrenheit", "[degF]"),
    ("degreesfahrenheit", "[degF]"),
    ("bpm", "/min"),
    ("brpm", "/min"),
    ("rpm", "/min"),
    ("mm/hg", "mm[Hg]"),
    ("mmhg", "mm[Hg]"),
    ("torr", "mm[Hg]"),
    ("cmh2o", "cm[H2O]"),
    ("cmh20", "cm[H2O]"),
    ("inh2o", "[in_i'H2O]"),
    ("inhg", "[in_i'Hg]"),
    ("ph", "[pH]"),
    ("phunits", "[pH]"),
    ("percent", "%"),
    ("pct", "%"),
    ("db", "dB"),
    ("sec", "s"),
    ("ratio", "{ratio}"),
    ("index", "{index}"),
    ("score", "{score}"),
    ("titer", "{titer}"),
    ("inr", "{INR}"),
    ("mg%", "mg/dL"),
];

/// Words that count things, and become annotations.
const COUNTED: [&str; 14] = [
    "cells", "cell", "copies", "copy", "beats", "beat", "breaths", "breath", "resp", "wbc", "rbc", "events",
    "drops", "leuk",
];

/// Words, lower case, that stand for one UCUM symbol.
const WORDS: [(&str, &str); 82] = [
    ("gm", "g"),
    ("gms", "g"),
    ("gr", "g"),
    ("gram", "g"),
    ("grams", "g"),
    ("kilogram", "kg"),
    ("kilograms", "kg"),
    ("kgs", "kg"),
    ("milligram", "mg"),
    ("milligrams", "mg"),
    ("mgs", "mg"),
    ("mcg", "ug"),
    ("mcgs", "ug"),
    ("microgram", "ug"),
    ("micrograms", "ug"),
    ("liter", "L"),
    ("liters", "L"),
    ("litre", "L"),
    ("litres", "L"),
    ("lt", "L"),
    ("ltr", "L"),
    ("milliliter", "mL"),
    ("milliliters", "mL"),
    ("millilitre", "mL"),
    ("mls", "mL"),
    ("cc", "mL"),
    ("ccm", "mL"),
    ("mcl", "uL"),
    ("cumm", "mm3"),
    ("cmm", "mm3"),
    ("mcmol", "umol"),
    ("mcm", "um"),
    ("micron", "um"),
    ("sqm", "m2"),
    ("iu", "[IU]"),
    ("miu", "m[IU]"),
    ("mciu", "u[IU]"),
    ("uiu", "u[IU]"),
    ("kiu", "k[IU]"),
    ("unit", "U"),
    ("units", "U"),
    ("un", "U"),
    ("u", "U"),
    ("mu", "mU"),
    ("ku", "kU"),
    ("uu", "uU"),
    ("mcu", "uU"),
    ("au", "[arb'U]"),
    ("arbu", "[arb'U]"),
    ("gpl", "[GPL'U]"),
    ("mpl", "[MPL'U]"),
    ("apl", "[APL'U]"),
    ("cfu", "[CFU]"),
    ("hpf", "[HPF]"),
    ("lpf", "[LPF]"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("msec", "ms"),
    ("msecs", "ms"),
    ("minute", "min"),
    ("minutes", "min"),
    ("mins", "min"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("week", "wk"),
    ("weeks", "wk"),
    ("month", "mo"),
    ("months", "mo"),
    ("year", "a"),
    ("years", "a"),
    ("yr", "a"),
    ("yrs", "a"),
    ("lb", "[lb_av]"),
    ("lbs", "[lb_av]"),
    ("oz", "[oz_av]"),
    ("ft", "[ft_i]"),
];

/// Symbols in any case that a laboratory's word may be, in UCUM's case: prefixes and units of each.
const METRIC: [(&str, &str); 16] = [
    ("g", "g"),
    ("l", "L"),
    ("mol", "mol"),
    ("eq", "eq"),
    ("osm", "osm"),
    ("osmol", "osm"),
    ("m", "m"),
    ("m2", "m2"),
    ("m3", "m3"),
    ("s", "s"),
    ("kat", "kat"),
    ("cal", "cal"),
    ("pa", "Pa"),
    ("v", "V"),
    ("w", "W"),
    ("hz", "Hz"),
];

/// The UCUM code of a unit as a source writes it; `None` where that is not known for certain.
///
/// Litres come out as `L` and international units as `[IU]` whatever the source's case, so that one unit has one
/// spelling. Where a text is valid UCUM and yet means something else in every laboratory (`K/uL`, kelvin;
/// `Mg/dL`, megagrams; `T/L`, teslas; `C`, coulombs), the laboratories win.
pub fn ucum(text: &str) -> Option<String> {
    let text = plain(text);
    if text.is_empty() || text.len() > 100 {
        return None;
    }
    let compact: String = text.chars().filter(|c| *c != ' ').collect();
    let lower = compact.to_ascii_lowercase();
    if let Some((_, code)) = WHOLE.iter().find(|(spelling, _)| *spelling == lower) {
        return Some((*code).to_owned());
    }
    if compact == "G/L" {
        return Some("10*9/L".to_owned());
    }
    let spelled = rewrite(&compact)?;
    let spelled = expression::parse(&spelled).map(|_| spelled);
    spelled.or_else(|| rewrite(&lower).filter(|s| expression::parse(s).is_some()))
}

/// The text in ASCII: micro signs, raised digits, degree signs, multiplication signs, "per".
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.trim().chars() {
        match c {
            'µ' | 'μ' => out.push('u'),
            '²' => out.push('2'),
            '³' => out.push('3'),
            '⁶' => out.push('6'),
            '⁹' => out.push('9'),
            '°' | 'º' => out.push_str("deg"),
            '×' => out.push('x'),
            '·' | '⋅' => out.push('.'),
            'Å' => out.push_str("Ao"),
            c if c.is_whitespace() => out.push(' '),
            c => out.push(c),
        }
    }
    out.replace(" per ", "/").replace(" Per ", "/").replace(" PER ", "/")
}

/// A power of ten in front, then words between operators.
fn rewrite(compact: &str) -> Option<String> {
    let (ten, rest) = power_of_ten(compact);
    let mut out = ten.map_or_else(String::new, |n| format!("10*{n}"));
    if ten.is_some() && !rest.is_empty() && !rest.starts_with(['/', '.', '*']) {
        // "10*3 cells/uL"
        out.push('.');
    }
    let upper = !rest.bytes().any(|b| b.is_ascii_lowercase());
    let divided = rest.contains('/');
    let mut rest = rest;
    while let Some(first) = rest.chars().next() {
        match first {
            '/' | '.' | '(' | ')' => {
                out.push(first);
                rest = &rest[1..];
            }
            '*' => {
                out.push('.');
                rest = &rest[1..];
            }
            '{' => {
                let end = rest.find('}')? + 1;
                out.push_str(&rest[..end]);
                rest = &rest[end..];
            }
            _ => {
                let end = word_end(rest);
                out.push_str(&word(&rest[..end], upper, divided)?);
                rest = &rest[end..];
            }
        }
    }
    Some(out.replace(".{cells}", "{cells}"))
}

/// Where a word ends: at an operator outside square brackets; `10*` and the point of `1.73` belong to it.
fn word_end(text: &str) -> usize {
    let mut inside = false;
    let bytes = text.as_bytes();
    for (i, b) in bytes.iter().enumerate() {
        match b {
            b'[' => inside = true,
            b']' => inside = false,
            b'/' | b'(' | b')' | b'{' if !inside => return i,
            b'.' if !inside => {
                let digit = |j: Option<usize>| j.and_then(|j| bytes.get(j)).is_some_and(u8::is_ascii_digit);
                if !(digit(i.checked_sub(1)) && digit(Some(i + 1))) {
                    return i;
                }
            }
            b'*' if !(inside || i == 2 && text.starts_with("10*")) => return i,
            _ => {}
        }
    }
    text.len()
}

/// `x10^3`, `10*9`, `10E6`, `10(12)`, `x10e3`, `10**3` in front of a unit: the power, and what follows.
fn power_of_ten(text: &str) -> (Option<i8>, &str) {
    let none = (None, text);
    let start = text.strip_prefix(['x', 'X', '*']).unwrap_or(text);
    let Some(rest) = start.strip_prefix("10") else { return none };
    let marked = rest.trim_start_matches(['^', '*', 'e', 'E', '(', 'x']);
    let (sign, digits) = match marked.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, marked.strip_prefix('+').unwrap_or(marked)),
    };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let Ok(power) = digits[..length].parse::<i8>() else { return none };
    let rest_after = digits[length..].strip_prefix(')').unwrap_or(&digits[length..]);
    // "103/uL", a raised 3 that was lost, is told from a plain number by what usual powers are.
    let usual = marked.len() < rest.len() || matches!(power, 3 | 6 | 9 | 12);
    if power > 24 || !usual { none } else { (Some(sign * power), rest_after) }
}

/// One word in UCUM.
fn word(word: &str, upper: bool, divided: bool) -> Option<String> {
    if word.contains('[') {
        return Some(word.replace("[iU]", "[IU]").replace("[iu]", "[IU]"));
    }
    if word.bytes().all(|b| b.is_ascii_digit()) {
        return Some(word.to_owned());
    }
    if word.eq_ignore_ascii_case("1.73m2") || word.eq_ignore_ascii_case("1.73m^2") || word == "1.73_m2" {
        return Some("{1.73_m2}".to_owned());
    }
    if word == "#" {
        return Some("1".to_owned());
    }
    let number = word.bytes().take_while(u8::is_ascii_digit).count();
    if number > 0 && !word.starts_with("10*") && !word.starts_with("10^") {
        // "24h", "24hr": what is collected in that time.
        let inner = self::word(&word[number..], upper, divided)?;
        return Some(format!("({}.{inner})", &word[..number]));
    }
    let lower = word.to_ascii_lowercase().replace('^', "");
    if COUNTED.contains(&lower.as_str()) {
        return Some(format!("{{{lower}}}"));
    }
    // A prefix in capitals is a laboratory's milli, not mega.
    let mega = word.starts_with('M') && metric(&lower).is_some();
    if !upper
        && !mega
        && !word.contains('^')
        && expression::parse(word).is_some()
        && !matches!(word, "u" | "gr" | "AU")
    {
        return Some(litres(word));
    }
    if matches!(lower.as_str(), "in" | "inch" | "inches") && !divided {
        return Some("[in_i]".to_owned());
    }
    // Mega-units of a drug and milli-units of a hormone are both "MU": only in a concentration is it sure.
    if word == "MU" && !divided {
        return None;
    }
    if let Some((_, code)) = WORDS.iter().find(|(spelling, _)| *spelling == lower) {
        return Some((*code).to_owned());
    }
    let found = metric(&lower).or_else(|| match lower.as_str() {
        "min" | "h" | "d" | "wk" | "mo" | "a" | "%" => Some(lower.clone()),
        "meq" => Some("meq".to_owned()),
        _ => None,
    });
    // The rest may be UCUM all the same.
    found.or_else(|| expression::parse(word).map(|_| litres(word)))
}

/// A lower-case word of a usual prefix and a usual unit.
fn metric(lower: &str) -> Option<String> {
    METRIC.iter().find_map(|(spelled, code)| {
        let prefix = lower.strip_suffix(spelled)?;
        let prefix = match prefix {
            "mc" => "u",
            "" | "m" | "u" | "n" | "p" | "f" | "k" | "d" | "c" => prefix,
            _ => return None,
        };
        Some(format!("{prefix}{code}"))
    })
}

/// `dl` as `dL`: one spelling of the litre.
fn litres(word: &str) -> String {
    let stem =
        word.strip_suffix('l').filter(|stem| matches!(*stem, "" | "m" | "u" | "n" | "p" | "f" | "d" | "c"));
    stem.map_or_else(|| word.to_owned(), |stem| format!("{stem}L"))
}
