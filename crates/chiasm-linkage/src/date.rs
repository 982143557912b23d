use crate::BirthDate;

/// Which of the first two numbers of `1/2/1990` is the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DateOrder {
    /// Day, month, year: also what is assumed where a column leaves it open.
    #[default]
    DayFirst,
    /// Month, day, year.
    MonthFirst,
}

impl DateOrder {
    /// The order that makes most of a column's dates possible.
    pub(crate) fn of_column<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let (mut day_first, mut month_first) = (0_usize, 0_usize);
        for cell in cells {
            let numbers = numbers(cell);
            if let [first, second, year] = numbers[..]
                && first.1 <= 2
                && year.1 >= 2
            {
                day_first += usize::from(first.0 > 12);
                month_first += usize::from(second.0 > 12);
            }
        }
        if month_first > day_first { Self::MonthFirst } else { Self::DayFirst }
    }
}

/// The numbers in a text with how many digits each has.
fn numbers(raw: &str) -> Vec<(u32, usize)> {
    let parts = raw.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    parts.map(|part| (part.parse().unwrap_or(u32::MAX), part.len())).collect()
}

/// A date of birth as digits, `YYYYMMDD`, `YYYYMM` or `YYYY`; empty where nothing can be read.
///
/// Eight digits stay as they are even where they are no date (a typing error made month 13): they
/// can still be compared digit by digit.
pub(crate) fn digits(raw: &str, order: DateOrder) -> String {
    let day = raw.trim().split(['T', ' ']).next().unwrap_or("");
    let found = numbers(day);
    let valid =
        |(y, m, d): (u32, u32, u32)| (m <= 99 && d <= 99 && y <= 9999).then(|| format!("{y:04}{m:02}{d:02}"));
    let date = match found[..] {
        [(_, 8)] => Some(day.chars().filter(char::is_ascii_digit).collect()),
        [(_, 6)] | [(_, 4)] if day.chars().all(|c| c.is_ascii_digit()) => Some(day.to_owned()),
        [(y, 4), (m, 1 | 2), (d, 1 | 2)] => valid((y, m, d)),
        [(y, 4), (m, 1 | 2)] => valid((y, m, 0)).map(|date| date[..6].to_owned()),
        [(a, 1 | 2), (b, 1 | 2), (y, 4)] => {
            let month_first = b > 12 || (a <= 12 && order == DateOrder::MonthFirst);
            valid(if month_first { (y, a, b) } else { (y, b, a) })
        }
        _ => None,
    };
    match date {
        Some(date) if date.bytes().all(|b| b == b'0') => String::new(),
        Some(date) => date,
        None => String::new(),
    }
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
        for raw in ["19840307", "1984-03-07", "1984-03-07T00:00:00Z", "7/3/1984", "07.03.1984", " 1984/3/7"] {
            assert_eq!(digits(raw, DateOrder::DayFirst), "19840307", "{raw}");
        }
        assert_eq!(digits("3/7/1984", DateOrder::MonthFirst), "19840307");
        assert_eq!(digits("3/17/1984", DateOrder::DayFirst), "19840317");
        assert_eq!(digits("19841332", DateOrder::DayFirst), "19841332");
        assert_eq!(digits("1984", DateOrder::DayFirst), "1984");
        assert_eq!(digits("1984-03", DateOrder::DayFirst), "198403");
        assert_eq!(digits("soon", DateOrder::DayFirst), "");
        assert_eq!(DateOrder::of_column(["1/2/1990", "3/17/1991"].into_iter()), DateOrder::MonthFirst);
        assert_eq!(DateOrder::of_column(["1/2/1990", "17/3/1991"].into_iter()), DateOrder::DayFirst);
    }
}
