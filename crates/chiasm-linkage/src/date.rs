use crate::{BirthDate, normalise};

/// How a column writes its dates where a date alone leaves it open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DateOrder {
    /// Whether `1/2/1990` is January. Without a sign of it the day comes first.
    month_first: bool,
    /// Whether eight digits end with the year.
    year_last: bool,
}

impl DateOrder {
    /// The order that makes most of a column's dates possible.
    pub(crate) fn of_column<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let (mut day_first, mut month_first) = (0_usize, 0_usize);
        let (mut year_first, mut year_last) = (0_usize, 0_usize);
        for cell in cells {
            let year = |digits: Option<&str>| digits.is_some_and(|y| ("1850"..="2100").contains(&y));
            let mut count = |first: u32, second: u32| {
                day_first += usize::from(first > 12);
                month_first += usize::from(second > 12);
            };
            match parts(cell)[..] {
                [
                    Part { value: a, digits: 1 | 2 },
                    Part { value: b, digits: 1 | 2 },
                    Part { digits: 2 | 4, .. },
                ] => {
                    count(a, b);
                }
                [Part { value, digits: 8 }, ..] => {
                    let digits = format!("{value:08}");
                    year_first += usize::from(year(digits.get(..4)));
                    if year(digits.get(4..)) {
                        year_last += 1;
                        count(value / 1_000_000, value / 10_000 % 100);
                    }
                }
                _ => {}
            }
        }
        // A date of the first half of a month may look like a year either way round; most do not.
        Self { month_first: month_first > day_first, year_last: year_last > 2 * year_first }
    }
}

/// A number in a date, or a month's name with no digits.
#[derive(Clone, Copy)]
struct Part {
    value: u32,
    digits: usize,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The first three numbers or months of a text; what stands after them is a time of day.
fn parts(raw: &str) -> Vec<Part> {
    let mut parts = Vec::with_capacity(3);
    let mut rest = normalise::whole(raw).trim();
    while let Some(first) = rest.chars().next()
        && parts.len() < 3
    {
        let run = |test: fn(&char) -> bool| rest.chars().take_while(test).map(char::len_utf8).sum::<usize>();
        if first.is_ascii_digit() {
            let digits = run(char::is_ascii_digit);
            parts.push(Part { value: rest[..digits].parse().unwrap_or(u32::MAX), digits });
            rest = &rest[digits..];
        } else if first.is_alphabetic() {
            let letters = run(|c| c.is_alphabetic());
            let word = rest[..letters].to_lowercase();
            let month = MONTHS.iter().position(|month| word.starts_with(month));
            match month {
                Some(month) => parts.push(Part { value: month as u32 + 1, digits: 0 }),
                // `1984-03T00:00`: the date is over.
                None if word == "t" && !parts.is_empty() => break,
                None => {}
            }
            rest = &rest[letters..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    parts
}

/// A date of birth as digits, `YYYYMMDD`, `YYYYMM` or `YYYY`; empty where nothing can be read.
///
/// Eight digits stay as they are even where they are no date (a typing error made month 13): they
/// can still be compared digit by digit. Of two digits of a year, 30 and more are of the 20th century.
pub(crate) fn digits(raw: &str, order: DateOrder) -> String {
    let valid =
        |(y, m, d): (u32, u32, u32)| (m <= 99 && d <= 99 && y <= 9999).then(|| format!("{y:04}{m:02}{d:02}"));
    let century = |part: Part| match (part.digits, part.value) {
        (4, year) => Some(year),
        (2, year) => Some(if year >= 30 { 1900 + year } else { 2000 + year }),
        _ => None,
    };
    let alone = || normalise::whole(raw).trim().bytes().all(|b| b.is_ascii_digit());
    let date = match parts(raw)[..] {
        [Part { value, digits: 8 }, ..] if order.year_last => {
            let (a, b, y) = (value / 1_000_000, value / 10_000 % 100, value % 10_000);
            valid(if order.month_first { (y, a, b) } else { (y, b, a) })
        }
        [Part { value, digits: 8 }, ..] => Some(format!("{value:08}")),
        [Part { value, digits: digits @ (4 | 6) }] if alone() => Some(format!("{value:0digits$}")),
        // The month by its name.
        [Part { value: m, digits: 0 }, Part { value: d, digits: 1 | 2 }, y]
        | [Part { value: d, digits: 1 | 2 }, Part { value: m, digits: 0 }, y] => {
            century(y).and_then(|y| valid((y, m, d)))
        }
        [Part { value: m, digits: 0 }, y @ Part { digits: 4, .. }]
        | [y @ Part { digits: 4, .. }, Part { value: m, digits: 0 }] => Some(format!("{:04}{m:02}", y.value)),
        [y @ Part { digits: 4, .. }, Part { value: m, digits: 0..=2 }, Part { value: d, digits: 1 | 2 }] => {
            valid((y.value, m, d))
        }
        [Part { value: y, digits: 4 }, Part { value: m, digits: 1 | 2 }] => {
            valid((y, m, 0)).map(|date| date[..6].to_owned())
        }
        [Part { value: a, digits: 1 | 2 }, Part { value: b, digits: 1 | 2 }, y] => {
            let month_first = b > 12 || (a <= 12 && order.month_first);
            century(y).and_then(|y| valid(if month_first { (y, a, b) } else { (y, b, a) }))
        }
        _ => None,
    };
    match date {
        Some(date) if date.bytes().all(|b| b == b'0') => String::new(),
        Some(date) => date,
        None => String::new(),
    }
}

/// Year, month and day of columns of their own as one date, as far as they are known.
pub(crate) fn joined(year: &str, month: &str, day: &str) -> String {
    let [year, month, day] = [year, month, day].map(|part| normalise::whole(part).trim());
    let text = match (year, month, day) {
        ("", ..) => String::new(),
        (year, "", _) => year.to_owned(),
        (year, month, "") => format!("{year}-{month}"),
        (year, month, day) => format!("{year}-{month}-{day}"),
    };
    digits(&text, DateOrder::default())
}

/// The digits of a known date.
pub(crate) fn digits_of(birth: &BirthDate) -> String {
    match (birth.month, birth.day) {
        (Some(m), Some(d)) => format!("{:04}{m:02}{d:02}", birth.year),
        (Some(m), None) => format!("{:04}{m:02}", birth.year),
        _ => format!("{:04}", birth.year),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_sources_write() {
        for raw in [
            "19840307",
            "1984-03-07",
            "1984-03-07T00:00:00Z",
            "1984-03-07 00:00:00",
            "7/3/1984",
            "07.03.1984",
            " 1984/3/7",
            "19840307.0",
            "7 Mar 1984",
            "07-MAR-1984",
            "07MAR1984",
            "March 7, 1984",
            "7th March 1984",
            "7/3/84",
            "1984-Mar-07",
        ] {
            assert_eq!(digits(raw, DateOrder::default()), "19840307", "{raw}");
        }
        let american = DateOrder { month_first: true, ..DateOrder::default() };
        assert_eq!(digits("3/7/1984", american), "19840307");
        assert_eq!(digits("3/17/1984", DateOrder::default()), "19840317");
        assert_eq!(digits("19841332", DateOrder::default()), "19841332");
        assert_eq!(digits("1984", DateOrder::default()), "1984");
        assert_eq!(digits("1984-03", DateOrder::default()), "198403");
        assert_eq!(digits("Oct 1984", DateOrder::default()), "198410");
        assert_eq!(digits("3/7/04", DateOrder::default()), "20040703");
        for nothing in ["soon", "", "00000000", "0", "T", "-", "12", "\u{660}"] {
            assert_eq!(digits(nothing, DateOrder::default()), "", "{nothing}");
        }
        assert_eq!(
            (joined("1984", "3", "7"), joined("1984.0", "3.0", "")),
            ("19840307".into(), "198403".into())
        );
        assert_eq!((joined("1984", "", "7"), joined("", "3", "7")), ("1984".into(), String::new()));
    }

    #[test]
    fn a_column_shows_its_order() {
        let of = |cells: &[&str]| DateOrder::of_column(cells.iter().copied());
        assert!(of(&["1/2/1990", "3/17/1991"]).month_first);
        assert!(!of(&["1/2/1990", "17/3/1991"]).month_first);
        let last = of(&["07031984", "17031991", "24122003"]);
        assert!(last.year_last && !last.month_first);
        assert_eq!(digits("07031984", last), "19840307");
        assert_eq!(of(&["19840307", "19910317", "20031224"]), DateOrder::default());
    }
}
