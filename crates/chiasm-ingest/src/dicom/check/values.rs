use super::Report;
use crate::dicom::dataset::{DataSet, Element, ITEM};
use crate::dicom::{dictionary, key};
use crate::feed::Parts;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use std::collections::BTreeSet;

/// Bytes of a value that are looked at.
const LOOKED_AT: u64 = 1 << 16;

/// Every value against its representation: length, characters, form.
///
/// # Source
/// DICOM PS3.5 section 6.2, table 6.2-1; section 7.8 for private elements.
pub(super) fn values(data: &DataSet, report: &mut Report) {
    // A rule that a file breaks a thousand times at one tag is told once.
    let mut told: BTreeSet<(&str, Tag)> = BTreeSet::new();
    let mut creators: Vec<BTreeSet<(u16, u16)>> = vec![BTreeSet::new()];
    for element in data.elements() {
        if report.is_full() {
            return;
        }
        let (tag, depth) = (element.tag, usize::from(element.depth));
        if tag == ITEM || tag.0 == 0xfffe {
            creators.truncate(depth + 1);
            continue;
        }
        creators.resize_with(depth + 1, BTreeSet::new);
        if tag.0 % 2 == 1 {
            if (0x10..=0xff).contains(&tag.1) {
                creators[depth].insert((tag.0, tag.1));
            } else if tag.1 > 0xff
                && !creators[depth].contains(&(tag.0, tag.1 >> 8))
                && told.insert(("dicom.private", tag))
            {
                report.warning("dicom.private", Some(tag), "a private element without its creator");
            }
        } else if tag.1 != 0
            && let Some(false) = dictionary::allows(tag, element.vr)
            && told.insert(("dicom.vr", tag))
        {
            report.error("dicom.vr", Some(tag), format!("of representation {}, not its own", element.vr));
        } else if dictionary::allows(tag, element.vr).is_none()
            && tag.1 != 0
            && told.insert(("dicom.tag", tag))
        {
            report.warning("dicom.tag", Some(tag), "an element that the standard does not know");
        }
        for (rule, message) in faults(data, element) {
            if told.insert((rule, tag)) {
                report.error(rule, Some(tag), message);
            }
        }
    }
    if data.charsets.iter().any(|c| !c.known) {
        let message = "a character set that the standard does not define";
        report.error("dicom.charset.unknown", Some(tags::SPECIFIC_CHARACTER_SET), message);
    }
}

/// The rules of its representation that a value breaks.
fn faults(data: &DataSet, element: &Element) -> Vec<(&'static str, &'static str)> {
    let mut found = Vec::new();
    let unit = key::unit(element.vr) as u32;
    if unit > 1 && !element.length.is_multiple_of(unit) {
        found.push(("dicom.value.length", "the length is no multiple of one number's"));
    }
    if !is_text(element.vr) || element.length == 0 {
        return found;
    }
    let (values, good) = data.text_within(element, LOOKED_AT);
    if !good {
        found.push(("dicom.charset", "bytes that stand for no character in the declared character set"));
    }
    // What was cut off is no value.
    let whole = u64::from(element.length) <= LOOKED_AT;
    let count = if whole { values.len() } else { values.len().saturating_sub(1) };
    let values = &values[..count];
    if let Some(most) = longest(element.vr)
        && values.iter().any(|v| v.trim_matches(' ').chars().count() > most)
    {
        found.push(("dicom.value.length", "a value is longer than its representation allows"));
    }
    if values.iter().any(|v| !well_formed(element.vr, v.trim_matches(' '))) {
        found.push(("dicom.value", "a value has not the form that its representation demands"));
    }
    found
}

fn is_text(vr: VR) -> bool {
    use VR::{AE, AS, CS, DA, DS, DT, IS, LO, LT, PN, SH, ST, TM, UC, UI, UR, UT};
    matches!(vr, AE | AS | CS | DA | DS | DT | IS | LO | LT | PN | SH | ST | TM | UC | UI | UR | UT)
}

/// The most characters of one value.
fn longest(vr: VR) -> Option<usize> {
    Some(match vr {
        VR::AE | VR::CS | VR::DS | VR::SH => 16,
        VR::IS => 12,
        VR::DA => 8,
        VR::TM => 14,
        VR::DT => 26,
        VR::AS => 4,
        VR::LO | VR::UI => 64,
        VR::ST => 1024,
        VR::LT => 10_240,
        _ => return None,
    })
}

fn well_formed(vr: VR, value: &str) -> bool {
    let all = |allowed: fn(u8) -> bool| value.bytes().all(allowed);
    if value.is_empty() {
        return true;
    }
    match vr {
        VR::CS => all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b' ' | b'_')),
        VR::UI => value.split('.').all(component),
        VR::DS => value.len() <= 16 && value.parse::<f64>().is_ok_and(f64::is_finite),
        VR::IS => value.strip_prefix('+').unwrap_or(value).parse::<i32>().is_ok(),
        VR::DA => value.len() == 8 && Parts::compact(value).is_some_and(is_a_day),
        VR::TM => time(value),
        VR::DT => Parts::compact(value).is_some_and(is_a_day),
        VR::AS => {
            value.len() == 4
                && value.bytes().take(3).all(|b| b.is_ascii_digit())
                && value.ends_with(['D', 'W', 'M', 'Y'])
        }
        VR::PN => {
            let groups: Vec<&str> = value.split('=').collect();
            groups.len() <= 3 && groups.iter().all(|g| g.split('^').count() <= 5 && g.chars().count() <= 64)
        }
        VR::AE | VR::SH | VR::LO | VR::UC => !value.chars().any(char::is_control),
        VR::ST | VR::LT | VR::UT => {
            !value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
        }
        VR::UR => !value.contains([' ', '\t']),
        _ => true,
    }
}

/// A part of a UID: digits, and no zero before others.
fn component(part: &str) -> bool {
    !part.is_empty()
        && part.bytes().all(|b| b.is_ascii_digit())
        && (part.len() == 1 || !part.starts_with('0'))
}

/// Whether month and day are ones that the year has, as far as they are said.
fn is_a_day(parts: Parts) -> bool {
    let (month, day) = (parts.month.unwrap_or(1), parts.day.unwrap_or(1));
    jiff::civil::Date::new(parts.year, month, day).is_ok()
}

/// `HH[MM[SS[.F1-6]]]`.
fn time(value: &str) -> bool {
    let (whole, fraction) = value.split_once('.').map_or((value, None), |(w, f)| (w, Some(f)));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let part = |from: usize, most: u8| match whole.get(from..from + 2) {
        Some(two) => two.parse::<u8>().is_ok_and(|n| n <= most),
        None => true,
    };
    matches!(whole.len(), 2 | 4 | 6)
        && digits(whole)
        && fraction.is_none_or(|f| whole.len() == 6 && (1..=6).contains(&f.len()) && digits(f))
        && part(0, 23)
        && part(2, 59)
        && part(4, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_those_of_the_standard() {
        let good: [(VR, &[&str]); 9] = [
            (VR::CS, &["ORIGINAL", "A_1 B", ""]),
            (VR::UI, &["1.2.840.10008.1.2", "2.25.0"]),
            (VR::DS, &["-1.5e-3", "+0.25", "12"]),
            (VR::IS, &["+12", "-2147483648", "0"]),
            (VR::DA, &["20240229"]),
            (VR::TM, &["07", "0730", "235960.123456"]),
            (VR::DT, &["2024", "20240229120000.5+0100"]),
            (VR::AS, &["034Y"]),
            (VR::PN, &["A^B^C^D^E=F=G"]),
        ];
        let bad: [(VR, &[&str]); 9] = [
            (VR::CS, &["lower", "A-B"]),
            (VR::UI, &["1..2", "1.02", "x"]),
            (VR::DS, &["1,5", "nan", "inf", "12345678901234567"]),
            (VR::IS, &["1.0", "2147483648"]),
            (VR::DA, &["20230229", "2024.01.01", "2024"]),
            (VR::TM, &["7", "2460", "12:00", "07.5", "073015.1234567"]),
            (VR::DT, &["202413", "noon"]),
            (VR::AS, &["34Y", "034X"]),
            (VR::PN, &["A^B^C^D^E^F", "A=B=C=D"]),
        ];
        for (vr, value) in good.iter().flat_map(|(vr, all)| all.iter().map(move |v| (*vr, *v))) {
            assert!(well_formed(vr, value), "{vr} {value}");
        }
        for (vr, value) in bad.iter().flat_map(|(vr, all)| all.iter().map(move |v| (*vr, *v))) {
            assert!(!well_formed(vr, value), "{vr} {value}");
        }
    }
}
