//! How alike two texts are, on bytes: most text here is ASCII, and what is not differs in bytes too.

/// The longest text that is compared letter by letter; what follows is ignored.
const LONGEST: usize = 63;

/// Optimal string alignment distance (a transposition of neighbours is one edit) where it is at most
/// `most`, and `most + 1` otherwise.
///
/// # Source
/// Wagner and Fischer 1974 with the transposition of Damerau 1964.
pub(crate) fn edits(a: &str, b: &str, most: usize) -> usize {
    let (mut a, mut b) = (clip(a), clip(b));
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    (a, b) = (&a[same..], &b[same..]);
    let same = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    (a, b) = (&a[..a.len() - same], &b[..b.len() - same]);
    if a.is_empty() || b.is_empty() {
        return a.len().max(b.len()).min(most + 1);
    }
    // Row i of the table stands in `rows[i % 3]`.
    let mut rows = [[0_u8; LONGEST + 1]; 3];
    for (j, cell) in (0..).zip(&mut rows[0]) {
        *cell = j;
    }
    for i in 1..=a.len() {
        let (now, last, before) = (i % 3, (i + 2) % 3, (i + 1) % 3);
        rows[now][0] = i as u8;
        let mut least = i as u8;
        for j in 1..=b.len() {
            let substituted = rows[last][j - 1] + u8::from(a[i - 1] != b[j - 1]);
            let mut cost = substituted.min(rows[last][j] + 1).min(rows[now][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(rows[before][j - 2] + 1);
            }
            rows[now][j] = cost;
            least = least.min(cost);
        }
        if usize::from(least) > most + 1 {
            return most + 1;
        }
    }
    usize::from(rows[a.len() % 3][b.len()]).min(most + 1)
}

fn clip(text: &str) -> &[u8] {
    &text.as_bytes()[..text.len().min(LONGEST)]
}

/// Jaro's similarity with Winkler's bonus of 0.1 for each of the first four letters that agree; 0 to 1.
///
/// # Source
/// Winkler 1990, "String comparator metrics and enhanced decision rules".
pub(crate) fn jaro_winkler(a: &str, b: &str) -> f64 {
    let (a, b) = (clip(a), clip(b));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let (mut in_a, mut in_b) = (0_u64, 0_u64);
    for (i, letter) in a.iter().enumerate() {
        let from = i.saturating_sub(window);
        let to = (i + window + 1).min(b.len());
        if let Some(j) = (from..to).find(|&j| in_b & (1 << j) == 0 && b[j] == *letter) {
            in_a |= 1 << i;
            in_b |= 1 << j;
        }
    }
    let matches = in_a.count_ones();
    if matches == 0 {
        return 0.0;
    }
    let mut moved = 0;
    let (mut rest_a, mut rest_b) = (in_a, in_b);
    while rest_a != 0 {
        moved += u32::from(a[rest_a.trailing_zeros() as usize] != b[rest_b.trailing_zeros() as usize]);
        rest_a &= rest_a - 1;
        rest_b &= rest_b - 1;
    }
    let m = f64::from(matches);
    let jaro = (m / a.len() as f64 + m / b.len() as f64 + (m - f64::from(moved / 2)) / m) / 3.0;
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
    jaro + 0.1 * prefix as f64 * (1.0 - jaro)
}

/// One bit a letter (bit 26: a digit; 27: anything else).
pub(crate) fn letters(text: &str) -> u32 {
    text.bytes().fold(0, |mask, byte| {
        mask | match byte {
            b'a'..=b'z' => 1 << (byte - b'a'),
            b'0'..=b'9' => 1 << 26,
            _ => 1 << 27,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_strsim(a in "[a-e]{0,9}", b in "[a-e]{0,9}") {
            let distance = strsim::osa_distance(&a, &b);
            for most in 0..4 {
                prop_assert_eq!(edits(&a, &b, most), distance.min(most + 1));
                prop_assert_eq!(edits(&b, &a, most), distance.min(most + 1));
            }
            if !a.is_empty() && !b.is_empty() {
                let jaro = strsim::jaro(&a, &b);
                let prefix = a.bytes().zip(b.bytes()).take(4).take_while(|(x, y)| x == y).count();
                let expected = jaro + 0.1 * prefix as f64 * (1.0 - jaro);
                prop_assert!((jaro_winkler(&a, &b) - expected).abs() < 1e-12);
            }
        }

        #[test]
        fn takes_any_text(a in ".{0,80}", b in ".{0,80}") {
            prop_assert!(edits(&a, &b, 2) <= 3);
            prop_assert!((0.0..=1.0 + 1e-12).contains(&jaro_winkler(&a, &b)));
        }
    }
}
